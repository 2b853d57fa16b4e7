"""`faultbench data check`: what is wrong with data before a run is."""

from __future__ import annotations

import dataclasses
import re
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faultbench.cli.columns import table, terminal_width
from faultbench.cli.completion import names_of
from faultbench.cli.data.options import DataDir
from faultbench.cli.ending import quiet_pipe
from faultbench.cli.session import session_of
from faultbench.defaults import DEFAULTS, FOLDER
from faultbench.discovery import one_line
from faultbench.errors import UsageError

if TYPE_CHECKING:
    from faultbench.data.recording import Catalogue
    from faultbench.inspection.checking import Count, Report
    from faultbench.inspection.levels import Level
    from faultbench.registry import Choice, Registry

_SAY_EVERY_S = 5.0
_MOST = 600  # characters of a finding
_MOST_STRETCHES = 5
_MOST_ALIKE = 5
_NAMES = re.compile(r"'[^']*'|(?<=, line )\d+|[^\s,;:()']+\.(?:wav|csv|npy|mat)\b(?!, line)", re.IGNORECASE)
"""What differs between texts that say the same of several things."""
_LINE = re.compile(r"(?P<file>[^,:]+), line (?P<line>\d+): (?P<what>.+)")


def check(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="A folder of recordings with its table.", show_default=False)
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("-d", "--dataset", metavar="NAME", help="A data set instead.", autocompletion=names_of("datasets"))
    ] = None,
    data_dir: DataDir = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print a table (recordings.csv) that lists the files of FOLDER, to be filled in.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 for warnings too.")] = False,
) -> int:
    """Say what is wrong or missing in recordings, all of it at once.

    FOLDER holds wav, csv, npy or mat files and a table, recordings.csv or recordings.toml. Errors would stop a run; warnings
    would let its figures mislead; then comes what there is, and which isolation levels it supports. It exits with 0 if
    nothing is wrong, also where there are warnings, and with 2 if a run would stop.
    """
    from faultbench.data.inspectable import Inspectable
    from faultbench.inspection.checking import check as check_data
    from faultbench.registry import make

    registry = session_of(ctx).registry()
    chosen = _chosen(registry, folder, dataset)
    made = make(chosen, data_dir=_data_dir(data_dir))
    if template:
        if not isinstance(made, Inspectable):
            raise UsageError(f"--template lists the files of a folder, {chosen.spelling} is a data set of its own: name a FOLDER")
        with quiet_pipe():
            sys.stdout.write(made.template())
        return 0

    def source(other_than: str) -> Catalogue | None:
        default = registry.choose("datasets", DEFAULTS["datasets"][0])
        catalogue: Catalogue = make(default, data_dir=None).catalogue()
        return catalogue if catalogue.dataset != other_than else None

    report = check_data(made, registry, source, _Progress())
    with quiet_pipe():
        for line in _lines(report, str(folder) if folder else chosen.spelling):
            print(line)
    return UsageError.exit_code if report.of("error") or (strict and report.of("warning")) else 0


def _chosen(registry: Registry, folder: Path | None, dataset: str | None) -> Choice:
    if (folder is None) == (dataset is None):
        raise UsageError("data check takes a FOLDER, or a data set with -d: give one of them")
    if dataset is not None:
        return registry.choose("datasets", dataset)
    choice = registry.choose("datasets", FOLDER)
    return dataclasses.replace(choice, params={**choice.params, "path": str(Path(str(folder)).expanduser().absolute())})


def _data_dir(given: Path | None) -> Path | None:
    from faultbench.acquisition.places import data_folder

    try:
        return data_folder(given)
    except UsageError:
        return None  # a data set that needs it says so


class _Progress:
    """Says how far a long pass is."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._said > _SAY_EVERY_S:
            self._said = time.monotonic()
            print(f"checked {done} of {total} recordings", file=sys.stderr)


def _lines(report: Report, place: str) -> Iterator[str]:
    """The report, line by line."""
    width = terminal_width()
    errors, warnings, facts = (report.of(grade) for grade in ("error", "warning", "fact"))
    name = f"{one_line(report.dataset)}, " if report.dataset else ""
    numbers = ((report.recordings, "recording"), (len(errors), "error"), (len(warnings), "warning"))
    said = ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for number, what in numbers)
    yield f"{one_line(place)}: {name}{said}"
    for heading, texts in (("ERRORS: a run would stop", errors), ("WARNINGS: figures could mislead", warnings), ("FACTS", facts)):
        if texts:
            yield from ("", heading, *_bullets(_of_alike_texts(_of_alike_lines(texts)), width))
    for mounting in dict.fromkeys(count.mounting for count in report.counts):
        counts = [count for count in report.counts if count.mounting == mounting]
        place = mounting if mounting.startswith(counts[0].machine) else f"{counts[0].machine}, {mounting}"
        rows = [_count_row(count) for count in counts]
        yield from ("", one_line(place), table(("CLASS", "BEARINGS", "SESSIONS", "RECORDINGS", "SECONDS", "LOADS"), rows, width))
    if report.levels:
        yield from ("", table(("LEVEL", "SCENARIO", "SUPPORTED"), [_level_row(level) for level in report.levels], width))


def _of_alike_lines(texts: Sequence[str]) -> list[str]:
    """The texts, those that say the same of several lines of a table as one: a table that was just begun has one fault in every line."""
    alike: dict[tuple[str, str], list[int]] = {}
    for text in texts:
        found = _LINE.fullmatch(text)
        if found:
            alike.setdefault((found["file"], found["what"]), []).append(int(found["line"]))
        else:
            alike[text, ""] = []
    return [f"{where}, {_lines_of(numbers)}: {what}" if numbers else where for (where, what), numbers in alike.items()]


def _of_alike_texts(texts: Sequence[str]) -> list[str]:
    """The texts, those that differ in the names of things only as one with the first of them, where there are many."""
    alike: dict[str, list[str]] = {}
    for text in texts:
        alike.setdefault(_NAMES.sub("*", text), []).append(text)
    found = []
    for some in alike.values():
        if len(some) <= _MOST_ALIKE:
            found += some
        else:
            named = [next((name for name in _NAMES.findall(text) if not name.isdecimal()), "") for text in some[1:_MOST_ALIKE]]
            names = "".join(f"{name}, " for name in dict.fromkeys(named) if name)
            found.append(f"{some[0]} (and {len(some) - 1} more alike: {names}...)")
    return found


def _lines_of(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    stretches: list[tuple[int, int]] = []
    for number in numbers:
        if stretches and number == stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], number)
        else:
            stretches.append((number, number))
    said = [str(first) if first == last else f"{first} to {last}" for first, last in stretches[:_MOST_STRETCHES]]
    more = ["..."] if len(stretches) > _MOST_STRETCHES else []
    return f"lines {', '.join(said + more)}"


def _bullets(texts: Sequence[str], width: int) -> Iterator[str]:
    for text in texts:
        yield from textwrap.wrap(
            one_line(text, _MOST), width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
        )


def _count_row(count: Count) -> tuple[str, ...]:
    numbers = (str(count.bearings), str(count.sessions), str(count.recordings), f"{count.seconds:.3g}")
    return (one_line(count.label), *numbers, one_line(", ".join(count.loads), _MOST))


def _level_row(level: Level) -> tuple[str, ...]:
    if level.refusal:
        return level.level, level.scenario, one_line(f"no: {level.refusal}", _MOST)
    asked = f", with --ways {level.ways}" if level.asked else ""
    return level.level, level.scenario, one_line(f"yes: {level.ways} ways, target {level.target}{asked}", _MOST)
