"""The rows as tables for a person: figures, criteria, and what has to be said beside them, at whatever width there is.

Everything is ASCII words and numbers, so that it reads the same without colours, in a pipe and in a log. Texts are rich
`Text` throughout: what a plugin calls itself is never read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from faultbench.report.console import print_lines
from faultbench.report.headings import Row, groups, is_judged, level, title, varying_axes
from faultbench.report.wording import UNKNOWN, clean, count, facts, interval, number, rate
from faultbench.results.metrics import lookup
from faultbench.results.verdict import ERROR, FAIL, NOT_APPLICABLE, PASS, UNPROVEN

_ANY_WIDTH = 100_000
"""What a table is measured against when it is asked how wide it wants to be."""

_NAME_WIDTHS = (40, 24, 16, 10)
"""Where names are broken, tried in this order."""

_SHOWN = (
    "accuracy.ci_low",
    "recall.rare.ci_low",
    "false_alarm",
    "missed_alarm",
    "finetune_s",
    "latency_ms",
    "params",
    "macs",
    "artifact_bytes",
)
"""The figures of which a table says what its sign for an unknown one means."""

_STYLES = {PASS: "green", FAIL: "bold red", UNPROVEN: "yellow", ERROR: "bold red"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and the lines of its cell for a row. In a list of figures, where it has no neighbour, it may need a name."""

    heading: str
    cell: Callable[[Row], str | Text]
    left: bool = False
    name: str = ""

    def item(self, row: Row) -> str:
        """What a list says in place of the cell: `accuracy 0.973`."""
        name = self.name or " ".join(self.heading.split())
        return f"{name} {' '.join(Text.assemble(self.cell(row)).plain.split())}"


def print_table(rows: Iterable[Row], console: Console) -> None:
    """Prints the rows, those of one data set and scenario together, for others cannot be compared.

    Tables for those that were judged, then a line for each that is not applicable or has failed. Axes and settings that all
    share go to the title. The richest layout that fits the console's width is taken; where none does, every row becomes a
    list. Scenarios that leak (T0, T1) come last.
    """
    found = groups(rows)
    if not found:
        console.print(Text("nothing was measured"))
    for number_, group in enumerate(found):
        if number_:
            console.print()
        _print_group(group, console)


def _print_group(everything: Sequence[Row], console: Console) -> None:
    judged = [row for row in everything if is_judged(row)]
    varying = varying_axes(everything)
    name = _Naming(varying, console.encoding, marked=len({row["watermark"] for row in judged}) > 1)
    print_lines(console, title(everything, varying), style="bold")
    if judged:
        console.print()
        _print_fitting(judged, name, [_full(), _wide(), _stacked()], console)
        console.print()
        _print_fitting(judged, name, [_criteria(judged, " "), _criteria(judged, "\n")], console)
        console.print()
        _print_facts(judged, name, console)
    for row in everything:
        if row["verdict"]["overall"] in (ERROR, NOT_APPLICABLE):
            print_lines(console, f"{name(row)}: {row['verdict']['sentence']}", style=_STYLES.get(row["verdict"]["overall"], ""))


class _Naming:
    """What a row is called: its values on the axes that vary, and its watermark where not all rows have the same."""

    def __init__(self, axes: Sequence[str], encoding: str, *, marked: bool) -> None:
        self.axes = axes
        self.encoding = encoding
        self.marked = marked

    def __call__(self, row: Row) -> str:
        return ", ".join(self._parts(row))

    def columns(self) -> list[Column]:
        """A column for each axis."""
        marks = [Column("", lambda row: ", ".join(self.marks(row)), left=True)] if self.marked else []
        return [*(Column(axis, self._on(axis), left=True) for axis in self.axes), *marks]

    def stacked(self, width: int) -> Column:
        """One column for all axes, long names broken at a width."""

        def lines(row: Row) -> str:
            return "\n".join(part[i : i + width] for part in (*self._parts(row), *self.marks(row)) for i in range(0, len(part), width))

        return Column("\n".join(self.axes), lines, left=True)

    def _parts(self, row: Row) -> list[str]:
        return [self._on(axis)(row) for axis in self.axes]

    def marks(self, row: Row) -> list[str]:
        """A row's watermark, where it is not in the title."""
        return [clean(row["watermark"], self.encoding)] if self.marked and row["watermark"] else []

    def _on(self, axis: str) -> Callable[[Row], str]:
        return lambda row: clean(level(row) if axis == "scenario" else row["cell"][axis], self.encoding)


def _figure(metric: str, words: Callable[[Any], str]) -> Callable[[Row], str]:
    return lambda row: words(lookup(row, metric))


def _wide() -> list[Column]:
    """A line per row."""
    return [
        _ACCURACY,
        _INTERVAL,
        _RARE,
        _WORST,
        _FALSE,
        Column("fine-tune\ns p50", _figure("finetune_s.p50", number)),
        Column(
            "latency ms\np50 / p99", _figure("latency_ms", lambda t: UNKNOWN if t is None else f"{number(t['p50'])} / {number(t['p99'])}")
        ),
        _PARAMS,
        _MACS,
        _SIZE,
    ]


