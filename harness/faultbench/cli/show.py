"""`faultbench show` and `faultbench explain`: a result that was computed before."""

from __future__ import annotations

from typing import Annotated

import typer

from faultbench.cli import options

_Result = Annotated[
    str,
    typer.Argument(metavar="RESULT", help="A JSON file of a run, or a stored run: last, last~1, a number, a date, a digest, names."),
]


def show(
    result: _Result = "last",
    verbose: options.Verbose = False,
    published: Annotated[
        bool,
        typer.Option("--published", help="Add what papers report of these data sets, below the table and in the page, never in a row."),
    ] = False,
    json: options.Json = None,
    csv: options.Csv = None,
    markdown: options.Markdown = None,
    junit: options.Junit = None,
    html: options.Html = None,
    out: options.Out = None,
) -> None:
    """Show a result again, and write it in any format.

    Without RESULT it is the last run. What is shown is what was computed then; nothing is computed.
    """
    from faultbench.cli.outputs import Outputs

    outputs = Outputs(json=json, csv=csv, markdown=markdown, junit=junit, html=html, out=out)
    outputs.check_writable()

    from faultbench.cli.publishing import publish_rows, say_which
    from faultbench.report.finding import find

    found = find(result)
    say_which(found.name, result)
    publish_rows(found.rows, found.command, outputs, github=False, verbose=verbose, published=published)


def explain(result: _Result = "last") -> None:
    """Say why each row of a result got its verdict, and how its figures came about."""
    from faultbench.cli.ending import quiet_pipe
    from faultbench.cli.publishing import say_which
    from faultbench.report.console import Stdout
    from faultbench.report.explaining import print_explanation
    from faultbench.report.finding import find

    found = find(result)
    say_which(found.name, result)
    with quiet_pipe():
        print_explanation(found.rows, found.command, Stdout())
