"""The store: durable, shared by processes, and plain about what is wrong with a file."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from faultbench.errors import CellError, UsageError
from faultbench.results import store
from faultbench.results.store import FILE_NAME, open_store, read_store, store_path

CELL = {"dataset": "cwru", "scenario": "new-device", "learner": "maml", "compressor": "none", "target": "x86", "target_recordings": "r1"}


def finished(digest: str = "d1", **changed: Any) -> dict[str, Any]:
    row = {"digest": digest, "cell": CELL, "accuracy": {"mean": 0.9}, "error": None, "verdict": {"overall": "pass"}, "looks": None}
    return row | changed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / FILE_NAME


def test_what_was_added_is_there_when_the_store_is_opened_again(path: Path) -> None:
    with open_store(path) as opened:
        run = opened.begin(["faultbench", "run"], machine="gateway")
        kept = opened.add(run, finished())
        opened.add(run, finished("d2", accuracy=None, error="out of memory", verdict={"overall": "error"}))
        opened.finish(run)
    with open_store(path) as opened:
        rows, (known,) = opened.rows(run), opened.runs()
    assert rows[0] == kept
    assert [row["error"] for row in rows] == [None, "out of memory"]
    assert (known.command, known.machine, known.protocol) == (("faultbench", "run"), "gateway", 1)
    assert known.finished is not None


def test_a_row_added_again_is_replaced_where_it_was(path: Path) -> None:
    with open_store(path) as opened:
        run = opened.begin([])
        for row in (finished("a"), finished("b"), finished("a", differences={"cnn": 0.1})):
            opened.add(run, row)
        assert [(row["digest"], row.get("differences")) for row in opened.rows(run)] == [("a", {"cnn": 0.1}), ("b", None)]


def test_rows_stand_in_the_order_of_the_matrix_whatever_the_order_in_which_they_finished(path: Path) -> None:
    with open_store(path) as opened:
        run = opened.begin([])
        for digest, place in (("c", 2), ("x", None), ("a", 0), ("b", 1)):
            opened.add(run, finished(digest), place)
        opened.add(run, finished("a", differences={"cnn": 0.1}))
        assert [row["digest"] for row in opened.rows(run)] == ["a", "b", "c", "x"]


def test_a_store_of_before_rows_had_places_is_read_as_it_is_and_written_on(path: Path) -> None:
    with open_store(path) as opened:
        before = opened.begin(["before"])
        for digest in ("b", "a"):
            opened.add(before, finished(digest))
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE rows DROP COLUMN place")
    old.close()
    with read_store(path) as reading:
        assert reading is not None
        assert [row["digest"] for row in reading.rows(before)] == ["b", "a"]
    with open_store(path) as opened:
        after = opened.begin(["after"])
        for digest, place in (("d", 1), ("c", 0)):
            opened.add(after, finished(digest), place)
        assert [row["digest"] for row in opened.rows(before)] == ["b", "a"]
        assert [row["digest"] for row in opened.rows(after)] == ["c", "d"]


def test_looks_count_the_different_cells_scored_on_the_same_recordings(path: Path) -> None:
    elsewhere = CELL | {"target_recordings": "r2"}
    with open_store(path) as opened:
        first, second = opened.begin([]), opened.begin([])
        assert opened.add(first, finished("a"))["looks"] == 1
        assert opened.add(first, finished("b"))["looks"] == 2
        # The same cell once more shows nothing new; a cell on other recordings looks elsewhere.
        assert opened.add(second, finished("a"))["looks"] == 2
        assert opened.add(second, finished("c", cell=elsewhere))["looks"] == 1
        assert opened.looks("cwru", "r1") == 2
        # Another scenario on the same recordings looks at the same recordings.
        assert opened.add(second, finished("d", cell=CELL | {"scenario": "new-device:window=1024"}))["looks"] == 3


def test_a_cell_that_was_not_scored_is_no_look(path: Path) -> None:
    with open_store(path) as opened:
        run = opened.begin([])
        assert opened.add(run, finished(accuracy=None, error="broke"))["looks"] is None
        assert opened.add(run, finished("b", cell={k: v for k, v in CELL.items() if k != "target_recordings"}))["looks"] is None
        assert opened.looks("cwru", "r1") == 0


_WRITER = """
import sys, time
from faultbench.results.store import open_store
from pathlib import Path
cell = {"dataset": "d", "scenario": "s", "learner": "l", "compressor": "c", "target": "t", "target_recordings": "r"}
with open_store(Path(sys.argv[1])) as opened:
    run = opened.begin(["writer"])
    for n in range(int(sys.argv[3])):
        digest = f"{sys.argv[2]}{n}"
        opened.add(run, {"digest": digest, "cell": cell, "accuracy": {}, "error": None, "verdict": {"overall": "pass"}, "looks": None})
        print(n, flush=True)
    time.sleep(float(sys.argv[4]))
