"""MATLAB files from outside, read without trusting them.

scipy says of `loadmat` that it is not hardened against hostile files. A file whose SHA-256 is known may therefore be read in
this process, any other is by a persistent child process with limits of memory and time (`matfile_reader`, `matfile_child`), which
returns plain arrays and no objects. (Where a child is there already, it reads those that are known too: scipy need not be imported
twice.) The bytes that are hashed are the bytes that are parsed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.data.filenotes import noted
from faultbench.data.matfile_reader import READER, AbsentError, ReaderError, UnfitError, Variables
from faultbench.errors import DataError

MAX_FILE_BYTES = 256 * 1024 * 1024
TIMEOUT_S = 60.0
_NAMES_SHOWN = 8
_HEADERS_VERSION = 1
"""To be raised when `mat_headers` keeps something else of a file."""
_MAX_CUT_BYTES = 1 << 20
"""What headers take of a file that is laid out as usual is less; more than that is not kept for long."""
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class MatVariable:
    """A variable of a MATLAB file, as its header describes it.

    Args:
        shape: Its dimensions.
        kind: Its MATLAB class (`double`, `struct`, ...).
    """

    shape: tuple[int, ...]
    kind: str

    @property
    def size(self) -> int:
        """How many elements it says it has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class MatHeader:
    """What the headers of a MATLAB file say.

    Args:
        path: The file.
        sha256: Of its content, in hexadecimal.
        variables: What it holds, by name.
        numbers: The values of those variables that were asked for and are one number.
    """

    path: Path
    sha256: str
    variables: Mapping[str, MatVariable]
    numbers: Mapping[str, float]

    def holdings(self) -> str:
        """The names of its variables, for a message of one line."""
        names = [name if name.isidentifier() and len(name) < 64 else ascii(name[:60]) for name in self.variables]
        more = len(names) - _NAMES_SHOWN
        return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "") or "nothing"


