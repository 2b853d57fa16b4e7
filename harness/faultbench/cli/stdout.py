"""Standard output for the command alone: whatever else writes to file descriptor 1 writes to stderr."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

STDOUT, STDERR = 1, 2


class StdoutError(OSError):
    """Standard output cannot be written, which is told from any other file that cannot; a closed pipe is none."""


class _Raw(io.FileIO):
    """Standard output below its buffer."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise StdoutError(error.errno, error.strerror) from error


def keep_stdout() -> None:
    """Gives `sys.stdout` a descriptor that nobody else has, and points descriptor 1 at stderr, for the rest of the process.

    A plugin may start a program that prints, be linked to a library that does, or do so in a thread or when Python ends: no
    `redirect_stdout` sees any of it, and it would stand before or behind the JSON of `--json -`. Nor can a plugin close what the command
    prints to. Where stdout is no longer the process's own (a test captures it), nothing is changed. What is closed (`>&-`) goes nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed; text for nobody would end the command
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - it stays open
    stream = sys.stdout
    try:
        if not isinstance(stream, io.TextIOWrapper) or getattr(stream, "name", "") != "<stdout>" or stream.fileno() != STDOUT:
            return
        stream.flush()
        own = _copy_of(STDOUT)
    except (OSError, ValueError):
        return
    try:
        os.dup2(STDERR, STDOUT)
    except OSError:  # stderr is closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STDOUT)
    raw = _Raw(own, "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # as Python does for `-u`
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _copy_of(descriptor: int) -> int:
    """Another descriptor of the same file, which child processes do not get; never one of the first three, should one be free."""
    try:
        import fcntl
    except ImportError:  # Windows
        return os.dup(descriptor)
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
