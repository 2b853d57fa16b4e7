"""Verdicts: what a row proves about each criterion, in which words, and the exit code that rows add up to.

`pass` and `fail` need evidence that can carry them; without it a criterion is `unproven`, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from faultbench.errors import UsageError
from faultbench.results.criteria import Criterion
from faultbench.results.metrics import METRICS, RATES, VOIDABLE, lookup
from faultbench.results.specimens import specimen

PASS, FAIL, UNPROVEN = "pass", "fail", "unproven"
NOT_APPLICABLE, ERROR = "not applicable", "error"

FEWEST_UNITS = 5
"""With fewer bearings that tell a rate an interval says next to nothing about the next one (design: Intervals)."""
FEWEST_QUERIES = 36
"""With fewer queries a bearing its own recall is hearsay: 36 of 36 is what proves 0.92 (Clopper-Pearson, one-sided 95 %)."""
FEWEST_TIMED = 100
"""With fewer calls the 99th percentile is the slowest of them."""


def judge(row: Mapping[str, Any], criteria: Sequence[Criterion]) -> dict[str, Any]:
    """The verdict on a row.

    Returns:
        `overall` (`pass`, `fail`, `unproven`, `not applicable`, `error`), `gated` (whether a gate counts it), `sentence`,
        and `criteria`: for each `{criterion, metric, statistic, op, number, value, holds, verdict, reason}`, `holds` being
        whether the value satisfies the criterion, whatever that proves.
    """
    if row["error"] is not None:
        return _unjudged(ERROR, row["error"])
    if row["not_applicable"] is not None:
        return _unjudged(NOT_APPLICABLE, row["not_applicable"])
    judged = [_judge_one(row, criterion) for criterion in criteria]
    found = [one["verdict"] for one in judged]
    overall = next((verdict for verdict in (FAIL, UNPROVEN) if verdict in found), PASS if found else UNPROVEN)
    return {"overall": overall, "gated": not row["baseline"], "sentence": _sentence(row, overall, judged), "criteria": judged}


def exit_code(rows: Iterable[Mapping[str, Any]], *, gate: bool, allow_unproven: bool = False) -> int:
    """The exit code for the rows of a run that was not interrupted.

    2 where a cell could not be computed for bad usage or input; 4 where one could not for another reason, or nothing was
    measured (with a gate: nothing that it judges); then, with a gate, 1 where a row fails and 3 where one is unproven and
    that is not allowed; else 0.
    """
    rows = list(rows)
    if any(row["error_code"] == UsageError.exit_code for row in rows):
        return UsageError.exit_code
    verdicts = [row["verdict"] for row in rows]
    measured = [v for v in verdicts if v["overall"] in (PASS, FAIL, UNPROVEN) and (v["gated"] or not gate)]
    if not measured or any(v["overall"] == ERROR for v in verdicts):
        return 4
    overall = {v["overall"] for v in measured}
    if gate and FAIL in overall:
        return 1
    if gate and UNPROVEN in overall and not allow_unproven:
        return 3
    return 0


def _unjudged(overall: str, reason: str) -> dict[str, Any]:
    word = "could not be computed" if overall == ERROR else "not applicable"
    return {"overall": overall, "gated": False, "sentence": f"{word}: {reason}", "criteria": []}


def _judge_one(row: Mapping[str, Any], criterion: Criterion) -> dict[str, Any]:
    value = lookup(row, criterion.figure)
    verdict, reason = _weigh(row, criterion, value)
    return {
        "criterion": criterion.spelling,
        "metric": criterion.metric,
        "statistic": criterion.statistic,
        "op": criterion.op,
        "number": criterion.number,
        "value": value,
        "holds": None if value is None else criterion.holds(value),
        "verdict": verdict,
        "reason": reason,
    }


def _weigh(row: Mapping[str, Any], criterion: Criterion, value: float | None) -> tuple[str, str]:
    """The verdict on one criterion, and why it is not a pass."""
    if value is None:
        return UNPROVEN, _why_unknown(row, criterion)
    if weakness := row["watermark"] or _weakness(row, criterion):
        return UNPROVEN, weakness
    if not criterion.holds(value):
        return FAIL, f"{value:.4g} is not {criterion.op} {criterion.number:g}"
    if row["kind"] == "estimated" and METRICS[criterion.metric].evidence != "count":
        return UNPROVEN, "an estimate cannot pass"
    return PASS, ""


def _why_unknown(row: Mapping[str, Any], criterion: Criterion) -> str:
    if row["void"] and criterion.metric in VOIDABLE:
        return f"the times are void: {row['void']}"
    if criterion.statistic.startswith("ci_") and lookup(row, f"{criterion.metric}.mean") is not None:
        return f"{criterion.metric} has no interval: {lookup(row, f'{criterion.metric}.clusters')}"
    return f"{criterion.metric} is not known"


def _weakness(row: Mapping[str, Any], criterion: Criterion) -> str:
    """What keeps the evidence from carrying a verdict either way, or nothing."""
    evidence = METRICS[criterion.metric].evidence
    if evidence == "count":
        return ""
    if row["kind"] is None:
        return "nothing says what kind of evidence it is"
    if evidence == "time":
        return _weakness_of_time(row, criterion)
    told_by = "healthy" if criterion.metric == "false_alarm" else "fault"
    units = lookup(row, f"{criterion.metric if criterion.metric in RATES else 'accuracy'}.{told_by}_units") or 0
    what = specimen(row)
    if units < FEWEST_UNITS:
        return f"only {units} {f'fault {what}s' if told_by == 'fault' else 'healthy units'}, {FEWEST_UNITS} are needed"
    queries = lookup(row, f"{criterion.metric if criterion.metric in RATES else 'accuracy_faults'}.queries_per_unit") or 0
    return too_few_queries(queries, what, lookup(row, "cell.episodes"))


def too_few_queries(mean: float, what: str, episodes: float | None = None) -> str:
    """Why so many queries a bearing carry no verdict, and how many episodes would give enough; or nothing.

    Args:
        mean: Queries a bearing on average: single bearings may have more or fewer.
        what: What a bearing is called.
        episodes: Of each seed, where known. Queries grow with them, a little more slowly where more bearings are drawn, too.
    """
    if mean >= FEWEST_QUERIES:
        return ""
    said = f"only {on_average(mean)} queries a {what} on average, {FEWEST_QUERIES} are needed"
    return f"{said} (about --episodes {math.ceil(episodes * FEWEST_QUERIES / mean)})" if episodes and mean > 0 else said


def on_average(queries: float) -> str:
    """A mean number of queries, to one decimal and never rounded up: 35.97 is `35.9`, fewer than the 36 that are needed."""
    return f"{math.floor(queries * 10) / 10:.1f}".removesuffix(".0")


def _weakness_of_time(row: Mapping[str, Any], criterion: Criterion) -> str:
    if row["kind"] == "emulated":
        return "emulated, times do not count"
    timed = lookup(row, f"{criterion.metric}.n")
    if criterion.statistic == "p99" and timed is not None and timed < FEWEST_TIMED:
        return f"only {timed:.0f} were timed, a 99th percentile takes {FEWEST_TIMED}"
    return ""


def _sentence(row: Mapping[str, Any], overall: str, judged: Sequence[Mapping[str, Any]]) -> str:
    """The verdict in words: the failing criteria, else the unproven ones, else how many hold."""
    if not judged:
        return "unproven: no criteria"
    if overall == FAIL:
        return "fails: " + "; ".join(_said(row, one) for one in judged if one["verdict"] == FAIL)
    if overall == UNPROVEN:
        return _unproven(judged)
    count = "the criterion" if len(judged) == 1 else f"all {len(judged)} criteria"
    return f"passes {count}"


def _unproven(judged: Sequence[Mapping[str, Any]]) -> str:
    """The criteria that stay open, those of one reason together, each with what its value would be worth."""
    reasons: dict[str, list[Mapping[str, Any]]] = {}
    for one in judged:
        if one["verdict"] == UNPROVEN:
            reasons.setdefault(one["reason"], []).append(one)
    if len(reasons) == 1 and all(one["verdict"] == UNPROVEN and one["holds"] is not None for one in judged):
        (reason,) = reasons
        return f"unproven ({reason}): {_worth(judged)}"
    return "unproven: " + "; ".join(f"{', '.join(map(_open, criteria))}: {reason}" for reason, criteria in reasons.items())


def _worth(judged: Sequence[Mapping[str, Any]]) -> str:
    """What criteria would come to if the evidence could carry them."""
    failing = [one for one in judged if not one["holds"]]
    if not failing:
        return "the criterion would pass" if len(judged) == 1 else f"all {len(judged)} criteria would pass"
    said = ", ".join(f"{one['criterion']} ({one['value']:.4g})" for one in failing) + " would fail"
    rest = len(judged) - len(failing)
    return f"{said}, the other {rest} would pass" if rest > 1 else f"{said}, the other would pass" if rest else said


def _open(one: Mapping[str, Any]) -> str:
    """A criterion that stays open, with what its value would be worth where there is one."""
    worth = "" if one["holds"] is None else f" ({one['value']:.4g} would {'pass' if one['holds'] else 'fail'})"
    return f"{one['criterion']}{worth}"


def _said(row: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    """A judged criterion in words: `recall.rare 0.88 to 0.97 on 9 bearings; criterion >= 0.92 on the lower bound`."""
    metric, statistic = one["metric"], one["statistic"]
    figure = lookup(row, metric)
    asked = f"criterion {one['op']} {one['number']:g}"
    if statistic in ("ci_low", "ci_high"):
        units = figure["fault_units"] or figure["healthy_units"]
        what = "bearings" if figure["fault_units"] else "healthy units"
        bound = "lower" if statistic == "ci_low" else "upper"
        return f"{metric} {figure['ci_low']:.3g} to {figure['ci_high']:.3g} on {units} {what}, {asked} on the {bound} bound"
    return f"{metric}{'.' + statistic if statistic else ''} {one['value']:.4g}, {asked}"
