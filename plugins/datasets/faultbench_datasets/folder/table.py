"""The table of a folder: `recordings.csv`, `recordings.toml`, or the rows in the one and what they share in the other.

Here text becomes rows of named values; what the values mean is in `entries`.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from faultbench.api import DataError, Geometry, Remark, open_regular
from faultbench_datasets.folder.geometry import geometry

CSV, TOML, GEOMETRIES = "recordings.csv", "recordings.toml", "geometries.csv"
TABLES = (CSV, TOML, GEOMETRIES)

COLUMNS = {
    "file": "path of the file, from the table's folder",
    "label": "what is wrong: healthy, inner 7 mil, outer, ball, cage, or a class of your own (imbalance)",
    "element": "instead of label, with severity: healthy, inner, outer, ball, cage, combined, ...",
    "severity": "how large the damage is, in your own words",
    "machine": "the machine; left out: one machine, called like the data set",
    "mounting": "sensor position or machine end, where a machine has several; left out: the machine",
    "bearing": "which specimen: two bearings of one type are two, one bearing measured twice is one",
    "session": "one uninterrupted measurement; {file} where every file is one",
    "load": "the load in your own words; left out: not stated",
    "speed": "shaft speed, rev/min",
    "rate": "sampling rate, Hz; a wav file says it itself",
    "channel": "which signal of the file: its name or number, several joined by |; left out: the only one",
    "unit": "g, mg, m/s^2, mm/s, um, V, mV, A, Pa; left out: g",
    "scale": "what a number of the file is multiplied by to give the unit; of PCM wav: what full scale is",
    "decimal": "decimal sign of a csv file, where it cannot be told",
    "geometry": "the bearing's type: a name from the geometries, or its orders, or its dimensions",
    "gearing": "of a set of gears: teeth on the shaft whose speed is stated, a slash, teeth of the other gear (18/55)",
    "position": "clock position of the damage, or another installation of the same bearing",
    "id": "the recording's name; left out: the file's, with the channel where it has several rows",
    "note": "anything",
}
"""The columns of a table, and what stands in them."""

ALIASES = {"speed_rpm": "speed", "rate_hz": "rate", "filename": "file", "notes": "note"}
_NOT_SHARED = ("file", "id", "channel")
"""What no two recordings can have in common; a channel may well be shared, but a default would hide that a file holds several."""

_MAX_BYTES = 8 * 1024 * 1024
_MAX_ROWS = 100_000
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[,. ][0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")

Cell = str | float | tuple[str, ...] | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Args:
        where: For messages: `recordings.csv, line 7`.
        values: What it says, by column, the defaults among it.
        spoilt: The columns whose cells cannot be read; they are among the table's remarks.
    """

    where: str
    values: Mapping[str, Cell]
    spoilt: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """What a folder's table says.

    Args:
        name: The plant's, or empty.
        cite: How it wants to be cited.
        licence: Its licence.
        rows: The recordings.
        geometries: By name.
        remarks: What is wrong with it.
    """

    name: str = ""
    cite: str = ""
    licence: str = ""
    rows: tuple[Row, ...] = ()
    geometries: Mapping[str, Geometry] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()


