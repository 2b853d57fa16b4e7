"""Source tasks and one episode, made of the plant: what learners and compressors are tried on. The shapes that checks use stand here."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from faultbench.data.episodes import EpisodeDrawer, generator
from faultbench.data.scenarios.parting import Rules, make_pool
from faultbench.data.split import EpisodeRequest, Pool
from faultbench.data.windows import cut
from faultbench.learning.contracts import NetShape, TaskBatch
from faultbench.learning.tasks import Tasks
from faultbench.testing.plant import RATE_HZ, PlantSignals, plant

WINDOW, WAYS, SHOTS, QUERIES = 512, 3, 4, 5

SHAPE = NetShape(window=WINDOW, rate_hz=RATE_HZ, channels=1, ways=WAYS, support_rows=WAYS * SHOTS)
"""What learners are built for."""

SHAPES = (
    NetShape(window=2048, rate_hz=RATE_HZ, channels=1, ways=5, support_rows=25),
    SHAPE,
    NetShape(window=1000, rate_hz=25_600.0, channels=2, ways=2, support_rows=2),
    NetShape(window=4096, rate_hz=48_000.0, channels=3, ways=3, support_rows=3),
)
"""What front ends are asked for; one that a front end refuses (`UsageError`) is left out, but for the first: every run has it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One episode.

    Args:
        support: (k, channel, sample).
        labels: One-hot, (k, way).
        query: (n, channel, sample).
        truth: (n,), class numbers.
    """

    support: Tensor
    labels: Tensor
    query: Tensor
    truth: Tensor


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
    )


@contextlib.contextmanager
def repeatable(seed: int = 0) -> Iterator[None]:
    """One thread and fixed global random states, as the stages of a run have them."""
    threads, states = torch.get_num_threads(), (random.getstate(), np.random.get_state())
    try:
        torch.set_num_threads(1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])


def _request() -> EpisodeRequest:
    return EpisodeRequest(ways=WAYS, shots=SHOTS, shots_rare=SHOTS, queries=QUERIES)
