"""Leases: what running processes have in use of a cache, so that trimming it breaks none of them.

A run takes a lease on every value that it may need before it looks at the first one, and gives it back at its end. The lease is a
file with the keys, beside a lock that its process holds; the system takes the lock back when the process dies, and the next who
looks throws the lease away. Taking a lease and trimming exclude each other (the gate), so that no value goes between being
promised and being used.

    leases/gate.lock
    leases/<number>.json   the keys, a list
    leases/<number>.lock   held as long as the process lives
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER, _GATE = "leases", "gate.lock"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leases:
    """What is in use.

    Args:
        processes: How many processes hold a lease.
        keys: What they have in use.
        unknown: Whether one of them could not be read, so that anything may be in use.
    """

    processes: int
    keys: frozenset[str]
    unknown: bool = False

    def covers(self, key: str) -> bool:
        """Whether a value may be in use."""
        return self.unknown or key in self.keys


@contextlib.contextmanager
def in_use(root: Path, keys: Iterable[str]) -> Iterator[None]:
    """Keeps values from being trimmed while the body lasts, whether they are there yet or not. Those that are there are used now.

    A cache that cannot be written cannot be trimmed by its user either: no lease is taken then.

    Args:
        root: The cache's folder.
        keys: Of the values.
    """
    keys = sorted(keys)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_lease(root, keys))
            _note_use(root / "values" / key[:2] / key for key in keys)
        except OSError as error:
            _log.debug("no lease on %s: %s", root, error)
        yield


@contextlib.contextmanager
def gate(root: Path) -> Iterator[Leases]:
    """What is in use, and nobody takes a lease while the body lasts. What dead processes left is thrown away."""
    with _gate(root):
        yield _found(root, tidy=True)


def leases(root: Path) -> Leases:
    """What is in use at this moment. Nothing is written but locks, which are let go at once."""
    return _found(root, tidy=False)


@contextlib.contextmanager
def _lease(root: Path, keys: list[str]) -> Iterator[None]:
    number = secrets.token_hex(8)
    held, said = root / _FOLDER / f"{number}.lock", root / _FOLDER / f"{number}.json"
    with _gate(root):
        lock = _lock(held)
        lock.acquire()
        try:
            said.write_text(json.dumps(keys), encoding="ascii")
        except OSError:
            lock.release()
            _remove(held, said)
            raise
    try:
        yield
    finally:
        lock.release()
        _remove(held, said)


@contextlib.contextmanager
def _gate(root: Path) -> Iterator[None]:
    (root / _FOLDER).mkdir(parents=True, exist_ok=True)
    with _lock(root / _FOLDER / _GATE):
        yield


def _found(root: Path, *, tidy: bool) -> Leases:
    processes, unknown = 0, False
    keys: set[str] = set()
    for said in sorted((root / _FOLDER).glob("*.json")):
        held = said.with_suffix(".lock")
        if not _is_held(held):
            if tidy:
                _remove(held, said)
            continue
        processes += 1
        try:
            found = json.loads(said.read_bytes())
            keys.update(key for key in found if isinstance(key, str))
        except FileNotFoundError:  # it was given back meanwhile
            processes -= 1
        except (OSError, ValueError, TypeError):
            unknown = True
    return Leases(processes, frozenset(keys), unknown)


def _is_held(place: Path) -> bool:
    from filelock import Timeout

    if not place.exists():
        return False
    try:
        with _lock(place, timeout=0):
            return False
    except (Timeout, OSError):  # one that cannot be opened is another user's
        return True


def _lock(place: Path, timeout: float = -1) -> Any:
    from filelock import FileLock

    return FileLock(place, timeout=timeout, fallback_to_soft=False)


def _note_use(values: Iterable[Path]) -> None:
    """Gives the folders one and the same time of use: what was used by one run is told apart by what it costs to make again."""
    now = time.time()
    for value in values:
        with contextlib.suppress(OSError):
            os.utime(value, (now, now))


def _remove(*places: Path) -> None:
    for place in places:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)
