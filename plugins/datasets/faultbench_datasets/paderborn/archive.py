"""A bearing as the source packs it, `KA01.rar`, unpacked once by libarchive's `bsdtar`.

libarchive reads RAR, is free, and comes with Windows and macOS as `tar`, elsewhere as a package. It is asked for nothing but a tar
stream on its standard output; what is written, and where, is decided here, member by member. It notices damaged headers and archives
cut short; of a flipped bit in a member that is stored and not compressed it says nothing (libarchive 3.6 checks no sum of those).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from faultbench.api import DataError
from faultbench_datasets.paderborn.bearings import stems
from faultbench_datasets.paderborn.measurement import MAX_FILE_BYTES

_MAX_MEMBERS = 1000
"""The source packs a folder, 80 measurements and two PDF."""
_MAX_TOTAL_BYTES = 4 * 1024**3
"""Six times what the source packs."""
_TIMEOUT_S = 1800.0
_CHUNK = 1 << 20
_SAFE = re.compile(r"\w[\w ().+-]*", re.ASCII)
_INSTALL = "install bsdtar (package libarchive-tools of Debian and Ubuntu, bsdtar of Fedora, libarchive of Arch)"


def unpack(archive: Path, code: str) -> Path:
    """The folder of a bearing's measurements, unpacked beside its archive and named by the bearing's code.

    Into a temporary folder first, which is renamed when everything is there; two processes may do it at once.

    Raises:
        DataError: Nothing is installed that could, the archive is damaged, or holds what no archive of the source does.
    """
    folder = archive.with_name(code)
    by_hand = f"unpack it yourself, as {folder}, with unrar or 7-Zip"
    tool = _tool()
    if tool is None:
        raise DataError(f"paderborn: {archive} is packed and nothing here can unpack it: {_INSTALL}, or {by_hand}")
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{code}-", dir=archive.parent))
    except OSError as error:
        raise DataError(f"paderborn: {archive.parent} cannot be written, {error.strerror or error}: {by_hand}") from error
    try:
        partial.chmod(0o755)
        problem = _run(tool, archive, partial, code)
        if problem:
            raise DataError(f"paderborn: {archive} cannot be unpacked ({problem}): get it again, or {by_hand}")
        _rename(partial, folder)
    except OSError as error:
        raise DataError(f"paderborn: {archive} cannot be unpacked, {error.strerror or error}: make room, or {by_hand}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def write_members(tar: tarfile.TarFile, folder: Path, code: str) -> int:
    """Writes a bearing's measurements from a tar stream; returns how many.

    Nothing but files of the official names is written; other files (the source adds two PDF) are passed over. Each member is
    judged before a byte of it is written.

    Raises:
        ValueError: A link, a device, a name outside the bearing's folder, a name twice, or too much of anything.
    """
    wanted = {f"{stem}.mat" for stem in stems(code)}
    total = 0
    written: set[str] = set()
    for count, member in enumerate(tar, start=1):
        name = _checked_name(member, code)
        total += member.size
        if count > _MAX_MEMBERS or total > _MAX_TOTAL_BYTES or member.size > MAX_FILE_BYTES:
            raise ValueError(f"more than {_MAX_MEMBERS} members, or {member.size} bytes in one, or {total} in all")
        if name not in wanted:
            continue
        if name in written:
            raise ValueError(f"{name} is there twice")
        content = tar.extractfile(member)
        if content is None:
            raise ValueError(f"{name} has no content")
        with content, (folder / name).open("xb") as target:
            shutil.copyfileobj(content, target, _CHUNK)
        written.add(name)
    return len(written)


def _checked_name(member: tarfile.TarInfo, code: str) -> str:
    """The file's name within the bearing's folder; empty for the folder itself."""
    parts = member.name.rstrip("/").split("/")
    if member.isdir() and parts == [code]:
        return ""
    if not member.isreg():
        raise ValueError(f"{member.name[:80]!a} is no plain file")
    if len(parts) != 2 or parts[0] != code or not _SAFE.fullmatch(parts[1]):
        raise ValueError(f"{member.name[:80]!a} is no file in {code}/")
    return parts[1]


def _tool() -> str | None:
    """The `bsdtar` of this machine, under whichever name."""
    for name in ("bsdtar", "tar"):
        found = shutil.which(name)
        if found is not None:
            said = subprocess.run([found, "--version"], capture_output=True, text=True, errors="replace", check=False)
            if said.stdout.startswith("bsdtar"):
                return found
    return None


def _run(tool: str, archive: Path, folder: Path, code: str) -> str:
    """Unpacks; returns what went wrong, or nothing."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [tool, "-cf", "-", "--format=pax", f"@{archive.resolve()}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        deadline = threading.Timer(_TIMEOUT_S, process.kill)
        deadline.start()
        try:
            problem = _read(process.stdout, folder, code)
            if problem:
                process.kill()
            status = process.wait()
        finally:
            deadline.cancel()
            process.kill()
            process.communicate()
        if problem or status == 0:
            return problem
        said.seek(0)
        words = " ".join(said.read(2000).decode("ascii", "replace").split()).replace(str(archive.resolve()), archive.name)
        return f"bsdtar: {words[:300]!a}"


def _read(stream: IO[bytes] | None, folder: Path, code: str) -> str:
    reading: Any = stream
    try:
        with tarfile.open(fileobj=reading, mode="r|") as tar:
            count = write_members(tar, folder, code)
        while reading.read(_CHUNK):  # what pads the stream; an unread pipe would keep its writer waiting
            pass
    except (tarfile.TarError, EOFError, ValueError) as error:
        return f"{error}"
    return "" if count else f"it holds no measurement of {code}"


def _rename(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was first
            raise
