"""Accuracy against what it costs: a chart of latency and one of size for each data set and scenario, with the front that nothing beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faultbench.report.headings import Row, groups, is_judged, title, varying_axes
from faultbench.report.page import chart
from faultbench.report.page.escaping import extent, text
from faultbench.report.page.marks import Marks
from faultbench.report.page.matrix import place_links
from faultbench.report.page.tabling import table
from faultbench.report.wording import count, number, rate
from faultbench.results.metrics import lookup

_OPEN = 4
"""So many groups are shown at once; the others are there to be opened."""

_HINT = "Point at a mark, or go from one to the next by the arrow keys, and its figures stand here; Enter opens its cell."

Cost = Callable[[Row], float | None]


def tradeoffs(rows: Sequence[Row]) -> str:
    """The charts of all groups that have something to draw."""
    places = place_links(rows)
    drawn = [made for group in groups(rows) if (made := _group(group, places))]
    if not drawn:
        return ""
    rest = drawn[_OPEN:]
    more = f"<details><summary>{len(rest)} more: data sets and scenarios</summary>{''.join(rest)}</details>" if rest else ""
    return f"""<section aria-labelledby="costs"><h2 id="costs">What accuracy costs</h2>
<p>A point per cell, its 95 % interval as a line. The stepped line is the Pareto front: it joins the cells that no other beats in both.
Only cells of one chart can be compared. Every mark leads to its cell.</p>
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


def _group(group: Sequence[Row], places: dict[int, int]) -> str:
    judged = [row for row in group if is_judged(row) and row["accuracy"]]
    marks = Marks.of(judged)
    costs: list[tuple[str, Cost, Callable[[float], str], str]] = [
        ("latency, median, ms", _latency, number, "latency"),
        ("size of the artifact", _size, lambda value: count(value, "B"), "size"),
    ]
    charts = [_chart(judged, marks, places, one) for one in costs]
    if not any(charts):
        return ""
    name = text(title(group, varying_axes(group)))
    place = places[id(group[0])]
    return f"""<figure class="tradeoff" aria-labelledby="costs{place}"><figcaption id="costs{place}">{name}</figcaption>
<div class="charts">{"".join(charts)}</div>
<p class="tools note" aria-hidden="true" hidden>{_HINT}</p>
{marks.legend()}
{_fronts(judged, costs)}</figure>
"""


def _chart(rows: Sequence[Row], marks: Marks, places: dict[int, int], cost: tuple[str, Cost, Callable[[float], str], str]) -> str:
    title_, value, written, what = cost
    points = [(row, x) for row in rows if (x := value(row)) is not None and x > 0]
    if not points:
        return ""
    across = chart.logarithmic([x for _, x in points], written)
    up = chart.rates(min(_low(row) for row, _ in points))
    best = front(rows, value)
    axes = chart.frame(across, up, f"{title_} (logarithmic)", "accuracy")
    if len(best) > 1:
        corners = [(across.place(value(row) or 1), up.place(row["accuracy"]["mean"])) for row in best]
        steps = "".join(f"H{x:.1f}V{y:.1f}" for x, y in corners[1:])
        axes += f'<path class="front" d="M{corners[0][0]:.1f} {corners[0][1]:.1f}{steps}"/>'
    leading = {id(row) for row in best}
    drawn = ""
    for row, x in sorted(points, key=lambda point: id(point[0]) in leading):
        leads = id(row) in leading
        said = f"{short_name(row)}: {rate(row['accuracy']['mean'])} ({extent(row['accuracy'])}), {_spent(what, written, x)}"
        said += ", on the front" if leads else ""
        # One stop of the Tab key in each chart: from there on the page's script goes by the arrow keys.
        stop = -1 if drawn else 0
        at = f'href="#row{places[id(row)]}" tabindex="{stop}"'
        drawn += _point(row, across.place(x), up, marks, at, text(said), leads=leads)
    cells = f"{len(points)} cell{'s' * (len(points) != 1)}"
    label = f"{what} against accuracy of {cells}, each a link to its cell; the arrow keys go from one to the next"
    return chart.reached(label, axes, drawn)


def _spent(what: str, written: Callable[[float], str], value: float) -> str:
    return f"{written(value)}{' ms' if what == 'latency' else ''}"


def _low(row: Row) -> float:
    found = row["accuracy"]
    return float(found["mean"] if found["ci_low"] is None else found["ci_low"])


def _point(row: Row, x: float, up: chart.Scale, marks: Marks, at: str, said: str, *, leads: bool) -> str:
    found = row["accuracy"]
    low, high = found["ci_low"], found["ci_high"]
    drawn = "" if low is None or high is None else f'<path class="iv" d="M{x:.1f} {up.place(low):.1f}V{up.place(high):.1f}"/>'
    kind, mark = marks.of_row(row, x, up.place(found["mean"]))
    return f'<a {at} class="{kind}{" leads" if leads else ""}"><title>{said}</title>{drawn}{mark}</a>'


def short_name(row: Row) -> str:
    """A row by what is drawn of it: learner, compressor, target, and noise where there is any."""
    cell = row["cell"]
    snr = cell.get("snr")
    return " ".join(
        [*(str(cell[axis]) for axis in ("learner", "compressor", "target")), *([f"snr {snr}"] if snr not in (None, "clean") else [])]
    )


def _fronts(rows: Sequence[Row], costs: Sequence[tuple[str, Cost, Callable[[float], str], str]]) -> str:
    lines = []
    for _, value, written, what in costs:
        lines += [
            f'<tr><td>{what}</td><th scope="row">{text(short_name(row))}</th>'
            f'<td class="number">{_spent(what, written, value(row) or 0)}</td>'
            f'<td class="number">{rate(row["accuracy"]["mean"])} ({extent(row["accuracy"])})</td></tr>'
            for row in front(rows, value)
        ]
    head = "".join(f'<th scope="col">{said}</th>' for said in ("front", "cell", "cost", "accuracy"))
    return f"<details><summary>The fronts as a table</summary>{table('The cells of the fronts', head, ''.join(lines))}</details>"
