"""What front ends make of a slow channel, a temperature say: it has a level in a window, and no spectrum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faultbench.api import NetShape


class Levels(nn.Module):
    """Puts the level of every slow channel in the place of its features: in the first bin, the other bins at 0.

    So a level is one feature beside the bins of the other channels, whatever their number.

    Args:
        shape: What the net is built for.
        unit: How much of the channel's unit weighs as much as one neper of a spectrum.
    """

    def __init__(self, shape: NetShape, unit: float) -> None:
        super().__init__()
        self.any, self.unit = any(shape.slow), unit
        slow = torch.tensor([*shape.slow, *[False] * (shape.channels - len(shape.slow))])
        self.register_buffer("slow", slow[:, None], persistent=False)

    def forward(self, features: Tensor, windows: Tensor) -> Tensor:
        """Features (n, channel, bin) and raw windows (n, channel, sample) to features (n, channel, bin)."""
        if not self.any:
            return features
        level = windows.mean(-1, keepdim=True) / self.unit
        return torch.where(self.slow, torch.nn.functional.pad(level, (0, features.shape[-1] - 1)), features)
