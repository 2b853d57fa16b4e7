"""Source tasks: episodes drawn from the source pool by the rule that the target's episodes follow, without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from faultbench.data.episodes import EpisodeDrawer, row_spans
from faultbench.data.split import EpisodeRequest, Pool, Signals
from faultbench.data.windows import cut
from faultbench.learning.contracts import TaskBatch
from faultbench.learning.net import Net

SCALE_FLOOR = 0.05
"""Added to the deviations of `standardise`, in the features' unit: a feature that never varied is not blown up."""


class Tasks:
    """The source tasks of one seed.

    Args:
        pool: The source recordings, with the rule of drawing.
        signals: Their signals, and no others.
        window: Samples per window.
        request: The shape of the target's episodes; source tasks have its shots, and its ways where the source has as many classes.
        seed: What the draws are derived from.
    """

    def __init__(self, pool: Pool, signals: Signals, window: int, request: EpisodeRequest, seed: np.random.SeedSequence) -> None:
        self.pool, self.window, self.request = pool, window, request
        self._signals, self._seed = signals, seed

    @property
    def ways(self) -> int:
        """Classes per source task."""
        return min(self.request.ways, len(set(self.pool.labels)))

    def batches(self, tasks: int, queries: int | None = None) -> Iterator[TaskBatch]:
        """Batches of `tasks` tasks, endlessly; the windows begin anywhere in a recording.

        Args:
            tasks: Tasks per batch.
            queries: Query windows per class, where they shall be others than the target's.
        """
        request = replace(self.request, ways=self.ways, shots_rare=self.request.shots, queries=queries or self.request.queries)
        drawer = EpisodeDrawer(self.pool, self.window, request, jitter=True)
        rng = np.random.default_rng(self._seed)
        while True:
            episodes = [drawer.draw(rng) for _ in range(tasks)]
            yield TaskBatch(
                support=self._cut([e.support for e in episodes]),
                support_labels=torch.from_numpy(np.stack([e.support_labels for e in episodes])),
                query=self._cut([e.query for e in episodes]),
                query_labels=torch.from_numpy(np.stack([e.query_labels for e in episodes])),
            )

    def windows(self) -> dict[str, torch.Tensor]:
        """Every condition's windows (n, channel, sample), of all its recordings, on the grid of whole windows."""
        found: dict[str, list[NDArray[np.float32]]] = {}
        for index, (first, last) in enumerate(row_spans(self.pool).tolist()):
            starts = first + np.arange((last - first) // self.window, dtype=np.int64) * self.window
            rows = np.stack([np.full_like(starts, index), starts], 1)
            found.setdefault(self.pool.conditions[index], []).append(cut(self._signals, self.pool, rows, self.window))
        return {condition: torch.from_numpy(np.concatenate(windows)) for condition, windows in found.items()}

    def _cut(self, rows: list[NDArray[np.int64]]) -> torch.Tensor:
        windows = cut(self._signals, self.pool, np.concatenate(rows), self.window)
        return torch.from_numpy(windows).reshape(len(rows), -1, *windows.shape[1:])


def standardise(net: Net, tasks: Tasks) -> None:
    """Gives the net the mean of the source's features, and as scale their deviation within one condition, over its loads.

    Support and query of a class differ by load (at T3 by bearing), and that difference says nothing about the class: dividing
    by it, the diagonal of a within-class whitening, is what helped an untrained metric most of all that a source offers.
    """
    with torch.no_grad():
        groups = [net.frontend(windows) for windows in tasks.windows().values()]
    within = torch.cat([group - group.mean(0) for group in groups])
    net.mean.copy_(torch.cat(groups).mean(0))
    net.scale.copy_(within.std(0) + SCALE_FLOOR)
