"""`window` (T0): the literature's usual random split. Its figures say how well a recording is recognised, not a fault."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.recording import Catalogue
from faultbench.data.scenarios.channels import readable
from faultbench.data.scenarios.new_device import MOST_WAYS
from faultbench.data.scenarios.parting import Parting, hold_out, make_split, scenario_name, with_ways
from faultbench.data.scenarios.rules import Rules, element_severity, mounting, specimen
from faultbench.data.split import EpisodeRequest, Split

_RULES = Rules(label=element_severity, condition=specimen, part=mounting, together=True, apart=False)


class Window:
    """Trains and tests on the same recordings, and deals their windows at random; no sample is used twice.

    A class is an element and a severity, as at T2, and a way is one specimen at one clock position on one mounting. Its recordings
    are pooled, as is often done: support and query of a way come from the same recordings, of all its loads and sessions. All ways of
    an episode are of one mounting. Of each recording one half in time, which by the seed, is the source's and the other the target's,
    so that nothing is trained on a window that is asked for.

    Args:
        target: The machine or mounting that is used, for source and target; empty takes the catalogue's first target.
        window: Samples per window.
        channels: The channels of a window, by name or number, joined by `+` (`vibration+temperature`, `1+2`); the first is the lead,
            what is slower is held. Empty takes the first of each recording. Recordings that lack one are left out.
    """

    level = "T0"

    def __init__(self, target: str = "", window: int = 2048, channels: str = "") -> None:
        self._target, self._window, self._channels = target, window, channels

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed; by default five ways, or as many as there are classes.

        Raises:
            IsolationError: The data have several rates, or a single class.
            UsageError: There is no such target, or the request asks for more than it holds.
        """
        catalogues, reading = readable(catalogues, self._channels, self._window)
        held = hold_out(catalogues, self._target)
        return make_split(
            scenario_name("window", target=(self._target, ""), window=(self._window, 2048)),
            self.level,
            Parting(held.name, target=held.target, source=held.target, dropped=(*held.source, *held.dropped)),
            _RULES,
            with_ways(request, min(MOST_WAYS, len({_RULES.label(r) for r in held.target}))),
            window=self._window,
            seed=seed,
            reading=reading,
        )
