"""Names that differ in their spelling only: one specimen under two names counts as two, and a split is then granted a level too many."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.rules import element_severity as class_of

ONE_WAY = "write one name the same way, or names that differ by more"
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[\s\-_.]+(?=[0-9])")
_SEPARATORS = re.compile(r"[\s\-_.]+")
_SHOWN = 4


def plain(name: str) -> str:
    """A name without case, blanks, `-`, `_` and `.`; between two digits they stay, as one sign, for bearing 1-1 is not bearing 11."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _SEPARATORS.sub("", _BETWEEN_DIGITS.sub("\N{MIDDLE DOT}", folded))


def spelled_alike(what: str, names: Iterable[tuple[str, str, str]]) -> list[str]:
    """A text for each name that is spelled in several ways: all spellings, each with the first place where it stands.

    Args:
        what: What the names are of: `bearing`.
        names: Of each place whatever the name is read within (the machine of a mounting, else an empty text), the name, and the place.
    """
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for within, name, place in names:
        groups.setdefault((within, plain(name)), {}).setdefault(name, place)
    return [f"{what} is spelled {_all_of(spellings)}: {ONE_WAY}" for spellings in groups.values() if len(spellings) > 1]


def names_alike(catalogue: Catalogue, stated: bool = False) -> Iterator[str]:
    """What is spelled in several ways in a catalogue; places are recordings.

    Args:
        catalogue: The recordings.
        stated: Whether the names by which splits are parted (machine, mounting, bearing, session) were looked at where they are stated.
    """
    parting: tuple[tuple[str, Callable[[Recording], tuple[str, str]]], ...] = (
        ("machine", lambda r: ("", r.machine)),
        ("mounting", lambda r: (r.machine, r.mounting)),
        ("bearing", lambda r: ("", r.bearing)),
        ("session", lambda r: ("", r.session)),
    )
    describing: tuple[tuple[str, Callable[[Recording], tuple[str, str]]], ...] = (
        ("position", lambda r: (r.bearing, r.position)),
        ("load", lambda r: ("", r.load)),
        ("class", lambda r: ("", class_of(r))),
    )
    for what, of in describing if stated else (*parting, *describing):
        # A session that is called like its file is as distinct as the files are.
        yield from spelled_alike(
            what, ((*of(r), r.id) for r in catalogue.recordings if what != "session" or not r.id.startswith(r.session))
        )


def _all_of(spellings: dict[str, str]) -> str:
    said = [f"{name!a} ({place})" for name, place in spellings.items()]
    more = [f"{len(said) - _SHOWN} more ways"] if len(said) > _SHOWN else []
    *first, last = said[:_SHOWN] + more
    return f"{', '.join(first)} and {last}"
