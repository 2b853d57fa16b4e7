"""Source tasks and episodes, made of the plant: what learners and compressors are tried on. The shapes that checks use stand here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faultbench.data.episodes import EpisodeDrawer, generator
from faultbench.data.scenarios.parting import make_pool
from faultbench.data.scenarios.rules import Rules
from faultbench.data.split import EpisodeRequest, Pool
from faultbench.data.windows import cut
from faultbench.learning import parity
from faultbench.learning.contracts import NetShape, Physics, TaskBatch
from faultbench.learning.tasks import Tasks, known_physics
from faultbench.testing.plant import RATE_HZ, PlantSignals, plant

WINDOW, WAYS, SHOTS, QUERIES = 512, 3, 4, 5

SHAPE = NetShape(window=WINDOW, rate_hz=RATE_HZ, channels=1, ways=WAYS, support_rows=WAYS * SHOTS, physics=True)
"""What learners are built for."""

SHAPES = (
    NetShape(window=2048, rate_hz=RATE_HZ, channels=1, ways=5, support_rows=25, physics=True),
    NetShape(window=2048, rate_hz=RATE_HZ, channels=1, ways=5, support_rows=25),
    SHAPE,
    NetShape(window=1000, rate_hz=25_600.0, channels=2, ways=2, support_rows=2, slow=(False, True)),
    NetShape(window=4096, rate_hz=48_000.0, channels=3, ways=3, support_rows=3, slow=(False, False, True), physics=True),
)
"""What front ends are asked for: some refuse windows of some length, windows whose speed is not known, or slow channels."""


@dataclass(frozen=True, slots=True)
class Task:
    """One episode.

    Args:
        support: (k, channel, sample).
        labels: One-hot, (k, way).
        query: (n, channel, sample).
        truth: (n,), class numbers.
        support_physics: (k,).
        query_physics: (n,).
    """

    support: Tensor
    labels: Tensor
    query: Tensor
    truth: Tensor
    support_physics: Physics
    query_physics: Physics

    def of(self, rows: Tensor) -> Task:
        """The episode with some rows of the support, in that order."""
        return dataclasses.replace(
            self, support=self.support[rows], labels=self.labels[rows], support_physics=rows_of(self.support_physics, rows)
        )

    def padded(self, rows: Tensor) -> Task:
        """The episode with further support windows (row, channel, sample), whose labels are zeros."""
        speeds, orders = self.support_physics.speed_rpm, self.support_physics.orders
        return dataclasses.replace(
            self,
            support=torch.cat([self.support, rows]),
            labels=torch.cat([self.labels, torch.zeros(len(rows), WAYS)]),
            support_physics=Physics(torch.cat([speeds, speeds[: len(rows)]]), torch.cat([orders, orders[: len(rows)]])),
        )

    @property
    def compared(self) -> parity.Task:
        """The episode as parity takes it."""
        return parity.Task(self.support, self.labels, self.query, self.support_physics, self.query_physics)


class CountedTasks(Tasks):
    """Source tasks that count the batches taken of them."""

    taken = 0

    def batches(self, tasks: int, queries: int | None = None) -> Iterator[TaskBatch]:
        """As those of `Tasks`."""
        for batch in super().batches(tasks, queries):
            self.taken += 1
            yield batch


def source_tasks(seed: int = 0) -> CountedTasks:
    """Tasks of the machine `far`, three ways of four shots."""
    return CountedTasks(pool("far"), PlantSignals(plant()), WINDOW, _request(), np.random.SeedSequence(seed))


def pool(machine: str) -> Pool:
    """The recordings of one machine by the rules of T2."""
    rules = Rules(label=lambda r: f"{r.element} {r.severity}".strip(), condition=lambda r: r.bearing, part=lambda r: r.load, together=True)
    recordings = [r for r in plant().recordings if r.machine == machine]
    return make_pool(recordings, rules, RATE_HZ)


def target_task(seed: int = 0) -> Task:
    """One episode of the machine `near`, which no source task shows."""
    held = pool("near")
    episode = EpisodeDrawer(held, WINDOW, _request()).draw(generator(seed, "contract"))
    signals = PlantSignals(plant())
    return Task(
        support=torch.from_numpy(cut(signals, held, episode.support, WINDOW)),
        labels=torch.eye(WAYS)[torch.from_numpy(episode.support_labels)],
        query=torch.from_numpy(cut(signals, held, episode.query, WINDOW)),
        truth=torch.from_numpy(episode.query_labels),
        support_physics=_physics(held, episode.support),
        query_physics=_physics(held, episode.query),
    )


def noise(shape: NetShape, rows: int) -> tuple[Tensor, Physics]:
    """Windows of noise (row, channel, sample), with speeds and orders of some machine."""
    rng = torch.Generator().manual_seed(1)
    windows = torch.randn(rows, shape.channels, shape.window, generator=rng)
    speeds = 1500 + 300 * torch.rand(rows, generator=rng)
    orders = torch.tensor([3.6, 5.4, 2.4, 0.4]) * (1 + 0.02 * torch.rand(rows, 1, generator=rng))
    return windows, Physics(speeds, orders)


def rows_of(physics: Physics, rows: Tensor | slice) -> Physics:
    """What is known at some windows."""
    return Physics(physics.speed_rpm[rows], physics.orders[rows])


def _physics(held: Pool, rows: NDArray[np.int64]) -> Physics:
    known = known_physics(held)
    if known is None:
        raise TypeError("the plant no longer says speeds and geometries")
    found = torch.from_numpy(known[rows[:, 0]])
    return Physics(found[:, 0], found[:, 1:])


def _request() -> EpisodeRequest:
    return EpisodeRequest(ways=WAYS, shots=SHOTS, shots_rare=SHOTS, queries=QUERIES)
