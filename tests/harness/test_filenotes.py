"""What is noted of files: once, again where a file changed, and lost without harm."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from faultbench.data import filenotes
from faultbench.data.filenotes import noted
from faultbench.errors import DataError, UsageError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{n}.csv" for n in range(200)]
    for n, path in enumerate(paths):
        path.write_text(str(n))
    return paths


class Reader:
    """Notes the number in a file, and remembers whom it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, path: Path) -> dict[str, int]:
        self.asked.append(path.name)
        return {"said": int(path.read_text())}


def test_a_file_is_read_once(files: list[Path]) -> None:
    reader = Reader()
    first = noted("plant", "1", files, reader)
    assert [note["said"] for note in first] == list(range(200))
    assert noted("plant", "1", files[::-1], reader) == first[::-1]
    assert len(reader.asked) == 200


def test_a_changed_file_a_new_one_and_another_version_are_read_again(files: list[Path]) -> None:
    noted("plant", "1", files[:5], Reader())
    os.utime(files[2], ns=(1, 1))
    reader = Reader()
    noted("plant", "1", files[:6], reader)
    assert sorted(reader.asked) == ["2.csv", "5.csv"]
    again = Reader()
    noted("plant", "2", files[:6], again)
    assert len(again.asked) == 6


@pytest.mark.skipif(os.name != "posix", reason="who sets the time of writing back is noticed by the time of change")
def test_changed_content_is_read_again_though_size_and_time_of_writing_are_what_they_were(files: list[Path]) -> None:
    for said in range(1, 9):
        before = files[1].stat()
        files[1].write_text(str(said))
        os.utime(files[1], ns=(before.st_atime_ns, before.st_mtime_ns))
        assert noted("plant", "1", files[:3], Reader())[1] == {"said": said}


def test_of_several_failures_the_first_in_order_is_told(files: list[Path]) -> None:
    for n in (3, 4, 5):
        files[n].write_text(f"no number: {n}")
    for _ in range(20):
        with pytest.raises(ValueError, match="no number: 3"):
            noted("plant", "1", files[3:], Reader())


def test_what_was_noted_before_a_failure_is_kept(files: list[Path]) -> None:
    files[150].write_text("not a number")
    with pytest.raises(ValueError, match="not a number"):
        noted("plant", "1", files, Reader())
    files[150].write_text("150")
    reader = Reader()
    noted("plant", "1", files, reader)
    assert "150.csv" in reader.asked
    assert min(int(name.removesuffix(".csv")) for name in reader.asked) > 140, "no more than was being read when it failed"


def test_what_finishing_has_to_wait_for_does_not_hold_up_what_begins(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filenotes, "_AHEAD", 50)
    monkeypatch.setattr(filenotes, "_AHEAD_S", 600.0)
    ready = threading.Event()
    begun: list[int] = []
    most = 0

    def begin(path: Path) -> int:
        nonlocal most
        begun.append(int(path.read_text()))
        most = max(most, len(begun) - len(finished))
        if len(begun) == 50:
            ready.set()
        return begun[-1]

    finished: list[int] = []

    def finish(said: int) -> dict[str, int]:
        assert ready.wait(60), "as many as may be begun are begun while the first waits to be finished"
        finished.append(said)
        return {"said": 2 * said}

    assert [note["said"] for note in noted("plant", "1", files, begin, finish=finish)] == [2 * n for n in range(200)]
    assert most <= 50 + filenotes._THREADS
    assert noted("plant", "1", files[:3], begin, finish=finish) == [{"said": 0}, {"said": 2}, {"said": 4}]
    assert len(begun) == len(finished) == 200


