"""The rows as a JSON document, the interface for other programs, and how a file of it is written."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from faultbench.errors import UsageError
from faultbench.results.row import PROTOCOL, SCHEMA, plain

STDOUT = "-"

_NUMBERS = re.compile(r"\[\n\s+([-+.\deE,\s]+?)\s+\]")
"""A list of numbers in indented JSON. No string can be taken for one: within a string a new line is written `\\n`."""

_ODD = "backslashreplace"
"""Half a character, from a file name that is no UTF-8 say, is written as JSON writes it."""


def document(rows: Iterable[Mapping[str, Any]], command: Sequence[str]) -> dict[str, Any]:
    """The document of a run: `{"schema": 1, "protocol": 1, "command": [...], "rows": [...]}`, plain JSON values throughout.

    Args:
        rows: As `results.row.row` makes them.
        command: The command's words, so that every figure can be repeated.

    Raises:
        UsageError: The rows are of several protocols.
    """
    made = [plain(row) for row in rows]
    protocols = sorted({row.get("protocol", PROTOCOL) for row in made})
    if len(protocols) > 1:
        said = " and ".join(map(str, protocols))
        raise UsageError(f"rows of protocols {said} cannot stand in one document: name results of one protocol")
    return {"schema": SCHEMA, "protocol": protocols[0] if protocols else PROTOCOL, "command": list(command), "rows": made}


def write_json(made: Mapping[str, Any], path: Path | str) -> None:
    """Writes a document to a file, or to standard output for `-`, as `write_text` does."""
    write_text(json_text(made), path)


def json_text(made: Mapping[str, Any]) -> str:
    """A document as JSON, indented, lists of numbers on one line."""
    text = json.dumps(made, indent=2, ensure_ascii=False, allow_nan=False)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def write_text(text: str, path: Path | str) -> None:
    """Writes a text to a file, or to standard output for `-`.

    A file is there whole or not at all: it is written under another name beside it, and renamed when it is on the disk. What
    is no ordinary file (a pipe, a device) is written to directly.

    Raises:
        UsageError: The file cannot be written.
    """
    if str(path) == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    # A link stays a link: the file that it leads to is replaced.
    place = Path(path).resolve()
    try:
        if place.exists() and not place.is_file():
            place.write_text(text, encoding="utf-8", errors=_ODD)
        else:
            _replace(place, text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}: name a file in a folder that can be written") from error


def _replace(place: Path, text: str) -> None:
    """Puts a text in a file's place in one step."""
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with beside.open("x", encoding="utf-8", errors=_ODD) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        raise
