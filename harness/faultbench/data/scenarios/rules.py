"""What the scenarios say of a recording: its class, what a way keeps to, and what support and query never share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faultbench.data.recording import HEALTHY, Recording

Rule = Callable[[Recording], str]
"""What a scenario says of a recording: its label, its condition or its part."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How episodes are drawn of recordings.

    Args:
        label: The class.
        condition: What one way keeps to.
        part: What support and query of a way never share; where they are not `apart`, what they share.
        together: Whether all supports of an episode come from one part.
        apart: Whether support and query of a way come from different parts. Where they do not, a recording of both source and
            target is used by halves.
    """

    label: Rule
    condition: Rule
    part: Rule
    together: bool
    apart: bool = True


def element(recording: Recording) -> str:
    """The damaged element: `inner`, `healthy`."""
    return recording.element


def element_severity(recording: Recording) -> str:
    """Element and severity: `inner 7 mil`, `healthy`."""
    return HEALTHY if recording.healthy else f"{recording.element} {recording.severity}".strip()


def specimen(recording: Recording) -> str:
    """One specimen at one clock position on one mounting."""
    return " | ".join((recording.dataset, recording.bearing, recording.position, recording.mounting))


def bearing(recording: Recording) -> str:
    """The bearing, distinct across data sets."""
    return f"{recording.dataset} | {recording.bearing}"


def load(recording: Recording) -> str:
    """The load on one mounting."""
    return " | ".join((recording.dataset, recording.mounting, recording.load))


def session(recording: Recording) -> str:
    """The session, distinct across data sets."""
    return f"{recording.dataset} | {recording.session}"


def mounting(recording: Recording) -> str:
    """The mounting, distinct across data sets."""
    return f"{recording.dataset} | {recording.mounting}"


KNOWN_FAULT = Rules(label=element_severity, condition=specimen, part=load, together=True)
"""As at T2: a fault of one specimen, known by its element and severity; support and query at different loads."""

NEW_FAULT = Rules(label=element, condition=element, part=bearing, together=False)
"""As at T3: an element; support and query on different bearings."""


def parted(recordings: Sequence[Recording], rules: Rules) -> frozenset[str]:
    """The labels of which some condition has two parts, so that support and query can be kept apart."""
    parts: dict[tuple[str, str], set[str]] = {}
    for recording in recordings:
        parts.setdefault((rules.label(recording), rules.condition(recording)), set()).add(rules.part(recording))
    return frozenset(label for (label, _), found in parts.items() if len(found) > 1)
