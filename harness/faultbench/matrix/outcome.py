"""From what a runner returned to what the statistics are computed from: one line per query."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import HEALTHY
from faultbench.data.split import Split
from faultbench.errors import CellError
from faultbench.results.outcome import Outcome


def outcome(split: Split, predictions: NDArray[np.int64]) -> Outcome:
    """The queries of one seed, each with its truth and its answer.

    The unit of a query is its bearing. Where all healthy recordings are of one specimen, the units of the healthy are its
    sessions, since one unit could not be resampled.

    Args:
        split: What was asked.
        predictions: (episode, query window): class numbers as the runner returned them.

    Raises:
        CellError: The predictions do not fit the episodes.
    """
    rows = np.stack([e.query[:, 0] for e in split.episodes])
    true = np.stack([e.query_labels for e in split.episodes])
    if predictions.shape != true.shape:
        raise CellError(f"the target returned predictions of shape {predictions.shape} for {true.shape} queries: mend the target")
    if predictions.min() < 0 or predictions.max() >= split.request.ways:
        raise CellError(f"the target returned classes outside 0 to {split.request.ways - 1}: mend the target")
    classes = np.array([e.classes for e in split.episodes])
    episode = np.repeat(np.arange(len(rows)), rows.shape[1])
    rare = np.array([e.rare for e in split.episodes])
    label = classes[episode, true.reshape(-1)]
    predicted = classes[episode, predictions.reshape(-1)]
    bearing = np.array([f"{r.dataset}/{r.bearing}" for r in split.target.recordings])
    return Outcome(
        seed=np.full(len(episode), split.seed),
        episode=episode,
        unit=_units(split)[rows.reshape(-1)],
        bearing=bearing[rows.reshape(-1)],
        label=label,
        predicted=predicted,
        healthy=label == HEALTHY,
        predicted_healthy=predicted == HEALTHY,
        rare=true.reshape(-1) == rare[episode],
        ways=split.request.ways,
    )


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of several seeds of one cell as one.

    Raises:
        CellError: They do not have the same number of ways.
    """
    ways = {o.ways for o in outcomes}
    if len(ways) != 1:
        raise CellError(f"outcomes of {sorted(ways)} ways cannot be joined: run one number of ways at a time")
    columns = [f.name for f in dataclasses.fields(Outcome) if f.name != "ways"]
    return Outcome(**{name: np.concatenate([getattr(o, name) for o in outcomes]) for name in columns}, ways=ways.pop())


def _units(split: Split) -> NDArray[np.str_]:
    """(recording,): what is resampled."""
    healthy = {(r.dataset, r.bearing) for r in split.target.recordings if r.healthy}
    return np.array(
        [
            f"{r.dataset}/{r.bearing} (session {r.session})" if r.healthy and len(healthy) == 1 else f"{r.dataset}/{r.bearing}"
            for r in split.target.recordings
        ]
    )
