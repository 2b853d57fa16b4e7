"""`faultbench data plot`: waveform, spectrum and envelope spectrum of recordings, to a picture or a page."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.completion import names_of
from faultbench.cli.data.options import DataDir
from faultbench.cli.ending import stoppable
from faultbench.cli.places import check_file, write_whole
from faultbench.cli.session import session_of
from faultbench.defaults import DEFAULTS


def plot(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to: a file .png, .svg or .html.")],
    dataset: Annotated[
        str, typer.Option("-d", "--dataset", metavar="NAME", help="Data set.", autocompletion=names_of("datasets"))
    ] = DEFAULTS["datasets"][0],
    recording: Annotated[
        list[str] | None, typer.Option("-r", "--recording", metavar="ID", help="Recording; repeat it. [default: one for every element]")
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="One recording for every element and severity.")] = False,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Channel. [default: the first]")] = None,
    window: Annotated[float | None, typer.Option(metavar="SECONDS", help="How much of the waveform is shown. [default: 0.2]")] = None,
    data_dir: DataDir = None,
) -> None:
    """Draw what an engineer looks at first, with the lines of each fault."""
    from faultbench.inspection.plots import require_matplotlib, suffix_of

    suffix = suffix_of(output)
    require_matplotlib()
    registry = session_of(ctx).registry()
    choice = registry.choose("datasets", dataset)
    check_file("--output", str(output))

    from faultbench.inspection.drawing import draw

    with stoppable(), contextlib.redirect_stdout(sys.stderr):  # whatever a plugin prints
        made = draw(
            choice,
            suffix,
            recordings=tuple(recording or ()),
            per_class=per_class,
            channel=channel,
            waveform_s=window,
            data_dir=data_dir,
        )
    write_whole("--output", output, made)
