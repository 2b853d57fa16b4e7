"""What papers report, for a person: under a heading of its own that says what it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from faultbench.names import bare_name
from faultbench.report.console import print_lines
from faultbench.report.headings import Row
from faultbench.report.literature import LEVELS, Published, Source, published
from faultbench.report.wording import clean

HEADING = "Published elsewhere, not measured here:"
CAUTION = (
    "Other windows, classes and training than here, and a level that was graded from what the paper says. Where level or task differ, "
    "a figure is not comparable with a row; none takes part in a verdict."
)
_WIDE = 100
"""Columns from which on there is room for the task and the split."""


def print_beside(rows: Sequence[Row], console: Console) -> None:
    """Prints the figures of the data sets of these rows, those at a level of theirs first."""
    found = beside(rows)
    console.print()
    if not found:
        print_lines(
            console, f"{HEADING} nothing is known of {', '.join(sorted({str(row['cell']['dataset']) for row in rows})) or 'no row'}."
        )
        return
    print_published(found, console, own=levels_of(rows))


def beside(rows: Sequence[Row]) -> list[Published]:
    """The figures of the data sets of these rows, those at a level of theirs first."""
    own = levels_of(rows)
    return sorted(published({bare_name(row["cell"]["dataset"]) for row in rows}), key=lambda one: (one.dataset, one.level not in own))


def levels_of(rows: Sequence[Row]) -> set[str]:
    """The levels of rows as papers are graded: `T4` for both kinds of it."""
    return {str(row["cell"]["level"]).partition("/")[0] for row in rows if row["cell"]["level"]}


def print_published(found: Sequence[Published], console: Console, *, own: set[str] | None = None) -> None:
    """Prints figures and their sources.

    Args:
        found: The figures.
        console: Where to.
        own: The levels of the rows that they stand below, which are told apart; None where they stand alone.
    """
    print_lines(console, HEADING, style="bold")
    print_lines(console, CAUTION)
    if not found:
        console.print()
        print_lines(console, "nothing is known that fits")
        return
    console.print()
    sources = numbered(found)
    wide = console.width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for heading in ("data set", "level"):
        table.add_column(Text(heading), no_wrap=True)
    table.add_column(Text("figure"), overflow="fold")
    table.add_column(Text("method"), overflow="fold")
    table.add_column(Text("task and split" if wide else "split"), overflow="fold")
    table.add_column(Text("source"), no_wrap=True)
    for one in found:
        level = Text(one.level, style="" if own is None or one.level in own else "dim")
        split = f"{one.task}; {one.split}" if wide else one.split
        said = [f"{one.metric} {one.figure}", one.method, split, f"[{sources[one.source]}]"]
        table.add_row(Text(one.dataset), level, *(Text(clean(text, console.encoding)) for text in said))
    console.print(table)
    console.print()
    for source, number in sources.items():
        print_lines(console, f"[{number}] {reference(source)}")
        print_lines(console, f"read: {source.checked}", indent=4)
    console.print()
    print_lines(console, "How the levels were graded:")
    for line in graded(found, sources):
        print_lines(console, line, indent=2)


def numbered(found: Sequence[Published]) -> dict[Source, int]:
    """The sources, each with its number, in the order of the figures."""
    return {source: number for number, source in enumerate(dict.fromkeys(one.source for one in found), 1)}


def reference(source: Source) -> str:
    """A source as a list of references has it."""
    quoted = " (quoted in another text)" if source.seen == "quoted" else ""
    return f"{source.authors} ({source.year}). {source.title}. {source.venue}. {source.address}{quoted}"


def graded(found: Sequence[Published], sources: dict[Source, int]) -> Iterator[str]:
    """Why the figures have their levels, a line for each level and reason."""
    reasons: dict[tuple[str, str], set[int]] = {}
    for one in found:
        reasons.setdefault((one.level, one.grade), set()).add(sources[one.source])
    for (level, reason), numbers in sorted(reasons.items(), key=lambda item: LEVELS.index(item[0][0])):
        yield f"{level}: {reason} {''.join(f'[{number}]' for number in sorted(numbers))}"
