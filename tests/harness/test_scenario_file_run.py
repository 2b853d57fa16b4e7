"""Scenarios in files and published splits, as a user runs them, on the made-up plant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from faultbench.data.published import parse_document, read_file
from faultbench.errors import DataError, UsageError
from faultbench.matrix.execute import execute
from faultbench.matrix.settings import read_matrix
from faultbench.names import is_file
from faultbench.registry import Registry

OWN = """
name = "far-teaches-near"
level = "T2"
window = 64
[target]
include = [{machine = "near"}]
[source]
include = [{machine = "far"}]
exclude = [{element = "outer"}]
"""
SHORT = ("--ways", "3", "--shots", "2", "--queries", "3", "--episodes", "4")


@pytest.fixture
def file(site: Any) -> Path:
    path: Path = site.folder / "mine.toml"
    path.write_text(OWN)
    return path


def keys(site: Any, kind: str, **said: Any) -> set[str]:
    return {stage.key for stage in site.plan(seeds=1, **said).stages if stage.name == kind}


def test_a_file_is_a_scenario_like_any_other_and_its_row_says_its_digest(site: Any, file: Path) -> None:
    rows, _ = site.run(scenarios=(str(file), "new-device:window=64"), seeds=1)
    assert [row["error"] for row in rows] == [None, None]
    cell = rows[0]["cell"]
    assert (cell["scenario"], cell["level"], cell["window"]) == (str(file), "T2", 64)
    assert len(cell["scenario_digest"]) == 64
    assert rows[1]["cell"]["scenario_digest"] is None


def test_the_two_ways_to_name_a_file_are_one(file: Path) -> None:
    registry = Registry.discover(plugins=False)
    short, long = (registry.choose("scenarios", text) for text in (str(file), f"file:path={file}"))
    assert (short.spelling, short.params) == (long.spelling, long.params) == (str(file), {"path": str(file)})
    with pytest.raises(UsageError, match="file needs path"):
        registry.choose("scenarios", "file")
    with pytest.raises(UsageError, match="is not a name"):
        registry.choose("learners", "mine.toml")
    assert not is_file("unseen-bearing:target=x.toml")


def test_an_edited_file_makes_new_stages_and_an_edited_remark_too(site: Any, file: Path) -> None:
    def all_keys() -> tuple[frozenset[str], ...]:
        return tuple(frozenset(keys(site, kind, scenarios=(str(file),))) for kind in ("split", "episodes", "train", "judge"))

    first = all_keys()
    assert all_keys() == first
    file.write_text(OWN.replace("outer", "ball"))
    second = all_keys()
    assert all(a.isdisjoint(b) for a, b in zip(first, second, strict=True))
    file.write_text(OWN)
    assert all_keys() == first


def test_a_file_that_is_edited_during_a_run_is_an_error(site: Any, file: Path) -> None:
    planned = site.plan(scenarios=(str(file),), seeds=1)
    file.write_text(OWN.replace("outer", "ball"))
    with pytest.raises(UsageError, match=r"mine\.toml changed while the run was planned: run again"):
        execute(planned, _Silent(), store=site.store)


class _Silent:
    """Progress that nobody looks at."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_more: None


def test_a_matrix_file_names_scenario_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "matrix.toml").write_text('scenario = ["new-device", "mine.toml", "/elsewhere/x.toml"]')
    assert read_matrix(tmp_path / "matrix.toml") == {"scenarios": ("new-device", str(tmp_path / "mine.toml"), "/elsewhere/x.toml")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "mine.toml cannot be read (No such file or directory): name a scenario file (TOML)"),
        ("name = 3", "one of extends, split and level is needed"),
        (OWN.replace("near", "nearer"), "no recording has machine 'nearer': nearest are 'near'"),
        ('name = "x"\nsplit = "away.json.gz"', "away.json.gz cannot be read"),
    ],
    ids=["missing", "no kind", "no such machine", "no split"],
)
def test_what_cannot_be_done_is_one_line(text: str | None, said: str, site: Any, file: Path) -> None:
    file.unlink()
    if text is not None:
        file.write_text(text)
    done = site.command("run", "-d", "plant:mood=measured", "-s", "mine.toml", "-l", "toy", *SHORT)
    assert (done.returncode, done.stdout) == (2, "")
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said in error
    assert "Traceback" not in done.stderr


def published(site: Any, *words: str) -> Any:
    return site.command("data", "split", "-d", "plant", *SHORT, *words)


