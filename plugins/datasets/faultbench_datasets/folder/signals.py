"""The signals of one file, whatever its kind: which there are, and those that are asked for.

A channel is asked for by its name or number, counted from 1; an empty text asks for the only one that the file has. Which of several is
meant is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.api import CsvFile, DataError, MatFile, MatVariable, open_csv, open_mat, open_npy, open_wav
from faultbench_datasets.folder.times import Times, signals_of, times_of

MAX_BYTES = 4 * 1024 * 1024 * 1024
"""Of any file; each kind's reader has its own limit below it."""
MAX_SAMPLES = 100_000_000
"""Of one signal: an hour at 25.6 kHz."""

_MOST_STRUCTS = 64
"""Of a MATLAB file, whose fields are looked at."""
_SHOWN = 8
_SAID = {"cell": "a cell array", "char": "text", "struct": "a struct", "sparse": "a sparse matrix", "logical": "logical"}

Signal = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Content:
    """What was asked of a file.

    Args:
        rate_hz: Where the file says it, else None.
        full_scale: Whether numbers are shares of full scale (PCM).
        signals: In the order they were asked for, (sample,); or why one cannot be had.
        times: The column of times of a csv file, where it has one.
        times_taken: The names under which that column itself is asked for.
    """

    rate_hz: float | None
    full_scale: bool
    signals: tuple[Signal | DataError, ...]
    times: Times | None = None
    times_taken: tuple[str, ...] = ()


def offered(path: Path) -> tuple[float | None, tuple[str, ...]]:
    """The rate, where the file says it, and the channels that can be asked for: by their headers, no signal is read.

    Raises:
        DataError: It cannot be read.
    """
    kind = path.suffix.lower()
    if kind == ".wav":
        wav = open_wav(path)
        return float(wav.rate_hz), _numbered(wav.channels)
    if kind == ".npy":
        return None, _numbered(open_npy(path).channels)
    if kind == ".csv":
        table = open_csv(path)
        times = times_of(table)
        return times.rate_hz if times else None, signals_of(table, times)
    return None, tuple(_vectors(open_mat(path)))


def read_signals(path: Path, wanted: Sequence[str], decimal: str = "") -> Content:
    """The named channels of a file.

    Raises:
        DataError: It cannot be read at all.
    """
    return _READERS[path.suffix.lower()](path, wanted, decimal)


def _read_wav(path: Path, wanted: Sequence[str], _decimal: str) -> Content:
    wav = open_wav(path)
    _check_length(path, wav.samples)
    return Content(float(wav.rate_hz), wav.kind == "int", _chosen(wanted, lambda name: _number(path, name, wav.channels), wav.read))


def _read_npy(path: Path, wanted: Sequence[str], _decimal: str) -> Content:
    npy = open_npy(path)
    _check_length(path, npy.samples)
    return Content(None, False, tuple(_tried(name, lambda name: npy.read(_number(path, name, npy.channels))) for name in wanted))


def _read_csv(path: Path, wanted: Sequence[str], decimal: str) -> Content:
    table = open_csv(path, decimal)
    times = times_of(table)
    taken: list[str] = []

    def column(name: str) -> int:
        if name:
            number = table.column(name)
            taken.extend([name] if times is not None and number == times.column else [])
            return number
        signals = [number for number, numeric in enumerate(table.numeric) if numeric and (times is None or number != times.column)]
        if len(signals) != 1:
            raise DataError(f"{path} holds {_offer(table, times)}: say which in the column channel")
        return signals[0]

    return Content(None, False, _chosen(wanted, column, table.read), times, tuple(taken))


def _offer(table: CsvFile, times: Times | None) -> str:
    """The signals of a csv file, for a message: what is one, and which column is none."""
    if times is None:
        return table.holdings()
    titles = [title if title.isdecimal() else f"{title[:60]!a}" for title in signals_of(table, times)]
    shown = f"{len(titles)} signals ({', '.join(titles[:_SHOWN])}{', ...' if len(titles) > _SHOWN else ''})"
    return f"{shown} beside times or counts (column {times.title[:60]!a})"


