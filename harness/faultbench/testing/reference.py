"""A small learner, front end and body: what front ends, backbones and compressors are put into, to be exported and run as in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from faultbench.artifact.format import Graphs
from faultbench.artifact.writer import write_artifact
from faultbench.errors import PluginError
from faultbench.learning.contracts import Budget, ExtraLoss, HostOnly, NetShape, Parts, State, TaskBatch
from faultbench.learning.loss import cross_entropy
from faultbench.learning.meta import meta_train
from faultbench.learning.net import Net, features_of
from faultbench.learning.stepwise import StepwiseLearner
from faultbench.learning.tasks import Tasks, standardise

FRAME = 64
"""Samples of a frame of `Spectrum`."""


class Spectrum(nn.Module):
    """Log power in 32 bins, averaged over frames without overlap: (n, channel, sample) to (n, channel, 32)."""

    dft: Tensor

    def __init__(self) -> None:
        super().__init__()
        turns = torch.arange(FRAME)[:, None] * torch.arange(1, FRAME // 2 + 1) / FRAME
        self.register_buffer("dft", torch.cat([(2 * torch.pi * turns).cos(), (2 * torch.pi * turns).sin()], 1), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """(n, channel, sample) to (n, channel, bin)."""
        frames = windows.reshape(*windows.shape[:-1], -1, FRAME) @ self.dft
        power = (frames * frames).reshape(*frames.shape[:-1], 2, -1).sum(-2).mean(-2)
        return 0.5 * torch.log(power + 1e-6)


class Halved(nn.Module):
    """Pooling by 2."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, channel, bin) to (n, channel, bin / 2); a maximum over a reshaped axis, whose gradient ONNX has."""
        return x.reshape(*x.shape[:-1], -1, 2).amax(-1)


def convolutions(features_shape: tuple[int, ...]) -> nn.Module:
    """A small convolutional body: (n, channel, bin) to (n, d)."""
    return nn.Sequential(
        nn.Conv1d(features_shape[0], 16, 3, padding=1),
        nn.ReLU(),
        Halved(),
        nn.Conv1d(16, 16, 3, padding=1),
        nn.ReLU(),
        Halved(),
        nn.Flatten(),
    )


class Reference(StepwiseLearner):
    """Softmax regression on a body's embedding, begun from zero: gradient steps on head and body together.

    Args:
        body: Makes the body, given the shape of the features.
        frontend: Makes the front end, given the shape; `Spectrum` where there is none.
        meta_trained: Whether `fit` meta-trains the body.
    """

    steps = 2
    RATE = 0.5

    def __init__(
        self,
        body: Callable[[tuple[int, ...]], nn.Module] = convolutions,
        frontend: Callable[[NetShape], nn.Module] | None = None,
        meta_trained: bool = True,
    ) -> None:
        self.body, self.frontend, self.meta_trained = body, frontend or (lambda _shape: Spectrum()), meta_trained

    def build(self, shape: NetShape, parts: Parts | None = None, seed: int = 0) -> Net:  # noqa: ARG002 - it names no parts
        """Front end and body."""
        frontend = self.frontend(shape)
        features_shape = features_of(frontend, shape.channels, shape.window)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Net(frontend, self.body(features_shape), features_shape)

    def fit(self, net: Net, tasks: Tasks, budget: Budget, extra_loss: ExtraLoss | None = None) -> Net:
        """Twenty steps on the source at most."""
        if not self.meta_trained:
            return net
        standardise(net, tasks)

        def loss(batch: TaskBatch) -> Tensor:
            mine = self.loss(net, batch)
            return mine if extra_loss is None else mine + extra_loss(net, batch)

        meta_train(net, loss, tasks.batches(2), steps=budget.steps(20), learning_rate=1e-3, progress=budget.progress)
        return net

    def initial(self, net: Net, ways: int) -> State:
        """The body's weights, and a head at zero."""
        with torch.no_grad():
            size = net.body(net.mean[None]).shape[1]
        return {**{f"body.{name}": p for name, p in net.body.named_parameters()}, "head": net.mean.new_zeros(ways, size)}

    def step(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """One gradient step."""
        g = grad(lambda theta: cross_entropy(self.logits(net, theta, features), labels))(dict(state))
        return {name: p - self.RATE / state["head"].shape[1] * g[name] for name, p in state.items()}

    def logits(self, net: Net, state: State, features: Tensor) -> Tensor:
        """A linear head."""
        body = {name.removeprefix("body."): p for name, p in state.items() if name.startswith("body.")}
        embedding: Tensor = functional_call(net.body, body, (features,))
        return embedding @ state["head"].T


def written(graphs: Graphs | HostOnly, shape: NetShape, folder: Path) -> Path:
    """Graphs as an artifact.

    Raises:
        PluginError: They break the format.
    """
    if isinstance(graphs, HostOnly):
        raise PluginError(f"it cannot be exported: {graphs.reason}")
    write_artifact(
        folder,
        graphs,
        ways=shape.ways,
        window=shape.window,
        channels=shape.channels,
        rate_hz=shape.rate_hz,
        learner="contract",
        compressor="none",
        provenance="0" * 64,
    )
    return folder
