"""The stages from data sets to splits and their episodes: what a run and an audit have in common, and a learner has no part in."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from faultbench.data.machine_noise import refuse_machine_noise
from faultbench.data.noise import CLEAN, MACHINE, parse_noise
from faultbench.data.recording import Catalogue, DataSet
from faultbench.data.resampling import common_base, rebased
from faultbench.data.spellings import names_alike
from faultbench.data.split import EpisodeRequest, Scenario, as_asked
from faultbench.discovery import cause
from faultbench.errors import CellError, FaultbenchError
from faultbench.interruptions import INTERRUPTIONS
from faultbench.matrix import stages
from faultbench.matrix.graph import Stage
from faultbench.matrix.keys import Kind, key_of
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Choice, Registry, make

_log = logging.getLogger(__name__)

_SEEDS_TRIED = 10
"""With how many seeds a scenario is asked beforehand: it may refuse one and take another, and a split takes some hundredths of a second."""


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
        self._given = {"data_dir": settings.data_dir, "plugins": registry.everybody, "silent": tuple(registry.silent)}
        self._seeds = settings.seeds
        self._scenarios: dict[str, Scenario | FaultbenchError] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._refusals: dict[tuple[str, str, bool], FaultbenchError | None] = {}

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
        params = {**self._params(scenario, seed), "request": {**self.request, "episodes": 1}}
        title = f"split {dataset.spelling}, {scenario.spelling}, seed {seed}"
        return self.add(stages.SPLIT, title, params, {"ingest": self.ingest(dataset, scenario)})

    def episodes(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """All episodes of one seed, of the target that its split was kept away from."""
        params = {**self._params(scenario, seed), "request": self.request}
        title = f"draw episodes of {dataset.spelling}, {scenario.spelling}, seed {seed}"
        inputs = {"ingest": self.ingest(dataset, scenario), "split": self.split(dataset, scenario, seed)}
        return self.add(stages.EPISODES, title, params, inputs)

    def audit(self, dataset: Choice, scenario: Choice, seed: int) -> str:
        """What the audit finds of one seed, be it clean or not."""
        params = {**self._params(scenario, seed), "request": self.request}
        title = f"audit {dataset.spelling}, {scenario.spelling}, seed {seed}"
        return self.add(stages.AUDIT, title, params, {"ingest": self.ingest(dataset, scenario)})

    def refusal(self, dataset: Choice, scenario: Choice, snr: str = CLEAN) -> FaultbenchError | None:
        """Why what is asked of a data set is refused, where the catalogue alone can tell: it knows every signal's length.

        Args:
            dataset: What is split.
            scenario: The scenario, which may refuse.
            snr: The noise on the target's windows: that of the machine itself cannot be had everywhere.
        """
        noise = parse_noise(snr)
        recorded = noise is not None and noise.rule == MACHINE
        asked = dataset.spelling, scenario.spelling, recorded
        if asked not in self._refusals:
            catalogues = [self.catalogue(one) for one in self.datasets(dataset, scenario)]
            self._refusals[asked] = self._refusal(scenario, catalogues, recorded)
        return self._refusals[asked]

    def base(self, scenario: Choice) -> str | None:
        """What a scenario that takes sources brings all signals to; None for one that takes none."""
        base: str | None = getattr(self._scenario(scenario), "base", None)
        return base

    def content(self, scenario: Choice) -> str | None:
        """The digest of what a scenario reads beside its parameters (a file); None for one that reads nothing."""
        content: str | None = getattr(self._scenario(scenario), "content", None)
        return content

    def trained_on(self, scenario: Choice) -> list[str] | None:
        """The names of the sources; None for a scenario that takes none."""
        return [source.spelling for source in self.sources] if self.base(scenario) else None

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
        """What is missing of the data sets, and their names in several spellings: no errors, but the figures may not be what they seem."""
        said = []
        for name, catalogue in self._catalogues.items():
            if catalogue.missing:
                first, missing = next(iter(catalogue.missing.values())), len(catalogue.missing)
                lacking = f"{missing} of {len(catalogue.recordings) + missing} recordings ({first}{', ...' if missing > 1 else ''})"
                said.append(f"{name} lacks {lacking}: figures hold for the recordings that are there")
            said += [f"{name}: {text}" for text in names_alike(catalogue)]
        return tuple(said)

    def add(self, kind: Kind, title: str, params: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """The key of a stage, which is added to the graph if it is new there."""
        key = key_of(kind, params, inputs)
        like = f"{title.rpartition(', seed ')[0] or title} x{params.get('scale', 1)}"
        self.graph.setdefault(key, Stage(key, kind.name, title, kind.function, params, inputs, self._given, kind.alone, like))
        return key

    def _params(self, scenario: Choice, seed: int) -> dict[str, Any]:
        content = self.content(scenario)
        return {"scenario": scenario, "seed": seed, **({} if content is None else {"content": content})}

    def _scenario(self, chosen: Choice) -> Scenario | FaultbenchError:
        """The scenario, or why it cannot be made, which `refusal` says."""
        name = chosen.spelling
        if name not in self._scenarios:
            try:
                self._scenarios[name] = make(chosen)
            except FaultbenchError as error:
                self._scenarios[name] = error
        return self._scenarios[name]

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
                    made = as_asked(
                        scenario.split(catalogues, EpisodeRequest(**{**self.request, "episodes": 1}), seed), chosen.spelling, seed
                    )
                    if recorded:
                        refuse_machine_noise(made, catalogues)
        except FaultbenchError as error:
            return error
        except INTERRUPTIONS:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin's failure costs its cells, not the run
            _log.debug("%s", chosen.spelling, exc_info=True)
            return CellError(f"scenario {chosen.spelling} broke ({cause(error)}): --debug shows where")
        return None

    def _ingest_one(self, dataset: Choice) -> str:
        params = {"dataset": dataset, "catalogue": self.catalogue(dataset).digest}
        return self.add(stages.INGEST, f"ingest {dataset.spelling}", params, {})


def numbered(role: str, keys: Sequence[str]) -> dict[str, str]:
    """Inputs of one role, numbered: `{"measure.0": ...}`."""
    return {f"{role}.{number}": key for number, key in enumerate(keys)}
