"""Backbones, each broken in one way."""

import random

import torch
from torch import nn

from faultbench.api import UsageError
from faultbench.testing.reference import Halved


class Net(nn.Sequential):
    """One convolution."""

    def __init__(self, inputs, width, *more):
        super().__init__(nn.Conv1d(inputs, width, 3, padding=1), nn.ReLU(), Halved(), *more, nn.Flatten())


class Good:
    def module(self, features_shape, width):
        if len(features_shape) != 2 or features_shape[1] % 2:
            raise UsageError(f"good: features {features_shape} cannot be halved: take another front end")
        return self.made(features_shape[0], width)

    def made(self, inputs, width):
        return Net(inputs, width)


class RefusesAll(Good):
    def module(self, features_shape, width):
        raise UsageError("refuses: no such features: take another front end")


class NoModule(Good):
    def made(self, inputs, width):
        return width


class Unflattened(Good):
    def made(self, inputs, width):
        return nn.Sequential(nn.Conv1d(inputs, width, 3, padding=1), nn.ReLU())


class OverZero(Good):
    def made(self, inputs, width):
        class Scaled(Net):
            def forward(self, x):
                return super().forward(x) / x.abs().mean((1, 2))[:, None]

        return Scaled(inputs, width)


class BatchNorm(Good):
    def made(self, inputs, width):
        return Net(inputs, width, nn.BatchNorm1d(width))


class Dropout(Good):
    def made(self, inputs, width):
        return Net(inputs, width, nn.Dropout(0.1))


class DrawsElsewhere(Good):
    def made(self, inputs, width):
        net = Net(inputs, width)
        with torch.no_grad():
            net[0].bias.fill_(random.random())
        return net


class OwnSeed(Good):
    def made(self, inputs, width):
        torch.manual_seed(42)
        return Net(inputs, width)


class OneWidth(Good):
    def made(self, inputs, width):
        return Net(inputs, 8)


class Idle(Good):
    def made(self, inputs, width):
        net = Net(inputs, width)
        net.idle = nn.Parameter(torch.zeros(3))
        net.forward = lambda x: nn.Sequential(*list(net)[:4])(x)
        return net


class RootOfZero(Good):
    def made(self, inputs, width):
        class Root(Net):
            def forward(self, x):
                return super().forward(x) + torch.sqrt((self[0].weight * 0).sum())

        return Root(inputs, width)


class Forgets(Good):
    def made(self, inputs, width):
        class Turned(Net):
            turn = torch.randn(())

            def __init__(self, *args):
                super().__init__(*args)
                self.turn = torch.randn(())

            def forward(self, x):
                return super().forward(x) + self.turn

        return Turned(inputs, width)


class Strided(Good):
    def made(self, inputs, width):
        return nn.Sequential(nn.Conv1d(inputs, width, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())


class OtherInTheGraph(Good):
    def made(self, inputs, width):
        class Other(Net):
            def forward(self, x):
                return super().forward(x) * (1.1 if torch.compiler.is_exporting() else 1.0)

        return Other(inputs, width)


class ReturnsNothing(Good):
    def module(self, features_shape, width):
        return None
