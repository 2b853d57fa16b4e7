"""The arguments and options that several data commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.completion import names_of

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder that holds a folder per data set. [default: FAULTBENCH_DATA]")
]
DataSetName = Annotated[str, typer.Argument(metavar="NAME", help="The data set.", autocompletion=names_of("datasets"))]
