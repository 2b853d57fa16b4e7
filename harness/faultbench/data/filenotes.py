"""What a data set found out about files, kept between runs: a pass over many files is made once, and goes on where it was stopped.

The notes of a data set lie in one SQLite file, `notes/<data set>.sqlite` in the cache's folder. A note belongs to a file's
path and state (`filestate`), and to the version of the code that wrote it. It can be lost at any time: it is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from faultbench.data.filestate import FileState, file_state, settled_state
from faultbench.errors import DataError, UsageError
from faultbench.folders import cache_root

_THREADS = 4
_AHEAD = 128
"""How many files may be begun and not finished: a killed pass has to begin them again."""
_AHEAD_S = 2.0
"""How long one may be begun and not finished while others are begun: of large files a killed pass would lose minutes."""
_LOOK_EVERY_S = 0.05
"""How long what was made may wait to be written down."""
_WRITE_EVERY_S = 1.0
"""A killed pass has to read again what it read within this time."""
_SAY_EVERY_S = 10.0
"""A pass that takes longer says on stderr how far it is."""
_WAIT_S = 60.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS note (file TEXT PRIMARY KEY, state TEXT NOT NULL, said TEXT NOT NULL)"


def noted(
    dataset: str,
    version: str,
    files: Sequence[Path],
    note: Callable[[Path], Any],
    *,
    finish: Callable[[Any], Any] | None = None,
    cheap: bool = False,
) -> list[Any]:
    """What `note` says of each file, in their order; it is asked only about files that are new or changed.

    Args:
        dataset: Whose notes; a name that can be a file's.
        version: Changes whenever `note` would say something else of the same file.
        files: Regular files.
        note: Reads one file; what it returns is kept as JSON. It is called by several threads, on a file each.
        finish: Makes the note of what `note` returned, which is kept as it is without. Others are begun before the first is finished,
            so that what `finish` has to wait for at first need not hold up `note`.
        cheap: Whether it is asked about every file where the cache's folder cannot be written, instead of an error.

    Raises:
        DataError: A file is not there.
        UsageError: The cache's folder cannot be written.
    """
    try:
        return _noted(dataset, version, files, note, finish)
    except UsageError:
        if not cheap:
            raise
        return [finish(note(file)) if finish else note(file) for file in files]


def _noted(
    dataset: str, version: str, files: Sequence[Path], note: Callable[[Path], Any], finish: Callable[[Any], Any] | None
) -> list[Any]:
    # `Path.resolve` asks the system about every folder on the way, for every file
    names = [hashlib.sha256(os.fsencode(os.path.abspath(file))).hexdigest() for file in files]  # noqa: PTH100
    with _notes(dataset) as notes:
        known = {name: (state, said) for name, state, said in notes.execute("SELECT file, state, said FROM note")}
        found: dict[int, Any] = {}
        for i, name in enumerate(names):
            state, said = known.get(name, ("", ""))
            if state == _spelled(_state(files[i], file_state), version):
                found[i] = json.loads(said)
        new = [i for i in range(len(files)) if i not in found]
        if new:
            writer = _Writer(notes, dataset, len(new))
            try:
                for i, state, said in _made({i: files[i] for i in new}, note, finish):
                    writer.add(names[i], _spelled(state, version), said)
                    found[i] = said
            except BaseException:  # an interruption too: what was read is kept
                with contextlib.suppress(UsageError):
                    writer.write()
                raise
            writer.write()
    return [found[i] for i in range(len(files))]


def _made(
    files: Mapping[int, Path], note: Callable[[Path], Any], finish: Callable[[Any], Any] | None
) -> Iterator[tuple[int, FileState, Any]]:
    """The number of each file, its state before it was read, and its note, some time after they came.

    Where one fails, those before it are finished; then the error of the first in order is raised.
    """
    waiting = deque(files.items())
    ahead = _AHEAD if finish else 1
    turn, stop = threading.Lock(), threading.Event()
    begun: deque[tuple[int, FileState, Any, float]] = deque()
    made: deque[tuple[int, FileState, Any]] = deque()
    failed: dict[int, BaseException] = {}

    def step() -> bool:
        """Begins a file; finishes one where many are begun, or all, or one long ago. False where nothing is left to do."""
        file: Path | None = None
        with turn:
            due = begun and (len(begun) >= ahead or time.monotonic() - begun[0][3] > _AHEAD_S)
            if waiting and not due and not stop.is_set():
                i, file = waiting.popleft()
            elif begun:
                i, state, said, _ = begun.popleft()
            else:
                return False
        try:
            if file is not None:
                half = _state(file, settled_state), note(file)
                with turn:
                    begun.append((i, *half, time.monotonic()))
            else:
                made.append((i, state, finish(said) if finish else said))
        except BaseException as error:  # noqa: BLE001 - it is raised when the others have finished
            failed[i] = error
            stop.set()
            with turn:  # what comes later in order may fail as slowly as this one did
                earlier = [entry for entry in begun if entry[0] < i]
                begun.clear()
                begun.extend(earlier)
        return True

    def work() -> None:
        while step():
            pass

    threads = min(_THREADS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads)
    try:
        working = {pool.submit(work) for _ in range(threads)}
        while working:
            # Were this thread woken for every file, it would keep those that read from the interpreter.
            working = wait(working, timeout=_LOOK_EVERY_S).not_done
            while made:
                yield made.popleft()
    finally:
        stop.set()
        begun.clear()  # after an interruption
        pool.shutdown()
    if failed:
        raise failed[min(failed)]


class _Writer:
    """Writes notes down, many at a time, for each time costs as much as reading some files."""

    def __init__(self, notes: sqlite3.Connection, dataset: str, total: int) -> None:
        self._notes, self._dataset, self._total = notes, dataset, total
        self._lines: list[tuple[str, str, str]] = []
        self._done = 0
        self._written_at = self._said_at = time.monotonic()

    def add(self, name: str, state: str, said: Any) -> None:
        self._lines.append((name, state, json.dumps(said, allow_nan=False)))
        self._done += 1
        now = time.monotonic()
        if now - self._written_at > _WRITE_EVERY_S:
            self.write()
            self._written_at = now
        if now - self._said_at > _SAY_EVERY_S:
            self._said_at = now
            print(f"{self._dataset}: looking through the files, once: {self._done} of {self._total}", file=sys.stderr)

    def write(self) -> None:
        """Writes what was added since the last time."""
        lines, self._lines = self._lines, []
        try:
            with self._notes:
                self._notes.executemany("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", lines)
        except sqlite3.OperationalError as error:  # no room, no permission, or another process keeps it locked
            raise UsageError(f"{_folder()} cannot be written ({error}): set FAULTBENCH_CACHE to a folder that can") from error


def _state(file: Path, of: Callable[[Path], FileState]) -> FileState:
    try:
        return of(file)
    except OSError as error:
        raise DataError(f"{file} cannot be read, {error.strerror or error}: check the path and its permissions") from error


def _spelled(state: FileState, version: str) -> str:
    return " ".join(map(str, (version, *state)))


@contextlib.contextmanager
def _notes(dataset: str) -> Iterator[sqlite3.Connection]:
    path = _folder() / f"{dataset}.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _opened(path)
    except (OSError, sqlite3.OperationalError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{path} cannot be written ({said}): set FAULTBENCH_CACHE to a folder that can") from error
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
