"""The leak audit as a report of its own: what the splits of data sets and scenarios share, what they hold, and what shortcuts score.

A run refuses a split that breaks its level with one line. Here such a split is reported like any other, with everything that is wrong.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from faultbench.data.audit import PROMISES, STANDS_FOR, promises
from faultbench.data.split import Pool, Signals, Split
from faultbench.data.splitfile import HEAD, load_split
from faultbench.errors import CellError, DataError, FaultbenchError, UsageError
from faultbench.matrix import running
from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Graph
from faultbench.matrix.leases import in_use
from faultbench.matrix.plan import refuse
from faultbench.matrix.running import Ended
from faultbench.matrix.settings import RunSettings
from faultbench.matrix.signals import PoolSignals
from faultbench.matrix.splits import Splits
from faultbench.matrix.stages import AUDIT_FILE, SPLIT_FOLDER
from faultbench.registry import Choice, Registry
from faultbench.results.row import plain

SCHEMA = 1
"""Of the document; raised when a field is renamed, removed or changes its meaning."""

_UNFIT = "the episodes do not add up, see the findings"


class Progress(running.Progress, Protocol):
    """Who shows how it goes."""

    def run_finished(self, stages: int, reused: int) -> None:
        """All is done; so many stages were there already."""
        ...


@dataclass(frozen=True, slots=True)
class PlannedAudit:
    """One data set and scenario to be audited.

    Args:
        fields: What its report begins with.
        ingest: The key of the signals.
        goals: The key of the audit of each seed.
        error: Why it cannot be split, or None.
    """

    fields: Mapping[str, Any]
    ingest: str
    goals: tuple[str, ...]
    error: FaultbenchError | None


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What is to be audited.

    Args:
        audits: In the order of the names.
        graph: All stages.
        cache: Where results are looked for and kept.
        jobs: Stages computed at a time.
        warnings: What is missing of the data sets, a line each.
    """

    audits: tuple[PlannedAudit, ...]
    graph: Graph
    cache: Cache
    jobs: int
    warnings: tuple[str, ...]


Told = Callable[[list[dict[str, Any]]], None]
"""Is told the reports of what was refused, before the error that says it is raised."""


def plan(settings: RunSettings, registry: Registry, cache: Cache | None = None, refused: Told = lambda _: None) -> AuditPlan:
    """The audits of every data set with every scenario. Catalogues are read, nothing is computed.

    Args:
        settings: What is asked for.
        registry: Where names are looked up.
        cache: Where results are kept; the user's where it is left out.
        refused: Told the reports, where nothing can be split.

    Raises:
        UsageError: A name or a parameter does not fit, or nothing can be split, for one reason.
        DataError: A data set is not there; the message says how to get it.
        PluginError: A plugin that is named cannot be used.
    """
    splits = Splits(settings, registry)
    axes = [
        {c.spelling: c for c in (registry.choose(kind, name) for name in getattr(settings, kind))} for kind in ("datasets", "scenarios")
    ]
    audits = tuple(_planned(splits, settings, *pair) for pair in itertools.product(*(axis.values() for axis in axes)))
    if settings.source and not any(audit.fields["sources"] for audit in audits):
        raise UsageError("source names data sets that no scenario takes: name one that does (-s new-dataset), or leave --source away")
    _refuse(audits, [audit.error for audit in audits], refused)
    return AuditPlan(audits, splits.graph, cache or Cache(), settings.jobs, splits.warnings())


def _refuse(audits: Sequence[PlannedAudit], errors: Sequence[FaultbenchError | None], refused: Told) -> None:
    try:
        refuse(errors)
    except FaultbenchError:
        refused([_refused(audit, error) for audit, error in zip(audits, errors, strict=True) if error is not None])
        raise


def execute(plan: AuditPlan, progress: Progress, refused: Told = lambda _: None) -> list[dict[str, Any]]:
    """The reports, as JSON takes them, in the plan's order.

    Args:
        plan: What is audited.
        progress: Who shows how it goes.
        refused: Told the reports, where no split could be made.

    Raises:
        FaultbenchError: No split could be made, for one and the same reason, and that is bad usage or bad input.
        UsageError: The cache cannot be written.
    """
    with in_use(plan.cache.root, plan.graph):  # what was made is read after the run has ended
        return _execute(plan, progress, refused)


def _execute(plan: AuditPlan, progress: Progress, refused: Told) -> list[dict[str, Any]]:
    ended: dict[str, Ended] = {}
    goals = [goal for audit in plan.audits if audit.error is None for goal in (audit.ingest, *audit.goals)]
    tally = running.run(plan.graph, goals, plan.cache, progress, jobs=plan.jobs, ended=lambda end: ended.__setitem__(end.key, end))
    made = [audit.error or _made([ended[goal] for goal in (audit.ingest, *audit.goals)]) for audit in plan.audits]
    _refuse(plan.audits, [one if isinstance(one, FaultbenchError) else None for one in made], refused)
    progress.run_finished(tally.stages, tally.reused)
    return [
        _refused(audit, one) if isinstance(one, FaultbenchError) else _report(audit, *one)
        for audit, one in zip(plan.audits, made, strict=True)
    ]


