"""What several data commands share: arguments, options, and how many names are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.completion import names_of

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder that holds a folder per data set. [default: FAULTBENCH_DATA]")
]
DataSetName = Annotated[str, typer.Argument(metavar="NAME", help="The data set.", autocompletion=names_of("datasets"))]

_SHOWN = 10
"""More names than this are counted."""


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
