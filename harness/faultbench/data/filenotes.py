"""What a data set found out about files, kept between runs: a pass over many files is made once, and goes on where it was stopped.

The notes of a data set lie in one SQLite file, `notes/<data set>.sqlite` in the cache's folder. A note belongs to a file's
path, size and time of change, and to the version of the code that wrote it. It can be lost at any time: it is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from faultbench.errors import DataError, UsageError
from faultbench.folders import cache_root

_BATCH = 64
"""Files whose notes are written down together."""
_THREADS = 4
_SAY_EVERY_S = 10.0
"""A pass that takes longer says on stderr how far it is."""
_WAIT_S = 60.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS note (file TEXT PRIMARY KEY, state TEXT NOT NULL, said TEXT NOT NULL)"


def noted(dataset: str, version: str, files: Sequence[Path], note: Callable[[Path], Any]) -> list[Any]:
    """What `note` says of each file, in their order; it is asked only about files that are new or changed.

    Args:
        dataset: Whose notes; a name that can be a file's.
        version: Changes whenever `note` would say something else of the same file.
        files: Regular files.
        note: Reads one file; what it returns is kept as JSON. It is called by several threads, on a file each.

    Raises:
        DataError: A file is not there.
        UsageError: The cache's folder cannot be written.
    """
    states = [_state(file, version) for file in files]
    # `Path.resolve` asks the system about every folder on the way, for every file
    names = [hashlib.sha256(os.fsencode(os.path.abspath(file))).hexdigest() for file in files]  # noqa: PTH100
    with _notes(dataset) as notes:
        known = {name: (state, said) for name, state, said in notes.execute("SELECT file, state, said FROM note")}
        found: dict[int, Any] = {}
        for i, name in enumerate(names):
            state, said = known.get(name, ("", ""))
            if state == states[i]:
                found[i] = json.loads(said)
        new = [i for i in range(len(files)) if i not in found]
        if new:
            with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
                said_at = time.monotonic()
                for at in range(0, len(new), _BATCH):
                    batch = new[at : at + _BATCH]
                    made = dict(zip(batch, pool.map(note, [files[i] for i in batch]), strict=True))
                    _commit(notes, [(names[i], states[i], json.dumps(said, allow_nan=False)) for i, said in made.items()])
                    found |= made
                    if time.monotonic() - said_at > _SAY_EVERY_S:
                        said_at = time.monotonic()
                        print(f"{dataset}: looking through the files, once: {at + len(batch)} of {len(new)}", file=sys.stderr)
    return [found[i] for i in range(len(files))]


def _commit(notes: sqlite3.Connection, lines: Sequence[tuple[str, str, str]]) -> None:
    try:
        with notes:
            notes.executemany("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", lines)
    except sqlite3.OperationalError as error:  # no room, no permission, or another process keeps it locked
        raise UsageError(f"{_folder()} cannot be written ({error}): set FAULTBENCH_CACHE to a folder that can") from error


def _state(file: Path, version: str) -> str:
    try:
        stat = file.stat()
    except OSError as error:
        raise DataError(f"{file} cannot be read, {error.strerror or error}: check the path and its permissions") from error
    return f"{version} {stat.st_size} {stat.st_mtime_ns}"


@contextlib.contextmanager
def _notes(dataset: str) -> Iterator[sqlite3.Connection]:
    path = _folder() / f"{dataset}.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _opened(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise UsageError(f"{path} cannot be written ({error}): set FAULTBENCH_CACHE to a folder that can") from error
    try:
        yield connection
    finally:
        connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    """The notes; a damaged file is thrown away, for nothing in it is more than saved time."""
    for attempt in (1, 2):
        connection = sqlite3.connect(path, timeout=_WAIT_S)
        try:
            connection.execute(_SCHEMA)
            connection.execute("SELECT file, state, said FROM note LIMIT 1")
        except sqlite3.DatabaseError as error:
            connection.close()
            if attempt == 2 or isinstance(error, sqlite3.OperationalError):
                raise
            path.unlink(missing_ok=True)
        else:
            return connection
    raise AssertionError


def _folder() -> Path:
    return cache_root() / "notes"