def has_table(folder: Path) -> bool:
    """Whether a folder holds a table.

    Raises:
        DataError: It cannot be listed.
    """
    try:
        return not {CSV, TOML}.isdisjoint(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be listed, {error.strerror or error}: check its permissions") from error


def read_table(folder: Path) -> Table:
    """The table of a folder; what is wrong with it is among its remarks."""
    reader = _Reader()
    there = {entry.name for entry in folder.iterdir()}
    said = reader.toml(folder / TOML) if TOML in there else {}
    defaults = reader.defaults(said.get("defaults", {}))
    geometries = reader.geometries(folder / GEOMETRIES if GEOMETRIES in there else None, said.get("geometries", {}))
    rows = reader.toml_rows(said.get("recordings", []), defaults)
    if CSV in there:
        if rows:
            reader.error(f"{CSV} and {TOML} both list recordings: keep them in one of the two")
        rows += reader.csv_rows(folder / CSV, defaults)
    if not rows and not any(remark.grade == "error" for remark in reader.remarks):
        reader.error(f"{folder} lists no recordings: write a line for each file, or let `--template` begin it")
    texts = {key: reader.text(said.get(key, ""), f"{TOML}: {key}") for key in ("name", "cite", "licence")}
    return Table(**texts, rows=tuple(rows), geometries=geometries, remarks=tuple(reader.remarks))


class _Reader:
    """Gathers what is wrong instead of stopping at it."""

    def __init__(self) -> None:
        self.remarks: list[Remark] = []

    def error(self, text: str) -> None:
        self.remarks.append(Remark("error", text))

    def text(self, value: Any, what: str) -> str:
        if isinstance(value, str) and (value.isprintable() or not value) and len(value) <= 1000:
            return value.strip()
        self.error(f"{what} must be a text of one line: write it in quotes")
        return ""

    def toml(self, path: Path) -> dict[str, Any]:
        try:
            said = tomllib.loads(_text_of(path))
        except DataError as error:
            self.error(str(error))
            return {}
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            self.error(f"{path} is not TOML ({_brief(error)}): correct it there")
            return {}
        for key in set(said) - {"name", "cite", "licence", "defaults", "geometries", "recordings"}:
            self.error(f"{TOML} has a key {_brief(key)}: it may say name, cite, licence, [defaults], [geometries.NAME] and [[recordings]]")
        return said

    def defaults(self, said: Any) -> dict[str, Cell]:
        if not isinstance(said, dict):
            self.error(f"{TOML}: defaults must be a table: write [defaults]")
            return {}
        found, _ = self._values(said, f"{TOML}, defaults")
        for key in _NOT_SHARED:
            if found.pop(key, None) is not None:
                self.error(f"{TOML}, defaults: {key} differs from recording to recording: write it with each")
        return found

    def toml_rows(self, said: Any, defaults: Mapping[str, Cell]) -> list[Row]:
        if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
            self.error(f"{TOML}: recordings must be a list of tables: write [[recordings]] before each")
            return []
        if len(said) > _MAX_ROWS:
            self.error(f"{TOML} lists {len(said)} recordings, more than {_MAX_ROWS}: part it into several folders")
            return []
        return [self._row(f"{TOML}, recording {number}", row, defaults) for number, row in enumerate(said, start=1)]

    def csv_rows(self, path: Path, defaults: Mapping[str, Cell]) -> list[Row]:
        try:
            lines = _csv_lines(path)
        except DataError as error:
            self.error(str(error))
            return []
        if len(lines) > _MAX_ROWS:
            self.error(f"{path} lists {len(lines) - 1} recordings, more than {_MAX_ROWS}: part it into several folders")
            return []
        if not lines:
            self.error(f"{path} is empty: begin it with `faultbench data check {path.parent} --template`")
            return []
        header = self._header([cell.strip() for cell in lines[0][1]], path)
        rows = []
        for line, cells in lines[1:]:
            where = f"{CSV}, line {line}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(lines[0][1]):
                self.error(f"{where}: {len(cells)} cells under {len(lines[0][1])} columns: add or remove commas, or put the text in quotes")
                continue
            said = {column: cell.strip() for column, cell in zip(header, cells, strict=True) if column and cell.strip()}
            rows.append(self._row(where, said, defaults))
        return rows

    def geometries(self, path: Path | None, said: Any) -> dict[str, Geometry]:
        if not isinstance(said, dict) or not all(isinstance(one, dict) for one in said.values()):
            self.error(f"{TOML}: geometries must be tables: write [geometries.NAME]")
            said = {}
        stated: list[tuple[str, str, dict[str, Any]]] = [(f"{TOML}, geometries", str(name), one) for name, one in said.items()]
        if path is not None:
            stated += self._geometry_lines(path)
        found: dict[str, Geometry] = {}
        for where, name, one in stated:
            if not name or name in found or "=" in name:
                self.error(f"{where}: the name {_brief(name)} is {'given twice' if name in found else 'no name'}: give each its own")
                continue
            try:
                found[name] = geometry(
                    name, {key: number(value, f"{_brief(key)} of geometry {_brief(name)}") for key, value in one.items()}
                )
            except DataError as error:
                self.error(f"{where}: {error}")
        return found

    def _geometry_lines(self, path: Path) -> list[tuple[str, str, dict[str, Any]]]:
        """Where, name and numbers of each line of a table of geometries, whose first column is `name`."""
        try:
            (_, heading), *lines = _csv_lines(path) or [(1, [])]
        except DataError as error:
            self.error(str(error))
            return []
        names = [cell.strip().casefold() for cell in heading]
        found = []
        for line, cells in lines:
            if len(cells) != len(names):
                self.error(f"{path.name}, line {line}: {len(cells)} cells under {len(names)} columns: add or remove commas")
                continue
            said: dict[str, Any] = {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}
            found.append((f"{path.name}, line {line}", str(said.pop("name", "")), said))
        return found

    def _header(self, cells: Sequence[str], path: Path) -> list[str]:
        """The column that each cell of the header names; empty where it names none."""
        columns: list[str] = []
        for cell in cells:
            name = cell.casefold().replace(" ", "_").replace("-", "_")
            name = ALIASES.get(name, name)
            if name in columns:
                self.error(f"{path.name} has two columns {name}: keep one")
            elif name not in COLUMNS and name:
                near = get_close_matches(name, set(COLUMNS) - set(columns), n=1, cutoff=0.75)
                if near:
                    self.error(f"{path.name} has a column {_brief(cell)}: did you mean {near[0]}? Rename it")
                else:
                    self.remarks.append(Remark("fact", f"{path.name}: the column {_brief(cell)} is not read"))
                name = ""
            columns.append(name)
        if "file" not in columns:
            self.error(f"{path.name} has no column file: its first line must name the columns ({', '.join(COLUMNS)})")
        return columns

    def _row(self, where: str, said: Mapping[str, Any], defaults: Mapping[str, Cell]) -> Row:
        values, spoilt = self._values(said, where)
        return Row(where, {**defaults, **values}, frozenset(spoilt))

    def _values(self, said: Mapping[str, Any], where: str) -> tuple[dict[str, Cell], set[str]]:
        """The values of one row by column, and the columns that cannot be read."""
        found: dict[str, Cell] = {}
        spoilt: set[str] = set()
        for key, value in said.items():
            column = ALIASES.get(key, key)
            if column not in COLUMNS:
                near = get_close_matches(str(key), COLUMNS, n=1, cutoff=0.6)
                advice = f"did you mean {near[0]}?" if near else f"take it away, or write one of {', '.join(COLUMNS)}"
                self.error(f"{where}: there is no column {_brief(key)}: {advice}")
            elif column in found:
                self.error(f"{where}: {column} stands there twice: keep one")
            else:
                try:
                    found[column] = _cell(column, value)
                except DataError as error:
                    self.error(f"{where}: {error}")
                    spoilt.add(column)
        return found, spoilt


def number(value: Any, what: str) -> float:
    """A number out of a table. A decimal comma is one; what could be a mark of thousands is not.

    Raises:
        DataError: It is none.
    """
    text = str(value).strip()
    if isinstance(value, str) and _THOUSANDS.fullmatch(text) and "." not in text:
        raise DataError(f"{what} is {_brief(text)}, which can be read in two ways: write it without a mark of thousands")
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        found = float(text) if not isinstance(value, bool) and "_" not in text else None
    except ValueError:
        found = None
    if found is None:
        raise DataError(f"{what} is {_brief(value)}, no number: correct it")
    return found


def _cell(column: str, value: Any) -> Cell:
    if column in ("speed", "rate", "scale"):
        return number(value, column)
    if column == "channel" and isinstance(value, list):
        return tuple(_words(part, column) for part in value)
    if column == "channel":
        return tuple(part.strip() for part in _words(value, column).split("|"))
    if column == "geometry" and isinstance(value, dict):
        return {str(key).casefold(): number(one, str(key)) for key, one in value.items()}
    return _words(value, column)


def _words(value: Any, column: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DataError(f"{column} must be a text: write it in quotes")
    text = str(value).strip()
    if not text.isprintable() or len(text) > 500:
        raise DataError(f"{column} is {_brief(text)}, too long or not printable: correct it")
    if not text:
        raise DataError(f"{column} is empty: write it, or leave it out")
    return text


def _csv_lines(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a csv table with their numbers; the delimiter is the one that the header holds most of."""
    text = _text_of(path)
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = []
    try:
        for cells in reader:
            lines.append((reader.line_num, cells))
            if len(lines) > _MAX_ROWS + 1:
                break
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {_brief(error)}: correct the line") from error
    return lines


def _text_of(path: Path) -> str:
    with open_regular(path, _MAX_BYTES) as (stream, _):
        content = stream.read(_MAX_BYTES)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is written in UTF-16: save it as UTF-8")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise DataError(f"{path}, line {line}: a NUL byte, which no text holds: save the table again as text in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if path.suffix == ".toml":
            raise DataError(f"{path} is no text in UTF-8: save it as UTF-8") from None
        return content.decode("latin-1")  # what spreadsheets on Windows write


def _brief(said: object) -> str:
    text = " ".join(str(said).split())
    return ascii(text if len(text) <= 80 else text[:80] + "...").strip("'\"")
