"""Scenarios, each broken in one way."""

import dataclasses
import sys

import numpy as np

from faultbench.api import IsolationError, UsageError
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.split import COLUMNS


class Good(NewDevice):
    """The plant's machines parted as at T2."""

    def __init__(self, target=""):
        super().__init__(target, window=512)

    def split(self, catalogues, request, seed):
        return self.spoil(
            dataclasses.replace(super().split(catalogues, request, seed), scenario=type(self).__name__.lower()), request, seed
        )

    def spoil(self, split, request, seed):
        return split


class LevelOfItsOwn(Good):
    level = "T2b"


class Refuses(Good):
    def split(self, catalogues, request, seed):
        raise IsolationError("refuses: these data are not good enough: take others")


class NoSplit(Good):
    def spoil(self, split, request, seed):
        return split.source, split.target


class Leaks(Good):
    def spoil(self, split, request, seed):
        s, t = split.source, split.target
        mixed = {name: getattr(s, name) + getattr(t, name)[:1] for name in COLUMNS}
        return dataclasses.replace(split, source=dataclasses.replace(s, **mixed))


class OtherName(Good):
    def spoil(self, split, request, seed):
        return dataclasses.replace(split, scenario="new-device")


class OtherLevel(Good):
    def spoil(self, split, request, seed):
        return dataclasses.replace(split, level="T1")


class SeedZeroToo(Good):
    def spoil(self, split, request, seed):
        return dataclasses.replace(split, seed=seed + 1)


class AlwaysFiveWays(Good):
    def split(self, catalogues, request, seed):
        return super().split(catalogues, dataclasses.replace(request, ways=5), seed)


class Unseeded(Good):
    def spoil(self, split, request, seed):
        order = np.random.default_rng().permutation(len(split.episodes))
        order = np.random.default_rng().integers(len(split.episodes), size=len(order))
        return dataclasses.replace(split, episodes=tuple(split.episodes[i] for i in order))


class Deaf(Good):
    def split(self, catalogues, request, seed):
        return dataclasses.replace(super().split(catalogues, request, 7), seed=seed)


class PinsItsSeed(Good):
    """The target goes by the seed, all else by seed 0."""

    def split(self, catalogues, request, seed):
        self._target = self._target or ("near", "far")[seed % 2]
        return super().split(catalogues, request, 0)


class PinsItsDraws(PinsItsSeed):
    """As before, and says the seed that was asked for."""

    def split(self, catalogues, request, seed):
        return dataclasses.replace(super().split(catalogues, request, seed), seed=seed)


class FixedRows(Deaf):
    """Every seed has a target of its own, and the same rows of it."""

    def split(self, catalogues, request, seed):
        split = super().split(catalogues, request, seed)
        number = len(split.target.recordings)
        return dataclasses.replace(split, target=split.target.only([(row + seed) % number for row in range(number)]))


class ByCount(Good):
    def split(self, catalogues, request, seed):
        self._target = "near" if request.episodes == 1 else "far"
        return super().split(catalogues, request, seed)


class Loses(Good):
    def spoil(self, split, request, seed):
        return dataclasses.replace(split, source=split.source.only(range(2, len(split.source.recordings))))


class LeavesOutWhatItUses(Good):
    def spoil(self, split, request, seed):
        first = split.target.recordings[0]
        return dataclasses.replace(split, left_out=(f"{first.dataset}/{first.id}",))


class FewerWays(Good):
    def split(self, catalogues, request, seed):
        return super().split(catalogues, dataclasses.replace(request, ways=min(request.ways, 5)), seed)


class FewerShots(Good):
    def split(self, catalogues, request, seed):
        return super().split(catalogues, dataclasses.replace(request, shots=min(request.shots, 3)), seed)


class Crashes(Good):
    def split(self, catalogues, request, seed):
        if not catalogues[0].recordings:
            return self.targets[0]
        return super().split(catalogues, request, seed)


class Anyway(Good):
    """Where nothing is left to train on, trains on the target."""

    def split(self, catalogues, request, seed):
        try:
            return super().split(catalogues, request, seed)
        except IsolationError:
            from faultbench.testing.plant import plant

            split = super().split([plant()], request, seed)
            return dataclasses.replace(split, source=split.target)


class AnyTarget(Good):
    def split(self, catalogues, request, seed):
        try:
            return super().split(catalogues, request, seed)
        except UsageError:
            if self._target != "nowhere at all":
                raise
            return NewDevice(window=512).split(catalogues, request, seed)


class ReturnsNothing(Good):
    def spoil(self, split, request, seed):
        return None


class Exits(Good):
    def spoil(self, split, request, seed):
        sys.exit(1)
