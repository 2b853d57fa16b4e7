"""`faultbench data split`: splits as files that others can use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.completion import names_of
from faultbench.cli.data.options import DataDir
from faultbench.cli.session import session_of
from faultbench.discovery import one_line
from faultbench.names import split_list

_Names = list[str] | None


def split(
    ctx: typer.Context,
    dataset: Annotated[
        _Names, typer.Option("-d", "--dataset", metavar="NAME", help="Data set; repeat it.", autocompletion=names_of("datasets"))
    ] = None,
    scenario: Annotated[
        _Names, typer.Option("-s", "--scenario", metavar="NAME", help="Scenario; repeat it.", autocompletion=names_of("scenarios"))
    ] = None,
    source: Annotated[
        _Names, typer.Option(metavar="NAME", help="Data set to train on (new-dataset).", autocompletion=names_of("datasets"))
    ] = None,
    ways: Annotated[int | None, typer.Option(metavar="N", help="Classes per episode. [default: the scenario's]")] = None,
    shots: Annotated[int | None, typer.Option(metavar="K", help="Labelled samples per class. [default: 5]")] = None,
    shots_rare: Annotated[
        int | None, typer.Option(metavar="K", help="Labelled samples of the rare fault. [default: as --shots, at most 5]")
    ] = None,
    queries: Annotated[int | None, typer.Option(metavar="N", help="Samples to classify, per class. [default: 15]")] = None,
    episodes: Annotated[int | None, typer.Option(metavar="N", help="Episodes per seed. [default: 100]")] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="How many seeds, a file each. [default: 3]")] = None,
    data_dir: DataDir = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where files go.")] = Path("splits"),
) -> int:
    """Write the exact split of a scenario, audited: which recordings, which windows, after what preprocessing, with a digest."""
    from faultbench.matrix.publishing import publish
    from faultbench.matrix.settings import settings
    from faultbench.report.progress import progress

    options = {
        **{
            name: tuple(word for text in texts or () for word in split_list(text))
            for name, texts in (("datasets", dataset), ("scenarios", scenario), ("source", source))
        },
        "ways": ways,
        "shots": shots,
        "shots_rare": shots_rare,
        "queries": queries,
        "episodes": episodes,
        "seeds": seeds,
        "data_dir": data_dir,
    }
    settled = settings(None, options)
    registry = session_of(ctx).registry()
    with progress() as shown:
        written, refused = publish(settled, registry, out, shown)
    for one in written:
        typer.echo(f"{one.path}  {one.level}  sha256 {one.digest}")
    for error in refused:
        print(f"error: {one_line(str(error), most=1000)}", file=sys.stderr)
    return refused[0].exit_code if refused else 0
