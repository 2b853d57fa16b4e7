"""Archives from outside, unpacked without trusting them: zip and tar by Python's library, RAR and 7z by libarchive's `bsdtar`.

An archive is gone through twice. First every member is judged by its name, its kind and its size, and nothing is written. Then those
that are wanted are written under names that the caller gives, never under the archive's own, into a new folder beside the
destination, which takes its name when everything is there.

libarchive reads RAR and 7z, is free, and comes with Windows and macOS as `tar`, elsewhere as a package. It is asked for nothing but a
tar stream on its standard output. It notices damaged headers and archives cut short; of a flipped bit in a RAR member that is
stored and not compressed it says nothing (libarchive 3.6 checks no sum of those).
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from faultbench.acquisition.space import check_room, is_full, size_text
from faultbench.errors import DataError

INSTALL = "install bsdtar (package libarchive-tools of Debian and Ubuntu, bsdtar of Fedora, libarchive of Arch)"
_BY_TOOL = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: Mapping[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_CHUNK = 1 << 20
_LONGEST_READ = 16 << 20
"""More than this nobody reads at once but a tar whose header says that another header is that long."""
_TIMEOUT_S = 2 * 3600.0
_RATIO_FROM = 64 << 20
"""Below this many bytes it does not matter how well they were packed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold at most; all of it counts, wanted or not.

    Args:
        members: Entries.
        file_bytes: In one file.
        total_bytes: In all files.
        ratio: Of all files to the archive itself. Text of measurements packs to a fifth, a bomb to a thousandth.
    """

    members: int = 200_000
    file_bytes: int = 16 << 30
    total_bytes: int = 64 << 30
    ratio: float = 250.0


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Args:
        name: With `/`, relative, without `..`; as harmless as a name can be, but the archive's.
        size_bytes: What the archive says of it.
    """

    name: str
    size_bytes: int


class NoToolError(DataError):
    """Nothing is installed here that could read an archive, which may be in good order."""


class NothingTakenError(DataError):
    """An archive in good order that holds nothing of what was asked for."""


def is_archive(path: Path) -> bool:
    """Whether a file is, by its content, one of the kinds that can be unpacked.

    Raises:
        DataError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise DataError(f"{path} cannot be read, {error.strerror or error}: check the path and its permissions") from error
    return head.startswith((*_BY_TOOL, *_ZIP, *_COMPRESSED)) or head[257:262] == b"ustar"


def members_of(archive: Path, limits: Limits = Limits()) -> tuple[Member, ...]:
    """The files of an archive, each judged; nothing is written.

    Raises:
        NoToolError: Nothing here can read it.
        DataError: It is damaged, encrypted or hostile.
    """
    with _unpackable(archive, "list it yourself"):
        return _judged(archive, limits)


def unpack(archive: Path, folder: Path, take: Callable[[Member], str], limits: Limits = Limits(), by_hand: str = "") -> list[str]:
    """The paths written to a new folder: all that were taken, or the folder is not there.

    Two processes may do it at once; the second takes what the first unpacked.

    Args:
        archive: A zip, tar (also compressed), RAR or 7z.
        folder: Where to; beside it a temporary folder is made.
        take: Under which path, relative to `folder`, a member is written; empty passes it over. It raises `ValueError` where the
            member shows that the whole archive is not to be trusted.
        limits: What the archive may hold.
        by_hand: What the user can do instead, where it cannot be unpacked; empty for unpacking it as `folder`.

    Raises:
        NoToolError: Nothing here can read it.
        NothingTakenError: It holds nothing that is taken.
        DataError: It is damaged, encrypted or hostile, or there is no room.
    """
    by_hand = by_hand or f"unpack it yourself, as {folder}"
    with _unpackable(archive, by_hand):
        wanted = {member.name: (path, member) for member in _judged(archive, limits) if (path := take(member))}
        if not wanted:
            raise NothingTakenError(f"{archive} holds no file that is asked for: check that it is the right one")
        paths = [path for path, _ in wanted.values()]
        often, times = Counter(paths).most_common(1)[0]
        if times > 1:
            raise ValueError(f"{often} is there twice")
    check_room(folder.parent, sum(member.size_bytes for _, member in wanted.values()), f"the contents of {archive.name}")
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        advice = f"check its permissions, or {by_hand}"
        raise DataError(f"{folder.parent} cannot be written, {error.strerror or error}: {advice}") from error
    try:
        beside.chmod(0o755)
        with _unpackable(archive, by_hand):
            _write(archive, beside, wanted)
        _rename(beside, folder)
    except OSError as error:
        advice = f"make room, or {by_hand}" if is_full(error) else "check its permissions"
        raise DataError(f"{folder} cannot be written, {error.strerror or error}: {advice}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return paths


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member as its archive has it: `kind` is `file`, `folder`, or what else it is."""

    name: str
    kind: str
    size_bytes: int
    open: Callable[[], IO[bytes]]


