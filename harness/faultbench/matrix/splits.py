"""The stages from data sets to splits and their episodes: what a run and an audit have in common, and a learner has no part in."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from faultbench.data.recording import Catalogue, DataSet
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import EpisodeRequest, Scenario
from faultbench.discovery import cause
from faultbench.errors import CellError, FaultbenchError
from faultbench.matrix import stages
from faultbench.matrix.graph import Stage
from faultbench.matrix.keys import Kind, key_of
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Choice, Registry, make

_log = logging.getLogger(__name__)


class Splits:
    """Gathers the stages that data sets, scenarios and seeds need; a stage that two of them share has one key, hence is one.

    Args:
        settings: The data folder, the shape of the episodes, and the sources that a scenario may take.
        registry: What there is to choose from.
    """

    def __init__(self, settings: RunSettings, registry: Registry) -> None:
        self.graph: dict[str, Stage] = {}
        self.request = dataclasses.asdict(settings.request())
        self.sources = tuple({c.spelling: c for c in (registry.choose("datasets", name) for name in settings.source)}.values())
        self._data_dir = settings.data_dir
        self._given = {"data_dir": settings.data_dir, "plugins": any(not plugin.source.builtin for plugin in registry.plugins)}
        self._bases: dict[str, str | None] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._refusals: dict[tuple[str, str], FaultbenchError | None] = {}

    def ingest(self, dataset: Choice, scenario: Choice) -> str:
        """The signals that a scenario gets: those of a data set; beside the sources' and on their common base, where it takes sources."""
        ingested = [self._ingest_one(one) for one in self.datasets(dataset, scenario)]
        base = self.base(scenario)
        if base is None:
            return ingested[0]
        title = f"gather {' '.join(one.spelling for one in self.datasets(dataset, scenario))}, base {base}"
        return self.add(stages.GATHER, title, {"base": base}, numbered("ingest", ingested))

    def split(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """The split of one seed, with one episode: what is trained on."""
        params = {"scenario": scenario, "request": {**self.request, "episodes": 1}, "seed": seed}
        title = f"split {dataset.spelling}, {scenario.spelling}, seed {seed}"
        return self.add(stages.SPLIT, title, params, {"ingest": self.ingest(dataset, scenario)})

    def episodes(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """All episodes of one seed, of the target that its split was kept away from."""
        params = {"scenario": scenario, "request": self.request, "seed": seed}
        title = f"draw episodes of {dataset.spelling}, {scenario.spelling}, seed {seed}"
        inputs = {"ingest": self.ingest(dataset, scenario), "split": self.split(dataset, scenario, seed)}
        return self.add(stages.EPISODES, title, params, inputs)

    def audit(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """What the audit finds of one seed, be it clean or not."""
        params = {"scenario": scenario, "request": self.request, "seed": seed}
        title = f"audit {dataset.spelling}, {scenario.spelling}, seed {seed}"
        return self.add(stages.AUDIT, title, params, {"ingest": self.ingest(dataset, scenario)})

    def refusal(self, dataset: Choice, scenario: Choice) -> FaultbenchError | None:
        """Why a scenario refuses what is asked of a data set, where the catalogue alone can tell: it knows every signal's length."""
        pair = dataset.spelling, scenario.spelling
        if pair not in self._refusals:
            catalogues = [self.catalogue(one) for one in self.datasets(dataset, scenario)]
            self._refusals[pair] = _refusal(scenario, catalogues, self.base(scenario), {**self.request, "episodes": 1})
        return self._refusals[pair]

    def base(self, scenario: Choice) -> str | None:
        """What a scenario that takes sources brings all signals to; None for one that takes none."""
        name = scenario.spelling
        if name not in self._bases:
            try:
                self._bases[name] = getattr(make(scenario), "base", None)
            except FaultbenchError:
                self._bases[name] = None  # `_refusal` says why the scenario cannot be made
        return self._bases[name]

    def datasets(self, dataset: Choice, scenario: Choice) -> tuple[Choice, ...]:
        """The data set that is tested on, and the sources where the scenario takes some."""
        return (dataset, *self.sources) if self.base(scenario) else (dataset,)

    def versions(self, dataset: Choice, scenario: Choice) -> dict[str, str]:
        """The version of each catalogue: it changes where a signal of the same id would."""
        return {each.spelling: self.catalogue(each).version for each in self.datasets(dataset, scenario)}

    def catalogue(self, dataset: Choice) -> Catalogue:
        """A data set's catalogue, asked for once.

        Raises:
            DataError: The data set is not there.
        """
        name = dataset.spelling
        if name not in self._catalogues:
            made: DataSet = make(dataset, data_dir=self._data_dir)
            self._catalogues[name] = made.catalogue()
        return self._catalogues[name]

    def warnings(self) -> tuple[str, ...]:
        """What is missing of the data sets. An incomplete copy is no error, but its figures are not those of the whole set."""
        said = []
        for name, catalogue in self._catalogues.items():
            if catalogue.missing:
                first, missing = next(iter(catalogue.missing.values())), len(catalogue.missing)
                lacking = f"{missing} of {len(catalogue.recordings) + missing} recordings ({first}{', ...' if missing > 1 else ''})"
                said.append(f"{name} lacks {lacking}: figures hold for the recordings that are there")
        return tuple(said)

    def add(self, kind: Kind, title: str, params: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """The key of a stage, which is added to the graph if it is new there."""
        key = key_of(kind, params, inputs)
        like = f"{title.rpartition(', seed ')[0] or title} x{params.get('scale', 1)}"
        self.graph.setdefault(key, Stage(key, kind.name, title, kind.function, params, inputs, self._given, kind.alone, like))
        return key

    def _ingest_one(self, dataset: Choice) -> str:
        params = {"dataset": dataset, "catalogue": self.catalogue(dataset).digest}
        return self.add(stages.INGEST, f"ingest {dataset.spelling}", params, {})


def numbered(role: str, keys: Sequence[str]) -> dict[str, str]:
    """Inputs of one role, numbered: `{"measure.0": ...}`."""
    return {f"{role}.{number}": key for number, key in enumerate(keys)}


def _refusal(chosen: Choice, catalogues: Sequence[Catalogue], kind: str | None, request: Mapping[str, int]) -> FaultbenchError | None:
    """Why a scenario refuses a request, or None; None too where not every length is known, so that the signals have to be read first."""
    try:
        scenario: Scenario = make(chosen)
        if kind is not None:
            base = common_base(catalogues, kind)
            catalogues = [rebased(catalogue, base) for catalogue in catalogues]
        if all(channel.samples is not None for c in catalogues for recording in c.recordings for channel in recording.channels):
            scenario.split(catalogues, EpisodeRequest(**request), 0)
    except FaultbenchError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a plugin's failure costs its cells, not the run
        _log.debug("%s", chosen.spelling, exc_info=True)
        return CellError(f"scenario {chosen.spelling} broke ({cause(error)}): --debug shows where")
    return None
