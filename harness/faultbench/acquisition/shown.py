"""How getting and checking files goes, on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TextIO

from faultbench.acquisition.space import size_text
from faultbench.discovery import one_line

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY_S = 10.0
"""How often a plain log says how far a long file is."""
_APART_S = 2.0
"""A plain log gets a line for a file no more often than this: files may be many and small."""


class Shown(Protocol):
    """Takes what happens."""

    def began(self, doing: str, files: int) -> None:
        """A pass over so many files begins."""
        ...

    def file(self, path: str, size_bytes: int | None) -> None:
        """The next file begins."""
        ...

    def advance(self, done_bytes: int, total_bytes: int | None) -> None:
        """So many bytes of it are done."""
        ...

    def done(self) -> None:
        """The file is done, well or not."""
        ...

    def note(self, line: str) -> None:
        """Something that whoever watches should know."""
        ...


class Silent:
    """Shows nothing."""

    def began(self, doing: str, files: int) -> None:
        """Nothing."""

    def file(self, path: str, size_bytes: int | None) -> None:
        """Nothing."""

    def advance(self, done_bytes: int, total_bytes: int | None) -> None:
        """Nothing."""

    def done(self) -> None:
        """Nothing."""

    def note(self, line: str) -> None:
        """Nothing."""


@contextlib.contextmanager
def on_stderr(stream: TextIO | None = None) -> Iterator[Shown]:
    """Shows on stderr while the body lasts.

    Args:
        stream: Where to; None takes stderr.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(file=stream, highlight=False) if stream is not None else Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(stream or sys.stderr)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[of]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bars:
        yield Live(bars)


class Lines:
    """Plain lines, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._doing, self._files, self._number = "", 0, 0
        self._path = ""
        self._said_at = -_APART_S

    def began(self, doing: str, files: int) -> None:
        """Remembers what is done to how many."""
        self._doing, self._files, self._number = doing, files, 0

    def file(self, path: str, size_bytes: int | None) -> None:
        """Says which file it is, unless the one before was said just now."""
        self._number += 1
        self._path = path
        now = time.monotonic()
        if now - self._said_at > _APART_S or self._number in (1, self._files):
            self._said_at = now
            size = f", {size_text(size_bytes)}" if size_bytes else ""
            self.note(f"{self._doing} {path} ({self._number} of {self._files}{size})")

    def advance(self, done_bytes: int, total_bytes: int | None) -> None:
        """Says now and then how far it is."""
        if time.monotonic() - self._said_at > EVERY_S:
            self._said_at = time.monotonic()
            self.note(f"{self._path}: {size_text(done_bytes)}" + (f" of {size_text(total_bytes)}" if total_bytes else ""))

    def done(self) -> None:
        """Nothing: the next file or the end says it."""

    def note(self, line: str) -> None:
        """A line."""
        print(one_line(line, most=1000), file=self._stream, flush=True)


class Live:
    """Two bars: the files, and the bytes of the one at hand where there is something to see of them."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._all = bars.add_task("", total=None, of="", visible=False)
        self._one = bars.add_task("", total=None, of="MB", visible=False)

    def began(self, doing: str, files: int) -> None:
        """A bar of files."""
        self._bars.reset(self._all, total=files, description=doing, visible=True, of="")

    def file(self, path: str, size_bytes: int | None) -> None:
        """Says which it is."""
        self._bars.update(self._all, of=one_line(path, most=40))
        self._bars.reset(self._one, total=_megabytes(size_bytes), description="", visible=False)

    def advance(self, done_bytes: int, total_bytes: int | None) -> None:
        """Moves the bar of bytes."""
        self._bars.update(self._one, completed=_megabytes(done_bytes), total=_megabytes(total_bytes), visible=True)

    def done(self) -> None:
        """One file more."""
        self._bars.update(self._all, advance=1)
        self._bars.update(self._one, visible=False)

    def note(self, line: str) -> None:
        """A line above the bars."""
        self._bars.console.print(one_line(line, most=1000), markup=False)


def _megabytes(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else round(size_bytes / 1e6, 1)
