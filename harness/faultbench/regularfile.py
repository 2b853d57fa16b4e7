"""Opening a file from outside: only a regular one, only up to a size, and never waiting for one that is a pipe."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from faultbench.errors import DataError, FaultbenchError

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever."""

_PIECE_BYTES = 1024 * 1024


@contextlib.contextmanager
def open_regular(path: Path, max_bytes: int) -> Iterator[tuple[BinaryIO, int]]:
    """A file open for reading, and its size.

    Args:
        path: The file; a symbolic link is followed.
        max_bytes: A longer file is refused unread.

    Raises:
        DataError: It cannot be read, is no regular file, is empty, or is too large.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(path, error) from error
    try:
        size = _checked_size(path, os.fstat(descriptor), max_bytes)
        stream = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with stream:
        try:
            yield stream, size
        except OSError as error:
            raise _unreadable(path, error) from error


def read_regular(path: Path, max_bytes: int, advice: str, error: type[FaultbenchError] = DataError) -> bytes:
    """What stands in a file of bearable length; it may be empty.

    Args:
        path: The file; a symbolic link is followed.
        max_bytes: No more is read: a longer file is refused.
        advice: What to do where it cannot be used, for the message.
        error: What is raised.

    Raises:
        FaultbenchError: `error`, if the file cannot be read, is no regular file, or is too large.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            _check_kind(path, os.fstat(descriptor).st_mode, advice, error)
            stream = os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise
        with stream:
            pieces, held = [], 0
            while held <= max_bytes and (piece := stream.read(min(_PIECE_BYTES, max_bytes + 1 - held))):
                pieces.append(piece)
                held += len(piece)
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        raise error(f"{path} cannot be read ({_said(problem)}): {advice}") from problem
    if held > max_bytes:
        raise error(f"{path} is larger than {max_bytes // 2**20} MB: {advice}")
    return b"".join(pieces)


def file_digest(path: Path, max_bytes: int) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        DataError: As `open_regular`.
    """
    digest = hashlib.sha256()
    with open_regular(path, max_bytes) as (stream, _):
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _checked_size(path: Path, status: os.stat_result, max_bytes: int) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path} is not a regular file: name the file itself")
    if not status.st_size:
        raise DataError(f"{path} is empty: get the file again")
    if status.st_size > max_bytes:
        raise DataError(
            f"{path} has {status.st_size} bytes, more than the {max_bytes} it may have: check that it is the right file, or cut it"
        )
    return status.st_size


def _check_kind(path: Path, mode: int, advice: str, error: type[FaultbenchError]) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)  # as opening it says on other systems
    if not stat.S_ISREG(mode):
        raise error(f"{path} is {kind_of(mode)}, no regular file: {advice}")


def kind_of(mode: int) -> str:
    """What a file is, by `st_mode`: `a pipe`."""
    kinds = (
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISLNK, "a link"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for is_one, name in kinds if is_one(mode)), "a socket or the like")


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read, {_said(error)}: check the path and its permissions")


def _said(error: Exception) -> object:
    return error.strerror if isinstance(error, OSError) and error.strerror else error
