"""The logarithm of Welch's averaged periodogram, with the DFT as one matrix product."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faultbench.api import NetShape, UsageError
from faultbench_learners.frontends.slow import Levels

FLOOR = 1e-5
"""Added to the normalised power: 50 dB under the mean, below any accelerometer's noise in these bands."""

TINY = 1e-20
"""Added where a constant window (padding, a dead sensor) would be divided by 0."""


class Welch:
    """Front end: log power spectral density (Welch 1967, IEEE Trans. Audio Electroacoust. 15(2)).

    Averaging short segments lowers the variance of the noise, and their coarse resolution forgives the shift of lines with
    the shaft's speed.

    Args:
        segment: Samples per Hann segment; `segment / 2` bins come out.
        overlap: Segments that cover one sample: 2 is the usual half overlap.
        slow_unit: How much of a slow channel's unit weighs as much as one neper.
    """

    def __init__(self, segment: int = 256, overlap: int = 2, slow_unit: float = 10.0) -> None:
        if segment % overlap:
            raise UsageError(f"welch: segment={segment} is no multiple of overlap={overlap}: choose one that is")
        self.segment, self.overlap, self.slow_unit = segment, overlap, slow_unit

    def module(self, shape: NetShape) -> nn.Module:
        """A module from (n, channel, sample) to (n, channel, segment / 2), in nepers, mean power 1 before the logarithm.

        Each channel has a spectrum of its own; of a slow one there is its level instead (`slow.Levels`).

        Raises:
            UsageError: The window does not hold whole hops.
        """
        hop = self.segment // self.overlap
        if shape.window % hop or shape.window < self.segment:
            raise UsageError(f"welch: a window of {shape.window} samples does not hold whole hops of {hop}: choose another segment")
        return _Welch(shape, self.segment, hop, self.slow_unit)


class _Welch(nn.Module):
    """See `Welch.module`."""

    def __init__(self, shape: NetShape, segment: int, hop: int, slow_unit: float) -> None:
        super().__init__()
        self.hop, self.overlap, self.levels = hop, segment // hop, Levels(shape, slow_unit)
        sample = torch.arange(segment, dtype=torch.float64)
        bins = torch.arange(1, segment // 2 + 1, dtype=torch.float64)
        phase = 2 * torch.pi * sample[:, None] * bins / segment
        hann = torch.hann_window(segment, periodic=True, dtype=torch.float64)[:, None]
        self.register_buffer("dft", torch.cat([hann * phase.cos(), hann * phase.sin()], 1).float(), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """(n, channel, sample) to (n, channel, bin)."""
        centred = windows - windows.mean(-1, keepdim=True)
        # Dividing first keeps the powers near 1, whatever the unit: float32 has no room to lose.
        scaled = centred * torch.rsqrt((centred * centred).mean(-1, keepdim=True) + TINY)
        blocks = scaled.unflatten(-1, (-1, self.hop))
        count = blocks.shape[-2] - self.overlap + 1
        frames = torch.cat([blocks[..., i : i + count, :] for i in range(self.overlap)], -1)
        spectrum = (frames @ self.dft).unflatten(-1, (2, -1))
        power = (spectrum * spectrum).sum(-2).mean(-2)
        return self.levels(0.5 * torch.log(power / (power.mean(-1, keepdim=True) + TINY) + FLOOR), windows)
