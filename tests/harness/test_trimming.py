"""Trimming the cache: by age, size and kind, and never what a running process has in use."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.errors import UsageError
from faultbench.matrix.cache import Cache
from faultbench.matrix.leases import gate, in_use, leases
from faultbench.matrix.trimming import UNREADABLE, Stored, choose, forecast, parse_duration, parse_size, survey, trim

DAY = 86_400.0


def key(number: int) -> str:
    return f"{number:02x}" * 32


def fill(root: Path, *sizes: int, kind: str = "train") -> list[str]:
    """Values of so many bytes."""
    keys = [key(number) for number in range(1, len(sizes) + 1)]
    for name, size in zip(keys, sizes, strict=True):
        Cache(root).get_or_make(name, lambda out, size=size: (out / "v").write_bytes(bytes(size)), {"name": kind, "title": f"t{size}"})
    return keys


def there(root: Path) -> set[str]:
    return {one.key for one in survey(root)}


def stored(number: int, *, size: int = 100, seconds: float = 1.0, used: float = 0.0, kind: str = "train") -> Stored:
    return Stored(key(number), kind, "", size, seconds, used, used)


def test_a_survey_says_what_made_a_value_how_large_it_is_and_how_long_it_took(tmp_path: Path) -> None:
    (name,) = fill(tmp_path, 5000)
    (one,) = survey(tmp_path)
    assert (one.key, one.kind, one.title) == (name, "train", "t5000")
    files = [path for path in (tmp_path / "values").rglob("*") if path.is_file()]
    assert one.size_bytes == sum(path.stat().st_size for path in files)
    assert abs(one.used - time.time()) < 60


def test_a_value_without_a_readable_manifest_is_of_no_use_and_goes_first(tmp_path: Path) -> None:
    first, second = fill(tmp_path, 100, 200)
    (tmp_path / "values" / second[:2] / second / "manifest.json").write_text("{")
    assert {one.key: one.kind for one in survey(tmp_path)} == {first: "train", second: UNREADABLE}
    assert [one.key for one in choose(survey(tmp_path), to_bytes=sum(one.size_bytes for one in survey(tmp_path)) - 1)] == [second]


def test_what_is_no_value_is_not_touched(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    stranger = tmp_path / "values" / "zz" / "notes"
    stranger.mkdir(parents=True)
    trim(tmp_path, survey(tmp_path))
    assert stranger.is_dir()


def test_only_what_no_run_has_used_for_so_long_is_chosen() -> None:
    values = [stored(1, used=0), stored(2, used=5 * DAY), stored(3, used=9 * DAY)]
    assert [one.key for one in choose(values, older_s=4 * DAY, now=10 * DAY)] == [key(1), key(2)]


def test_to_a_size_what_was_used_longest_ago_goes_first_then_what_costs_least_to_make_again() -> None:
    values = [stored(1, used=9), stored(2, used=5, seconds=60), stored(3, used=5, seconds=1), stored(4, used=5, seconds=1, size=1000)]
    order = [one.key for one in choose(values, to_bytes=0)]
    assert order == [key(4), key(3), key(2), key(1)]
    assert [one.key for one in choose(values, to_bytes=300)] == [key(4)]
    assert choose(values, to_bytes=1300) == []


def test_kinds_and_limits_together_take_only_what_fits_all() -> None:
    values = [stored(1, kind="ingest", size=900), stored(2), stored(3, used=9 * DAY)]
    assert [one.key for one in choose(values, kinds=("train",), older_s=5 * DAY, now=10 * DAY)] == [key(2)]
    assert [one.key for one in choose(values, kinds=("train",), to_bytes=0)] == [key(2), key(3)]


@pytest.mark.parametrize(("text", "seconds"), [("30d", 30 * DAY), ("12h", 43_200), ("90m", 5400), (" 2 w ", 14 * DAY), ("1.5d", 1.5 * DAY)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("2G", 2 * 10**9), ("500MB", 5 * 10**8), ("0", 0), ("1.5 k", 1500), ("7tb", 7 * 10**12)])
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.text(max_size=20))
def test_any_text_is_a_duration_and_a_size_or_a_usage_error(text: str) -> None:
    for parse in (parse_duration, parse_size):
        with contextlib.suppress(UsageError):
            assert parse(text) >= 0


def test_what_goes_is_gone_and_can_be_made_again(tmp_path: Path) -> None:
    keys = fill(tmp_path, 100, 200, 300)
    found = trim(tmp_path, [one for one in survey(tmp_path) if one.key != keys[0]])
    assert {one.key for one in found.removed} == set(keys[1:])
    assert there(tmp_path) == {keys[0]}
    assert not list((tmp_path / "partial").iterdir())
    assert fill(tmp_path, 100, 200, 300) == keys
    assert there(tmp_path) == set(keys)


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    first, second = fill(tmp_path, 100, 200)
    with in_use(tmp_path, [first, key(9)]):
        assert (leases(tmp_path).processes, leases(tmp_path).covers(first), leases(tmp_path).covers(second)) == (1, True, False)
        assert [one.key for one in forecast(survey(tmp_path), leases(tmp_path)).in_use] == [first]
        found = trim(tmp_path, survey(tmp_path))
        assert ([one.key for one in found.in_use], [one.key for one in found.removed]) == ([first], [second])
        fill(tmp_path, 100, 200)
        # What the run makes for itself is its own as well.
        Cache(tmp_path).get_or_make(key(9), lambda out: (out / "v").write_text("v"))
        trim(tmp_path, survey(tmp_path))
        assert there(tmp_path) == {first, key(9)}
    assert leases(tmp_path).processes == 0
    trim(tmp_path, survey(tmp_path))
    assert there(tmp_path) == set()


def test_using_a_value_is_noted_and_changes_no_file_of_it(tmp_path: Path) -> None:
    first, second = fill(tmp_path, 100, 200)
    for name in (first, second):
        os.utime(tmp_path / "values" / name[:2] / name, (1000, 1000))
        os.utime(tmp_path / "values" / name[:2] / name / "manifest.json", (1000, 1000))
    before = [path.stat().st_mtime_ns for path in (tmp_path / "values").rglob("*") if path.is_file()]
    with in_use(tmp_path, [first]):
        pass
    used = {one.key: one.used for one in survey(tmp_path)}
    assert used[second] == 1000
    assert abs(used[first] - time.time()) < 60
    assert [path.stat().st_mtime_ns for path in (tmp_path / "values").rglob("*") if path.is_file()] == before
    assert Cache(tmp_path).get(first) is not None


HOLDER = """
import sys, time
from pathlib import Path
from faultbench.matrix.leases import in_use
with in_use(Path(sys.argv[1]), sys.argv[2:]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_dead_process_has_nothing_in_use(tmp_path: Path) -> None:
    (name,) = fill(tmp_path, 100)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path), name], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert trim(tmp_path, survey(tmp_path)).removed == ()
    holder.kill()
    holder.communicate()
    assert leases(tmp_path).processes == 0
    assert len(trim(tmp_path, survey(tmp_path)).removed) == 1
    assert {path.name for path in (tmp_path / "leases").iterdir()} == {"gate.lock"}, "what it left is thrown away"


