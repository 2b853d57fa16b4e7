"""`faultbench bundle ...`: what goes to a gateway, made and checked."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.commands import Command, Commands
from faultbench.cli.completion import names_of
from faultbench.cli.data.options import DataDir
from faultbench.cli.ending import stoppable
from faultbench.cli.options import Names, axis, named
from faultbench.cli.session import session_of

app = typer.Typer(name="bundle", cls=Commands, help="Make what goes to a gateway, and check it.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _before(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)


@app.command("create", cls=Command)
def create(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="The folder to make.")],
    dataset: Annotated[Names, axis("d", "dataset", "datasets", "Data set")] = None,
    scenario: Annotated[Names, axis("s", "scenario", "scenarios", "Scenario, whose source the learner is trained on")] = None,
    learner: Annotated[Names, axis("l", "learner", "learners", "Learner")] = None,
    compressor: Annotated[Names, axis("c", "compressor", "compressors", "Compressor, or a chain of them")] = None,
    source: Annotated[
        Names, typer.Option(metavar="NAME", help="Data set to train on (new-dataset).", autocompletion=names_of("datasets"))
    ] = None,
    ways: Annotated[int | None, typer.Option(metavar="N", help="Classes. [default: the scenario's]")] = None,
    shots: Annotated[int | None, typer.Option(metavar="K", help="The most labelled windows per class. [default: 5]")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Which seed's training, counted from 0.", min=0)] = 0,
    data_dir: DataDir = None,
    quick: Annotated[bool, typer.Option("--quick", help="Short training: for a first look.")] = False,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes. [default: the cores this process may use, at most 8]")] = None,
) -> None:
    """Train, compress and export one cell, and write it with its runner as a folder to copy.

    What a run has already made is used. The folder needs Python, numpy and onnxruntime on the gateway, and nothing else.
    """
    from faultbench.artifact.bundle import check_free, write_bundle
    from faultbench.matrix.bundling import exported
    from faultbench.matrix.settings import settings
    from faultbench.report.progress import progress

    options = {
        "datasets": named(dataset),
        "scenarios": named(scenario),
        "learners": named(learner),
        "compressors": named(compressor),
        "source": named(source),
        "ways": ways,
        "shots": shots,
        "seeds": seed + 1,
        "data_dir": data_dir,
        "quick": quick or None,
        "jobs": jobs,
    }
    settled = settings(None, options)
    check_free(out)
    registry = session_of(ctx).registry()
    with stoppable(), contextlib.redirect_stdout(sys.stderr), progress() as shown, exported(settled, registry, seed, shown) as made:
        manifest = write_bundle(out, made.artifact, made.about, made.channels)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    typer.echo(f"{out}: {manifest.learner}, {manifest.compressor}, {manifest.ways} classes, {size / 1e3:.0f} kB: copy it to the gateway")


@app.command("check", cls=Command)
def check(folder: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder.")]) -> None:
    """Check that a bundle is whole, and gives the expected answers on this machine."""
    from faultbench.artifact.bundle import check_bundle

    found = check_bundle(folder)
    took = found.summary["milliseconds"]
    times = f"fine-tuning {took['finetune']['p50']:.3g} ms, latency {took['latency']['p50']:.3g} ms (p99 {took['latency']['p99']:.3g} ms)"
    typer.echo(f"{folder} is whole and right on this {found.summary['machine']} (logits within {found.error:.1e}): {times}")
