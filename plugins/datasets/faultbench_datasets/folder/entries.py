"""What the rows of a table mean: each becomes an entry, or some lines that say what is missing or wrong with it.

**What may be left out, and what not.** Left out, `machine`, `mounting` and `load` make all recordings share one: the scenarios then have
less to part them by, and refuse or promise less, so nobody is misled. A `bearing` or a `session` that is left out could only be invented,
and an invented one parts what belongs together: support and query of a class would come from one specimen under two names, and the figure
would be too good. They must be given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from faultbench.api import HEALTHY, DataError, Gearing, Geometry, spelled_alike
from faultbench_datasets.folder.geometry import geometry, inline
from faultbench_datasets.folder.signals import KINDS
from faultbench_datasets.folder.table import Row
from faultbench_datasets.folder.words import damage, unit_factor

NOT_STATED = "not stated"
EACH_FILE = "{file}"
_MOST_RATE_HZ = 100e6
_MOST_RPM = 1e6
_TEETH = re.compile(r"([0-9]{1,4}) ?/ ?([0-9]{1,4})", re.ASCII)
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording as the table says it.

    Args:
        where: The row, for messages.
        id: As the table says it, or empty; unique in the folder once `with_ids` has seen it.
        file: Its file, from the folder, parted by `/`.
        path: The same, resolved.
        channels: As the table names them; an empty text is the file's only one.
        machine: As in `Recording`; likewise those that are not said here.
        mounting: Unique across machines.
        rate_hz: As the table says it, or None.
        unit: What the signals are given in, or empty where the table says none.
        factor: From the file's numbers to the unit.
        scaled: Whether the table says a scale.
        decimal: The decimal sign of a csv file, or empty.
    """

    where: str
    id: str
    file: str
    path: Path
    channels: tuple[str, ...]
    machine: str
    mounting: str
    bearing: str
    element: str
    severity: str
    session: str
    load: str
    speed_rpm: float | None
    rate_hz: float | None
    unit: str
    factor: float
    scaled: bool
    decimal: str
    geometry: Geometry | None
    gearing: Gearing | None
    position: str
    notes: tuple[str, ...]


def read_row(row: Row, root: Path, plant: str, geometries: Mapping[str, Geometry]) -> tuple[Entry | None, list[str]]:
    """The entry that a row gives, or None, and what is wrong with the row.

    Args:
        row: One line of the table.
        root: The folder, resolved.
        plant: The data set's name, which is the machine's where none is given.
        geometries: By name.
    """
    reading = _Reading(row)
    file = reading.needed("file", "the path of the file")
    path = reading.tried(lambda: _inside(root, file), root) if file else root
    machine = reading.words("machine") or plant
    mounting = reading.words("mounting") or machine
    element, severity = reading.tried(reading.damage, ("", ""))
    session = reading.needed("session", f"which uninterrupted measurement it belongs to, {EACH_FILE} where every file is one")
    unit, factor = reading.tried(lambda: unit_factor(reading.words("unit")) if reading.words("unit") else ("", 1.0), ("", 1.0))
    name = path.relative_to(root).as_posix()
    entry = Entry(
        where=row.where,
        id=reading.words("id"),
        file=name,
        path=path,
        channels=reading.tried(reading.channels, ()),
        machine=machine,
        mounting=mounting if mounting == machine or mounting.startswith(f"{machine}/") else f"{machine}/{mounting}",
        bearing=reading.needed("bearing", "which specimen it is, for a bearing measured twice must not count as two"),
        element=element,
        severity=severity,
        session=name if session == EACH_FILE else session,
        load=reading.words("load") or NOT_STATED,
        speed_rpm=reading.tried(lambda: reading.number("speed", _MOST_RPM), None),
        rate_hz=reading.tried(lambda: reading.number("rate", _MOST_RATE_HZ), None),
        unit=unit,
        factor=factor * (reading.tried(lambda: reading.number("scale", math.inf), None) or 1.0),
        scaled="scale" in row.values,
        decimal=reading.tried(reading.decimal, ""),
        geometry=reading.tried(lambda: reading.geometry(geometries), None),
        gearing=reading.tried(reading.gearing, None),
        position=reading.words("position"),
        notes=(reading.words("note"),) if reading.words("note") else (),
    )
    return None if reading.wrong or row.spoilt else entry, [f"{row.where}: {text}" for text in reading.wrong]


