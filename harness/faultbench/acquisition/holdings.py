"""What is here of what a source publishes, by the names of files alone: nothing is opened."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from faultbench.acquisition.places import folders_of
from faultbench.acquisition.publication import Publication, PublishedFile
from faultbench.errors import DataError


@dataclass(frozen=True, slots=True)
class Holding:
    """What is here of a data set.

    Args:
        folder: Where its files lie, or would be put.
        paths: The published paths that are there, those that archives hold among them.
        here: The files that are there, as published or unpacked.
        missing: The others.
        partly: By the path of an archive: how many of the files it holds are there, where that is neither none nor all.
    """

    folder: Path
    paths: frozenset[str]
    here: tuple[PublishedFile, ...]
    missing: tuple[PublishedFile, ...]
    partly: Mapping[str, int]

    @property
    def packed(self) -> tuple[PublishedFile, ...]:
        """The archives that are there and not unpacked at all."""
        return tuple(file for file in self.here if file.holds and self.paths.isdisjoint(file.holds))

    @property
    def in_part(self) -> tuple[PublishedFile, ...]:
        """The archives that are not there, while some of the files are that they hold."""
        return tuple(file for file in self.missing if file.path in self.partly)


def look(name: str, publication: Publication, root: Path) -> Holding:
    """What is here of a data set: in the first of its folders that holds anything of it, which is the one that its reader takes.

    Args:
        name: The data set's name.
        publication: What is published of it.
        root: The data folder.

    Raises:
        DataError: A folder cannot be listed.
    """
    folders = folders_of(name, publication, root)
    published = [path for file in publication.files for path in (file.path, *file.holds)]
    for folder in folders:
        there = present(folder, published)
        if there:
            return _held(folder, publication, there)
    return _held(folders[0], publication, frozenset())


def present(folder: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those of the paths that are regular files in a folder. Each folder on the way is listed once.

    Raises:
        DataError: A folder cannot be listed.
    """
    wanted = defaultdict(set)
    for path in paths:
        parent, _, name = path.rpartition("/")
        wanted[parent].add(name)
    found: set[str] = set()
    for parent, names in wanted.items():
        try:
            with os.scandir(folder / parent) as entries:
                there = [entry.name for entry in entries if entry.name in names and entry.is_file()]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise DataError(f"{folder / parent} cannot be listed, {error.strerror or error}: check its permissions") from error
        found.update(f"{parent}/{name}" if parent else name for name in there)
    return frozenset(found)


def _held(folder: Path, publication: Publication, there: frozenset[str]) -> Holding:
    here, missing, partly = [], [], {}
    for file in publication.files:
        unpacked = sum(path in there for path in file.holds)
        if file.path in there or (file.holds and unpacked == len(file.holds)):
            here.append(file)
        else:
            missing.append(file)
        if 0 < unpacked < len(file.holds):
            partly[file.path] = unpacked
    return Holding(folder, there, tuple(here), tuple(missing), partly)
