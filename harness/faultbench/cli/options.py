"""Options that several commands have: names of parts, and where results go, in which format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from faultbench.cli.completion import names_of
from faultbench.defaults import DEFAULTS
from faultbench.names import split_list

Names = list[str] | None
"""What an option that is repeated gives."""


def axis(letter: str, option: str, kind: str, what: str) -> Any:
    """The option that names parts of a kind."""
    help_ = f"{what}; repeat it, or separate names by commas. [default: {', '.join(DEFAULTS[kind])}]"
    return typer.Option(f"-{letter}", f"--{option}", metavar="NAME", help=help_, autocompletion=names_of(kind), show_default=False)


Datasets = Annotated[Names, axis("d", "dataset", "datasets", "Data set")]
Scenarios = Annotated[Names, axis("s", "scenario", "scenarios", "Scenario, the policy of splitting")]
Sources = Annotated[
    Names,
    typer.Option(
        metavar="NAME",
        help="Data set to train on, for a scenario that takes others (new-dataset).",
        autocompletion=names_of("datasets"),
    ),
]
Ways = Annotated[int | None, typer.Option(metavar="N", help="Classes per episode. [default: the scenario's]")]
Shots = Annotated[int | None, typer.Option(metavar="K", help="Labelled samples per class. [default: 5]")]
ShotsRare = Annotated[int | None, typer.Option(metavar="K", help="Labelled samples of the rare fault. [default: as --shots, at most 5]")]
Queries = Annotated[int | None, typer.Option(metavar="N", help="Samples to classify, per class. [default: 15]")]
Episodes = Annotated[int | None, typer.Option(metavar="N", help="Episodes per seed. [default: 100]")]
Seeds = Annotated[int | None, typer.Option(metavar="N", help="How many seeds. [default: 3]")]

Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write JSON (see `faultbench schema`); - prints it instead of the table."),
]
Csv = Annotated[str | None, typer.Option("--csv", metavar="FILE|-", help="Write a line per cell as comma-separated values.")]
Markdown = Annotated[str | None, typer.Option("--markdown", metavar="FILE|-", help="Write Markdown, made for a comment on a pull request.")]
Junit = Annotated[str | None, typer.Option("--junit", metavar="FILE|-", help="Write JUnit XML: a cell is a test case.")]
Html = Annotated[str | None, typer.Option("--html", metavar="FILE|-", help="Write a page that needs nothing else.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write the table and every format there.")]
Verbose = Annotated[
    bool,
    typer.Option("-v", "--verbose", help="Say of every verdict in a sentence what was found, on how many bearings, and what was asked."),
]
AllowUnproven = Annotated[bool, typer.Option("--allow-unproven", help="Let what is unproven pass.")]


def named(texts: Names) -> tuple[str, ...]:
    """The names that an option gave."""
    return tuple(name for text in texts or () for name in split_list(text))
