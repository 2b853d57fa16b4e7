"""The data sets that there are, each with what its plugin says of its source and with what of it is here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from faultbench.acquisition.holdings import Holding, look
from faultbench.acquisition.publication import Publication, publication_of
from faultbench.cli.session import session_of
from faultbench.discovery import Registered, one_line
from faultbench.errors import DataError, PluginError, UsageError

KIND = "datasets"


@dataclass(frozen=True, slots=True)
class DataSetHere:
    """A data set.

    Args:
        name: To write on the command line.
        registered: Its offer, and whose it is.
        publication: What its source publishes, or None where its plugin does not say.
        holding: What of it is here, or None where nobody can know, or no data folder is given.
    """

    name: str
    registered: Registered
    publication: Publication | None
    holding: Holding | None

    @property
    def here(self) -> str:
        """How much of it is here, in a few words."""
        if self.publication is None:
            return "not known"
        if self.publication.embedded:
            return "comes with its plugin"
        if self.holding is None:
            return "no data folder"
        count, all_files = len(self.holding.here), len(self.publication.files)
        if count == all_files and count:
            return "all"
        parts = len(self.holding.in_part)
        return f"{count} of {all_files}" + (f", {parts} in part" if parts else "") if count or parts else "no"


def all_of_them(ctx: typer.Context, root: Path | None) -> Iterator[DataSetHere]:
    """Every data set; what is wrong with one is a warning.

    Args:
        ctx: The command's.
        root: The data folder, or None.
    """
    registry = session_of(ctx).registry()
    for registered in registry.offers(KIND):
        name = registry.shown_name(KIND, registered)
        publication = holding = None
        try:
            publication = publication_of(registered)
            holding = _looked(registered, publication, root)
        except (PluginError, DataError) as error:
            print(f"warning: {one_line(str(error))}", file=sys.stderr)
        yield DataSetHere(name, registered, publication, holding)
    for problem in registry.problems:
        if problem not in registry.silent.values():  # these were said already
            print(f"warning: {problem}", file=sys.stderr)


def the_one(ctx: typer.Context, text: str, root: Path | None) -> DataSetHere:
    """The data set of that name.

    Raises:
        UsageError: There is none.
        PluginError: What its plugin says of its source is ill-formed.
        DataError: A folder cannot be listed.
    """
    registry = session_of(ctx).registry()
    registered = registry.find(KIND, text)
    publication = publication_of(registered)
    return DataSetHere(registry.shown_name(KIND, registered), registered, publication, _looked(registered, publication, root))


def made(ctx: typer.Context, text: str, root: Path | None) -> object:
    """The data set itself, to read from.

    Raises:
        UsageError: There is none of that name, or a parameter does not fit.
        PluginError: It cannot be imported or made.
    """
    registry = session_of(ctx).registry()
    return registry.make(registry.choose(KIND, text), data_dir=root)


def published(one: DataSetHere) -> Publication:
    """What the source of a data set publishes.

    Raises:
        UsageError: Its plugin does not say.
    """
    if one.publication is None:
        raise UsageError(
            f"{one.name} cannot be got by command, its plugin says nothing of its source: it reads files of your own, "
            f"see `faultbench data info {one.name}`"
        )
    return one.publication


def _looked(registered: Registered, publication: Publication | None, root: Path | None) -> Holding | None:
    if publication is None or publication.embedded or root is None:
        return None
    return look(registered.offer.name, publication, root)
