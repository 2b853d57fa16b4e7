"""Two results, cell by cell: what changed from the base to the new one, how sure that is, and whether it may have.

Two rows are a pair where they are of the same cell. A pair is compared where both were asked the same episodes of the same signals
(`split_digest`) under the same protocol and settings, else refused with the reason. Rates are then compared by their paired
difference, new less base, over the draws of `statistics`; times and sizes by their ratio, new by base. Nothing measured is neither
better nor worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faultbench.errors import UsageError
from faultbench.results.conditions import DIFF, RATIOS, Condition
from faultbench.results.counts import from_row
from faultbench.results.devices import incomparable
from faultbench.results.metrics import METRICS, RATES, TIMES, VOIDABLE, lookup
from faultbench.results.row import AXES, plain
from faultbench.results.specimens import specimen
from faultbench.results.statistics import rate_differences
from faultbench.results.verdict import ERROR, FAIL, FEWEST_TIMED, FEWEST_UNITS, NOT_APPLICABLE, PASS, UNPROVEN, too_few_queries

COMPARED, NOTHING = "compared", "nothing compared"
"""How a comparison without conditions ends, and one without a pair."""

Row = Mapping[str, Any]

FLOORS: Mapping[str, float] = {
    "finetune_s": 0.005,
    "latency_ms": 0.05,
    "network_ms": 0.05,
    "decision_ms": 0.05,
    "load_s": 0.15,
    "first_ms": 20.0,
    "peak_rss_bytes": 8 << 20,
}
"""No change is called where the two differ by less: repeated on a busy machine, the median of a latency differs by a tenth of that
(`benchmarks/timing_noise.py`), and less matters to nobody."""

BUSY = 5.0
"""Where a time's p99 is so many times its median, other programs were at work: repeated then, the p99 differs by a factor of
up to 75 (`benchmarks/timing_noise.json`). The tail of such a time is not compared."""

_ALIKE = ("quick", "level", "ways", "shots", "shots_rare", "queries", "episodes", "seeds", "window", "channels", "rate_hz")
"""The settings that two rows must share."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two results.

    Args:
        name: What it is called: a file, or a run of the store.
        command: The words that made it.
        rows: Its rows.
    """

    name: str
    command: tuple[str, ...]
    rows: tuple[Row, ...]


def compare(
    base: Side, new: Side, conditions: Sequence[Condition] = (), *, across_machines: bool = False, across: Sequence[str] = ()
) -> dict[str, Any]:
    """The comparison, as plain JSON values.

    Args:
        base: What is compared with.
        new: What is looked at.
        conditions: What must not have happened.
        across_machines: Whether times of two machines are compared.
        across: Axes on which the rows of a pair may differ.

    Returns:
        `base`, `new`, `across_machines`, `across`, `conditions`, `pairs`, `refused`, `missing`, `added`, `looked_at` (how many
        differences and ratios there are, and how many of them are changes) and `verdict` (`overall`, `sentence`).

    Raises:
        UsageError: Two rows of one side are of the same cell.
        DataError: The counts of a row contradict themselves.
    """
    olds, news = _by_cell(base.rows, "BASE", across), _by_cell(new.rows, "NEW", across)
    pairs, refused = [], []
    for key, row in news.items():
        if key in olds:
            reason, excused = _refusal(olds[key], row)
            if reason:
                refused.append({**_heading(olds[key], row), "reason": reason, "excused": excused})
            else:
                pairs.append(_pair(olds[key], row, conditions, across_machines=across_machines))
    made = {
        "base": _side(base),
        "new": _side(new),
        "across_machines": across_machines,
        "across": list(across),
        "conditions": [condition.spelling for condition in conditions],
        "pairs": pairs,
        "refused": refused,
        "missing": [_lone(row) for key, row in olds.items() if key not in news],
        "added": [_lone(row) for key, row in news.items() if key not in olds],
        "looked_at": _looked_at(pairs),
    }
    return dict(plain({**made, "verdict": _verdict(made, conditions)}))


def exit_code(comparison: Mapping[str, Any], *, allow_unproven: bool = False) -> int:
    """What the command ends with: 4 nothing was compared or a new cell broke, 1 a condition fires, 3 one is unproven, else 0."""
    overall = comparison["verdict"]["overall"]
    if overall in (NOTHING, ERROR):
        return 4
    if overall == FAIL:
        return 1
    return 3 if overall == UNPROVEN and not allow_unproven else 0


def _by_cell(rows: Iterable[Row], side: str, across: Sequence[str]) -> dict[tuple[object, ...], Row]:
    """The rows by what makes them one cell."""
    found: dict[tuple[object, ...], Row] = {}
    for row in rows:
        cell = row["cell"]
        key = (*(cell[axis] for axis in AXES if axis not in across), cell["snr"] or "clean", tuple(cell["sources"] or ()))
        if key in found:
            what = " ".join(str(cell[axis]) for axis in AXES)
            means = f"name one {' and one '.join(across)} on each side" if across else "compare the results of one run each"
            raise UsageError(f"{side} has two rows for {what}: {means}")
        found[key] = row
    return found


def _refusal(base: Row, new: Row) -> tuple[str, bool]:
    """Why two rows of one cell cannot be compared, or nothing; and whether that leaves nothing open."""
    if new["error"] is not None:
        return f"NEW could not be computed: {new['error']}", False
    if new["not_applicable"] is not None:
        return f"NEW is not applicable: {new['not_applicable']}", base["not_applicable"] is not None
    for word, reason in (("could not be computed", base["error"]), ("is not applicable", base["not_applicable"])):
        if reason is not None:
            return f"BASE {word}: {reason}", True
    if base["protocol"] != new["protocol"]:
        return f"protocol {base['protocol']} against {new['protocol']}: figures of two protocols are not comparable, run BASE again", False
    for name in _ALIKE:
        old, now = base["cell"].get(name), new["cell"].get(name)
        if old != now:
            return f"{name} {old} against {now}: run both alike", False
    for side, row in (("BASE", base), ("NEW", new)):
        if row.get("split_digest") is None:
            return f"{side} carries no digest of its episodes: run it again with this version", False
    if base["split_digest"] != new["split_digest"]:
        return "not the same episodes: the data set, the scenario or their code has changed, run BASE again", False
    return "", False


def _pair(base: Row, new: Row, conditions: Sequence[Condition], *, across_machines: bool) -> dict[str, Any]:
    rates = _rates(base, new)
    ratios = _ratios(base, new, across_machines=across_machines)
    judged = [] if new["baseline"] else [_judge(condition, rates, ratios, new) for condition in conditions]
    verdicts = [one["verdict"] for one in judged]
    return {
        **_heading(base, new),
        "split_digest": new["split_digest"],
        "same_measurement": base["digest"] == new["digest"],
        "rates": rates,
        "ratios": ratios,
        "conditions": judged,
        "verdict": next((word for word in (FAIL, UNPROVEN, PASS) if word in verdicts), COMPARED),
    }


def _heading(base: Row, new: Row) -> dict[str, Any]:
    """What a pair is called, and what its two sides are."""
    sides = {name: _about(row) for name, row in (("base", base), ("new", new))}
    return {"cell": new["cell"], "baseline": new["baseline"], "watermark": new["watermark"], **sides}


def _about(row: Row) -> dict[str, Any]:
    axes = {axis: row["cell"][axis] for axis in AXES}
    return {"axes": axes, "digest": row["digest"], "protocol": row["protocol"], "kind": row["kind"], "verdict": row["verdict"]["overall"]}


def _lone(row: Row) -> dict[str, Any]:
    return {"cell": row["cell"], "baseline": row["baseline"], "verdict": row["verdict"]["overall"]}


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "command": list(side.command), "rows": len(side.rows)}


def _rates(base: Row, new: Row) -> dict[str, Any]:
    """Every rate of both sides, and its difference."""
    reason, differences = _differences(base, new)
    found = {}
    for name in RATES:
        old, now = (lookup(row, f"{name}.mean") for row in (base, new))
        diff, why = differences.get(name), reason
        if diff is None and old is not None and now is not None:
            diff = {**dict.fromkeys(_PARTS), "mean": now - old}
        if old is None or now is None:
            why = f"{name} is not known in {' and '.join(side for side, value in (('BASE', old), ('NEW', now)) if value is None)}"
        elif not why and diff is not None and diff["ci_low"] is None:
            why = f"one unit alone tells {name}: there is no interval"
        found[name] = {"base": old, "new": now, "diff": diff, "reason": why}
    return found


_PARTS = ("mean", "ci_low", "ci_high", "clusters", "fault_units", "healthy_units", "queries_per_unit", "degenerate")


def _differences(base: Row, new: Row) -> tuple[str, Mapping[str, Any]]:
    """The paired differences; or why there are none beyond those of the means."""
    theirs, ours = from_row(base), from_row(new)
    without = [side for side, counts in (("BASE", theirs), ("NEW", ours)) if counts is None]
    if theirs is None or ours is None:
        return f"{' and '.join(without)} carries no counts by unit: there is no interval, run it again with this version", {}
    if not ours.same_queries(theirs):
        return "the counts by unit are not of the same queries, whatever the digest says: take both files as the runs wrote them", {}
    return "", rate_differences(ours, theirs)


def _ratios(base: Row, new: Row, *, across_machines: bool) -> dict[str, Any]:
    """Every time and size of both sides, and its ratio, by the figure's full name."""
    apart = "" if across_machines else incomparable(base["device"], new["device"])
    found = {}
    for metric in RATIOS:
        for figure in [f"{metric}.{statistic}" for statistic in METRICS[metric].statistics] or [metric]:
            old, now = lookup(base, figure), lookup(new, figure)
            reason = _why_no_ratio(metric, figure, base, new, apart)
            ratio = now / old if not reason and old else None
            if ratio is not None and not math.isfinite(ratio):
                ratio = None
            if not reason and ratio is None:
                reason = f"{figure} of BASE is 0"
            called = None if ratio is None else abs(now - old) > FLOORS.get(metric, 0)
            found[figure] = {"base": old, "new": now, "ratio": ratio, "called": called, "reason": reason}
    return found


