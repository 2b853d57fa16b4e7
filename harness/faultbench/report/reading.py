"""Documents of runs, read back: files from outside, believed only as far as the schema holds them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from faultbench.discovery import one_line
from faultbench.errors import DataError
from faultbench.regularfile import read_regular
from faultbench.report.schema import check, versioned
from faultbench.results.row import SCHEMA

MOST_BYTES = 256 << 20
"""A thousand rows take some thirty megabytes; what is ten times that is no result, or would fill the memory."""
_ADVICE = "name a file that `faultbench run --json` wrote"


def read_document(path: Path | str) -> dict[str, Any]:
    """The document that `faultbench run --json` wrote to a file; `-` reads standard input.

    Raises:
        DataError: There is no such file, or it is none of a run, or of another version of the schema.
    """
    name = "standard input" if str(path) == "-" else str(path)
    made = _parsed(_text(path, name), name)
    found = versioned(made)
    if isinstance(found, int) and not isinstance(found, bool) and found != SCHEMA:
        raise DataError(f"{name} is of schema {found}, this faultbench reads {SCHEMA}: read it with the version that wrote it")
    check(made, "run", name)
    document: dict[str, Any] = made
    return document


def _text(path: Path | str, name: str) -> str:
    try:
        if str(path) == "-":
            text = sys.stdin.read(MOST_BYTES + 1)
        else:
            return read_regular(Path(path), MOST_BYTES, _ADVICE).decode("utf-8")
    except OSError as error:
        raise DataError(f"{name} cannot be read ({error.strerror}): {_ADVICE}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is no JSON (no UTF-8): {_ADVICE}") from error
    if len(text) > MOST_BYTES:
        raise DataError(f"{name} is larger than {MOST_BYTES >> 20} MB: {_ADVICE}")
    return text


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is no JSON ({one_line(str(error), 100)}): {_ADVICE}") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
