"""The console that results are printed to."""

from __future__ import annotations

from typing import Any, NoReturn

from rich.console import Console


class Stdout(Console):
    """Standard output. A closed pipe is the caller's affair: rich would end the program with 1, the code of a gate that failed."""

    def __init__(self, **given: Any) -> None:
        super().__init__(highlight=False, **given)

    def on_broken_pipe(self) -> NoReturn:
        """Called where the reader has gone."""
        raise BrokenPipeError
