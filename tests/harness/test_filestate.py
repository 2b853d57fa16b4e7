"""The state of a file: every change shows in it, whatever the clock."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from faultbench.data.filestate import TICK_NS, FileState, file_state, settled_state

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the time of change is POSIX's")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"0")
    return path


def put(path: Path, content: bytes) -> None:
    """Writes as many bytes as there were and sets the time back."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_change_right_behind_a_settled_state_shows(path: Path) -> None:
    for turn in range(30):
        before = settled_state(path)
        put(path, b"%d" % (turn % 10))
        assert file_state(path) != before


def test_an_untouched_file_keeps_its_state(path: Path) -> None:
    before = settled_state(path)
    path.read_bytes()
    assert settled_state(path) == before


def test_another_file_of_the_name_shows(path: Path) -> None:
    before = settled_state(path)
    other = path.with_name("other")
    other.write_bytes(b"1")
    os.utime(other, ns=(before.mtime_ns, before.mtime_ns))
    other.rename(path)
    assert file_state(path).inode != before.inode


def test_a_file_that_was_just_changed_is_waited_for_and_an_old_one_is_not() -> None:
    now = time.time_ns()
    assert 0 < FileState(1, 0, now + 1 - now % 2, 1).unsettled_ns <= TICK_NS
    assert FileState(1, 0, now - TICK_NS - 1, 1).unsettled_ns == 0
    assert FileState(1, 0, now + 3600 * 10**9, 1).unsettled_ns == 0, "the clock of a server that is ahead"


def test_a_clock_of_whole_seconds_is_waited_for_longer() -> None:
    now = time.time_ns()
    assert FileState(1, 0, now - now % 10**9, 1).unsettled_ns > TICK_NS
