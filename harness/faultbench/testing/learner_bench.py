"""A learner on the bench: built, trained a little on a made-up source, adapted to an episode of another machine, exported."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from faultbench.artifact.format import PHYSICS, Graphs
from faultbench.artifact.runner import Artifact
from faultbench.learning.contracts import Budget, ExtraLoss, HostOnly, Learner, NetShape, State
from faultbench.learning.net import Net
from faultbench.learning.parts import RegistryParts
from faultbench.learning.repeatable import repeatable
from faultbench.testing import bench
from faultbench.testing.bench import once
from faultbench.testing.checks import NotAsked, require, returned
from faultbench.testing.episodes import SHAPE, CountedTasks, Task, source_tasks, target_task
from faultbench.testing.reference import written

LITTLE, MORE = 0.02, 0.06
"""Shares of the full budget that checks train for."""
CLOSE = 1e-3
"""How far logits may be from one another that are promised to be equal, relative to the largest: float32 in another order."""


class Bench(bench.Bench):
    """A learner, built and trained a little on a made-up source."""

    part: Learner

    @once
    def built(self) -> Net:
        """A net from seed 1."""
        return self.build(1)

    @once
    def trained(self) -> Net:
        """The net after a little training, by the instance that is then asked to adapt."""
        return self.train(LITTLE, learner=self.part)[0]

    @once
    def task(self) -> Task:
        """An episode of another machine."""
        return target_task()

    @once
    def state(self) -> State:
        """The state after adapting to the episode."""
        return self.adapt(self.task)

    @once
    def logits(self) -> Tensor:
        """The answers to the episode's queries."""
        return self.predict(self.state, self.task)

    @once
    def exported(self) -> tuple[Net, Graphs | HostOnly]:
        """A copy of the trained net, and what export made of it."""
        net = copy.deepcopy(self.trained)
        with repeatable():
            return net, self.part.export(net, SHAPE)

    @property
    def graphs(self) -> Graphs:
        """The exported graphs."""
        _, graphs = self.exported
        if isinstance(graphs, HostOnly):
            raise NotAsked(f"it runs on the host only: {graphs.reason}")
        require(isinstance(graphs, Graphs), f"export returns {type(graphs).__name__}", "return Graphs, or HostOnly with the reason")
        return graphs

    @once
    def artifact(self) -> Path:
        """The artifact on disk."""
        return written(self.graphs, SHAPE, self.folder("artifact"))

    def build(self, seed: int, shape: NetShape = SHAPE, learner: Learner | None = None) -> Net:
        """A net from a seed, whatever the global random states are."""
        return returned((learner or self.part).build(shape, RegistryParts(self.registry), seed), Net, "build", "return a Net")

    def train(
        self, scale: float, extra_loss: ExtraLoss | None = None, learner: Learner | None = None
    ) -> tuple[Net, CountedTasks, list[tuple[int, int]]]:
        """A net trained for a share of the full budget, the tasks it took, and what it said of its progress."""
        said: list[tuple[int, int]] = []
        tasks = source_tasks()
        budget = Budget(scale=scale, seed=3, progress=lambda done, total: said.append((done, total)))
        with repeatable():
            net = (learner or self.another()).fit(self.build(1), tasks, budget, extra_loss)
            return returned(net, Net, "fit", "return the trained Net"), tasks, said

    def adapt(self, task: Task) -> State:
        """The state after adapting to an episode's support."""
        with repeatable():
            return self.part.adapt(self.trained, task.support, task.labels, task.support_physics)

    def predict(self, state: State, task: Task) -> Tensor:
        """Logits (n, way) of an episode's queries."""
        with repeatable():
            return self.part.predict(self.trained, state, task.query, task.query_physics)

    def answer(self, task: Task, net: Net | None = None, learner: Learner | None = None) -> Tensor:
        """Logits of an episode's queries after adapting to its support."""
        return answer(learner or self.part, self.trained if net is None else net, task)


def answer(learner: Learner, net: Net, task: Task) -> Tensor:
    """Logits (n, way) of an episode's queries, after adapting to its support in torch."""
    with repeatable():
        state = learner.adapt(net, task.support, task.labels, task.support_physics)
        return learner.predict(net, state, task.query, task.query_physics)


def on_device(artifact: Artifact, task: Task) -> Tensor:
    """Logits of an episode's queries, one by one, as a device gives them."""
    known, asked = ({name: getattr(p, name).numpy() for name in PHYSICS} for p in (task.support_physics, task.query_physics))
    state = artifact.adapt(task.support.numpy(), task.labels.argmax(1).numpy(), **known)
    rows = [slice(row, row + 1) for row in range(len(task.query))]
    logits = [artifact.predict(state, task.query[row].numpy(), **{name: value[row] for name, value in asked.items()}) for row in rows]
    return torch.from_numpy(np.concatenate(logits))


def tensors(net: Net) -> dict[str, Tensor]:
    """What a net keeps, by name."""
    return {name: tensor.detach() for name, tensor in net.state_dict().items()}


def same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether tensors are equal to the last bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def close(a: Tensor, b: Tensor) -> bool:
    """Whether logits are equal but for rounding."""
    return (
        a.shape == b.shape and bool(torch.isfinite(a - b).all()) and float((a - b).abs().max()) <= CLOSE * max(float(b.abs().max()), 1e-12)
    )


def agreement(a: Tensor, b: Tensor) -> float:
    """The share of equal answers."""
    return float((a.argmax(1) == b.argmax(1)).float().mean()) if a.shape == b.shape else 0.0
