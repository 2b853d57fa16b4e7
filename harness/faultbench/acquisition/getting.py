"""Getting a data set: by download, or from what the user has already. What is finished stays, whatever happens to the rest.

A file that is there stays as it is, unless it is neither the known one nor one that the reader takes: that is replaced.

Everything arrives in the folder `.partial` of the data set, is checked there, and is renamed into its place. The same command goes on
where the last one stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from faultbench.acquisition.archive import INSTALL, NoToolError
from faultbench.acquisition.download import Manners, UnobtainableError, download
from faultbench.acquisition.holdings import Holding, look
from faultbench.acquisition.local import Candidate, Wanted, candidates_in, digest_of, match, mentions
from faultbench.acquisition.misfits import misfits
from faultbench.acquisition.publication import ChecksFiles, Publication, PublishedFile
from faultbench.acquisition.shown import Shown, Silent
from faultbench.acquisition.source_record import SourceRecord, origin_now
from faultbench.acquisition.space import cannot_write, check_room, count_text, size_text
from faultbench.acquisition.transfer import PART, Part
from faultbench.errors import DataError, UsageError
from faultbench.names import instead
from faultbench.names import shown as quoted

PARTIAL = ".partial"
"""The folder in a data set's folder where files arrive."""
UNPACKED = "unpacked"
"""The folder in that one where an archive of the user's is unpacked meanwhile."""
LOCK = "lock"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be got.

    Args:
        dataset: The data set's name.
        publication: What its source publishes.
        root: The data folder.
        reader: The data set itself, which may check its files one by one; or None.
        only: Patterns (`K00*`, `97.mat`) of the files that are wanted; all where there are none.
        manners: How servers are treated.
    """

    dataset: str
    publication: Publication
    root: Path
    reader: object = None
    only: Sequence[str] = ()
    manners: Manners = field(default_factory=Manners)

    def files(self) -> tuple[PublishedFile, ...]:
        """The published files that are asked for.

        Raises:
            UsageError: A pattern fits none.
        """
        files = self.publication.files
        if not self.only:
            return files
        for pattern in self.only:
            if not any(_fits(file.path, pattern) for file in files):
                advice = instead(pattern, sorted({file.path for file in files}), f"See `faultbench data info {self.dataset}`")
                raise UsageError(f"--only {quoted(pattern)} is no file of {self.dataset}: {advice}")
        return tuple(file for file in files if any(_fits(file.path, pattern) for pattern in self.only))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went.

    Args:
        folder: Where the files are.
        wanted: How many files were asked for.
        got: The paths that are new.
        odd: By path: what is to be known of a file that was taken nevertheless.
        failed: By path: why it is not there.
        missing: How many of the files asked for are still lacking, failed ones among them.
        partly: Of how many of these, which are archives, some files are there that they hold.
    """

    folder: Path
    wanted: int
    got: tuple[str, ...]
    odd: Mapping[str, str]
    failed: Mapping[str, str]
    missing: int
    partly: int


def get(request: Request, shown: Shown | None = None) -> Outcome:
    """Downloads what is lacking.

    Raises:
        UsageError: `only` fits nothing.
        DataError: There is no direct link, no room, the folder cannot be written, or another process is at it.
    """
    shown = shown or Silent()
    files = request.files()
    holding = look(request.dataset, request.publication, request.root)
    wrong = misfits(holding, files, request.reader)
    asked = set(files)
    lacking = [file for file in request.publication.files if file in asked and (file in holding.missing or file.path in wrong)]
    if not lacking:
        return _outcome(request, files, _Taken(), wrong)
    linked = [file for file in lacking if file.urls]
    if not linked:
        raise DataError(
            f"{request.dataset} has no direct links: {request.publication.how or f'see {request.publication.homepage}'}; "
            f"then `faultbench data get {request.dataset} --from FOLDER`"
        )
    with _at_work(holding.folder, request) as taken:
        needed = sum(request.publication.estimate(file) - _begun(holding.folder, file) for file in linked)
        check_room(holding.folder, max(needed, 0), f"{count_text(len(linked), 'file')} of {request.dataset}")
        _download_all(request, linked, taken, shown)
        for file in lacking:
            if not file.urls:
                taken.failed[file.path] = "it has no direct link"
    return _outcome(request, files, taken, wrong)


