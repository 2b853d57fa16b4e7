"""Columns of numbers out of the csv files that loggers and spreadsheets write: any of the usual delimiters, decimal commas, a preamble.

`csvfile.read_csv` is for a source whose layout is known to the letter. Here the layout is found in the file's first lines, and then held:
from the first line of numbers on, every line must have as many fields as that one, and the columns that are read must be numbers. pandas
does the reading; since it lets short and long lines pass where only some columns are asked for, the fields are counted before.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError
from faultbench.regularfile import open_regular

MAX_FILE_BYTES = 1024 * 1024 * 1024
_HEAD_BYTES = 256 * 1024
_PIECE_BYTES = 1024 * 1024
_MAX_PREAMBLE = 200
_MAX_COLUMNS = 4096
_MAX_ROWS = 200_000_000
_ROWS_SEEN = 50
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ("\t", ";", ",")
_NUMBERS = {
    ".": re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"),
    ",": re.compile(r"[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?"),
}
"""A number by the decimal sign."""
_HALF_A_NUMBER = re.compile(r"[+-]?0[0-9]+|-0")
"""What nobody writes as a whole number: beside a comma it is one side of a decimal comma."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The layout of a csv file, its numbers not yet read.

    Args:
        path: Where it lies.
        delimiter: Between columns.
        decimal: `.` or `,`.
        names: The lines above the numbers that have a field for each column, the nearest last: names, and perhaps units.
        numeric: Whether each column holds numbers in the first rows.
        first: The number of the first line of numbers, from 1.
    """

    path: Path
    delimiter: str
    decimal: str
    names: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    first: int

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.numeric)

    def column(self, name: str) -> int:
        """The number, from 0, of a column given by its name, or by its number from 1.

        Raises:
            DataError: There is none, or there are several.
        """
        if name.isascii() and name.isdecimal():
            if 1 <= int(name) <= self.columns:
                return int(name) - 1
        else:
            for line in reversed(self.names):
                if line.count(name) == 1:
                    return line.index(name)
                if name in line:
                    raise DataError(f"{self.path} has {line.count(name)} columns {_shown(name)}: give the column's number")
        raise DataError(f"{self.path} has no column {_shown(name)}, it holds {self.holdings()}: check the name, or give the number")

    def titles(self) -> tuple[str, ...]:
        """What to call the columns of numbers: the names above them, where these are there and differ, else their numbers."""
        for line in self.names:
            if len(set(line)) == self.columns and all(line) and not any(name.isdecimal() for name in line):
                break
        else:
            line = tuple(str(number + 1) for number in range(self.columns))
        return tuple(title for title, numeric in zip(line, self.numeric, strict=True) if numeric)

    def holdings(self) -> str:
        """The columns, for a message of one line."""
        titles = [title if title.isdecimal() else _shown(title) for title in self.titles()]
        return f"{len(titles)} columns of numbers ({', '.join(titles[:8])}{', ...' if len(titles) > 8 else ''})"

    def read(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Columns by their numbers, from 0: (column, row), finite.

        Raises:
            DataError: The file has changed, a line has another number of fields, or a field is no number; the message names the line.
        """
        import pandas as pd

        with open_regular(self.path, MAX_FILE_BYTES) as (stream, _):
            begin = self._begin(stream)
            rows = self._count(stream)
            stream.seek(begin)
            try:
                frame = pd.read_csv(
                    stream,
                    sep=self.delimiter,
                    decimal=self.decimal,
                    header=None,
                    usecols=list(columns),
                    dtype=np.float64,
                    engine="c",
                    quoting=csv.QUOTE_NONE,
                    na_filter=False,
                    skip_blank_lines=False,
                    encoding="latin-1",
                    low_memory=False,
                )
            except (ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
                stream.seek(begin)
                raise self._bad_line(stream, columns) from error
            if len(frame) != rows:
                raise DataError(f"{self.path} has changed while it was read: run again")
            found = np.stack([frame[column].to_numpy() for column in columns])
            if not np.isfinite(found).all():
                stream.seek(begin)
                raise self._bad_line(stream, columns)
        return found

    def _begin(self, stream: BinaryIO) -> int:
        """Where the first line of numbers begins; the stream stands there."""
        for _ in range(self.first - 1):
            stream.readline(_HEAD_BYTES)
        if self.first == 1 and stream.read(len(_BOM)) != _BOM:
            stream.seek(0)
        return stream.tell()

    def _count(self, stream: BinaryIO) -> int:
        """How many rows there are from here on, each with as many fields as there are columns."""
        rows = 0
        for piece in _lines(self.path, stream):
            characters = np.frombuffer(piece, dtype=np.uint8)
            if not characters.all() or piece.count(b"\r") != piece.count(b"\r\n"):
                raise DataError(f"{self.path} holds binary data, or ends of lines that are none: save it again as a csv file")
            ends = np.flatnonzero(characters == ord("\n"))
            fields = 1 + np.diff(np.searchsorted(np.flatnonzero(characters == ord(self.delimiter)), ends), prepend=0)
            wrong = np.flatnonzero(fields != self.columns)
            if len(wrong):
                line = self.first + rows + int(wrong[0])
                raise DataError(f"{self.path}, line {line}: {fields[wrong[0]]} fields where {self.columns} are expected: correct the line")
            rows += len(ends)
        if rows > _MAX_ROWS:
            raise DataError(f"{self.path} has {rows} rows, more than {_MAX_ROWS}: cut it")
        return rows

    def _bad_line(self, stream: BinaryIO, columns: Sequence[int]) -> DataError:
        """The error for the first field, from here on, that is no finite number."""
        line = self.first - 1
        for piece in _lines(self.path, stream):
            for row in piece.decode("latin-1").split("\n")[:-1]:
                line += 1
                fields = row.split(self.delimiter)
                for number in columns:
                    text, where = fields[number].strip(), f"{self.path}, line {line}, column {number + 1}"
                    if not _NUMBERS[self.decimal].fullmatch(text):
                        return DataError(f"{where}: {_shown(text)} is no number: correct the line")
                    if not np.isfinite(float(text.replace(",", "."))):
                        return DataError(f"{where}: {_shown(text)} is too large: correct the line")
        return DataError(f"{self.path} cannot be read as columns of numbers: check that it is a csv file")


def open_csv(path: Path, decimal: str = "", max_bytes: int = MAX_FILE_BYTES) -> CsvFile:
    """The layout of a csv file: columns of numbers between tabs, semicolons or commas, below a header or none.

    Args:
        path: The file.
        decimal: The decimal sign, `.` or `,`; empty finds it out. A file whose only commas could part columns as well as be decimal commas
            cannot be read without.
        max_bytes: A longer file is refused unread.

    Raises:
        DataError: It cannot be read, holds no columns of numbers, or can be read in two ways.
    """
    with open_regular(path, max_bytes) as (stream, _):
        head = stream.read(_HEAD_BYTES)
        whole = not stream.read(1)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is written in UTF-16: save it as UTF-8")
    if b"\0" in head:
        raise DataError(f"{path} holds binary data: check that it is a csv file")
    lines = [line.rstrip("\r") for line in _decoded(head.removeprefix(_BOM)).split("\n")]
    if not whole or not lines[-1]:
        lines.pop()
    signs = decimal or ".,"
    layouts = [found for delimiter in _DELIMITERS for sign in signs if (found := _layout(path, lines, delimiter, sign))]
    if not layouts and any(
        _layout(path, [line.replace('"', "") for line in lines], delimiter, sign) for delimiter in _DELIMITERS for sign in signs
    ):
        raise DataError(f"{path} holds its numbers in quotes: save it without quotes")
    if not layouts:
        raise DataError(f"{path} holds no lines of numbers: check that it is a csv file with a column for each signal")
    return _only(layouts)


def _layout(path: Path, lines: Sequence[str], delimiter: str, decimal: str) -> CsvFile | None:
    """The file read with this delimiter and decimal sign, or None where it is not laid out like that."""
    if delimiter == decimal:
        return None
    rows = [[field.strip() for field in line.split(delimiter)] for line in lines[: _MAX_PREAMBLE + _ROWS_SEEN]]
    alike = (
        i
        for i, (row, following) in enumerate(itertools.pairwise(rows))
        if len(row) == len(following) and _of_numbers(row, decimal) and _of_numbers(following, decimal)
    )
    first = next(alike, None)
    if first is None or len(rows[first]) > _MAX_COLUMNS:
        return None
    columns = len(rows[first])
    seen = [row for row in rows[first : first + _ROWS_SEEN] if len(row) == columns]
    if delimiter == "," and any(_HALF_A_NUMBER.fullmatch(field) for row in seen for field in row):
        return None
    numeric = tuple(all(_NUMBERS[decimal].fullmatch(row[i]) for row in seen[:2]) for i in range(columns))  # worse rows are errors, later
    names: list[tuple[str, ...]] = []
    for row in reversed(rows[:first]):
        if len(row) != columns:
            break
        names.insert(0, tuple(field.strip('"').lstrip("# ") for field in row))
    return CsvFile(path, delimiter, decimal, tuple(names), numeric, first + 1) if any(numeric) else None


def _of_numbers(fields: Sequence[str], decimal: str) -> bool:
    """Whether a line is one of numbers. Its first field may be anything (a time), and its last may be empty (a delimiter too many)."""
    rest = fields[1:-1] if len(fields) > 1 and not fields[-1] else fields[1:]
    return all(_NUMBERS[decimal].fullmatch(field) for field in rest or fields[:1])


def _only(layouts: Sequence[CsvFile]) -> CsvFile:
    """The layout that explains most: of those with the fewest lines above the numbers, the one with most columns.

    Raises:
        DataError: Commas could be either.
    """
    first = min(found.first for found in layouts)
    best = max((found for found in layouts if found.first == first), key=lambda found: found.columns)
    named = bool(best.names) and len(set(best.names[-1])) == best.columns
    if best.delimiter == "," and not named and any(found.decimal == "," for found in layouts if found.first == first):
        raise DataError(
            f"{best.path} can be read in two ways, its commas may part columns or be decimal commas: "
            "write a name above every column, semicolons between columns, or say the decimal sign"
        )
    return best


def _lines(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    """The rest of a file in pieces of whole lines; the last one ends in a line feed even where the file does not."""
    rest = b""
    while piece := stream.read(_PIECE_BYTES):
        piece = rest + piece
        end = piece.rfind(b"\n") + 1
        if not end and len(piece) > _PIECE_BYTES:
            raise DataError(f"{path} holds a line longer than {_PIECE_BYTES} bytes: check that it is a csv file")
        rest = piece[end:]
        if end:
            yield piece[:end]
    if rest:
        yield rest + b"\n"


def _decoded(text: bytes) -> str:
    """Names in UTF-8, as they should be, or in what Windows wrote before."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
