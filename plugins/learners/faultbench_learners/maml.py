"""Model-agnostic meta-learning, second order (Finn, Abbeel & Levine 2017, arXiv 1703.03400, Algorithm 2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.func import functional_call, grad

from faultbench.api import (
    Augmentation,
    Budget,
    ExtraLoss,
    Net,
    NetShape,
    Parts,
    State,
    StepwiseLearner,
    TaskBatch,
    Tasks,
    cross_entropy,
    features_of,
    meta_train,
    standardise,
)

AGILITY = 10.0
"""Step sizes and sharpness are exp(AGILITY x parameter): Adam moves a parameter by about its learning rate a step, and a few
hundred steps of 0.001 would leave a plain logarithm where it was."""
TRAIN_QUERIES = 5
"""Query windows per class of a source task: more make a step slower, not better."""


class Maml(StepwiseLearner):
    """Learns a start theta from which a few gradient steps on the support make a good classifier.

    The head cannot be meta-learned (a class's number means nothing from one task to the next), and a random one costs
    most of what adaptation has to give. It begins from the support's prototypes (Triantafillou et al. 2020, arXiv
    1903.03096, section 3.2): logits at the start are squared distances to the class means. Features are centred on the
    support's mean (task normalisation: Bronskill et al. 2020, arXiv 2003.03284): a machine's transfer path adds the same to
    every log spectrum, and is gone. Step sizes are meta-learned per tensor (Antoniou et al. 2019, arXiv 1810.09502, "LSLR"
    without the dependence on the step).

    Args:
        inner_steps: Gradient steps when adapting.
        inner_lr: The step size alpha before meta-training.
        meta_steps: Optimiser steps of the meta-training.
        meta_batch: Tasks per optimiser step.
        meta_lr: The highest learning rate beta of the meta-training.
        augment: Whether source tasks are coloured and noised.
        frontend: What makes features of raw windows.
        backbone: From features to an embedding.
        width: Filters per layer.
    """

    meta_trained = True

    def __init__(
        self,
        inner_steps: int = 5,
        inner_lr: float = 0.1,
        meta_steps: int = 200,
        meta_batch: int = 4,
        meta_lr: float = 1e-3,
        augment: bool = True,
        frontend: str = "welch",
        backbone: str = "conv4",
        width: int = 32,
    ) -> None:
        self.steps, self.inner_lr = inner_steps, inner_lr
        self.meta_steps, self.meta_batch, self.meta_lr = meta_steps, meta_batch, meta_lr
        self.augment = augment
        self.frontend, self.backbone, self.width = frontend, backbone, width

    def build(self, shape: NetShape, parts: Parts, seed: int) -> Net:
        """Front end and randomly initialised backbone; step sizes and the head's sharpness at their start."""
        frontend = parts.frontend(self.frontend).module(shape)
        features_shape = features_of(frontend, shape.channels, shape.window)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = Net(frontend, parts.backbone(self.backbone).module(features_shape, self.width), features_shape)
        net.learn("sharpness", torch.tensor(0.0))
        for name in [*dict(net.body.named_parameters()), "weight", "bias"]:
            net.learn(f"alpha.{name}", torch.tensor(math.log(self.inner_lr) / AGILITY))
        return net

    def fit(self, net: Net, tasks: Tasks, budget: Budget, extra_loss: ExtraLoss | None = None) -> Net:
        """Algorithm 2 over source tasks, each coloured and noised anew."""
        standardise(net, tasks)
        coloured = Augmentation(budget.seed, tasks.slow)

        def meta_loss(batch: TaskBatch) -> Tensor:
            loss = self.loss(
                net, batch := coloured(batch) if self.augment else batch
            )  # the queries' loss at theta', through every inner step
            return loss if extra_loss is None else loss + extra_loss(net, batch)

        steps = budget.steps(self.meta_steps)
        batches = tasks.batches(self.meta_batch, queries=TRAIN_QUERIES)
        meta_train(net, meta_loss, batches, steps=steps, learning_rate=self.meta_lr, progress=budget.progress)
        return net

    def initial(self, net: Net, ways: int) -> State:
        """The meta-learned start; `fresh` says that centre and head are still to come from the support."""
        with torch.no_grad():
            size = net.body(net.mean[None]).shape[1]
        theta = {f"body.{name}": p for name, p in net.body.named_parameters()}
        theta |= {"head.weight": net.mean.new_zeros(ways, size), "head.bias": net.mean.new_zeros(ways)}
        return {**theta, "centre": torch.zeros_like(net.mean), "fresh": net.mean.new_ones(())}

    def step(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """One inner step, before the first of which centre and head come from the support."""
        fresh = state["fresh"]
        state = {**state, "centre": fresh * self.centre(features, labels) + (1 - fresh) * state["centre"]}
        for name, start in self.prototypes(net, state, features, labels).items():
            state[name] = fresh * start + (1 - fresh) * state[name]
        return {**self.descend(net, state, features, labels), "fresh": fresh * 0}

    def adapted(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """All inner steps; centre and prototypes are computed once, where a single graph computes them at every step."""
        state = {**state, "centre": self.centre(features, labels), "fresh": state["fresh"] * 0}
        state |= self.prototypes(net, state, features, labels)
        for _ in range(self.steps):
            state = self.descend(net, state, features, labels)
        return state

    def descend(self, net: Net, state: State, features: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Algorithm 2, line 6: theta' = theta - alpha grad L(theta); what is not of theta stays."""
        theta = {name: p for name, p in state.items() if name.startswith(("body.", "head."))}
        g = grad(lambda theta: cross_entropy(self.logits(net, {**state, **theta}, features), labels))(theta)
        return {**state, **{name: p - self.alpha(net, name) * g[name] for name, p in theta.items()}}

    def alpha(self, net: Net, name: str) -> Tensor:
        """The step size of a tensor of theta."""
        return torch.exp(AGILITY * net.learned(f"alpha.{name.split('.', 1)[1]}"))

    def centre(self, features: Tensor, labels: Tensor) -> Tensor:
        """The mean of the support's features, padding left out."""
        return torch.tensordot(labels.sum(1), features, 1) / labels.sum()

    def prototypes(self, net: Net, state: State, features: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Weights 2 c and biases -|c|^2 of the class means c, times the sharpness: logits as squared distances."""
        sharpness = torch.exp(AGILITY * net.learned("sharpness"))
        means = (labels.T @ self.embed(net, state, features)) / labels.sum(0)[:, None]
        return {"head.weight": 2 * sharpness * means, "head.bias": -sharpness * (means * means).sum(1)}

    def embed(self, net: Net, state: State, features: Tensor) -> Tensor:
        """(n, d)."""
        body = {name.removeprefix("body."): p for name, p in state.items() if name.startswith("body.")}
        embedding: Tensor = functional_call(net.body, body, (features - state["centre"],))
        return embedding

    def logits(self, net: Net, state: State, features: Tensor) -> Tensor:
        """A linear head on the body's embedding."""
        return self.embed(net, state, features) @ state["head.weight"].T + state["head.bias"]