def get_from(request: Request, place: Path, shown: Shown | None = None) -> Outcome:
    """Copies what is lacking out of a folder or an archive of the user's, which stays as it is.

    Args:
        request: What is to be got.
        place: A folder of any layout, an archive, or one file.
        shown: Is told how it goes.

    Raises:
        UsageError: `only` fits nothing.
        DataError: Nothing of the data set is there, it cannot be read or unpacked, there is no room, the folder cannot be written, or
            another process is at it.
    """
    shown = shown or Silent()
    files = request.files()
    holding = look(request.dataset, request.publication, request.root)
    asked = {path for file in files for path in (file.path, *file.holds)}
    wrong = misfits(holding, files, request.reader)
    lacking = _lacking(holding, files) | wrong.keys()
    published = [path for file in request.publication.files for path in (file.path, *file.holds)]
    wanted = Wanted(files, lacking, published)
    if not lacking:
        return _outcome(request, files, _Taken(), wrong)
    with _at_work(holding.folder, request) as taken:
        matches = match(candidates_in(place, wanted, holding.folder / PARTIAL / UNPACKED), wanted)
        taken.failed.update(matches.unclear)
        if not matches.found and not matches.unclear and not mentions(place, Wanted((), asked, published)):
            raise DataError(f"{place} holds no file of {request.dataset}: they are called {_called(asked)}")
        check_room(holding.folder, sum(c.size_bytes for c in matches.found.values() if not c.movable), f"the files of {place}")
        by_path = {file.path: file for file in request.publication.files}
        shown.began("taking", len(matches.found))
        for path, candidate in sorted(matches.found.items()):
            shown.file(path, candidate.size_bytes)
            _take(request, by_path.get(path, PublishedFile(path)), candidate, taken, shown)
            shown.done()
    return _outcome(request, files, taken, wrong)


class _Taken:
    """What has happened so far."""

    def __init__(self, folder: Path = Path(), record: SourceRecord | None = None) -> None:
        self.folder, self.record = folder, record
        self.got: list[str] = []
        self.odd: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def settle(self, file: PublishedFile, came_from: str, digest: str) -> None:
        """Puts a checked file into its place, and notes where it came from."""
        arrived, place = self.folder / PARTIAL / file.path, self.folder / file.path
        try:
            size = arrived.stat().st_size
            place.parent.mkdir(parents=True, exist_ok=True)
            arrived.replace(place)
        except OSError as error:
            raise cannot_write(place, error) from error
        self.got.append(file.path)
        if self.record is not None:
            self.record.add(file.path, origin_now(came_from, size, digest))


