"""Parts that are good, odd or broken."""

import torch

from faultbench.api import CellError, HostOnly, Net, NotApplicable, UsageError
from faultbench.testing.artifacts import centroid_graphs
from faultbench_targets.x86 import X86


class Toy:
    """A learner whose graphs are class means of log energies."""

    meta_trained = False

    def __init__(self, mood="good"):
        self.mood = mood

    def build(self, shape, parts, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Net(torch.nn.Identity(), torch.nn.Linear(shape.window, 2), (shape.channels, shape.window))

    def fit(self, net, tasks, budget, extra_loss=None):
        if self.mood == "broken":
            raise ZeroDivisionError("on purpose")
        if self.mood == "interrupted":
            raise KeyboardInterrupt
        if self.mood == "refused":
            raise UsageError("toy: the mood is bad: choose another")
        batch = next(tasks.batches(1))
        noise = torch.randn(2) if self.mood == "random" else torch.zeros(2)
        with torch.no_grad():
            net.body.bias.copy_(batch.support.mean() + noise)
        budget.progress(1, 1)
        return net

    def export(self, net, shape):
        if self.mood == "host-only":
            return HostOnly("it is a forest")
        return centroid_graphs(shape.ways, shape.window, shape.channels, shape.support_rows)


class Warmth:
    """A front end that knows slow channels, and hears nothing of the others."""

    def module(self, shape):
        return _Means()


class _Means(torch.nn.Module):
    def forward(self, windows):
        return windows.mean(-1, keepdim=True)


class Away(X86):
    def probe(self):
        raise CellError("away: the gateway does not answer: switch it on")


class Shrink:
    def compress(self, net, ctx):
        return ctx.fit(net), {"removed": 0.5, "label": "structure only"}


class Never:
    def compress(self, net, ctx):
        raise NotApplicable("nothing to remove")
