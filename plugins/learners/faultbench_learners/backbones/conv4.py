"""Conv4, the few-shot literature's backbone, in one dimension."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.api import UsageError

BLOCKS = 4
EMBEDDING_NORM = 4.0
"""The norm of an embedding whose components have mean square 1."""


class Conv4:
    """Backbone: four blocks of convolution, ReLU and pooling by 2 (Vinyals et al. 2016, arXiv 1606.04080, in one dimension).

    Instead of batch normalisation, whose statistics would leak from one window of a batch to another, the weights are
    standardised (Qiao et al. 2019, arXiv 1903.10520; scaled as in Brock et al. 2021, arXiv 2101.08692): the norm folds into
    the convolution, so that the deployed net has none.

    Args:
        skip: Whether the features themselves stand beside the embedding, so that the net begins no worse than they are.
    """

    def __init__(self, skip: bool = True) -> None:
        self.skip = skip

    def module(self, features_shape: tuple[int, ...], width: int) -> nn.Module:
        """A module from (n, channel, bin) to (n, d), d = width x bin / 16, and channel x bin more with `skip`.

        Raises:
            UsageError: The features do not fit four poolings by 2.
        """
        if len(features_shape) != 2 or features_shape[1] % 2**BLOCKS:
            raise UsageError(f"conv4: features of shape {features_shape} cannot be halved {BLOCKS} times: choose another front end")
        channels = [features_shape[0], *[width] * BLOCKS]
        blocks = nn.Sequential(*(Block(a, b) for a, b in itertools.pairwise(channels)))
        return WithSkip(blocks) if self.skip else nn.Sequential(blocks, Embedding())


class Embedding(nn.Module):
    """Flattens, and scales by the root of the number of components, so that a distance does not grow with it."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, channel, bin) to (n, channel x bin)."""
        flat = x.flatten(1)
        return flat * (EMBEDDING_NORM / flat.shape[1] ** 0.5)


class WithSkip(nn.Module):
    """Features and embedding side by side; the embedding's weight is learned from a start at which the features rule."""

    def __init__(self, blocks: nn.Module) -> None:
        super().__init__()
        self.blocks, self.embedding = blocks, Embedding()
        self.weight = nn.Parameter(torch.tensor(0.3))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channel, bin) to (n, d)."""
        return torch.cat([self.embedding(x), self.embedding(self.blocks(x)) * self.weight], 1)


class Block(nn.Module):
    """Convolution with standardised weights, ReLU, pooling by 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = StandardisedConv(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, bin) to (n, outputs, bin / 2)."""
        # A maximum over a reshaped axis, not MaxPool: its gradient has an ONNX counterpart.
        return F.relu(self.conv(x)).unflatten(-1, (-1, 2)).amax(-1)


class StandardisedConv(nn.Conv1d):
    """A convolution whose filters have mean 0 and variance 1 / fan-in as they act."""

    RELU_GAIN = (2 / (1 - 1 / torch.pi)) ** 0.5
    """Restores unit variance behind a ReLU (Brock et al. 2021, section 3)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int) -> None:
        super().__init__(inputs, outputs, kernel, padding=padding)
        nn.init.kaiming_normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, sample) to (n, outputs, sample)."""
        return F.conv1d(x, self.standardised(), self.bias, padding=self.padding)

    def standardised(self) -> Tensor:
        """The weights as they act, (outputs, inputs, kernel)."""
        centred = self.weight - self.weight.mean((1, 2), keepdim=True)
        return centred * torch.rsqrt((centred * centred).sum((1, 2), keepdim=True) + 1e-8) * self.RELU_GAIN
