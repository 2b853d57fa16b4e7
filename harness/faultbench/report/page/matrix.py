"""The matrix of the page: a line per cell, to be sorted by every column and narrowed by every axis on which cells differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from faultbench.report.headings import WORST_FIRST, Row, level, leveled
from faultbench.report.page.drawing import interval_drawn
from faultbench.report.page.escaping import extent, text, verdict_class
from faultbench.report.wording import UNKNOWN, count, number, rate
from faultbench.results.metrics import lookup
from faultbench.results.row import AXES

_SETTINGS = ("snr", "sources", "ways", "shots", "shots_rare", "queries", "episodes", "seeds", "window", "rate_hz", "channels")
"""What may tell cells apart beside the axes: a column and a filter each, where it does."""

_LONG = 10
"""With more rows than these a link leads past them: a thousand verdicts are a thousand stops of the Tab key."""

_NAMES = {"dataset": "data set", "snr": "noise", "shots_rare": "rare shots", "rate_hz": "rate Hz"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the matrix.

    Args:
        heading: What stands above it.
        shown: A cell as HTML.
        value: What a cell is sorted by, None where that is not known; a column without it is sorted by its text.
        axis: The ends of the axis on which its cells are drawn.
        names: Whether its cells say which row it is: a screen reader says them before a figure of the row.
        figures: Whether its values are figures, and stand to the right.
    """

    heading: str
    shown: Callable[[Row], str]
    value: Callable[[Row], float | None] | None = None
    axis: str = ""
    names: bool = False
    figures: bool = True


def matrix(rows: Sequence[Row]) -> str:
    """The filters and the table."""
    if not rows:
        return ""
    rows = leveled(rows)
    columns, filters = _columns(rows), _filters(rows)
    same = [axis for axis in AXES if not _varies(rows, axis)] if len(rows) > 1 else []
    head = "".join(_heading(column) for column in columns)
    marks = _marks(rows, filters)
    body = "\n".join(
        f'<tr data-r="{place}" data-f="{marks[place]}"{_leaky(row)}>{"".join(_cell(column, row) for column in columns)}</tr>'
        for place, row in enumerate(rows)
    )
    above = _same(rows[0], same) + (_form(rows, filters) if len(rows) > 1 else "")
    past = '<a class="skip here" href="#past">Past the matrix</a>\n' if len(rows) > _LONG else ""
    return f"""{above}{past}<div class="wide matrix" role="region" aria-label="The cells, to be scrolled" tabindex="0"><table id="matrix">
<caption class="unseen">Every cell of the matrix with its verdict and figures. The buttons in the headings sort.</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table></div>
<p class="unseen" id="sorted" role="status"></p>
<div id="past"></div>
"""


def _same(row: Row, axes: Sequence[str]) -> str:
    """The axes on which no cell differs, said once instead of in a column each."""
    said = ", ".join(f"{_NAMES.get(axis, axis)} <b>{text(named(row, axis))}</b>" for axis in axes)
    return f"<p>The same in every cell: {said}.</p>\n" if said else ""


def _form(rows: Sequence[Row], filters: dict[str, list[str]]) -> str:
    return f"""<form class="filters" role="search" aria-label="Narrow the matrix" hidden>
{"".join(_select(place, name, values) for place, (name, values) in enumerate(filters.items()))}
<label>any text<input type="search" id="words" autocomplete="off"></label>
<button type="reset">Show all</button>
<output id="count" aria-live="polite">{_how_many(len(rows))}</output>
</form>
<p class="paper" id="narrowed"></p>
"""


def place_links(rows: Sequence[Row]) -> dict[int, int]:
    """Where each row stands in the result, by identity: its section is `#row3`."""
    return {id(row): place for place, row in enumerate(rows)}


