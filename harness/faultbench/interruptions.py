"""What ends a command from outside, as against what the code of others raises."""

from __future__ import annotations

from faultbench.timelimit import Overdue

INTERRUPTIONS: tuple[type[BaseException], ...] = (KeyboardInterrupt, Overdue)
"""Passed on by whoever guards the code of others. That code may raise anything else, and not only an `Exception`: pytest's `Skipped`,
asyncio's `CancelledError`, the panic of a library in Rust. Hence such a guard is `except INTERRUPTIONS: raise`, then
`except BaseException`."""
