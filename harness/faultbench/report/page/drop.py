"""What becomes of the accuracy when the split shares less: a line per learner from T0, one recording, to T3, an unseen bearing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbench.report.headings import Row, is_judged
from faultbench.report.page import chart, marks
from faultbench.report.page.escaping import extent, text
from faultbench.report.page.tabling import table
from faultbench.report.wording import UNKNOWN, rate

_ORDER = ("T0", "T1", "T2", "T3", "T4/T2", "T4", "T4/T3")
_LABELLED = 12
"""So many lines can have their names beside them."""

_GAP = 13
"""Between two names, in the chart's units."""

_NAME = 18
"""Letters of a name that there is room for."""

Series = dict[str, dict[str, Row]]


def drop(rows: Sequence[Row]) -> str:
    """A figure for each data set of which there are cells at two levels or more."""
    datasets = dict.fromkeys(str(row["cell"]["dataset"]) for row in rows)
    drawn = [made for place, name in enumerate(datasets) if (made := _figure(name, place, rows))]
    if not drawn:
        return ""
    return f"""<section aria-labelledby="drop"><h2 id="drop">What is left when less is shared</h2>
<p>The same learners at every level that was run. At T0 and T1 the bearings that are asked for were learned from: such a figure
proves nothing. Dashes mark chance, which differs where the ways do.</p>
{"".join(drawn)}</section>
"""


def series(dataset: str, rows: Sequence[Row]) -> Series:
    """The cells of a data set by what is the same from level to level, then by level."""
    found: Series = {}
    for row in rows:
        cell = row["cell"]
        if cell["dataset"] != dataset or not is_judged(row) or not row["accuracy"] or cell["level"] not in _ORDER:
            continue
        found.setdefault(_name(row), {}).setdefault(str(cell["level"]), row)
    return {name: levels for name, levels in found.items() if len(levels) > 1}


def _name(row: Row) -> str:
    """What stays the same from level to level."""
    cell = row["cell"]
    said = [str(cell["learner"]), *(str(cell[axis]) for axis, usual in (("compressor", "none"), ("target", "x86")) if cell[axis] != usual)]
    parameters = str(cell["scenario"]).partition(":")[2]
    said += [f"snr {cell['snr']}"] if cell.get("snr") not in (None, "clean") else []
    return ", ".join([*said, *([parameters] if parameters else []), *([f"{cell['shots']}-shot"] if cell["shots"] else [])])


def _short(names: Sequence[str]) -> dict[str, str]:
    """The names without what all of them have in common."""
    parts = {name: name.split(", ") for name in names}
    shared = set.intersection(*(set(part) for part in parts.values())) if len(names) > 1 else set()
    return {name: ", ".join(one for one in part if one not in shared) or name for name, part in parts.items()}


def _figure(dataset: str, place: int, rows: Sequence[Row]) -> str:
    found = series(dataset, rows)
    if not found:
        return ""
    levels = [level for level in _ORDER if any(level in of for of in found.values())]
    names = _short(list(found))
    chart_ = _chart(found, levels, names)
    return f"""<figure class="drop" aria-labelledby="drop{place}"><figcaption id="drop{place}">{text(dataset)}</figcaption>
<div class="charts">{chart_}</div>
<details{" open" if len(found) <= _LABELLED else ""}><summary>The same as a table</summary>
{_table(dataset, found, levels, names)}</details></figure>
"""


def _chart(found: Series, levels: Sequence[str], names: Mapping[str, str]) -> str:
    labelled = len(found) <= _LABELLED
    right = chart.WIDE - chart.RIGHT - (120 if labelled else 0)
    step = (right - chart.LEFT - 50) / (len(levels) - 1)
    xs = {level: chart.LEFT + 25 + step * place for place, level in enumerate(levels)}
    numbered = {float(place): level for place, level in enumerate(levels)}
    across = chart.Scale(lambda place: xs[numbered[place]], tuple((float(place), level) for place, level in enumerate(levels)))
    up = chart.rates(0.0)
    parts = [chart.frame(across, up, "level of the split", "accuracy")]
    for level in levels:
        ways = {of[level]["cell"]["ways"] for of in found.values() if level in of}
        parts += [f'<path class="chance" d="M{xs[level] - 14:.1f} {up.place(1 / n):.1f}h28"/>' for n in sorted(ways) if n]
    ends = []
    for place, (name, of) in enumerate(found.items()):
        points = [(xs[level], of[level]["accuracy"]) for level in levels if level in of]
        if not labelled:
            parts.append(f'<path class="course faint" d="{_line([(x, up.place(known["mean"])) for x, known in points])}"/>')
            continue
        shift = (place - (len(found) - 1) / 2) * min(3.0, 20 / len(found))
        parts.append(_one(points, shift, up, place))
        ends.append((up.place(points[-1][1]["mean"]), points[-1][0], place, names[name]))
    if labelled:
        parts += list(_labels(ends))
    else:
        parts.append(_median([(xs[level], up.place(value)) for level, value in medians(found, levels).items()], len(found)))
    return chart.svg(f"accuracy of {len(found)} learners at the levels {', '.join(levels)}; the table below says the same", "".join(parts))


