"""Accuracy against what it costs: a chart of latency and one of size for each data set and scenario, with the front that nothing beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faultbench.report.headings import Row, groups, is_judged, title, varying_axes
from faultbench.report.page import chart
from faultbench.report.page.escaping import extent, text
from faultbench.report.page.matrix import place_links
from faultbench.report.wording import count, number, rate
from faultbench.results.metrics import lookup

_OPEN = 4
"""So many groups are shown at once; the others are there to be opened."""

_FEW = 200
"""With more points than these in a page none has words of its own: the table has them all."""

Cost = Callable[[Row], float | None]


def tradeoffs(rows: Sequence[Row]) -> str:
    """The charts of all groups that have something to draw."""
    places = place_links(rows)
    told = len(rows) <= _FEW
    drawn = [made for group in groups(rows) if (made := _group(group, places, told=told))]
    if not drawn:
        return ""
    rest = drawn[_OPEN:]
    more = f"<details><summary>{len(rest)} more: data sets and scenarios</summary>{''.join(rest)}</details>" if rest else ""
    return f"""<section aria-labelledby="costs"><h2 id="costs">What accuracy costs</h2>
<p>A point per cell, its 95 % interval as a line. The stepped line is the Pareto front: it joins the cells that no other beats in both.
Only cells of one chart can be compared.</p>
{"".join(drawn[:_OPEN])}{more}</section>
"""


def front(rows: Sequence[Row], cost: Cost) -> list[Row]:
    """The rows that no other row beats or equals in accuracy at no higher cost, the cheapest first."""
    known = [row for row in rows if (value := cost(row)) is not None and value > 0 and row["accuracy"]]
    best: list[Row] = []
    for row in sorted(known, key=lambda row: (cost(row), -row["accuracy"]["mean"])):
        if not best or row["accuracy"]["mean"] > best[-1]["accuracy"]["mean"]:
            best.append(row)
    return best


def _latency(row: Row) -> float | None:
    found: float | None = lookup(row, "latency_ms.p50")
    return found


def _size(row: Row) -> float | None:
    found: float | None = row["artifact_bytes"]
    return found


def _group(group: Sequence[Row], places: dict[int, int], *, told: bool) -> str:
    judged = [row for row in group if is_judged(row) and row["accuracy"]]
    learners, compressors = (list(dict.fromkeys(str(row["cell"][axis]) for row in judged)) for axis in ("learner", "compressor"))
    costs: list[tuple[str, Cost, Callable[[float], str], str]] = [
        ("latency, median, ms", _latency, number, "latency"),
        ("size of the artifact", _size, lambda value: count(value, "B"), "size"),
    ]
    charts = [_chart(judged, learners, compressors, places, one, told=told) for one in costs]
    if not any(charts):
        return ""
    name = text(title(group, varying_axes(group)))
    return f"""<figure class="tradeoff"><figcaption>{name}</figcaption>
<div class="charts">{"".join(charts)}</div>
{_legend(learners, compressors)}
{_fronts(judged, costs)}</figure>
"""


def _chart(
    rows: Sequence[Row],
    learners: Sequence[str],
    compressors: Sequence[str],
    places: dict[int, int],
    cost: tuple[str, Cost, Callable[[float], str], str],
    *,
    told: bool,
) -> str:
    title_, value, written, what = cost
    points = [(row, x) for row in rows if (x := value(row)) is not None and x > 0]
    if not points:
        return ""
    across = chart.logarithmic([x for _, x in points], written)
    up = chart.rates(min(_low(row) for row, _ in points))
    best = front(rows, value)
    parts = [chart.frame(across, up, f"{title_} (logarithmic)", "accuracy")]
    if len(best) > 1:
        corners = [(across.place(value(row) or 1), up.place(row["accuracy"]["mean"])) for row in best]
        steps = "".join(f"H{x:.1f}V{y:.1f}" for x, y in corners[1:])
        parts.append(f'<path class="front" d="M{corners[0][0]:.1f} {corners[0][1]:.1f}{steps}"/>')
    leading = {id(row) for row in best}
    for row, x in sorted(points, key=lambda point: id(point[0]) in leading):
        parts.append(_point(row, across.place(x), up, learners, compressors, places[id(row)], leads=id(row) in leading, told=told))
    label = f"{what} against accuracy of {len(points)} cells; the table below holds the front"
    return chart.svg(label, "".join(parts))


def _low(row: Row) -> float:
    found = row["accuracy"]
    return float(found["mean"] if found["ci_low"] is None else found["ci_low"])


def _point(
    row: Row, x: float, up: chart.Scale, learners: Sequence[str], compressors: Sequence[str], place: int, *, leads: bool, told: bool
) -> str:
    found, cell = row["accuracy"], row["cell"]
    y = up.place(found["mean"])
    said = f"<title>{text(short_name(row))}: {rate(found['mean'])} ({extent(found)})</title>" if told else ""
    low, high = found["ci_low"], found["ci_high"]
    drawn = "" if low is None or high is None else f'<path class="iv" d="M{x:.1f} {up.place(low):.1f}V{up.place(high):.1f}"/>'
    kind = f"{chart.colour(learners.index(str(cell['learner'])))}{' leads' if leads else ''}"
    sign = chart.shape(compressors.index(str(cell["compressor"])), x, y)
    return f'<g data-r="{place}" class="{kind}">{said}{drawn}<path class="point" d="{sign}"/></g>'


def short_name(row: Row) -> str:
    """A row by what is drawn of it: learner, compressor, target, and noise where there is any."""
    cell = row["cell"]
    snr = cell.get("snr")
    return " ".join(
        [*(str(cell[axis]) for axis in ("learner", "compressor", "target")), *([f"snr {snr}"] if snr not in (None, "clean") else [])]
    )


def _legend(learners: Sequence[str], compressors: Sequence[str]) -> str:
    items = [_sign(chart.colour(place), 0, name) for place, name in enumerate(learners)]
    if len(compressors) > 1:
        items += [_sign("plain", place, name) for place, name in enumerate(compressors)]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _sign(kind: str, place: int, name: str) -> str:
    sign = chart.shape(place, 7, 7)
    return f'<li><svg aria-hidden="true" viewBox="0 0 14 14"><g class="{kind}"><path class="point" d="{sign}"/></g></svg>{text(name)}</li>'


def _fronts(rows: Sequence[Row], costs: Sequence[tuple[str, Cost, Callable[[float], str], str]]) -> str:
    lines = []
    for _, value, written, what in costs:
        lines += [
            f"<tr><td>{what}</td><td>{text(short_name(row))}</td>"
            f'<td class="number">{written(value(row) or 0)}{" ms" if what == "latency" else ""}</td>'
            f'<td class="number">{rate(row["accuracy"]["mean"])} ({extent(row["accuracy"])})</td></tr>'
            for row in front(rows, value)
        ]
    head = '<tr><th scope="col">front</th><th scope="col">cell</th><th scope="col">cost</th><th scope="col">accuracy</th></tr>'
    table = f'<div class="wide"><table><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table></div>'
    return f"<details><summary>The fronts as a table</summary>{table}</details>"
