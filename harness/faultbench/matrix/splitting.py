"""The part of a graph that has to do with data: ingesting data sets, splitting them, drawing a target's episodes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from faultbench.data.machine_noise import refuse_machine_noise
from faultbench.data.noise import CLEAN, MACHINE, parse_noise
from faultbench.data.recording import Catalogue, DataSet
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import EpisodeRequest, Scenario
from faultbench.discovery import cause
from faultbench.errors import CellError, FaultbenchError
from faultbench.matrix import stages
from faultbench.matrix.graph import Stage
from faultbench.matrix.keys import Kind, key_of
from faultbench.registry import Choice, make

_log = logging.getLogger(__name__)

_SEEDS_TRIED = 10
"""With how many seeds a scenario is asked beforehand: it may refuse one and take another, and a split takes some hundredths of a second."""


class Stages:
    """Gathers stages; a stage that two goals share has one key, hence is one.

    Args:
        given: What every stage is told beside its parameters (`graph.Work`).
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.graph: dict[str, Stage] = {}
        self._given = given

    def add(self, kind: Kind, title: str, params: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """The key of a stage, which stands in the graph from now on."""
        key = key_of(kind, params, inputs)
        like = f"{title.rpartition(', seed ')[0] or title} x{params.get('scale', 1)}"
        self.graph.setdefault(key, Stage(key, kind.name, title, kind.function, params, inputs, self._given, kind.alone, like))
        return key


class Splitting:
    """What can be asked of data sets and scenarios before anything is computed, and the stages that compute it.

    Args:
        into: Where stages go.
        sources: The data sets that a scenario trains on, where it takes others than the one it tests on.
        request: The shape of the episodes, by the names of `EpisodeRequest`.
        seeds: How many seeds.
        data_dir: The folder that holds a folder per data set, or None.
    """

    def __init__(self, into: Stages, sources: Iterable[Choice], request: Mapping[str, int], seeds: int, data_dir: Path | None) -> None:
        self._into, self._request, self._seeds, self._data_dir = into, dict(request), seeds, data_dir
        self._sources = tuple({choice.spelling: choice for choice in sources}.values())
        self._scenarios: dict[str, Scenario | FaultbenchError] = {}
        self._contradictions: dict[tuple[str, str, bool], FaultbenchError | None] = {}
        self.catalogues: dict[str, Catalogue] = {}

    def split(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """The stage that parts source from target, and draws one episode."""
        title = f"split {dataset.spelling}, {scenario.spelling}, seed {seed}"
        params = {**self._params(scenario, seed), "request": {**self._request, "episodes": 1}}
        return self._into.add(stages.SPLIT, title, params, {"ingest": self.ingest(dataset, scenario)})

    def episodes(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """The stage that draws all episodes of the target."""
        title = f"draw episodes of {dataset.spelling}, {scenario.spelling}, seed {seed}"
        params = {**self._params(scenario, seed), "request": self._request}
        inputs = {"ingest": self.ingest(dataset, scenario), "split": self.split(dataset, scenario, seed)}
        return self._into.add(stages.EPISODES, title, params, inputs)

    def ingest(self, dataset: Choice, scenario: Choice) -> str:
        """The stage of the signals: those of the data set; beside the sources' and on their common base, where there are sources."""
        ingested = [self._ingest_one(each) for each in self.datasets(dataset, scenario)]
        base = self.base(scenario)
        if base is None:
            return ingested[0]
        title = f"gather {' '.join(each.spelling for each in self.datasets(dataset, scenario))}, base {base}"
        inputs = {f"ingest.{number}": key for number, key in enumerate(ingested)}
        return self._into.add(stages.GATHER, title, {"base": base}, inputs)

    def datasets(self, dataset: Choice, scenario: Choice) -> tuple[Choice, ...]:
        """The data set that is tested on, and the sources where the scenario takes some."""
        return (dataset, *self._sources) if self.base(scenario) else (dataset,)

    def sources(self, scenario: Choice) -> list[str] | None:
        """The names of the sources, None for a scenario that takes none."""
        return [source.spelling for source in self._sources] if self.base(scenario) else None

    def base(self, scenario: Choice) -> str | None:
        """What a scenario that takes sources brings all signals to; None for one that takes none."""
        base: str | None = getattr(self._scenario(scenario), "base", None)
        return base

    def content(self, scenario: Choice) -> str | None:
        """The digest of what a scenario reads beside its parameters (a file); None for one that reads nothing."""
        content: str | None = getattr(self._scenario(scenario), "content", None)
        return content

    def catalogue(self, dataset: Choice) -> Catalogue:
        """The catalogue of a data set.

        Raises:
            DataError: It is not there.
        """
        if dataset.spelling not in self.catalogues:
            made: DataSet = make(dataset, data_dir=self._data_dir)
            self.catalogues[dataset.spelling] = made.catalogue()
        return self.catalogues[dataset.spelling]

    def contradiction(self, dataset: Choice, scenario: Choice, snr: str = CLEAN) -> FaultbenchError | None:
        """Why what is asked of a data set is refused, where the catalogue alone can tell: it knows every signal's length.

        Args:
            dataset: What is split.
            scenario: The scenario, which may refuse.
            snr: The noise on the target's windows: that of the machine itself cannot be had everywhere.
        """
        noise = parse_noise(snr)
        recorded = noise is not None and noise.rule == MACHINE
        asked = dataset.spelling, scenario.spelling, recorded
        if asked not in self._contradictions:
            catalogues = [self.catalogue(each) for each in self.datasets(dataset, scenario)]
            self._contradictions[asked] = self._refusal(scenario, catalogues, recorded)
        return self._contradictions[asked]

    def _params(self, scenario: Choice, seed: int) -> dict[str, Any]:
        content = self.content(scenario)
        return {"scenario": scenario, "seed": seed, **({} if content is None else {"content": content})}

    def _scenario(self, chosen: Choice) -> Scenario | FaultbenchError:
        """The scenario, or why it cannot be made, which `contradiction` says."""
        name = chosen.spelling
        if name not in self._scenarios:
            try:
                self._scenarios[name] = make(chosen)
            except FaultbenchError as error:
                self._scenarios[name] = error
        return self._scenarios[name]

    def _ingest_one(self, dataset: Choice) -> str:
        params = {"dataset": dataset, "catalogue": self.catalogue(dataset).digest}
        return self._into.add(stages.INGEST, f"ingest {dataset.spelling}", params, {})

    def _refusal(self, chosen: Choice, catalogues: Sequence[Catalogue], recorded: bool) -> FaultbenchError | None:
        """Why a scenario refuses; None too where not every length is known, so that the signals have to be read first."""
        scenario = self._scenario(chosen)
        if isinstance(scenario, FaultbenchError):
            return scenario
        try:
            base = self.base(chosen)
            if base is not None:
                common = common_base(catalogues, base)
                catalogues = [rebased(catalogue, common) for catalogue in catalogues]
            if all(channel.samples is not None for c in catalogues for recording in c.recordings for channel in recording.channels):
                for seed in range(min(self._seeds, _SEEDS_TRIED)):
                    made = scenario.split(catalogues, EpisodeRequest(**{**self._request, "episodes": 1}), seed)
                    if recorded:
                        refuse_machine_noise(made, catalogues)
        except FaultbenchError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a plugin's failure costs its cells, not the run
            _log.debug("%s", chosen.spelling, exc_info=True)
            return CellError(f"scenario {chosen.spelling} broke ({cause(error)}): --debug shows where")
        return None
