"""The store of results: every finished cell of every run, each written in a transaction of its own, in one SQLite file.

The file outlives a killed process and a power cut (write-ahead log, `synchronous=FULL`), and two processes may write it at
once. It also counts the looks: how many different cells were scored on one set of target recordings. A figure chosen
after many looks is worth less than its interval says, so every row carries the count.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from faultbench.errors import CellError, UsageError
from faultbench.folders import unusable
from faultbench.regularfile import kind_of
from faultbench.results.row import PROTOCOL, plain

STORE_VERSION = 1
"""Kept as the file's `user_version`; changes with the tables below, but not where a column is added that an older faultbench can ignore."""

APPLICATION_ID = 0x4642_454E
"""Kept as the file's `application_id` ("FBEN"): no other program's database is taken for a store."""

FILE_NAME = "results.sqlite"
BUSY_S = 30.0
"""How long a writer waits for another; a transaction takes milliseconds."""

SILENT_S = 2.0
"""After how long it is said that something is waited for."""

_TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, command TEXT NOT NULL, started TEXT NOT NULL, finished TEXT,
    version TEXT NOT NULL, protocol INTEGER NOT NULL, machine TEXT NOT NULL
);
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, digest TEXT NOT NULL, written TEXT NOT NULL,
    dataset TEXT NOT NULL, scenario TEXT NOT NULL, learner TEXT NOT NULL, compressor TEXT NOT NULL, target TEXT NOT NULL,
    verdict TEXT NOT NULL, error TEXT, row TEXT NOT NULL, place INTEGER, UNIQUE (run, digest)
);
CREATE TABLE looks (
    dataset TEXT NOT NULL, scenario TEXT NOT NULL, recordings TEXT NOT NULL, digest TEXT NOT NULL, first TEXT NOT NULL,
    PRIMARY KEY (dataset, scenario, recordings, digest)
) WITHOUT ROWID;
"""

_PLACED = "SELECT count(*) FROM pragma_table_info('rows') WHERE name = 'place'"
"""Whether rows have a place in their run's matrix. Stores of before have none, until one is opened to be written."""

_IN_ORDER = "SELECT row FROM rows WHERE run = ? ORDER BY place IS NULL, place, id"
_AS_FINISHED = "SELECT row FROM rows WHERE run = ? ORDER BY id"

_KEEP = """
INSERT INTO rows (run, digest, written, dataset, scenario, learner, compressor, target, verdict, error, row, place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, digest) DO UPDATE SET written = excluded.written, verdict = excluded.verdict, error = excluded.error, row = excluded.row,
    place = coalesce(excluded.place, place)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the store knows it. Moments are ISO 8601 in UTC; `finished` is None while it runs, or where it was killed."""

    id: int
    command: tuple[str, ...]
    started: str
    finished: str | None
    version: str
    protocol: int
    machine: str


def store_path() -> Path:
    """Where the store is: in the folder `FAULTBENCH_RESULTS`, else in the user's data folder."""
    if folder := os.environ.get("FAULTBENCH_RESULTS"):
        return Path(folder).expanduser() / FILE_NAME
    import platformdirs

    return platformdirs.user_data_path("faultbench") / FILE_NAME


@contextlib.contextmanager
def open_store(path: Path | None = None) -> Iterator[Store]:
    """The store at `path` (`store_path()` where none is given), made if there is none yet, and closed afterwards.

    Raises:
        UsageError: It cannot be written, is damaged, is no store, or is one of another version of faultbench.
        CellError: Another process holds it, or the disk is full.
    """
    path = path or store_path()
    with _one_line_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _is_file(path)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        with _one_line_errors(path), _said_while_waiting(path, BUSY_S):
            _prepare(connection, path)
        yield Store(connection, path)
    finally:
        connection.close()


@contextlib.contextmanager
def read_store(path: Path | None = None) -> Iterator[Store | None]:
    """The store at `path`, for reading alone, closed afterwards; None where there is none yet. Nothing is made or written.

    Raises:
        UsageError: It is damaged, is no store, or is one of another version of faultbench; or its folder is none and cannot become one.
    """
    path = path or store_path()
    if not _is_there(path):
        yield None
        return
    connection = _read_only(path)
    try:
        with _one_line_errors(path):
            known = _is_store(connection, path)
        yield Store(connection, path) if known else None
    finally:
        connection.close()


