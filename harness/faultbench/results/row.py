"""The row of a cell: everything that was found out about it, as plain JSON values.

A figure that is not known is None, never 0. The layout is an interface: tables, files and observers read it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from faultbench.errors import CellError
from faultbench.results.counts import by_unit, counted
from faultbench.results.criteria import Criterion
from faultbench.results.metrics import FIGURES, RATES, TIMES, VOIDABLE
from faultbench.results.outcome import Outcome
from faultbench.results.statistics import RECALL_CRITERION, bearings, difference, rates
from faultbench.results.verdict import judge

PROTOCOL = 1
"""Changes with whatever changes a figure: windows, episodes, statistics, timing. Rows of two protocols are not compared."""

SCHEMA = 1
"""Changes when a field of the row is renamed, is removed, or changes its meaning."""

AXES = ("dataset", "scenario", "learner", "compressor", "target")
"""The cell's axes, each with its canonical name."""

SETTINGS = (
    "snr",
    "sources",
    "scenario_digest",
    "level",
    "note",
    "ways",
    "shots",
    "shots_rare",
    "queries",
    "episodes",
    "seeds",
    "window",
    "channels",
    "rate_hz",
    "quick",
    "missing_recordings",
    "target_recordings",
)
"""What the scenario and the run's settings add to the axes; None while unknown, as in a cell that failed early."""

CELL = (*AXES, *SETTINGS)
"""The fields of `row["cell"]`."""


def row(
    cell: Mapping[str, Any],
    outcome: Outcome | None,
    times: Mapping[str, Mapping[str, float] | None] | None,
    figures: Mapping[str, Any],
    criteria: Sequence[Criterion],
    *,
    digest: str,
    split_digest: str | None = None,
    kind: str | None = None,
    device: Any = None,
    versions: Mapping[str, str] | None = None,
    others: Mapping[str, Outcome] | None = None,
    baseline: bool = False,
    labels: Sequence[str] = (),
    achieved: Mapping[str, Any] | None = None,
    parity: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
    void: str = "",
    error: str | None = None,
    error_code: int | None = None,
    not_applicable: str | None = None,
) -> dict[str, Any]:
    """The row of one cell, over all its seeds, judged.

    Args:
        cell: The fields of `CELL`. The axes are required; `seeds` is the count, `level` as the split says it, `note` what has to
            be said beside the level, `quick` whether it is a quick run, `missing_recordings` how many the data set
            has and this copy has not, `scenario_digest` the digest of the file that a scenario was read from, `target_recordings` the
            digest of the target's pool of recordings (the store counts the looks at it). Further fields are kept as they are.
        outcome: Every query of every seed; None where nothing was scored.
        times: `finetune_s`, `latency_ms`, `network_ms`, each `{min, p50, p90, p99, n}` in the unit that the name says.
            `decision_ms` is added here: the sensing time of a window (`window / rate_hz`) and the latency.
        figures: The plain numbers by name (`metrics.FIGURES`); those not given are None.
        criteria: What the row is judged by (`criteria.parse`).
        digest: Of everything that the cell's measurement was made from; the row's identity in the store.
        split_digest: Of the episodes of all seeds and of the signals that they show; what two cells must share to be compared.
        kind: `measured`, `emulated` or `estimated`; None where nothing ran.
        device: What ran it: a `Device`, or a mapping.
        versions: Of the libraries that shape the result, by name.
        others: Outcomes of the other learners on the same data set, scenario, compressor and target, by the learner's
            canonical name; the row gets the paired difference of the accuracy to each. Of the same episodes.
        baseline: Whether the row is shown and compared with, but not gated.
        labels: What must be said about the cell (`structure only`).
        achieved: What the compressors achieved, by name.
        parity: How the graphs compare with the torch reference.
        notes: What else the target or the learner wants said.
        void: Why the times cannot be trusted, or empty; void times are None in the row.
        error: Why the cell could not be computed, in one line.
        error_code: What the command ends with for such an error: 2 for bad usage or input, 4 (where not given) for anything else.
        not_applicable: Why the cell makes no sense, in one line.

    Returns:
        `protocol`, `digest`, `split_digest`, `cell`, the rates `accuracy`, `accuracy_faults`, `recall` (`rare`, `worst`), `false_alarm`,
        `missed_alarm`, the times `finetune_s`, `latency_ms`, `network_ms`, `decision_ms`, the figures, `bearings`,
        `classes`, `confusion`, `by_unit`, `differences`, `kind`, `device`, `versions`, `baseline`, `labels`, `watermark`, `achieved`,
        `parity`, `notes`, `void`, `error`, `error_code`, `not_applicable`, `looks` (filled in by the store) and `verdict`.

    Raises:
        ValueError: An axis is missing, or a figure or a time has a name that rows do not know.
    """
    _check_names(cell, times or {}, figures)
    made: dict[str, Any] = {
        "protocol": PROTOCOL,
        "digest": digest,
        "split_digest": split_digest,
        "cell": {**dict.fromkeys(CELL), **cell},
        **_rates(outcome),
        **_times(times or {}, cell, void),
        **{name: None if void and name in VOIDABLE else figures.get(name) for name in FIGURES},
        **_details(outcome, criteria),
        "differences": {name: difference(outcome, other) for name, other in (others or {}).items()} if outcome is not None else {},
        "kind": kind,
        "device": device,
        "versions": versions or {},
        "baseline": baseline,
        "labels": list(labels),
        "watermark": watermark(cell),
        "achieved": achieved or {},
        "parity": parity,
        "notes": notes or {},
        "void": void,
        "error": error,
        "error_code": None if error is None else error_code or CellError.exit_code,
        "not_applicable": not_applicable,
        "looks": None,
    }
    made = plain(made)
    made["verdict"] = plain(judge(made, criteria))
    return made


