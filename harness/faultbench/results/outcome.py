"""What a cell's statistics are computed from: one line per query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Outcome:
    """Every query of every episode of every seed of a cell, as columns of equal length (query,).

    Args:
        seed: The seed's number.
        episode: The episode's number within its seed.
        unit: What is resampled: the bearing that the query shows (a class of one specimen: its session).
        bearing: The bearing.
        label: The true class.
        predicted: The class that the runner returned.
        healthy: Whether the true class is healthy.
        predicted_healthy: Whether the returned class is healthy.
        rare: Whether the true class is the one whose turn it was to be rare.
        ways: Classes per episode.
    """

    seed: NDArray[np.int64]
    episode: NDArray[np.int64]
    unit: NDArray[np.str_]
    bearing: NDArray[np.str_]
    label: NDArray[np.str_]
    predicted: NDArray[np.str_]
    healthy: NDArray[np.bool_]
    predicted_healthy: NDArray[np.bool_]
    rare: NDArray[np.bool_]
    ways: int
