"""Small drawings within a page, as SVG. What is said beside them is in words too: a drawing is hidden from screen readers."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from faultbench.report.wording import clean, rate

_WIDE, _HIGH = 90, 12
_BAR_WIDE, _BAR_HIGH, _NAMES = 300, 16, 330


def interval_drawn(found: Mapping[str, Any], asked: float | None) -> str:
    """A rate on an axis from 0 to 1, with its interval, and a mark where a criterion asks for so much."""
    parts = [f'<line class="axis" x1="0" x2="{_WIDE}" y1="{_HIGH / 2}" y2="{_HIGH / 2}"/>']
    if found["ci_low"] is not None and found["ci_high"] is not None:
        low, high = _x(found["ci_low"]), _x(found["ci_high"])
        parts.append(f'<line class="range" x1="{low:.1f}" x2="{max(high, low + 1):.1f}" y1="{_HIGH / 2}" y2="{_HIGH / 2}"/>')
    if asked is not None and 0 <= asked <= 1:
        parts.append(f'<line class="asked" x1="{_x(asked):.1f}" x2="{_x(asked):.1f}" y1="0" y2="{_HIGH}"/>')
    parts.append(f'<circle class="mean" cx="{_x(found["mean"]):.1f}" cy="{_HIGH / 2}" r="2.5"/>')
    return f'<svg aria-hidden="true" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}">{"".join(parts)}</svg>'


def bars(recall: Mapping[str, float], criterion: float) -> str:
    """A bar for the recall of each bearing, the worst first, and a mark at the recall that it must reach."""
    height = _BAR_HIGH * len(recall)
    lines = []
    for number, (name, value) in enumerate(sorted(recall.items(), key=lambda one: (one[1], one[0]))):
        y = number * _BAR_HIGH
        kind = "bar" if value >= criterion else "short"
        said = clean(name)
        shown = said if len(said) <= 48 else f"{said[:47]}…"
        lines.append(
            f'<text x="0" y="{y + 12}" font-size="12" fill="currentColor">{escape(shown)}<title>{escape(said)}</title></text>'
            f'<rect class="{kind}" x="{_NAMES}" y="{y + 3}" height="{_BAR_HIGH - 6}" width="{_BAR_WIDE * value:.1f}"/>'
            f'<text x="{_NAMES + _BAR_WIDE + 8}" y="{y + 12}" font-size="12" fill="currentColor">{rate(value)}</text>'
        )
    mark = _NAMES + _BAR_WIDE * criterion
    lines.append(f'<line class="asked" x1="{mark:.1f}" x2="{mark:.1f}" y1="0" y2="{height}"/>')
    wide = _NAMES + _BAR_WIDE + 60
    return f'<svg role="img" width="{wide}" height="{height}" viewBox="0 0 {wide} {height}">{"".join(lines)}</svg>'


def _x(share: float) -> float:
    """Where a share stands on the axis, its ends kept within the drawing."""
    return 3 + (_WIDE - 6) * share
