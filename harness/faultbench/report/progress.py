"""How a run goes, on stderr: live on a terminal, plain lines elsewhere. Nothing goes to stdout."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from faultbench.discovery import one_line

EVERY_S = 10.0
"""How often a plain log says how far a long stage is."""

WORTH_S = 1.0
"""A stage that took less gets no line of its own when it ends."""

REFRESH_S = 0.1
"""How often a terminal is redrawn at most."""


class Shown(Protocol):
    """Takes what happens in a run."""

    def run_started(self, stages: int, reused: int) -> None:
        """So many stages are needed; so many of them are there already."""
        ...

    def stage_started(self, key: str, title: str, total: int | None = None) -> None:
        """A stage begins; `total` steps where that is known."""
        ...

    def advance(self, key: str, done: int, total: int) -> None:
        """A stage has done so many steps of so many."""
        ...

    def waiting(self, key: str) -> None:
        """A stage waits for another process that is making the same value."""
        ...

    def beat(self) -> None:
        """Stages are still at work."""
        ...

    def stage_finished(self, key: str, cached: bool, seconds: float) -> None:
        """A stage has ended, or was there already."""
        ...

    def cell_finished(self, row: Mapping[str, Any]) -> None:
        """A cell is judged, or has failed, or makes no sense."""
        ...

    def run_finished(self, stages: int, reused: int) -> None:
        """All is done; so many stages were there already."""
        ...


@contextlib.contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Shown]:
    """Shows a run while the body lasts.

    Args:
        stream: Where to; None takes stderr.
    """
    console = Console(file=stream) if stream is not None else Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(stream or sys.stderr)
        return
    live = Live(console)
    with live.bars:
        yield live


class Lines:
    """Plain lines: a line when a stage begins, one when a longer one ends, and one every ten seconds between.

    Args:
        stream: Where the lines go.
        clock: Seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._titles: dict[str, str] = {}
        self._began: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def run_started(self, stages: int, reused: int) -> None:
        """Says how much there is to do."""
        if reused < stages:
            self._say(f"{stages} stages, {stages - reused} to do")

    def stage_started(self, key: str, title: str, total: int | None = None) -> None:
        """Says what begins."""
        self._titles[key], self._began[key] = title, self._clock()
        self._said[key] = self._began[key]
        self._say(title if total is None else f"{title} ({total} steps)")

    def advance(self, key: str, done: int, total: int) -> None:
        """Says how far a stage is, once in ten seconds."""
        self._now_and_then(key, f"{done} of {total}")

    def waiting(self, key: str) -> None:
        """Says that another process is at it."""
        self._say(f"{self._titles[key]}: another run is making it, waiting")

    def beat(self) -> None:
        """Says of a stage that tells nothing how long it is at work, once in ten seconds."""
        for key in self._titles:
            self._now_and_then(key, f"{self._clock() - self._began[key]:.0f} s so far")

    def stage_finished(self, key: str, cached: bool, seconds: float) -> None:
        """Says how long it took, if that was long."""
        title = self._titles.pop(key, "")
        if not cached and seconds >= WORTH_S:
            self._say(f"{title}: {seconds:.1f} s")

    def cell_finished(self, row: Mapping[str, Any]) -> None:
        """Says what came out."""
        self._say(cell_line(row))

    def run_finished(self, stages: int, reused: int) -> None:
        """Says what was reused."""
        self._say(reuse_line(stages, reused))

    def _now_and_then(self, key: str, text: str) -> None:
        if self._clock() - self._said[key] >= EVERY_S:
            self._said[key] = self._clock()
            self._say(f"{self._titles[key]}: {text}")

    def _say(self, line: str) -> None:
        print(one_line(line), file=self._stream, flush=True)


