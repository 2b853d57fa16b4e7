"""Episodes as they go to a device: from a split and the signals to windows and indices."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faultbench.data.split import Signals, Split
from faultbench.data.windows import cut
from faultbench.measuring.target import EpisodeWindows


class Change(Protocol):
    """What is done to windows before a device gets them, noise say."""

    def placed(self, episode: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where an episode's windows come from, (window, 2), and behind that what else tells one changed window from another."""
        ...

    def __call__(self, windows: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The windows (window, channel, sample) changed, given what `placed` says of each."""
        ...


def episode_windows(split: Split, signals: Signals, change: Change | None = None) -> EpisodeWindows:
    """The target's episodes, each window once, or once for every way in which it is changed.

    Speeds and orders are given where every recording used has them.

    Args:
        split: Whose episodes.
        signals: The target's signals.
        change: What is done to the windows, noise say; None leaves them as they were measured.
    """
    sides = [(e.support, e.query) for e in split.episodes]
    if change is not None:
        sides = [(change.placed(i, support), change.placed(i, query)) for i, (support, query) in enumerate(sides)]
    support, query = (np.stack(side) for side in zip(*sides, strict=True))
    columns = support.shape[-1]
    rows, index = np.unique(np.concatenate([support.reshape(-1, columns), query.reshape(-1, columns)]), axis=0, return_inverse=True)
    supports, queries = np.split(index.reshape(-1), [support[..., 0].size])
    used = [split.target.recordings[row] for row in rows[:, 0].tolist()]
    windows = cut(signals, split.target, rows[:, :2], split.window)
    return EpisodeWindows(
        windows=windows if change is None else change(windows, rows),
        support=supports.reshape(support.shape[:2]),
        support_labels=np.stack([e.support_labels for e in split.episodes]),
        query=queries.reshape(query.shape[:2]),
        speed_rpm=_known([r.speed_rpm for r in used]),
        orders=_known([r.geometry.orders if r.geometry else None for r in used]),
    )


def _known(values: list[float | None] | list[tuple[float, float, float, float] | None]) -> NDArray[np.float32] | None:
    """The values as an array, or None where one is unknown."""
    return None if any(v is None for v in values) else np.array(values, dtype=np.float32)
