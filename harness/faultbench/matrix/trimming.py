"""What a cache holds, and trimming it: by age, to a size, by kind. What a running process has in use stays.

A value goes in one step, under the lock of its key, out of the place where it is looked for; only then are its files removed. So
nobody finds half a value, and a trimmer that is killed leaves a temporary, which the next run sweeps.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultbench.errors import UsageError
from faultbench.matrix.cache import MANIFEST, Cache, read_entry
from faultbench.matrix.leases import Leases, gate
from faultbench.names import shown

UNREADABLE = "unreadable"
"""The kind of a value whose manifest is missing or damaged: it is of no use to anybody."""

_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BATCH = 200  # values that go while the gate is shut: a run that begins waits for less than a second
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])", re.ASCII)
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stored:
    """A value of a cache.

    Args:
        key: Its key.
        kind: The kind of stage that made it (`train`), or `UNREADABLE`.
        title: What the stage did, for people.
        size_bytes: Of all its files.
        seconds: How long it took to make.
        made: When, in seconds since 1970.
        used: When a run last used it, likewise.
    """

    key: str
    kind: str
    title: str
    size_bytes: int
    seconds: float
    made: float
    used: float


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What trimming came to, or would.

    Args:
        removed: What went.
        in_use: What would have gone, and a running process has in use or is making.
    """

    removed: tuple[Stored, ...]
    in_use: tuple[Stored, ...]


def survey(root: Path) -> list[Stored]:
    """Every value under a cache's folder, in the order of keys."""
    found = (_stored(folder) for folder in sorted(root.glob("values/??/*")) if _KEY.fullmatch(folder.name))
    return [stored for stored in found if stored is not None]


def choose(
    values: Iterable[Stored],
    *,
    older_s: float | None = None,
    to_bytes: int | None = None,
    kinds: Collection[str] = (),
    now: float | None = None,
) -> list[Stored]:
    """What is to go.

    Args:
        values: What there is.
        older_s: Only what no run has used for so long.
        to_bytes: Only as much as brings the whole to this size: what was used longest ago first, and of what was used together that
            which takes the least time to make again for the room that it takes.
        kinds: Only these kinds.
        now: In seconds since 1970; None takes the clock.
    """
    values = list(values)
    moment = time.time() if now is None else now
    order = sorted(values, key=lambda one: (one.kind != UNREADABLE, one.used, one.seconds / max(one.size_bytes, 1)))
    chosen = [one for one in order if (not kinds or one.kind in kinds) and (older_s is None or moment - one.used >= older_s)]
    if to_bytes is None:
        return chosen
    total, few = sum(one.size_bytes for one in values), []
    for one in chosen:
        if total <= to_bytes:
            break
        few.append(one)
        total -= one.size_bytes
    return few


def trim(root: Path, chosen: Sequence[Stored]) -> Trimmed:
    """Removes values, but those that a running process has in use, or is making.

    Raises:
        UsageError: The cache cannot be written.
        CellError: The disk is full.
    """
    cache = Cache(root)
    cache.prepare()
    removed: list[Stored] = []
    kept: list[Stored] = []
    for start in range(0, len(chosen), _BATCH):
        gone: list[Path] = []
        with gate(root) as leases:
            for one in chosen[start : start + _BATCH]:
                place = None if leases.covers(one.key) else cache.set_aside(one.key)
                (kept if place is None else removed).append(one)
                if place is not None:
                    gone.append(place)
        for place in gone:
            shutil.rmtree(place, ignore_errors=True)
    return Trimmed(tuple(removed), tuple(kept))


def forecast(chosen: Iterable[Stored], leases: Leases) -> Trimmed:
    """What trimming would come to at this moment."""
    chosen = list(chosen)
    return Trimmed(tuple(one for one in chosen if not leases.covers(one.key)), tuple(one for one in chosen if leases.covers(one.key)))


def parse_duration(text: str) -> float:
    """A duration in seconds: `90m`, `12h`, `30d`, `2w`.

    Raises:
        UsageError: It is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{shown(text)} is no duration: write a number and m, h, d or w, as 30d")
    return float(found[1]) * _SECONDS[found[2]]


def parse_size(text: str) -> int:
    """A size in bytes: `500M`, `2GB`, `0`; prefixes are powers of a thousand.

    Raises:
        UsageError: It is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{shown(text)} is no size: write a number and k, M, G or T, as 2G")
    return int(float(found[1]) * _BYTES[found[2].lower()])


def _stored(folder: Path) -> Stored | None:
    """What a value's folder says; None where it has just gone."""
    try:
        entry = read_entry(folder, folder.name)
        used = folder.stat().st_mtime
        if entry is None:
            return Stored(folder.name, UNREADABLE, "", _size_of(folder), 0.0, used, used)
        beside = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        size = beside + sum(size for _, size in entry.files.values())
        made = (folder / MANIFEST).stat().st_mtime
    except FileNotFoundError:
        return None
    return Stored(
        folder.name, str(entry.about.get("name", "other")), str(entry.about.get("title", "")), size, entry.seconds, made, max(used, made)
    )


def _size_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size if not path.is_dir() else 0
    return total
