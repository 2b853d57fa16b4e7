"""The figures of a row that a criterion can judge: their names, their statistics, and what evidence they are.

The kind of a figure decides what can prove it. A *rate* is computed from what the runner returned, a *time* (energy and
memory with it) holds for the device that was timed, a *count* is read off the artifact and true wherever that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Evidence = Literal["rate", "time", "count"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a row.

    Args:
        evidence: What kind of figure it is.
        statistics: The statistics that it has, the first one meant where none is named; none for a plain number.
    """

    evidence: Evidence
    statistics: tuple[str, ...] = ()


_RATE = Metric("rate", ("mean", "ci_low", "ci_high"))
_TIME = Metric("time", ("p50", "p90", "p99", "min"))
_READING = Metric("time")
_COUNT = Metric("count")

RATES = ("accuracy", "accuracy_faults", "recall.rare", "recall.worst", "false_alarm", "missed_alarm")
TIMES = ("finetune_s", "latency_ms", "network_ms", "decision_ms")
FIGURES: Mapping[str, Metric] = {
    "load_s": _READING,
    "first_ms": _READING,
    "peak_rss_bytes": _READING,
    "energy_mj": _READING,
    "params": _COUNT,
    "macs": _COUNT,
    "artifact_bytes": _COUNT,
    "bundle_bytes": _COUNT,
    "train_s": _COUNT,
    "train_macs": _COUNT,
}
"""The plain numbers. Training happens on the host, whatever the target: `train_s` needs no evidence from a device."""

VOIDABLE = (*TIMES, "load_s", "first_ms")
"""What a failed timing audit takes away."""

METRICS: Mapping[str, Metric] = {
    **dict.fromkeys(RATES, _RATE),
    **dict.fromkeys(TIMES, _TIME),
    "bearings": Metric("rate", ("p_low", "passing", "total")),
    **FIGURES,
}
"""Everything that a criterion can name."""


def lookup(row: Mapping[str, Any], metric: str) -> Any:
    """What a row holds under a metric's dotted name, or None where it holds nothing."""
    value: Any = row
    for part in metric.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