def test_a_lease_that_cannot_be_read_may_be_on_anything(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    with in_use(tmp_path, [key(7)]):
        (said,) = (tmp_path / "leases").glob("*.json")
        said.write_text("{")
        found = trim(tmp_path, survey(tmp_path))
    assert (found.removed, len(found.in_use)) == ((), 1)


def test_a_value_that_somebody_is_making_stays(tmp_path: Path) -> None:
    (name,) = fill(tmp_path, 100)
    with Cache(tmp_path)._lock(name).acquire():
        found = trim(tmp_path, survey(tmp_path))
    assert (found.removed, [one.key for one in found.in_use]) == ((), [name])


def test_no_lease_is_taken_between_the_look_at_leases_and_the_removal(tmp_path: Path) -> None:
    (name,) = fill(tmp_path, 100)
    with gate(tmp_path):
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path), name], stdout=subprocess.PIPE)
        time.sleep(0.5)
        assert leases(tmp_path).processes == 0, "it waits at the gate"
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.communicate()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
def test_a_cache_that_can_only_be_read_is_used_without_a_lease_and_not_trimmed(tmp_path: Path) -> None:
    (name,) = fill(tmp_path / "cache", 100)
    for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        above.chmod(0o755)
    for folder in [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]:
        if folder.is_dir():
            folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with in_use(tmp_path / "cache", [name]):
            assert Cache(tmp_path / "cache").get(name) is not None
        with pytest.raises(UsageError, match="cannot be written"):
            trim(tmp_path / "cache", survey(tmp_path / "cache"))
    finally:
        if root:
            os.seteuid(0)
        for folder in [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]:
            if folder.is_dir():
                folder.chmod(0o755)


