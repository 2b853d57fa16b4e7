"""Columns of numbers out of a csv file: quickly, in bounded memory, and either every row or an error with its line.

`benchmarks/xjtu_ingest.py` compares it with libraries: pyarrow and polars keep the processor busy for longer, and take blanks, `nan`
and a last line without an end as if they were meant.

A file is read in pieces of whole lines. In a piece, numpy finds all separators at once; the sixteen bytes from the first digit
of each field on (as a rule a digit, the point, fourteen digits) are fetched as two 64-bit words and turned into a number by
three multiplications a word (Langdale & Lemire 2019, Parsing gigabytes of JSON per second, VLDB J. 28, sect. 3.2.1; their
`parse_eight_digits_unrolled`), for all fields of the piece together. That nothing but digits stood there is known from their
number in the whole piece. What this cannot settle (an exponent, no point, three digits before it, a value too close to the middle
between two float32) goes through Python's `float`; a piece that is not laid out as expected is read line by line, which is what
names the bad line.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError

MAX_FILE_BYTES = 1024 * 1024 * 1024
PIECE_BYTES = 2 * 1024 * 1024
"""Read at once. The arrays made of a piece are some ten times as large. The fewer pieces, the less do threads that read wait for one
another: between any two of numpy's loops one of them has the interpreter."""
_KEPT_BYTES = 16 * 1024 * 1024

_BACK = 32
"""Bytes behind a piece, so that what is fetched at its end lies within the buffer."""
_NUMBER = r"[+-]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+"
_ONE, _MANY = re.compile(_NUMBER.encode()), re.compile(rf"(?:{_NUMBER}\n)*+".encode())
_COMMA, _MINUS, _POINT, _LF, _CR, _ZERO = (ord(c) for c in ",-.\n\r0")
_FETCHED = 16
_DIGITS = 14
"""Digits behind the point that make the number."""
_OFF = 5e-14
"""More than a field below 100 can be off: 1e-14 for the digits left out, and five roundings of 7e-15, that of `float` among them."""
_MOST = float(np.finfo(np.float32).max)
_EXPONENT_OF_HIGHEST = 127 + 7
"""The exponent that a float32 stores of a byte whose highest bit is set."""
_FRACTION_BITS = 23

_U64 = np.uint64
_UPPER = 1 if sys.byteorder == "little" else 0
"""Which half of a word in memory is its upper one."""
_ZEROS = _U64(0x3030303030303030)
_PAIRS, _SHIFT8, _SHIFT16, _QUADS, _HIGH, _LOW = map(_U64, (2561, 8, 16, 0x000000FF000000FF, 0x000F424000000064, 0x0000271000000001))
_BEHIND_POINT = _U64(0xFFFFFFFFFFFF0000)
_POINT_BEHIND = np.uint16((_POINT ^ _ZERO) << 8)
_MASKS = np.array([[(1 << 8 * min(max(n - word, 0), 8)) - 1 for word in (-2, 6)] for n in range(_DIGITS + 1)], dtype=np.uint64)
"""(digits, 2): what of the two words belongs to the number, by its digits behind the point."""

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
    for buffer, end in _pieces(path, max_bytes):
        begin = 0
        if line == 1:
            begin = _after_header(path, header, buffer, end)
            line = 2
            if begin == end:
                continue
        part = _numbers(path, buffer, begin, end, columns, line)
        read += len(part)
        line += len(part)
        if rows is not None and read > rows:
            raise DataError(f"{path}, line {rows + 2}: there are more than {rows} rows: get the file again")
        parts.append(part)
    if read == 0 or (rows is not None and read != rows):
        expected = f"{rows} rows" if rows is not None else "rows"
        raise DataError(f"{path} ends after line {line - 1}, it holds {read} rows where {expected} are expected: get the file again")
    numbers = np.empty((columns, read), dtype=np.float32)
    np.concatenate(parts, out=numbers.T)
    return numbers


