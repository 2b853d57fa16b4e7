"""Comparisons with numbers, as they are written on the command line: `name op number`, separated by commas."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from faultbench.errors import UsageError

OPS = (">=", "<=", ">", "<")

_TERM = re.compile(r"(?P<name>[^<>=!]*?)\s*(?P<op>[<>=!]+)\s*(?P<number>.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison, its name not yet looked up.

    Args:
        what: What the text is called in a message (`criteria`).
        text: As it was written.
        column: Where it begins, counted from 1; likewise the two below.
        name: What stands before the operator.
        op: The operator as it was written.
        op_column: Where that begins.
        number: The number as it was written.
        number_column: Where that begins.
    """

    what: str
    text: str
    column: int
    name: str
    op: str
    op_column: int
    number: str
    number_column: int

    def checked_op(self) -> str:
        """The operator.

        Raises:
            UsageError: There is no such.
        """
        if self.op not in OPS:
            raise unreadable(self.what, self.op_column, f"{quoted(self.op)} is no comparison", "write one of " + " ".join(OPS))
        return self.op

    def checked_number(self) -> float:
        """The number.

        Raises:
            UsageError: It is none.
        """
        if not _NUMBER.fullmatch(self.number) or not math.isfinite(float(self.number)):
            raise self.wrong_number(f"{quoted(self.number)} is no number", "write a plain number, as 0.95 or 600")
        return float(self.number)

    def wrong_name(self, said: str, do: str) -> UsageError:
        """That the name does not fit."""
        return unreadable(self.what, self.column, said, do)

    def wrong_number(self, said: str, do: str) -> UsageError:
        """That the number does not fit."""
        return unreadable(self.what, self.number_column, said, do)


def terms(text: str, what: str, one: str, form: str) -> Iterator[Term]:
    """The comparisons of a text.

    Args:
        text: The whole text.
        what: What it is called in a message.
        one: What one comparison is called.
        form: How one is written, and an example.

    Raises:
        UsageError: A part between commas is no comparison.
    """
    start = 0
    for part in text.split(","):
        inner, column = part.strip(), start + len(part) - len(part.lstrip()) + 1
        found = _TERM.fullmatch(inner)
        if not inner or found is None:
            said = f"{quoted(inner)} is no {one}" if inner else "there is nothing"
            raise unreadable(what, column, said, f"write {form}")
        yield Term(
            what, inner, column, found["name"], found["op"], column + found.start("op"), found["number"], column + found.start("number")
        )
        start += len(part) + 1


def holds(value: float, op: str, number: float) -> bool:
    """Whether a comparison is true."""
    return {">=": value >= number, "<=": value <= number, ">": value > number, "<": value < number}[op]


def number_text(number: float) -> str:
    """A number as it can be written again."""
    shortest = f"{number:.12g}"
    return shortest if float(shortest) == number else repr(number)


def guess(name: str, names: Iterable[str]) -> str:
    """`did you mean ...? `, or nothing."""
    near = difflib.get_close_matches(name[:80], list(names), n=1)
    return f"did you mean {near[0]}? " if near else ""


def quoted(text: str) -> str:
    """The text on one line, cut short, for a message."""
    return ascii(text if len(text) <= 40 else text[:39] + "…")


def unreadable(what: str, column: int, said: str, do: str) -> UsageError:
    """That a text cannot be read, and where."""
    return UsageError(f"{what}, column {column}: {said}: {do}")
