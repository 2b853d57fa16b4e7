"""The frame of a chart: scales, and axes with their ticks and titles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDE, HIGH = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 46


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places on an axis.

    Args:
        place: The place of a value.
        ticks: Values with what is written at them.
    """

    place: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]


def rates(least: float) -> Scale:
    """A vertical axis for rates, from a round number below the least to 1."""
    step = 0.1 if least < 0.6 else 0.05 if least < 0.85 else 0.02
    step = 0.2 if least < 0.2 else step
    low = max(0.0, math.floor(least / step + 1e-9) * step)
    low = min(low, 1 - 2 * step)
    values = [low + step * n for n in range(round((1 - low) / step) + 1)]
    return Scale(lambda value: TOP + (HIGH - TOP - BOTTOM) * (1 - value) / (1 - low), tuple((v, f"{v:.2f}") for v in values))


def logarithmic(values: Sequence[float], written: Callable[[float], str]) -> Scale:
    """A horizontal axis for positive values, with ticks at 1, 2 and 5 times the powers of ten."""
    low, high = min(values) / 1.25, max(values) * 1.25
    least, most = math.floor(math.log10(low)), math.ceil(math.log10(high))
    all_ = [factor * 10.0**power for power in range(least, most + 1) for factor in (1, 2, 5)]
    ticks = [tick for tick in all_ if low <= tick <= high]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]
    if len(ticks) < 2:
        ticks = [low * 1.25, high / 1.25]
    span = math.log(high / low)
    return Scale(
        lambda value: LEFT + (WIDE - LEFT - RIGHT) * math.log(value / low) / span, tuple((t, written(t)) for t in dict.fromkeys(ticks))
    )


def frame(across: Scale, up: Scale, across_title: str, up_title: str) -> str:
    """The axes: lines at the ticks, what is written at them, and their titles."""
    bottom, right = HIGH - BOTTOM, WIDE - RIGHT
    parts = [f'<path class="grid" d="{"".join(f"M{LEFT} {up.place(value):.1f}H{right}" for value, _ in up.ticks)}"/>']
    parts += [
        f'<text class="tick" x="{LEFT - 7}" y="{up.place(value) + 4:.1f}" text-anchor="end">{said}</text>' for value, said in up.ticks
    ]
    parts.append(
        f'<path class="axis" d="M{LEFT} {bottom}H{right}{"".join(f"M{across.place(v):.1f} {bottom}v4" for v, _ in across.ticks)}"/>'
    )
    for value, said in across.ticks:
        parts.append(f'<text class="tick" x="{across.place(value):.1f}" y="{bottom + 17}" text-anchor="middle">{escape(said)}</text>')
    middle = f"{(TOP + bottom) / 2:.0f}"
    parts.append(f'<text class="title" x="{(LEFT + right) / 2:.0f}" y="{HIGH - 8}" text-anchor="middle">{escape(across_title)}</text>')
    parts.append(
        f'<text class="title" x="15" y="{middle}" text-anchor="middle" transform="rotate(-90 15 {middle})">{escape(up_title)}</text>'
    )
    return "".join(parts)


def svg(label: str, content: str) -> str:
    """A chart as one picture, with the words that a screen reader says in its place."""
    return f'<svg class="chart" role="img" aria-label="{label}" viewBox="0 0 {WIDE} {HIGH}">{content}</svg>'


def reached(label: str, axes: str, points: str) -> str:
    """A chart whose points are links, each with its own words: a group to a screen reader, without what is written at the axes."""
    drawn = f'<g aria-hidden="true">{axes}</g>{points}'
    return f'<svg class="chart points" role="group" aria-label="{label}" viewBox="0 0 {WIDE} {HIGH}">{drawn}</svg>'
