"""The column of times that a logger writes beside its signals: which it is, and the sampling rate that it says.

It is looked for in a file's first rows. A column that rises by the same step from row to row is no vibration, whatever it is called; one
that is headed like a time may also have gaps. A rate is read off equal steps only, and off no count of samples (0, 1, 2, ...).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.api import CsvFile, open_regular

_HEAD_BYTES = 256 * 1024
_MOST_BYTES = 4 * 1024 * 1024 * 1024
_BOM = b"\xef\xbb\xbf".decode("latin-1")
_MOST_ROWS = 2000
_FEWEST_ROWS, _FEWEST_NAMELESS = 4, 16
_STRAY = 0.6
"""By how much of a step a time may lie beside its place; times are often rounded."""
_RATES_AGREE = 0.01
_UNIT = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "sek": 1.0, "sekunde": 1.0, "sekunden": 1.0}
_UNIT |= dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "millisekunden"), 1e-3)
_UNIT |= dict.fromkeys(("us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "usec", "microseconds", "mikrosekunden"), 1e-6)
_UNIT |= dict.fromkeys(("ns", "nanoseconds"), 1e-9)
_NAMES = ("time", "times", "timestamp", "zeit", "zeitstempel", "temps", "tiempo", "tempo")
_SHORT_NAME = "t"
_NOISE = ("elapsed", "relative", "rel", "in", "axis", "stamp")
_WORDS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times.

    Args:
        column: Its number, from 0.
        title: What to call it in a message.
        named: Whether its heading says that it is one.
        rate_hz: What its steps say, where they are equal; with no unit in its heading, they are taken for seconds.
        unit_stated: Whether its heading says the unit.
        rows: How many rows that was read off.
    """

    column: int
    title: str
    named: bool
    rate_hz: float | None
    unit_stated: bool
    rows: int

    def contradicts(self, rate_hz: float) -> bool:
        """Whether a stated rate is another one than the times', in whatever unit they may be."""
        if self.rate_hz is None:
            return False
        own = [self.rate_hz * per_second for per_second in ((1.0,) if self.unit_stated else (1.0, 1e3, 1e6))]
        return all(abs(rate_hz / one - 1) > max(_RATES_AGREE, 1.5 / self.rows) for one in own)


def times_of(table: CsvFile) -> Times | None:
    """The column of times of a csv file of several columns, or None.

    Raises:
        DataError: The file cannot be read.
    """
    if sum(table.numeric) < 2:
        return None
    rows = _head(table)
    found = [_times(table, column, rows[column]) for column in range(table.columns) if table.numeric[column]] if len(rows) else []
    return max((times for times in found if times is not None), key=lambda times: (times.named, -times.column), default=None)


def signals_of(table: CsvFile, times: Times | None) -> tuple[str, ...]:
    """What to call the columns of numbers but for that of the times."""
    numbers = [column for column, numeric in enumerate(table.numeric) if numeric]
    return tuple(title for column, title in zip(numbers, table.titles(), strict=True) if times is None or column != times.column)


def _times(table: CsvFile, column: int, values: NDArray[np.float64]) -> Times | None:
    headings = [" ".join(line[column].split()) for line in table.names if line[column].strip()]
    words = [word for heading in headings for word in _WORDS.findall(heading.casefold()) if word not in _NOISE]
    units = [_UNIT[word] for word in words if word in _UNIT]
    about = [word for word in words if word not in _UNIT]
    long_name = bool(about) and all(word in _NAMES for word in about)
    named = long_name or (bool(words) and all(word == _SHORT_NAME for word in about))
    equal = _equal_steps(values)
    enough = len(values) >= (_FEWEST_ROWS if named else _FEWEST_NAMELESS)
    rising = bool(np.all(np.diff(values) >= 0)) and values[-1] > values[0]
    if not enough or not (equal or (long_name and rising)):
        return None
    step = (values[-1] - values[0]) / (len(values) - 1)
    counts = not units and bool(np.all(np.diff(values) == 1))
    rate_hz = _rounded(1 / (step * (units[0] if units else 1.0))) if equal and not counts and (named or not headings) else None
    title = headings[0] if headings else str(column + 1)
    return Times(column, title, named, rate_hz, bool(units), len(values))


def _equal_steps(values: NDArray[np.float64]) -> bool:
    line = np.linspace(values[0], values[-1], len(values))
    step = (values[-1] - values[0]) / (len(values) - 1)
    return bool(np.all(np.diff(values) > 0) and np.all(np.abs(values - line) <= _STRAY * step))


def _rounded(rate_hz: float) -> float:
    """To whole Hz, where rounded times can tell no more."""
    return float(round(rate_hz)) if rate_hz > 1 and abs(rate_hz / round(rate_hz) - 1) < 1e-4 else float(f"{rate_hz:.6g}")


def _head(table: CsvFile) -> NDArray[np.float64]:
    """The first rows of numbers, (column, row); columns of anything else are not a number. Empty where a row is damaged."""
    with open_regular(table.path, _MOST_BYTES) as (stream, _):
        lines = stream.read(_HEAD_BYTES + 1).decode("latin-1").split("\n")
    lines[0] = lines[0].removeprefix(_BOM)
    whole = lines[:-1] if len(lines) > 1 else lines
    rows = []
    for line in whole[table.first - 1 :][:_MOST_ROWS]:
        fields = line.split(table.delimiter)
        if len(fields) != table.columns:
            break
        rows.append([_number(field, table.decimal) if numeric else np.nan for field, numeric in zip(fields, table.numeric, strict=True)])
    found = np.array(rows, dtype=np.float64).reshape(len(rows), table.columns).T
    return found if len(rows) > 1 and np.isfinite(found[np.array(table.numeric)]).all() else np.empty((0, 0))


def _number(field: str, decimal: str) -> float:
    try:
        return float(field.strip().replace(decimal, "."))
    except ValueError:
        return np.nan
