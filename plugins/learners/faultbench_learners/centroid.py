"""Nearest class mean: the reference that every trained learner has to beat."""

from __future__ import annotations

from torch import Tensor, nn

from faultbench.api import Budget, ExtraLoss, Net, NetShape, Parts, State, StepwiseLearner, Tasks, features_of


class Centroid(StepwiseLearner):
    """Assigns a query to the class whose mean of support features is nearest (Euclidean). Learns nothing from the source.

    Args:
        frontend: What makes features of raw windows.
    """

    steps = 1

    def __init__(self, frontend: str = "welch") -> None:
        self.frontend = frontend

    def build(self, shape: NetShape, parts: Parts, seed: int) -> Net:
        """The front end alone; the seed changes nothing."""
        frontend = parts.frontend(self.frontend).module(shape)
        return Net(frontend, nn.Flatten(), features_of(frontend, shape.channels, shape.window))

    def fit(self, net: Net, tasks: Tasks, budget: Budget, extra_loss: ExtraLoss | None = None) -> Net:
        """The net as it is: there is nothing to train."""
        return net

    def initial(self, net: Net, ways: int) -> State:
        """Means at zero, to be replaced: (way, feature)."""
        return {"means": net.mean.new_zeros(ways, net.mean.numel())}

    def step(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """The means of the support's features by class."""
        return {"means": (labels.T @ features.flatten(1)) / labels.sum(0)[:, None]}

    def logits(self, net: Net, state: State, features: Tensor) -> Tensor:
        """Squared distances, less what they have in common: 2 x.m - |m|^2."""
        means = state["means"]
        return 2 * features.flatten(1) @ means.T - (means * means).sum(1)
