"""The plan of a run: its cells, the graph of the stages they share, and what of it is there already."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faultbench.data.recording import DataSet
from faultbench.errors import CellError
from faultbench.matrix import stages
from faultbench.matrix.cache import Cache
from faultbench.matrix.cells import Cell, cells
from faultbench.matrix.graph import Graph, Stage, ordered
from faultbench.matrix.keys import Kind, digest, key_of, parts_digest
from faultbench.matrix.settings import RunSettings
from faultbench.measuring.target import Target, Timing
from faultbench.registry import Choice, Registry, make
from faultbench.results.criteria import spelling

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
        error: Why not, or empty.
    """

    cell: Cell
    fields: Mapping[str, Any]
    criteria: str
    digest: str
    goal: str | None
    error: str = ""


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
    """

    settings: RunSettings
    registry: Registry
    cache: Cache
    cells: tuple[Planned, ...]
    comparisons: tuple[Comparison, ...]
    graph: Graph

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
        UsageError: A name, a parameter or a criterion does not fit.
        DataError: A data set is not there; the message says how to get it.
        PluginError: A plugin that is named cannot be used.
    """
    builder = _Builder(settings, registry)
    planned = tuple(builder.cell(cell) for cell in cells(settings, registry))
    comparisons = tuple(builder.comparisons(planned))
    return Plan(settings, registry, cache or Cache(), planned, comparisons, builder.graph)


class _Builder:
    """Gathers the stages of cells; a stage that two cells share has one key, hence is one."""

    def __init__(self, settings: RunSettings, registry: Registry) -> None:
        self.graph: dict[str, Stage] = {}
        self._settings = settings
        self._given = {"data_dir": settings.data_dir, "plugins": any(not plugin.source.builtin for plugin in registry.plugins)}
        self._request = dataclasses.asdict(settings.request())
        self._scale = QUICK_SCALE if settings.quick else 1.0
        self._parts = parts_digest(registry)
        self._catalogues: dict[str, str] = {}
        self._devices: dict[str, str | CellError] = {}

    def cell(self, cell: Cell) -> Planned:
        """A cell with all its stages."""
        seeds = range(self._settings.seeds)
        fields = {**cell.axes, **self._request, "seeds": len(seeds), "quick": self._settings.quick}
        criteria = spelling(self._settings.cell_criteria({f"{axis}s": name for axis, name in cell.axes.items()}))
        splits = [self._split(cell, seed) for seed in seeds]
        exports = [self._export(cell, seed, split) for seed, split in zip(seeds, splits, strict=True)]
        device = self._device(cell.target)
        if isinstance(device, CellError):
            return Planned(cell, fields, criteria, digest([cell.axes, exports]), None, str(device))
        measures = [self._measure(cell, seed, split, export, device) for seed, split, export in zip(seeds, splits, exports, strict=True)]
        identity = digest(measures)
        goal = self._add(
            stages.JUDGE,
            f"judge {cell.title}",
            {"cell": fields, "criteria": criteria, "baseline": cell.baseline, "digest": identity},
            {**_numbered("split", splits), **_numbered("export", exports), **_numbered("measure", measures)},
        )
        return Planned(cell, fields, criteria, identity, goal)

    def comparisons(self, planned: Sequence[Planned]) -> list[Comparison]:
        """The stages that compare learners with one another."""
        found = []
        for (i, a), (j, b) in itertools.combinations(enumerate(planned), 2):
            if a.goal is not None and b.goal is not None and a.cell.comparable(b.cell):
                first, second = self.graph[a.goal].inputs, self.graph[b.goal].inputs
                inputs = {role: key for role, key in first.items() if role.startswith("split.")}
                for name, judged in (("first", first), ("second", second)):
                    inputs |= {role.replace("measure", name): key for role, key in judged.items() if role.startswith("measure.")}
                title = f"compare {a.cell.learner.spelling} with {b.cell.learner.spelling}, {a.cell.title}"
                found.append(Comparison(i, j, self._add(stages.COMPARE, title, {"seeds": self._settings.seeds}, inputs)))
        return found

    def _split(self, cell: Cell, seed: int) -> str:
        params = {"scenario": cell.scenario, "request": self._request, "seed": seed}
        title = f"split {cell.dataset.spelling}, {cell.scenario.spelling}, seed {seed}"
        return self._add(stages.SPLIT, title, params, {"ingest": self._ingest(cell)})

    def _ingest(self, cell: Cell) -> str:
        name = cell.dataset.spelling
        if name not in self._catalogues:
            dataset: DataSet = make(cell.dataset, data_dir=self._settings.data_dir)
            self._catalogues[name] = dataset.catalogue().digest
        return self._add(stages.INGEST, f"ingest {name}", {"dataset": cell.dataset, "catalogue": self._catalogues[name]}, {})

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

    def _measure(self, cell: Cell, seed: int, split: str, export: str, fingerprint: str) -> str:
        params = {"target": cell.target, "fingerprint": fingerprint, "timing": dataclasses.asdict(Timing())}
        title = f"measure {cell.title}, seed {seed}"
        return self._add(stages.MEASURE, title, params, {"ingest": self._ingest(cell), "split": split, "export": export})

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


def _numbered(role: str, keys: Sequence[str]) -> dict[str, str]:
    return {f"{role}.{number}": key for number, key in enumerate(keys)}
