"""A table to begin with: a line for every signal that a folder holds, with what the files say of themselves."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path

from faultbench.api import DataError
from faultbench_datasets.folder.signals import KINDS, offered
from faultbench_datasets.folder.table import CSV, TABLES

COLUMNS = ("file", "channel", "label", "machine", "mounting", "bearing", "session", "load", "speed", "rate", "unit", "scale", "geometry")
_MOST_FILES = 100_000
_MOST_FOLDERS = 10_000
"""Somebody will name the root of a disk one day."""
_DIGITS = re.compile(r"([0-9]+)")


def files_in(root: Path) -> list[str]:
    """The files of a folder and of the folders in it that could be recordings, as a table names them; hidden ones are left out."""
    found: list[str] = []
    for number, (folder, inner, names) in enumerate(os.walk(root)):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        at = Path(folder)
        for name in names:
            if name.startswith(".") or Path(name).suffix.lower() not in KINDS or (at == root and name in TABLES) or not name.isprintable():
                continue
            if (at / name).is_file():
                found.append((at / name).relative_to(root).as_posix())
        if len(found) > _MOST_FILES or number > _MOST_FOLDERS:
            break
    return sorted(found[:_MOST_FILES], key=_natural)


def template(root: Path) -> str:
    """The text of `recordings.csv` with a line for every signal of a folder.

    Raises:
        DataError: There are none, or there is a table already: what was filled in by hand is easily written over.
    """
    table = root / CSV
    if table.exists() and not (table.is_file() and table.stat().st_size == 0):  # empty where the shell has just made it for the output
        raise DataError(f"{table} is there already: fill that in, or move it away to begin another")
    files = files_in(root)
    if not files:
        raise DataError(f"{root} holds no {', '.join(KINDS)} file: name the folder of the recordings")
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for file in files:
        try:
            rate_hz, channels = offered(root / file)
        except DataError:
            rate_hz, channels = None, ()  # `data check` says what is wrong with it
        for channel in channels if len(channels) > 1 else ("",):
            # A spreadsheet takes a cell that begins like a formula for one.
            name = file if file[0] not in "=+-@" else f"./{file}"
            writer.writerow({"file": name, "channel": channel, "rate": "" if rate_hz is None else f"{rate_hz:g}"})
    return text.getvalue()


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Numbers in a name by their size: 2.csv before 10.csv."""
    return [(0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in _DIGITS.split(name)]
