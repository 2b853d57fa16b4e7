"""`faultbench new ...`: something to begin with, written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.commands import Command, Commands
from faultbench.cli.session import session_of
from faultbench.discovery import KINDS

app = typer.Typer(name="new", cls=Commands, help="Write the beginnings of a plugin.", rich_markup_mode=None)


def _kinds(incomplete: str) -> list[str]:
    return [kind.removesuffix("s") for kind in KINDS if kind.startswith(incomplete)]


def plugin(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="dataset, scenario, frontend, backbone, learner, compressor or target.",
            autocompletion=_kinds,
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called, as in my-learner.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that the folder NAME is made in. [default: this one]", show_default=False)
    ] = None,
) -> None:
    """Write a plugin that works.

    It is a distribution that installs, passes its contract and runs: a small plugin, a test of its contract, a README that
    says what to change, and a workflow for continuous integration.
    """
    from faultbench.registry import kind_of
    from faultbench.scaffold.naming import names_of
    from faultbench.scaffold.writing import files_of, write

    which = kind_of(kind)
    names = names_of(which, name, session_of(ctx).registry())
    folder = (out or Path()) / name
    write(files_of(which, names), folder)
    typer.echo(f"{folder} holds a {which.removesuffix('s')} that works. Next:")
    typer.echo(f"  pip install -e '{folder}[test]'")
    typer.echo(f"  pytest {folder}")
    typer.echo(f"  faultbench list {which} {name}")


app.command("plugin", cls=Command)(plugin)


@app.callback(invoke_without_command=True)
def _before(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)
