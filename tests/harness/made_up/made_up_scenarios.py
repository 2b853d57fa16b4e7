"""Scenarios that break what a scenario promises."""

import dataclasses

from faultbench.data.scenarios.new_dataset import NewDataset
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import COLUMNS
from faultbench.errors import IsolationError


class Leaky(NewDevice):
    """Says T2, and lets a target session into the source."""

    def split(self, catalogues, request, seed):
        made = super().split(catalogues, request, seed)
        s, t = made.source, made.target
        mixed = {name: getattr(s, name) + getattr(t, name)[:1] for name in ("recordings", "channels", "labels", "conditions", "parts")}
        return dataclasses.replace(made, source=dataclasses.replace(s, **mixed))


class Counting(NewDevice):
    """Parts source from target by the number of episodes that are asked for."""

    def split(self, catalogues, request, seed):
        if request.episodes == 1:
            return super().split(catalogues, request, seed)
        return NewDevice(target="far", window=64).split(catalogues, request, seed)


class Broken(NewDevice):
    def split(self, catalogues, request, seed):
        raise ZeroDivisionError("on purpose")


class Blind:
    """A good scenario that is not told of one thing: each machine and clock position seems to have its own."""

    def __init__(self, to="session", like="new-device", target="", window=64):
        self.to, self.like = to, {"new-device": NewDevice, "unseen-bearing": UnseenBearing}[like](target=target, window=window)

    def split(self, catalogues, request, seed):
        true = {r.id: r for c in catalogues for r in c.recordings}
        made = self.like.split([self._blinded(c) for c in catalogues], request, seed)
        pools = (dataclasses.replace(p, recordings=tuple(true[r.id] for r in p.recordings)) for p in (made.source, made.target))
        return dataclasses.replace(made, **dict(zip(("source", "target"), pools, strict=True)))

    def _blinded(self, catalogue):
        changed = (dataclasses.replace(r, **{self.to: f"{getattr(r, self.to)} {r.position or r.machine}"}) for r in catalogue.recordings)
        return dataclasses.replace(catalogue, recordings=tuple(changed))


class Generous(NewDataset):
    """Says T4, and trains on the other machine of the target's data set too."""

    def split(self, catalogues, request, seed):
        made = super().split(catalogues, request, seed)
        other = NewDevice(window=64).split(catalogues[:1], request, seed).source
        mixed = {f: getattr(made.source, f) + getattr(other, f) for f in COLUMNS}
        return dataclasses.replace(made, source=dataclasses.replace(made.source, **mixed))


class Choosy(NewDevice):
    """Takes the first seed alone."""

    def split(self, catalogues, request, seed):
        if seed:
            raise IsolationError(f"seed {seed} is refused on purpose: take one seed")
        return super().split(catalogues, request, seed)


class Pinned(NewDevice):
    """Draws every seed by seed 0, and says so."""

    def split(self, catalogues, request, seed):
        return super().split(catalogues, request, 0)


class Splitless(NewDevice):
    """Forgets to return its split."""

    def split(self, catalogues, request, seed):
        super().split(catalogues, request, seed)


class Odd(NewDevice):
    """Promises a level that there is not."""

    def split(self, catalogues, request, seed):
        return dataclasses.replace(super().split(catalogues, request, seed), level="T9")


class Ragged(NewDevice):
    """Loses a query of its first episode."""

    def split(self, catalogues, request, seed):
        made = super().split(catalogues, request, seed)
        first, *others = made.episodes
        short = dataclasses.replace(first, query=first.query[1:], query_labels=first.query_labels[1:])
        return dataclasses.replace(made, episodes=(short, *others))


class Astray(NewDevice):
    """Lets a window of its first episode begin beyond its recording."""

    def split(self, catalogues, request, seed):
        made = super().split(catalogues, request, seed)
        first, *others = made.episodes
        query = first.query.copy()
        query[0, 1] = 10**6
        return dataclasses.replace(made, episodes=(dataclasses.replace(first, query=query), *others))
