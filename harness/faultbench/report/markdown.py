"""The rows as Markdown made for a comment on a pull request: the verdict first, one table, what did not pass and why."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from faultbench.report.github_text import MOST, block, code, words
from faultbench.report.headings import WORST_FIRST, Row, groups, is_judged, level, title, varying_axes
from faultbench.report.wording import UNKNOWN, count, facts, interval, number, rate
from faultbench.results.metrics import lookup
from faultbench.results.row import PROTOCOL
from faultbench.results.verdict import FAIL, PASS


def as_markdown(rows: Sequence[Row], command: Sequence[str], most: int = MOST) -> str:
    """The rows as Markdown of at most so many bytes in UTF-8.

    Where that is too little, what a reader misses least goes first: the facts beside the figures, then the reasons of rows that are
    not the worst, then rows. What is left out is said.
    """
    ordered = sorted(rows, key=lambda row: WORST_FIRST.index(row["verdict"]["overall"]))
    kept = len(ordered)
    for with_facts in (True, False):
        made = _made(rows, rows, command, with_facts=with_facts)
        if _fits(made, most):
            return made
    while kept:
        kept = kept * 3 // 4
        worst = {id(row) for row in ordered[:kept]}
        made = _made([row for row in rows if id(row) in worst], rows, command, with_facts=False)
        if _fits(made, most):
            return made
    return made


def headline(rows: Sequence[Row]) -> str:
    """What came out, in a few words: `1 fail, 2 pass, 1 baseline`."""
    ends = Counter("baseline" if row["baseline"] and is_judged(row) else row["verdict"]["overall"] for row in rows)
    said = ", ".join(f"{ends[end]} {end}" for end in (*WORST_FIRST, "baseline") if ends[end])
    return said or "nothing was measured"


def _fits(made: str, most: int) -> bool:
    return len(made.encode("utf-8", "replace")) <= most


def _made(shown: Sequence[Row], rows: Sequence[Row], command: Sequence[str], *, with_facts: bool) -> str:
    parts = [f"## faultbench: {headline(rows)}"]
    for group in groups(shown):
        parts += _group(group, with_facts=with_facts)
    if len(shown) < len(rows):
        parts.append(f"{len(rows) - len(shown)} of {len(rows)} rows are left out here, the best ones: the JSON has them all.")
    parts.append(f"Protocol {PROTOCOL}. To repeat it:")
    parts.append(block(shlex.join(command)))
    return "\n\n".join(parts) + "\n"


def _group(rows: Sequence[Row], *, with_facts: bool) -> list[str]:
    """The parts of one data set and scenario."""
    varying = varying_axes(rows)
    parts = [f"**{words(title(rows, varying))}**"]
    if any(map(is_judged, rows)):
        parts.append(_table(rows, varying))
    reasons = [reason for row in rows for reason in _reasons(row, varying)]
    if reasons:
        parts.append("\n".join(reasons))
    told = [line for row in rows if is_judged(row) for line in _facts(row, varying)]
    if with_facts and told:
        parts.append("<details><summary>Beside the figures</summary>\n\n" + "\n".join(told) + "\n\n</details>")
    return parts


def _table(rows: Sequence[Row], varying: Sequence[str]) -> str:
    marked = len({row["watermark"] for row in rows if is_judged(row)}) > 1
    headings = ["verdict", *varying, "accuracy", "rare recall", "worst recall", "false alarms", "fine-tune s p50 / p99"]
    headings += ["latency ms p50 / p99", "params", "size"]
    numbers = len(headings) - 1 - len(varying)
    lines = [_line(headings), _line([":--"] * (1 + len(varying)) + ["--:"] * numbers)]
    judged = [row for row in rows if is_judged(row)]
    lines += [_line([_verdict(row, marked=marked), *(_on(row, axis) for axis in varying), *_figures(row)]) for row in judged]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _verdict(row: Row, *, marked: bool) -> str:
    overall = row["verdict"]["overall"]
    said = [f"**{overall}**" if overall == FAIL else overall]
    if row["baseline"]:
        said = [f"baseline ({overall})"]
    if marked and row["watermark"]:
        said.append(words(row["watermark"]))
    return ", ".join([*said, *map(words, row["labels"])])


def _on(row: Row, axis: str) -> str:
    return code(level(row) if axis == "scenario" else row["cell"][axis])


def _figures(row: Row) -> list[str]:
    def with_interval(metric: str) -> str:
        found = lookup(row, metric)
        return UNKNOWN if found is None else f"{rate(found['mean'])} ({interval(found)})"

    def times(metric: str) -> str:
        found = lookup(row, metric)
        return UNKNOWN if found is None else f"{number(found['p50'])} / {number(found['p99'])}"

    return [
        with_interval("accuracy"),
        with_interval("recall.rare"),
        rate(lookup(row, "recall.worst.mean")),
        rate(lookup(row, "false_alarm.mean")),
        times("finetune_s"),
        times("latency_ms"),
        count(row["params"]),
        count(row["artifact_bytes"], "B"),
    ]


def _reasons(row: Row, varying: Sequence[str]) -> list[str]:
    """Why a row is no pass: a line, and one for each criterion that does not hold or is not proven."""
    if row["verdict"]["overall"] == PASS:
        return []
    open_ = [one for one in row["verdict"]["criteria"] if one["verdict"] != PASS]
    if not open_:
        return [f"- {_name(row, varying)}: {words(row['verdict']['sentence'])}"]
    lines = [f"- {_name(row, varying)}: {len(row['verdict']['criteria']) - len(open_)} of {len(row['verdict']['criteria'])} criteria pass"]
    return lines + [f"  - {code(one['criterion'])} {_judged(one)}" for one in open_]


def _judged(one: Mapping[str, Any]) -> str:
    said = f"**{one['verdict']}**" if one["verdict"] == FAIL else one["verdict"]
    return f"{said}: {words(one['reason'])}" if one["reason"] else str(said)


def _facts(row: Row, varying: Sequence[str]) -> list[str]:
    """What else has to be said about a row; its sentence, the first of its facts, is said by the reasons."""
    told = list(facts(row))[1:]
    return [f"- {_name(row, varying)}", *(f"  - {words(fact)}" for fact in told)] if told else []


def _name(row: Row, varying: Sequence[str]) -> str:
    return " ".join(_on(row, axis) for axis in varying) + (" (baseline)" if row["baseline"] else "")
