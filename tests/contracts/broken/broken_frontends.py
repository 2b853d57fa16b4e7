"""Front ends, each broken in one way."""

import torch
from torch import nn

from faultbench.api import UsageError
from faultbench.testing.reference import FRAME, Spectrum


class Plain(Spectrum):
    """Log power in 32 bins."""

    def forward(self, windows):
        return self.spoil(super().forward(windows - windows.mean(-1, keepdim=True)), windows)

    def spoil(self, features, windows):
        return features


class Good:
    """Makes modules of the class `Made`."""

    Made = Plain

    def module(self, shape):
        if shape.window % FRAME:
            raise UsageError(f"good: {shape.window} samples are no whole frames: take a multiple of {FRAME}")
        return self.Made()


class RefusesAll(Good):
    def module(self, shape):
        raise UsageError("refuses: too short: take a longer window")


class NoModule(Good):
    def module(self, shape):
        return lambda windows: windows


class AlwaysPhysics(Good):
    class Made(Plain):
        physics = True

        def forward(self, windows, speed_rpm, orders):
            return super().forward(windows) * speed_rpm[:, None, None]


class Double(Good):
    class Made(Plain):
        def spoil(self, features, windows):
            return features.double()


class OneRow(Good):
    class Made(Plain):
        def spoil(self, features, windows):
            return features.mean(0)


class LogOfSilence(Good):
    class Made(Plain):
        def spoil(self, features, windows):
            return features + torch.log(windows.std(-1, keepdim=True))


class Drawn(Good):
    class Made(Plain):
        def __init__(self):
            super().__init__()
            self.register_buffer("filters", torch.randn(32, 32))

        def spoil(self, features, windows):
            return features @ self.filters


class Counts(Good):
    class Made(Plain):
        calls = 0

        def spoil(self, features, windows):
            self.calls += 1
            return features + self.calls


class OverTheBatch(Good):
    class Made(Plain):
        def spoil(self, features, windows):
            return features - features.mean(0)


class Trained(Good):
    class Made(Plain):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(32))

        def spoil(self, features, windows):
            return features * self.gain


class OtherInTheGraph(Good):
    class Made(Plain):
        def spoil(self, features, windows):
            return features * (2.0 if torch.compiler.is_exporting() else 1.0)


class NoGraph(Good):
    class Made(Plain):
        def spoil(self, features, windows):
            return features * (1.0 if float(windows.sum()) > 0 else 1.5)


class ReturnsNothing(Good):
    def module(self, shape):
        return None


class ExitingModule(Plain):
    def forward(self, windows):
        raise SystemExit(1)


class Exits(Good):
    Made = ExitingModule
