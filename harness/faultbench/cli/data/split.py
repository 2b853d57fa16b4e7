"""`faultbench data split`: splits as files that others can use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli import options
from faultbench.cli.data.options import DataDir
from faultbench.cli.session import session_of
from faultbench.discovery import one_line


def split(
    ctx: typer.Context,
    dataset: options.Datasets = None,
    scenario: options.Scenarios = None,
    source: options.Sources = None,
    ways: options.Ways = None,
    shots: options.Shots = None,
    shots_rare: options.ShotsRare = None,
    queries: options.Queries = None,
    episodes: options.Episodes = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="How many seeds, a file each. [default: 3]")] = None,
    data_dir: DataDir = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where files go.")] = Path("splits"),
) -> int:
    """Write the exact split of a scenario, audited: which recordings, which windows, after what preprocessing, with a digest."""
    from faultbench.matrix.publishing import publish
    from faultbench.matrix.settings import settings
    from faultbench.report.progress import progress

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
    }
    settled = settings(None, said)
    registry = session_of(ctx).registry()
    with progress() as shown:
        written, refused = publish(settled, registry, out, shown)
    for one in written:
        typer.echo(f"{one.path}  {one.level}  sha256 {one.digest}")
    for error in refused:
        print(f"error: {one_line(str(error), most=1000)}", file=sys.stderr)
    return refused[0].exit_code if refused else 0
