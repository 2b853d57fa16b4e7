"""Scenarios that break what a scenario promises."""

import dataclasses

from faultbench.data.scenarios.new_device import NewDevice
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


class Choosy(NewDevice):
    """Takes the first seed alone."""

    def split(self, catalogues, request, seed):
        if seed:
            raise IsolationError(f"seed {seed} is refused on purpose: take one seed")
        return super().split(catalogues, request, seed)
