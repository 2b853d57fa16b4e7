"""A policy of splitting: every machine (end) is the new device in its turn."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.api import (
    HEALTHY,
    Catalogue,
    EpisodeRequest,
    Recording,
    Rules,
    Split,
    UsageError,
    hold_out,
    make_split,
    scenario_name,
    with_ways,
)

WAYS = 5
"""Classes per episode where nobody asks for others."""
WINDOW = 2048


class NewPlugin:
    """Trains on all but one of the data set's targets and tests on that one; which one it is, the seed says.

    A class is an element and a severity. A way is one specimen, at one clock position, on one mounting. Support and query of a way are of
    different loads; the supports of all ways are of one load, for a load of its own would give a class away.

    Args:
        window: Samples per window.
    """

    level = "T2"
    """What is promised not to be shared; the audit holds every split to it."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed.

        Raises:
            IsolationError: The data cannot part source from target, or support from query.
            UsageError: The data set offers no targets, or the request asks for more than it holds.
        """
        name = scenario_name("new-plugin", window=(self._window, WINDOW))
        targets = [target for catalogue in catalogues for target in catalogue.targets]
        if not targets:
            raise UsageError(f"{name}: {catalogues[0].dataset} offers no targets: choose another data set")
        return make_split(
            name,
            self.level,
            hold_out(catalogues, targets[seed % len(targets)]),
            Rules(label=_label, condition=_specimen, part=_load, together=True),
            with_ways(request, WAYS),
            window=self._window,
            seed=seed,
        )


def _label(recording: Recording) -> str:
    return HEALTHY if recording.healthy else f"{recording.element} {recording.severity}".strip()


def _specimen(recording: Recording) -> str:
    return " | ".join((recording.dataset, recording.bearing, recording.position, recording.mounting))


def _load(recording: Recording) -> str:
    return " | ".join((recording.dataset, recording.mounting, recording.load))
