"""Columns of numbers out of a csv file: quickly, in bounded memory, and either every row or an error with its line.

A file is read in pieces of whole lines. In a piece, numpy finds all separators at once; the sixteen digits behind each point
are fetched as two 64-bit words and turned into a number by three multiplications a word (Lemire & Langdale, "simdjson", 2019,
`parse_eight_digits_unrolled`), for all fields of the piece together. That nothing but digits stood there is known from their
number in the whole piece. A field that this cannot settle (an exponent, no point, a value too close to the middle between two
float32) goes through Python's `float`, one by one; a piece that is not laid out as expected is read line by line, which is
what names the bad line.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError

MAX_FILE_BYTES = 1024 * 1024 * 1024
PIECE_BYTES = 512 * 1024
"""Read at once. The arrays made of a piece are some ten times as large, and should stay near the processor."""
_KEPT_BYTES = 16 * 1024 * 1024

_FRONT, _BACK = 8, 32
"""Bytes around a piece, so that what is fetched at its edges lies within the buffer."""
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA, _MINUS, _DOT, _LF, _CR, _ZERO, _NINE = (ord(c) for c in ",-.\n\r09")
_DIGITS = 16
"""Digits behind the point that make the number; those that follow are counted as digits and can change it by 1e-16."""
_LONGEST = 63
_MOST = float(np.finfo(np.float32).max)
_SMALL = 2.0**-11
"""From here on 1e-16 is less than `_NEAR` units in a float64's last place."""
_NEAR = 1024
_BELOW_FLOAT32 = 29
"""Bits of a float64 that a float32 has not."""
_NOT_ONE = 255
_BIT = np.full(256, _NOT_ONE, dtype=np.uint8)
"""Which bit is set, the highest first, of a byte with one."""
_BIT[[128 >> n for n in range(8)]] = np.arange(8)

_U64 = np.uint64
_ZEROS = _U64(0x3030303030303030)
_TEN, _SHIFT8, _SHIFT16, _SHIFT32, _EIGHT_PLACES = _U64(10), _U64(8), _U64(16), _U64(32), _U64(10**8)
_QUADS, _HIGH, _LOW = _U64(0x000000FF000000FF), _U64(0x000F424000000064), _U64(0x0000271000000001)
_MASKS = np.array([[(1 << 8 * min(max(n - word, 0), 8)) - 1 for n in range(_LONGEST + 1)] for word in (0, 8)], dtype=np.uint64)
"""(2, digits): what of the two words behind a point belongs to the number, by its digits there."""

_Places = NDArray[np.int64]
_Flags = NDArray[np.bool_]


def read_csv(path: Path, header: Sequence[str], rows: int | None = None, max_bytes: int = MAX_FILE_BYTES) -> NDArray[np.float32]:
    r"""The columns of a csv file, (column, row), each number the float32 nearest to `float(text)`; finite.

    Strict: the first line is the header and nothing else; every line ends in `\n` or `\r\n`, the last one too, for a last line
    without an end may be half a line; every row has as many fields as the header; a field is a decimal number
    (`-1.5`, `.5`, `2e-05`) without spaces or quotes.

    Args:
        path: The file.
        header: The names that the first line must hold.
        rows: How many rows there must be; None takes any number but none.
        max_bytes: A longer file is refused.

    Raises:
        DataError: The file cannot be read or is anything else; the message names the line.
    """
    _keep_memory()
    columns = len(header)
    if rows is not None and rows < 1:
        raise ValueError(f"rows is {rows}, at least 1 can be asked for")
    parts: list[NDArray[np.float32]] = []
    line, read = 1, 0
    for buffer, size in _pieces(path, max_bytes):
        begin = _FRONT
        if line == 1:
            begin = _after_header(path, header, buffer, size)
            line = 2
            if begin == _FRONT + size:
                continue
        part = _numbers(path, buffer, begin, _FRONT + size, columns, line)
        read += part.shape[1]
        line += part.shape[1]
        if rows is not None and read > rows:
            raise DataError(f"{path}, line {rows + 2}: there are more than {rows} rows: get the file again")
        parts.append(part)
    if read == 0 or (rows is not None and read != rows):
        expected = f"{rows} rows" if rows is not None else "rows"
        raise DataError(f"{path} ends after line {line - 1}, it holds {read} rows where {expected} are expected: get the file again")
    return np.concatenate(parts, axis=1)


