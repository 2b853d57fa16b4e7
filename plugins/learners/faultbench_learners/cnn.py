"""The traditional CNN: from scratch on the few labelled windows of the new device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call, grad

from faultbench.api import Budget, ExtraLoss, Net, NetShape, Parts, State, StepwiseLearner, Tasks, cross_entropy, features_of

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants as published."""


class Cnn(StepwiseLearner):
    """A convolutional net trained on the support alone, full batch, by Adam (Kingma & Ba 2015, Algorithm 1).

    Front end and backbone are those of `maml`. What differs is all that `maml` does beside: meta-training, standardisation by
    the source, centring on the support, and a head from prototypes.

    Args:
        steps: Adam steps.
        lr: Learning rate.
        frontend: What makes features of raw windows.
        backbone: From features to an embedding.
        width: Filters per layer.
    """

    def __init__(self, steps: int = 20, lr: float = 0.003, frontend: str = "welch", backbone: str = "conv4", width: int = 32) -> None:
        self.steps, self.lr = steps, lr
        self.frontend, self.backbone, self.width = frontend, backbone, width

    def build(self, shape: NetShape, parts: Parts, seed: int) -> Net:
        """Front end and randomly initialised backbone."""
        frontend = parts.frontend(self.frontend).module(shape)
        features_shape = features_of(frontend, shape.channels, shape.window)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Net(frontend, parts.backbone(self.backbone).module(features_shape, self.width), features_shape)

    def fit(self, net: Net, tasks: Tasks, budget: Budget, extra_loss: ExtraLoss | None = None) -> Net:
        """The net as it is: a traditional CNN sees no source data."""
        return net

    def initial(self, net: Net, ways: int) -> State:
        """The random weights theta with a head at zero, and Adam's moments m, v at step t = 0."""
        with torch.no_grad():
            size = net.body(net.mean[None]).shape[1]
        theta = {f"body.{name}": p for name, p in net.body.named_parameters()}
        # No bias: its gradient is 0 at the start but for rounding, which Adam would blow up to a whole step.
        theta["head.weight"] = net.mean.new_zeros(ways, size)
        moments = {f"{moment}.{name}": torch.zeros_like(p) for moment in "mv" for name, p in theta.items()}
        return {**theta, **moments, "t": net.mean.new_zeros(())}

    def step(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """One step of Adam."""
        theta = {name: p for name, p in state.items() if name.startswith(("body.", "head."))}
        g = grad(lambda theta: cross_entropy(self.logits(net, theta, features), labels))(theta)
        t = state["t"] + 1
        after = {"t": t}
        for name in theta:
            m = BETA1 * state[f"m.{name}"] + (1 - BETA1) * g[name]
            v = BETA2 * state[f"v.{name}"] + (1 - BETA2) * g[name] * g[name]
            update = (m / (1 - BETA1**t)) / (torch.sqrt(v / (1 - BETA2**t)) + EPSILON)
            after |= {name: theta[name] - self.lr * update, f"m.{name}": m, f"v.{name}": v}
        return after

    def logits(self, net: Net, state: State, features: Tensor) -> Tensor:
        """A linear head on the body's embedding."""
        body = {name.removeprefix("body."): p for name, p in state.items() if name.startswith("body.")}
        return functional_call(net.body, body, (features,)) @ state["head.weight"].T