def _why_no_ratio(metric: str, figure: str, base: Row, new: Row, apart: str) -> str:
    if METRICS[metric].evidence == "time":
        for side, row in (("BASE", base), ("NEW", new)):
            if row["void"] and metric in VOIDABLE:
                return f"the times of {side} are void: {row['void']}"
    unknown = [side for side, row in (("BASE", base), ("NEW", new)) if lookup(row, figure) is None]
    if unknown:
        return f"{figure} is not known in {' and '.join(unknown)}"
    if METRICS[metric].evidence != "time":
        return ""
    if base["kind"] != new["kind"]:
        return f"{base['kind']} against {new['kind']}"
    if new["kind"] == "emulated":
        return "emulated, times do not count"
    return apart or _busy(metric, figure, base, new)


def _busy(metric: str, figure: str, base: Row, new: Row) -> str:
    """Why the tail of a time tells of other programs, or nothing."""
    if figure not in (f"{metric}.p90", f"{metric}.p99"):
        return ""
    for side, row in (("BASE", base), ("NEW", new)):
        p50, p99 = lookup(row, f"{metric}.p50"), lookup(row, f"{metric}.p99")
        if p50 and p99 is not None and p99 > BUSY * p50:
            return f"p99 of {side} is {p99 / p50:.0f} times its median, other programs were at work: measure both again on a quiet machine"
    return ""


