"""Results that are damaged, foreign or in use, end to end: one error line, exit code 2, nothing on stdout, and nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest

from faultbench.errors import CellError
from faultbench.report.document import document, json_text
from faultbench.results.store import FILE_NAME, open_store

RUN = ("run", "-d", "plant", "-s", "new-device:window=64", "-l", "toy", "--ways", "4", "--shots", "2", "--queries", "3")
SMALL = (*RUN, "--episodes", "2", "--seeds", "1")
READERS = [("show", "{}"), ("explain", "{}"), ("compare", "{}", "good.json"), ("compare", "good.json", "{}")]
STORE_READERS = [("show",), ("explain",), ("results", "list"), ("results", "export", "--json", "x.json"), ("compare", "good.json", "last")]


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The error line, which stands alone."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def good(site, rows):
    """A result as a file, in the folder where commands run."""
    text = json_text(document([rows.judged()], ["faultbench", "run"]))
    (site.folder / "good.json").write_text(text)
    return text


@pytest.mark.parametrize("words", READERS)
def test_a_result_of_another_schema_version_is_refused(site, good, words):
    (site.folder / "bad.json").write_text(json.dumps({**json.loads(good), "schema": 2}))
    line = refusal(site.command(*(word.format("bad.json") for word in words)))
    assert "bad.json is of schema 2, this faultbench reads 1" in line


@pytest.mark.parametrize("words", READERS)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_truncated_result_is_refused(site, good, words, kept):
    (site.folder / "bad.json").write_text(good[: int(len(good) * kept)])
    assert "bad.json is no JSON" in refusal(site.command(*(word.format("bad.json") for word in words)))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("acuracy.diff<0", "did you mean accuracy"),
        ("speed.ratio>1.2", "speed"),
        ("latency_ms.p98.ratio>1.2", "p98"),
        ("accuracy.diff<", "fail-on, column 15"),
    ],
)
def test_an_unknown_metric_in_fail_on_is_refused_before_anything_is_read(site, condition, said):
    """Neither file is there: the option is wrong whatever they hold."""
    assert said in refusal(site.command("compare", "no.json", "none.json", "--fail-on", condition))


@pytest.fixture
def store(site, rows):
    """A store with one run."""
    with open_store(site.store) as opened:
        run = opened.begin(["faultbench", "run"])
        opened.add(run, rows.judged())
        opened.finish(run)
    assert site.store.name == FILE_NAME
    return site.store


def corrupt(path):
    path.write_bytes(b"SQLite format 3\0" + b"\xaa" * 8000)


def foreign(path):
    path.write_text("no database, but somebody's notes\n" * 100)


def of_a_later_version(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize("words", STORE_READERS)
@pytest.mark.parametrize(
    ("spoil", "said"), [(corrupt, "damaged, or no store"), (foreign, "damaged, or no store"), (of_a_later_version, "version")]
)
def test_a_store_that_cannot_be_read_is_refused_and_left_alone(site, good, store, words, spoil, said):
    spoil(store)
    before = store.read_bytes()
    assert said in refusal(site.command(*words))
    assert store.read_bytes() == before
    assert not (site.folder / "x.json").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as POSIX has them")
@pytest.mark.parametrize("words", [*STORE_READERS, ("results", "rm", "1", "--yes"), SMALL])
@pytest.mark.parametrize(("put", "what"), [(os.mkdir, "a folder"), (getattr(os, "mkfifo", None), "a pipe")])
def test_what_is_no_file_in_the_stores_place_is_refused_alike_by_every_command(site, good, words, put, what):
    put(site.store)
    done = site.command(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    line = f"error: {site.store} is {what}, no file: move it away, or set FAULTBENCH_RESULTS to another folder"
    assert done.stderr.splitlines()[-1] == line
    assert not (site.folder / "x.json").exists()


@pytest.mark.parametrize("spoil", [corrupt, foreign, of_a_later_version])
def test_a_run_finds_a_bad_store_before_it_trains_anything(site, store, spoil):
    spoil(store)
    before = store.read_bytes()
    done = site.command(*SMALL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "toy" not in done.stderr, "no stage was begun"
    assert store.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="what a path may be on POSIX")
@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("good.json", "Not a directory"),
        ("x" * 300, "File name too long"),
        pytest.param("/proc/nope", "No such file or directory", marks=pytest.mark.skipif(sys.platform != "linux", reason="/proc")),
    ],
)
@pytest.mark.parametrize("words", [("results", "list"), ("show",), ("cache", "info"), ("cache", "trim", "--to", "0")])
def test_a_place_that_is_no_folder_is_refused_and_not_called_empty(site, good, words, folder, reason):
    variable = "FAULTBENCH_CACHE" if words[0] == "cache" else "FAULTBENCH_RESULTS"
    line = refusal(site.command(*words, **{variable: folder}))
    assert f"cannot be used ({reason}): set {variable} to another folder" in line


def test_a_folder_that_is_not_there_yet_holds_nothing_and_is_not_made(site):
    done = site.command("results", "list", FAULTBENCH_RESULTS="to-come")
    assert (done.returncode, done.stdout) == (0, "no runs are kept that fit\n")
    assert not (site.folder / "to-come").exists()


def test_who_waits_for_a_store_says_so_after_a_while(store, locked, monkeypatch, capsys):
    monkeypatch.setattr("faultbench.results.store.BUSY_S", 1.0)
    monkeypatch.setattr("faultbench.results.store.SILENT_S", 0.05)
    with pytest.raises(CellError, match="is locked by another process"), open_store(locked):
        pass
    assert capsys.readouterr().err == f"waiting for {locked}, which another process is writing, at most 1 s\n"


def test_who_need_not_wait_for_a_store_says_nothing(store, capfd):
    with open_store(store):
        pass
    assert capfd.readouterr().err == ""


HURRIED = "from faultbench.results import store; store.BUSY_S = 0.05"


@pytest.fixture
def locked(store):
    """The store while another process writes to it and does not end."""
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    yield store
    holder.execute("ROLLBACK")
    holder.close()


@pytest.mark.parametrize("words", [("results", "rm", "1", "--yes"), SMALL])
def test_a_locked_store_is_one_line_for_who_wants_to_write(site, locked, words):
    done = site.command(*words, before=HURRIED)
    assert done.returncode in (2, 4)
    assert "locked" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("show",), ("results", "list")])
def test_a_locked_store_can_be_read(site, locked, words):
    """A run that writes keeps nobody from looking: the store is a write-ahead log."""
    assert site.command(*words, before=HURRIED).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="gives up the capabilities of root, whom permissions do not bind")
def test_a_read_only_store_can_be_shown_and_is_refused_by_a_run(site, store):
    unprivileged = "import ctypes; ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())"
    files = [store, *store.parent.glob(f"{FILE_NAME}-*"), *store.parent.glob(f"{FILE_NAME}.lock")]
    for file in files:
        file.chmod(0o444)
    store.parent.chmod(0o555)
    try:
        shown = site.command("show", before=unprivileged)
        refused = site.command(*SMALL, before=unprivileged, FAULTBENCH_CACHE=str(site.folder.parent / "cache"))
    finally:
        store.parent.chmod(0o755)
    assert shown.returncode == 0, shown.stderr
    assert "maml" in shown.stdout
    assert refused.returncode == 2
    assert "cannot" in refused.stderr.splitlines()[-1]


def test_two_runs_at_once_on_one_store_lose_nothing(site):
    def begun(shots):
        command = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())", *RUN]
        words = ["--episodes", "2", "--seeds", "1", "--shots", str(shots), "--json", f"{shots}.json"]
        environment = {**os.environ, **site.environment}
        return subprocess.Popen(
            [*command, *words], cwd=site.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    both = [begun(shots) for shots in (1, 2)]
    said = [process.communicate(timeout=250) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    with open_store(site.store) as opened:
        kept = {run.id: opened.rows(run.id) for run in opened.runs()}
    assert [len(rows) for rows in kept.values()] == [1, 1]
    written = {json.loads((site.folder / f"{shots}.json").read_text())["rows"][0]["digest"] for shots in (1, 2)}
    assert {rows[0]["digest"] for rows in kept.values()} == written
    assert site.command("results", "list").stdout.count("finished") == 2


PRINTS = """
import made_up_parts, os, sys
fit = made_up_parts.Toy.fit
def noisy(self, *words, **more):
    print("printed by a plugin")
    sys.stdout.write("written by a plugin")
    return fit(self, *words, **more)
made_up_parts.Toy.fit = noisy
"""


def test_a_plugin_that_prints_while_it_works_does_not_reach_stdout(site):
    done = site.command(*SMALL, "--jobs", "1", "--json", "-", before=PRINTS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"][0]["cell"]["learner"] == "toy"
    assert "printed by a plugin" in done.stderr
