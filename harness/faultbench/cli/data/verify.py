"""`faultbench data verify`: whether the files that are here are those that the source published."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

from faultbench.cli.columns import table, terminal_width
from faultbench.cli.data.options import DataDir, DataSetName, some
from faultbench.cli.ending import stoppable

if TYPE_CHECKING:
    from faultbench.data.recording import DataSet


def verify(
    ctx: typer.Context,
    name: DataSetName,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also exit with 2 if a file is missing, or not known to be the official one.")
    ] = False,
    data_dir: DataDir = None,
) -> int:
    """Check files against what is known of them.

    That is the SHA-256, else whether the data set's reader takes the file. It exits with 2 if a file is wrong or cannot be
    read, or if there is none.
    """
    from faultbench.acquisition import verifying
    from faultbench.acquisition.places import data_folder
    from faultbench.acquisition.publication import ChecksFiles
    from faultbench.acquisition.shown import on_stderr
    from faultbench.cli.data.sets import made, the_one
    from faultbench.discovery import one_line
    from faultbench.errors import DataError

    one = the_one(ctx, name, None)
    if one.publication is not None and one.publication.embedded:
        typer.echo(f"{one.name} comes with its plugin: there are no files to verify")
        return 0
    root = data_folder(data_dir)
    reader = made(ctx, name, root)
    found: list[verifying.Verified] = []
    with stoppable(), on_stderr() as shown:
        if one.publication is not None:
            folder, found = verifying.verify(one.registered.offer.name, one.publication, root, reader, shown)
            typer.echo(f"{one.name} in {folder}")
            if all(file.grade == verifying.MISSING for file in found):
                raise DataError(f"no file of {one.name} is there: get it with `faultbench data get {one.name}`")
        if not isinstance(reader, ChecksFiles):
            found += verifying.read_all(cast("DataSet", reader), shown)
    rows = [
        (grade, str(len(of)), meaning, some([file.path for file in of]))
        for grade, meaning in verifying.GRADES.items()
        if (of := [file for file in found if file.grade == grade])
    ]
    typer.echo(table(("GRADE", "FILES", "WHAT THAT MEANS", "WHICH"), rows, terminal_width()))
    wrong = sum(file.grade == verifying.WRONG for file in found)
    unreadable = sum(file.grade == verifying.UNREADABLE for file in found)
    for file in found:
        if file.why and file.grade != verifying.ALTERED:  # of those the table says enough
            print(f"{file.grade}: {file.path}: {one_line(file.why, most=600)}", file=sys.stderr)
    said = [f"{wrong} of {len(found)} are wrong: remove them and get them again"] if wrong else []
    said += [f"{unreadable} of {len(found)} cannot be read: check their permissions, and the disk"] if unreadable else []
    if said:
        raise DataError("; ".join(said))
    if strict and any(file.grade != verifying.OFFICIAL for file in found):
        raise DataError(f"{one.name} is not complete with official files alone, as --strict demands: see the table")
    return 0
