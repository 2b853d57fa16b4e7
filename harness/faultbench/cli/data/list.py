"""`faultbench data list`: every data set, whether it is here, and how to get it."""

from __future__ import annotations

import re

import typer

from faultbench.cli.columns import table, terminal_width
from faultbench.cli.data.options import DataDir


def listing(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """List the data sets, and what of them is here.

    With the size, the licence, and how to get each.
    """
    from faultbench.acquisition.places import data_folder_if_any
    from faultbench.acquisition.space import size_text
    from faultbench.cli.data.sets import DataSetHere, all_of_them
    from faultbench.discovery import one_line

    def row(one: DataSetHere) -> tuple[str, ...]:
        of = one.publication
        if of is None:
            return one.name, one.here, "", "", "it reads files of your own"
        size = of.size_bytes
        about = "" if size is None else f"{'' if of.complete_sizes else 'about '}{size_text(size)}"
        if of.embedded:
            how = "nothing to get"
        elif one.here == "all":
            how = "it is here"
        elif any(file.urls for file in of.files):
            how = f"faultbench data get {one.name}"
        else:
            how = f"by hand: faultbench data info {one.name}"
        licence = re.split(r"[:;,(]", one_line(of.licence))[0].strip()  # the rest is what `info` is for
        return one.name, one.here, about, licence, how

    rows = [row(one) for one in all_of_them(ctx, data_folder_if_any(data_dir))]
    typer.echo(table(("DATA SET", "HERE", "SIZE", "LICENCE", "HOW TO GET IT"), rows, terminal_width()))
