"""Every verdict in a sentence per criterion: the interval, how many bearings it stands on, what was asked, and of which bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from faultbench.report.console import print_lines
from faultbench.report.headings import Row, cell_name, counted, is_judged
from faultbench.report.wording import number, rate
from faultbench.results.metrics import METRICS, lookup
from faultbench.results.specimens import specimen

_VERBS = {"pass": "passes", "fail": "fails", "unproven": "unproven"}
_WORST_FIRST = ("fail", "unproven", "pass")
STATISTICS = {
    "mean": "on the mean",
    "ci_low": "on the lower bound",
    "ci_high": "on the upper bound",
    "p_low": "on the lower bound",
    "passing": "on those that pass",
    "total": "on all that were asked for",
    "min": "on the shortest",
    "p50": "on the median",
    "p90": "on the 90th percentile",
    "p99": "on the 99th percentile",
}
"""What a criterion looks at, by the name of its statistic."""


def print_sentences(rows: Sequence[Row], console: Console) -> None:
    """Prints the sentences of every row, below a heading of their own."""
    if not rows:
        return
    console.print()
    print_lines(console, "Why:", style="bold")
    for row in rows:
        marks = [x for x in ("baseline" if row["baseline"] else "", row["watermark"] or "") if x]
        noted = f" ({', '.join(marks)})" if marks else ""
        print_lines(console, cell_name(row) + noted, indent=2, style="bold")
        for sentence in sentences(row):
            print_lines(console, sentence, indent=4)


def sentences(row: Row) -> Iterator[str]:
    """The verdict on each criterion of a row in words, what fails first.

    `fails: recall.rare 0.88 to 0.97 on 9 bearings; criterion >= 0.92 on the lower bound`.
    """
    if not is_judged(row) or not row["verdict"]["criteria"]:
        yield row["verdict"]["sentence"]
        return
    for one in sorted(row["verdict"]["criteria"], key=lambda one: _WORST_FIRST.index(one["verdict"])):
        said = f"{_VERBS[one['verdict']]}: {_found(row, one)}; criterion {one['op']} {one['number']:g}"
        said += f" {STATISTICS[one['statistic']]}" if one["statistic"] in STATISTICS else ""
        yield f"{said}: {one['reason']}" if one["verdict"] == "unproven" and one["reason"] else said


def _found(row: Row, one: Mapping[str, Any]) -> str:
    """What was measured of a criterion's figure."""
    metric, found = one["metric"], lookup(row, one["metric"])
    if found is None:
        return f"{metric} is not known"
    if metric == "bearings":
        reached = f"{found['passing']} of {found['total']} {specimen(row)}s reach recall {found['criterion']:g}"
        return f"{reached}, which proves {rate(found['p_low'])}"
    evidence = METRICS[metric].evidence
    if evidence == "rate":
        return _rate(metric, one["statistic"], found, specimen(row))
    if isinstance(found, Mapping):
        calls = counted(int(found["n"]), "call")
        return f"{metric} median {number(found['p50'])} and 99th percentile {number(found['p99'])} of {calls}"
    return f"{metric} {found:g}"


def _rate(metric: str, statistic: str, found: Mapping[str, Any], what: str) -> str:
    if found["ci_low"] is None or found["ci_high"] is None:
        return f"{metric} {rate(found['mean'])} without an interval on {_units(found, what)}"
    extent = f"{found['ci_low']:.3g} to {found['ci_high']:.3g}"
    mean = f"{rate(found['mean'])}, " if statistic == "mean" else ""
    return f"{metric} {mean}{extent} on {_units(found, what)}"


def _units(found: Mapping[str, Any], what: str) -> str:
    """`9 bearings`, `3 fault bearings and 4 healthy units`: a healthy unit may be a session of the only healthy bearing."""
    fault, healthy = found["fault_units"], found["healthy_units"]
    if fault and healthy:
        return f"{counted(fault, f'fault {what}')} and {counted(healthy, 'healthy unit')}"
    return counted(fault, what) if fault else counted(healthy, "healthy unit")
