"""`faultbench compare`: what changed from one result to another, and whether it may have."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from faultbench.cli import options
from faultbench.cli.ending import quiet_pipe
from faultbench.cli.session import session_of
from faultbench.discovery import one_line
from faultbench.errors import UsageError
from faultbench.names import instead, shown

_AXES = ("learner", "compressor", "target")


def compare(
    ctx: typer.Context,
    base: Annotated[str, typer.Argument(metavar="BASE", help="What to compare with: a JSON file of a run, or a stored run.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What to look at, likewise.")],
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR",
            help='Exit with 1 where one is true of a cell, as in "accuracy.diff.ci_high<-0.01,latency_ms.p99.ratio>1.2".',
        ),
    ] = None,
    allow_unproven: options.AllowUnproven = False,
    across_machines: Annotated[bool, typer.Option("--across-machines", help="Compare times of two machines nevertheless.")] = False,
    across: Annotated[
        list[str] | None, typer.Option(metavar="AXIS", help="Pair cells that differ on this axis: learner, compressor or target.")
    ] = None,
    json: options.Json = None,
    markdown: options.Markdown = None,
    junit: options.Junit = None,
) -> int:
    """Compare two results, cell by cell.

    Cells are compared where both were asked the same episodes. A stored run is named by last, last~1, its number, a date, a
    digest, or names.
    """
    from faultbench.cli.outputs import Outputs
    from faultbench.results.conditions import parse

    outputs = Outputs(json=json, markdown=markdown, junit=junit)
    if allow_unproven and fail_on is None:
        raise UsageError("--allow-unproven has no condition to loosen: add --fail-on, or leave it away")
    conditions = () if fail_on is None else parse(fail_on)
    for axis in across or ():
        if axis not in _AXES:
            raise UsageError(f"there is no axis {shown(axis)} to compare across: {instead(axis, _AXES)}")
    if base == new == "-":
        raise UsageError("BASE and NEW cannot both be standard input: name a file for one of them")
    outputs.check_writable()

    from faultbench.report.compared import render
    from faultbench.report.compared.table import print_comparison
    from faultbench.report.finding import find
    from faultbench.results import comparison

    made = comparison.compare(find(base), find(new), conditions, across_machines=across_machines, across=across or ())
    command = session_of(ctx).command
    with quiet_pipe():
        outputs.publish(lambda form: render(form, made, command), lambda console: print_comparison(made, console))
    _tell_github(made, command)
    code = comparison.exit_code(made, allow_unproven=allow_unproven)
    if conditions or code:
        print(f"compare: {made['verdict']['overall']} (exit code {code}): {one_line(made['verdict']['sentence'], 500)}", file=sys.stderr)
    return code


def _tell_github(made: dict[str, object], command: list[str]) -> None:
    from faultbench.report import github

    if github.on_github():
        from faultbench.cli.publishing import tell_github
        from faultbench.report.compared import noteworthy, render

        tell_github(noteworthy(made), render("markdown", made, command))
