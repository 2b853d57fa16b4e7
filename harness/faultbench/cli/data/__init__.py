"""`faultbench data ...`: what has to do with data before a run, a file per command."""

from __future__ import annotations

import typer

from faultbench.cli.commands import Command, Commands
from faultbench.cli.data.audit import audit
from faultbench.cli.data.check import check
from faultbench.cli.data.get import get
from faultbench.cli.data.info import info
from faultbench.cli.data.list import listing
from faultbench.cli.data.plot import plot
from faultbench.cli.data.split import split
from faultbench.cli.data.verify import verify
from faultbench.cli.data.where import where

app = typer.Typer(
    name="data",
    cls=Commands,
    help="Get data sets, check recordings, look at them, audit splits.",
    rich_markup_mode=None,
)
app.command("audit", cls=Command)(audit)
app.command("list", cls=Command)(listing)
app.command("info", cls=Command)(info)
app.command("get", cls=Command)(get)
app.command("verify", cls=Command)(verify)
app.command("split", cls=Command)(split)
app.command("plot", cls=Command)(plot)
app.command("where", cls=Command)(where)
app.command("check", cls=Command)(check)


@app.callback(invoke_without_command=True)
def _before(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)
