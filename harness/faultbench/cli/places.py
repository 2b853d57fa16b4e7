"""Places that results are written to: tried before any work, by writing, since permissions alone tell little of a read-only mount."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from faultbench.errors import UsageError

STDOUT = "-"


def check_file(option: str, file: str | None) -> None:
    """Checks that what an option names can be written; `-` and None are no files.

    Raises:
        UsageError: It cannot.
    """
    if file is not None and file != STDOUT:
        with writing(f"{option} {file}"):
            try_file(Path(file))


def write_whole(option: str, file: Path, content: bytes) -> None:
    """Writes a file that is there whole or not at all; what is no ordinary file (a pipe, a device) is written to as it is.

    Raises:
        UsageError: It cannot be written.
    """
    with writing(f"{option} {file}"):
        place = file.resolve()  # a link stays a link: the file that it leads to is replaced
        if place.exists() and not place.is_file():
            place.write_bytes(content)
            return
        beside = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            with beside.open("xb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
            beside.replace(place)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            raise


@contextlib.contextmanager
def writing(what: str) -> Iterator[None]:
    """Says in one line what the system refuses.

    Raises:
        UsageError: The body could not write.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"{what} cannot be written ({error.strerror}): name a place that can be written") from error


def try_file(file: Path) -> None:
    """Tries whether a file could be written, and leaves none."""
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    if file.is_file() or not file.exists():  # a pipe or a device is written to as it is
        try_folder(file.resolve().parent)


def try_folder(folder: Path) -> None:
    """Tries whether a folder takes a file, and leaves none."""
    with tempfile.TemporaryFile(dir=folder):
        pass
