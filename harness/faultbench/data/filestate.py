"""Whether a file is the one it was, told without reading it.

A system keeps of a file its size, when it was last written (`mtime`), when anything of it was last changed (`ctime`), and its
number on the disk (`inode`). `mtime` can be set to anything by anyone, `ctime` by the system alone. (On Windows `ctime` is
when the file was made; there, who writes a file of the same size and sets its time back is not noticed.)

The clock of `ctime` ticks: what changes a file within the tick of its last change leaves the same time. So a state says
something about the future only when that tick is over (`settled_state`). What changes on a disk beneath the file system, as
when it fails, changes no time and is not told by this.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

TICK_NS = 12_000_000
"""The kernel's clock of files ticks every 10 ms at the slowest."""
_COARSE_NS = 2_000_000_000
"""File systems that keep no fractions of a second (FAT, some of networks) keep every second one at least."""
_SECOND_NS = 1_000_000_000


class FileState(NamedTuple):
    """What a system keeps of a file; times are in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @property
    def unsettled_ns(self) -> int:
        """For how long from now on another change may leave the same time."""
        changed_ns = self.ctime_ns if os.name == "posix" else self.mtime_ns
        tick_ns = TICK_NS if changed_ns % _SECOND_NS else _COARSE_NS
        age_ns = time.time_ns() - changed_ns
        # A time that lies ahead is that of a server whose clock nobody here knows.
        return tick_ns - age_ns if 0 <= age_ns < tick_ns else 0


def file_state(path: Path) -> FileState:
    """The state of a file as it is now.

    Raises:
        OSError: It cannot be had.
    """
    stat = path.stat()
    return FileState(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def settled_state(path: Path) -> FileState:
    """The state of a file, in which every later change will show; a file that was changed just now is waited for.

    Raises:
        OSError: It cannot be had.
    """
    while (state := file_state(path)).unsettled_ns:
        time.sleep(state.unsettled_ns / _SECOND_NS)
    return state
