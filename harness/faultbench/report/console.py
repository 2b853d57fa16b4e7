"""The console that results are printed to."""

from __future__ import annotations

from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from faultbench.report.wording import clean


class Stdout(Console):
    """Standard output. A closed pipe is the caller's affair: rich would end the program with 1, the code of a gate that failed."""

    def __init__(self, **given: Any) -> None:
        super().__init__(highlight=False, **given)

    def on_broken_pipe(self) -> NoReturn:
        """Called where the reader has gone."""
        raise BrokenPipeError


def print_lines(console: Console, text: str, *, style: str = "", indent: int = 0) -> None:
    """Prints a text as it is, folded at the console's width, every line indented."""
    for line in Text(clean(text, console.encoding), style=style).wrap(console, max(console.width - indent, 1)):
        line.rstrip()
        console.print(Text(" " * indent) + line, highlight=False)
