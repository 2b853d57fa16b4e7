"""A comparison as a table for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from faultbench.report.compared.wording import changes, conditions, counted, difference, floors, lists, name, ratio, unknowns, verdicts
from faultbench.report.console import print_lines
from faultbench.report.wording import clean, rate
from faultbench.results.row import AXES
from faultbench.results.verdict import FAIL, PASS, UNPROVEN

_STYLES = {PASS: "green", FAIL: "bold red", UNPROVEN: "yellow"}
_ANY_WIDTH = 100_000


def print_comparison(comparison: Mapping[str, Any], console: Console) -> None:
    """Prints a comparison: a line per pair, or a list of figures where the console is too narrow, then what has to be said."""
    base, new = comparison["base"]["name"], comparison["new"]["name"]
    print_lines(console, f"BASE {base}, NEW {new}", style="bold")
    pairs: Sequence[Mapping[str, Any]] = comparison["pairs"]
    if pairs:
        console.print()
        axes = _axes(pairs)
        table = _table(pairs, axes, judged=bool(comparison["conditions"]))
        if console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width:
            console.print(table)
            console.print()
        else:
            for pair in pairs:
                _figures(console, pair, axes)
        for pair in pairs:
            told = [*conditions(pair), *changes(pair), *unknowns(pair)]
            marks = [x for x in ("baseline" if pair["baseline"] else "", pair["watermark"]) if x]
            if told or marks:
                print_lines(console, ", ".join([name(pair, axes), *marks]), style="bold")
            for line in told:
                print_lines(console, line, indent=2)
        console.print()
    for what, line in lists(comparison):
        print_lines(console, f"{what}: {line}")
    if pairs:
        print_lines(console, counted(comparison))
        print_lines(console, floors())
    print_lines(console, comparison["verdict"]["sentence"], style=_STYLES.get(comparison["verdict"]["overall"], ""))


def _axes(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The axes by which the pairs are told apart."""
    varying = [axis for axis in AXES if len({name(pair, [axis]) for pair in pairs}) > 1 or "->" in name(pairs[0], [axis])]
    return varying or ["learner", "compressor"]


def _table(pairs: Sequence[Mapping[str, Any]], axes: Sequence[str], *, judged: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    headings = [("cell", "left"), ("accuracy\nbase", "right"), ("\nnew", "right"), ("new less base\n(95 % interval)", "left")]
    headings += [("rare recall\nnew less base", "left"), ("fine-tune\np50", "right"), ("latency\np50", "right"), ("latency\np99", "right")]
    headings += [("size", "right"), ("verdict\non criteria", "left"), *([("verdict\nhere", "left")] if judged else [])]
    for heading, side in headings:
        table.add_column(Text(heading), justify="left" if side == "left" else "right", no_wrap=True)
    for pair in pairs:
        rates, ratios = pair["rates"], pair["ratios"]
        cells: list[str | Text] = [
            name(pair, axes),
            rate(rates["accuracy"]["base"]),
            rate(rates["accuracy"]["new"]),
            difference(rates["accuracy"]),
            difference(rates["recall.rare"]),
            *(ratio(ratios[figure]) for figure in ("finetune_s.p50", "latency_ms.p50", "latency_ms.p99", "artifact_bytes")),
            verdicts(pair),
        ]
        if judged:
            said = "baseline" if pair["baseline"] else pair["verdict"]
            cells.append(Text(said, style=_STYLES.get(said, "")))
        table.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in cells))
    return table


def _figures(console: Console, pair: Mapping[str, Any], axes: Sequence[str]) -> None:
    """The figures of a pair where a table is too wide."""
    rates, ratios = pair["rates"], pair["ratios"]
    print_lines(console, f"{name(pair, axes)}: {'baseline' if pair['baseline'] else pair['verdict']}", style="bold")
    for metric in ("accuracy", "recall.rare"):
        found = rates[metric]
        print_lines(console, f"{metric} {rate(found['base'])} -> {rate(found['new'])}, {difference(found)}", indent=2)
    said = [f"{figure} {ratio(ratios[figure])}" for figure in ("finetune_s.p50", "latency_ms.p50", "latency_ms.p99", "artifact_bytes")]
    print_lines(console, f"{', '.join(said)}; {verdicts(pair)}", indent=2)
