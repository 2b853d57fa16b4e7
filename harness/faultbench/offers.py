"""What a plugin offers: a light description of a part, from which the part is made when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = int | float | str | bool
"""What a parameter can hold."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an offer.

    Args:
        type: `int`, `float`, `str` or `bool`.
        default: The value where none is given; `None` makes the parameter required.
        summary: One line, for `faultbench list`.
        ge: The least value allowed.
        le: The greatest value allowed.
        choices: The values allowed, where they can be counted.
    """

    type: type
    default: Value | None
    summary: str
    ge: float | None = None
    le: float | None = None
    choices: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A part that a plugin offers, described without importing it.

    Args:
        name: The name used on the command line: lower case letters, digits, `-` and `_`, beginning with a letter.
        factory: `"package.module:Class"`, imported when the part is used and called with the parameters by keyword.
        summary: One line, for `faultbench list`.
        params: The parameters by name, in the order they are shown.
        positional: The parameter that a number behind the name sets: `prune40` is `prune` with `percent=40`.
        cite: The paper, or the source of the data.
        publication: Of a data set: `"package.module:function"`, imported and called without arguments by `faultbench data`. It
            returns a `Publication`: what the source publishes, and how it is got. Without it a data set cannot be got by command.
    """

    name: str
    factory: str
    summary: str
    params: Mapping[str, Param] = field(default_factory=dict)
    positional: str | None = None
    cite: str = ""
    publication: str = ""
