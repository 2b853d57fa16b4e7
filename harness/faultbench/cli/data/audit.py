"""`faultbench data audit`: what splits share, whatever their level promises, and what shortcuts would score."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated, Any

import typer

from faultbench.cli import options
from faultbench.cli.data.options import DataDir
from faultbench.cli.ending import quiet_pipe, stoppable
from faultbench.cli.places import STDOUT, check_file
from faultbench.cli.session import session_of
from faultbench.discovery import one_line
from faultbench.errors import FaultbenchError


def audit(
    ctx: typer.Context,
    dataset: options.Datasets = None,
    scenario: options.Scenarios = None,
    source: options.Sources = None,
    ways: options.Ways = None,
    shots: options.Shots = None,
    shots_rare: options.ShotsRare = None,
    queries: options.Queries = None,
    episodes: options.Episodes = None,
    seeds: options.Seeds = None,
    data_dir: DataDir = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes. [default: the cores this process may use, at most 8]")] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE|-", help="Write the reports as JSON; - prints them instead.")] = None,
) -> int:
    """Print what a split shares, who is on which side, and what shortcuts score.

    Nothing is trained. Ends with 2 where a split breaks its level or cannot be made.
    """
    from faultbench.matrix.settings import settings

    said = {
        "datasets": options.named(dataset),
        "scenarios": options.named(scenario),
        "source": options.named(source),
        "ways": ways,
        "shots": shots,
        "shots_rare": shots_rare,
        "queries": queries,
        "episodes": episodes,
        "seeds": seeds,
        "data_dir": data_dir,
        "jobs": jobs,
    }
    settled = settings(None, said)
    session = session_of(ctx)
    registry = session.registry()
    check_file("--json", json)

    from faultbench.inspection.audits import document, execute, exit_code, plan
    from faultbench.report.audit import print_audits
    from faultbench.report.console import Stdout
    from faultbench.report.document import write_json
    from faultbench.report.progress import progress

    refused: list[dict[str, Any]] = []
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a plugin that prints must not spoil `--json -`
            planned = plan(settled, registry, refused=refused.extend)
        for warning in planned.warnings:
            print(f"warning: {one_line(warning)}", file=sys.stderr)
        with stoppable(), contextlib.redirect_stdout(sys.stderr), progress() as shown:
            reports = execute(planned, shown, refused.extend)
    except FaultbenchError:
        if json is not None and refused:
            with quiet_pipe():
                write_json(document(refused, session.command), json)
        raise
    with quiet_pipe():
        try:
            if json is not None:
                write_json(document(reports, session.command), json)
        finally:
            if json != STDOUT:
                print_audits(reports, Stdout())
    return exit_code(reports)