def _judged(archive: Path, limits: Limits) -> tuple[Member, ...]:
    found: dict[str, Member] = {}
    total = 0
    most = max(limits.ratio * archive.stat().st_size, _RATIO_FROM)
    with _opened(archive) as entries:
        for count, entry in enumerate(entries, start=1):
            name = _harmless(entry)
            if entry.size_bytes < 0:
                raise ValueError(f"{_said(name)} has a size below nothing")
            total += entry.size_bytes
            if count > limits.members:
                raise ValueError(f"it holds more than {limits.members} members")
            if entry.size_bytes > limits.file_bytes:
                raise ValueError(f"{_said(name)} has {size_text(entry.size_bytes)}, the limit is {size_text(limits.file_bytes)}")
            if total > limits.total_bytes:
                raise ValueError(f"its files have more than {size_text(limits.total_bytes)} together")
            if total > most:
                raise ValueError(f"its files have {limits.ratio:g} times its own size: it is a bomb")
            if name in found:
                raise ValueError(f"{_said(name)} is there twice")
            if entry.kind == "file":
                found[name] = Member(name, entry.size_bytes)
    return tuple(found.values())


def _harmless(entry: _Entry) -> str:
    """The name of a member without `./`; empty for the archive's own folder."""
    name = entry.name.rstrip("/")
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    if entry.kind == "folder" and name in ("", "."):
        return ""
    steps = name.split("/")
    rooted = not steps[0] or steps[0][1:2] == ":"  # a drive
    if rooted or "\\" in name or not {"", ".", ".."}.isdisjoint(steps) or not name.isprintable():
        raise ValueError(f"{_said(entry.name)} is no name within the archive")
    if entry.kind not in ("file", "folder"):
        raise ValueError(f"{_said(name)} is {entry.kind}, not a plain file")
    return name


def _said(name: str) -> str:
    return ascii(name[:80])


def _write(archive: Path, beside: Path, wanted: Mapping[str, tuple[str, Member]]) -> None:
    left = dict(wanted)
    with _opened(archive) as entries:
        for entry in entries:
            path, member = left.pop(_harmless(entry), (None, None))
            if path is None or member is None:
                continue
            if entry.kind != "file" or entry.size_bytes != member.size_bytes:
                raise ValueError(f"{_said(entry.name)} is not what it was when the archive was judged")
            target = beside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with entry.open() as content, target.open("xb") as file:
                _copy(content, file, member)
    if left:
        raise ValueError(f"{_said(min(left))} is not there any more")


def _copy(content: IO[bytes], file: IO[bytes], member: Member) -> None:
    """Copies exactly as many bytes as the archive said, whatever comes."""
    lacking = member.size_bytes
    while chunk := content.read(min(_CHUNK, lacking + 1)):
        lacking -= len(chunk)
        if lacking < 0:
            raise ValueError(f"{_said(member.name)} is longer than the archive says")
        file.write(chunk)
    if lacking:
        raise ValueError(f"{_said(member.name)} is shorter than the archive says")


@contextlib.contextmanager
def _unpackable(archive: Path, by_hand: str) -> Iterator[None]:
    """Turns whatever an archive can make its reader raise into one line."""
    try:
        yield
    except (
        ValueError,
        EOFError,
        RuntimeError,  # of zipfile: encrypted; also NotImplementedError, a compression it does not know
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        gzip.BadGzipFile,
    ) as error:
        raise DataError(f"{archive} cannot be unpacked ({error}): get it again, or {by_hand}") from error
    except OSError as error:
        if error.errno is None:  # of bz2: invalid data
            raise DataError(f"{archive} cannot be unpacked ({error}): get it again, or {by_hand}") from error
        if error.filename and Path(error.filename) != archive:
            raise
        if is_full(error):
            raise
        raise DataError(f"{archive} cannot be read, {error.strerror}: check the path and its permissions") from error


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Entry]]:
    if archive.exists() and not archive.is_file():  # opening a pipe would wait for ever
        raise ValueError("it is no regular file")
    with archive.open("rb") as stream:
        head = stream.read(8)
        stream.seek(0)
        if head.startswith(_BY_TOOL):
            with _by_tool(archive) as piped:
                yield _of_tar(piped)
        elif head.startswith(_ZIP):
            with zipfile.ZipFile(stream) as packed:
                yield _of_zip(packed)
        else:
            opener = next((opener for magic, opener in _COMPRESSED.items() if head.startswith(magic)), None)
            if opener is None:
                yield _of_tar(stream)
            else:
                with opener(stream) as plain:
                    yield _of_tar(plain)