"""


def writer(path: Path, name: str, rows: int, stay_s: float = 0) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name, str(rows), str(stay_s)], stdout=subprocess.PIPE, text=True)


def test_a_killed_run_leaves_its_finished_cells(path: Path) -> None:
    with writer(path, "k", rows=3, stay_s=60) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    with open_store(path) as opened:
        (run,) = opened.runs()
        assert run.finished is None
        assert [row["digest"] for row in opened.rows(run.id)] == ["k0", "k1", "k2"]


def test_two_processes_write_at_once(path: Path) -> None:
    processes = [writer(path, name, rows=20) for name in ("a", "b")]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    with open_store(path) as opened:
        assert [len(opened.rows(run.id)) for run in opened.runs()] == [20, 20]
        assert opened.looks("d", "r") == 40


def test_a_transaction_that_breaks_leaves_nothing(path: Path) -> None:
    with open_store(path) as opened:
        run = opened.begin([])
        with pytest.raises(CellError):
            opened.add(run + 1, finished())
        assert opened.rows(run + 1) == []
        assert opened.looks("cwru", "r1") == 0
        opened.add(run, finished())


def test_a_store_that_another_process_holds_is_said_to_be_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.05)
    with open_store(path) as opened:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(CellError, match="locked by another process: wait"):
            opened.begin([])
        with pytest.raises(CellError, match="locked by another process: wait"), open_store(path):
            pass
        holder.close()
        opened.begin([])


@contextmanager
def nobody() -> Iterator[None]:
    """As a user without special rights: root writes whatever it likes."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
def test_a_folder_that_cannot_be_written_is_one_line(shared_folder: Path) -> None:
    shared_folder.chmod(0o555)
    with nobody(), pytest.raises(UsageError, match=r"cannot write .*FAULTBENCH_RESULTS") as caught, open_store(shared_folder / FILE_NAME):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
def test_a_file_that_cannot_be_written_is_one_line(shared_folder: Path) -> None:
    path = shared_folder / FILE_NAME
    with open_store(path):
        pass
    shared_folder.chmod(0o777)
    for file in shared_folder.iterdir():
        file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH if file == path else 0o666)
    with nobody(), pytest.raises(UsageError, match=r"cannot write .*readonly"), open_store(path):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
def test_a_store_that_cannot_be_written_can_be_read(shared_folder: Path) -> None:
    path = shared_folder / FILE_NAME
    with open_store(path) as opened:
        opened.add(opened.begin(["kept"]), finished())
    for file in shared_folder.iterdir():
        file.chmod(0o444)
    shared_folder.chmod(0o555)
    before = sorted(shared_folder.iterdir())
    with nobody(), read_store(path) as opened:
        assert opened is not None
        assert [row["digest"] for row in opened.rows(opened.runs()[0].id)] == ["d1"]
    assert sorted(shared_folder.iterdir()) == before


def test_reading_makes_no_store_and_cannot_write(path: Path) -> None:
    with read_store(path) as opened:
        assert opened is None
    assert not path.parent.exists()
    with open_store(path) as opened:
        opened.begin(["kept"])
    with read_store(path) as opened, pytest.raises(UsageError, match="readonly"):
        opened.begin(["more"])


def test_reading_says_of_a_file_that_is_no_store_what_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(UsageError, match="damaged, or no store"), read_store(path):
        pass
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(UsageError, match="another program's database"), read_store(path):
        pass


def test_removing_a_run_takes_its_rows_and_keeps_the_looks(path: Path) -> None:
    with open_store(path) as opened:
        first, second = opened.begin([]), opened.begin([])
        opened.add(first, finished("a"))
        opened.add(second, finished("b"))
        opened.remove([first])
        assert [run.id for run in opened.runs()] == [second]
        assert opened.rows(first) == []
        assert opened.looks("cwru", "r1") == 2


def test_a_run_that_goes_on_is_known_to_other_processes(path: Path) -> None:
    with open_store(path) as opened, open_store(path) as other:
        run = opened.begin([])
        assert not other.is_going_on(run)
        with opened.going_on(run):
            assert other.is_going_on(run)
            with pytest.raises(CellError, match="going on: wait"):
                other.remove([run])
        assert not other.is_going_on(run)
        assert {file.name for file in path.parent.iterdir()} <= {FILE_NAME + end for end in ("", "-wal", "-shm", ".lock")}


def test_a_file_in_the_folders_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(UsageError, match="cannot write"), open_store(tmp_path / "results" / FILE_NAME):
        pass


def test_a_file_that_is_no_database_is_said_to_be_damaged(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(UsageError, match=r"damaged, or no store: .*move it away"), open_store(path):
        pass


def test_a_store_with_damaged_pages_is_said_to_be_damaged(path: Path) -> None:
    with open_store(path) as opened:
        run = opened.begin(["x" * 20000])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(UsageError, match="damaged"), open_store(path) as opened:
        opened.rows(run)


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another program's database"), open_store(path):
        pass
    assert path.read_bytes() == before


def test_a_store_of_another_version_is_left_alone(path: Path) -> None:
    with open_store(path):
        pass
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 7")
    later.close()
    with pytest.raises(UsageError, match="store of version 7, this faultbench writes version 1"), open_store(path):
        pass


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBENCH_RESULTS", str(tmp_path))
    assert store_path() == tmp_path / FILE_NAME
    monkeypatch.delenv("FAULTBENCH_RESULTS")
    assert store_path().name == FILE_NAME
