"""Compressors, each broken in one way."""

import random

import torch
from torch import nn

from faultbench.api import Net, NotApplicable
from faultbench.testing.reference import Reference


class Good:
    """Sets the smallest half of each filter bank's weights to zero."""

    def compress(self, net, ctx):
        weights = [m.weight for m in net.body.modules() if isinstance(m, nn.Conv1d)]
        if not weights:
            raise NotApplicable("nothing to thin out: the net has no filters")
        with torch.no_grad():
            for weight in weights:
                weight[weight.abs() < weight.abs().median()] = 0
        return self.spoil(net, {"zeros": 0.5}, ctx)

    def spoil(self, net, achieved, ctx):
        return net, achieved


class NetAlone(Good):
    def spoil(self, net, achieved, ctx):
        return net


class Unnamed(Good):
    def spoil(self, net, achieved, ctx):
        return net, {0: 0.5}


class SilentlyNot(Good):
    def compress(self, net, ctx):
        raise NotApplicable("")


class Never(Good):
    def compress(self, net, ctx):
        raise NotApplicable("nothing to do: it is Monday")


class DefaultLearnerAlone(Good):
    def compress(self, net, ctx):
        if isinstance(ctx.learner, Reference):
            raise NotApplicable("nothing to do: it knows other nets only")
        return net, {}


class Tensors(Good):
    def spoil(self, net, achieved, ctx):
        return net, {"zeros": torch.tensor(0.5)}


class NumberedLabel(Good):
    def spoil(self, net, achieved, ctx):
        return net, {"label": 3}


class Drawn(Good):
    def spoil(self, net, achieved, ctx):
        with torch.no_grad():
            next(net.body.parameters()).add_(1e-3 * random.SystemRandom().random())
        return net, achieved


class TouchesTheScale(Good):
    def spoil(self, net, achieved, ctx):
        net.frontend.dft *= 2
        return net, achieved


class NewLayer(Good):
    def spoil(self, net, achieved, ctx):
        net.body.append(nn.Linear(128, 8))
        return net, achieved


class InAnAttribute(Good):
    def spoil(self, net, achieved, ctx):
        body = net.body

        class Doubled(nn.Sequential):
            offset = 0.0

            def forward(self, x):
                return super().forward(x) + self.offset

        kept = Doubled(*body)
        kept.offset = torch.linspace(-30, 30, 128)
        smaller = Net(net.frontend, kept, net.features_shape)
        smaller.mean.copy_(net.mean)
        smaller.scale.copy_(net.scale)
        return smaller, achieved


class NoGraph(Good):
    def spoil(self, net, achieved, ctx):
        class Undone(nn.Sequential):
            def forward(self, x):
                return super().forward(x) * (1.0 if float(x.sum()) > 0 else 1.5)

        smaller = Net(net.frontend, Undone(*net.body), net.features_shape)
        smaller.mean.copy_(net.mean)
        smaller.scale.copy_(net.scale)
        return smaller, achieved


class AllZero(Good):
    def spoil(self, net, achieved, ctx):
        with torch.no_grad():
            for p in net.body.parameters():
                p.zero_()
        return net, achieved


class Boasts(Good):
    def compress(self, net, ctx):
        return net, {"removed": 0.9}


class Crashes(Good):
    def compress(self, net, ctx):
        return net.body[0].weight.shape


class ReturnsNothing(Good):
    def spoil(self, net, achieved, ctx):
        return None, achieved


class Exits(Good):
    def spoil(self, net, achieved, ctx):
        raise SystemExit(1)