class Live:
    """Bars on a terminal. It is redrawn when something happens, by no thread of its own: that would disturb a measurement."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            BarColumn(bar_width=20),
            _Steps(),
            _Time(),
            console=console,
            auto_refresh=False,
            transient=True,
            expand=True,
        )
        self._tasks: dict[str, Any] = {}
        self._titles: dict[str, str] = {}
        self._drawn = float("-inf")
        self._whole: Any = None

    def run_started(self, stages: int, reused: int) -> None:
        """Draws a bar of the whole run."""
        if reused < stages:
            self._whole = self.bars.add_task("stages", total=stages - reused, whole=True)

    def stage_started(self, key: str, title: str, total: int | None = None) -> None:
        """Draws a bar."""
        self._titles[key] = one_line(title)
        self._tasks[key] = self.bars.add_task(self._titles[key], total=total)
        self._draw()

    def advance(self, key: str, done: int, total: int) -> None:
        """Moves a bar."""
        self.bars.update(self._tasks[key], description=self._titles[key], completed=done, total=total)
        if time.monotonic() - self._drawn >= REFRESH_S or done >= total:
            self._draw()

    def waiting(self, key: str) -> None:
        """Says that another process is at it."""
        self.bars.update(self._tasks[key], description=f"waiting for another run: {self._titles[key]}")
        self._draw()

    def beat(self) -> None:
        """Lets the times go on."""
        self._draw()

    def stage_finished(self, key: str, cached: bool, seconds: float) -> None:
        """Takes the bar away, and leaves a line if it took long."""
        if key not in self._tasks:
            return
        self.bars.remove_task(self._tasks.pop(key))
        if self._whole is not None:
            self.bars.advance(self._whole)
        title = self._titles.pop(key)
        if not cached and seconds >= WORTH_S:
            self._say(f"{title}: {seconds:.1f} s", "dim")
        self._draw()

    def cell_finished(self, row: Mapping[str, Any]) -> None:
        """Says what came out."""
        self._say(cell_line(row))

    def run_finished(self, stages: int, reused: int) -> None:
        """Says what was reused."""
        if self._whole is not None:
            self.bars.remove_task(self._whole)
        self._say(reuse_line(stages, reused), "dim")

    def _say(self, line: str, style: str | None = None) -> None:
        self._console.print(one_line(line), style=style, markup=False, highlight=False, soft_wrap=True)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self.bars.refresh()


class _Steps(MofNCompleteColumn):
    """`17/300`; nothing for a stage that does not say how far it is."""

    def render(self, task: Task) -> Text:
        return Text("") if task.total is None else super().render(task)


class _Time(ProgressColumn):
    """How long a stage still takes, or has taken where it does not say how far it is. Stages differ too much to say it of the whole."""

    def render(self, task: Task) -> Text:
        if task.fields.get("whole"):
            return Text("")
        seconds, word = (task.elapsed, "so far") if task.total is None else (task.time_remaining, "left")
        return Text("" if seconds is None else f"{int(seconds // 60)}:{int(seconds % 60):02d} {word}")


def cell_line(row: Mapping[str, Any]) -> str:
    """A row as one line: `cwru new-device maml none x86: accuracy 0.973 (0.951 to 0.989), pass`."""
    cell, verdict, accuracy = row["cell"], row["verdict"], row["accuracy"]
    name = " ".join(str(cell[axis]) for axis in ("dataset", "scenario", "learner", "compressor", "target"))
    if cell.get("snr") not in (None, "clean"):
        name = f"{name} snr {cell['snr']}"
    if accuracy is None:
        return f"{name}: {verdict['sentence']}"
    interval = "" if accuracy["ci_low"] is None else f" ({accuracy['ci_low']:.3f} to {accuracy['ci_high']:.3f})"
    return f"{name}: accuracy {accuracy['mean']:.3f}{interval}, {verdict['overall']}"


def gate_line(rows: Sequence[Mapping[str, Any]], code: int) -> str:
    """What a gate says, with how many rows ended how: `gate: fails (exit code 1): 3 pass, 1 fail`."""
    ends = [row["verdict"]["overall"] if row["verdict"]["gated"] or not row["baseline"] else "baseline" for row in rows]
    said = ", ".join(f"{count} {end}" for end, count in Counter(ends).items())
    word = {0: "passes", 1: "fails", 3: "is not proven"}.get(code, "could not be judged")
    return f"gate: {word} (exit code {code}): {said or 'no rows'}"


def reuse_line(stages: int, reused: int) -> str:
    """What was reused, in words."""
    rest = ": nothing was computed" if stages == reused else ""
    return f"reused {reused} of {stages} stages{rest}"
