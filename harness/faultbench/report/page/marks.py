"""The marks of a chart: what tells its series apart, by shape as well as by colour, so that print and any eye can.

A series has a shape and a colour of its own, a second thing that differs has a filling. The shapes come round after twelve and the
colours after seven: 84 series differ, and twelve differ without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faultbench.report.page.escaping import text

COLOURS = 7
"""How many colours there are: `--c0` to `--c6` of the style."""

SHAPES = (
    "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",  # disc
    "m-4-4h8v8h-8z",  # square
    "m0-5.4l5.2 9h-10.4z",  # triangle
    "m0-5.6l5.6 5.6l-5.6 5.6l-5.6-5.6z",  # diamond
    "m-5.2-3.6h10.4l-5.2 9z",  # triangle on its tip
    "m-1.7-5.2h3.4v3.5h3.5v3.4h-3.5v3.5h-3.4v-3.5h-3.5v-3.4h3.5z",  # plus
    "m0-2.4l2.6-2.6l2.4 2.4l-2.6 2.6l2.6 2.6l-2.4 2.4l-2.6-2.6l-2.6 2.6l-2.4-2.4l2.6-2.6l-2.6-2.6l2.4-2.4z",  # cross
    "m0-6l1.6 4h4.2l-3.3 2.6l1.2 4.2l-3.7-2.5l-3.7 2.5l1.2-4.2l-3.3-2.6h4.2z",  # star
    "m-5.4-4.4l10.8 8.8v-8.8l-10.8 8.8z",  # bow tie
    "m-5.4 2.7a5.4 5.4 0 0 1 10.8 0z",  # half disc
    "m-3.6-5.2l9 5.2l-9 5.2z",  # triangle to the right
    "m-6-2h12v4h-12z",  # bar
)
"""Paths around a point, to be told apart at a dozen pixels."""

_DOT = "m-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0z"
_ACROSS, _DOWN = "m-2.6-.7h5.2v1.4h-5.2z", "m-.7-2.6h1.4v5.2h-1.4z"
FILLINGS = tuple((kind, inside) for inside in ("", _DOT, _ACROSS, _DOWN) for kind in ("", " hollow"))
"""Full or hollow, with nothing, a dot or a stroke inside. Those beyond come round again."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How the cells of one chart are told apart.

    Args:
        series: The axis whose values differ by shape and colour.
        values: Those values, in their order.
        filled: The axis whose values differ by filling.
        fillings: Those values.
    """

    series: str
    values: tuple[str, ...]
    filled: str
    fillings: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Marks:
        """Learners by shape and colour and compressors by filling; of a single learner the compressors have the shapes."""
        learners, compressors = (tuple(dict.fromkeys(str(row["cell"][axis]) for row in rows)) for axis in ("learner", "compressor"))
        if len(learners) == 1 < len(compressors):
            return cls("compressor", compressors, "learner", learners)
        return cls("learner", learners, "compressor", compressors)

    def of_row(self, row: Mapping[str, Any], x: float, y: float) -> tuple[str, str]:
        """The class of a cell's mark, and the mark at a point."""
        cell = row["cell"]
        return _mark(self.values.index(str(cell[self.series])), self.fillings.index(str(cell[self.filled])), x, y)

    def legend(self) -> str:
        """Every mark with its name; the fillings, where there are several, in no colour and in a list of their own."""
        shaped = [_named(*_mark(place, 0, 7, 7), name) for place, name in enumerate(self.values)]
        if len(self.fillings) < 2:
            return _list(self.series, shaped)
        filled = [_named(f"plain{_filling(place)[0]}", _mark(0, place, 7, 7)[1], name) for place, name in enumerate(self.fillings)]
        return _list(self.series, shaped) + _list(self.filled, filled)


def shape(place: int, x: float, y: float) -> str:
    """The path of a series' mark at a point."""
    return f"M{x:.1f} {y:.1f}{SHAPES[place % len(SHAPES)]}"


def colour(place: int) -> str:
    """The class of a series' colour."""
    return f"c{place % COLOURS}"


def _mark(place: int, filling: int, x: float, y: float) -> tuple[str, str]:
    hollow, inside = _filling(filling)
    inner = f'<path class="in" d="M{x:.1f} {y:.1f}{inside}"/>' if inside else ""
    return f"{colour(place)}{hollow}", f'<path class="point" d="{shape(place, x, y)}"/>{inner}'


def _filling(place: int) -> tuple[str, str]:
    return FILLINGS[place % len(FILLINGS)]


def _list(axis: str, items: Sequence[str]) -> str:
    return f'<ul class="legend" aria-label="Marks by {axis}"><li class="note">{axis}</li>{"".join(items)}</ul>'


def _named(kind: str, drawn: str, name: str) -> str:
    return f'<li><svg aria-hidden="true" viewBox="0 0 14 14"><g class="{kind}">{drawn}</g></svg>{text(name)}</li>'
