"""Options that several commands have."""

from __future__ import annotations

from typing import Any

import typer

from faultbench.cli.completion import names_of
from faultbench.defaults import DEFAULTS
from faultbench.names import split_list

Names = list[str] | None
"""What an option that is repeated gives."""


def axis(letter: str, option: str, kind: str, what: str) -> Any:
    """The option that names parts of a kind."""
    help_ = f"{what}; repeat it, or separate names by commas. [default: {', '.join(DEFAULTS[kind])}]"
    return typer.Option(f"-{letter}", f"--{option}", metavar="NAME", help=help_, autocompletion=names_of(kind), show_default=False)


def named(texts: Names) -> tuple[str, ...]:
    """The names that an option gave."""
    return tuple(name for text in texts or () for name in split_list(text))