def _how_many(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"


def _heading(column: Column) -> str:
    kind = ' class="number"' if column.value and column.figures else ""
    axis = f'<span class="note">drawn {column.axis}</span>' if column.axis else ""
    return f'<th scope="col"{kind}><button type="button">{escape(column.heading)}</button>{axis}</th>'


def _leaky(row: Row) -> str:
    return ' class="leaky"' if "leaks" in (row["watermark"] or "") else ""


def _cell(column: Column, row: Row) -> str:
    if column.value is None:
        return f'<th scope="row">{column.shown(row)}</th>' if column.names else f"<td>{column.shown(row)}</td>"
    value = column.value(row)
    kind = 'class="number" ' if column.figures else ""
    return f'<td {kind}data-value="{"" if value is None else f"{value:.6g}"}">{column.shown(row)}</td>'


def _columns(rows: Sequence[Row]) -> list[Column]:
    places = place_links(rows)
    return [
        Column(
            "verdict",
            lambda row: _verdict(row, places[id(row)]),
            lambda row: WORST_FIRST.index(row["verdict"]["overall"]),
            figures=False,
        ),
        *(_axis(axis) for axis in AXES if len(rows) == 1 or _varies(rows, axis)),
        *(_setting(name) for name in _SETTINGS if _varies(rows, name)),
        _rate("accuracy", "accuracy", least=_least(rows, "accuracy")),
        _rate("rare recall", "recall.rare", least=_least(rows, "recall.rare")),
        _rate("worst recall", "recall.worst"),
        _rate("false alarms", "false_alarm"),
        _rate("missed alarms", "missed_alarm"),
        _time("fine-tune s p50", "finetune_s.p50"),
        _time("fine-tune s p99", "finetune_s.p99"),
        _time("latency ms p50", "latency_ms.p50"),
        _time("latency ms p99", "latency_ms.p99"),
        Column("params", lambda row: count(row["params"]), lambda row: row["params"]),
        Column("MACs", lambda row: count(row["macs"]), lambda row: row["macs"]),
        Column("size", lambda row: count(row["artifact_bytes"], "B"), lambda row: row["artifact_bytes"]),
    ]


def _verdict(row: Row, place: int) -> str:
    overall = row["verdict"]["overall"]
    beside = [x for x in ("baseline" if row["baseline"] else "", row["watermark"], *row["labels"]) if x]
    note = f'<br><span class="note">{text(", ".join(beside))}</span>' if beside else ""
    return f'<a class="verdict {verdict_class(overall)}" href="#row{place}">{text(overall)}</a>{note}'


def _axis(axis: str) -> Column:
    return Column(_NAMES.get(axis, axis), lambda row: f'<span class="name">{text(named(row, axis))}</span>', names=True)


def _setting(name: str) -> Column:
    return Column(_NAMES.get(name, name), lambda row: text(named(row, name)))


def _varies(rows: Sequence[Row], name: str) -> bool:
    """Whether cells differ; a setting only where there is one: a cell that makes no sense has none."""
    found = {named(row, name) for row in rows if name in AXES or row["accuracy"]}
    return len(found) > 1


def _least(rows: Sequence[Row], metric: str) -> float:
    """Where the axis of a column begins, so that all its intervals and what is asked fit: a tenth below 1."""
    found = [lookup(row, metric) for row in rows]
    lows = [one["mean"] if one["ci_low"] is None else one["ci_low"] for one in found if one]
    asked = [value for row in rows if (value := asked_of(row, metric)) is not None]
    return max(0.0, min(math.floor(min([*lows, *asked], default=0.0) * 10 - 1e-9) / 10, 0.9))


def named(row: Row, name: str) -> str:
    """What a cell is on an axis or a setting, as text."""
    if name == "scenario":
        return level(row)
    value = row["cell"].get(name) if name in AXES or row["accuracy"] else None  # a cell that makes no sense has no settings
    if value is None:
        return UNKNOWN
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else f"{value:g}" if isinstance(value, float) else str(value)


def _rate(heading: str, metric: str, *, least: float | None = None) -> Column:
    """A rate; drawn on an axis from `least` to 1 where that is given."""

    def shown(row: Row) -> str:
        found = lookup(row, metric)
        if found is None:
            return UNKNOWN
        drawing = "" if least is None else f"{interval_drawn(found, asked_of(row, metric), least)} "
        return f'{drawing}{rate(found["mean"])}<br><span class="note">{extent(found)}</span>'

    axis = "" if least is None else f"{least:g} to 1"
    return Column(heading, shown, lambda row: lookup(row, f"{metric}.mean"), axis)


def asked_of(row: Row, metric: str) -> float | None:
    """The number that a criterion asks of a rate, or None."""
    return next((one["number"] for one in row["verdict"]["criteria"] if one["metric"] == metric), None)


def _time(heading: str, metric: str) -> Column:
    return Column(heading, lambda row: number(lookup(row, metric)), lambda row: lookup(row, metric))


def _filters(rows: Sequence[Row]) -> dict[str, list[str]]:
    """What the matrix can be narrowed by, each with its values: the verdict, and every axis and setting on which cells differ."""
    names = [name for name in (*AXES, *_SETTINGS) if _varies(rows, name)]
    found = {name: _values(named(row, name) for row in rows) for name in names}
    verdicts = sorted({row["verdict"]["overall"] for row in rows}, key=WORST_FIRST.index)
    return {name: values for name, values in {"verdict": verdicts, **found}.items() if len(values) > 1}


def _values(said: Any) -> list[str]:
    """Different values, numbers by size and before words."""

    def order(value: str) -> tuple[bool, float, str]:
        try:
            return False, float(value), value
        except ValueError:
            return True, 0.0, value

    return sorted(set(said), key=order)


def _marks(rows: Sequence[Row], filters: dict[str, list[str]]) -> list[str]:
    """Of each row, which value of every filter it has: `0,2,1`."""
    places = {name: {value: place for place, value in enumerate(values)} for name, values in filters.items()}
    return [
        ",".join(str(places[name][row["verdict"]["overall"] if name == "verdict" else named(row, name)]) for name in filters)
        for row in rows
    ]


def _select(place: int, name: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{at}">{text(value)}</option>' for at, value in enumerate(values))
    return f'<label>{escape(_NAMES.get(name, name))}<select data-f="{place}"><option value="">any</option>{options}</select></label>\n'
