"""`new-device` (T2): the faults are known, the machine is not. Commissioning at a new device."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.recording import Catalogue
from faultbench.data.scenarios.channels import readable
from faultbench.data.scenarios.one_rig import held_out
from faultbench.data.scenarios.parting import make_split, scenario_name, with_ways
from faultbench.data.scenarios.rules import KNOWN_FAULT, parted
from faultbench.data.split import ONE_RIG, EpisodeRequest, Split
from faultbench.errors import IsolationError

MOST_WAYS = 5
"""The default number of ways, where the target has as many classes."""


class NewDevice:
    """Trains on other machines, and tests on one machine (end) never seen, support and query at different loads.

    A class is an element and a severity. A way is one specimen at one clock position on one mounting. All supports of an
    episode are of one load on one mounting, because a load or a transfer path of its own would give a class away.

    Of data with a single mounting, half of the bearings of each class, drawn by the seed, are the target (the one bearing, where
    there is one) and the others the source; the level's note then says `one rig`. There the target may also be a severity
    (`target=real`): see `one_rig`.

    Args:
        target: The machine or mounting held out, or on one rig a severity; empty takes the catalogue's first target.
        window: Samples per window.
        channels: The channels of a window, by name or number, joined by `+` (`vibration+temperature`, `1+2`); the first is the lead,
            what is slower is held. Empty takes the first of each recording. Recordings that lack one are left out.
    """

    level = "T2"

    def __init__(self, target: str = "", window: int = 2048, channels: str = "") -> None:
        self._target, self._window, self._channels = target, window, channels

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed. A specimen measured at one load only is never a way.

        Raises:
            IsolationError: The data have one load, one bearing per class on one rig, or several rates.
            UsageError: There is no such target, or the request asks for more than it holds.
        """
        name = scenario_name("new-device", target=(self._target, ""), window=(self._window, 2048))
        catalogues, reading = readable(catalogues, self._channels, self._window)
        parting, note = held_out(catalogues, self._target, KNOWN_FAULT.label, fewest=1, seed=seed)
        able = parted(parting.target, KNOWN_FAULT)
        if parting.target and not able:
            raise IsolationError(
                f"{name}: each specimen of {parting.name} was measured at one load only, support and query need two: "
                "take unseen-bearing, or another target or data set"
            )
        if note == ONE_RIG and not parting.source:
            raise IsolationError(
                f"{name}: there is one rig and one bearing of each class, so no class can be on both sides: "
                "take new-dataset with --source, or another data set"
            )
        return make_split(
            name,
            self.level,
            parting,
            KNOWN_FAULT,
            with_ways(request, min(MOST_WAYS, len(able))),
            window=self._window,
            seed=seed,
            note=note,
            reading=reading,
        )