def _judge(condition: Condition, rates: Mapping[str, Any], ratios: Mapping[str, Any], new: Row) -> dict[str, Any]:
    """What a pair proves about a condition; `value` is what it was held against: 1 for a ratio that is no change."""
    if condition.change == DIFF:
        found = rates[condition.metric]
        value = None if found["diff"] is None else found["diff"][condition.statistic]
        weak = "" if value is None else _weakness(condition.metric, found["diff"], specimen(new), lookup(new, "cell.episodes"))
    else:
        found = ratios[f"{condition.metric}.{condition.statistic}" if condition.statistic else condition.metric]
        value = 1.0 if found["called"] is False else found["ratio"]
        timed = lookup(new, f"{condition.metric}.n") if condition.metric in TIMES else None
        few = condition.statistic == "p99" and timed is not None and timed < FEWEST_TIMED
        weak = f"only {timed:.0f} were timed, a 99th percentile takes {FEWEST_TIMED}" if few else ""
    verdict, reason = PASS, ""
    if value is None:
        verdict, reason = UNPROVEN, found["reason"] or f"{condition.name} is not known"
    elif weak:
        verdict, reason = UNPROVEN, weak
    elif condition.fires(value):
        verdict, reason = FAIL, f"{value:.4g} is {condition.op} {condition.number:g}"
    elif new["kind"] == "estimated" and METRICS[condition.metric].evidence != "count":
        verdict, reason = UNPROVEN, "an estimate cannot pass"
    return {"condition": condition.spelling, "value": value, "verdict": verdict, "reason": reason}