@functools.cache
def _keep_memory() -> None:
    """Lets the C library keep the memory of arrays between pieces.

    glibc gives large blocks back to the system at once, and the pages of the next array are made anew: more than half of the
    time. It keeps blocks up to the size of the largest that was freed so far (mallopt(3), M_MMAP_THRESHOLD).
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


def _pieces(path: Path, max_bytes: int) -> Iterator[tuple[bytearray, int]]:
    """A buffer that begins with whole lines, and where they end; the next piece lies in the same buffer."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise DataError(f"{path} is not a regular file: give the csv file itself")
    buffer = bytearray(PIECE_BYTES + _BACK)
    held = done = 0
    try:
        with path.open("rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > max_bytes:
                raise DataError(f"{path} has {size} bytes, more than the {max_bytes} it may have: check that it is the right file")
            view = memoryview(buffer)
            while count := stream.readinto(view[held:PIECE_BYTES]):
                held += count
                end = buffer.rfind(b"\n", 0, held) + 1
                if not end:
                    if held == PIECE_BYTES:
                        raise DataError(
                            f"{path}, line {_line_at(path, done)}: is longer than {PIECE_BYTES} bytes: check that it is the right file"
                        )
                    continue
                yield buffer, end
                done += end
                rest = bytes(view[end:held])
                held = len(rest)
                view[:held] = rest
    except OSError as error:
        raise DataError(f"{path} cannot be read, {error.strerror or error}: check the path and its permissions") from error
    if held:
        last = _shown(bytes(buffer[:held]))
        raise DataError(f"{path}, line {_line_at(path, done)}: ends in the middle ({last} without an end of line): get the file again")


def _after_header(path: Path, header: Sequence[str], buffer: bytearray, size: int) -> int:
    """Where the first row begins."""
    end = buffer.index(b"\n", 0, size)
    found = bytes(buffer[:end])
    expected = ",".join(header)
    if found.removesuffix(b"\r") != expected.encode():
        raise DataError(f"{path}, line 1: the header is {_shown(found)}, not {expected}: check that it is the right file")
    return end + 1


def _line_at(path: Path, offset: int) -> int:
    """The number of the line that begins at an offset."""
    with path.open("rb") as stream:
        return 1 + sum(stream.read(min(PIECE_BYTES, offset - at)).count(b"\n") for at in range(0, offset, PIECE_BYTES))


def _numbers(path: Path, buffer: bytearray, begin: int, end: int, columns: int, line: int) -> NDArray[np.float32]:
    """(row, column): the rows of a piece, whose first has the number `line`."""
    characters = np.frombuffer(buffer, dtype=np.uint8)
    found = _fields(characters, begin, end, columns)
    if found is None:
        return _line_by_line(path, bytes(buffer[begin:end]), columns, line)
    starts, ends, separators = found
    numbers, unsettled, minus = _parsed(buffer, characters, starts, ends)
    body = characters[begin:end]
    others = len(body) - _digits(body) - separators
    # A settled field has one point, perhaps a minus, and digits: whether the rest of it are digits is told by their number.
    if others != _others(buffer, starts, ends, minus, unsettled):
        unsettled[np.searchsorted(ends, _exponents(buffer, begin, end))] = True
        if others != _others(buffer, starts, ends, minus, unsettled):
            return _line_by_line(path, bytes(buffer[begin:end]), columns, line)
    fields = np.flatnonzero(unsettled)
    if len(fields):
        texts = [bytes(buffer[start:stop]) for start, stop in zip(starts[fields].tolist(), ends[fields].tolist(), strict=True)]
        numbers[fields] = _by_float(path, texts, (line + fields // columns).tolist())
    return numbers.reshape(-1, columns)


def _digits(body: NDArray[np.uint8]) -> int:
    """How many characters are digits."""
    above = body - np.uint8(_ZERO)
    return int(np.count_nonzero(np.less(above, 10, out=above.view(np.bool_))))


def _exponents(buffer: bytearray, begin: int, end: int) -> list[int]:
    """Where an `e` stands."""
    places = []
    for letter in (b"e", b"E"):  # looked for one by one: as a rule there are a few in a piece
        at = buffer.find(letter, begin, end)
        while at >= 0:
            places.append(at)
            at = buffer.find(letter, at + 1, end)
    return places


def _others(buffer: bytearray, starts: _Places, ends: _Places, minus: _Flags, unsettled: _Flags) -> int:
    """How many characters of the fields are no digits, if all settled ones are numbers."""
    fields = np.flatnonzero(unsettled)
    texts = (buffer[start:stop] for start, stop in zip(starts[fields].tolist(), ends[fields].tolist(), strict=True))
    strange = sum(len(text.translate(None, b"0123456789")) for text in texts)
    return len(starts) + int(np.count_nonzero(minus)) + strange - len(fields) - int(np.count_nonzero(minus[fields]))


def _fields(characters: NDArray[np.uint8], begin: int, end: int, columns: int) -> tuple[_Places, _Places, int] | None:
    """Where each field begins and ends, row by row, and how many separators there are; None where rows differ in layout."""
    body = characters[begin:end]
    ends = _set_places((body == _COMMA) | (body == _LF))
    rows, rest = divmod(len(ends), columns)
    layout = bytes([_COMMA] * (columns - 1) + [_LF])
    if rest or body.take(ends).tobytes() != layout * rows:
        return None
    ends += begin
    starts = np.empty_like(ends)
    starts[0] = begin
    np.add(ends[:-1], 1, out=starts[1:])
    lasts = ends[columns - 1 :: columns]
    # Before a first row without a character stand a line's end, or (-1) the zeros behind the piece.
    returns = characters.take(lasts - 1, mode="wrap") == _CR
    if returns.all():
        lasts -= 1
    elif returns.any():
        return None
    return starts, ends, rows * (columns + bool(returns.all()))


def _set_places(mask: _Flags) -> _Places:
    """`np.flatnonzero`, at half its time where at most one in eight is set: eight flags are looked at as one byte."""
    packed = np.packbits(mask)
    if (packed & (packed - np.uint8(1))).any():
        return np.flatnonzero(mask)
    found = np.flatnonzero(packed != 0)
    exponents = packed.take(found).astype(np.float32).view(np.int32)
    exponents >>= _FRACTION_BITS
    found <<= 3
    found += _EXPONENT_OF_HIGHEST
    found -= exponents
    return found


def _parsed(buffer: bytearray, characters: NDArray[np.uint8], starts: _Places, ends: _Places) -> tuple[NDArray[np.float32], _Flags, _Flags]:
    """(field,): the numbers, which of them are not settled, and which have a minus."""
    minus = characters.take(starts) == _MINUS
    first = starts + minus
    words = _fetched(buffer, first)
    digit = words[:, 0].astype(np.uint16)  # with the point behind it
    digit -= _POINT_BEHIND
    unsettled = digit > 9
    tens = _with_two_digits(characters, first, np.flatnonzero(unsettled))
    if len(tens):
        first[tens] += 1
        words[tens] = _fetched(buffer, first[tens])
        digit[tens] = characters[first[tens]] - np.uint8(_ZERO)
        unsettled[tens] = False
    digits = ends - first
    digits -= 2
    short = np.flatnonzero(digits < _DIGITS)
    if len(short):
        unsettled[short[digits[short] < 1]] = True
        words[short] &= _MASKS[digits[short].clip(0)]
    words[:, 0] &= _BEHIND_POINT
    words[:, 0] |= digit << np.uint16(8)  # in the place of the point
    eights = _eight_digits(words)
    number = eights[:, 0] * 1e8
    number += eights[:, 1]
    number *= 1e-14
    if len(tens):
        number[tens] += 10.0 * (characters[first[tens] - 1] - np.uint8(_ZERO))
    # Where what lies a little below and a little above are one float32, so is what lies between.
    number -= _OFF
    nearest = number.astype(np.float32)
    number += 2 * _OFF
    unsettled |= nearest != number.astype(np.float32)
    signed = nearest.view(np.uint32)
    signed |= np.left_shift(minus, 31, dtype=np.uint32)
    return nearest, unsettled, minus


def _fetched(buffer: bytearray, places: _Places) -> NDArray[np.uint64]:
    """(place, 2): sixteen bytes from each place on, digits as 0 to 9."""
    every = np.ndarray((len(buffer) - _FETCHED + 1,), dtype=f"V{_FETCHED}", buffer=buffer, strides=(1,))
    words: NDArray[np.uint64] = every[places].view("<u8").astype(np.uint64, copy=False).reshape(-1, 2)
    words ^= _ZEROS
    return words


def _with_two_digits(characters: NDArray[np.uint8], first: _Places, fields: _Places) -> _Places:
    """Those of some fields that have two digits before the point."""
    places = first[fields]
    two: _Flags = (characters[places] - np.uint8(_ZERO) < 10) & (characters[places + 1] - np.uint8(_ZERO) < 10)
    two &= characters[places + 2] == _POINT
    return fields[two]


def _eight_digits(words: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The number that eight digits (0 to 9, a byte each, the first in the lowest) spell, for each word. `words` is used up."""
    words *= _PAIRS
    words >>= _SHIFT8
    other = words >> _SHIFT16
    words &= _QUADS
    other &= _QUADS
    words *= _HIGH
    other *= _LOW
    words += other
    return words.view(np.uint32)[..., _UPPER::2]


def _line_by_line(path: Path, text: bytes, columns: int, line: int) -> NDArray[np.float32]:
    """(row, column), slowly: what is well-formed in an unusual way, and the error for what is not."""
    rows = []
    for number, row in enumerate(text.split(b"\n")[:-1], start=line):
        fields = row.removesuffix(b"\r").split(b",")
        if len(fields) != columns:
            raise DataError(f"{path}, line {number}: {len(fields)} fields where {columns} are expected: get the file again")
        rows.append([_number(path, field, number) for field in fields])
    return np.array(rows, dtype=np.float32).reshape(-1, columns)


def _by_float(path: Path, texts: Sequence[bytes], lines: Sequence[int]) -> NDArray[np.float32]:
    """Fields by Python's `float`."""
    if _MANY.fullmatch(b"".join(text + b"\n" for text in texts)):
        values = np.array(list(map(float, texts)))
        if (np.abs(values) <= _MOST).all():
            return values.astype(np.float32)
    return np.array([_number(path, text, line) for text, line in zip(texts, lines, strict=True)], dtype=np.float32)


def _number(path: Path, text: bytes, line: int) -> np.float32:
    if not _ONE.fullmatch(text):
        raise DataError(f"{path}, line {line}: {_shown(text)} is no number: get the file again")
    value = float(text)
    if not abs(value) <= _MOST:
        raise DataError(f"{path}, line {line}: {_shown(text)} is beyond what a signal can hold: get the file again")
    return np.float32(value)


def _shown(text: bytes) -> str:
    """Text of a file as it can stand in a message of one line."""
    return ascii(text[:60].decode("ascii", "backslashreplace")) + ("..." if len(text) > 60 else "")
