"""The runs that a store keeps, as a list."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from faultbench.report.console import print_lines
from faultbench.report.document import json_text
from faultbench.report.schema import RUNS_SCHEMA
from faultbench.results.store import Run, Store


def summaries(store: Store, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What a list says of runs: `{id, started, state, verdicts, protocol, version, machine, command}`.

    The state is `finished`, `going on`, or `interrupted` where no process is at it and it has no end.
    """
    verdicts = store.verdicts()
    return [
        {
            "id": run.id,
            "started": run.started,
            "finished": run.finished,
            "state": "finished" if run.finished else "going on" if store.is_going_on(run.id) else "interrupted",
            "verdicts": verdicts.get(run.id, {}),
            "protocol": run.protocol,
            "version": run.version,
            "machine": run.machine,
            "command": list(run.command),
        }
        for run in runs
    ]


def gathered(store: Store, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The rows of several runs, the newest run first; of rows with one digest the newest alone.

    Raises:
        DataError: Another version of faultbench kept one, in another layout.
    """
    from faultbench.report.finding import stored

    found: dict[tuple[str, str], dict[str, Any]] = {}
    for run in sorted(runs, key=lambda run: -run.id):
        for row in stored(store, run).rows:
            found.setdefault((row["digest"], json.dumps(row["cell"], sort_keys=True)), dict(row))
    return list(found.values())


def runs_text(told: Sequence[Mapping[str, Any]]) -> str:
    """The list as JSON."""
    return json_text({"schema": RUNS_SCHEMA, "runs": list(told)})


_HEADINGS = ("run", "began (UTC)", "state", "rows")


def _line(one: Mapping[str, Any]) -> tuple[str, ...]:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in one["verdicts"].items())
    return str(one["id"]), str(one["started"]).partition("+")[0].replace("T", " "), one["state"], counts or "none"


def print_runs(told: Sequence[Mapping[str, Any]], console: Console, *, more: int) -> None:
    """Prints the list, each run's command on lines of its own; `more` is how many older runs it leaves out."""
    if not told:
        console.print(Text("no runs are kept that fit"))
        return
    lines = [_HEADINGS, *(_line(one) for one in told)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEADINGS) - 1)]
    for place, (run, *middle, rows) in enumerate(lines):
        said = "  ".join([run.rjust(widths[0]), *(text.ljust(width) for text, width in zip(middle, widths[1:], strict=True)), rows])
        print_lines(console, said, style="" if place else "bold")
        if place:
            print_lines(console, shlex.join(told[place - 1]["command"]), indent=widths[0] + 2, style="dim")
    if more > 0:
        console.print(Text(f"and {more} older ones: --limit shows more"))
