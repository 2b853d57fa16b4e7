"""`faultbench published`: what papers report of the data sets that can be run here."""

from __future__ import annotations

from typing import Annotated

import typer

from faultbench.errors import UsageError
from faultbench.names import bare_name, instead, shown


def published(
    dataset: Annotated[list[str] | None, typer.Option("-d", "--dataset", metavar="NAME", help="Of this data set; repeat it.")] = None,
    level: Annotated[
        list[str] | None, typer.Option("--level", metavar="LEVEL", help="Of splits at this level (T0 to T4, unclear).")
    ] = None,
) -> None:
    """Show what papers report, each figure with its split and its source.

    Nothing of it was measured here, and it is in no result. `faultbench show --published` shows it below the rows of a result.
    """
    from faultbench.cli.ending import quiet_pipe
    from faultbench.report.console import Stdout
    from faultbench.report.literature import LEVELS
    from faultbench.report.literature import published as figures
    from faultbench.report.literature.table import print_published

    levels = [one for text in level or () for one in text.split(",")]
    for one in levels:
        if one not in LEVELS:
            raise UsageError(f"there is no level {shown(one)}: {instead(one, LEVELS)}")
    known = {one.dataset for one in figures()}
    datasets = [bare_name(one) for text in dataset or () for one in text.split(",")]
    for one in datasets:
        if one not in known:
            raise UsageError(f"no figure of {shown(one)} is known: there are some of {', '.join(sorted(known))}")
    with quiet_pipe():
        print_published(figures(datasets or None, levels or None), Stdout())
