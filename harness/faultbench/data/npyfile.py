"""npy files from outside: numbers alone, never a pickle, and no more than the file holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError
from faultbench.regularfile import open_regular

MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024
"""It is mapped into memory; one signal of it is read at a time."""
_MAX_HEADER = 10_000


@dataclass(frozen=True, slots=True)
class NpyFile:
    """An npy file's header, its numbers not yet read.

    Args:
        path: Where it lies.
        shape: (sample,), or (sample, signal) or (signal, sample): the longer axis is time.
        kind: The numbers' type, as numpy writes it (`float32`, `int16`).
    """

    path: Path
    shape: tuple[int, ...]
    kind: str

    @property
    def channels(self) -> int:
        """How many signals it holds."""
        return 1 if len(self.shape) == 1 else min(self.shape)

    @property
    def samples(self) -> int:
        """Samples of each."""
        return max(self.shape)

    def read(self, channel: int) -> NDArray[np.float64]:
        """One signal, (sample,), finite; integers are given as they are.

        Args:
            channel: Its number, from 0.

        Raises:
            DataError: The file has changed, or the signal holds values that are not finite.
        """
        if not 0 <= channel < self.channels:
            raise DataError(f"{self.path} has no signal {channel + 1}, it holds {self.channels}: check the number")
        with open_regular(self.path, MAX_FILE_BYTES) as (stream, size):
            found, dtype, fortran, at = _header(self.path, stream, size)
            if found != self:
                raise DataError(f"{self.path} has changed while it was read: run again")
            stored: NDArray[Any] = np.memmap(stream, dtype, "r", at, self.shape, "F" if fortran else "C")
            if stored.ndim == 2:
                stored = stored[:, channel] if self.shape[0] > self.shape[1] else stored[channel]
            signal = np.array(stored, dtype=np.float64)
        if not np.isfinite(signal).all():
            raise DataError(f"{self.path} holds values that are not finite: get the file again")
        return signal


def open_npy(path: Path, max_bytes: int = MAX_FILE_BYTES) -> NpyFile:
    """An npy file of one or several signals of real numbers.

    Args:
        path: The file.
        max_bytes: A longer file is refused unread.

    Raises:
        DataError: It cannot be read, is damaged, or holds anything else.
    """
    with open_regular(path, max_bytes) as (stream, size):
        return _header(path, stream, size)[0]


def _header(path: Path, stream: BinaryIO, size: int) -> tuple[NpyFile, np.dtype[Any], bool, int]:
    """The file, the type of its numbers, whether they lie column by column, and where they begin."""
    from numpy.lib import format as npy

    wrong = "it does not begin as one"
    try:
        version = npy.read_magic(stream)
        wrong = "its header is damaged, cut short, or none that numpy.save writes"
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream, max_header_size=_MAX_HEADER)
        at = stream.tell()
    except Exception as error:  # numpy names no list of what its parser of the header can raise, nor are its words for users
        raise DataError(f"{path} is not a well-formed npy file ({wrong}): save it again with numpy.save") from error
    if dtype.hasobject or dtype.kind not in "iuf" or dtype.itemsize > 16:
        raise DataError(f"{path} holds {_brief(dtype)}, not real numbers: save the signal alone, as floats")
    if len(shape) not in (1, 2) or min(shape) < 1 or (len(shape) == 2 and shape[0] == shape[1]):
        said = "x".join(map(str, shape)) or "a single number"
        raise DataError(f"{path} holds {said}, not signals: save them as (sample,), or as (sample, signal) with more samples than signals")
    announced = int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize
    if announced != size - at:
        raise DataError(f"{path} holds {size - at} bytes of numbers, {announced} are announced: get the file again")
    return NpyFile(path, tuple(int(n) for n in shape), dtype.name), dtype, fortran, at


def _brief(said: object) -> str:
    text = " ".join(ascii(str(said)).strip("'\"").split())
    return text if len(text) <= 80 else text[:80] + "..."
