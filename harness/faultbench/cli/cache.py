"""`faultbench cache ...`: what the cache holds, and trimming it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli import options
from faultbench.cli.commands import Command, Commands
from faultbench.errors import UsageError

app = typer.Typer(name="cache", cls=Commands, help="See how large the cache is, and trim it.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _before(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)


@app.command("info", cls=Command)
def info(json: options.Json = None) -> None:
    """Say where the cache is, how large, what is in it, and what a trim would free."""
    from faultbench.cli.ending import quiet_pipe
    from faultbench.cli.outputs import Outputs
    from faultbench.report.cached import about, about_text, print_about

    outputs = Outputs(json=json)
    outputs.check_writable()
    told = about(_root())
    with quiet_pipe():
        outputs.publish(lambda _: about_text(told), lambda console: print_about(told, console))


@app.command("trim", cls=Command)
def trim(
    older: Annotated[str | None, typer.Option(metavar="TIME", help="Only what no run has used for so long: 90m, 12h, 30d, 2w.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Only until the cache is of this size (2G, 500M), what was used longest ago first.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only what such a stage made (train); `cache info` names the kinds.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
) -> None:
    """Remove values that can be made again.

    What a running process has in use, or is making, stays. Results are kept elsewhere (`faultbench results`).
    """
    from faultbench.matrix import trimming
    from faultbench.matrix.leases import leases
    from faultbench.report.cached import kinds_of, trimmed_line

    if older is None and to is None and not kind:
        raise UsageError("trim what? Give --older, --to or --kind; --to 0 empties the cache")
    age = None if older is None else trimming.parse_duration(older)
    size = None if to is None else trimming.parse_size(to)
    root = _root()
    values = trimming.survey(root)
    wanted = kinds_of(kind or (), values)
    chosen = trimming.choose(values, older_s=age, to_bytes=size, kinds=wanted)
    found = trimming.forecast(chosen, leases(root)) if dry_run or not chosen else trimming.trim(root, chosen)
    typer.echo(trimmed_line(found, values, would=dry_run))
    if found.in_use and size is not None:
        print("warning: the rest of that is in use: trim again when the runs have ended", file=sys.stderr)


def _root() -> Path:
    """The cache's folder.

    Raises:
        UsageError: It is none, and cannot become one.
    """
    import os

    from faultbench.folders import cache_root, unusable

    root = cache_root()
    if not os.path.isdir(root) and (reason := unusable(root)):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise UsageError(f"the cache {root} cannot be used ({reason}): set FAULTBENCH_CACHE to another folder")
    return root
