"""The plan of a run: its cells, the graph of the stages they share, and what of it is there already."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faultbench.data.noise import CLEAN
from faultbench.data.recording import Catalogue, DataSet
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import EpisodeRequest, Scenario
from faultbench.discovery import cause
from faultbench.errors import CellError, FaultbenchError, UsageError
from faultbench.matrix import stages
from faultbench.matrix.cache import Cache
from faultbench.matrix.cells import Cell, cells
from faultbench.matrix.graph import Graph, Stage, ordered
from faultbench.matrix.keys import Kind, digest, key_of, parts_digest
from faultbench.matrix.settings import RunSettings
from faultbench.measuring.target import Target, Timing
from faultbench.registry import Choice, Registry, make
from faultbench.results.criteria import spelling

_log = logging.getLogger(__name__)

THREADS = 1
"""Threads of torch in every stage, whatever `--jobs`, for the last bits depend on it; several seeds fill the cores better."""

QUICK_SCALE = 0.1
"""How much of its training a learner gets in a quick run."""

COMPRESS_SCALE = 0.3
"""How much of its training a learner gets again after a compression."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One cell of a plan.

    Args:
        cell: The cell.
        fields: What `row["cell"]` is known to be before anything ran.
        criteria: What it is judged by.
        digest: Of everything that its measurement is made from: the row's identity.
        goal: The key of its last stage, or None where it cannot be computed.
        error: Why not, or None.
    """

    cell: Cell
    fields: Mapping[str, Any]
    criteria: str
    digest: str
    goal: str | None
    error: FaultbenchError | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cells that differ in their learner alone, by their numbers in the plan, and the stage that compares them."""

    first: int
    second: int
    goal: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Args:
        settings: What was asked for.
        registry: What there was to choose from.
        cache: Where results are looked for and kept.
        cells: In the order of the axes.
        comparisons: Of every two learners.
        graph: All stages.
        warnings: What the user should know before it runs, a line each.
    """

    settings: RunSettings
    registry: Registry
    cache: Cache
    cells: tuple[Planned, ...]
    comparisons: tuple[Comparison, ...]
    graph: Graph
    warnings: tuple[str, ...] = ()

    @property
    def goals(self) -> tuple[str, ...]:
        """What has to be computed, the cells first."""
        return (*(c.goal for c in self.cells if c.goal is not None), *(c.goal for c in self.comparisons))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, each behind its inputs."""
        return tuple(self.graph[key] for key in ordered(self.graph, self.goals))


def plan(settings: RunSettings, registry: Registry, cache: Cache | None = None) -> Plan:
    """The plan of a run. Catalogues are read and targets are asked what they are; nothing is computed.

    Raises:
        UsageError: A name, a parameter or a criterion does not fit, or no cell can be split as it is asked for.
        DataError: A data set is not there; the message says how to get it.
        PluginError: A plugin that is named cannot be used.
    """
    builder = _Builder(settings, registry)
    planned = tuple(builder.cell(cell) for cell in cells(settings, registry))
    if settings.source and not any(cell.fields["sources"] for cell in planned):
        raise UsageError("source names data sets that no scenario takes: name one that does (-s new-dataset), or leave --source away")
    refuse([cell.error for cell in planned])
    comparisons = tuple(builder.comparisons(planned))
    return Plan(settings, registry, cache or Cache(), planned, comparisons, builder.graph, builder.warnings())


def refuse(errors: Sequence[FaultbenchError | None]) -> None:
    """Lets a run of which nothing can be done, for one reason that is the user's to mend, end as any bad usage does.

    Args:
        errors: Why each cell cannot be computed; None for one that can.
    """
    reasons = {(type(error), str(error)) for error in errors}
    if len(reasons) == 1 and errors[0] is not None and errors[0].exit_code != CellError.exit_code:
        raise errors[0]