def _outcome(request: Request, files: Sequence[PublishedFile], taken: _Taken, wrong: Mapping[str, str]) -> Outcome:
    """How it went; a file that lay there and is not it is lacking until it is replaced."""
    holding = look(request.dataset, request.publication, request.root)
    advice = "delete it, or give --from a place that holds the right one"
    left = {path: f"the file that lies there is not it ({why}): {advice}" for path, why in wrong.items() if path not in taken.got}
    missing = {file.path for file in holding.missing} | left.keys()
    failed = {**left, **taken.failed}
    lacking = sum(file.path in missing for file in files)
    return Outcome(holding.folder, len(files), tuple(taken.got), taken.odd, failed, lacking, len(set(files) & set(holding.in_part)))


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern names a file: by its path, its name with or without its ending, or a folder above it."""
    steps = path.split("/")
    stem = steps[-1].rpartition(".")[0] or steps[-1]
    ways = (path, steps[-1], stem, *("/".join(steps[:count]) for count in range(1, len(steps))), *steps[:-1])
    return any(fnmatchcase(way, pattern) for way in ways)


def _lacking(holding: Holding, files: Sequence[PublishedFile]) -> frozenset[str]:
    """The paths of the files that are not there, unpacked or not."""
    missing = set(holding.missing)
    return frozenset(path for file in files if file in missing for path in (file.path, *file.holds) if path not in holding.paths)


def _called(asked: set[str]) -> str:
    some = ", ".join(sorted(asked)[:3])
    return f"{some}{' and so on' if len(asked) > 3 else ''}"


@contextlib.contextmanager
def _at_work(folder: Path, request: Request) -> Iterator[_Taken]:
    """The folder to write to, this process's alone. What was noted is on the disk in the end, however it ends."""
    from filelock import FileLock, Timeout

    partial = folder / PARTIAL
    new = not folder.exists()
    try:
        partial.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    lock = FileLock(partial / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DataError(f"another process is getting {request.dataset} into {folder}: wait for it") from None
    except OSError as error:
        raise cannot_write(partial, error) from error
    try:
        _sweep(partial, request.publication)
        taken = _Taken(folder, SourceRecord(folder, request.dataset, request.publication))
        try:
            yield taken
        finally:
            if taken.record is not None:
                taken.record.save()
    finally:
        _sweep(partial, request.publication)
        _tidy(partial)
        lock.release()
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()  # it was made for nothing


def _sweep(partial: Path, publication: Publication) -> None:
    """Removes what is of no use any more, also what a killed process left; what has come, whole or in part, stays for the next time."""
    keep = {partial / LOCK}
    for place in (partial / path for file in publication.files for path in (file.path, *file.holds)):
        part = Part(place.with_name(f"{place.name}{PART}"))
        keep.update((place, part.path, part.note))
    for path in partial.rglob("*"):
        if path not in keep and (path.is_symlink() or not path.is_dir()):
            with contextlib.suppress(OSError):
                path.unlink()


def _tidy(partial: Path) -> None:
    """Removes the folders that are empty."""
    with contextlib.suppress(OSError):
        (partial / LOCK).unlink()
        for inner in sorted((path for path in partial.rglob("*") if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):  # not empty, then
                inner.rmdir()
        partial.rmdir()


def _begun(folder: Path, file: PublishedFile) -> int:
    """How many bytes of a file have come in an earlier attempt."""
    arrived = folder / PARTIAL / file.path
    for place in (arrived, arrived.with_name(f"{arrived.name}{PART}")):
        with contextlib.suppress(OSError):
            return place.stat().st_size
    return 0


def _download_all(request: Request, files: Sequence[PublishedFile], taken: _Taken, shown: Shown) -> None:
    unanswered = 0
    shown.began("getting", len(files))
    for number, file in enumerate(files):
        if number:
            time.sleep(request.manners.pause_s)
        shown.file(file.path, file.size_bytes)
        place = taken.folder / PARTIAL / file.path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(place.parent, error) from error
        try:
            url = download(file, place, _check(request, file, taken), request.manners, shown)
        except UnobtainableError as error:
            taken.failed[file.path] = error.reason
            shown.note(str(error))
            unanswered = 0 if error.answered else unanswered + 1
        else:
            unanswered = 0
            digest = digest_of(place)
            _compare(file, place, digest, taken)
            taken.settle(file, url, digest)
        shown.done()
        if unanswered >= request.manners.patience:
            rest = files[number + 1 :]
            taken.failed.update({left.path: "it was not asked for any more, since no server answered" for left in rest})
            return


def _check(request: Request, file: PublishedFile, taken: _Taken) -> Callable[[Path], None]:
    """What is demanded of a file that has come: the known digest, which pooch has compared; else that its reader takes it."""

    def check(place: Path) -> None:
        if not (file.sha256 and file.checked):
            _check_readable(request, file, place, taken)

    return check


def _check_readable(request: Request, file: PublishedFile, place: Path, taken: _Taken) -> None:
    if isinstance(request.reader, ChecksFiles):
        try:
            request.reader.check_file(place)
        except NoToolError:
            taken.odd[file.path] = f"nobody could look into it: {INSTALL}"


def _compare(file: PublishedFile, place: Path, digest: str, taken: _Taken) -> None:
    """Notes where a file is not the one that is known, though its reader takes it."""
    size = place.stat().st_size
    if file.sha256 and digest != file.sha256:
        taken.odd[file.path] = "its SHA-256 is not the known one"
    elif file.size_bytes is not None and size != file.size_bytes:
        taken.odd[file.path] = f"it has {size_text(size)}, not the {size_text(file.size_bytes)} that are known"


def _take(request: Request, file: PublishedFile, candidate: Candidate, taken: _Taken, shown: Shown) -> None:
    """Copies or moves one file of the user's into place, if it is what it should be."""
    arrived = taken.folder / PARTIAL / file.path
    try:
        arrived.parent.mkdir(parents=True, exist_ok=True)
        if candidate.movable:
            candidate.file.replace(arrived)
            digest = digest_of(arrived)
        else:
            digest = _copied(candidate, arrived, shown)
    except OSError as error:
        arrived.unlink(missing_ok=True)
        raise cannot_write(arrived.parent, error) from error
    try:
        if digest != file.sha256:
            _check_readable(request, file, arrived, taken)
    except DataError as error:
        arrived.unlink(missing_ok=True)
        taken.failed[file.path] = f"{candidate.came_from} is not it: {error}"
        shown.note(f"{file.path}: {taken.failed[file.path]}")
        return
    _compare(file, arrived, digest, taken)
    taken.settle(file, candidate.came_from, digest)


def _copied(candidate: Candidate, arrived: Path, shown: Shown) -> str:
    """Copies a file; returns its digest.

    Raises:
        DataError: It cannot be read.
        OSError: The copy cannot be written.
    """
    digest = hashlib.sha256()
    done = 0
    copy = arrived.with_name(f"{arrived.name}.copy")  # what has the file's own name has come whole
    try:
        source = candidate.file.open("rb")
    except OSError as error:
        raise DataError(f"{candidate.file} cannot be read, {error.strerror or error}: check its permissions") from error
    with source, copy.open("wb") as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
            done += len(chunk)
            shown.advance(done, candidate.size_bytes)
    copy.replace(arrived)
    return digest.hexdigest()
