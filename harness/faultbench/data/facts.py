"""What a split holds, beside whether it leaks: what is on each side, what was left out and why, copies, and steps of quantisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from faultbench.data.quantisation import quantisation_step
from faultbench.data.recording import HEALTHY, Catalogue, Recording
from faultbench.data.split import Pool, Signals, Split

COUNTED = ("recording", "bearing", "session", "mounting", "machine", "load")
"""What is counted on each side."""

_PARTED = ("bearing", "session", "mounting")
"""What keeps a recording out of both sides, where the target has it too, in the order in which it is said."""


def facts(
    split: Split, signals: Signals, alike: Sequence[Sequence[tuple[str, str, str]]], catalogues: Sequence[Catalogue]
) -> dict[str, object]:
    """The facts by name, as JSON takes them.

    - `recordings`, `bearings`, ... : per side, how many (`COUNTED`).
    - `classes`: per side, a list of its classes, healthy first: `label`, how many `recordings` and `bearings`, and of how many recordings
      the values have no common step (`unstepped`: they were filtered after they were recorded).
    - `undrawn`: recordings of the target that no episode shows.
    - `left_out`: recordings on neither side, and `left_out_reasons`: by reason, which of them; for those that the catalogues hold.
    - `notes`: what the data set finds odd about recordings, by note, which they are.
    - `copies`: groups of signals that hold the same samples.
    - `rms`: per side and class, the least and the largest RMS of a recording, about its mean, in the signals' unit. Classes that do not
      overlap are told apart by a level meter.
    - `quantisation`: per side and class, the least and the largest step of the signals' values, or null where there is none. A model that
      sees the step sees the class.

    Args:
        split: The split.
        signals: The signals of its recordings.
        alike: The groups of copies.
        catalogues: What the scenario was given; reasons and notes of what was left out come from there.
    """
    pools = {"source": split.source, "target": split.target}
    steps = {side: _by_label(pool, signals, quantisation_step) for side, pool in pools.items()}
    levels = {side: _by_label(pool, signals, _rms) for side, pool in pools.items()}
    return {
        **{f"{thing}s": {side: _count(pool.recordings, thing) for side, pool in pools.items()} for thing in COUNTED},
        "classes": {side: _classes(pool, steps[side]) for side, pool in pools.items()},
        "undrawn": _undrawn(split),
        "left_out": list(split.left_out),
        "left_out_reasons": _reasons(split, catalogues),
        "notes": _notes(pools.values()),
        "copies": [["/".join(key) for key in names] for names in alike],
        "rms": {side: {label: _extent(values) for label, values in found.items()} for side, found in levels.items()},
        "quantisation": {side: {label: _extent(values) for label, values in found.items()} for side, found in steps.items()},
    }


def _count(recordings: Iterable[Recording], thing: str) -> int:
    field = "id" if thing == "recording" else thing
    return len({(r.dataset, getattr(r, field)) for r in recordings})


def _classes(pool: Pool, steps: Mapping[str, Sequence[float | None]]) -> list[dict[str, str | int]]:
    by_label: dict[str, list[Recording]] = {}
    for recording, label in zip(pool.recordings, pool.labels, strict=True):
        by_label.setdefault(label, []).append(recording)
    return [
        {
            "label": label,
            **{f"{thing}s": _count(by_label[label], thing) for thing in ("recording", "bearing")},
            "unstepped": list(steps[label]).count(None),
        }
        for label in sorted(by_label, key=lambda label: (label != HEALTHY, label))
    ]


def _undrawn(split: Split) -> list[str]:
    drawn = {int(row) for episode in split.episodes for windows in (episode.support, episode.query) for row in windows[:, 0]}
    return [_named(r) for row, r in enumerate(split.target.recordings) if row not in drawn]


def _reasons(split: Split, catalogues: Sequence[Catalogue]) -> dict[str, list[str]]:
    """Why recordings are on neither side, found out by what they have in common with the target, whoever made the split."""
    known = {_named(r): r for catalogue in catalogues for r in catalogue.recordings}
    left_out = [known[name] for name in split.left_out if name in known]
    reasons: dict[str, list[str]] = {}
    for recording in left_out:
        reasons.setdefault(_reason(recording, split, left_out), []).append(_named(recording))
    return reasons


def _reason(recording: Recording, split: Split, left_out: Sequence[Recording]) -> str:
    mountings = {(r.dataset, r.mounting) for r in split.target.recordings}
    if (recording.dataset, recording.mounting) not in mountings:
        held = (*split.target.recordings, *(r for r in left_out if (r.dataset, r.mounting) in mountings))
        for thing in _PARTED:
            for other in held:
                if recording.dataset == other.dataset and getattr(recording, thing) == getattr(other, thing):
                    return f"shares its {thing} with a recording of the target's mounting {other.mounting}"
        if recording.dataset not in {r.dataset for r in split.source.recordings}:
            return f"of the target's data set, at {recording.mounting}: the source is of other data sets alone"
    elif recording.element not in {r.element for r in split.target.recordings}:
        place = recording.dataset, recording.mounting, recording.element
        alike = {r.bearing for r in left_out if (r.dataset, r.mounting, r.element) == place}
        there = f"{recording.mounting} has {len(alike)} bearing{'s' * (len(alike) != 1)} of it"
        return f"of no class that the episodes have ({recording.element}: {there})"
    if recording.element in {r.element for r in split.source.recordings}:
        return f"at {recording.mounting}, for no reason that the audit sees"
    return f"at {recording.mounting}, of no class that the source can be trained on ({recording.element})"


def _notes(pools: Iterable[Pool]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for pool in pools:
        for recording in pool.recordings:
            for note in recording.notes:
                said.setdefault(note, []).append(_named(recording))
    return said


def _by_label(pool: Pool, signals: Signals, of: Callable[[NDArray[np.float32]], float | None]) -> dict[str, list[float | None]]:
    """Something of every signal, by class."""
    found: dict[str, list[float | None]] = {}
    for row, label in enumerate(pool.labels):
        recording = pool.recordings[row]
        found.setdefault(label, []).append(of(signals[recording.dataset, recording.id, pool.leads[row]]))
    return dict(sorted(found.items()))


def _rms(signal: NDArray[np.float32]) -> float:
    return float(np.std(signal, dtype=np.float64))


def _extent(values: Sequence[float | None]) -> list[float] | None:
    known = [value for value in values if value is not None]
    return [min(known), max(known)] if known else None


def _named(recording: Recording) -> str:
    return f"{recording.dataset}/{recording.id}"
