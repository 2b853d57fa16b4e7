"""What `--dry-run` prints: the cells, the stages they share, what is there already, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from faultbench.discovery import one_line
from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Stage, shares
from faultbench.matrix.plan import Plan
from faultbench.matrix.running import outlook


def print_plan(plan: Plan, console: Console) -> None:
    """Prints a plan; nothing is computed.

    Args:
        plan: The plan.
        console: Where to.
    """
    _print_cells(plan, console)
    states = outlook(plan.graph, plan.goals, plan.cache)
    counts = shares(plan.graph, [c.goal for c in plan.cells if c.goal is not None])
    known = timings(plan.cache)
    table = Table(title="stages", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stage", overflow="fold")
    table.add_column("cells", justify="right")
    table.add_column("state", no_wrap=True)
    table.add_column("forecast", justify="right", no_wrap=True)
    for stage in plan.stages:
        forecast = known.get(stage.like) if states[stage.key] == "to do" else None
        shown = "" if states[stage.key] != "to do" else "unknown" if forecast is None else duration(forecast)
        table.add_row(_text(stage.title), str(counts.get(stage.key, 2)), states[stage.key], shown)
    console.print(table)
    console.print()
    console.print(summary(plan.stages, states, known), soft_wrap=True, markup=False, highlight=False)


def summary(stages: tuple[Stage, ...], states: Mapping[str, str], known: Mapping[str, float]) -> str:
    """The plan in a sentence."""
    todo = [stage for stage in stages if states[stage.key] == "to do"]
    said = f"{len(stages)} stages, {len(todo)} to do"
    if not todo:
        return f"{said}: everything is there"
    forecasts = [known[stage.like] for stage in todo if stage.like in known]
    unknown = len(todo) - len(forecasts)
    if not forecasts:
        return f"{said}: how long they take is not known before they ran once"
    return f"{said}: about {duration(sum(forecasts))}" + (f", and {unknown} of unknown length" if unknown else "")


def timings(cache: Cache) -> dict[str, float]:
    """How long stages took, by what they are like; the longest where several are known."""
    found: dict[str, float] = {}
    for entry in cache.entries():
        like = str(entry.about.get("like", ""))
        found[like] = max(entry.seconds, found.get(like, 0.0))
    return found


def duration(seconds: float) -> str:
    """A duration for people: `0.3 s`, `42 s`, `7 min`, `2.5 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _print_cells(plan: Plan, console: Console) -> None:
    table = Table(title="cells", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for axis in ("dataset", "scenario", "learner", "compressor", "target"):
        table.add_column(axis, overflow="fold")
    noisy = len({planned.cell.snr for planned in plan.cells}) > 1
    if noisy:
        table.add_column("snr", overflow="fold")
    for planned in plan.cells:
        axes = [_text(name) for name in planned.cell.axes.values()]
        if planned.cell.baseline:
            axes[2].append(" (baseline)")
        table.add_row(*axes, *([planned.cell.snr] if noisy else []))
    console.print(table)
    for planned in plan.cells:
        if planned.error is not None:
            console.print(_text(f"{planned.cell.title} cannot be computed: {planned.error}"), soft_wrap=True)
    console.print()


def _text(said: str) -> Text:
    """A plugin's text, never markup."""
    return Text(one_line(said, most=1000))