def _weakness(metric: str, diff: Mapping[str, Any], what: str, episodes: float | None = None) -> str:
    """What keeps a difference from carrying a verdict either way, by the rules of `verdict`; a mean of means says nothing of its units."""
    if diff["fault_units"] is None:
        return f"no counts by unit tell how many {what}s carry it"
    units, called = (diff["healthy_units"], "healthy units") if metric == "false_alarm" else (diff["fault_units"], f"fault {what}s")
    if units < FEWEST_UNITS:
        return f"only {units} {called}, {FEWEST_UNITS} are needed"
    return too_few_queries(diff["queries_per_unit"], what, episodes)


def _looked_at(pairs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many figures of two measurements were compared, and how many of them changed: of many, some do by chance alone."""
    pairs = [pair for pair in pairs if not pair["same_measurement"]]
    diffs = [rate["diff"] for pair in pairs for rate in pair["rates"].values() if rate["diff"] and rate["diff"]["ci_low"] is not None]
    ratios = [one for pair in pairs for one in pair["ratios"].values() if one["ratio"] is not None]
    return {
        "differences": len(diffs),
        "excluding_zero": sum(excludes_zero(diff) for diff in diffs),
        "ratios": len(ratios),
        "called": sum(bool(one["called"] and one["ratio"] != 1) for one in ratios),
    }


def excludes_zero(diff: Mapping[str, Any]) -> bool:
    """Whether a difference has an interval that does not hold 0."""
    return diff["ci_low"] is not None and (diff["ci_low"] > 0 or diff["ci_high"] < 0)


def _verdict(made: Mapping[str, Any], conditions: Sequence[Condition]) -> dict[str, Any]:
    pairs = made["pairs"]
    if not pairs:
        reasons = sorted({one["reason"] for one in made["refused"]})
        why = reasons[0] if reasons else "they have no cell in common"
        return {"overall": NOTHING, "sentence": f"nothing was compared: {why}"}
    if not conditions:
        return {"overall": COMPARED, "sentence": f"{_count(len(pairs), 'cell')} compared, no condition was given"}
    broken = [one for one in made["refused"] if one["new"]["verdict"] == ERROR and not one["baseline"]]
    if broken or any(one["verdict"] == ERROR and not one["baseline"] for one in made["added"]):
        return {"overall": ERROR, "sentence": "a cell of NEW could not be computed"}
    judged = [pair["verdict"] for pair in pairs if not pair["baseline"]]
    if not judged:
        return {"overall": NOTHING, "sentence": "nothing was judged: every cell that was compared is a baseline"}
    open_ = [one for one in made["refused"] if not one["excused"] and not one["baseline"]]
    lost = [one for one in made["missing"] if not one["baseline"] and one["verdict"] not in (ERROR, NOT_APPLICABLE)]
    if FAIL in judged:
        return {"overall": FAIL, "sentence": f"a condition fires in {judged.count(FAIL)} of {_count(len(judged), 'cell')}"}
    if UNPROVEN in judged or open_ or lost:
        said = [(judged.count(UNPROVEN), "unproven"), (len(open_), "refused"), (len(lost), "missing from NEW")]
        return {"overall": UNPROVEN, "sentence": "not every cell is proven: " + ", ".join(f"{n} {word}" for n, word in said if n)}
    return {"overall": PASS, "sentence": f"no condition fires in {_count(len(judged), 'cell')}"}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
