"""How a comparison reads: the words that its table, its Markdown and its test cases are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbench.report.wording import UNKNOWN, count, number, rate, signed
from faultbench.results.comparison import FLOORS, excludes_zero
from faultbench.results.metrics import METRICS, RATES, TIMES
from faultbench.results.row import AXES

_LOWER_IS_BETTER = ("false_alarm", "missed_alarm")

SHOWN_RATIOS = ("finetune_s.p50", "latency_ms.p50", "latency_ms.p99", "params", "macs", "artifact_bytes", "peak_rss_bytes")
"""The ratios that a summary names where they changed."""


def name(one: Mapping[str, Any], axes: Sequence[str] = AXES) -> str:
    """What a pair or a lone row is called; on an axis on which its sides differ, both names."""
    said = []
    for axis in axes:
        new = str(one["cell"][axis])
        old = str(one["base"]["axes"][axis]) if "base" in one and axis in AXES else new
        said.append(new if old == new else f"{old} -> {new}")
    snr = one["cell"].get("snr")
    return " ".join([*said, *([f"snr {snr}"] if snr not in (None, "clean") and "snr" not in axes else [])])


def verdicts(pair: Mapping[str, Any]) -> str:
    """The verdicts of both rows, once where they agree: `pass -> fail`."""
    old, new = pair["base"]["verdict"], pair["new"]["verdict"]
    return str(new) if old == new else f"{old} -> {new}"


def difference(found: Mapping[str, Any]) -> str:
    """A rate's difference with its interval, and whether that is for the better where it leaves no doubt of the direction."""
    return UNKNOWN if found["diff"] is None else signed(found["diff"])


def direction(metric: str, diff: Mapping[str, Any]) -> str:
    """`better`, `worse`, or nothing where the interval holds 0."""
    if not excludes_zero(diff):
        return ""
    return "better" if (diff["mean"] > 0) != (metric in _LOWER_IS_BETTER) else "worse"


def ratio(found: Mapping[str, Any]) -> str:
    """A ratio, or that it is no change: `x 1.31`, `same`."""
    if found["ratio"] is None:
        return UNKNOWN
    return f"x {found['ratio']:.3g}" if found["called"] and found["ratio"] != 1 else "same"


def figure(name_: str, value: float | None) -> str:
    """A time or a size."""
    if name_.endswith("_bytes"):
        return count(value, "B")
    return count(value) if name_ in ("params", "macs") else number(value)


def changes(pair: Mapping[str, Any]) -> Iterator[str]:
    """What changed in a pair beyond its interval or its floor, a line each."""
    if pair["same_measurement"]:
        yield "one and the same measurement: NEW took it from the cache, nothing that it is made of has changed"
        return
    for metric in RATES:
        found = pair["rates"][metric]
        if found["diff"] and (word := direction(metric, found["diff"])):
            yield f"{metric} is {word}: {rate(found['base'])} -> {rate(found['new'])}, {signed(found['diff'])}"
    for figure_ in SHOWN_RATIOS:
        found = pair["ratios"][figure_]
        if found["called"] and found["ratio"] != 1:
            yield f"{figure_}: {figure(figure_, found['base'])} -> {figure(figure_, found['new'])}, {ratio(found)}"


def unknowns(pair: Mapping[str, Any]) -> Iterator[str]:
    """What could not be compared in a pair and why, one line for a reason. What neither side knows is no matter."""
    reasons: dict[str, list[str]] = {}
    for name_, found in (*pair["rates"].items(), *pair["ratios"].items()):
        if found["reason"] and not found["reason"].endswith("not known in BASE and NEW"):
            reasons.setdefault(found["reason"], []).append(name_)
    for reason, names in reasons.items():
        yield f"not compared: {', '.join(_together(names))}: {reason}"


def _together(names: Sequence[str]) -> list[str]:
    """Names of figures; a time of which all statistics are there by its own name."""
    said = list(names)
    for time in TIMES:
        whole = [f"{time}.{statistic}" for statistic in METRICS[time].statistics]
        if set(whole) <= set(said):
            said[said.index(whole[0])] = time
            said = [name_ for name_ in said if name_ not in whole]
    return said


def counted(comparison: Mapping[str, Any]) -> str:
    """How many figures were looked at, and what chance alone does to so many."""
    looked = comparison["looked_at"]
    if not looked["differences"] and not looked["ratios"]:
        return "No figures of two measurements were compared."
    said = f"{looked['differences']} differences were looked at, the 95 % intervals of {looked['excluding_zero']} exclude 0"
    if looked["differences"] >= 1:
        said += f"; where nothing changed, about {looked['differences'] / 20:.2g} of them would by chance"
    return f"{said}. {looked['ratios']} ratios, {looked['called']} beyond the floor."


def floors() -> str:
    """The floors in words."""
    units = {"s": " s", "ms": " ms"}
    said = [f"{metric} {floor:g}{units[metric.rpartition('_')[2]]}" for metric, floor in FLOORS.items() if not metric.endswith("_bytes")]
    return f"No change is called of a time that differs by less than {', '.join(said)}."


def conditions(pair: Mapping[str, Any]) -> Iterator[str]:
    """What a pair proves about each condition, a line each."""
    for one in pair["conditions"]:
        fires = {"fail": "fires", "pass": "does not fire", "unproven": "is unproven"}[one["verdict"]]
        reason = one["reason"] or ("" if one["value"] is None else f"{one['value']:.4g}")
        yield f"{one['condition']} {fires}{f': {reason}' if reason else ''}"


def lists(comparison: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The cells that have no pair, or were refused: (what is the matter, the cell and why)."""
    for one in comparison["refused"]:
        yield "not compared", f"{name(one)}: {one['reason']}"
    for one in comparison["missing"]:
        yield "missing from NEW", f"{name(one)} (was {one['verdict']})"
    for one in comparison["added"]:
        yield "only in NEW", f"{name(one)} ({one['verdict']})"
