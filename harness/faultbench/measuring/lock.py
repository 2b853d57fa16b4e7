"""The lock that keeps two measurements of one machine from running at once, whoever started them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from faultbench.errors import CellError

_EVERYBODY = 0o666
"""Users share the lock, so each must be able to open its file."""


def lock_path() -> Path:
    """Where the lock of this machine is: a place that all its users share, unlike the temporary folder of one of them."""
    shared = Path(os.environ.get("PROGRAMDATA", tempfile.gettempdir())) if os.name == "nt" else Path("/tmp")  # noqa: S108 - never read
    return shared / "faultbench-measuring.lock"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def machine_lock(path: Path | None = None, say: Callable[[str], None] = _say) -> Iterator[None]:
    """Holds the machine for a measurement. Reentrant within a thread; waits for others as long as it takes.

    Args:
        path: Another lock than the machine's.
        say: Told in one line, once, if it has to wait.

    Raises:
        CellError: The lock's file cannot be opened.
    """
    path = path or lock_path()
    try:
        lock = FileLock(path, mode=_EVERYBODY, is_singleton=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"another measurement holds this machine ({path}): waiting for it to end")
            lock.acquire(poll_interval=0.2)
    except OSError as error:
        raise CellError(f"cannot lock {path} ({error.strerror}): make it writable for everybody who measures on this machine") from error
    try:
        yield
    finally:
        lock.release()
