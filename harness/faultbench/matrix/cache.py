"""The cache: values that are folders, each under the digest of what it is made of.

A value is made under a temporary name on the same file system, every file of it is flushed to the disk, a manifest with each
file's digest comes last, and the whole is renamed: a killed run leaves no half value. Who makes a value holds a lock on its
key, which the system takes back when a process dies; so processes share a cache, and each value is made once. A damaged value
is thrown away.

**What is verified when.** When a process first uses a value, every file of it is there, no other is, and all have their sizes.
The content of a small value is compared with its digests each time. A large one has a stamp: the state of each file
(`data/filestate`) when its content was last compared. A file whose state is still that one is not read again; any other is,
hence whatever is written to it is found. What is not found is content that changes beneath the file system, on a disk that
fails, or that someone with the rights of the system exchanges without a trace. `Cache.verify` compares everything.

    values/ab/abcd…/manifest.json   what is there, and how long it took
    values/ab/abcd…/stamp.json      the files' states when they were last compared
    values/ab/abcd…/value/          what was made
    partial/                        what is being made
    locks/
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbench.data.filestate import FileState, file_state, settled_state
from faultbench.errors import CellError, FaultbenchError, UsageError
from faultbench.folders import cache_root

FORMAT = 1
MANIFEST = "manifest.json"
STAMP = "stamp.json"
VALUE = "value"
STAMPED_FROM_BYTES = 1 << 20
"""A smaller value is compared in a millisecond, hence always."""
_THREADS = 4
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written", re.ASCII)
"""What numpy says, without the system's own error, where a file could not be written to its end."""
_NEXT_TO_NOTHING = 1 << 20  # bytes; a write that failed for want of room leaves less

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a value's manifest says.

    Args:
        key: The value's key.
        seconds: How long it took to make.
        about: What the maker wanted kept beside the value.
        files: Digest and size by path within the value.
        digest: Of the manifest itself.
    """

    key: str
    seconds: float
    about: Mapping[str, Any]
    files: Mapping[str, tuple[str, int]]
    digest: str = ""


class Cache:
    """The values under one folder, which is made when the first value is.

    Args:
        root: The folder; None takes `FAULTBENCH_CACHE`, or the user's cache folder.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()
        self._verified: set[str] = set()
        self._swept = False

    def peek(self, key: str) -> Entry | None:
        """What the manifest of a value says, unverified; None where there is no readable one."""
        return read_entry(self._folder(key), key)

    def get(self, key: str) -> Path | None:
        """The folder of a value, or None where there is none, or a damaged one. Nothing is written but a stamp, where that can be."""
        folder = self._folder(key)
        if key not in self._verified:
            entry = read_entry(folder, key)
            if entry is None or not (_unchanged(folder, entry) or _compared(folder, entry)):
                return None
            self._verified.add(key)
        return folder / VALUE

    def verify(self, key: str) -> bool:
        """Whether there is a value, and every byte of it is what was made, whatever its stamp says."""
        folder = self._folder(key)
        entry = read_entry(folder, key)
        return entry is not None and _compared(folder, entry)

    def get_or_make(
        self, key: str, make: Callable[[Path], None], about: Mapping[str, Any] | None = None, waiting: Callable[[], None] = lambda: None
    ) -> Path:
        """The folder of a value, which is made where it is missing or damaged. What fails is not kept.

        Args:
            key: The digest of everything that the value depends on.
            make: Fills the empty folder that it is given.
            about: Kept in the manifest beside the value, as JSON; `make` may still add to it.
            waiting: Called once if another process is making the value.

        Raises:
            UsageError: The cache's folder cannot be written.
            CellError: The disk is full.
        """
        found = self.get(key)
        if found is not None:
            return found
        with self._errors():
            self.prepare()
            with self._locked(key, waiting):
                found = self.get(key)  # another process may have made it meanwhile
                if found is None:
                    self._discard(key)
                    found = self._make(key, make, {} if about is None else about)
                return found

    def prepare(self) -> None:
        """Makes the folders, and clears away what killed runs left.

        Raises:
            UsageError: The cache's folder cannot be written.
        """
        if self._swept:
            return
        with self._errors(preparing=True):
            for folder in ("values", "partial", "locks"):
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            probe = self.root / "partial" / f"probe.{secrets.token_hex(8)}"
            probe.touch()
            probe.unlink()
            self._sweep()
        self._swept = True

    def entries(self) -> Iterator[Entry]:
        """The manifests of all values, in no order."""
        for folder in self.root.glob("values/??/*"):
            entry = read_entry(folder, folder.name)
            if entry is not None:
                yield entry

    def set_aside(self, key: str) -> Path | None:
        """Moves a value out of the place where it is looked for, in one step and under its lock, and says where to; its caller removes it.

        None where somebody is making it, or there is none.

        Raises:
            UsageError: The cache's folder cannot be written.
        """
        from filelock import Timeout

        with self._errors():
            try:
                with self._lock(key).acquire(timeout=0):
                    aside = self._partial(key)
                    self._folder(key).rename(aside)
                    self._verified.discard(key)
                    return aside
            except (Timeout, FileNotFoundError):
                return None

    def _make(self, key: str, make: Callable[[Path], None], about: Mapping[str, Any]) -> Path:
        partial = self._partial(key)
        try:
            value = partial / VALUE
            value.mkdir(parents=True)
            began = time.perf_counter()
            make(value)
            seconds = time.perf_counter() - began
            files, states = _flushed(value)
            said = {"format": FORMAT, "key": key, "seconds": seconds, "about": about, "files": files}
            _write_manifest(partial / MANIFEST, said)
            _write_stamp(partial, _digest(said), files, states)
            _flush(partial)
            folder = self._folder(key)
            folder.parent.mkdir(exist_ok=True)
            partial.rename(folder)
            _flush(folder.parent)
        except Exception as error:
            if _for_want_of_room(error, partial):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(partial)) from error
            if isinstance(error, OSError) and error.errno is None and _SHORT_WRITE.fullmatch(str(error)):
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(partial)) from error
            raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._verified.add(key)
        return folder / VALUE

    def _folder(self, key: str) -> Path:
        return self.root / "values" / key[:2] / key

    def _partial(self, key: str) -> Path:
        return self.root / "partial" / f"{key}.{secrets.token_hex(8)}"

    def _discard(self, key: str) -> None:
        """Removes a damaged value, under its lock: out of the way in one step, so that nobody finds half of it."""
        folder = self._folder(key)
        if os.path.lexists(folder):
            _log.warning("warning: %s in the cache is damaged: it is thrown away and made again", folder)
            partial = self._partial(key)
            folder.rename(partial)
            shutil.rmtree(partial, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self, key: str, waiting: Callable[[], None]) -> Iterator[None]:
        from filelock import Timeout

        lock = self._lock(key)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _lock(self, key: str) -> Any:
        from filelock import FileLock

        return FileLock(self.root / "locks" / f"{key}.lock", fallback_to_soft=False)

    def _sweep(self) -> None:
        """Removes temporaries whose maker is gone: who makes a value holds its lock as long as it lives."""
        from filelock import Timeout

        for partial in list((self.root / "partial").iterdir()):
            try:
                with self._lock(partial.name.partition(".")[0]).acquire(timeout=0):
                    shutil.rmtree(partial, ignore_errors=True)
            except Timeout:
                continue

    @contextlib.contextmanager
    def _errors(self, *, preparing: bool = False) -> Iterator[None]:
        """Says in one line what the file system refuses. While the cache is prepared, nothing but the cache is touched."""
        try:
            yield
        except FaultbenchError:
            raise
        except OSError as error:
            if error.errno in _FULL:
                what = f"no space is left for {self.root}, or for temporary files in {tempfile.gettempdir()}"
                raise CellError(f"{what}: free some, or set FAULTBENCH_CACHE and TMPDIR to folders with room") from error
            if error.errno == errno.EFBIG:
                what = f"the cache {self.root} cannot be written: a file met the limit on file sizes, or the disk is full"
                raise CellError(f"{what}: raise the limit (ulimit -f unlimited), free some room, or set FAULTBENCH_CACHE") from error
            if preparing or (error.errno in _DENIED and self._holds(error.filename)):
                what = f"the cache {self.root} cannot be written ({error.strerror or error})"
                raise UsageError(f"{what}: set FAULTBENCH_CACHE to a folder that can") from error
            raise

    def _holds(self, path: object) -> bool:
        """Whether a path is the cache's: within it, or on the way to it."""
        there = Path(str(path))
        return there.is_relative_to(self.root) or self.root.is_relative_to(there)


