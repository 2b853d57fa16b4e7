"""Room on the disk: whether there is enough before something is written, and how its absence is said."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from faultbench.errors import DataError

SPARE_BYTES = 200 * 1000**2
"""What is left free: a disk that is full to the last byte stops other programs too."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def size_text(size_bytes: int) -> str:
    """A size for people: `3.9 MB`."""
    size, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" or size >= 99.5 else f"{size:.1f} {units[0]}"


def count_text(count: int, noun: str) -> str:
    """A number of things: `1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def check_room(folder: Path, needed_bytes: int, what: str) -> None:
    """Returns where a folder, or the nearest one above it that exists, has room for so much and something to spare.

    Raises:
        DataError: It has not.
    """
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise DataError(f"{there} cannot be asked for its room, {error.strerror or error}: check its permissions") from error
    if free < needed_bytes + SPARE_BYTES:
        lacking = f"{size_text(needed_bytes)} and {size_text(SPARE_BYTES)} to spare, {size_text(free)} are free"
        raise DataError(f"there is no room for {what} in {folder} ({lacking}): make room, or give another --data-dir")


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room left, or not for this user."""
    return error.errno in _FULL


def cannot_write(place: Path, error: OSError) -> DataError:
    """What to say where something could not be written."""
    if is_full(error):
        return DataError(f"{place} cannot be written, {error.strerror}: make room; the same command then goes on from here")
    return DataError(f"{place} cannot be written, {error.strerror or error}: check its permissions, or give another --data-dir")
