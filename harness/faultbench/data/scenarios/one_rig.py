"""Parting data that have a single mounting, which therefore cannot be parted by mounting: by bearing.

Half of the bearings of each class, drawn by the seed, are the target and the others the source. Or the target is named by a
severity (`target=real`): then its faults are those of that severity, the source's all others, and healthy bearings are halved.
The level is said to hold on `one rig`, and the audit lets the mounting, and nothing else, be shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from faultbench.data.episodes import generator
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.parting import Parting, hold_out
from faultbench.data.scenarios.rules import Rule, bearing
from faultbench.data.split import ONE_RIG


def held_out(catalogues: Sequence[Catalogue], target: str, label: Rule, fewest: int, seed: int) -> tuple[Parting, str]:
    """Target and source, by mounting or, on one rig, by bearing; and the note that has to stand beside the level.

    Args:
        catalogues: What there is.
        target: A machine or a mounting, or on one rig a severity; empty takes the first that the catalogues offer.
        label: The class of a recording: of each class the bearings are halved.
        fewest: How many bearings of a class the target needs for a way.
        seed: What the halves are drawn with.

    Raises:
        UsageError: There is no such target; the message says what can be named.
    """
    recordings = [r for c in catalogues for r in c.recordings]
    if len({(r.dataset, r.mounting) for r in recordings}) != 1:
        return hold_out(catalogues, target), ""
    severities = sorted({r.severity for r in recordings if r.severity})
    if target in severities and not any(target in (r.machine, r.mounting) for r in recordings):
        healthy = _drawn([r for r in recordings if r.healthy], label, fewest, seed)
        held = {bearing(r) for r in recordings if r.severity == target} | healthy
        return _parted(target, recordings, held), ONE_RIG
    named = hold_out(catalogues, target, also=severities)
    return _parted(named.name, recordings, _drawn(recordings, label, fewest, seed)), ONE_RIG


def by_severity(parting: Parting) -> bool:
    """Whether the target of one rig is a severity, whose bearings were not dealt."""
    return not any(parting.name in (r.machine, r.mounting) for r in (*parting.target, *parting.source))


def _drawn(recordings: Iterable[Recording], label: Rule, fewest: int, seed: int) -> set[str]:
    """The target's bearings: of each class half, rounded down.

    Where half is too few for a way (one bearing of one, at T3 one of three), the target takes the `fewest` that a way needs.
    """
    found: dict[str, set[str]] = {}
    for recording in recordings:
        found.setdefault(label(recording), set()).add(bearing(recording))
    held: set[str] = set()
    for name, members in sorted(found.items()):
        order = generator(seed, ONE_RIG, name).permutation(len(members))
        number = max(len(members) // 2, fewest) if len(members) >= 2 * fewest - 1 else len(members) // 2
        held.update(sorted(members)[i] for i in order[:number])
    return held


def _parted(name: str, recordings: Sequence[Recording], held: set[str]) -> Parting:
    target = tuple(r for r in recordings if bearing(r) in held)
    return Parting(name, target, tuple(r for r in recordings if bearing(r) not in held), ())
