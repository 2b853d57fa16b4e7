"""A comparison as Markdown made for a comment on a pull request."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from faultbench.report.compared.wording import changes, conditions, counted, difference, lists, name, ratio, unknowns, verdicts
from faultbench.report.github_text import MOST, block, code, words
from faultbench.report.wording import rate
from faultbench.results.verdict import FAIL, PASS, UNPROVEN

_WORST_FIRST = (FAIL, UNPROVEN, PASS)


_LISTED = 50
"""At most so many cells that have no pair are listed."""


def as_markdown(comparison: Mapping[str, Any], command: Sequence[str], most: int = MOST) -> str:
    """The comparison as Markdown of at most so many bytes; what does not fit is left out from the pairs that changed least, and said."""
    pairs = sorted(comparison["pairs"], key=_rank)
    kept = len(pairs)
    made = _made(comparison, pairs, command)
    while kept and len(made.encode("utf-8", "replace")) > most:
        kept = kept * 3 // 4
        made = _made(comparison, pairs[:kept], command)
    return made


def _rank(pair: Mapping[str, Any]) -> tuple[int, int]:
    verdict = pair["verdict"]
    return (_WORST_FIRST.index(verdict) if verdict in _WORST_FIRST else len(_WORST_FIRST)), -len(list(changes(pair)))


def _made(comparison: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]], command: Sequence[str]) -> str:
    verdict = comparison["verdict"]
    parts = [f"## faultbench compare: {verdict['overall']}", words(verdict["sentence"])]
    parts.append(f"BASE {code(comparison['base']['name'])}, NEW {code(comparison['new']['name'])}")
    if pairs:
        parts.append(_table(pairs))
    told = [line for pair in pairs for line in _told(pair)]
    if told:
        parts.append("\n".join(told))
    listed = [f"- {what}: {words(line, 250)}" for what, line in lists(comparison)]
    if len(listed) > _LISTED:
        listed[_LISTED:] = [f"- and {len(listed) - _LISTED} more: the JSON has them all"]
    if listed:
        parts.append("\n".join(listed))
    if left := len(comparison["pairs"]) - len(pairs):
        parts.append(f"{left} pairs are left out here, those that changed least: the JSON has them all.")
    if comparison["pairs"]:
        parts.append(words(counted(comparison)))
    parts.append("To repeat it:")
    parts.append(block(shlex.join(command)))
    return "\n\n".join(parts) + "\n"


def _table(pairs: Sequence[Mapping[str, Any]]) -> str:
    headings = ["verdict", "cell", "accuracy base", "new", "new less base (95 % interval)", "rare recall, new less base"]
    headings += ["fine-tune p50", "latency p50", "latency p99", "size", "verdict on criteria"]
    lines = [_line(headings), _line([":--"] * 2 + ["--:"] * 8 + [":--"])]
    for pair in pairs:
        rates, ratios = pair["rates"], pair["ratios"]
        cells = [
            _verdict(pair),
            code(name(pair)),
            rate(rates["accuracy"]["base"]),
            rate(rates["accuracy"]["new"]),
            difference(rates["accuracy"]),
            difference(rates["recall.rare"]),
            *(ratio(ratios[figure]) for figure in ("finetune_s.p50", "latency_ms.p50", "latency_ms.p99", "artifact_bytes")),
            words(verdicts(pair)),
        ]
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _verdict(pair: Mapping[str, Any]) -> str:
    verdict = pair["verdict"]
    said = "baseline" if pair["baseline"] else f"**{verdict}**" if verdict == FAIL else verdict
    return f"{said}, {words(pair['watermark'])}" if pair["watermark"] else str(said)


def _told(pair: Mapping[str, Any]) -> list[str]:
    told = [*conditions(pair), *changes(pair), *unknowns(pair)]
    return [f"- {code(name(pair))}", *(f"  - {words(line)}" for line in told)] if told else []