def test_of_files_that_take_long_few_are_begun_ahead(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed pass would lose what was begun and not finished."""
    monkeypatch.setattr(filenotes, "_AHEAD_S", -1.0)  # each has taken long enough
    begun: list[str] = []
    finished: list[str] = []
    most = 0

    def begin(path: Path) -> str:
        nonlocal most
        begun.append(path.name)
        most = max(most, len(begun) - len(finished))
        return path.name

    def finish(said: str) -> str:
        finished.append(said)
        return said

    assert noted("plant", "1", files, begin, finish=finish) == [file.name for file in files]
    assert most <= 2 * filenotes._THREADS


@pytest.mark.parametrize("phase", ["begin", "finish"])
def test_what_comes_before_a_failure_is_finished_and_kept(files: list[Path], phase: str) -> None:
    begun: list[int] = []
    finished: list[int] = []
    fails = {phase: 150}

    def begin(path: Path) -> int:
        number = int(path.read_text())
        if fails.get("begin") == number:
            raise ValueError("it cannot be begun")
        begun.append(number)
        return number

    def finish(number: int) -> int:
        if fails.get("finish") == number:
            raise ValueError("it cannot be finished")
        if number > 150:
            time.sleep(0.01)  # half a second for all of them, within which the failure is noticed
        finished.append(number)
        return number

    with pytest.raises(ValueError, match=f"it cannot be {'begun' if phase == 'begin' else 'finished'}"):
        noted("plant", "1", files, begin, finish=finish)
    assert len(finished) < 190
    fails.clear()
    begun.clear()
    assert noted("plant", "1", files, begin, finish=finish) == list(range(200))
    assert 150 in begun
    assert min(begun) > 140


def test_an_interruption_does_not_wait_until_all_that_was_begun_is_finished(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    all_begun, goes_on = threading.Event(), threading.Event()
    begun: list[str] = []
    finished: list[str] = []

    def begin(path: Path) -> str:
        begun.append(path.name)
        if len(begun) == 100:
            all_begun.set()
        return path.name

    def finish(said: str) -> str:
        assert goes_on.wait(60)
        finished.append(said)
        return said

    def interrupted(*_: object, **__: object) -> None:
        assert all_begun.wait(60)
        threading.Timer(1.0, goes_on.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(filenotes, "_AHEAD_S", 600.0)
    monkeypatch.setattr(filenotes, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        noted("plant", "1", files[:100], begin, finish=finish)
    assert len(finished) <= filenotes._THREADS


def test_notes_that_are_finished_are_made_where_none_can_be_kept_too(files: list[Path], cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert noted("plant", "1", files[:3], Path.read_text, finish=int, cheap=True) == [0, 1, 2]


def test_damaged_notes_are_made_again(files: list[Path], cache: Path) -> None:
    noted("plant", "1", files[:3], Reader())
    (cache / "notes" / "plant.sqlite").write_bytes(b"no database" * 1000)
    reader = Reader()
    assert [note["said"] for note in noted("plant", "1", files[:3], reader)] == [0, 1, 2]
    assert len(reader.asked) == 3


def test_a_file_that_is_not_there_is_one_line(files: list[Path]) -> None:
    files[1].unlink()
    with pytest.raises(DataError, match=r"1\.csv cannot be read, No such file or directory: check the path"):
        noted("plant", "1", files, Reader())


def test_a_cache_that_cannot_be_written_is_one_line(files: list[Path], cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=r"plant\.sqlite cannot be written \((File exists|Not a directory)\): set FAULTBENCH_CACHE"):
        noted("plant", "1", files, Reader())


def test_notes_that_are_cheap_are_made_again_where_none_can_be_kept(files: list[Path], cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    reader = Reader()
    for _ in range(2):
        assert [note["said"] for note in noted("plant", "1", files[:3], reader, cheap=True)] == [0, 1, 2]
    assert len(reader.asked) == 6


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_notes_that_may_only_be_read_are_one_line(files: list[Path], cache: Path) -> None:
    noted("plant", "1", files[:3], Reader())
    (cache / "notes" / "plant.sqlite").chmod(0o444)
    (cache / "notes").chmod(0o555)
    try:
        assert len(noted("plant", "1", files[:3], Reader())) == 3
        with pytest.raises(UsageError, match=r"cannot be written .*: set FAULTBENCH_CACHE"):
            noted("plant", "1", files, Reader())
    finally:
        (cache / "notes").chmod(0o755)