def entry_of(value: Path) -> Entry:
    """What the manifest says of a value that `Cache.get` returned.

    Raises:
        CellError: It has gone meanwhile.
    """
    entry = read_entry(value.parent, value.parent.name)
    if entry is None:
        raise CellError(f"{value.parent} has gone from the cache while it was used: run again")
    return entry


def read_entry(folder: Path, key: str) -> Entry | None:
    """The manifest in a value's folder; None where it is missing, damaged, of another format, or another value's."""
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        digest = said.pop("digest")
        if digest != _digest(said) or said["format"] != FORMAT or said["key"] != key:
            return None
        files = {name: (sha256, size) for name, (sha256, size) in said["files"].items()}
        return Entry(key, said["seconds"], said["about"], files, digest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_manifest(path: Path, said: Mapping[str, Any]) -> None:
    with path.open("x", encoding="utf-8") as file:
        json.dump({**said, "digest": _digest(said)}, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())


def _digest(said: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest's content, so that a damaged manifest is found too."""
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _for_want_of_room(error: Exception, folder: Path) -> bool:
    """Whether something failed because a disk is full. Libraries put what the system says in words of their own, or leave it out."""
    if isinstance(error, FaultbenchError):
        return isinstance(error.__cause__, OSError) and error.__cause__.errno in _FULL
    try:
        return shutil.disk_usage(folder).free < _NEXT_TO_NOTHING
    except OSError:
        return False


def _flushed(value: Path) -> tuple[dict[str, tuple[str, int]], dict[str, FileState]]:
    """Flushes every file and folder of a value to the disk; digest and size of each file by its path, and the files' states."""
    paths = _files_in(value)
    with ThreadPoolExecutor(_THREADS) as pool:
        found = dict(zip(paths, pool.map(_flushed_file, paths.values()), strict=True))
    for folder, _, _ in os.walk(value):
        _flush(Path(folder))
    return {name: (sha256, state.size) for name, (sha256, state) in found.items()}, {name: state for name, (_, state) in found.items()}


def _files_in(value: Path) -> dict[str, Path]:
    """The files of a value, and whatever else is there but folders, by their paths within it."""
    found = [Path(folder, name) for folder, _, names in os.walk(value) for name in names]
    return {path.relative_to(value).as_posix(): path for path in sorted(found)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flushed_file(path: Path) -> tuple[str, FileState]:
    with path.open("rb+") as file:  # Windows flushes only what is open for writing
        os.fsync(file.fileno())
    state = settled_state(path)
    return _sha256(path), state


def _flush(folder: Path) -> None:
    """Flushes a folder's list of names, where the system lets folders be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unchanged(folder: Path, entry: Entry) -> bool:
    """Whether a value has a stamp, and its files are those of the stamp."""
    try:
        said = json.loads((folder / STAMP).read_bytes())
        stamped = {name: FileState(*state) for name, state in said["files"].items()}
        there = {name: file_state(path) for name, path in _files_in(folder / VALUE).items()}
        return bool(said["manifest"] == entry.digest and there == stamped and _sizes(there) == _sizes_of(entry))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _compared(folder: Path, entry: Entry) -> bool:
    """Whether a value holds the files of its manifest, no more and no other, byte by byte; if so, that is stamped."""
    try:
        paths = _files_in(folder / VALUE)
        states = {name: settled_state(path) for name, path in paths.items()}
        if _sizes(states) != _sizes_of(entry):  # that costs nothing
            return False
        with ThreadPoolExecutor(_THREADS) as pool:
            digests = dict(zip(paths, pool.map(_sha256, paths.values()), strict=True))
        if digests != {name: sha256 for name, (sha256, _) in entry.files.items()}:
            return False
    except OSError:
        return False
    with contextlib.suppress(OSError):  # a cache that can only be read is compared by every process
        _write_stamp(folder, entry.digest, entry.files, states)
    return True


def _sizes(states: Mapping[str, FileState]) -> dict[str, int]:
    return {name: state.size for name, state in states.items()}


def _sizes_of(entry: Entry) -> dict[str, int]:
    return {name: size for name, (_, size) in entry.files.items()}


def _write_stamp(folder: Path, manifest: str, files: Mapping[str, tuple[str, int]], states: Mapping[str, FileState]) -> None:
    """Says that files have the content of their manifest, if there is much of it. Half a stamp is none."""
    if sum(size for _, size in files.values()) >= STAMPED_FROM_BYTES:
        (folder / STAMP).write_text(json.dumps({"manifest": manifest, "files": states}), encoding="ascii")
