"""The application: the options before the command, and the commands."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, TextIO, cast

import typer
import typer.main

from faultbench import __version__
from faultbench.cli.bundle import app as bundle
from faultbench.cli.cache import app as cache
from faultbench.cli.commands import Command, Commands
from faultbench.cli.compare import compare
from faultbench.cli.data import app as data
from faultbench.cli.doctor import doctor
from faultbench.cli.ending import close_output, failed, interrupted, quiet_pipe, show_tracebacks
from faultbench.cli.listing import listing
from faultbench.cli.new import app as new
from faultbench.cli.published import published
from faultbench.cli.results import app as results
from faultbench.cli.run import run
from faultbench.cli.schema import schema
from faultbench.cli.session import Session, session_of
from faultbench.cli.show import explain, show
from faultbench.cli.stdout import keep_stdout
from faultbench.matrix.streams import Unheard

EXIT_CODES = (
    "Exit codes: 0 done (with --gate: every row passes), 1 a criterion fails (with --gate), 2 bad usage or input, 3 something is unproven "
    "(with --gate), 4 a cell could not be computed or nothing was measured, 130 interrupted. Where several apply: 130, 2, 4, 1, 3."
)
COMPARE_CODES = (
    "Exit codes: 0 compared (with --fail-on: no condition is true), 1 a condition is true, 2 bad usage or input, 3 something is unproven, "
    "refused or missing (with --fail-on), 4 nothing could be compared, or a cell of NEW could not be computed."
)

_COMPLETING = "_FAULTBENCH_COMPLETE"
"""Set by the shell that asks the parser for completions; the parser then leaves Python by itself."""

app = typer.Typer(
    name="faultbench",
    cls=Commands,
    help="Few-shot fault diagnosis on the edge, benchmarked so that the number can be trusted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # rich help alone would take the whole start-up budget
    pretty_exceptions_enable=False,
)
app.command("run", cls=Command, epilog=EXIT_CODES)(run)
app.command("show", cls=Command)(show)
app.command("compare", cls=Command, epilog=COMPARE_CODES)(compare)
app.command("explain", cls=Command)(explain)
app.command("published", cls=Command)(published)
app.command("list", cls=Command, options_metavar="[KIND [NAME]]", context_settings={"allow_extra_args": True})(listing)
app.add_typer(data)
app.add_typer(new)
app.add_typer(bundle)
app.add_typer(results)
app.add_typer(cache)
app.command("doctor", cls=Command)(doctor)
app.command("schema", cls=Command)(schema)


def run_command(argv: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code."""
    keep_stdout()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no × gets a ?, not a traceback
    with contextlib.redirect_stderr(cast(TextIO, Unheard(sys.stderr))):
        return _run_command(argv)


def _run_command(argv: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    session = Session(command=["faultbench", *words])
    try:
        code = typer.main.get_command(app).main(args=words, prog_name="faultbench", standalone_mode=False, obj=session)
    except (typer.Abort, KeyboardInterrupt):
        code = interrupted()
    except SystemExit as left:
        code = _left(left, debug=session.debug)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends as one line and the right exit code
        code = failed(error, debug=session.debug)
    try:
        with quiet_pipe():
            pass
    except OSError as error:
        code = failed(error, debug=session.debug)
    return code if isinstance(code, int) else 0


def _left(left: SystemExit, *, debug: bool) -> int:
    """The exit code where something left Python: the parser when it is done, or has met a closed pipe, or else a plugin."""
    if isinstance(left.__context__, BrokenPipeError):
        close_output()
        return 0
    if _COMPLETING in os.environ or left.code in (None, 0):
        return left.code if isinstance(left.code, int) else 0
    return failed(left, debug=debug)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"faultbench {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _before(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the tracebacks of errors, broken plugins and failed stages.")] = False,
    no_plugins: Annotated[bool, typer.Option("--no-plugins", help="Use faultbench's own plugins alone.")] = False,
    strict_plugins: Annotated[bool, typer.Option("--strict-plugins", help="Take a plugin with a problem as an error.")] = False,
    _version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)] = False,
) -> None:  # `version` acts by its callback
    session = session_of(ctx)
    session.debug, session.plugins, session.strict = debug, not no_plugins, strict_plugins
    if debug:
        show_tracebacks()
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)