class Store:
    """An open store; `open_store` makes it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def begin(self, command: Sequence[str], machine: str | None = None) -> int:
        """Notes that a run has begun; returns its number."""
        said = json.dumps(list(command)), _now(), version("faultbench"), PROTOCOL, machine or platform.node()
        with self._transaction() as execute:
            number: int = execute("INSERT INTO runs (command, started, version, protocol, machine) VALUES (?, ?, ?, ?, ?)", said).lastrowid
        return number

    def add(self, run: int, row: Mapping[str, Any], place: int | None = None, *, wait_s: float | None = None) -> dict[str, Any]:
        """Keeps a finished cell, or a failed one with its error, for good; one of the same digest in the run is replaced.

        Args:
            run: The run's number.
            row: As `results.row.row` makes it.
            place: Where the cell stands in the run's matrix, for `rows`; those of no place come last, as they finished.
            wait_s: How long to wait for another process that is writing; `BUSY_S` where it is not said.

        Returns:
            The row with `looks`: how many different cells, this one included, were ever scored on its target recordings;
            None where that is not known, or the cell was not scored.
        """
        kept, now = plain(row), _now()
        cell, verdict = kept["cell"], kept["verdict"]["overall"]
        axes = cell["dataset"], cell["scenario"], cell["learner"], cell["compressor"], cell["target"]
        recordings = cell.get("target_recordings")
        with self._transaction(wait_s) as execute:
            if kept["accuracy"] is not None and recordings:
                seen = cell["dataset"], cell["scenario"], recordings, kept["digest"], now
                execute("INSERT OR IGNORE INTO looks VALUES (?, ?, ?, ?, ?)", seen)
                kept["looks"] = self.looks(cell["dataset"], recordings)
            said = run, kept["digest"], now, *axes, verdict, kept["error"], json.dumps(kept, allow_nan=False), place
            execute(_KEEP, said)
        return dict(kept)

    def finish(self, run: int) -> None:
        """Notes that a run has ended on its own."""
        with self._transaction() as execute:
            execute("UPDATE runs SET finished = ? WHERE id = ?", (_now(), run))

    def looks(self, dataset: str, recordings: str) -> int:
        """How many different cells were ever scored on these target recordings, under whatever scenario."""
        found = self._read("SELECT count(DISTINCT digest) FROM looks WHERE dataset = ? AND recordings = ?", (dataset, recordings))
        return int(found[0][0])

    def runs(self) -> list[Run]:
        """Every run, the oldest first."""
        found = self._read("SELECT id, command, started, finished, version, protocol, machine FROM runs ORDER BY id")
        return [Run(number, tuple(json.loads(command)), *rest) for number, command, *rest in found]

    def rows(self, run: int) -> list[dict[str, Any]]:
        """The rows of a run, in the order of its matrix; of one that an earlier faultbench kept, in that in which its cells finished."""
        placed = self._read(_PLACED) == [(1,)]
        return [json.loads(text) for (text,) in self._read(_IN_ORDER if placed else _AS_FINISHED, (run,))]

    def remove(self, runs: Sequence[int]) -> None:
        """Removes runs and their rows for good. Looks are kept: what was seen stays seen.

        Raises:
            CellError: One of them is going on.
        """
        for run in runs:
            if self.is_going_on(run):
                raise CellError(f"run {run} is going on: wait for it to end, or interrupt it")
        with self._transaction() as execute:
            for run in runs:
                execute("DELETE FROM runs WHERE id = ?", (run,))

    @contextlib.contextmanager
    def going_on(self, run: int) -> Iterator[None]:
        """Lets other processes know, while the body lasts, that a run is going on. The system forgets it when this process dies."""
        import filelock

        lock = filelock.FileLock(self._lock_of(run))
        with _one_line_errors(self.path):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
            with contextlib.suppress(OSError):
                self._lock_of(run).unlink(missing_ok=True)

    def is_going_on(self, run: int) -> bool:
        """Whether a process is at a run."""
        import filelock

        place = self._lock_of(run)
        if not place.exists():
            return False
        try:
            with filelock.FileLock(place, timeout=0):
                return False
        except (filelock.Timeout, OSError):  # one that cannot even be opened is somebody else's
            return True

    def names(self) -> list[tuple[int, str, str]]:
        """Of every row of every run, the run, the row's digest, and its axes as one text."""
        found = self._read("SELECT run, digest, dataset, scenario, learner, compressor, target FROM rows ORDER BY id")
        return [(run, digest, " ".join(axes)) for run, digest, *axes in found]

    def verdicts(self) -> dict[int, dict[str, int]]:
        """How many rows of each run ended with which verdict."""
        found: dict[int, dict[str, int]] = {}
        for run, verdict, count in self._read("SELECT run, verdict, count(*) FROM rows GROUP BY run, verdict ORDER BY min(id)"):
            found.setdefault(run, {})[verdict] = count
        return found

    def _lock_of(self, run: int) -> Path:
        return self.path.with_name(f"{self.path.name}.run-{run}.lock")

    def _read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with _one_line_errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self, wait_s: float | None = None) -> Iterator[Any]:
        """The connection's `execute` within one transaction, which is on the disk when this ends, or has never been."""
        limit_s = BUSY_S if wait_s is None else wait_s
        with _one_line_errors(self.path), _said_while_waiting(self.path, limit_s):
            self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * limit_s)}")
            with _transaction(self._connection):
                yield self._connection.execute


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A failed COMMIT, on a full disk say, may already have ended the transaction.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Sets the connection up, makes the tables of a new file, and finds out at once whether the file can be written.

    Raises:
        UsageError: The file is something else than this version's store.
    """
    import filelock

    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    # Two processes that switch a new file to WAL at once do not wait for each other, whatever the timeout: SQLite says "locked".
    with filelock.FileLock(path.with_name(path.name + ".lock"), timeout=BUSY_S):
        known = _is_store(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        with _transaction(connection):
            if not known:
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
            elif connection.execute(_PLACED).fetchone() == (0,):
                connection.execute("ALTER TABLE rows ADD COLUMN place INTEGER")
            # Written in any case: a file that cannot be written is found out now, not when the first cell has finished.
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {STORE_VERSION}")


def _is_there(path: Path) -> bool:
    """Whether there is a store's file.

    Raises:
        UsageError: There is none, and there could be none: its folder is none, or something else is in its place.
    """
    try:
        if _is_file(path):
            return True
        reason = "" if path.parent.is_dir() else unusable(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise UsageError(f"the results folder {path.parent} cannot be used ({reason}): set FAULTBENCH_RESULTS to another folder")
    return False


def _is_file(path: Path) -> bool:
    """Whether a file is in the store's place. Something else is found out here: SQLite would wait for a pipe, or say little.

    Raises:
        UsageError: Something else is.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is {kind_of(mode)}, no file: move it away, or set FAULTBENCH_RESULTS to another folder")
    return True


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. A store in a folder that cannot be written is read as a file that nobody writes."""
    for mode in ("ro", "ro&immutable=1"):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if mode == "ro" and getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
                continue
            with _one_line_errors(path):
                raise
        except sqlite3.DatabaseError:
            connection.close()
            with _one_line_errors(path):
                raise
        else:
            return connection
    raise UsageError(f"cannot read {path}: mend its permissions, or set FAULTBENCH_RESULTS to another folder")


def _is_store(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is this version's store; False where it is new and empty."""
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        return False
    elsewhere = "set FAULTBENCH_RESULTS to another folder"
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise UsageError(f"{path} is another program's database: {elsewhere}")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != STORE_VERSION:
        raise UsageError(f"{path} is a store of version {found}, this faultbench writes version {STORE_VERSION}: {elsewhere}")
    return True


@contextlib.contextmanager
def _said_while_waiting(path: Path, limit_s: float) -> Iterator[None]:
    """Says on stderr what is waited for, where the body takes long. SQLite waits by itself, hence the thread."""
    line = f"waiting for {path}, which another process is writing, at most {limit_s:g} s"
    if limit_s <= SILENT_S:
        yield
        return
    timer = threading.Timer(SILENT_S, lambda: print(line, file=sys.stderr))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    """What SQLite and the file system say, as errors for the person who can mend them."""
    elsewhere = "set FAULTBENCH_RESULTS to another folder"
    try:
        yield
    except TimeoutError as error:
        raise CellError(f"{path} is locked by another process: wait for it to end, or {elsewhere}") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}: mend its permissions, or {elsewhere}") from error
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise CellError(f"{path} is locked by another process: wait for it to end, or {elsewhere}") from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            raise UsageError(f"cannot write {path}: {error}: mend its permissions, or {elsewhere}") from error
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise UsageError(f"{path} is damaged, or no store: {error}: move it away, or {elsewhere}") from error
        raise CellError(f"cannot write {path}: {error}: free some space, or {elsewhere}") from error


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
