"""The rows as one HTML page that needs nothing else: a table to sort, intervals drawn, and the recall of every bearing.

All is there without scripts; the script, which stands in the page, sorts. The page forbids itself to load anything
(`Content-Security-Policy`), and every text that is not its own is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from faultbench.report.headings import Row, is_judged, level
from faultbench.report.markdown import headline
from faultbench.report.page.drawing import bars, interval_drawn
from faultbench.report.wording import UNKNOWN, clean, count, facts, interval, number, rate
from faultbench.results.metrics import lookup
from faultbench.results.row import PROTOCOL


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its heading, what its cell shows as HTML, and what it is sorted by ('' where that is not known)."""

    heading: str
    shown: Callable[[Row], str]
    value: Callable[[Row], Any]
    number: bool = True


def as_html(rows: Sequence[Row], command: Sequence[str]) -> str:
    """The rows as a page."""
    style, script = _resource("style.css"), _resource("sort.js")
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>faultbench: {text(headline(rows))}</title>
<style>{style}</style>
</head>
<body>
<h1>faultbench: {text(headline(rows))}</h1>
<p>Protocol {PROTOCOL}. To repeat it:</p>
<pre><code>{text(shlex.join(command))}</code></pre>
{_table(rows)}
{"".join(_details(row, number_) for number_, row in enumerate(rows))}
<script>{script}</script>
</body>
</html>
"""


def text(said: object) -> str:
    """A text that is not the page's own, escaped."""
    return escape(clean(said))


def _resource(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _digest(said: str) -> str:
    """What a content security policy knows an inline style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(said.encode()).digest()).decode()}"


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    columns = _columns(rows)
    head = "".join(f'<th scope="col"><button type="button">{escape(column.heading)}</button></th>' for column in columns)
    body = "\n".join(f"<tr>{''.join(_cell(column, row) for column in columns)}</tr>" for row in rows)
    return f'<div class="wide"><table class="sortable">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _cell(column: Column, row: Row) -> str:
    value = column.value(row)
    kind = ' class="number"' if column.number else ""
    return f'<td{kind} data-value="{text("" if value is None else value)}">{column.shown(row)}</td>'


def _columns(rows: Sequence[Row]) -> list[Column]:
    numbers = {id(row): number_ for number_, row in enumerate(rows)}
    axes = ["dataset", "scenario", "learner", "compressor", "target"]
    if len({row["cell"].get("snr") for row in rows}) > 1:
        axes.append("snr")
    return [
        Column("verdict", lambda row: _verdict(row, numbers[id(row)]), lambda row: row["verdict"]["overall"], number=False),
        *(_axis(axis) for axis in axes),
        _rate("accuracy", "accuracy"),
        _rate("rare recall", "recall.rare"),
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


def _verdict(row: Row, number_: int) -> str:
    overall = row["verdict"]["overall"]
    beside = [x for x in ("baseline" if row["baseline"] else "", row["watermark"], *row["labels"]) if x]
    note = f' <span class="note">{text(", ".join(beside))}</span>' if beside else ""
    return f'<a class="{_class(overall)}" href="#row{number_}">{text(overall)}</a>{note}'


def _class(verdict: str) -> str:
    return verdict if verdict in ("pass", "fail", "unproven", "error") else "note"


def _axis(axis: str) -> Column:
    def name(row: Row) -> str:
        return level(row) if axis == "scenario" else str(row["cell"][axis])

    return Column("data set" if axis == "dataset" else axis, lambda row: f"<code>{text(name(row))}</code>", name, number=False)


def _rate(heading: str, metric: str) -> Column:
    def shown(row: Row) -> str:
        found = lookup(row, metric)
        if found is None:
            return UNKNOWN
        return f'{interval_drawn(found, _asked(row, metric))} {rate(found["mean"])}<br><span class="note">{interval(found)}</span>'

    return Column(heading, shown, lambda row: lookup(row, f"{metric}.mean"))


def _asked(row: Row, metric: str) -> float | None:
    """The number that a criterion asks of a rate, or None."""
    return next((one["number"] for one in row["verdict"]["criteria"] if one["metric"] == metric), None)


def _time(heading: str, metric: str) -> Column:
    return Column(heading, lambda row: number(lookup(row, metric)), lambda row: lookup(row, metric))


def _details(row: Row, number_: int) -> str:
    cell = row["cell"]
    name = " ".join(str(cell[axis]) for axis in ("dataset", "scenario", "learner", "compressor", "target"))
    snr = f" snr {cell['snr']}" if cell.get("snr") not in (None, "clean") else ""
    told = "".join(f"<li>{text(fact)}</li>" for fact in _told(row))
    parts = [_criteria(row), _bearings(row), _confusion(row)]
    return f'<section id="row{number_}"><h2>{text(name + snr)}</h2>\n<ul>{told}</ul>\n{"".join(parts)}</section>\n'


def _told(row: Row) -> Iterator[str]:
    if is_judged(row):
        yield from facts(row)
    else:
        yield row["verdict"]["sentence"]
    if row["device"]:
        yield f"{row['kind'] or 'evidence of unknown kind'} on {row['device'].get('name', 'a device')}, {row['device'].get('cpu', '')}"
    yield f"digest {row['digest']}"


def _criteria(row: Row) -> str:
    judged: Sequence[Mapping[str, Any]] = row["verdict"]["criteria"]
    if not judged:
        return ""
    lines = "".join(
        f'<tr><td><code>{text(one["criterion"])}</code></td><td class="number">{number(one["value"])}</td>'
        f'<td class="{_class(one["verdict"])}">{text(one["verdict"])}</td><td>{text(one["reason"])}</td></tr>\n'
        for one in judged
    )
    return f"<table><thead><tr><th>criterion</th><th>value</th><th>verdict</th><th>reason</th></tr></thead><tbody>{lines}</tbody></table>\n"


def _bearings(row: Row) -> str:
    found = row["bearings"]
    if not found:
        return ""
    return f"<h3>Recall of each fault bearing</h3>\n{bars(found['recall'], found['criterion'])}\n"


def _confusion(row: Row) -> str:
    found = row["confusion"]
    if not found:
        return ""
    head = "".join(f'<th scope="col">{text(label)}</th>' for label in found["labels"])
    body = "".join(
        f'<tr><th scope="row">{text(label)}</th>{"".join(map(_counted, counts))}</tr>\n'
        for label, counts in zip(found["labels"], found["counts"], strict=False)
    )
    summary = "<summary>Confusion: true class by row, returned class by column</summary>"
    return (
        f'<details>{summary}<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div></details>\n'
    )


def _counted(queries: int) -> str:
    return f'<td class="number">{queries or ""}</td>'
