"""Softmax regression on the features, fitted to the support by gradient descent."""

from __future__ import annotations

from faultbench.api import (
    Budget,
    ExtraLoss,
    Net,
    NetShape,
    Parts,
    State,
    StepwiseLearner,
    Tasks,
    cross_entropy,
    features_of,
    standardise,
)
from torch import Tensor, nn
from torch.func import grad


class NewPlugin(StepwiseLearner):
    """A linear classifier of the front end's features, begun at zero.

    `initial`, `step` and `logits` are all that is adapted: `StepwiseLearner` makes of them what torch runs, and the graphs that a
    device runs. They see features, not raw windows.

    Args:
        steps: Gradient steps on the support.
        rate: Step size.
        frontend: What makes features of raw windows.
    """

    meta_trained = True
    """`fit` takes the features' means and deviations from the source."""

    def __init__(self, steps: int = 20, rate: float = 0.1, frontend: str = "welch") -> None:
        self.steps, self.rate, self.frontend = steps, rate, frontend

    def build(self, shape: NetShape, parts: Parts, seed: int) -> Net:
        """The front end, and no body. A learner with a body draws its weights here, from `seed` alone."""
        frontend = parts.frontend(self.frontend).module(shape)
        return Net(frontend, nn.Flatten(), features_of(frontend, shape.channels, shape.window))

    def fit(self, net: Net, tasks: Tasks, budget: Budget, extra_loss: ExtraLoss | None = None) -> Net:
        """Training on the source: here the standardisation of the features. `meta_train` trains by gradient."""
        standardise(net, tasks)
        return net

    def initial(self, net: Net, ways: int) -> State:
        """Weights (way, feature) and biases (way,) at zero."""
        return {"weight": net.mean.new_zeros(ways, net.mean.numel()), "bias": net.mean.new_zeros(ways)}

    def step(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """One step down the gradient of the support's loss. A row of zeros among the labels counts nothing."""
        gradient = grad(lambda theta: cross_entropy(self.logits(net, theta, features), labels))(dict(state))
        return {name: tensor - self.rate * gradient[name] for name, tensor in state.items()}

    def logits(self, net: Net, state: State, features: Tensor) -> Tensor:
        """(n, way), each row from that row's features alone."""
        return features.flatten(1) @ state["weight"].T + state["bias"]
