"""`new-dataset` (T4): trained on other data sets altogether. The faults, the machines and whoever recorded them are new."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.data.recording import Catalogue
from faultbench.data.resampling import HZ
from faultbench.data.scenarios.new_device import MOST_WAYS
from faultbench.data.scenarios.parting import Parting, hold_out, make_split, scenario_name, with_ways, without_lone
from faultbench.data.scenarios.rules import KNOWN_FAULT, NEW_FAULT, parted
from faultbench.data.split import EpisodeRequest, Split
from faultbench.errors import IsolationError, UsageError


class NewDataset:
    """Trains on other data sets, and tests on one machine (end) of a data set that no training saw.

    Source tasks are drawn by the same rule as the target's episodes, with the labels that the sources have: T4 asks whether what a
    learner brings along serves for classes that it never saw. Whatever the source holds, it holds no recording of the target's data set.

    | | `inside=T2` | `inside=T3` |
    |---|---|---|
    | a class is | element and severity, as in `new-device` | an element, as in `unseen-bearing` |
    | a way keeps to | one specimen at one clock position on one mounting | one element |
    | support and query never share | the load (the speed, where that is what changes) | the bearing |

    The signals of all data sets are brought to one base before anything is split; the run does that (`faultbench.data.resampling`), so
    that what is audited, trained on and tested is the same.

    Args:
        target: The machine or mounting that is the target; empty takes the data set's first. The others are left out.
        window: Samples per window, on the common base.
        base: `hz` or `orders`.
        inside: `T2` or `T3`.

    Raises:
        UsageError: There is no such level to keep inside.
    """

    def __init__(self, target: str = "", window: int = 2048, base: str = HZ, inside: str = "T2") -> None:
        if inside not in _RULES:
            raise UsageError(f"new-dataset cannot keep {inside!r} inside: choose {' or '.join(_RULES)}")
        self._target, self._window, self._inside = target, window, inside
        self.level = f"T4/{inside}"
        self.base = base
        """That a scenario has a base tells a run that it takes sources, and to what their signals are brought."""

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed.

        Args:
            catalogues: The target's data set, then the sources, on one base.
            request: The shape of the episodes.
            seed: What they are derived from.

        Raises:
            IsolationError: Source or target cannot keep support and query apart.
            UsageError: There is no source, no such target, or the request asks for more than it holds.
        """
        first, *sources = catalogues
        name = scenario_name(
            "new-dataset",
            target=(self._target, ""),
            window=(self._window, 2048),
            base=(self.base, HZ),
            inside=(self._inside, "T2"),
        )
        if not sources:
            raise UsageError(f"{name} trains on other data sets: name them with --source")
        if first.dataset in {source.dataset for source in sources}:
            raise UsageError(f"{name}: {first.dataset} is target and source at once: name other data sets with --source")
        held = hold_out([first], self._target)
        parting = Parting(
            name=held.name,
            target=held.target,
            source=tuple(recording for source in sources for recording in source.recordings),
            dropped=(*held.source, *held.dropped),
        )
        rules = _RULES[self._inside]
        able = parted(parting.target, rules)
        if len(able) < 2:
            other = "another target" if self._inside == "T2" else "inside=T2 or another target"
            raise IsolationError(f"{name}: {len(able)} classes of {parting.name} part support from query, two are needed: take {other}")
        return make_split(
            name,
            self.level,
            without_lone(parting, rules),
            rules,
            with_ways(request, min(MOST_WAYS, len(able))),
            window=self._window,
            seed=seed,
            labels=None if rules.together else able,
            note=f"from {', '.join(source.dataset for source in sources)}",
        )


_RULES = {"T2": KNOWN_FAULT, "T3": NEW_FAULT}
"""By what is kept between support and query."""
