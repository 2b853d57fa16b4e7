"""What a data set holds, in a few lines, as its catalogue says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from faultbench.data.recording import DataSet

_SHOWN = 12
"""More names than this are counted."""


def contents(reader: object) -> list[tuple[str, str]]:
    """What its catalogue says: recordings, bearings, classes, loads, speeds, rates, machines, and what is lacking.

    Raises:
        DataError: It is not there, or damaged.
    """
    catalogue = cast("DataSet", reader).catalogue()
    recordings = catalogue.recordings
    classes = Counter(f"{r.element} {r.severity}".strip() for r in recordings)
    rates = sorted({channel.rate_hz for r in recordings for channel in r.channels})
    speeds = [r.speed_rpm for r in recordings if r.speed_rpm is not None]
    odd = sum(bool(r.notes) for r in recordings)
    return [
        ("recordings", str(len(recordings))),
        ("bearings", _count({r.bearing for r in recordings})),
        ("classes", ", ".join(f"{name} ({count})" for name, count in sorted(classes.items()))),
        ("loads", _count({r.load for r in recordings})),
        ("speeds", f"{min(speeds):g} to {max(speeds):g} rpm" if speeds else "not stated"),
        ("channels", _count({channel.name for r in recordings for channel in r.channels})),
        ("rates", ", ".join(f"{rate:g} Hz" for rate in rates)),
        ("machines", _count({r.machine for r in recordings})),
        ("mountings", _count({r.mounting for r in recordings})),
        ("targets", _count(catalogue.targets)),
        ("with notes", f"{odd} recordings, on what is odd about them" if odd else "none"),
        ("not there", _count(catalogue.missing) if catalogue.missing else "none"),
        ("version", catalogue.version),
    ]


def _count(names: Iterable[str]) -> str:
    """How many, and which."""
    some = sorted(names)
    more = len(some) - _SHOWN
    return f"{len(some)}: {', '.join(some[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")
