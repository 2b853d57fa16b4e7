"""What training, compressing and exporting have in common: the learner, its net, its source tasks, and repeatable arithmetic."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np

from faultbench.data.episodes import generator
from faultbench.data.split import Split
from faultbench.data.splitfile import load_split
from faultbench.data.windows import slow_channels
from faultbench.learning.contracts import Learner, NetShape, Parts
from faultbench.learning.net import Net, load_net
from faultbench.learning.parts import RegistryParts
from faultbench.learning.repeatable import repeatable as fixed
from faultbench.learning.tasks import Tasks, known_physics
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import PoolSignals
from faultbench.matrix.stages import SPLIT_FOLDER
from faultbench.registry import Registry, make

NET = "net"


@dataclass(frozen=True, slots=True)
class Bench:
    """A learner with what it is built for.

    Args:
        learner: The learner.
        split: What it is trained and tested on; a learner is handed the source's pool alone.
        shape: What its net is built for.
        parts: Where it gets the parts it names.
    """

    learner: Learner
    split: Split
    shape: NetShape
    parts: Parts

    def untrained(self) -> Net:
        """The net before any training: the same at every stage of a seed."""
        return self.learner.build(self.shape, self.parts, seed_of(self.split, "build"))

    def stored(self, work: Work) -> Net:
        """The net of the stage before."""
        return load_net(self.untrained(), work.inputs[NET])

    def tasks(self, work: Work, *purpose: str) -> Tasks:
        """Source tasks, the same for the same seed and purpose."""
        signals = PoolSignals(work.inputs["ingest"], self.split.source)
        seed = generator(self.split.seed, *purpose).bit_generator.seed_seq
        if not isinstance(seed, np.random.SeedSequence):
            raise TypeError("numpy's generators no longer keep the SeedSequence they were made of")
        return Tasks(self.split.source, signals, self.split.window, self.split.request, seed, self.shape.slow)


def bench(work: Work) -> Bench:
    """The learner of a stage's parameters, and its split."""
    split = load_split(work.inputs["split"] / SPLIT_FOLDER)
    shape = NetShape(
        window=split.window,
        rate_hz=split.rate_hz,
        channels=len(split.target.channels[0]),
        ways=split.request.ways,
        support_rows=len(split.episodes[0].support),
        slow=slow_channels(split),
        physics=all(known_physics(pool) is not None for pool in (split.source, split.target)),
    )
    registry = Registry.discover(plugins=work.given["plugins"], without=work.given["silent"])
    return Bench(make(work.params["learner"]), split, shape, RegistryParts(registry))


def seed_of(split: Split, *purpose: str) -> int:
    """A seed for one purpose, from the split's."""
    return int(generator(split.seed, *purpose).integers(2**31))


def repeatable(work: Work, split: Split) -> contextlib.AbstractContextManager[None]:
    """Runs the body the same whoever runs it; the number of threads is the run's constant, whatever `--jobs`."""
    return fixed(seed_of(split, "global"), work.params["threads"])