def _full() -> list[Column]:
    """A line per row, with every figure that a table can hold."""
    return [
        _ACCURACY,
        _INTERVAL,
        _RARE,
        Column("95 %\ninterval", _figure("recall.rare", interval)),
        _WORST,
        _FALSE,
        Column("missed\nalarms", _figure("missed_alarm.mean", rate)),
        Column("fine-tune\ns p50", _figure("finetune_s.p50", number)),
        Column("\ns p99", _figure("finetune_s.p99", number), name="fine-tune s p99"),
        Column("latency\nms p50", _figure("latency_ms.p50", number)),
        Column("\nms p99", _figure("latency_ms.p99", number), name="latency ms p99"),
        Column("decision\nms p50", _figure("decision_ms.p50", number)),
        _PARAMS,
        _MACS,
        _SIZE,
        Column("peak\nmemory", _figure("peak_rss_bytes", lambda value: count(value, "B"))),
    ]


_ACCURACY = Column("accuracy", _figure("accuracy.mean", rate))
_INTERVAL = Column("95 %\ninterval", _figure("accuracy", interval))
_RARE = Column("rare\nrecall", _figure("recall.rare.mean", rate))
_WORST = Column("worst\nrecall", _figure("recall.worst.mean", rate))
_FALSE = Column("false\nalarms", _figure("false_alarm.mean", rate))
_PARAMS = Column("params", _figure("params", count))
_MACS = Column("MACs", _figure("macs", count))
_SIZE = Column("size", _figure("artifact_bytes", lambda value: count(value, "B")))


def _stacked() -> list[Column]:
    """Several lines per row, for 80 columns."""

    def times(metric: str) -> Callable[[Row], str]:
        return lambda row: "\n".join(number(lookup(row, f"{metric}.{part}")) for part in ("p50", "p99"))

    def recall(row: Row) -> str:
        return f"rare {rate(lookup(row, 'recall.rare.mean'))}\nworst {rate(lookup(row, 'recall.worst.mean'))}"

    def size(row: Row) -> str:
        return f"{count(row['params'])} params\n{count(row['macs'])} MACs\n{count(row['artifact_bytes'], 'B')}"

    return [
        Column("accuracy", lambda row: f"{rate(lookup(row, 'accuracy.mean'))}\n{interval(row['accuracy'])}"),
        Column("recall", recall),
        Column("false\nalarms", _figure("false_alarm.mean", rate)),
        Column("fine-tune\ns p50\ns p99", times("finetune_s")),
        Column("latency\nms p50\nms p99", times("latency_ms")),
        Column("size", size),
    ]


def _criteria(rows: Sequence[Row], between: str) -> list[Column]:
    """A column per criterion of any row, with the verdict and the value, and one for the row."""
    spellings = list(dict.fromkeys(one["criterion"] for row in rows for one in row["verdict"]["criteria"]))
    parts = {one["criterion"]: one for row in rows for one in row["verdict"]["criteria"]}

    def heading(one: Mapping[str, Any]) -> str:
        statistic = f"{between.strip(' ')}.{clean(one['statistic'])}" if one["statistic"] else ""
        return f"{one['metric']}{statistic}\n{one['op']} {one['number']:g}"

    columns = [Column(heading(parts[text]), lambda row, text=text: _judged(row, text, between), left=True) for text in spellings]  # type: ignore[misc]
    return [*columns, Column("verdict", lambda row: _overall(row, between), left=True)]


def _judged(row: Row, criterion: str, between: str) -> Text:
    for one in row["verdict"]["criteria"]:
        if one["criterion"] == criterion:
            value = rate(one["value"]) if "fault_units" in (lookup(row, one["metric"]) or ()) else number(one["value"])
            return Text.assemble((one["verdict"], _STYLES[one["verdict"]]), f"{between}{value}")
    return Text("")


def _overall(row: Row, between: str) -> Text:
    verdict = row["verdict"]["overall"]
    return Text.assemble((verdict, _STYLES[verdict]), f"{between}(baseline)" if row["baseline"] else "")


def _print_fitting(rows: Sequence[Row], name: _Naming, layouts: Sequence[list[Column]], console: Console) -> None:
    """Prints the first layout that fits, the last one with its names broken if need be; where none fits, lists."""
    candidates = [[*name.columns(), *layout] for layout in layouts[:-1]]
    candidates += [[name.stacked(width), *layouts[-1]] for width in _NAME_WIDTHS]
    for columns in candidates:
        table = _table(columns, rows)
        if console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width:
            console.print(table)
            return
    for row in rows:
        print_lines(console, ", ".join([name(row), *name.marks(row)]), style="bold")
        _print_items(console, [column.item(row) for column in layouts[0]])


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    """A table whose figures never wrap."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column.heading), justify="left" if column.left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text.assemble(column.cell(row)) for column in columns))
    return table


def _print_facts(rows: Sequence[Row], name: _Naming, console: Console) -> None:
    """Below the tables: per row its sentence and what else has to be said, then what the signs mean."""
    for row in rows:
        heading = [name(row), "baseline" if row["baseline"] else "", *row["labels"], *name.marks(row)]
        print_lines(console, ", ".join(str(x) for x in heading if x), style="bold")
        for fact in facts(row):
            print_lines(console, fact, indent=2)
    if any(lookup(row, metric) is None for row in rows for metric in _SHOWN):
        print_lines(console, f"{UNKNOWN} stands for what is not known.")


def _print_items(console: Console, items: Sequence[str], indent: int = 2) -> None:
    """Prints items one behind the other; a line ends between two of them."""
    line = ""
    for i, item in enumerate(items):
        said = item if i == len(items) - 1 else f"{item},"
        if line and indent + len(line) + 1 + len(said) > console.width:
            print_lines(console, line, indent=indent)
            line = ""
        line = f"{line} {said}" if line else said
    print_lines(console, line, indent=indent)
