"""All that is known of one cell: why it got its verdict, the recall of every bearing, the confusion, and where the figures come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbench.report.headings import Row, cell_name, is_judged
from faultbench.report.page.drawing import bar
from faultbench.report.page.escaping import extent, text, verdict_class
from faultbench.report.wording import UNKNOWN, facts, number, rate

_SHADES = 5
"""Steps of the shading in a confusion matrix."""


def details(row: Row, place: int) -> str:
    """The section of a row, closed."""
    overall = row["verdict"]["overall"]
    figure = f" accuracy {rate(row['accuracy']['mean'])} ({extent(row['accuracy'])})" if row["accuracy"] else ""
    told = "".join(f"<li>{text(fact)}</li>" for fact in _told(row))
    return f"""<details class="row" id="row{place}"><summary><span class="verdict {verdict_class(overall)}">{text(overall)}</span>
<span class="name">{text(cell_name(row))}</span><span class="note">{figure}</span></summary>
<ul>{told}</ul>
{_criteria(row)}<div class="beside">{_bearings(row)}{_confusion(row)}</div>
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
        f'<tr><th scope="row"><code>{text(one["criterion"])}</code></th><td class="number">{number(one["value"])}</td>'
        f'<td><span class="verdict {verdict_class(one["verdict"])}">{text(one["verdict"])}</span></td><td>{text(one["reason"])}</td></tr>'
        for one in judged
    )
    head = '<th scope="col">criterion</th><th scope="col" class="number">value</th><th scope="col">verdict</th><th scope="col">reason</th>'
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>\n'


def _bearings(row: Row) -> str:
    found = row["bearings"]
    if not found or not found["recall"]:
        return ""
    asked = found["criterion"]
    lines = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{bar(value, asked)}</td><td class="number">{rate(value)}</td></tr>'
        for name, value in sorted(found["recall"].items(), key=lambda one: (one[1], one[0]))
    )
    caption = f"Recall of each fault bearing, the worst first; the mark is at {asked:g}"
    return f'<div class="wide"><table class="bearings"><caption>{caption}</caption><tbody>{lines}</tbody></table></div>\n'


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
    return (
        f'<div class="wide"><table class="confusion"><caption>{caption}</caption><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _counted(counts: Sequence[int], at: int, right: bool) -> str:  # noqa: FBT001 - whether the answer is the true class
    queries, all_ = counts[at], sum(counts)
    shade = -(-queries * _SHADES // all_) if all_ else 0
    return f'<td class="number {"right" if right else "wrong"}{shade}">{queries or ""}</td>'


def _provenance(row: Row) -> str:
    device, kind = row["device"], row["kind"] or "evidence of unknown kind"
    said = [f"row {row['digest'][:16]}"]
    if row["split_digest"]:
        said.append(f"episodes {row['split_digest'][:16]}")
    if device:
        said.append(f"{kind} on {device.get('name', 'a device')}, {device.get('cpu', UNKNOWN)}, {device.get('cores', UNKNOWN)} cores")
    return f'<p class="note">{text("; ".join(said))}</p>\n'
