"""`faultbench data where`: the folder that data sets are looked for in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder that holds a folder per data set. [default: FAULTBENCH_DATA]")
]


def where(data_dir: DataDir = None) -> None:
    """Print the folder that data sets are looked for in."""
    from faultbench.acquisition.places import data_folder

    typer.echo(data_folder(data_dir))