def medians(found: Series, levels: Sequence[str]) -> dict[str, float]:
    """The median accuracy at every level, over what was run there."""
    return {level: statistics.median(of[level]["accuracy"]["mean"] for of in found.values() if level in of) for level in levels}


def _one(points: Sequence[tuple[float, Mapping[str, Any]]], shift: float, up: chart.Scale, place: int) -> str:
    """One learner: its line, its mark at every level, and its intervals, moved aside so that they do not lie on one another."""
    ranges = "".join(
        f"M{x + shift:.1f} {up.place(known['ci_low']):.1f}V{up.place(known['ci_high']):.1f}"
        for x, known in points
        if known["ci_low"] is not None
    )
    line = [(x, up.place(known["mean"])) for x, known in points]
    dots = f'<path class="point" d="{"".join(marks.shape(place, x, y) for x, y in line)}"/>'
    kind = f"{marks.colour(place)} d{place // marks.COLOURS}"
    return f'<g class="line {kind}"><path class="iv" d="{ranges}"/><path class="course" d="{_line(line)}"/>{dots}</g>'


def _median(points: Sequence[tuple[float, float]], lines: int) -> str:
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points)
    x, y = points[-1]
    label = f'<text class="named" x="{x:.1f}" y="{y + 18:.1f}" text-anchor="end">median of {lines}</text>'
    return f'<g class="line middle"><path class="course" d="{_line(points)}"/>{dots}{label}</g>'


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(points))


def _labels(ends: Sequence[tuple[float, float, int, str]]) -> Iterator[str]:
    """The names beside the ends of the lines, moved apart where they would lie on each other."""
    ordered = sorted(ends)
    heights: list[float] = []
    for y, *_ in ordered:
        heights.append(max(y, heights[-1] + _GAP) if heights else y)
    over = max(heights[-1] - (chart.HIGH - chart.BOTTOM), 0)
    for (y, x, place, name), height in zip(ordered, heights, strict=True):
        shown = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        yield f'<path class="lead" d="M{x + 5:.1f} {y:.1f}L{x + 16:.1f} {height - over:.1f}"/><g class="{marks.colour(place)}">'
        yield f'<path class="point" d="{marks.shape(place, x + 22, height - over)}"/>'
        yield f'<text class="named" x="{x + 30:.1f}" y="{height - over + 4:.1f}">{text(shown)}</text></g>'


def _table(dataset: str, found: Series, levels: Sequence[str], names: Mapping[str, str]) -> str:
    head = "".join(f'<th scope="col" class="number">{text(level)}</th>' for level in levels)
    lines = [_medians_row(found, levels)] if len(found) > _LABELLED else []
    for name, of in found.items():
        cells = "".join(f'<td class="number">{_figures(of.get(level))}</td>' for level in levels)
        known = [of[level]["accuracy"]["mean"] for level in levels if level in of]
        lines.append(f'<tr><th scope="row">{text(names[name])}</th>{cells}<td class="number">{known[-1] - known[0]:+.3f}</td></tr>')
    head = f'<th scope="col">learner</th>{head}<th scope="col" class="number">first to last</th>'
    return table(f"Accuracy on {text(dataset)}, by level", head, "".join(lines))


def _medians_row(found: Series, levels: Sequence[str]) -> str:
    known = list(medians(found, levels).values())
    cells = "".join(f'<td class="number"><b>{rate(value)}</b></td>' for value in known)
    return f'<tr><th scope="row"><b>median of {len(found)}</b></th>{cells}<td class="number"><b>{known[-1] - known[0]:+.3f}</b></td></tr>'


def _figures(row: Row | None) -> str:
    if row is None:
        return UNKNOWN
    return f'{rate(row["accuracy"]["mean"])}<br><span class="note">{extent(row["accuracy"])}</span>'
