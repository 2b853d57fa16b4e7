"""Every criterion of a cell as a card: what was found, its interval, what was asked, and both drawn on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faultbench.report.headings import Row
from faultbench.report.page.escaping import extent, text, verdict_class
from faultbench.report.sentences import STATISTICS
from faultbench.report.wording import UNKNOWN, count, number, rate
from faultbench.results.metrics import METRICS, lookup
from faultbench.results.specimens import specimen

NAMES = {
    "accuracy": "accuracy",
    "accuracy_faults": "accuracy on faults",
    "recall.rare": "recall of the rare fault",
    "recall.worst": "recall of the worst class",
    "false_alarm": "false alarms",
    "missed_alarm": "missed alarms",
    "finetune_s": "fine-tuning, s",
    "latency_ms": "latency, ms",
    "network_ms": "network alone, ms",
    "decision_ms": "decision, ms",
    "load_s": "loading, s",
    "first_ms": "first call, ms",
    "peak_rss_bytes": "peak memory, bytes",
    "energy_mj": "energy, mJ",
    "params": "parameters",
    "macs": "multiply-adds",
    "artifact_bytes": "artifact, bytes",
    "bundle_bytes": "bundle, bytes",
    "train_s": "training, s",
    "train_macs": "training, multiply-adds",
}
"""The metrics in words, each with its unit."""

_WIDE, _HIGH = 260, 34
_EDGE = 6
_SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def cards(row: Row) -> str:
    """The criteria of a row side by side."""
    judged: Sequence[Mapping[str, Any]] = row["verdict"]["criteria"]
    if not judged:
        return ""
    return f'<ul class="cards">{"".join(_card(row, one) for one in judged)}</ul>\n'


def _card(row: Row, one: Mapping[str, Any]) -> str:
    reason = f'<p class="note">{text(one["reason"])}</p>' if one["reason"] else ""
    found = _found(row, one["metric"])
    return (
        f'<li class="{verdict_class(one["verdict"])}"><p class="what">{text(_named(row, one["metric"]))}'
        f' <span class="note">{text(STATISTICS.get(one["statistic"], ""))}</span></p>'
        f'<p class="figure"><b>{_written(one["metric"], one["value"])}</b> <span class="note">{found}</span></p>'
        f'{drawn(row, one)}<p class="verdict {verdict_class(one["verdict"])}">{text(one["verdict"])}'
        f' <span class="note">asked: {text(_asked(one))}</span></p>{reason}</li>'
    )


def _named(row: Row, metric: str) -> str:
    """A metric in words; the figure on bearings by what the faults are on."""
    return f"{specimen(row)}s that pass" if metric == "bearings" else NAMES.get(metric, metric)


def _asked(one: Mapping[str, Any]) -> str:
    return f"{_SIGNS.get(one['op'], one['op'])} {one['number']:g}"


def _written(metric: str, value: float | None) -> str:
    if value is None:
        return UNKNOWN
    known = METRICS.get(metric)
    if known and known.evidence == "rate":
        return rate(value)
    return count(value) if known and known.evidence == "count" else number(value)


def _found(row: Row, metric: str) -> str:
    """The figure as a whole, beside the statistic that is judged."""
    found = lookup(row, metric)
    if not isinstance(found, Mapping):
        return ""
    if "mean" in found:
        return f"mean {rate(found['mean'])}, 95 % interval {extent(found)}"
    if "passing" in found:
        return f"{found['passing']} of {found['total']} {specimen(row)}s"
    return f"median {number(found['p50'])}, of {found['n']} calls"


def drawn(row: Row, one: Mapping[str, Any]) -> str:
    """What was found against what was asked: rates as an interval, the rest as a bar from zero. The side that passes is tinted."""
    value, asked = one["value"], one["number"]
    if value is None:
        return ""
    found = lookup(row, one["metric"])
    ranged = isinstance(found, Mapping) and found.get("ci_low") is not None and found.get("ci_high") is not None
    shown = [found[name] for name in ("mean", "ci_low", "ci_high")] if ranged else [value]
    low, high = _axis([*shown, asked], whole=not ranged)

    def x(at: float) -> float:
        return _EDGE + (_WIDE - 2 * _EDGE) * (min(max(at, low), high) - low) / (high - low)

    start, end = (x(asked), _WIDE - _EDGE) if one["op"].startswith(">") else (_EDGE, x(asked))
    parts = [f'<path class="good" d="M{start:.1f} 9H{end:.1f}"/><path class="track" d="M{_EDGE} 9H{_WIDE - _EDGE}"/>']
    if ranged:
        parts.append(f'<path class="range" d="M{x(shown[1]):.1f} 9H{max(x(shown[2]), x(shown[1]) + 1):.1f}"/>')
        parts.append(f'<circle cx="{x(shown[0]):.1f}" cy="9" r="3.6"/>')
    else:
        parts.append(f'<path class="range" d="M{_EDGE} 9H{max(x(value), _EDGE + 1):.1f}"/>')
    parts.append(f'<path class="asked" d="M{x(asked):.1f} 1V17"/>')
    ends = ((low, _EDGE, "start"), (high, _WIDE - _EDGE, "end"))
    parts += [f'<text x="{at}" y="30" text-anchor="{side}">{_tick(said)}</text>' for said, at, side in ends if abs(x(asked) - at) > 40]
    side = "start" if x(asked) < 20 else "end" if x(asked) > _WIDE - 20 else "middle"
    parts.append(f'<text class="limit" x="{x(asked):.1f}" y="30" text-anchor="{side}">{_tick(asked)}</text>')
    return f'<svg class="against" aria-hidden="true" viewBox="0 0 {_WIDE} {_HIGH}">{"".join(parts)}</svg>'


def _axis(values: Sequence[float], *, whole: bool) -> tuple[float, float]:
    """The ends of an axis that holds the values, round numbers; from zero where it has to be whole."""
    least, most = min(values), max(values)
    if whole:
        return min(0.0, least), (most * 1.1 if most > 0 else 1.0)
    step = 0.05 if most - least < 0.2 else 0.1
    low, high = (least // step) * step, -(-most // step) * step
    low = max(0.0, low if least - low > step / 5 else low - step)
    high = min(1.0, high) if most <= 1 else high
    return low, high if high > low else low + step


def _tick(value: float) -> str:
    return f"{round(value, 6):g}" if abs(value) < 1000 else count(value)
