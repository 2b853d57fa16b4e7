"""What a cache holds, in words and numbers."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from faultbench.errors import UsageError
from faultbench.matrix.leases import leases
from faultbench.matrix.trimming import UNREADABLE, Stored, Trimmed, choose, survey
from faultbench.names import instead, shown
from faultbench.report.console import print_lines
from faultbench.report.document import json_text
from faultbench.report.plan import duration
from faultbench.report.schema import CACHE_SCHEMA
from faultbench.report.wording import clean, count

_AGES_D = (7, 30, 90)
"""Days for which it is said what a trim would free."""


def about(root: Path) -> dict[str, Any]:
    """What is to be said of a cache.

    Returns:
        `path`, `bytes`, `values`, `free_bytes`, `kinds` (a list of `{kind, values, bytes, seconds}`, the largest first), `oldest`,
        `newest`, `unused_since` (moments, or None), `processes` (that have something in use), `in_use` (`{values, bytes}`),
        `making` (temporaries: `{values, bytes}`), and `trim` (for so many days, the bytes that a trim would free).
    """
    values = survey(root)
    held = leases(root)
    used = [one for one in values if held.covers(one.key)]
    partial = [path for path in (root / "partial").glob("*") if path.is_dir()]
    return {
        "path": str(root),
        "bytes": _bytes(values),
        "values": len(values),
        "free_bytes": shutil.disk_usage(next(place for place in (root, *root.parents) if place.exists())).free,
        "kinds": sorted((_kind(kind, values) for kind in {one.kind for one in values}), key=lambda one: -one["bytes"]),
        "oldest": _moment(min((one.made for one in values), default=None)),
        "newest": _moment(max((one.made for one in values), default=None)),
        "unused_since": _moment(min((one.used for one in values), default=None)),
        "processes": held.processes,
        "in_use": {"values": len(used), "bytes": _bytes(used)},
        "making": {"values": len(partial), "bytes": sum(_size(path) for path in partial)},
        "trim": {
            f"{days}d": _bytes([one for one in choose(values, older_s=days * 86_400) if not held.covers(one.key)]) for days in _AGES_D
        },
    }


def about_text(told: Mapping[str, Any]) -> str:
    """The same as JSON."""
    return json_text({"schema": CACHE_SCHEMA, **told})


def print_about(told: Mapping[str, Any], console: Console) -> None:
    """Prints it for a person."""
    print_lines(console, f"{told['path']}: {count(told['bytes'], 'B')} in {told['values']} values, {count(told['free_bytes'], 'B')} free")
    if told["kinds"]:
        console.print()
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
        table.add_column("kind")
        for heading in ("values", "size", "time to make"):
            table.add_column(heading, justify="right", no_wrap=True)
        for one in told["kinds"]:
            table.add_row(Text(clean(one["kind"])), str(one["values"]), count(one["bytes"], "B"), duration(one["seconds"]))
        console.print(table)
        console.print()
        print_lines(
            console, f"made from {told['oldest']} to {told['newest']} (UTC), the one that was used longest ago then: {told['unused_since']}"
        )
    if told["processes"]:
        used = told["in_use"]
        runs = f"{told['processes']} running process{'es' * (told['processes'] > 1)}"
        print_lines(console, f"{runs} may use {used['values']} of them ({count(used['bytes'], 'B')}), which no trim removes")
    if told["making"]["values"]:
        print_lines(
            console, f"{told['making']['values']} temporaries ({count(told['making']['bytes'], 'B')}): being made, or left by killed runs"
        )
    if told["values"]:
        said = ", ".join(f"--older {age} {count(size, 'B')}" for age, size in told["trim"].items())
        print_lines(console, f"faultbench cache trim would free: {said}")


def kinds_of(asked: Sequence[str], values: Sequence[Stored]) -> tuple[str, ...]:
    """The kinds that were asked for.

    Raises:
        UsageError: The cache holds none of one.
    """
    there = sorted({one.kind for one in values})
    for kind in asked:
        if kind not in there:
            raise UsageError(f"the cache holds nothing of kind {shown(kind)}: {instead(kind, there, 'See `faultbench cache info`')}")
    return tuple(asked)


def trimmed_line(found: Trimmed, values: Sequence[Stored], *, would: bool) -> str:
    """What a trim came to, in a line."""
    size, total = _bytes(found.removed), _bytes(values)
    seconds = sum(one.seconds for one in found.removed)
    word = "would free" if would else "freed"
    again = f", which took {duration(seconds)} to make" if found.removed else ""
    kept = f"; {len(found.in_use)} values ({count(_bytes(found.in_use), 'B')}) are in use and stay" if found.in_use else ""
    return f"{word} {count(size, 'B')} of {count(total, 'B')}: {len(found.removed)} of {len(values)} values{again}{kept}"


def _kind(kind: str, values: Sequence[Stored]) -> dict[str, Any]:
    own = [one for one in values if one.kind == kind]
    return {"kind": kind, "values": len(own), "bytes": _bytes(own), "seconds": 0 if kind == UNREADABLE else sum(one.seconds for one in own)}


def _bytes(values: Sequence[Stored]) -> int:
    return sum(one.size_bytes for one in values)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # it has just gone
            continue
    return total


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M")
