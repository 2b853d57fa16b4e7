"""The words of a table: what a label says of the damage, and what a unit is in g."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from difflib import get_close_matches

from faultbench.api import HEALTHY, DataError

ELEMENTS = {
    HEALTHY: ("healthy", "normal", "good", "ok", "no fault"),
    "inner": ("inner race", "inner ring", "inner", "ir"),
    "outer": ("outer race", "outer ring", "outer", "or"),
    "ball": ("ball", "roller", "rolling element"),
    "cage": ("cage",),
    "combined": ("combined",),
}
"""How people write the elements of a bearing."""

GEAR = "gear-"
"""What the elements of a set of gears begin with."""

G = 9.80665
UNITS = {
    "g": ("g", 1.0),
    "mg": ("g", 1e-3),
    **dict.fromkeys(("m/s^2", "m/s2", "m/s²", "m/s/s", "ms-2"), ("g", 1 / G)),
    **{unit: (unit, 1.0) for unit in ("mm/s", "um", "V", "mV", "A", "Pa")},
}
"""The units that a table may name, what signals are kept in, and by what they are multiplied for it."""

_MOST_COMPARED = 300
"""Names of which each is compared with each; a table of more classes is no table of classes."""
_LONG_WORD = 5
"""Shorter words that differ by a letter are often two words (bent, belt)."""

FULL_SCALE = "full scale"
"""The unit of PCM samples of which nobody says what full scale is."""


def damage(label: str) -> tuple[str, str]:
    """Element and severity that a label says: `Inner race, 7 mil` is `inner` and `7 mil`, `gear-tooth chipped` `gear-tooth` and `chipped`.

    A label that begins with neither is a class of its own (`imbalance`), without a severity.

    Raises:
        DataError: It says that something healthy has a severity.
    """
    own = " ".join(label.casefold().split())
    if own.startswith(GEAR):
        element, _, severity = own.partition(" ")
        return element, severity
    said = " ".join(own.replace("_", " ").replace("-", " ").replace(",", " ").split())
    for element, spellings in ELEMENTS.items():
        for spelling in spellings:
            if said == spelling or said.startswith(f"{spelling} "):
                severity = said.removeprefix(spelling).strip()
                if element == HEALTHY and severity:
                    raise DataError(f"label {label!a} says healthy and {severity!a}: write healthy alone, the rest under note")
                return element, severity
    return own, ""


def resembling(label: str) -> str | None:
    """What an unknown label may be a slip of, its severity kept (`inmer 7 mil`: `inner 7 mil`), or None."""
    if label in ELEMENTS:
        return None
    words = [spelling for spellings in ELEMENTS.values() for spelling in spellings if len(spelling) > 2]
    first, blank, rest = label.partition(" ")
    near = get_close_matches(first, words, n=1, cutoff=0.75)
    return f"{near[0]}{blank}{rest}" if near else None


def one_letter_off(names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of names of which one may be a slip of the other, by one letter of a long word (`smal`, `small`)."""
    words = {name: name.split() for name in names[:_MOST_COMPARED]}
    return [(one, other) for one, other in itertools.combinations(words, 2) if _one_letter_off(words[one], words[other])]


def _one_letter_off(one: Sequence[str], other: Sequence[str]) -> bool:
    differing = [pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
    if len(one) != len(other) or len(differing) != 1 or not all(word.isalpha() for word in differing[0]):
        return False
    short, long = sorted(differing[0], key=len)
    if len(long) < _LONG_WORD or len(long) - len(short) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    swapped = short[same + 1 : same + 2] + short[same : same + 1] + short[same + 2 :] == long[same:]
    return short[same:] == long[same + 1 :] or (len(short) == len(long) and (short[same + 1 :] == long[same + 1 :] or swapped))


def unit_factor(unit: str) -> tuple[str, float]:
    """The unit that a signal is kept in, and what its numbers are multiplied by.

    Raises:
        DataError: There is no such unit.
    """
    for spelling, found in UNITS.items():
        if unit == spelling or (unit.casefold() == spelling.casefold() and spelling not in ("V", "mV", "mg", "A", "Pa")):
            return found
    raise DataError(f"unit {unit!a} is not known: write one of {', '.join(ascii(u).strip(chr(39)) for u in UNITS if u.isascii())}")
