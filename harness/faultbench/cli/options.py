"""The options that several commands have: where results go, and in which format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write JSON (see `faultbench schema`); - prints it instead of the table."),
]
Csv = Annotated[str | None, typer.Option("--csv", metavar="FILE|-", help="Write a line per cell as comma-separated values.")]
Markdown = Annotated[str | None, typer.Option("--markdown", metavar="FILE|-", help="Write Markdown, made for a comment on a pull request.")]
Junit = Annotated[str | None, typer.Option("--junit", metavar="FILE|-", help="Write JUnit XML: a cell is a test case.")]
Html = Annotated[str | None, typer.Option("--html", metavar="FILE|-", help="Write a page that needs nothing else.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write the table and every format there.")]
AllowUnproven = Annotated[bool, typer.Option("--allow-unproven", help="Let what is unproven pass.")]
