"""`faultbench data get`: downloads a data set, or takes it from files that the user has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from faultbench.cli.data.options import DataDir, DataSetName, some
from faultbench.cli.ending import stoppable
from faultbench.names import split_list


def get(
    ctx: typer.Context,
    name: DataSetName,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="PLACE", help="A folder or an archive that you have: files are copied out of it.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only these files (97.mat, 'K00*'); repeat it, or separate them by commas."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept the terms of the licence without being asked.")] = False,
    data_dir: DataDir = None,
) -> int:
    """Get a data set, one file at a time.

    What is there stays as it is, unless it is not the file that its name says; the same command goes on where the last one
    stopped. It exits with 2 if a file that was asked for could not be got.
    """
    from faultbench.acquisition.getting import Request, get_from
    from faultbench.acquisition.getting import get as download
    from faultbench.acquisition.places import data_folder
    from faultbench.acquisition.shown import on_stderr
    from faultbench.acquisition.space import count_text
    from faultbench.cli.data.sets import made, published, the_one
    from faultbench.discovery import one_line
    from faultbench.errors import DataError

    root = data_folder(data_dir)
    one = the_one(ctx, name, root)
    publication = published(one)
    if publication.embedded:
        typer.echo(f"{one.name} comes with its plugin: there is nothing to get")
        return 0
    request = Request(
        dataset=one.registered.offer.name,
        publication=publication,
        root=root,
        reader=made(ctx, name, root),
        only=tuple(pattern for text in only or () for pattern in split_list(text)),
    )
    request.files()
    _say_licence(one.name, publication.licence, publication.cite)
    if publication.terms and not yes:
        _accept(publication.terms)
    with stoppable(), on_stderr() as shown:
        outcome = get_from(request, source, shown) if source is not None else download(request, shown)
    for why in dict.fromkeys(outcome.odd.values()):
        print(f"note: {some([path for path, of in outcome.odd.items() if of == why])}: {one_line(why)}", file=sys.stderr)
    published_paths = {file.path for file in publication.files}
    whole = sum(path in published_paths for path in outcome.got)
    within = len(outcome.got) - whole
    new = [f"{whole} of them new"] if whole or not within else []
    new += [f"{count_text(within, 'file')} that archives hold {'is' if within == 1 else 'are'} new"] if within else []
    there = f"{outcome.wanted - outcome.missing} of {outcome.wanted} files are in {outcome.folder}"
    there += f" and {outcome.partly} in part" if outcome.partly else ""
    typer.echo(f"{one.name}: {there}, {', '.join(new)}")
    if outcome.failed:
        path, why = next(iter(outcome.failed.items()))
        first = "" if len(outcome.failed) == 1 else "the first is "
        if source is not None:
            advice = "give --from a place that holds them whole"
        else:
            advice = f"run it again, or {publication.how} and give --from" if publication.how else "run it again"
        files = count_text(len(outcome.failed), "file")
        raise DataError(f"{files} could not be got, {first}{path} ({one_line(why, most=600)}): {advice}")
    return 0


def _say_licence(name: str, licence: str, cite: str) -> None:
    from faultbench.discovery import one_line

    print(f"{name}: licence: {one_line(licence or 'none stated', most=1000)}", file=sys.stderr)
    if cite:
        print(f"{name}: to be cited: {one_line(cite, most=1000)}", file=sys.stderr)


def _accept(terms: str) -> None:
    from faultbench.discovery import one_line
    from faultbench.errors import UsageError

    said = one_line(terms, most=1000)
    if not _somebody_is_there():
        raise UsageError(f"{said}: add --yes if that is fine")
    print(f"NOTE: {said}", file=sys.stderr)
    if not typer.confirm("Is that fine?", default=False, err=True):
        raise UsageError("the terms were not accepted: nothing was done")


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