def _of_zip(packed: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in packed.infolist():
        if info.flag_bits & 0x1:
            raise ValueError("it is encrypted")
        form = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir():
            kind = "folder"
        elif form in (0, stat.S_IFREG):
            kind = "file"
        else:
            kind = "a link" if form == stat.S_IFLNK else "something else"
        yield _Entry(info.filename, kind, info.file_size, partial(packed.open, info))


def _of_tar(stream: Any) -> Iterator[_Entry]:
    with tarfile.open(fileobj=_Forward(stream), mode="r:") as tar:  # type: ignore[call-overload]
        for info in tar:
            if info.issparse():
                kind = "a sparse file"
            elif info.isreg():
                kind = "file"
            elif info.isdir():
                kind = "folder"
            else:
                kind = "a link" if info.issym() or info.islnk() else "a device"
            yield _Entry(info.name, kind, info.size, cast(Callable[[], IO[bytes]], partial(tar.extractfile, info)))


class _Forward:
    """A stream that is only read onwards, in pieces of a bearable length: what tarfile asks of a file, and no more.

    tarfile reads a header that names its own length at once, however long that says it is.
    """

    def __init__(self, stream: Any) -> None:
        self._stream, self._at = stream, 0

    def tell(self) -> int:
        return self._at

    def seek(self, at: int) -> int:
        if at < self._at:
            raise ValueError("its headers point backwards")
        while self._at < at and self._stream_read(min(_CHUNK, at - self._at)):
            pass
        return self._at

    def read(self, length: int = -1) -> bytes:
        if not 0 <= length <= _LONGEST_READ:
            raise ValueError(f"a header of it says that it is {length} bytes long")
        pieces = []
        while length and (piece := self._stream_read(length)):
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _stream_read(self, length: int) -> bytes:
        piece: bytes = self._stream.read(length)
        self._at += len(piece)
        return piece


def tool() -> str | None:
    """The `bsdtar` of this machine, under whichever name."""
    for name in ("bsdtar", "tar"):
        found = shutil.which(name)
        if found is not None:
            said = subprocess.run([found, "--version"], capture_output=True, text=True, errors="replace", check=False)
            if said.stdout.startswith("bsdtar"):
                return found
    return None


@contextlib.contextmanager
def _by_tool(archive: Path) -> Iterator[IO[bytes]]:
    """The archive as a tar stream. What bsdtar complains of is an error."""
    found = tool()
    if found is None:
        raise NoToolError(f"{archive} is packed and nothing here can unpack it: {INSTALL}, or unpack it yourself with unrar or 7-Zip")
    command: Sequence[str] = [found, "-cf", "-", "--format=pax", f"@{archive.resolve()}"]
    with tempfile.TemporaryFile() as said:
        # a session of its own has no terminal, on which bsdtar would ask for a password
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        deadline = threading.Timer(_TIMEOUT_S, process.kill)
        deadline.daemon = True
        deadline.start()
        problem: Exception | None = None
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            try:
                yield process.stdout
            except tarfile.TarError as error:  # of a stream that ended early; bsdtar may know why
                problem = error
            while process.stdout.read(_CHUNK):  # what pads the stream; an unread pipe would keep its writer waiting
                pass
            status = process.wait()
        finally:
            deadline.cancel()
            process.kill()
            process.communicate()
        if status:
            said.seek(0)
            words = " ".join(said.read(2000).decode("ascii", "replace").split()).replace(str(archive.resolve()), archive.name)
            for nothing in ("bsdtar: ", "(null)", "Error exit delayed from previous errors."):
                words = words.replace(nothing, "")
            words = words.strip()
            raise ValueError(f"bsdtar: {words[:300]!a}" if words else "it ends in the middle, or is damaged") from problem
        if problem is not None:
            raise problem


def _rename(beside: Path, folder: Path) -> None:
    try:
        beside.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was first
            raise
