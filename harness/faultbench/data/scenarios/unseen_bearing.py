"""`unseen-bearing` (T3): which element is damaged, on a bearing that nobody has seen fail."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.episodes import generator
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.parting import Parting, Rules, hold_out, make_split, scenario_name, with_ways
from faultbench.data.split import ONE_RIG, EpisodeRequest, Split
from faultbench.errors import IsolationError


class UnseenBearing:
    """Trains on other machines; on the target, support and query of a class come from different bearings.

    A class is an element. A class is a way only where the target has two bearings of it (so healthy, on CWRU, is none).
    Of data with a single mounting, half of the bearings of each class, drawn by the seed, are the target and the others the
    source; the level's note then says `one rig`. Of three bearings the target has two, for with one there is nothing to ask;
    the source then trains on the classes of which it has two itself.

    Args:
        target: The machine or mounting held out; empty takes the catalogue's first target.
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
        parting = hold_out(catalogues, self._target, self._channels)
        note = ""
        if len({(r.dataset, r.mounting) for c in catalogues for r in c.recordings}) == 1:
            parting, note = _halve(parting, seed), ONE_RIG
        name = scenario_name("unseen-bearing", target=(self._target, ""), window=(self._window, 2048))
        labels = _with_two_bearings(parting.target)
        if len(labels) < 2:
            raise IsolationError(
                f"{name}: {parting.name} has two bearings of {len(labels)} elements, two elements are needed: choose another target"
            )
        request = with_ways(request, len(labels))
        learnable = _with_two_bearings(parting.source) & labels
        if len(learnable) < (2 if note == ONE_RIG else request.ways) <= len(labels):
            raise IsolationError(
                f"{name}: the source has two bearings of {len(learnable)} of the target's {len(labels)} elements, {request.ways} ways "
                "asked for: choose another target or fewer ways"
            )
        return make_split(
            name,
            self.level,
            parting,
            Rules(label=_element, condition=_element, part=_bearing, together=False),
            request,
            window=self._window,
            seed=seed,
            labels=labels,
            source_labels=learnable,
            note=note,
            channels=self._channels,
        )


def _element(recording: Recording) -> str:
    return recording.element


def _bearing(recording: Recording) -> str:
    return f"{recording.dataset} | {recording.bearing}"


def _bearings(recordings: Sequence[Recording]) -> dict[str, list[str]]:
    """The bearings of each element, sorted."""
    found: dict[str, set[str]] = {}
    for recording in recordings:
        found.setdefault(recording.element, set()).add(_bearing(recording))
    return {element: sorted(bearings) for element, bearings in sorted(found.items())}


def _with_two_bearings(recordings: Sequence[Recording]) -> frozenset[str]:
    return frozenset(element for element, bearings in _bearings(recordings).items() if len(bearings) > 1)


def _halve(parting: Parting, seed: int) -> Parting:
    """One rig parted by bearing: half of each element's bearings, rounded down (but two of three), drawn by the seed, are the target."""
    held: set[str] = set()
    for element, bearings in _bearings(parting.target).items():
        order = generator(seed, ONE_RIG, element).permutation(len(bearings))
        held.update(bearings[i] for i in order[: 2 if len(bearings) == 3 else len(bearings) // 2])
    target = tuple(r for r in parting.target if _bearing(r) in held)
    source = tuple(r for r in parting.target if _bearing(r) not in held)
    return Parting(parting.name, target, source, parting.dropped)
