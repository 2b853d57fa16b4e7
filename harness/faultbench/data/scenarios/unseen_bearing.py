"""`unseen-bearing` (T3): which element is damaged, on a bearing that nobody has seen fail."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.recording import Catalogue
from faultbench.data.scenarios.channels import readable
from faultbench.data.scenarios.one_rig import held_out
from faultbench.data.scenarios.parting import make_split, scenario_name, with_ways
from faultbench.data.scenarios.rules import NEW_FAULT, parted
from faultbench.data.split import ONE_RIG, EpisodeRequest, Split
from faultbench.errors import IsolationError


class UnseenBearing:
    """Trains on other machines; on the target, support and query of a class come from different bearings.

    A class is an element. A class is a way only where the target has two bearings of it (so healthy, on CWRU, is none).
    Of data with a single mounting, half of the bearings of each class, drawn by the seed, are the target and the others the
    source; the level's note then says `one rig`. Of three bearings the target has two, for with one there is nothing to ask;
    the source then trains on the classes of which it has two itself. There the target may also be a severity (`target=real`):
    see `one_rig`.

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
        if len(labels) < 2:
            raise IsolationError(
                f"{name}: {parting.name} has two bearings of {len(labels)} elements, two elements are needed: choose another target"
            )
        request = with_ways(request, len(labels))
        learnable = parted(parting.source, NEW_FAULT) & labels
        if len(learnable) < (2 if note == ONE_RIG else request.ways) <= len(labels):
            raise IsolationError(
                f"{name}: the source has two bearings of {len(learnable)} of the target's {len(labels)} elements, {request.ways} ways "
                "asked for: choose another target or fewer ways"
            )
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