@dataclass(frozen=True, slots=True)
class MatFile:
    """A MATLAB file's content, not yet parsed.

    Args:
        path: Where it was read from.
        content: All of it.
        sha256: Of the content, in hexadecimal.
        known: Whether that digest is one that the caller vouches for.
        timeout_s: How long the child process may take over one request.
    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str
    known: bool
    timeout_s: float = TIMEOUT_S

    def header(self, *numbers: str) -> MatHeader:
        """What the file holds, from its headers, which are read without the signals.

        Args:
            numbers: Variables whose value is wanted too, where it is one number.

        Raises:
            DataError: It is damaged, or not what it claims to be, or one of those is a single something else, or not finite.
        """
        with self._readable():
            if self._inside:
                from faultbench.data import matfile_child

                try:
                    listed, found = matfile_child.look(self.content, numbers)
                except matfile_child.UnfitError as error:
                    raise UnfitError(str(error)) from error
            else:
                listed, found = _asked(_cut(self.content), lambda: self.content, numbers, self.timeout_s)
        return self._header(listed, found)

    def variables(self) -> dict[str, MatVariable]:
        """What the file holds, by name, as `header` says it."""
        return dict(self.header().variables)

    def fields(self, *structs: str) -> dict[str, MatVariable]:
        """What the fields of structs hold, by their paths (`run.acc`), as `read` takes them; the structs are read for it.

        A field that is a struct array, or a struct too deep inside, is listed as one. Complex numbers are of the kind `complex`.

        Args:
            structs: Variables; one that is no struct is listed itself.

        Raises:
            DataError: The file is damaged.
        """
        with self._readable():
            if self._inside:
                from faultbench.data.matfile_child import fields

                listed = fields(self.content, structs)
            else:
                listed = READER.fields(self.content, structs, self.timeout_s)
        return {path: MatVariable(shape, kind) for path, shape, kind in listed}

    def holdings(self) -> str:
        """The names of its variables, for a message of one line."""
        return self.header().holdings()

    def read(self, *names: str, single: bool = False) -> dict[str, NDArray[Any]]:
        """The named variables, each finite and numeric, in the shape that the file gives them.

        Args:
            names: Variables, or paths into structs, a step for each field: `run.Y[Name=vibration_1][Raster=fast].Data` is the field
                `Data` of the one entry of `run.Y` whose fields `Name` and `Raster` hold these texts.

            single: Whether float64 is rounded to float32, to the nearest.

        Returns:
            By the name or path as it was given.

        Raises:
            DataError: The file is damaged, or one of the variables is missing, not numeric, or not finite.
        """
        with self._readable():
            if self._inside:
                from faultbench.data import matfile_child

                try:
                    arrays = matfile_child.load(self.content, names, single)
                except matfile_child.LeafError as error:
                    raise AbsentError(str(error)) from error
                except matfile_child.UnfitError as error:
                    raise UnfitError(str(error)) from error
            else:
                arrays = READER.load(self.content, names, self.timeout_s, single)
        for name in names:
            if name not in arrays:
                variable = name.split(".")[0].split("[")[0]
                raise DataError(
                    f"{self.path} has no variable {variable}, it holds {self.holdings()}: check that this is the file its name says"
                )
            if not np.isfinite(arrays[name]).all():
                beyond = " or too large for float32" if single else ""
                raise DataError(f"variable {name} of {self.path} holds values that are not finite{beyond}: get the file again")
        return arrays

    def _header(self, listed: Variables, numbers: Mapping[str, float]) -> MatHeader:
        for name, value in numbers.items():
            if not math.isfinite(value):
                raise DataError(f"variable {name} of {self.path} is not finite: get the file again")
        return MatHeader(self.path, self.sha256, {name: MatVariable(shape, kind) for name, shape, kind in listed}, numbers)

    @property
    def _inside(self) -> bool:
        return self.known and not (READER is not None and READER.running)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except AbsentError as error:
            raise DataError(f"{self.path} is not laid out as expected ({error}): check that this is the file its name says") from error
        except UnfitError as error:
            raise DataError(f"{self.path}: {error}: name another, or save the real numbers of a signal") from error
        except (ReaderError, ValueError) as error:
            raise DataError(f"{self.path} cannot be read as a MATLAB file ({error}): it is damaged, get it again") from error


def open_mat(path: Path, known: Collection[str] = (), max_bytes: int = MAX_FILE_BYTES, timeout_s: float = TIMEOUT_S) -> MatFile:
    """The content of a MATLAB file (version 4 to 7.2).

    Args:
        path: The file.
        known: The SHA-256 digests of files that may be parsed in this process.
        max_bytes: A longer file is refused unread.
        timeout_s: How long the child process may take over one request.

    Raises:
        DataError: It cannot be read, is too large, or is at first sight no such file.
    """
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise DataError(f"{path} is not a regular file: give the MATLAB file itself")
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            # of its size, for Python makes room for as much as is asked for; one more, for it may have grown meanwhile
            content = b"" if size > max_bytes else stream.read(size + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read, {error.strerror or error}: check the path and its permissions") from error
    if size > max_bytes:
        raise DataError(f"{path} has {size} bytes, more than the {max_bytes} it may have: check that it is the right file")
    if len(content) > size:
        raise DataError(f"{path} grew while it was read: wait until it is complete")
    if (problem := _no_mat_file(content)) is not None:
        raise DataError(f"{path} {problem}")
    digest = hashlib.sha256(content).hexdigest()
    return MatFile(path, content, digest, digest in known, timeout_s)


def mat_headers(
    dataset: str,
    version: str,
    files: Sequence[Path],
    numbers: Callable[[Path], Sequence[str]],
    known: Collection[str] = (),
    max_bytes: int = MAX_FILE_BYTES,
) -> list[MatHeader]:
    """What the headers of MATLAB files say, in their order. A file is read again only where it has changed (`noted`).

    Args:
        dataset: Whose files; a name that can be a file's.
        version: Changes whenever other numbers are wanted of the same file.
        files: The files.
        numbers: Which variables' values are wanted of a file, as in `MatFile.header`.
        known: As in `open_mat`.
        max_bytes: As in `open_mat`.

    Raises:
        DataError: One cannot be read, or is damaged.
    """

    def opened(path: Path) -> MatHeader | _Cut:
        mat = open_mat(path, known, max_bytes)
        if not mat._inside:
            READER.start()
            part = _cut(mat.content)
            if len(part) <= _MAX_CUT_BYTES:
                return _Cut(dataclasses.replace(mat, content=b""), part)
        return mat.header(*numbers(path))

    def said(opened: MatHeader | _Cut) -> dict[str, Any]:
        header = opened if isinstance(opened, MatHeader) else opened.header(numbers(opened.mat.path), known, max_bytes)
        variables = {name: [variable.shape, variable.kind] for name, variable in header.variables.items()}
        return {"sha256": header.sha256, "variables": variables, "numbers": dict(header.numbers)}

    def header(path: Path, note: Mapping[str, Any]) -> MatHeader:
        variables = {name: MatVariable(tuple(shape), kind) for name, (shape, kind) in note["variables"].items()}
        return MatHeader(path, note["sha256"], variables, note["numbers"])

    return list(map(header, files, noted(dataset, f"{_HEADERS_VERSION} {version}", files, opened, finish=said, cheap=True)))


@dataclass(frozen=True, slots=True)
class _Cut:
    """As much of a file as the child has to be shown of it, kept while the child starts and other files are hashed.

    Args:
        mat: The file, without its content.
        part: Of the content.
    """

    mat: MatFile
    part: bytes = field(repr=False)

    def header(self, numbers: Sequence[str], known: Collection[str], max_bytes: int) -> MatHeader:
        """What the file holds.

        Raises:
            DataError: As from `MatFile.header`; or it has changed since it was cut.
        """

        def whole() -> bytes:
            again = open_mat(self.mat.path, known, max_bytes)
            if again.sha256 != self.mat.sha256:
                raise DataError(f"{self.mat.path} changed while it was read: wait until it is complete")
            return again.content

        with self.mat._readable():
            listed, found = _asked(self.part, whole, numbers, self.mat.timeout_s)
        return self.mat._header(listed, found)


def _cut(content: bytes) -> bytes:
    from faultbench.data.matfile_child import cut

    return cut(content)


def _asked(part: bytes, whole: Callable[[], bytes], numbers: Sequence[str], timeout_s: float) -> tuple[Variables, dict[str, float]]:
    """What the child says of the headers of a file, from a part of it; from the whole where that is not enough."""
    try:
        return READER.look(part, numbers, timeout_s)
    except UnfitError:
        raise
    except ReaderError:
        content = whole()
        if len(content) == len(part):
            raise
        return READER.look(content, numbers, timeout_s)


def _no_mat_file(content: bytes) -> str | None:
    if not content:
        return "is empty: get the file again"
    if content.startswith((_HDF5, b"MATLAB 7.3")) or content[512:520] == _HDF5:
        return "is a MATLAB 7.3 (HDF5) file: save it again in MATLAB with save(..., '-v7')"
    if content.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the file itself: fetch it with git lfs pull"
    if content[:256].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page, not a MATLAB file: download it again"
    return None
