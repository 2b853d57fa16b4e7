"""`new-device` (T2): the faults are known, the machine is not. Commissioning at a new device."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.recording import HEALTHY, Catalogue, Recording
from faultbench.data.scenarios.parting import Rules, hold_out, make_split, scenario_name, with_ways
from faultbench.data.split import EpisodeRequest, Split

DEFAULT_WAYS = 5


class NewDevice:
    """Trains on other machines, and tests on one machine (end) never seen, support and query at different loads.

    A class is an element and a severity. A way is one specimen at one clock position on one mounting. All supports of an
    episode are of one load on one mounting, because a load or a transfer path of its own would give a class away.

    Args:
        target: The machine or mounting held out; empty takes the catalogue's first target.
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
            IsolationError: The data have one mounting, or one load, or several rates.
            UsageError: There is no such target, or the request asks for more than it holds.
        """
        return make_split(
            scenario_name("new-device", target=(self._target, ""), window=(self._window, 2048)),
            self.level,
            hold_out(catalogues, self._target, self._channels),
            Rules(label=label, condition=_specimen, part=_load, together=True),
            with_ways(request, DEFAULT_WAYS),
            window=self._window,
            seed=seed,
            channels=self._channels,
        )


def label(recording: Recording) -> str:
    """Element and severity: `inner 7 mil`, `healthy`."""
    return HEALTHY if recording.healthy else f"{recording.element} {recording.severity}".strip()


def _specimen(recording: Recording) -> str:
    return " | ".join((recording.dataset, recording.bearing, recording.position, recording.mounting))


def _load(recording: Recording) -> str:
    return " | ".join((recording.dataset, recording.mounting, recording.load))
