"""All that is known of one cell: why it got its verdict, the recall of every bearing, the confusion, and where the figures come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbench.report.headings import Row, cell_name, is_judged
from faultbench.report.page.criteria import NAMES, drawn
from faultbench.report.page.drawing import bar
from faultbench.report.page.escaping import extent, text, verdict_class
from faultbench.report.page.tabling import table
from faultbench.report.wording import UNKNOWN, count, facts, number, rate
from faultbench.results.metrics import FIGURES, RATES, TIMES, lookup
from faultbench.results.specimens import specimen

_SHADES = 5
"""Steps of the shading in a confusion matrix."""


def details(row: Row, place: int, *, alone: bool = False) -> str:
    """The section of a row.

    Args:
        row: The row.
        place: Where it stands in the result.
        alone: Whether it is all there is: then it is open, and its criteria stand above it already.
    """
    overall = row["verdict"]["overall"]
    figure = f" accuracy {rate(row['accuracy']['mean'])} ({extent(row['accuracy'])})" if row["accuracy"] else ""
    told = "".join(f"<li>{text(fact)}</li>" for fact in _told(row))
    mark = f'<span class="verdict {verdict_class(overall)}">{text(overall)}</span>'
    return f"""<details class="row" id="row{place}"{" open" if alone else ""}><summary>{mark}
<span class="name">{text(cell_name(row))}</span><span class="note">{figure}</span></summary>
<ul>{told}</ul>
{"" if alone else _criteria(row)}<div class="beside">{_bearings(row)}{_confusion(row)}{_rates(row)}{_costs(row)}</div>
{_provenance(row)}</details>
"""


def _told(row: Row) -> Iterator[str]:
    if is_judged(row):
        yield from facts(row)
    else:
        yield row["verdict"]["sentence"]


def _criteria(row: Row) -> str:
    judged: Sequence[Mapping[str, Any]] = row["verdict"]["criteria"]
    if not judged:
        return ""
    lines = "".join(
        f'<tr><th scope="row"><code>{text(one["criterion"])}</code></th><td>{drawn(row, one)}</td>'
        f'<td class="number">{number(one["value"])}</td>'
        f'<td><span class="verdict {verdict_class(one["verdict"])}">{text(one["verdict"])}</span></td><td>{text(one["reason"])}</td></tr>'
        for one in judged
    )
    head = '<th scope="col">criterion</th><td></td><th scope="col" class="number">value</th>'
    head += '<th scope="col">verdict</th><th scope="col">reason</th>'
    return table("The criteria", head, lines, kind="judged") + "\n"


def _bearings(row: Row) -> str:
    found = row["bearings"]
    if not found or not found["recall"]:
        return ""
    asked = found["criterion"]
    lines = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{bar(value, asked)}</td><td class="number">{rate(value)}</td></tr>'
        for name, value in sorted(found["recall"].items(), key=lambda one: (one[1], one[0]))
    )
    caption = f"Recall of each fault {specimen(row)}, the worst first; the mark is at {asked:g}"
    return table(caption, "", lines, kind="bearings", seen=True) + "\n"


def _confusion(row: Row) -> str:
    found = row["confusion"]
    if not found:
        return ""
    head = "".join(f'<th scope="col" class="number">{text(label)}</th>' for label in found["labels"])
    body = "".join(
        f'<tr><th scope="row">{text(label)}</th>{"".join(_counted(counts, at, at == place) for at in range(len(counts)))}</tr>'
        for place, (label, counts) in enumerate(zip(found["labels"], found["counts"], strict=False))
    )
    caption = "Confusion: the true class by row, what was answered by column, in queries"
    return table(caption, f"<td></td>{head}", body, kind="confusion", seen=True) + "\n"


def _counted(counts: Sequence[int], at: int, right: bool) -> str:
    queries, all_ = counts[at], sum(counts)
    shade = -(-queries * _SHADES // all_) if all_ else 0
    return f'<td class="number {"right" if right else "wrong"}{shade}">{queries or ""}</td>'


def _rates(row: Row) -> str:
    known = [(name, found) for name in RATES if (found := lookup(row, name))]
    lines = "".join(
        f'<tr><th scope="row">{NAMES[name]}</th><td class="number">{rate(found["mean"])}</td><td class="number">{extent(found)}</td>'
        f"<td>{text(found['clusters'])}</td></tr>"
        for name, found in known
    )
    head = '<td></td><th scope="col" class="number">mean</th><th scope="col" class="number">95 % interval</th><th scope="col">units</th>'
    return _small("Rates", head, lines)


def _costs(row: Row) -> str:
    times = "".join(
        f'<tr><th scope="row">{NAMES[name]}</th><td class="number">{number(found["p50"])}</td>'
        f'<td class="number">{number(found["p99"])}</td></tr>'
        for name in TIMES
        if (found := lookup(row, name))
    )
    single = "".join(
        f'<tr><th scope="row">{NAMES[name]}</th><td class="number">{_figure(name, value)}</td><td></td></tr>'
        for name in FIGURES
        if (value := row[name]) is not None
    )
    head = '<td></td><th scope="col" class="number">median or value</th><th scope="col" class="number">99th percentile</th>'
    return _small("Times, sizes and work", head, times + single)


def _figure(name: str, value: float) -> str:
    return number(value) if name.endswith(("_s", "_ms", "_mj")) else count(value)


def _small(caption: str, head: str, lines: str) -> str:
    return table(caption, head, lines, kind="small", seen=True) + "\n" if lines else ""


def _provenance(row: Row) -> str:
    device, kind = row["device"], row["kind"] or "evidence of unknown kind"
    said = [f"row {row['digest'][:16]}"]
    if row.get("split_digest"):  # a result of an earlier version has none
        said.append(f"episodes {row['split_digest'][:16]}")
    if device:
        said.append(f"{kind} on {device.get('name', 'a device')}, {device.get('cpu', UNKNOWN)}, {device.get('cores', UNKNOWN)} cores")
    return f'<p class="note">{text("; ".join(said))}</p>\n'
