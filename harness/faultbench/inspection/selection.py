"""Which recordings are looked at, and how that is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faultbench import names
from faultbench.data.recording import HEALTHY, Catalogue, Recording
from faultbench.data.scenarios.rules import element_severity
from faultbench.errors import DataError, UsageError

MOST = 40
"""Rows of a picture: more are no picture."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A recording that is looked at.

    Args:
        heading: Its class.
        recording: The recording.
        channel: The channel that is read.
    """

    heading: str
    recording: Recording
    channel: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What is looked at, and how it was chosen, in words."""

    chosen: tuple[Chosen, ...]
    said: str


def select(catalogue: Catalogue, ids: Sequence[str] = (), *, per_class: bool = False, channel: str | None = None) -> Selection:
    """The recordings that are named, else one for every damaged element, or for every element and severity.

    The one is the first of its class in the catalogue's order, at the mounting that the catalogue offers first as a target and at the load
    at which most classes were measured; of a class that was not, its first one at another load.

    Args:
        catalogue: What there is.
        ids: Recordings by id; none chooses.
        per_class: Whether a severity is a class of its own.
        channel: A channel by name; None takes each recording's first.

    Raises:
        UsageError: A recording or a channel does not exist, or too much is asked for.
        DataError: The catalogue is empty.
    """
    if ids and per_class:
        raise UsageError("--per-class chooses recordings and --recording names them: leave one of them away")
    if not catalogue.recordings:
        raise DataError(f"{catalogue.dataset} holds no recording: get the data first")
    rule = element_severity if per_class else _element
    chosen, said = (_named(catalogue, ids), "recordings as named") if ids else _representative(catalogue, rule)
    if len(chosen) > MOST:
        raise UsageError(f"{len(chosen)} rows are no picture: name at most {MOST} with --recording")
    return Selection(tuple(Chosen(heading, recording, _channel(recording, channel)) for heading, recording in chosen), said)


def _element(recording: Recording) -> str:
    return recording.element


def _named(catalogue: Catalogue, ids: Sequence[str]) -> list[tuple[str, Recording]]:
    known = {recording.id: recording for recording in catalogue.recordings}
    for name in ids:
        if name not in known:
            advice = names.instead(name, known, count=3, spell=names.shown)
            raise UsageError(f"{catalogue.dataset} has no recording {names.shown(name)}: {advice}")
    return [(element_severity(known[name]), known[name]) for name in dict.fromkeys(ids)]


def _representative(catalogue: Catalogue, rule: Callable[[Recording], str]) -> tuple[list[tuple[str, Recording]], str]:
    target = catalogue.targets[0] if catalogue.targets else catalogue.recordings[0].machine
    there = [r for r in catalogue.recordings if target in (r.machine, r.mounting)] or list(catalogue.recordings)
    mounting = _richest(there, lambda r: r.mounting, rule)
    there = [r for r in there if r.mounting == mounting]
    load = _richest(there, lambda r: r.load, rule)
    first: dict[str, Recording] = {}
    for recording in sorted(there, key=lambda r: r.load != load):  # the order within a load stays the catalogue's
        first.setdefault(rule(recording), recording)
    rows = sorted(first.items(), key=lambda row: row[0] != HEALTHY)
    kind = "element" if rule is _element else "class"
    at = f"at load {load}" if all(r.load == load for r in first.values()) else f"at load {load} where there is one"
    return rows, f"one recording for each {kind}, the first in the catalogue's order {at}, mounting {mounting}"


def _richest(recordings: Sequence[Recording], key: Callable[[Recording], str], rule: Callable[[Recording], str]) -> str:
    """The value of a key at which there are most classes; the first of several in the catalogue's order."""
    classes: dict[str, set[str]] = {}
    for recording in recordings:
        classes.setdefault(key(recording), set()).add(rule(recording))
    return max(classes, key=lambda value: len(classes[value]))


def _channel(recording: Recording, name: str | None) -> str:
    channels = [channel.name for channel in recording.channels]
    if name is None:
        return channels[0]
    if name not in channels:
        raise UsageError(f"recording {names.shown(recording.id)} has no channel {names.shown(name)}: it has {', '.join(channels)}")
    return name
