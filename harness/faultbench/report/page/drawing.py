"""Small drawings within the tables, as SVG. What they show stands beside them in words too, so screen readers pass over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WIDE, _HIGH = 72, 10
_BAR_WIDE, _BAR_HIGH = 200, 10


def interval_drawn(found: Mapping[str, Any], asked: float | None, least: float = 0.0) -> str:
    """A rate on an axis to 1, with its interval, and a mark where a criterion asks for so much.

    Args:
        found: The rate.
        asked: What is asked of it.
        least: Where the axis begins.
    """
    parts = []

    def x(share: float) -> float:
        return 3 + (_WIDE - 6) * (max(share, least) - least) / (1 - least)

    if found["ci_low"] is not None and found["ci_high"] is not None:
        low = x(found["ci_low"])
        parts.append(f'<path class="range" d="M{low:.1f} 5H{max(x(found["ci_high"]), low + 1):.1f}"/>')
    if asked is not None and least <= asked <= 1:
        parts.append(f'<path class="asked" d="M{x(asked):.1f} 0V10"/>')
    parts.append(f'<circle cx="{x(found["mean"]):.1f}" cy="5" r="2.4"/>')
    return f'<svg class="iv" aria-hidden="true" viewBox="0 0 {_WIDE} {_HIGH}">{"".join(parts)}</svg>'


def bar(share: float, asked: float) -> str:
    """A share as a bar on an axis from 0 to 1, with a mark at what it must reach."""
    kind = "bar" if share >= asked else "short"
    return (
        f'<svg class="barred" aria-hidden="true" viewBox="0 0 {_BAR_WIDE} {_BAR_HIGH}"><path class="track" d="M0 5H{_BAR_WIDE}"/>'
        f'<path class="{kind}" d="M0 5H{_BAR_WIDE * share:.1f}"/><path class="asked" d="M{_BAR_WIDE * asked:.1f} 0V10"/></svg>'
    )
