"""Signals as they are written: they begin to go to the disk early, and a disk that is full is told."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from faultbench.matrix.signals import save_signal

SIGNAL = np.arange(100_000, dtype=np.float32)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system takes no such wishes")
def test_what_is_all_written_begins_to_go_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "00000.0.npy"
    wishes = []

    def refused(_: int, start: int, length: int, wish: int) -> None:
        wishes.append((start, length, wish))
        np.testing.assert_array_equal(np.load(path), SIGNAL)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "posix_fadvise", refused)
    save_signal(SIGNAL, path)
    assert wishes == [(0, 0, os.POSIX_FADV_DONTNEED)]
    np.testing.assert_array_equal(np.load(path), SIGNAL)


def test_a_signal_is_written_where_the_system_takes_no_wishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    save_signal(SIGNAL, tmp_path / "00000.0.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "00000.0.npy"), SIGNAL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
@pytest.mark.parametrize("samples", [10, 100_000])
def test_a_full_disk_is_told(samples: int) -> None:
    with pytest.raises(OSError, match=r"No space left|requested and \d+ written"):
        save_signal(SIGNAL[:samples], Path("/dev/full"))