def document(reports: Sequence[Mapping[str, Any]], command: Sequence[str]) -> dict[str, Any]:
    """The reports as one document; `docs/howto/audit.md` says what its fields mean."""
    return {"schema": SCHEMA, "command": list(command), "audits": [plain(report) for report in reports]}


def exit_code(reports: Sequence[Mapping[str, Any]]) -> int:
    """0 where every split was made and is clean; else 2, or 4 where one could not be computed."""
    codes = {report["error_code"] or (2 if any(seed["findings"] for seed in report["seeds"]) else 0) for report in reports}
    return next((code for code in (2, 4) if code in codes), 0)


def _planned(splits: Splits, settings: RunSettings, dataset: Choice, scenario: Choice) -> PlannedAudit:
    sources = [source.spelling for source in splits.sources] if splits.base(scenario) else None
    missing = sum(len(splits.catalogue(one).missing) for one in splits.datasets(dataset, scenario))
    fields = {
        "dataset": dataset.spelling,
        "scenario": scenario.spelling,
        "sources": sources,
        "missing_recordings": missing,
        **splits.request,
    }
    error = splits.refusal(dataset, scenario)
    goals = () if error else tuple(splits.audit(dataset, scenario, seed) for seed in range(settings.seeds))
    return PlannedAudit(fields, splits.ingest(dataset, scenario), goals, error)


def _made(ends: Sequence[Ended]) -> list[Path] | FaultbenchError:
    """The folders of what an audit is made from, or why it could not be made."""
    for end in ends:
        if end.failure is not None:
            return end.failure.error(end.failure.message)
    folders = [end.value for end in ends if end.value is not None]
    return folders if len(folders) == len(ends) else CellError("its audit went from the cache meanwhile: run again")


def _refused(audit: PlannedAudit, error: FaultbenchError) -> dict[str, Any]:
    return {
        **audit.fields,
        "error": str(error),
        "error_code": error.exit_code,
        "level": None,
        "seeds": [],
        "facts": [],
        "probes": [],
        "unprobed": None,
    }


def _report(audit: PlannedAudit, ingested: Path, *folders: Path) -> dict[str, Any]:
    found = [json.loads((folder / AUDIT_FILE).read_text(encoding="utf-8")) for folder in folders]
    level, note = found[0]["level"], found[0]["note"]
    report = {
        **audit.fields,
        "error": None,
        "error_code": None,
        "level": level,
        "note": note,
        "stands_for": STANDS_FOR.get(level, ""),
        "promises": {relation: list(things) for relation, things in promises(level, note).items()} if level in PROMISES else {},
        "seeds": [
            {**{name: one[name] for name in ("seed", "findings", "shared")}, "undrawn": one["facts"].pop("undrawn", [])} for one in found
        ],
        "facts": _alike(found),
    }
    try:
        splits = [_whole(folder) for folder in folders]
    except DataError as error:
        return {**report, "window": None, "rate_hz": None, "probes": [], "unprobed": str(error)}
    first = splits[0]
    report |= {"ways": first.request.ways, "window": first.window, "rate_hz": first.rate_hz}
    from faultbench.inspection.probes import probes

    def signals(pool: Pool) -> Signals:
        return PoolSignals(ingested, pool)

    return {**report, "probes": [dataclasses.asdict(probe) for probe in probes(splits, signals)], "unprobed": None}


def _alike(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The facts, those of all seeds that share them as one, with the seeds that they hold for."""
    groups: list[dict[str, Any]] = []
    for one in found:
        alike = next((group for group in groups if group["facts"] == one["facts"]), None)
        if alike is not None:
            alike["seeds"].append(one["seed"])
        elif one["facts"]:
            groups.append({"seeds": [one["seed"]], "facts": one["facts"]})
    return [{"seeds": group["seeds"], **group["facts"]} for group in groups]


def _whole(folder: Path) -> Split:
    """A split whose windows can be cut.

    Raises:
        DataError: It could not be written down, or a window lies outside its recording.
    """
    if not (folder / SPLIT_FOLDER / HEAD).exists():  # it could not be written down
        raise DataError(_UNFIT)
    split = load_split(folder / SPLIT_FOLDER)
    for episode in split.episodes:
        labels = {*episode.support_labels.tolist(), *episode.query_labels.tolist()}
        if len(episode.classes) != split.request.ways or not labels <= set(range(split.request.ways)):
            raise DataError(_UNFIT)
        for row, start in (*episode.support.tolist(), *episode.query.tolist()):
            known = 0 <= row < len(split.target.recordings)
            samples = split.target.samples(row) if known else None
            if samples is None or not 0 <= start <= samples - split.window:
                raise DataError(_UNFIT)
    return split
