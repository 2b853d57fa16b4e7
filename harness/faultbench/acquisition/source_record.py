"""What is recorded beside the files of a data set: where each came from, when, its digest, the licence, and how to cite it.

`SOURCE.json` in the data set's folder is for people and for `faultbench data verify`. It is read strictly and trusted little: it can
show that a file has changed since it was got, never that it is the official one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from faultbench import __version__
from faultbench.acquisition.publication import Publication
from faultbench.acquisition.space import cannot_write
from faultbench.errors import DataError

FILE = "SOURCE.json"
FORMAT = 1
_LONGEST = 64 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SAVE_EVERY_S = 2.0
"""Many small files are written down together."""
_FIELDS = {"from": str, "got": str, "bytes": int, "sha256": str, "faultbench": str}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file came from.

    Args:
        came_from: An address, or a path of the user's.
        got: When, UTC, as `2026-01-31T12:00:00Z`.
        size_bytes: Of the file.
        sha256: Of the file, in hexadecimal.
        faultbench: The version that got it.
    """

    came_from: str
    got: str
    size_bytes: int
    sha256: str
    faultbench: str = __version__


def origin_now(came_from: str, size_bytes: int, sha256: str) -> Origin:
    """The origin of a file that has just come."""
    return Origin(came_from, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), size_bytes, sha256)


def read_origins(folder: Path) -> dict[str, Origin]:
    """What is recorded of the files in a folder, by path; empty where nothing is.

    Raises:
        DataError: The record is damaged.
    """
    path = folder / FILE
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as stream:
            content = stream.read(_LONGEST + 1)
        return _origins(content)
    except OSError as error:
        raise DataError(f"{path} cannot be read, {error.strerror or error}: check its permissions") from error
    except (ValueError, RecursionError) as error:
        said = str(error) or type(error).__name__
        raise DataError(f"{path} is damaged ({said}): move it away; the files beside it are not touched") from error


def _origins(content: bytes) -> dict[str, Origin]:
    if len(content) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} bytes")
    said = json.loads(content)
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError(f"it is no record of format {FORMAT}")
    files = said.get("files")
    if not isinstance(files, dict):
        raise ValueError("it has no table of files")  # noqa: TRY004 - the file's fault, not a caller's
    found = {}
    for path, entry in files.items():
        if not isinstance(entry, dict) or entry.keys() != _FIELDS.keys():
            raise ValueError(f"the entry of {path[:80]!a} has other fields than {', '.join(_FIELDS)}")
        for key, kind in _FIELDS.items():
            if type(entry[key]) is not kind:  # a bool is no int here
                raise ValueError(f"{key} of {path[:80]!a} is no {kind.__name__}")
        if not _DIGEST.fullmatch(entry["sha256"]):
            raise ValueError(f"sha256 of {path[:80]!a} is no digest")
        found[path] = Origin(entry["from"], entry["got"], entry["bytes"], entry["sha256"], entry["faultbench"])
    return found


class SourceRecord:
    """The record of a folder, kept while files arrive."""

    def __init__(self, folder: Path, dataset: str, publication: Publication) -> None:
        self._folder, self._dataset, self._publication = folder, dataset, publication
        self._origins = read_origins(folder)
        self._saved_at = time.monotonic()
        self._new = False

    @property
    def origins(self) -> dict[str, Origin]:
        """By path."""
        return dict(self._origins)

    def add(self, path: str, origin: Origin) -> None:
        """Notes where a file came from; it is on the disk soon, at the latest with `save`.

        Raises:
            DataError: It cannot be written.
        """
        self._origins[path], self._new = origin, True
        if time.monotonic() - self._saved_at > _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Writes what is new, all or nothing.

        Raises:
            DataError: It cannot be written.
        """
        if not self._new:
            return
        of = self._publication
        said = {
            "format": FORMAT,
            "dataset": self._dataset,
            "homepage": of.homepage,
            "licence": of.licence,
            "terms": of.terms,
            "cite": of.cite,
            "files": {path: _entry(origin) for path, origin in sorted(self._origins.items())},
        }
        path = self._folder / FILE
        try:
            with _whole(path) as stream:
                json.dump(said, stream, indent=1, ensure_ascii=False)
                stream.write("\n")
        except OSError as error:
            raise cannot_write(path, error) from error
        self._new, self._saved_at = False, time.monotonic()


def _entry(origin: Origin) -> dict[str, Any]:
    return {
        "from": origin.came_from,
        "got": origin.got,
        "bytes": origin.size_bytes,
        "sha256": origin.sha256,
        "faultbench": origin.faultbench,
    }


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Any]:
    """A text stream to a file that is there when the body ends well, and as it was before where it does not."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:  # noqa: PTH123 - it is open already
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