class _Builder:
    """Gathers the stages of cells; a stage that two cells share has one key, hence is one."""

    def __init__(self, settings: RunSettings, registry: Registry) -> None:
        self.graph: dict[str, Stage] = {}
        self._settings = settings
        self._given = {"data_dir": settings.data_dir, "plugins": registry.everybody}
        self._request = dataclasses.asdict(settings.request())
        self._scale = QUICK_SCALE if settings.quick else 1.0
        self._parts = parts_digest(registry)
        self._sources = tuple({c.spelling: c for c in (registry.choose("datasets", name) for name in settings.source)}.values())
        self._bases: dict[str, str | None] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._devices: dict[str, str | CellError] = {}
        self._splittable: dict[tuple[str, str], FaultbenchError | None] = {}

    def cell(self, cell: Cell) -> Planned:
        """A cell with all its stages."""
        seeds = range(self._settings.seeds)
        sources = [source.spelling for source in self._sources] if self._base(cell) else None
        shape = {**self._request, "seeds": len(seeds), "quick": self._settings.quick}
        shape["missing_recordings"] = sum(len(self._catalogue(dataset).missing) for dataset in self._datasets(cell))
        fields = {**cell.axes, "snr": cell.snr, "sources": sources, **shape}
        criteria = spelling(self._settings.cell_criteria({f"{axis}s": name for axis, name in cell.axes.items()}))
        splits = [self._split(cell, seed) for seed in seeds]
        exports = [self._export(cell, seed, split) for seed, split in zip(seeds, splits, strict=True)]
        device = self._device(cell.target)
        error = device if isinstance(device, CellError) else self._contradiction(cell)
        if isinstance(device, CellError) or error is not None:
            return Planned(cell, fields, criteria, digest([cell.axes, cell.snr, exports]), None, error)
        episodes = [self._episodes(cell, seed, split) for seed, split in zip(seeds, splits, strict=True)]
        measures = [self._measure(cell, seed, drawn, export, device) for seed, drawn, export in zip(seeds, episodes, exports, strict=True)]
        identity = digest(measures)
        goal = self._add(
            stages.JUDGE,
            f"judge {cell.title}",
            {"cell": fields, "criteria": criteria, "baseline": cell.baseline, "digest": identity},
            {**_numbered("episodes", episodes), **_numbered("export", exports), **_numbered("measure", measures)},
        )
        return Planned(cell, fields, criteria, identity, goal)

    def warnings(self) -> tuple[str, ...]:
        """What is missing of the data sets. An incomplete copy is no error, but its figures are not those of the whole set."""
        said = []
        for name, catalogue in self._catalogues.items():
            if catalogue.missing:
                first, missing = next(iter(catalogue.missing.values())), len(catalogue.missing)
                lacking = f"{missing} of {len(catalogue.recordings) + missing} recordings ({first}{', ...' if missing > 1 else ''})"
                said.append(f"{name} lacks {lacking}: figures hold for the recordings that are there")
        return tuple(said)

    def comparisons(self, planned: Sequence[Planned]) -> list[Comparison]:
        """The stages that compare learners with one another."""
        found = []
        for (i, a), (j, b) in itertools.combinations(enumerate(planned), 2):
            if a.goal is not None and b.goal is not None and a.cell.comparable(b.cell):
                first, second = self.graph[a.goal].inputs, self.graph[b.goal].inputs
                inputs = {role: key for role, key in first.items() if role.startswith("episodes.")}
                for name, judged in (("first", first), ("second", second)):
                    inputs |= {role.replace("measure", name): key for role, key in judged.items() if role.startswith("measure.")}
                title = f"compare {a.cell.learner.spelling} with {b.cell.learner.spelling}, {a.cell.title}"
                found.append(Comparison(i, j, self._add(stages.COMPARE, title, {"seeds": self._settings.seeds}, inputs)))
        return found

    def _split(self, cell: Cell, seed: int) -> str:
        params = {"scenario": cell.scenario, "request": {**self._request, "episodes": 1}, "seed": seed}
        title = f"split {cell.dataset.spelling}, {cell.scenario.spelling}, seed {seed}"
        return self._add(stages.SPLIT, title, params, {"ingest": self._ingest(cell)})

    def _episodes(self, cell: Cell, seed: int, split: str) -> str:
        params = {"scenario": cell.scenario, "request": self._request, "seed": seed}
        title = f"draw episodes of {cell.dataset.spelling}, {cell.scenario.spelling}, seed {seed}"
        return self._add(stages.EPISODES, title, params, {"ingest": self._ingest(cell), "split": split})

    def _contradiction(self, cell: Cell) -> FaultbenchError | None:
        """Why a scenario refuses what is asked of a data set, where the catalogue alone can tell: it knows every signal's length."""
        pair = cell.dataset.spelling, cell.scenario.spelling
        if pair not in self._splittable:
            catalogues = [self._catalogue(dataset) for dataset in self._datasets(cell)]
            self._splittable[pair] = _refusal(cell.scenario, catalogues, self._base(cell), {**self._request, "episodes": 1})
        return self._splittable[pair]

    def _base(self, cell: Cell) -> str | None:
        """What a scenario that takes sources brings all signals to; None for one that takes none."""
        name = cell.scenario.spelling
        if name not in self._bases:
            try:
                self._bases[name] = getattr(make(cell.scenario), "base", None)
            except FaultbenchError:
                self._bases[name] = None  # `_refusal` says why the scenario cannot be made
        return self._bases[name]

    def _datasets(self, cell: Cell) -> tuple[Choice, ...]:
        """The data set that is tested on, and the sources where the scenario takes some."""
        return (cell.dataset, *self._sources) if self._base(cell) else (cell.dataset,)

    def _ingest(self, cell: Cell) -> str:
        """The signals of a cell: those of its data set; beside the sources' and on their common base, where the scenario takes sources."""
        ingested = [self._ingest_one(dataset) for dataset in self._datasets(cell)]
        base = self._base(cell)
        if base is None:
            return ingested[0]
        title = f"gather {' '.join(dataset.spelling for dataset in self._datasets(cell))}, base {base}"
        return self._add(stages.GATHER, title, {"base": base}, _numbered("ingest", ingested))

    def _ingest_one(self, dataset: Choice) -> str:
        params = {"dataset": dataset, "catalogue": self._catalogue(dataset).digest}
        return self._add(stages.INGEST, f"ingest {dataset.spelling}", params, {})

    def _catalogue(self, chosen: Choice) -> Catalogue:
        name = chosen.spelling
        if name not in self._catalogues:
            dataset: DataSet = make(chosen, data_dir=self._settings.data_dir)
            self._catalogues[name] = dataset.catalogue()
        return self._catalogues[name]

    def _export(self, cell: Cell, seed: int, split: str) -> str:
        """The artifact, by way of training and of every link of the chain."""
        learner = {"learner": cell.learner, "parts": self._parts, "threads": THREADS}
        data = {"ingest": self._ingest(cell), "split": split}
        of = f"{cell.learner.spelling}, {cell.dataset.spelling} {cell.scenario.spelling}, seed {seed}"
        nets = [self._add(stages.TRAIN, f"train {of}", {**learner, "scale": self._scale}, data)]
        for number, link in enumerate(cell.chain):
            params = {**learner, "compressor": link, "link": number, "scale": self._scale * COMPRESS_SCALE}
            nets.append(self._add(stages.COMPRESS, f"compress by {link.spelling}: {of}", params, {**data, "net": nets[-1]}))
        params = {**learner, "chain": cell.compressor}
        return self._add(stages.EXPORT, f"export {cell.compressor} {of}", params, {**data, "net": nets[-1], **_numbered("made", nets)})

    def _measure(self, cell: Cell, seed: int, episodes: str, export: str, fingerprint: str) -> str:
        params: dict[str, Any] = {"target": cell.target, "fingerprint": fingerprint, "timing": dataclasses.asdict(Timing())}
        if cell.snr != CLEAN:
            params["snr"] = cell.snr
        title = f"measure {cell.title}, seed {seed}"
        return self._add(stages.MEASURE, title, params, {"ingest": self._ingest(cell), "episodes": episodes, "export": export})

    def _device(self, target: Choice) -> str | CellError:
        """The fingerprint of a target's device, or why it cannot be reached: that costs its cells, not the run."""
        if target.spelling not in self._devices:
            made: Target = make(target)
            try:
                self._devices[target.spelling] = made.probe().fingerprint
            except CellError as error:
                self._devices[target.spelling] = error
        return self._devices[target.spelling]

    def _add(self, kind: Kind, title: str, params: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        key = key_of(kind, params, inputs)
        like = f"{title.rpartition(', seed ')[0] or title} x{params.get('scale', 1)}"
        self.graph.setdefault(key, Stage(key, kind.name, title, kind.function, params, inputs, self._given, kind.alone, like))
        return key


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


def _numbered(role: str, keys: Sequence[str]) -> dict[str, str]:
    return {f"{role}.{number}": key for number, key in enumerate(keys)}
