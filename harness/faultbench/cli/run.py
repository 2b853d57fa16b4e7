"""`faultbench run`: the cross product of data sets, scenarios, learners, compressors and targets, judged."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli import options
from faultbench.cli.completion import names_of
from faultbench.cli.ending import quiet_pipe, stoppable
from faultbench.cli.options import Names, axis, named
from faultbench.cli.session import session_of
from faultbench.discovery import one_line
from faultbench.errors import UsageError


def run(
    ctx: typer.Context,
    matrix: Annotated[Path | None, typer.Argument(metavar="MATRIX.toml", help="A file with the same names as the options.")] = None,
    dataset: options.Datasets = None,
    scenario: options.Scenarios = None,
    learner: Annotated[Names, axis("l", "learner", "learners", "Learner (maml:inner_steps=3)")] = None,
    compressor: Annotated[Names, axis("c", "compressor", "compressors", "Compressor, or a chain of them (prune40+int8)")] = None,
    target: Annotated[Names, axis("t", "target", "targets", "Target, the device")] = None,
    baseline: Annotated[
        Names,
        typer.Option(metavar="NAME", help="Learner to compare with, never gated.", autocompletion=names_of("learners")),
    ] = None,
    source: options.Sources = None,
    ways: options.Ways = None,
    shots: options.Shots = None,
    shots_rare: options.ShotsRare = None,
    queries: options.Queries = None,
    episodes: options.Episodes = None,
    seeds: options.Seeds = None,
    snr: Annotated[
        Names,
        typer.Option(
            metavar="DB",
            help="Noise on the target's windows, beside the clean cell: 10,0,-5 (white), floor:10 against the machine's healthy level, "
            "machine:10 of the healthy machine as it was recorded.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that holds a folder per data set. [default: FAULTBENCH_DATA]")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="1 seed, 20 episodes, short training, unless said otherwise; rows are watermarked.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes; results do not depend on it. [default: the cores this process may use, at most 8]"),
    ] = None,
    criteria: Annotated[
        str | None, typer.Option(metavar="EXPR", help='What to judge by, as in "accuracy.ci_low>=0.97,latency_ms.p99<=20".')
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with 1 if a criterion fails, with 3 if something is unproven.")] = False,
    allow_unproven: Annotated[bool, typer.Option("--allow-unproven", help="Let --gate pass what is unproven.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the cells and the stages they share, and run nothing.")] = False,
    verbose: options.Verbose = False,
    json: options.Json = None,
    csv: options.Csv = None,
    markdown: options.Markdown = None,
    junit: options.Junit = None,
    html: options.Html = None,
    out: options.Out = None,
) -> int:
    """Run the matrix and judge every cell."""
    from faultbench.cli.outputs import Outputs
    from faultbench.matrix.settings import check_criteria, settings

    outputs = Outputs(json=json, csv=csv, markdown=markdown, junit=junit, html=html, out=out)
    if allow_unproven and not gate:
        raise UsageError("--allow-unproven has no gate to loosen: add --gate, or leave it away")
    if dry_run and (asked := [*(["--gate"] if gate else []), *(["--verbose"] if verbose else []), *outputs.given()]):
        raise UsageError(f"--dry-run has no results for {asked[0]}: leave one of them away")
    said = {
        **{
            name: named(texts)
            for name, texts in (
                ("datasets", dataset),
                ("scenarios", scenario),
                ("learners", learner),
                ("compressors", compressor),
                ("targets", target),
                ("baseline", baseline),
                ("source", source),
            )
        },
        "snr": tuple(level for text in snr or () for level in text.split(",")),
        "ways": ways,
        "shots": shots,
        "shots_rare": shots_rare,
        "queries": queries,
        "episodes": episodes,
        "seeds": seeds,
        "data_dir": data_dir,
        "quick": quick or None,
        "jobs": jobs,
        "criteria": criteria,
    }
    settled = settings(matrix, said)
    session = session_of(ctx)
    registry = session.registry()
    check_criteria(settled, registry)
    outputs.check_writable()

    from faultbench.matrix.plan import plan

    with contextlib.redirect_stdout(sys.stderr):  # a plugin that prints must not spoil `--json -`
        planned = plan(settled, registry)
    for warning in planned.warnings:
        print(f"warning: {one_line(warning)}", file=sys.stderr)
    if dry_run:
        from faultbench.report.console import Stdout
        from faultbench.report.plan import print_plan

        with quiet_pipe():
            print_plan(planned, Stdout())
        return 0

    from faultbench.cli.publishing import publish_rows
    from faultbench.matrix.execute import execute
    from faultbench.matrix.keeping import NotKept
    from faultbench.report.progress import gate_line, progress
    from faultbench.results.verdict import exit_code

    with stoppable(), contextlib.redirect_stdout(sys.stderr), progress() as shown:
        not_kept: NotKept | None = None
        try:
            rows = execute(planned, shown, command=session.command)
        except NotKept as error:  # the files that were asked for are written all the same
            rows, not_kept = error.rows, error
    try:
        publish_rows(rows, session.command, outputs, gate=gate, verbose=verbose)
    except Exception:
        if not_kept is not None:
            print(f"warning: {not_kept}", file=sys.stderr)
        raise
    code = exit_code(rows, gate=gate, allow_unproven=allow_unproven) if not_kept is None else not_kept.exit_code
    if gate:
        print(gate_line(rows, code), file=sys.stderr)
    if not_kept is not None:
        raise not_kept
    return code