def watermark(cell: Mapping[str, Any]) -> str | None:
    """What makes a row's figures no evidence: `quick`, `leaks: bearing`, both, or None."""
    marks = ["quick"] if cell.get("quick") else []
    if cell.get("level") in ("T0", "T1"):
        marks.append("leaks: bearing")
    return "; ".join(marks) or None


def plain(value: Any) -> Any:
    """The value as JSON has it: plain numbers, strings, lists and dictionaries; what is not finite becomes None.

    Raises:
        TypeError: It holds something that JSON has not.
    """
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    raise TypeError(f"a row cannot hold {type(value).__name__}: give numbers, strings, lists or mappings")


def _check_names(cell: Mapping[str, Any], times: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    if missing := [axis for axis in AXES if not cell.get(axis)]:
        raise ValueError(f"the cell has no {', '.join(missing)}: every axis needs its canonical name")
    if unknown := sorted((set(times) - set(TIMES)) | (set(figures) - set(FIGURES))):
        raise ValueError(f"rows have no figure {', '.join(unknown)}: metrics.py names those they have")


def _rates(outcome: Outcome | None) -> dict[str, Any]:
    found = rates(outcome) if outcome is not None else dict.fromkeys(RATES)
    flat = {name: rate for name, rate in found.items() if "." not in name}
    return {**flat, "recall": {"rare": found["recall.rare"], "worst": found["recall.worst"]}}


def _times(times: Mapping[str, Mapping[str, float] | None], cell: Mapping[str, Any], void: str) -> dict[str, Any]:
    if void:
        return dict.fromkeys(TIMES)
    latency, window, rate_hz = times.get("latency_ms"), cell.get("window"), cell.get("rate_hz")
    decision = None
    if latency is not None and window and rate_hz:
        sensing_ms = 1000 * window / rate_hz
        decision = {name: value if name == "n" else value + sensing_ms for name, value in latency.items()}
    return {**dict.fromkeys(TIMES), "decision_ms": decision, **times}


def _details(outcome: Outcome | None, criteria: Sequence[Criterion]) -> dict[str, Any]:
    """What the rates are made of: recall by bearing and by class, the confusion matrix, and the counts by unit."""
    if outcome is None:
        return {"bearings": None, "classes": {}, "confusion": None, "by_unit": None}
    from faultbench.results.confusion import by_class

    asked = next((c.number for c in criteria if c.metric == "recall.rare" and c.op in (">=", ">")), RECALL_CRITERION)
    return {"bearings": bearings(outcome, asked), **by_class(outcome), "by_unit": by_unit(counted(outcome))}