@functools.cache
def _keep_memory() -> None:
    """Lets the C library keep the memory of arrays between pieces.

    glibc gives large blocks back to the system at once, and the pages of the next array are made anew: more than half of the
    time. It keeps blocks up to the size of the largest that was freed so far (mallopt(3), M_MMAP_THRESHOLD).
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


def _pieces(path: Path, max_bytes: int) -> Iterator[tuple[bytearray, int]]:
    """A buffer that holds whole lines behind `_FRONT` bytes, and their size; the next piece lies in the same buffer."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise DataError(f"{path} is not a regular file: give the csv file itself")
    buffer = bytearray(_FRONT + PIECE_BYTES + _BACK)
    held = done = 0
    try:
        with path.open("rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > max_bytes:
                raise DataError(f"{path} has {size} bytes, more than the {max_bytes} it may have: check that it is the right file")
            view = memoryview(buffer)
            while count := stream.readinto(view[_FRONT + held : _FRONT + PIECE_BYTES]):
                held += count
                end = buffer.rfind(b"\n", _FRONT, _FRONT + held) + 1
                if not end:
                    if held == PIECE_BYTES:
                        raise DataError(
                            f"{path}, line {_line_at(path, done)}: is longer than {PIECE_BYTES} bytes: check that it is the right file"
                        )
                    continue
                yield buffer, end - _FRONT
                done += end - _FRONT
                rest = bytes(view[end : _FRONT + held])
                held = len(rest)
                view[_FRONT : _FRONT + held] = rest
    except OSError as error:
        raise DataError(f"{path} cannot be read, {error.strerror or error}: check the path and its permissions") from error
    if held:
        last = _shown(bytes(buffer[_FRONT : _FRONT + held]))
        raise DataError(f"{path}, line {_line_at(path, done)}: ends in the middle ({last} without an end of line): get the file again")


def _after_header(path: Path, header: Sequence[str], buffer: bytearray, size: int) -> int:
    """Where the first row begins."""
    end = buffer.index(b"\n", _FRONT, _FRONT + size)
    found = bytes(buffer[_FRONT:end])
    expected = ",".join(header)
    if found.removesuffix(b"\r") != expected.encode():
        raise DataError(f"{path}, line 1: the header is {_shown(found)}, not {expected}: check that it is the right file")
    return end + 1


def _line_at(path: Path, offset: int) -> int:
    """The number of the line that begins at an offset."""
    with path.open("rb") as stream:
        return 1 + sum(stream.read(min(PIECE_BYTES, offset - at)).count(b"\n") for at in range(0, offset, PIECE_BYTES))


def _numbers(path: Path, buffer: bytearray, begin: int, end: int, columns: int, line: int) -> NDArray[np.float32]:
    """(column, row): the rows of a piece, whose first has the number `line`."""
    characters = np.frombuffer(buffer, dtype=np.uint8)
    found = _fields(characters, begin, end, columns)
    if found is None:
        return _line_by_line(path, bytes(buffer[begin:end]), columns, line)
    starts, ends, separators = found
    numbers, unsettled, minus = _parsed(buffer, characters, starts, ends)
    body = characters[begin:end]
    others = len(body) - int(np.count_nonzero(body - np.uint8(_ZERO) < 10)) - separators
    # A settled field has one point, perhaps a minus, and digits: whether the rest of it are digits is told by their number.
    if others != _others(buffer, starts, ends, minus, unsettled):
        # An exponent, as a rule. What else it may be is found where the field is read by itself, or the lines.
        for column in np.split(np.arange(len(starts)), columns):
            letters = np.flatnonzero(body > _NINE) + begin
            unsettled[column[np.searchsorted(ends[column], letters).clip(max=len(column) - 1)]] = True
        if others != _others(buffer, starts, ends, minus, unsettled):
            return _line_by_line(path, bytes(buffer[begin:end]), columns, line)
    rows = len(starts) // columns
    for field in np.flatnonzero(unsettled).tolist():
        numbers[field] = _number(path, bytes(buffer[starts[field] : ends[field]]), line + field % rows)
    return numbers.reshape(columns, rows)


def _others(buffer: bytearray, starts: _Places, ends: _Places, minus: _Flags, unsettled: _Flags) -> int:
    """How many characters of the fields are no digits, if all settled ones are numbers."""
    fields = np.flatnonzero(unsettled)
    strange = sum(len(buffer[starts[field] : ends[field]].translate(None, b"0123456789")) for field in fields)
    return len(starts) + int(np.count_nonzero(minus)) + strange - len(fields) - int(np.count_nonzero(minus[fields]))


def _fields(characters: NDArray[np.uint8], begin: int, end: int, columns: int) -> tuple[_Places, _Places, int] | None:
    """Where each field begins and ends, column by column, and how many separators there are; None where rows differ in layout."""
    body = characters[begin:end]
    places = _set_places((body == _COMMA) | (body == _LF))
    rows, rest = divmod(len(places), columns)
    layout = bytes([_COMMA] * (columns - 1) + [_LF])
    if rest or body[places].tobytes() != layout * rows:
        return None
    places += begin
    grid = places.reshape(rows, columns).T
    starts, ends = np.empty((2, columns, rows), dtype=np.int64)
    ends[:] = grid
    starts[0, 0] = begin
    starts[0, 1:] = grid[-1, :-1] + 1
    starts[1:] = grid[:-1] + 1
    returns = characters[ends[-1] - 1] == _CR
    if returns.all():
        ends[-1] -= 1
    elif returns.any():
        return None
    return starts.reshape(-1), ends.reshape(-1), rows * (columns + bool(returns.all()))


def _set_places(mask: _Flags) -> _Places:
    """`np.flatnonzero`, at half its time where at most one in eight is set: eight flags are looked at as one byte."""
    packed = np.packbits(mask)
    found = np.flatnonzero(packed != 0)
    bits = _BIT[packed[found]]
    if (bits == _NOT_ONE).any():
        return np.flatnonzero(mask)
    found <<= 3
    found += bits
    return found


def _parsed(buffer: bytearray, characters: NDArray[np.uint8], starts: _Places, ends: _Places) -> tuple[NDArray[np.float32], _Flags, _Flags]:
    """(field,): the numbers, which of them are not settled, and which have a minus."""
    minus = characters[starts] == _MINUS
    first = starts + minus
    whole = characters[first] - np.uint8(_ZERO)
    first += 1
    unsettled = (characters[first] != _DOT) | (whole > 9)
    if unsettled.any():
        _two_digits(characters, first, whole, unsettled)
    first += 1  # behind the point
    fraction = ends - first
    unsettled |= (fraction < 1) | (fraction > _LONGEST)
    shortest = max(int(fraction.min()), 0)
    if shortest < 1 or int(fraction.max()) > _LONGEST:
        np.clip(fraction, 0, _LONGEST, out=fraction)
    pairs = np.ndarray((len(buffer) - _DIGITS,), dtype=f"V{_DIGITS}", buffer=buffer, strides=(1,))
    words: NDArray[np.uint64] = pairs[first].view("<u8").astype(np.uint64, copy=False).reshape(-1, 2)
    words ^= _ZEROS
    if shortest < _DIGITS:
        for word in range(shortest // 8, 2):
            words[:, word] &= _MASKS[word][fraction]
    number = _sixteen_digits(words).astype(np.float64)
    number *= 1e-16
    number += whole

    nearest = number.astype(np.float32)
    near = number.view(np.int64) + ((1 << (_BELOW_FLOAT32 - 1)) + _NEAR)
    near &= (1 << _BELOW_FLOAT32) - 1
    unsettled |= near < 2 * _NEAR
    small = np.flatnonzero(number < _SMALL)
    # Two to the -50 is more than what the roundings above make of a number. Where both ends are one float32, so is what lies between.
    margin = number[small] * 2.0**-50 + np.where(fraction[small] > _DIGITS, 1.001e-16, 0.0)
    unsettled[small] |= (number[small] - margin).astype(np.float32) != (number[small] + margin).astype(np.float32)
    signed = nearest.view(np.uint32)
    signed |= minus.astype(np.uint32) << np.uint32(31)
    return nearest, unsettled, minus


def _two_digits(characters: NDArray[np.uint8], second: _Places, whole: NDArray[np.uint8], unsettled: _Flags) -> None:
    """Settles fields with two digits before the point, in place; `second` becomes the place of the point."""
    rest = np.flatnonzero(unsettled)
    ones = characters[second[rest]] - np.uint8(_ZERO)
    good = (whole[rest] < 10) & (ones < 10) & (characters[second[rest] + 1] == _DOT)
    settled = rest[good]
    whole[settled] = whole[settled] * np.uint8(10) + ones[good]
    second[settled] += 1
    unsettled[settled] = False


def _sixteen_digits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(field, 2) to (field,): the number that sixteen digits (0 to 9, a byte each, the first in the lowest) spell. `words` is used up."""
    other = words >> _SHIFT8
    words *= _TEN
    words += other
    np.right_shift(words, _SHIFT16, out=other)
    other &= _QUADS
    other *= _LOW
    words &= _QUADS
    words *= _HIGH
    words += other
    words >>= _SHIFT32
    return words[:, 0] * _EIGHT_PLACES + words[:, 1]


def _line_by_line(path: Path, text: bytes, columns: int, line: int) -> NDArray[np.float32]:
    """(column, row), slowly: what is well-formed in an unusual way, and the error for what is not."""
    rows = []
    for number, row in enumerate(text.split(b"\n")[:-1], start=line):
        fields = row.removesuffix(b"\r").split(b",")
        if len(fields) != columns:
            raise DataError(f"{path}, line {number}: {len(fields)} fields where {columns} are expected: get the file again")
        rows.append([_number(path, field, number) for field in fields])
    return np.array(rows, dtype=np.float32).reshape(-1, columns).T


def _number(path: Path, text: bytes, line: int) -> np.float32:
    if not _NUMBER.fullmatch(text):
        raise DataError(f"{path}, line {line}: {_shown(text)} is no number: get the file again")
    value = float(text)
    if not abs(value) <= _MOST:
        raise DataError(f"{path}, line {line}: {_shown(text)} is beyond what a signal can hold: get the file again")
    return np.float32(value)


def _shown(text: bytes) -> str:
    """Text of a file as it can stand in a message of one line."""
    return ascii(text[:60].decode("ascii", "backslashreplace")) + ("..." if len(text) > 60 else "")
