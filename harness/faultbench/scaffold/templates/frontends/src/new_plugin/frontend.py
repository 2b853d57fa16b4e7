"""Log power in bands of equal width, averaged over frames."""

from __future__ import annotations

import torch
from faultbench.api import NetShape, NotApplicable, UsageError
from torch import Tensor, nn

FLOOR = 1e-6
"""Added to the power, in g^2, so that silence has a logarithm."""


class NewPlugin:
    """Front end: the power of each band, the mean over the frames of a window, as a logarithm.

    Args:
        bands: Bands of equal width, up to half the sampling rate.
        frame: Samples per frame.
    """

    def __init__(self, bands: int = 32, frame: int = 128) -> None:
        if frame % (2 * bands):
            raise UsageError(f"new-plugin: frame={frame} has no {bands} equal bands: choose a multiple of {2 * bands}")
        self.bands, self.frame = bands, frame

    def module(self, shape: NetShape) -> nn.Module:
        """A module from (n, channel, sample) to (n, channel, band), in nepers.

        Raises:
            NotApplicable: A channel is slow: it has a level in a window, and no power in bands.
            UsageError: The window does not hold whole frames.
        """
        if any(shape.slow):
            raise NotApplicable("new-plugin takes the power of every channel, and a slow one has none")
        if shape.window % self.frame:
            raise UsageError(f"new-plugin: a window of {shape.window} samples holds no whole frames: choose frame to divide it")
        return Bands(self.bands, self.frame)


class Bands(nn.Module):
    """See `NewPlugin.module`. It has no parameters, for a front end learns nothing, and sees each window alone."""

    dft: Tensor

    def __init__(self, bands: int, frame: int) -> None:
        super().__init__()
        self.bands, self.frame = bands, frame
        phase = 2 * torch.pi * torch.arange(frame)[:, None] * torch.arange(1, frame // 2 + 1) / frame
        hann = torch.hann_window(frame)[:, None]
        # A matrix product, for ONNX runtimes are quick at those. It is made anew with the module, hence not stored.
        self.register_buffer("dft", torch.cat([hann * phase.cos(), hann * phase.sin()], 1), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """(n, channel, sample) to (n, channel, band)."""
        frames = windows.reshape(*windows.shape[:2], -1, self.frame) @ self.dft
        power = (frames * frames).reshape(*frames.shape[:3], 2, -1).sum(3).mean(2)
        return 0.5 * torch.log(power.reshape(*power.shape[:2], self.bands, -1).mean(3) + FLOOR)