RUN = (
    "run",
    "-d",
    "plant",
    "-s",
    "new-device:window=64",
    "--ways",
    "4",
    "--shots",
    "2",
    "--queries",
    "3",
    "--episodes",
    "4",
    "--seeds",
    "2",
)
WITHOUT_LEASES = "import contextlib\nfrom faultbench.matrix import running\nrunning.in_use = lambda root, keys: contextlib.nullcontext()"
START = "import sys; from faultbench.cli import main; sys.exit(main())"


def run_while_trimming(site, words: tuple[str, ...], before: str = "") -> tuple[int, str, str, set[str]]:
    """Exit code, output and messages of a run during which all that is not in use is trimmed over and over, and what went meanwhile.

    What goes after the run has given its lease back, while it still prints, is not counted.
    """
    trimmed: set[str] = set()
    rounds = 0
    with subprocess.Popen(
        [sys.executable, "-c", f"{before}\n{START}", *words],
        cwd=site.folder,
        env={**os.environ, **site.environment},
        stdout=subprocess.PIPE,
        stderr=(site.folder / "said").open("w"),
        text=True,
    ) as process:
        while process.poll() is None:
            removed = {one.key for one in trim(site.cache, survey(site.cache)).removed}
            if leases(site.cache).processes:
                trimmed |= removed
                rounds += 1
            time.sleep(0.02)
        assert process.stdout is not None
        printed = process.stdout.read()
    assert rounds or before, "the run was long enough to be trimmed under"
    return process.returncode, printed, (site.folder / "said").read_text(), trimmed


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_goes_on_survives_trimming(site, jobs: str) -> None:
    fill(site.cache, 100, 200)
    words = (*RUN, "-l", "toy,toy:mood=random", "-c", "none,shrink", "--jobs", jobs, "--json", "-")
    code, printed, said, trimmed = run_while_trimming(site, words)
    assert code == 0, said
    assert all(row["accuracy"] for row in json.loads(printed)["rows"])
    assert trimmed <= {key(1), key(2)}, "nothing of the run's"


def test_without_a_lease_the_same_run_breaks(site) -> None:
    """The fault that leases guard against is real."""
    code, _, said, _ = run_while_trimming(site, (*RUN, "-l", "toy", "--jobs", "1"), before=WITHOUT_LEASES)
    assert code != 0
    assert "error" in said or "cache" in said


def test_the_command_says_what_is_there_and_what_would_go(site) -> None:
    _, larger = fill(site.cache, 100_000, 200_000)
    for place in ("", "manifest.json"):
        os.utime(site.cache / "values" / larger[:2] / larger / place, (time.time() - DAY, time.time() - DAY))
    told = json.loads(site.command("cache", "info", "--json", "-").stdout)
    assert (told["path"], told["values"], told["kinds"][0]["kind"]) == (str(site.cache), 2, "train")
    assert 300_000 < told["bytes"] < 310_000
    assert told["trim"] == {"7d": 0, "30d": 0, "90d": 0}
    shown = site.command("cache", "info").stdout
    assert str(site.cache) in shown.replace("\n", "")
    assert "train" in shown
    would = site.command("cache", "trim", "--to", "250k", "--dry-run")
    assert would.stdout.startswith("would free 200 kB of 301 kB: 1 of 2 values")
    assert len(there(site.cache)) == 2
    assert site.command("cache", "trim", "--to", "250k").stdout.startswith("freed 200 kB of 301 kB: 1 of 2 values")
    assert len(there(site.cache)) == 1
    assert site.command("cache", "trim", "--older", "2d").stdout.startswith("freed 0 B")
    with in_use(site.cache, there(site.cache)):
        busy = site.command("cache", "trim", "--to", "0")
        assert "1 values (100 kB) are in use and stay" in busy.stdout
        assert "warning: the rest of that is in use" in busy.stderr
        assert "1 running process may use 1 of them" in " ".join(site.command("cache", "info").stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "trim what? Give --older, --to or --kind"),
        (("--older", "soon"), "'soon' is no duration: write a number and m, h, d or w"),
        (("--to", "small"), "'small' is no size"),
        (("--kind", "trian"), "the cache holds nothing of kind 'trian': did you mean train?"),
    ],
)
def test_a_trim_that_is_not_clear_removes_nothing(site, words: tuple[str, ...], said: str) -> None:
    fill(site.cache, 100)
    done = site.command("cache", "trim", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(there(site.cache)) == 1


def test_an_empty_cache_is_no_error_and_is_not_made(site) -> None:
    done = site.command("cache", "info")
    assert done.returncode == 0
    assert "0 B in 0 values" in " ".join(done.stdout.split())
    assert site.command("cache", "trim", "--to", "0").stdout.startswith("freed 0 B of 0 B")
    assert not site.cache.exists()
