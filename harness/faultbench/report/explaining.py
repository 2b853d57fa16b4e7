"""Why rows got their verdicts, at length: every criterion with what carries it, and how the figures came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from faultbench.report.console import print_lines
from faultbench.report.headings import Row, cell_name, is_judged
from faultbench.report.wording import UNKNOWN, facts, interval, number, rate
from faultbench.results.metrics import METRICS, RATES, TIMES, lookup
from faultbench.results.specimens import specimen
from faultbench.results.verdict import FEWEST_QUERIES, FEWEST_TIMED, FEWEST_UNITS, PASS, on_average

_STYLES = {"pass": "green", "fail": "bold red", "unproven": "yellow", "error": "bold red"}

_RULES = {
    "pass": "Every criterion holds, on evidence that can carry it.",
    "fail": "A row fails if one criterion fails, whatever the others do.",
    "unproven": "No criterion fails, and one at least cannot be judged: that is neither pass nor fail.",
}


def print_explanation(rows: Sequence[Row], command: Sequence[str], console: Console) -> None:
    """Prints every row with its verdict, each criterion's reason, and where the figures come from."""
    if not rows:
        console.print(Text("nothing was measured"))
    for row in rows:
        overall = row["verdict"]["overall"]
        said = f"{cell_name(row)}: {overall}{' (baseline, never gated)' if row['baseline'] else ''}"
        print_lines(console, said, style=_STYLES.get(overall, "bold"))
        for indent, line in _lines(row):
            print_lines(console, line, indent=indent)
        console.print()
    print_lines(console, f"computed by: {' '.join(command)}")


def _lines(row: Row) -> Iterator[tuple[int, str]]:
    """The lines on a row, each with its indent."""
    if not is_judged(row):
        yield 2, row["verdict"]["sentence"]
        return
    yield 2, _RULES[row["verdict"]["overall"]]
    if row["watermark"]:
        yield 2, f"It is watermarked ({row['watermark']}): such figures prove nothing either way."
    for one in row["verdict"]["criteria"]:
        yield 2, _criterion(one)
        yield 6, _evidence(row, one)
    for line in _told(row):
        yield 2, line


def _criterion(one: Mapping[str, Any]) -> str:
    value = UNKNOWN if one["value"] is None else rate(one["value"]) if METRICS[one["metric"]].evidence == "rate" else number(one["value"])
    why = one["reason"] or "it holds"
    would = "" if one["verdict"] != "unproven" or one["holds"] is None else f"; it would {'pass' if one['holds'] else 'fail'}"
    return f"{one['criterion']}: {one['verdict']}, the value is {value}: {why}{would}"


def _evidence(row: Row, one: Mapping[str, Any]) -> str:
    """What a figure is made of, and what a verdict on it takes."""
    metric = one["metric"]
    found = lookup(row, metric)
    if METRICS[metric].evidence == "count":
        return "read off the artifact, true wherever it runs"
    if metric in TIMES:
        if found is None:
            return "no time is known"
        kind = row["kind"] or "nobody says how it was found"
        return f"{kind}: {found['n']} calls, median {number(found['p50'])}, p99 {number(found['p99'])}; a p99 takes {FEWEST_TIMED} calls"
    if metric in RATES and found is not None:
        queries = f"{on_average(found['queries_per_unit'])} queries a unit on average"
        said = f"{rate(found['mean'])} on {found['clusters']}, 95 % interval {interval(found)}, {queries}"
        return f"{said}; a verdict takes {FEWEST_UNITS} {specimen(row)}s and, on average, {FEWEST_QUERIES} queries of each"
    if metric == "bearings" and found is not None:
        reached = f"{found['passing']} of {found['total']} fault {specimen(row)}s reach recall {found['criterion']:g}"
        return f"{reached}, which proves {found['p_low']:.3f}"
    return f"{row['kind'] or 'nobody says how it was found'}"


def _told(row: Row) -> Iterator[str]:
    """What else has to be known, and the bearings that fall short."""
    yield from list(facts(row))[1:]
    found = row["bearings"]
    if found:
        short = sorted((value, name) for name, value in found["recall"].items() if value < found["criterion"])
        for value, name in short[:10]:
            yield f"{specimen(row)} {name}: recall {rate(value)}, below {found['criterion']:g}"
        if len(short) > 10:
            yield f"and {len(short) - 10} more {specimen(row)}s below {found['criterion']:g}"
    worst = sorted((one["recall"], label) for label, one in row["classes"].items())[:3]
    if row["verdict"]["overall"] != PASS and worst:
        yield "worst classes: " + ", ".join(f"{label} {rate(recall)}" for recall, label in worst)
    if row["device"]:
        yield f"run on {row['device'].get('name')}, {row['device'].get('cpu')}, {row['device'].get('cores')} cores"
    yield f"protocol {row['protocol']}, digest {row['digest'][:16]}"
