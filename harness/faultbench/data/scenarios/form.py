"""The TOML form of a scenario file: what it may say, checked entry by entry. Nothing in it is evaluated.

There are three kinds. All have a `name` and may have a `note`, which is said beside the level.

    extends = "new-device"          a built-in scenario
    [parameters]                    with its parameters
    target = "fan-end"

    split = "cwru.new-device.0.json.gz"     the windows of a published split; a list holds one file per seed

    level = "T2"                    a scenario of one's own, which the audit holds to this level
    [target]
    include = [{mounting = "fan-end"}]
    [source]
    include = [{mounting = "drive-end"}]
    exclude = [{element = "healthy"}]

docs/howto/scenario-files.md says what each entry means.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbench import names
from faultbench.data.resampling import BASES, HZ
from faultbench.errors import UsageError
from faultbench.regularfile import read_regular

FIELDS = ("dataset", "id", "machine", "mounting", "bearing", "element", "severity", "load", "session", "position")
"""What recordings are chosen by, and what ways and parts are made of: fields of a recording."""

LABELS = ("element+severity", "element")
LEVELS = ("T0", "T1", "T2", "T3", "T4/T2", "T4/T3")
CLASS = "class"
"""Beside the fields, what a way can keep to."""

LEAST_WINDOW = 64
_MOST_BYTES = 1024 * 1024
_LONGEST_NAME, _LONGEST_NOTE = 64, 200

Where = Mapping[str, tuple[str, ...]]
"""By field the values allowed. A recording fits that has one of them in every field."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """Which recordings are on one side: those that fit one of `include` and none of `exclude`."""

    include: tuple[Where, ...]
    exclude: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True)
class Extended:
    """A built-in scenario with parameters, as they are written."""

    scenario: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Published:
    """The files of published splits, by seed, as they are written."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """A scenario of one's own.

    Args:
        level: What it claims to keep.
        one_rig: Whether source and target may share the mounting, because the data have no other.
        base: What signals are brought to, where the sources are other data sets; else None.
        window: Samples per window.
        ways: The default number of ways; 0 takes as many as there are, up to five.
        target: What is tested on.
        source: What is trained on.
        label: One of `LABELS`, or by class the recordings that belong to it.
        way: What a way keeps to: fields, or `class`.
        apart: Fields that support and query of a way never share; none: they come from the same recordings.
        together: Whether the supports of all ways come from one part.
    """

    level: str
    one_rig: bool
    base: str | None
    window: int
    ways: int
    target: Choosing
    source: Choosing
    label: str | Mapping[str, tuple[Where, ...]]
    way: tuple[str, ...]
    apart: tuple[str, ...]
    together: bool


@dataclass(frozen=True, slots=True)
class Form:
    """What a scenario file says."""

    name: str
    note: str
    made: Extended | Published | Own


def read_text(path: Path) -> bytes:
    """What stands in a file.

    Raises:
        UsageError: It cannot be read, is no regular file, or is too large.
    """
    return read_regular(path, _MOST_BYTES, "name a scenario file (TOML)", UsageError)


def parse(content: bytes, file: str) -> Form:
    """What a scenario file says.

    Args:
        content: What stands in it.
        file: What it is called in errors.

    Raises:
        UsageError: It is no TOML, or has an entry that does not fit; the message names file and entry, and what would fit.
    """
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise UsageError(f"{file} is not TOML ({ascii(str(error)[:80])[1:-1]}): correct it there") from error
    entry = _Entry(file, "", table)
    kinds = [kind for kind in ("extends", "split", "level") if kind in table]
    if len(kinds) != 1:
        said = " and ".join(kinds) or "none of them"
        raise UsageError(f"{file}: one of extends, split and level is needed, and there is {said}: see docs/howto/scenario-files.md")
    return {"extends": _extended, "split": _published, "level": _own}[kinds[0]](entry)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A table of the file, with what it is called in errors."""

    file: str
    at: str
    table: Mapping[str, Any]

    def only(self, *allowed: str) -> None:
        """Refuses keys that are not known."""
        for key in self.table:
            if key not in allowed:
                listing = f"{self._here} may have {', '.join(allowed)}"
                raise self.wrong(f"there is no key {names.shown(key)}", names.instead(key, allowed, listing=listing))

    def text(self, key: str, default: str | None = None, longest: int = _LONGEST_NAME) -> str:
        """A text of one line."""
        if key not in self.table and default is not None:
            return default
        value = self.table.get(key)
        if not isinstance(value, str) or not value.isprintable() or len(value) > longest or (default is None and not value):
            raise self.wrong(f"{key} {_is(self.table, key)}", f"give a text of one line, at most {longest} characters")
        return value

    def one_of(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """A text among some."""
        value = self.table.get(key, default)
        if value not in allowed:
            raise self.wrong(f"{key} {_is(self.table, key)}", f"give one of {', '.join(allowed)}")
        return str(value)

    def whole(self, key: str, default: int, least: int) -> int:
        """A whole number."""
        value = self.table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or (value < least and value != default) or value > 2**31:
            raise self.wrong(f"{key} {_is(self.table, key)}", f"give a whole number >= {least}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} {_is(self.table, key)}", "give true or false")
        return value

    def fields(self, key: str, allowed: Sequence[str], default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of fields."""
        value = self.table.get(key, list(default))
        if (
            not isinstance(value, list)
            or not all(isinstance(name, str) and name in allowed for name in value)
            or len(set(value)) < len(value)
        ):
            raise self.wrong(f"{key} {_is(self.table, key)}", f"give a list of different ones of {', '.join(allowed)}")
        return tuple(value)

    def inner(self, key: str, default: Mapping[str, Any] | None = None) -> _Entry:
        """A table in the table."""
        value = self.table.get(key, default)
        if not isinstance(value, dict):
            raise self.wrong(f"{key} {_is(self.table, key)}", f"write a table [{self._name(key)}]")
        return _Entry(self.file, self._name(key), value)

    def wheres(self, key: str, least: int) -> tuple[Where, ...]:
        """Tables that choose recordings; a single one may stand without a list."""
        value = self.table.get(key, [])
        tables = [value] if isinstance(value, dict) else value
        if not isinstance(tables, list) or not all(isinstance(table, dict) and table for table in tables) or len(tables) < least:
            raise self.wrong(
                f"{key} {_is(self.table, key)}", f'give a list of tables such as [{{mounting = "drive-end"}}], {least} at least'
            )
        return tuple(_Entry(self.file, f"{self._name(key)}[{i}]", table).where() for i, table in enumerate(tables))

    def where(self) -> Where:
        """The values by field."""
        self.only(*FIELDS)
        found = {}
        for key, value in self.table.items():
            values = [value] if isinstance(value, str) else value
            if not isinstance(values, list) or not values or not all(isinstance(text, str) for text in values):
                raise self.wrong(f"{key} {_is(self.table, key)}", 'give a text or a list of texts, as in ["0 hp", "1 hp"]')
            found[key] = tuple(values)
        return found

    def wrong(self, what: str, advice: str) -> UsageError:
        """The error that names file and place."""
        place = f"{self.file}: [{self.at}]" if self.at else self.file
        return UsageError(f"{place}: {what}: {advice}")

    @property
    def _here(self) -> str:
        return f"[{self.at}]" if self.at else "this file"

    def _name(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key


def _extended(entry: _Entry) -> Form:
    entry.only("name", "note", "extends", "parameters")
    scenario = entry.text("extends")
    table = entry.inner("parameters", {})
    parameters = {}
    for key, value in table.table.items():
        if not isinstance(value, str | int | float | bool):
            raise table.wrong(f"{names.shown(key)} {_is(table.table, key)}", "give a text, a number, or true or false")
        parameters[key] = names.value_text(value)
    return _form(entry, Extended(scenario, parameters))


def _published(entry: _Entry) -> Form:
    entry.only("name", "note", "split")
    value = entry.table["split"]
    files = [value] if isinstance(value, str) else value
    if not isinstance(files, list) or not files or not all(isinstance(file, str) and file for file in files):
        raise entry.wrong(f"split {_is(entry.table, 'split')}", "give the name of a file, or a list of names, one per seed")
    return _form(entry, Published(tuple(files)))


def _own(entry: _Entry) -> Form:
    entry.only("name", "note", "level", "one_rig", "base", "window", "ways", "target", "source", "episodes", "classes")
    level = entry.one_of("level", LEVELS)
    one_rig = entry.flag("one_rig", False)
    if one_rig and level not in ("T2", "T3"):
        raise entry.wrong(f"one_rig is true at {level}", "it belongs to T2 and T3, take it away")
    base = entry.one_of("base", BASES, HZ) if level.startswith("T4") else None
    if base is None and "base" in entry.table:
        raise entry.wrong(f"base stands there at {level}", "it belongs to the levels that train on other data sets, T4/T2 and T4/T3")
    episodes = entry.inner("episodes", {})
    episodes.only("label", "way", "apart", "together")
    return _form(
        entry,
        Own(
            level=level,
            one_rig=one_rig,
            base=base,
            window=entry.whole("window", 2048, LEAST_WINDOW),
            ways=entry.whole("ways", 0, 2),
            target=_choosing(entry.inner("target")),
            source=_choosing(entry.inner("source")),
            label=_label(entry, episodes),
            way=episodes.fields("way", (*FIELDS, CLASS), ("bearing", "position", "mounting")),
            apart=episodes.fields("apart", FIELDS, ("mounting", "load")),
            together=episodes.flag("together", True),
        ),
    )


def _choosing(entry: _Entry) -> Choosing:
    entry.only("include", "exclude")
    return Choosing(entry.wheres("include", 1), entry.wheres("exclude", 0))


def _label(entry: _Entry, episodes: _Entry) -> str | Mapping[str, tuple[Where, ...]]:
    """The rule by which recordings are labelled, or the classes one by one."""
    if "classes" not in entry.table:
        return episodes.one_of("label", LABELS, LABELS[0])
    if "label" in episodes.table:
        raise entry.wrong("it has [classes] and episodes.label", "keep one of them")
    classes = entry.inner("classes")
    for name in classes.table:
        if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
            raise classes.wrong(f"a class is called {names.shown(name)}", f"give it a name of one line, at most {_LONGEST_NAME} characters")
    if len(classes.table) < 2:
        raise classes.wrong(f"it has {len(classes.table)} class", "two at least are needed")
    return {name: classes.wheres(name, 1) for name in classes.table}


def _form(entry: _Entry, made: Extended | Published | Own) -> Form:
    return Form(entry.text("name"), entry.text("note", "", _LONGEST_NOTE), made)


def _is(table: Mapping[str, Any], key: str) -> str:
    return f"is {names.shown(str(table[key]))}" if key in table else "is missing"
