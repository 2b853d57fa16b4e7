"""Source tasks as other machines and other noise would have shown them.

One source device is not a population: a net fitted to its transfer path fails at the next one. Each task is heard through
a random smooth equaliser, the same for all its windows, and some tasks in white noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from faultbench.learning.contracts import TaskBatch

EQUALISER_NEPERS = 0.8
"""Standard deviation of the equaliser's log gain at its knots."""
KNOTS = (5, 25)
"""How many knots an equaliser has, drawn evenly: from a broad tilt to the width of one structural mode."""
NOISY = 0.5
"""The share of tasks in noise."""
SNR_DB = (-5.0, 20.0)
"""Signal-to-noise ratios, drawn evenly."""


class Augmentation:
    """Equaliser and noise, drawn anew for every task.

    Every channel has a path and noise of its own; a slow one, which has a level and no spectrum, stays as it is.

    Args:
        seed: What the draws are derived from.
        slow: (channel,) which channels are slow; empty: none.
    """

    def __init__(self, seed: int, slow: Sequence[bool] = ()) -> None:
        self._rng = torch.Generator().manual_seed(seed)
        self._slow = tuple(slow)

    def __call__(self, batch: TaskBatch) -> TaskBatch:
        """The batch as another machine would have shown it."""
        channels, window = batch.support.shape[-2:]
        heard = [i for i in range(channels) if not any(self._slow[i : i + 1])]
        gains = torch.stack([torch.stack([self._equaliser(window // 2 + 1) for _ in heard]) for _ in batch.support])
        noisy = torch.rand(len(gains), generator=self._rng) < NOISY
        low, high = SNR_DB
        snr_db = low + (high - low) * torch.rand(len(gains), generator=self._rng)
        level = torch.where(noisy, 10 ** (-snr_db / 20), torch.zeros(()))
        return replace(batch, support=self._heard(batch.support, heard, gains, level), query=self._heard(batch.query, heard, gains, level))

    def _equaliser(self, bins: int) -> Tensor:
        """Gains (bin,): piecewise linear in log gain."""
        knots = int(torch.randint(KNOTS[0], KNOTS[1], (), generator=self._rng))
        heights = torch.randn(1, 1, knots, generator=self._rng) * EQUALISER_NEPERS
        return torch.nn.functional.interpolate(heights, bins, mode="linear", align_corners=True).flatten().exp()

    def _heard(self, windows: Tensor, heard: Sequence[int], gains: Tensor, level: Tensor) -> Tensor:
        """(task, window, channel, sample) with some channels through gains (task, heard, bin), in noise of `level` (task,) deviations."""
        coloured: Tensor = torch.fft.irfft(torch.fft.rfft(windows[:, :, list(heard)]) * gains[:, None], windows.shape[-1])
        deviation = coloured.std(-1, keepdim=True)
        noised = coloured + torch.randn(coloured.shape, generator=self._rng) * deviation * level[:, None, None, None]
        if len(heard) == windows.shape[2]:
            return noised
        result = windows.clone()
        result[:, :, list(heard)] = noised
        return result
