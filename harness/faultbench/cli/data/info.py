"""`faultbench data info`: what a data set is, what its source publishes, what of it is here, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from faultbench.cli.columns import table, terminal_width
from faultbench.cli.data.options import DataDir, DataSetName, some

if TYPE_CHECKING:
    from faultbench.acquisition.holdings import Holding
    from faultbench.acquisition.publication import Publication
    from faultbench.cli.data.sets import DataSetHere


def info(ctx: typer.Context, name: DataSetName, data_dir: DataDir = None) -> None:
    """Show what a data set is, and what it holds.

    Source, licence, citation, files, what of it is here, and what its catalogue says of that.
    """
    from faultbench.acquisition.contents import contents
    from faultbench.acquisition.places import data_folder_if_any
    from faultbench.cli.data.sets import made, the_one
    from faultbench.discovery import one_line
    from faultbench.errors import DataError

    root = data_folder_if_any(data_dir)
    one = the_one(ctx, name, root)
    said = [(key, one_line(value, most=1000)) for key, value in _source(one) if value]
    typer.echo(table((one.name.upper(), ""), said, terminal_width()))
    if one.publication is not None and not one.publication.embedded and (one.holding is None or not one.holding.paths):
        return
    typer.echo()
    if one.holding is not None and one.holding.packed:
        packed = [file.path for file in one.holding.packed]
        typer.echo(
            f"{len(packed)} archives are not unpacked yet ({some(packed)}): the first run does that, and only then shows what they hold"
        )
        return
    try:
        held = contents(made(ctx, name, root))
    except DataError as error:
        typer.echo(f"what it holds cannot be said: {one_line(str(error), most=1000)}")
        return
    typer.echo(table(("WHAT IS HERE", ""), [(key, one_line(value, most=1000)) for key, value in held], terminal_width()))


def _source(one: DataSetHere) -> list[tuple[str, str]]:
    from faultbench.acquisition.space import size_text

    offer, of = one.registered.offer, one.publication
    said = [("what it is", offer.summary), ("from", f"{one.registered.distribution} {one.registered.version}")]
    if of is None:
        return [*said, ("cite", offer.cite), ("source", "none that its plugin says: it reads files of your own")]
    said += [("homepage", of.homepage), ("licence", of.licence), ("terms", of.terms), ("cite", of.cite or offer.cite)]
    if of.files:
        sized = [file for file in of.files if file.size_bytes is not None]
        known = [file for file in of.files if file.sha256]
        unchecked = [file.name for file in known if not file.checked]
        hosts = list(dict.fromkeys(url.split("/")[2] for file in of.files for url in file.urls))
        said += [
            ("files", f"{len(of.files)}: {some([file.path for file in of.files])}"),
            ("size", f"{'' if of.complete_sizes else 'about '}{size_text(of.size_bytes)}" if of.size_bytes else "not known"),
            ("known sizes", f"{len(sized)} of {len(of.files)}"),
            (
                "known SHA-256",
                f"{len(known)} of {len(of.files)}" + (f"; not compared with a file: {some(unchecked)}" if unchecked else ""),
            ),
            ("downloads from", ", ".join(hosts) or "nowhere: there is no direct link"),
        ]
    said += [("by hand", of.how), *(("note", note) for note in of.notes)]
    said.append(("here", one.here if one.holding is None else f"{one.here}, in {one.holding.folder}"))
    if one.holding is not None and one.holding.paths:
        in_part = set(one.holding.in_part)
        said.append(("missing", some([file.path for file in one.holding.missing if file not in in_part])))
        said += _in_part(one.holding, of)
    return said


def _in_part(holding: Holding, of: Publication) -> list[tuple[str, str]]:
    """What is there of archives: all that there is, or what an archive that is there too has more of."""
    count = {file.path: len(file.holds) for file in of.files}
    shown = {path: f"{path} ({there} of {count[path]} files)" for path, there in holding.partly.items()}
    alone = [shown.pop(file.path) for file in holding.in_part]
    said = [("in part", f"{some(alone)}: what is there is used")] if alone else []
    if shown:
        said.append(("not whole", f"{some(list(shown.values()))}: remove the folder, so that the archive is unpacked whole"))
    return said
