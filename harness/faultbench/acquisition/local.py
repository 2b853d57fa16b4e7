"""Files that the user has already, in a folder of any layout or in an archive: which of them are the published ones.

A file is known by size and SHA-256 where both are known, whatever its name; otherwise by its name, with as many folders above it as
it takes to tell it from others.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from faultbench.acquisition.archive import Member, NothingTakenError, is_archive, members_of, unpack
from faultbench.acquisition.publication import PublishedFile
from faultbench.errors import DataError

_CHUNK = 1 << 20


_CALLED_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".rar", ".7z"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a published one.

    Args:
        steps: Its path as the user has it, step by step.
        file: Where its bytes lie now.
        size_bytes: How many.
        came_from: What is recorded of its origin.
        movable: Whether it may be moved; else it is copied.
    """

    steps: tuple[str, ...]
    file: Path
    size_bytes: int
    came_from: str
    movable: bool = False


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found.

    Args:
        found: By published path, the file that is it.
        unclear: By published path, why none could be chosen.
    """

    found: Mapping[str, Candidate]
    unclear: Mapping[str, str]


class Wanted:
    """The published files that are looked for.

    Args:
        files: Them.
        paths: The paths that are lacking; of an archive also those of the files it holds.
        published: All paths of the source: a name is telling only if no other file of the source has it.
    """

    def __init__(self, files: Iterable[PublishedFile], paths: Iterable[str], published: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        sized = [file for file in files if file.sha256 and file.size_bytes is not None and file.path in self._paths]
        self._by_digest = {file.sha256: file.path for file in sized}
        self._sizes = frozenset(file.size_bytes for file in sized)  # without it, everything would have to be hashed
        by_name = defaultdict(list)
        for path in published:
            by_name[path.rpartition("/")[2]].append(path)
        self._by_name = {name: paths[0] for name, paths in by_name.items() if len(paths) == 1}
        self._deepest = max((path.count("/") + 1 for path in self._paths), default=0)

    def named(self, steps: tuple[str, ...]) -> str:
        """The published path that a file's own path ends with, or whose name alone it has; empty where there is none."""
        for count in range(min(self._deepest, len(steps)), 1, -1):
            tail = "/".join(steps[-count:])
            if tail in self._paths:
                return tail
        path = self._by_name.get(steps[-1], "")
        return path if path in self._paths else ""

    def may_be_known(self, size_bytes: int) -> bool:
        """Whether a file of this size may be one whose digest is known."""
        return size_bytes in self._sizes

    def known(self, digest: str) -> str:
        """The path of the file with this digest; empty where there is none."""
        return self._by_digest.get(digest, "")


def match(candidates: Iterable[Candidate], wanted: Wanted) -> Matches:
    """Which candidate is which published file.

    Raises:
        DataError: A file cannot be read.
    """
    found: dict[str, Candidate] = {}
    named: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        path = wanted.known(digest_of(candidate.file)) if wanted.may_be_known(candidate.size_bytes) else ""
        if path:
            found.setdefault(path, candidate)
        elif path := wanted.named(candidate.steps):
            named[path].append(candidate)
    unclear = {}
    for path, namesakes in named.items():
        if path in found:
            continue
        first, *others = namesakes
        if others and len({digest_of(candidate.file) for candidate in namesakes}) > 1:
            unclear[path] = f"{first.came_from} and {others[0].came_from} could both be it: leave one of them, or name its folder"
        else:
            found[path] = first
    return Matches(found, unclear)


def candidates_in(place: Path, wanted: Wanted, beside: Path) -> Iterator[Candidate]:
    """The files of a folder, of an archive, or a single file.

    Args:
        place: What the user names.
        wanted: What is looked for; of an archive, nothing else is unpacked.
        beside: A folder that does not exist. What an archive holds is put there; the caller removes it.

    Raises:
        DataError: There is nothing of that name, or it cannot be read or unpacked.
    """
    if place.is_dir():
        return _walk(place)
    if not place.exists():
        raise DataError(f"{place} is not there: give a folder, an archive or a file")
    if not place.is_file():
        raise DataError(f"{place} is neither a folder nor a regular file: give a folder, an archive or a file")
    if wanted.named(place.absolute().parts) or _is_known(place, wanted):
        return iter([_candidate(place)])
    if not is_archive(place):
        if place.suffix.lower() in _CALLED_ARCHIVES:
            raise DataError(f"{place} is no archive, though its name says so: get it again")
        return iter([_candidate(place)])
    return _unpacked(place, wanted, beside)


def mentions(place: Path, wanted: Wanted) -> bool:
    """Whether anything in a folder or an archive, or a single file, is called like a published file.

    Raises:
        DataError: It cannot be read.
    """
    if place.is_dir():
        return any(wanted.named(candidate.steps) for candidate in _walk(place))
    if wanted.named(place.absolute().parts):
        return True
    return is_archive(place) and any(wanted.named(tuple(member.name.split("/"))) for member in members_of(place))


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        DataError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise DataError(f"{file} cannot be read, {error.strerror or error}: check its permissions") from error
    return digest.hexdigest()


def _is_known(place: Path, wanted: Wanted) -> bool:
    return wanted.may_be_known(place.stat().st_size) and bool(wanted.known(digest_of(place)))


def _walk(folder: Path) -> Iterator[Candidate]:
    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be listed, {error.strerror or error}: check its permissions") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and path.is_file():
                yield _candidate(path)


def _candidate(path: Path) -> Candidate:
    try:
        return Candidate(path.absolute().parts, path, path.stat().st_size, str(path.absolute()))
    except OSError as error:
        raise DataError(f"{path} cannot be read, {error.strerror or error}: check its permissions") from error


def _unpacked(archive: Path, wanted: Wanted, beside: Path) -> Iterator[Candidate]:
    """Members that are named like a published file, or have the size of one whose digest is known, under numbers."""
    taken: dict[str, Member] = {}

    def take(member: Member) -> str:
        if not wanted.named(tuple(member.name.split("/"))) and not wanted.may_be_known(member.size_bytes):
            return ""
        number = f"{len(taken):06d}"
        taken[number] = member
        return number

    with contextlib.suppress(NothingTakenError):
        unpack(archive, beside, take, by_hand="unpack it yourself and give --from that folder")
    for number, member in taken.items():
        yield Candidate(
            tuple(member.name.split("/")), beside / number, member.size_bytes, f"{archive.absolute()}: {member.name}", movable=True
        )