def with_ids(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """The entries, each with an id of its own, and what is wrong among them: two of one id, or a signal that is listed twice."""
    rows: dict[str, int] = {}
    for entry in entries:
        rows[entry.file] = rows.get(entry.file, 0) + 1
    kept: list[Entry] = []
    wrong: list[str] = []
    ids: dict[str, str] = {}
    listed: dict[tuple[str, str], str] = {}
    for entry in entries:
        name = entry.id or (f"{entry.file}:{'|'.join(entry.channels)}" if rows[entry.file] > 1 and all(entry.channels) else entry.file)
        signals = [(entry.file, channel) for channel in entry.channels]
        before = next((listed[signal] for signal in signals if signal in listed), None)
        if before is not None:
            wrong.append(f"{entry.where}: {entry.file} is listed in {before} already: keep one, or name another channel")
        elif name in ids:
            wrong.append(f"{entry.where}: the id {name!a} is that of {ids[name]}: give each its own")
        else:
            ids[name] = entry.where
            listed |= dict.fromkeys(signals, entry.where)
            kept.append(replace(entry, id=name))
    return kept, wrong


def spelled_in_several_ways(entries: Sequence[Entry]) -> list[str]:
    """What is wrong with the names by which splits are parted: one of them under two spellings would count as two, whatever is held out."""
    names: tuple[tuple[str, Callable[[Entry], tuple[str, str]]], ...] = (
        ("machine", lambda e: ("", e.machine)),
        ("mounting", lambda e: (e.machine, e.mounting.removeprefix(f"{e.machine}/"))),
        ("bearing", lambda e: ("", e.bearing)),
        ("session", lambda e: ("", e.session)),
    )
    wrong = []
    for column, of in names:
        # Sessions of one file each are as distinct as the files are, however alike these are called.
        stated = [entry for entry in entries if column != "session" or entry.session != entry.file]
        texts = spelled_alike(column, [(*of(entry), entry.where.partition(", ")[2]) for entry in stated])
        wrong += [f"{stated[0].where.partition(', ')[0]}: {text}" for text in texts]
    return wrong


class _Reading:
    """One row while it is read; what is wrong with it is gathered."""

    def __init__(self, row: Row) -> None:
        self._values, self._spoilt = row.values, row.spoilt
        self.wrong: list[str] = []

    def tried(self, read: Callable[[], _Found], otherwise: _Found) -> _Found:
        """What `read` gives, or `otherwise` where that is wrong."""
        try:
            return read()
        except DataError as error:
            self.wrong.append(str(error))
            return otherwise

    def words(self, column: str) -> str:
        return str(self._values.get(column, ""))

    def needed(self, column: str, what: str) -> str:
        if column not in self._values and column not in self._spoilt:
            self.wrong.append(f"{column} is missing: write {what}")
        return self.words(column)

    def number(self, column: str, most: float) -> float | None:
        if column not in self._values:
            return None
        value = self._values[column]
        if not isinstance(value, float) or not math.isfinite(value) or not 0 < value <= most:
            raise DataError(
                f"{column} is {value}, it must be above 0" + (f" and at most {most:g}" if most < math.inf else "") + ": correct it"
            )
        return value

    def damage(self) -> tuple[str, str]:
        label, element, severity = self.words("label"), self.words("element"), self.words("severity")
        if label and (element or severity):
            raise DataError("it has a label, and element or severity beside it: keep the label, or the other two")
        if label:
            return damage(label)
        if self._spoilt & {"label", "element", "severity"}:
            return "", ""
        if not element:
            raise DataError("label is missing: write healthy, inner 7 mil, ..., or use the columns element and severity")
        said, more = damage(element)
        if more:
            raise DataError(f"element {element!a} says a severity: move {more!a} to the column severity")
        if said == HEALTHY and severity:
            raise DataError(f"it is healthy and has the severity {severity!a}: take that away")
        return said, severity

    def channels(self) -> tuple[str, ...]:
        found = self._values.get("channel", ("",))
        if not isinstance(found, tuple) or not found or len(set(found)) < len(found) or (len(found) > 1 and not all(found)):
            raise DataError("channel must be one name, or several different ones joined by |: correct it")
        return found

    def decimal(self) -> str:
        said = self.words("decimal")
        if said not in ("", ".", ","):
            raise DataError(f"decimal is {said!a}: write . or ,")
        return said

    def geometry(self, geometries: Mapping[str, Geometry]) -> Geometry | None:
        said = self._values.get("geometry", "")
        if isinstance(said, Mapping):
            return geometry("of its own", said)
        text = str(said)
        if "=" in text:
            return geometry(text, inline(text))
        if text and text not in geometries:
            known = ", ".join(geometries) or "none is defined"
            raise DataError(f"there is no geometry {text!a}: define [geometries.{text!a}], or give its numbers ({known})")
        return geometries.get(text)

    def gearing(self) -> Gearing | None:
        said = self.words("gearing")
        found = _TEETH.fullmatch(said)
        if said and (found is None or min(map(int, found.groups())) < 2):
            raise DataError(f"gearing is {said!a}: write the teeth on the shaft, a slash, and those of the other gear, as 18/55")
        return Gearing(said, *map(int, found.groups())) if found else None


def _inside(root: Path, file: str) -> Path:
    """The path of a file of the folder, links resolved.

    Raises:
        DataError: It is outside, is not there, or is of no kind that can be read.
    """
    said = file.replace("\\", "/")
    if said.startswith("/") or said[1:2] == ":":
        raise DataError(f"file {file!a} is an absolute path: write it from the table's folder")
    try:
        path = (root / said).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"file {file!a} cannot be found ({error}): correct the path") from error
    if not path.is_relative_to(root):
        raise DataError(f"file {file!a} lies outside the folder: copy it into the folder, beside the table")
    if path.suffix.lower() not in KINDS:
        raise DataError(f"file {file!a} is of no kind that is read: give {', '.join(KINDS)}")
    try:
        there = path.exists()
    except OSError:
        there = False
    if not there:
        try:
            names = [entry.name for entry in path.parent.iterdir()]
        except OSError:
            names = []
        near = get_close_matches(path.name, names, n=1, cutoff=0.6)
        raise DataError(f"there is no file {file!a}: " + (f"did you mean {near[0]!a}?" if near else "correct the path"))
    return path
