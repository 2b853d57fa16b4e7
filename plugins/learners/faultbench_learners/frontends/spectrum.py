"""The logarithm of one window's power spectrum, in a number of bands."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faultbench.api import NetShape, UsageError
from faultbench_learners.frontends.dft import Dft
from faultbench_learners.frontends.slow import Levels
from faultbench_learners.frontends.welch import FLOOR, TINY


class Spectrum:
    """Front end: log power spectrum of the whole window, Hann, in bands of equal width.

    Its resolution is the window's, where Welch's method gives resolution away for less variance: bands that are wide against
    the window's resolution are averages over frequency, those of Welch over time.

    Args:
        bins: Bands from 0 to half the rate.
        slow_unit: How much of a slow channel's unit weighs as much as one neper.
    """

    def __init__(self, bins: int = 256, slow_unit: float = 10.0) -> None:
        self.bins, self.slow_unit = bins, slow_unit

    def module(self, shape: NetShape) -> nn.Module:
        """A module from (n, channel, sample) to (n, channel, bin), in nepers; of a slow channel its level (`slow.Levels`).

        Raises:
            UsageError: The window does not hold whole bands.
        """
        if shape.window % (2 * self.bins):
            raise UsageError(f"spectrum: a window of {shape.window} samples has no {self.bins} bands of equal width: choose other bins")
        return _Spectrum(shape, self.bins, self.slow_unit)


class _Spectrum(nn.Module):
    """See `Spectrum.module`."""

    def __init__(self, shape: NetShape, bins: int, slow_unit: float) -> None:
        super().__init__()
        self.bins, self.dft, self.levels = bins, Dft(shape.window), Levels(shape, slow_unit)
        self.register_buffer("hann", torch.hann_window(shape.window, periodic=True), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """(n, channel, sample) to (n, channel, bin)."""
        centred = windows - windows.mean(-1, keepdim=True)
        scaled = centred * torch.rsqrt((centred * centred).mean(-1, keepdim=True) + TINY)
        re, im = self.dft(scaled * self.hann)
        half = slice(1, windows.shape[-1] // 2 + 1)
        power = (re * re + im * im)[..., half].unflatten(-1, (self.bins, -1)).mean(-1)
        features = 0.5 * torch.log(power / (power.mean(-1, keepdim=True) + TINY) + FLOOR)
        return self.levels(features, windows)
