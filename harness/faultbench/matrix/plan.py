"""The plan of a run: its cells, the graph of the stages they share, and what of it is there already."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faultbench.data.noise import CLEAN
from faultbench.discovery import HARNESS, normalised
from faultbench.errors import CellError, FaultbenchError, PluginError, UsageError
from faultbench.matrix import stages
from faultbench.matrix.cache import Cache
from faultbench.matrix.cells import Cell, cells
from faultbench.matrix.graph import Graph, Stage, ordered
from faultbench.matrix.keys import digest, parts_digest
from faultbench.matrix.settings import RunSettings
from faultbench.matrix.splits import Splits, numbered
from faultbench.measuring.target import Target, Timing
from faultbench.registry import Choice, Registry, make, refusal
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
        exports: The key of each seed's artifact.
        error: Why not, or None.
    """

    cell: Cell
    fields: Mapping[str, Any]
    criteria: str
    digest: str
    goal: str | None
    exports: tuple[str, ...]
    error: FaultbenchError | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cells that differ in their learner or in their channels alone, by their numbers in the plan.

    Args:
        first: A cell.
        second: The other.
        names: What tells the one from the other.
        goal: The stage that compares them.
    """

    first: int
    second: int
    names: tuple[str, str]
    goal: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Args:
        settings: What was asked for.
        registry: What there was to choose from.
        cache: Where results are looked for and kept.
        cells: In the order of the axes.
        comparisons: Of every two learners, and of every two choices of channels.
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
    crossed = cells(settings, registry)
    _refuse_unmakeable(crossed, registry)
    builder = _Builder(settings, registry)
    planned = tuple(builder.cell(cell) for cell in crossed)
    if settings.source and not any(cell.fields["sources"] for cell in planned):
        raise UsageError("source names data sets that no scenario takes: name one that does (-s new-dataset), or leave --source away")
    refuse([cell.error for cell in planned])
    comparisons = tuple(builder.comparisons(planned))
    return Plan(settings, registry, cache or Cache(), planned, comparisons, builder.graph, builder.warnings())


def _refuse_unmakeable(crossed: Sequence[Cell], registry: Registry) -> None:
    """Finds the parts that no stage could make, before the first stage runs. What the planner itself makes is found there."""
    named = {part.spelling: part for cell in crossed for part in (cell.learner, *cell.chain)}
    for part in tuple(named.values()):
        if normalised(part.distribution) == HARNESS:  # of other learners nobody knows what their parameters name
            for kind in ("frontends", "backbones"):
                if key := part.params.get(kind.removesuffix("s")):
                    inner = registry.choose(kind, str(key))
                    named[f"{kind} {inner.spelling}"] = inner
    # What comes with faultbench is tested with it, and importing it takes seconds.
    errors = [refusal(part) for part in named.values() if normalised(part.distribution) != HARNESS]
    found = list(dict.fromkeys(error for error in errors if error is not None))
    if len(found) > 1:
        raise PluginError("; ".join(str(error) for error in found))
    refuse(found)


def refuse(errors: Sequence[FaultbenchError | None]) -> None:
    """Lets a run of which nothing can be done, for one reason that is the user's to mend, end as any bad usage does.

    Args:
        errors: Why each cell cannot be computed; None for one that can.
    """
    reasons = {(type(error), str(error)) for error in errors}
    if len(reasons) == 1 and errors[0] is not None and errors[0].exit_code != CellError.exit_code:
        raise errors[0]


class _Builder:
    """Gathers the stages of cells."""

    def __init__(self, settings: RunSettings, registry: Registry) -> None:
        self._settings = settings
        self._splits = Splits(settings, registry)
        self._scale = QUICK_SCALE if settings.quick else 1.0
        self._parts = parts_digest(registry)
        self._devices: dict[str, str | CellError] = {}

    @property
    def graph(self) -> dict[str, Stage]:
        """All stages so far."""
        return self._splits.graph

    def cell(self, cell: Cell) -> Planned:
        """A cell with all its stages."""
        seeds, splits, pair = range(self._settings.seeds), self._splits, (cell.dataset, cell.scenario)
        shape = {**splits.request, "seeds": len(seeds), "quick": self._settings.quick}
        shape["missing_recordings"] = sum(len(splits.catalogue(dataset).missing) for dataset in splits.datasets(*pair))
        content = {"sources": splits.trained_on(cell.scenario), "scenario_digest": splits.content(cell.scenario)}
        fields = {**cell.axes, "snr": cell.snr, **content, **shape}
        criteria = spelling(self._settings.cell_criteria({f"{axis}s": name for axis, name in cell.axes.items()}))
        exports = [self._export(cell, seed) for seed in seeds]
        device = self._device(cell.target)
        error = device if isinstance(device, CellError) else splits.refusal(*pair, cell.snr)
        if isinstance(device, CellError) or error is not None:
            return Planned(cell, fields, criteria, digest([cell.axes, cell.snr, exports]), None, tuple(exports), error)
        episodes = [splits.episodes(*pair, seed) for seed in seeds]
        measures = [self._measure(cell, seed, drawn, export, device) for seed, drawn, export in zip(seeds, episodes, exports, strict=True)]
        identity = digest(measures)
        goal = splits.add(
            stages.JUDGE,
            f"judge {cell.title}",
            {"cell": fields, "criteria": criteria, "baseline": cell.baseline, "digest": identity, "catalogues": splits.versions(*pair)},
            {**numbered("episodes", episodes), **numbered("export", exports), **numbered("measure", measures)},
        )
        return Planned(cell, fields, criteria, identity, goal, tuple(exports))

    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the data sets."""
        return self._splits.warnings()

    def comparisons(self, planned: Sequence[Planned]) -> list[Comparison]:
        """The stages that compare learners with one another, and channels."""
        found = []
        for (i, a), (j, b) in itertools.combinations(enumerate(planned), 2):
            if a.goal is not None and b.goal is not None and (names := a.cell.contrast(b.cell)) is not None:
                first, second = self.graph[a.goal].inputs, self.graph[b.goal].inputs
                inputs: dict[str, str] = {}
                for name, judged in (("first", first), ("second", second)):
                    inputs |= {f"{name}.{role}": key for role, key in judged.items() if role.startswith(("episodes.", "measure."))}
                title = f"compare {names[0]} with {names[1]}, {a.cell.title}"
                found.append(Comparison(i, j, names, self._splits.add(stages.COMPARE, title, {"seeds": self._settings.seeds}, inputs)))
        return found

    def _export(self, cell: Cell, seed: int) -> str:
        """The artifact, by way of training and of every link of the chain."""
        splits = self._splits
        learner = {"learner": cell.learner, "parts": self._parts, "threads": THREADS}
        data = {"ingest": splits.ingest(cell.dataset, cell.scenario), "split": splits.split(cell.dataset, cell.scenario, seed)}
        of = f"{cell.learner.spelling}, {cell.dataset.spelling} {cell.scenario.spelling}, seed {seed}"
        nets = [splits.add(stages.TRAIN, f"train {of}", {**learner, "scale": self._scale}, data)]
        for number, link in enumerate(cell.chain):
            params = {**learner, "compressor": link, "link": number, "scale": self._scale * COMPRESS_SCALE}
            nets.append(splits.add(stages.COMPRESS, f"compress by {link.spelling}: {of}", params, {**data, "net": nets[-1]}))
        params = {**learner, "chain": cell.compressor}
        return splits.add(stages.EXPORT, f"export {cell.compressor} {of}", params, {**data, "net": nets[-1], **numbered("made", nets)})

    def _measure(self, cell: Cell, seed: int, episodes: str, export: str, fingerprint: str) -> str:
        params: dict[str, Any] = {"target": cell.target, "fingerprint": fingerprint, "timing": dataclasses.asdict(Timing())}
        if cell.snr != CLEAN:
            params["snr"] = cell.snr
        title = f"measure {cell.title}, seed {seed}"
        ingest = self._splits.ingest(cell.dataset, cell.scenario)
        return self._splits.add(stages.MEASURE, title, params, {"ingest": ingest, "episodes": episodes, "export": export})

    def _device(self, target: Choice) -> str | CellError:
        """The fingerprint of a target's device, or why it cannot be reached: that costs its cells, not the run."""
        if target.spelling not in self._devices:
            made: Target = make(target)
            try:
                self._devices[target.spelling] = made.probe().fingerprint
            except CellError as error:
                self._devices[target.spelling] = error
        return self._devices[target.spelling]
