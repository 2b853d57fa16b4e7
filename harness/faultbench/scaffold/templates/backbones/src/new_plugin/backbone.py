"""A small convolutional net in one dimension."""

from __future__ import annotations

import itertools

from faultbench.api import UsageError
from torch import Tensor, nn
from torch.nn import functional as F


class NewPlugin:
    """Backbone: blocks of convolution, ReLU and pooling by 2.

    What a device adapts has to have gradients that ONNX has operators for: plain convolutions of stride 1, matrix products, element-wise
    functions, sums and maxima over an axis. There is no batch normalisation, whose statistics would let one window know of another.

    Args:
        blocks: How many.
    """

    def __init__(self, blocks: int = 2) -> None:
        self.blocks = blocks

    def module(self, features_shape: tuple[int, ...], width: int) -> nn.Module:
        """A module from (n, channel, bin) to (n, width x bin / 2^blocks). Weights are drawn by torch's global generator.

        Raises:
            UsageError: The features do not fit.
        """
        if len(features_shape) != 2 or features_shape[1] % 2**self.blocks:
            raise UsageError(
                f"new-plugin: features of shape {features_shape} cannot be halved {self.blocks} times: choose another front end"
            )
        channels = [features_shape[0], *[width] * self.blocks]
        return nn.Sequential(*(Block(a, b) for a, b in itertools.pairwise(channels)), nn.Flatten())


class Block(nn.Module):
    """Convolution, ReLU, pooling by 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, bin) to (n, outputs, bin / 2)."""
        active: Tensor = F.relu(self.conv(x))
        # A maximum over a reshaped axis, not MaxPool: its gradient has an ONNX counterpart.
        return active.reshape(*active.shape[:2], -1, 2).amax(3)
