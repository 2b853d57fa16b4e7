"""`faultbench results ...`: the runs that are kept."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from faultbench.cli import options
from faultbench.cli.commands import Command, Commands
from faultbench.errors import UsageError

app = typer.Typer(name="results", cls=Commands, help="List, export and remove the runs that are kept.", rich_markup_mode=None)

_Filters = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN", help="last, last~1, a number, a date (2026-01-31), a digest, or names (maml cwru); all must fit."),
]


@app.callback(invoke_without_command=True)
def _before(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)


@app.command("list", cls=Command)
def listing(
    runs: _Filters = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many, the newest.")] = 50,
    json: options.Json = None,
) -> None:
    """List the runs, the newest first."""
    from faultbench.cli.ending import quiet_pipe
    from faultbench.cli.outputs import Outputs
    from faultbench.report.runs import print_runs, runs_text, summaries
    from faultbench.results.selection import filtered
    from faultbench.results.store import read_store

    outputs = Outputs(json=json)
    outputs.check_writable()
    with read_store() as store:
        found = filtered(store, runs or ())
        told = [] if store is None else summaries(store, found[:limit])
    with quiet_pipe():
        outputs.publish(lambda _: runs_text(told), lambda console: print_runs(told, console, more=len(found) - len(told)))


@app.command("export", cls=Command)
def export(
    runs: _Filters = None,
    json: options.Json = None,
    csv: options.Csv = None,
    markdown: options.Markdown = None,
    junit: options.Junit = None,
    html: options.Html = None,
    out: options.Out = None,
) -> None:
    """Write the rows of several runs as one result.

    Of a cell that was measured once and shows in several runs, the newest row is taken.
    """
    from faultbench.cli.outputs import Outputs

    outputs = Outputs(json=json, csv=csv, markdown=markdown, junit=junit, html=html, out=out)
    if not outputs.given():
        raise UsageError("export where to? Give --json, --csv, --markdown, --junit, --html or --out")
    outputs.check_writable()

    from faultbench.cli.publishing import publish_rows
    from faultbench.report.headings import counted
    from faultbench.report.runs import gathered
    from faultbench.results.selection import FORMS, filtered
    from faultbench.results.store import read_store

    with read_store() as store:
        found = filtered(store, runs or ())
        if store is None or not found:
            raise UsageError(f"no stored run fits: name one by {FORMS}; `faultbench results list` shows what there is")
        rows = gathered(store, found)
    command = ["faultbench", "results", "export", *(runs or ())]
    publish_rows(rows, command, outputs, github=False)
    print(f"{counted(len(rows), 'row')} of {counted(len(found), 'run')}", file=sys.stderr)


@app.command("rm", cls=Command)
def remove(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="As for list; each names runs of its own.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Remove runs and their rows for good.

    The count of looks stays: a target that was looked at has been looked at, whatever became of the rows. The cache is not
    touched either (`faultbench cache trim`).
    """
    from faultbench.report.console import Stdout
    from faultbench.report.headings import counted
    from faultbench.report.runs import print_runs, summaries
    from faultbench.results.selection import FORMS, matching
    from faultbench.results.store import open_store, read_store

    with read_store() as store:
        for text in runs:
            if not matching(store, text):
                raise UsageError(f"no stored run is {text!r}: name one by {FORMS}")
        chosen = {run.id: run for text in runs for run in matching(store, text)}
        told = [] if store is None else summaries(store, sorted(chosen.values(), key=lambda run: -run.id))
    these = counted(len(chosen), "run")
    if not yes:
        print_runs(told, Stdout(), more=0)
        if not sys.stdin.isatty():
            raise UsageError(f"removing {these} needs a yes: add --yes")
        if not typer.confirm(f"Remove {these} for good?"):
            print("nothing was removed", file=sys.stderr)
            return 0
    with open_store() as writable:
        writable.remove(sorted(chosen))
    print(f"removed {these}; looks are kept", file=sys.stderr)
    return 0