def test_splits_are_published_and_run_again_to_the_same_figures(site: Any) -> None:
    done = published(site, "-s", "new-device:window=64", "--seeds", "2", "-o", "out/deep")
    assert done.returncode == 0, done.stderr
    names = ["plant.new-device-window=64.0.json.gz", "plant.new-device-window=64.1.json.gz"]
    assert [path.name for path in sorted((site.folder / "out" / "deep").iterdir())] == names
    documents = [parse_document(read_file(site.folder / "out" / "deep" / name), Path(name)) for name in names]
    assert [line.rpartition(" ")[2] for line in done.stdout.splitlines()] == [said["digest"] for said in documents]
    assert [(said["seed"], len(said["episodes"])) for said in documents] == [(0, 4), (1, 4)]

    (site.folder / "theirs.toml").write_text(f'name = "theirs"\nsplit = {json.dumps([f"out/deep/{name}" for name in names])}')
    both = (str(site.folder / "theirs.toml"), "new-device:window=64")
    (theirs, ours), _ = site.run(scenarios=both, ways=3)
    assert theirs["error"] is None
    for figure in ("accuracy", "recall", "confusion", "bearings"):
        assert theirs[figure] == ours[figure]
    assert theirs["cell"]["target_recordings"] == ours["cell"]["target_recordings"]


def test_asking_for_more_than_a_published_split_holds_is_refused(site: Any) -> None:
    assert published(site, "-s", "new-device:window=64", "--seeds", "1", "-o", ".").returncode == 0
    (site.folder / "theirs.toml").write_text('name = "theirs"\nsplit = "plant.new-device-window=64.0.json.gz"')
    named = str(site.folder / "theirs.toml")
    with pytest.raises(UsageError, match="names 1 split file, none for seed 1: give --seeds 1, or name more"):
        site.run(scenarios=(named,), ways=3, seeds=2)
    with pytest.raises(DataError, match="it holds 4 episodes, 5 are asked for: give --episodes 4 or fewer"):
        site.run(scenarios=(named,), ways=3, seeds=1, episodes=5)
    with pytest.raises(DataError, match="its episodes have shots 2, not 3: give --shots 2"):
        site.run(scenarios=(named,), ways=3, seeds=1, shots=3)
    (row,), _ = site.run(scenarios=(named,), ways=0, seeds=1, episodes=2)
    assert (row["cell"]["ways"], row["cell"]["episodes"]) == (3, 2)


def test_what_a_scenario_refuses_is_said_and_the_rest_is_written(site: Any) -> None:
    done = published(site, "-s", "session:window=64,unseen-bearing:window=64", "--seeds", "1", "-o", "out")
    assert done.returncode == 2
    assert [path.name for path in (site.folder / "out").iterdir()] == ["plant.unseen-bearing-window=64.0.json.gz"]
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "near was measured at 2 loads at most" in error


def test_a_leaky_scenario_is_not_published(site: Any) -> None:
    done = published(site, "-s", "leaky", "--seeds", "1", "-o", "out")
    assert done.returncode == 2
    assert not list((site.folder / "out").iterdir())
    assert "leaky" in done.stderr or "breaks its level T2" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_line(site: Any) -> None:
    (site.folder / "file").write_text("")
    done = published(site, "-s", "new-device:window=64", "--seeds", "1", "-o", "file/out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("error: file/out cannot be written (")


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(site: Any) -> None:
    """Planted: the disk fills up when the second file is flushed."""
    before = """
import errno, os, types
import faultbench.data.published as published
flush, calls = os.fsync, []
def fsync(file):
    calls.append(file)
    if len(calls) > 1:
        raise OSError(errno.ENOSPC, "No space left on device")
    flush(file)
published.os = types.SimpleNamespace(fsync=fsync)
"""
    words = ("data", "split", "-d", "plant", *SHORT, "-s", "new-device:window=64", "--seeds", "2", "-o", "out")
    done = site.command(*words, before=before)
    assert done.returncode == 2
    assert "cannot be written (No space left on device)" in done.stderr.splitlines()[-1]
    (kept,) = (site.folder / "out").iterdir()
    assert len(parse_document(read_file(kept), kept)["episodes"]) == 4


def test_two_splits_of_one_file_name_are_refused(site: Any) -> None:
    for folder in ("a", "b"):
        (site.folder / folder).mkdir()
        (site.folder / folder / "x.toml").write_text(OWN)
    done = published(site, "-s", "a/x.toml,b/x.toml", "--seeds", "1", "-o", "out")
    assert done.returncode == 2
    assert "two splits would be written to plant.x.0.json.gz" in done.stderr
