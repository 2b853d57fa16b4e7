"""Carries a plan out: rows come in as cells finish, and each is kept at once."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from faultbench.errors import CellError, FaultbenchError
from faultbench.matrix import running
from faultbench.matrix.keeping import Keeper, NotKept
from faultbench.matrix.plan import Plan, Planned, refuse
from faultbench.matrix.running import Ended
from faultbench.matrix.stages import DIFFERENCES_FILE, ROW_FILE
from faultbench.results.row import PROTOCOL
from faultbench.results.store import open_store

INTERRUPTED = 130


class Progress(running.Progress, Protocol):
    """Who shows how the run goes."""

    def cell_finished(self, row: Mapping[str, Any]) -> None:
        """A cell is judged, or has failed, or makes no sense."""
        ...

    def run_finished(self, stages: int, reused: int) -> None:
        """All is done; so many stages were there already."""
        ...


def execute(plan: Plan, progress: Progress, *, command: Sequence[str] = (), store: Path | None = None) -> list[dict[str, Any]]:
    """Computes what a plan still needs, and returns the rows of its cells in the plan's order.

    A stage that fails costs the cells that need it: their rows say so. Every row is in the store as soon as its cell has
    ended, and again at the end, then with its differences to other learners; where the store cannot be written meanwhile,
    the run goes on, and tries again. The cache keeps every stage that was finished, so that an interrupted run goes on where it was.

    Args:
        plan: What to do.
        progress: Told what happens.
        command: The words of the command, for the store.
        store: The store's file, or None for the usual one.

    Raises:
        UsageError: The store or the cache cannot be written, as the run begins.
        NotKept: All is computed, but the store could not be written to the end; the error has the rows.
        FaultbenchError: Every cell failed, for one and the same reason, and that is bad usage or bad input.
        KeyboardInterrupt: The run was interrupted; what was finished is kept.
    """
    hook = plan.registry.hook
    with open_store(store) as opened:
        hook.faultbench_run_started({"command": list(command), "cells": [c.cell.axes for c in plan.cells], "protocol": PROTOCOL})
        number = opened.begin(command)
        keeper = Keeper(opened, number)
        execution = _Execution(plan, progress, keeper)
        try:
            with opened.going_on(number):
                execution.go()
                missing = keeper.close()
        except BaseException as error:
            keeper.interrupt()
            if isinstance(error, FaultbenchError) and not keeper.rows:
                with contextlib.suppress(FaultbenchError):  # the error itself says more
                    opened.remove([number])  # it was refused, not interrupted, and there is nothing to show of it
            hook.faultbench_run_finished(summary(list(keeper.rows.values()), _code(error)))
            raise
    from faultbench.results.verdict import exit_code

    rows = [keeper.rows[i] for i in range(len(plan.cells))]
    hook.faultbench_run_finished(summary(rows, NotKept.exit_code if missing else exit_code(rows, gate=False)))
    refuse([execution.failures.get(i) for i in range(len(rows))])
    if missing:
        raise NotKept(missing, rows)
    return rows


def summary(rows: Sequence[Mapping[str, Any]], exit_code: int) -> dict[str, Any]:
    """What observers are told at the end: the exit code (of a run without a gate), and how many cells ended how."""
    counts = Counter(row["verdict"]["overall"] for row in rows)
    return {"exit_code": exit_code, "cells": len(rows), **{verdict.replace(" ", "_"): count for verdict, count in sorted(counts.items())}}


def _code(error: BaseException) -> int:
    """What the command ends with for an error that ends the run."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return error.exit_code if isinstance(error, FaultbenchError) else CellError.exit_code


class _Execution:
    """The state of one execution. `failures` holds, by the cell's number, why there is no more to it."""

    def __init__(self, plan: Plan, progress: Progress, keeper: Keeper) -> None:
        self._plan, self._progress, self._keeper = plan, progress, keeper
        self._cells = {planned.goal: i for i, planned in enumerate(plan.cells) if planned.goal is not None}
        self._comparisons = {comparison.goal: comparison for comparison in plan.comparisons}
        self._differences: dict[int, dict[str, Any]] = {}
        self._unsaid: list[dict[str, Any]] = []
        self.failures: dict[int, FaultbenchError] = {i: c.error for i, c in enumerate(plan.cells) if c.error is not None}

    def go(self) -> None:
        """Runs the graph, and hands every cell's row to the keeper."""
        for i, planned in enumerate(self._plan.cells):
            if planned.goal is None:
                self._finish(i, unscored(planned, error=planned.error))
        jobs = self._plan.settings.jobs
        tally = running.run(self._plan.graph, self._plan.goals, self._plan.cache, self._progress, jobs=jobs, ended=self._ended)
        for i, differences in self._differences.items():
            self._keeper.keep(i, {**self._keeper.rows[i], "differences": differences})
        if not self._refusable():
            self._progress.run_finished(tally.stages, tally.reused)

    def _ended(self, end: Ended) -> None:
        if end.key in self._comparisons:
            self._compare(end)
            return
        number = self._cells[end.key]
        planned = self._plan.cells[number]
        if end.failure is not None:
            self.failures[number] = end.failure.error(end.failure.message)
            self._finish(number, unscored(planned, error=self.failures[number]))
        elif end.declined:
            self._finish(number, unscored(planned, not_applicable=end.declined))
        elif end.value is None:
            self._finish(number, unscored(planned, error=CellError("its row went from the cache during the run: run again")))
        else:
            self._finish(number, json.loads((end.value / ROW_FILE).read_text(encoding="utf-8")))

    def _finish(self, number: int, row: Mapping[str, Any]) -> None:
        self._keeper.keep(number, row)
        self._unsaid.append(self._keeper.rows[number])
        if not self._refusable():
            self._say()
        self._plan.registry.hook.faultbench_cell_finished(self._keeper.rows[number])

    def _refusable(self) -> bool:
        """Whether the run may still end as bad usage, of which one line is to be said, not one for every cell beside it."""
        try:
            refuse([self.failures.get(number) for number in self._keeper.rows])
        except FaultbenchError:
            return True
        return False

    def _say(self) -> None:
        for row in self._unsaid:
            self._progress.cell_finished(row)
        self._unsaid = []

    def _compare(self, end: Ended) -> None:
        """Keeps the differences; where a cell of the two has none, neither has the pair."""
        if end.value is None:
            return
        comparison = self._comparisons[end.key]
        said = json.loads((end.value / DIFFERENCES_FILE).read_text(encoding="utf-8"))
        for mine, other, which in ((comparison.first, comparison.names[1], "first"), (comparison.second, comparison.names[0], "second")):
            self._differences.setdefault(mine, {})[other] = said[which]


def unscored(planned: Planned, *, error: FaultbenchError | None = None, not_applicable: str | None = None) -> dict[str, Any]:
    """The row of a cell without figures."""
    from faultbench.results.criteria import parse
    from faultbench.results.row import row

    return row(
        planned.fields,
        None,
        None,
        {},
        parse(planned.criteria),
        digest=planned.digest,
        baseline=planned.cell.baseline,
        error=None if error is None else str(error),
        error_code=None if error is None else error.exit_code,
        not_applicable=not_applicable,
    )
