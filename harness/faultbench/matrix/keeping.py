"""Keeps rows in the store as cells finish; where the store cannot be written, the run goes on, and they are kept later."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from faultbench.errors import CellError, FaultbenchError
from faultbench.results.row import plain
from faultbench.results.store import Store

BRIEF_S = 2.0
"""How long the first row waits for a store that another process holds. What comes then does not wait before the run's end."""


class NotKept(CellError):  # noqa: N818 - the rows are there, nothing of them is in error
    """All is computed, but not all of it could be kept in the store.

    Args:
        message: What is not kept, why, and what to do.
        rows: The rows of the run, in the plan's order.
    """

    def __init__(self, message: str, rows: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.rows = rows


class Keeper:
    """The rows of one run: `rows` holds them by the cell's number, as they are in the store or else as they were made.

    Args:
        store: Where they go.
        run: The run's number.
    """

    def __init__(self, store: Store, run: int) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self._store, self._run = store, run
        self._waiting: dict[int, Mapping[str, Any]] = {}
        self._error: FaultbenchError | None = None

    def keep(self, number: int, row: Mapping[str, Any]) -> None:
        """Keeps a cell's row, with those before it that could not be kept; says so once where the store cannot be written."""
        self.rows[number], self._waiting[number] = dict(plain(row)), row
        known = self._error is not None
        self._try(0.0 if known else BRIEF_S)
        if self._error is not None and not known:
            what, _, _ = str(self._error).rpartition(": ")
            print(f"warning: {what}: the run goes on, and keeps its rows there when it can, at the latest at its end", file=sys.stderr)

    def close(self) -> str:
        """Keeps what is not kept yet, waiting for the store as long as it takes others, and notes the run's end.

        Returns:
            What could not be kept, why, and what to do; empty where all is kept.
        """
        self._try(None)
        if self._error is None:
            try:
                self._store.finish(self._run)
            except FaultbenchError as error:
                self._error = error
        return self.missing()

    def interrupt(self) -> None:
        """Keeps what is not kept yet, without waiting long; says so where that fails."""
        if self._waiting:
            self._try(BRIEF_S)
        if self._waiting:
            print(f"warning: {self.missing()}", file=sys.stderr)

    def missing(self) -> str:
        """What could not be kept, why, and what to do; empty where all is kept."""
        if self._error is None:
            return ""
        count = len(self._waiting)
        what = f"{count} of {len(self.rows)} cells" if count else "the end of the run"
        why, _, advice = str(self._error).rpartition(": ")
        return f"{what} could not be kept in the store ({why}): {advice}, then repeat the command, which computes nothing again"

    def _try(self, wait_s: float | None) -> None:
        self._error = None
        for number, row in list(self._waiting.items()):
            try:
                self.rows[number] = self._store.add(self._run, row, number, wait_s=wait_s)
            except FaultbenchError as error:
                self._error = error
                return
            del self._waiting[number]
