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
from faultbench.learning.contracts import Physics, TaskBatch
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
        slow: (channel,) which channels have a level and no spectrum, as in `NetShape`.
    """

    def __init__(
        self,
        pool: Pool,
        signals: Signals,
        window: int,
        request: EpisodeRequest,
        seed: np.random.SeedSequence,
        slow: tuple[bool, ...] = (),
    ) -> None:
        self.pool, self.window, self.request, self.slow = pool, window, request, slow
        self._signals, self._seed = signals, seed
        self._known = known_physics(pool)

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
            support, query = (np.stack([getattr(e, side) for e in episodes]) for side in ("support", "query"))
            yield TaskBatch(
                support=self._cut(support),
                support_labels=torch.from_numpy(np.stack([e.support_labels for e in episodes])),
                query=self._cut(query),
                query_labels=torch.from_numpy(np.stack([e.query_labels for e in episodes])),
                support_physics=self._physics(support),
                query_physics=self._physics(query),
            )

    def windows(self) -> dict[str, tuple[torch.Tensor, Physics | None]]:
        """Every condition's windows (n, channel, sample), of all its recordings, on the grid of whole windows, and their physics."""
        found: dict[str, list[NDArray[np.int64]]] = {}
        for index, (first, last) in enumerate(row_spans(self.pool).tolist()):
            starts = first + np.arange((last - first) // self.window, dtype=np.int64) * self.window
            found.setdefault(self.pool.conditions[index], []).append(np.stack([np.full_like(starts, index), starts], 1))
        rows = {condition: np.concatenate(parts) for condition, parts in found.items()}
        return {
            condition: (torch.from_numpy(cut(self._signals, self.pool, where, self.window)), self._physics(where))
            for condition, where in rows.items()
        }

    def _cut(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """(task, window, 2) to (task, window, channel, sample)."""
        windows = cut(self._signals, self.pool, rows.reshape(-1, 2), self.window)
        return torch.from_numpy(windows).reshape(*rows.shape[:2], *windows.shape[1:])

    def _physics(self, rows: NDArray[np.int64]) -> Physics | None:
        """What is known at windows (..., 2)."""
        if self._known is None:
            return None
        known = torch.from_numpy(self._known[rows[..., 0]])
        return Physics(known[..., 0], known[..., 1:])


def known_physics(pool: Pool) -> NDArray[np.float32] | None:
    """(recording, 5): speed in rev/min, BPFO, BPFI, BSF and FTF per turn; None where they are not known of every recording."""
    known = [(r.speed_rpm, *r.geometry.orders) for r in pool.recordings if r.speed_rpm is not None and r.geometry is not None]
    return np.array(known, dtype=np.float32) if len(known) == len(pool.recordings) else None


def standardise(net: Net, tasks: Tasks) -> None:
    """Gives the net the mean of the source's features, and as scale their deviation within one condition, over its loads.

    Support and query of a class differ by load (at T3 by bearing), and that difference says nothing about the class: dividing
    by it, the diagonal of a within-class whitening, is what helped an untrained metric most of all that a source offers.
    """
    with torch.no_grad():
        groups = [net.raw_features(windows, physics) for windows, physics in tasks.windows().values()]
    within = torch.cat([group - group.mean(0) for group in groups])
    net.mean.copy_(torch.cat(groups).mean(0))
    net.scale.copy_(within.std(0) + SCALE_FLOOR)
