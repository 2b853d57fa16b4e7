"""`unseen-bearing` (T3): which element is damaged, on a bearing that nobody has seen fail."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.recording import HEALTHY, Catalogue
from faultbench.data.scenarios.channels import readable
from faultbench.data.scenarios.one_rig import by_severity, held_out
from faultbench.data.scenarios.parting import LEAST_WAYS, Parting, make_split, scenario_name, with_ways
from faultbench.data.scenarios.rules import NEW_FAULT, bearing, parted
from faultbench.data.split import ONE_RIG, EpisodeRequest, Split
from faultbench.errors import IsolationError


class UnseenBearing:
    """Trains on other machines; on the target, support and query of a class come from different bearings.

    A class is an element. A class is a way only where the target has two bearings of it (so healthy, on CWRU, is none).
    Of data with a single mounting, half of the bearings of each class, drawn by the seed, are the target and the others the
    source; the level's note then says `one rig`. Of three bearings the target has two, for with one there is nothing to ask;
    the source then trains on the classes of which it has two itself, so that two classes need four.
    There the target may also be a severity (`target=real`): see `one_rig`.

    Args:
        target: The machine or mounting held out, or on one rig a severity; empty takes the catalogue's first target.
        window: Samples per window.
        channels: The channels of a window, by name or number, joined by `+` (`vibration+temperature`, `1+2`); the first is the lead,
            what is slower is held. Empty takes the first of each recording. Recordings that lack one are left out.
    """

    level = "T3"

    def __init__(self, target: str = "", window: int = 2048, channels: str = "") -> None:
        self._target, self._window, self._channels = target, window, channels

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed; by default each class that has two bearings is a way.

        Raises:
            IsolationError: Too few bearings per class on one of the sides, or several rates.
            UsageError: There is no such target, or the request asks for more than it holds.
        """
        catalogues, reading = readable(catalogues, self._channels, self._window)
        parting, note = held_out(catalogues, self._target, NEW_FAULT.label, fewest=2, seed=seed)
        name = scenario_name("unseen-bearing", target=(self._target, ""), window=(self._window, 2048))
        labels = parted(parting.target, NEW_FAULT)
        learnable = parted(parting.source, NEW_FAULT) & labels
        one_rig = note == ONE_RIG
        if one_rig and min(len(labels), len(learnable)) < LEAST_WAYS and not by_severity(parting):
            raise IsolationError(
                f"{name}: {parting.name} is one mounting, so the bearings of each element are dealt to source and target, and two elements "
                f"need four bearings each (there are: {_counted(parting)}): measure more bearings, or others at a second mounting"
            )
        if len(labels) < LEAST_WAYS:
            raise IsolationError(
                f"{name}: {parting.name} has two bearings of {len(labels)} elements, two elements are needed: choose another target"
            )
        request = with_ways(request, len(labels))
        least = LEAST_WAYS if one_rig else request.ways
        if len(learnable) < least <= len(labels):
            asked = "two are needed: choose another target" if one_rig else f"{least} ways asked for: choose another target or fewer ways"
            raise IsolationError(f"{name}: the source has two bearings of {len(learnable)} of the target's {len(labels)} elements, {asked}")
        return make_split(
            name,
            self.level,
            parting,
            NEW_FAULT,
            request,
            window=self._window,
            seed=seed,
            labels=labels,
            source_labels=learnable,
            note=note,
            reading=reading,
        )


def _counted(parting: Parting) -> str:
    """How many bearings there are of each element, on both sides together."""
    bearings: dict[str, set[str]] = {}
    for recording in (*parting.target, *parting.source):
        bearings.setdefault(NEW_FAULT.label(recording), set()).add(bearing(recording))
    return ", ".join(f"{label} {len(some)}" for label, some in sorted(bearings.items(), key=lambda one: (one[0] != HEALTHY, one[0])))