def _read_mat(path: Path, wanted: Sequence[str], _decimal: str) -> Content:
    mat = open_mat(path)

    def read(name: str) -> Signal:
        name = name or _only_vector(mat)
        variable, _, column = name.rpartition(":")
        if variable and not (column.isdecimal() and column.isascii()):
            raise DataError(f"{path} has no signal {_brief(name)}: write a column of a matrix as {_brief(variable)}:1")
        stored: NDArray[Any] = mat.read(variable or name)[variable or name]
        if stored.dtype.kind not in "iuf":
            raise DataError(f"variable {_brief(name)} of {path} holds {stored.dtype}, not real numbers: name another")
        if variable:
            if stored.ndim != 2 or stored.shape[0] == stored.shape[1]:
                raise DataError(f"variable {_brief(variable)} of {path} is no matrix of signals: name another")
            stored = stored if stored.shape[0] < stored.shape[1] else stored.T
            stored = stored[_number(path, column, stored.shape[0])]
            _check_length(path, stored.size)
            return np.asarray(stored, dtype=np.float64)
        _check_length(path, max(stored.shape, default=0))
        if stored.size != max(stored.shape, default=0):
            said = "x".join(map(str, stored.shape))
            raise DataError(f"variable {_brief(name)} of {path} is a matrix of {said}: say which signal, as {_brief(name)}:1")
        signal: Signal = stored.reshape(-1).astype(np.float64)
        return signal

    return Content(None, False, tuple(_tried(name, read) for name in wanted))


_READERS = {".wav": _read_wav, ".csv": _read_csv, ".npy": _read_npy, ".mat": _read_mat}
KINDS = tuple(_READERS)
"""How the names of files that can be read end."""


def _tried(name: str, read: Callable[[str], Signal]) -> Signal | DataError:
    try:
        return read(name)
    except DataError as error:
        return error


def _chosen(wanted: Sequence[str], number: Callable[[str], int], read: Callable[[Sequence[int]], Signal]) -> tuple[Signal | DataError, ...]:
    """The signals of a file that are read in one pass; what is asked for and not there does not spoil the others."""
    numbers: list[int | DataError] = []
    for name in wanted:
        try:
            numbers.append(number(name))
        except DataError as error:
            numbers.append(error)
    asked = list(dict.fromkeys(n for n in numbers if isinstance(n, int)))
    signals = dict(zip(asked, read(asked), strict=True)) if asked else {}
    return tuple(n if isinstance(n, DataError) else signals[n] for n in numbers)


def _check_length(path: Path, samples: int) -> None:
    if samples > MAX_SAMPLES:
        raise DataError(f"{path} holds {samples} samples, more than {MAX_SAMPLES}: cut it")


def _number(path: Path, name: str, channels: int) -> int:
    """Which of so many channels, from 0, a name means."""
    if not name:
        if channels == 1:
            return 0
        raise DataError(f"{path} holds {channels} signals: say which in the column channel (1 to {channels})")
    if name.isascii() and name.isdecimal() and 1 <= int(name) <= channels:
        return int(name) - 1
    raise DataError(f"{path} has no signal {_brief(name)}, it holds {channels}: give a number from 1 to {channels}")


def _numbered(channels: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, channels + 1))


def _vectors(mat: MatFile, variables: Mapping[str, MatVariable] | None = None) -> list[str]:
    """The names of what could be signals: vectors of numbers, columns of matrices, and the same in structs."""
    variables = mat.variables() if variables is None else variables
    structs = [name for name, variable in variables.items() if variable.kind == "struct"][:_MOST_STRUCTS]
    inner = mat.fields(*structs) if structs else {}
    found = []
    for name, variable in [*variables.items(), *inner.items()]:
        if not variable.kind.startswith(("double", "single", "float", "int", "uint")) or variable.size < 2:
            continue
        if variable.size == max(variable.shape):
            found.append(name)
        elif len(variable.shape) == 2 and variable.shape[0] != variable.shape[1] and min(variable.shape) <= 64:
            found += [f"{name}:{number}" for number in range(1, min(variable.shape) + 1)]
    return found


def _only_vector(mat: MatFile) -> str:
    """The name of the only signal of a MATLAB file.

    Raises:
        DataError: There are several, or none.
    """
    variables = mat.variables()
    there = _vectors(mat, variables)
    if len(there) > 1:
        more = ", ..." if len(there) > _SHOWN else ""
        raise DataError(f"{mat.path} holds {len(there)} signals ({', '.join(there[:_SHOWN])}{more}): say which in the column channel")
    if not there:
        held = [f"{_brief(name)} is {_SAID.get(one.kind, one.kind)}" for name, one in list(variables.items())[:_SHOWN]]
        held = [f"{said} of {'x'.join(map(str, one.shape))}" for said, one in zip(held, variables.values(), strict=False)]
        raise DataError(
            f"{mat.path} holds no signal, a vector of real numbers or a matrix of a few ({', '.join(held) or 'it holds nothing'}): "
            "save the signal as one"
        )
    return there[0]


def _brief(name: str) -> str:
    return ascii(name[:60]).strip("'\"")
