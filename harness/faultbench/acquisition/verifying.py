"""Whether the files of a data set are what their source published: by size and SHA-256 where they are known, else by its own reader."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faultbench.acquisition.archive import INSTALL, NoToolError
from faultbench.acquisition.holdings import Holding, look
from faultbench.acquisition.local import digest_of
from faultbench.acquisition.publication import ChecksFiles, Publication, PublishedFile
from faultbench.acquisition.shown import Shown, Silent
from faultbench.acquisition.source_record import Origin, read_origins
from faultbench.errors import DataError
from faultbench.regularfile import kind_of

if TYPE_CHECKING:
    from faultbench.data.recording import DataSet

OFFICIAL, ALTERED, READABLE, UNCHECKED = "official", "altered", "readable", "unchecked"
WRONG, UNREADABLE, PARTLY, MISSING = "wrong", "unreadable", "in part", "missing"
GRADES = {
    OFFICIAL: "the SHA-256 is that of the source's file",
    ALTERED: "not the source's file, but the data set's reader takes it",
    READABLE: "the SHA-256 is not known; the data set's reader takes it",
    UNCHECKED: "not the source's file, or not known, and nothing here can look into it",
    WRONG: "not what it should be",
    UNREADABLE: "it cannot be read: check its permissions",
    PARTLY: "only some of the files it holds are here",
    MISSING: "not here",
}
"""What a file can be, and what that means."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One file.

    Args:
        path: In the data set's folder.
        grade: One of `GRADES`.
        why: What is to be known of it; empty where the grade says all.
    """

    path: str
    grade: str
    why: str = ""


def verify(
    dataset: str, publication: Publication, root: Path, reader: object = None, shown: Shown | None = None
) -> tuple[Path, list[Verified]]:
    """The folder, and what each published file in it is.

    Args:
        dataset: The data set's name.
        publication: What its source publishes.
        root: The data folder.
        reader: The data set itself, which may check its files one by one; or None.
        shown: Is told how it goes.

    Raises:
        DataError: A folder cannot be listed, or its record is damaged.
    """
    shown = shown or Silent()
    holding = look(dataset, publication, root)
    origins = read_origins(holding.folder)
    there = [(file, path) for file in publication.files for path in (file.path, *file.holds) if path in holding.paths]
    shown.began("verifying", len(there))
    found = []
    for file, path in there:
        shown.file(path, file.size_bytes if path == file.path else None)
        found.append(_verified(holding.folder / path, file if path == file.path else PublishedFile(path), origins.get(path), reader))
        shown.done()
    return holding.folder, [*found, *_missing(holding)]


def read_all(reader: DataSet, shown: Shown | None = None) -> list[Verified]:
    """What each recording is, by reading all its signals: for a data set that cannot check its files one by one.

    Raises:
        DataError: It cannot say what there is.
    """
    shown = shown or Silent()
    recordings = reader.catalogue().recordings
    shown.began("reading", len(recordings))
    found = []
    for recording in recordings:
        shown.file(recording.id, None)
        try:
            for channel in recording.channels:
                reader.read(recording, channel.name)
        except DataError as error:
            found.append(Verified(recording.id, _refused(error), str(error)))
        else:
            found.append(Verified(recording.id, READABLE))
        shown.done()
    return found


def _missing(holding: Holding) -> Iterator[Verified]:
    """What is not there, and what stands in the place of a file and is none."""
    for file in holding.missing:
        in_place = [(path, what) for path in (file.path, *file.holds) if path not in holding.paths and (what := _no_file(holding, path))]
        yield from (Verified(path, WRONG, what) for path, what in in_place)
        if file.path in dict(in_place):
            continue
        count = holding.partly.get(file.path)
        if count:
            yield Verified(file.path, PARTLY, f"{count} of the {len(file.holds)} files it holds are there")
        else:
            yield Verified(file.path, MISSING)


def _no_file(holding: Holding, path: str) -> str:
    """What stands where a file should, and what to do; empty where nothing does."""
    place = holding.folder / path
    try:
        mode = place.lstat().st_mode
    except OSError:
        return ""
    if stat.S_ISLNK(mode) and not place.exists():
        return "it is a link to what is not there: mount what it leads to, or remove the link and get the file"
    return f"it is {kind_of(place.stat().st_mode)}, no file: remove it and get the file"


def _refused(error: BaseException | None) -> str:
    """The grade of what a reader refuses: wrong, or not to be read at all, where that is what the system said."""
    while error is not None:
        if isinstance(error, PermissionError):
            return UNREADABLE
        error = error.__cause__
    return WRONG


def _verified(place: Path, file: PublishedFile, origin: Origin | None, reader: object) -> Verified:
    try:
        size, digest = place.stat().st_size, digest_of(place)
    except OSError as error:
        return Verified(file.path, UNREADABLE, f"it cannot be read, {error.strerror or error}")
    except DataError as error:
        return Verified(file.path, UNREADABLE, str(error))
    if file.sha256 and digest == file.sha256:
        return Verified(file.path, OFFICIAL, "" if file.checked else "as published elsewhere; that was not compared with a file")
    if origin is not None and digest != origin.sha256:
        return Verified(file.path, WRONG, f"it has changed since it was got on {origin.got[:10]}: remove it and get it again")
    other = ""
    if file.sha256 and file.checked:
        other = "its SHA-256 is not the official one"
    elif file.sha256:
        other = "its SHA-256 is not the one that is published elsewhere"
    elif file.size_bytes not in (None, size):
        other = f"it has {size} bytes, {file.size_bytes} are known"
    if not isinstance(reader, ChecksFiles):
        return Verified(file.path, UNCHECKED, other)
    try:
        reader.check_file(place)
    except NoToolError:
        return Verified(file.path, UNCHECKED, f"nobody could look into it: {INSTALL}")
    except DataError as error:
        return Verified(file.path, _refused(error), str(error))
    return Verified(file.path, ALTERED if other and file.checked else READABLE, other)
