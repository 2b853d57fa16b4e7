"""How the command ends: errors as one line, exit codes, closed pipes, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

import typer

from faultbench.discovery import one_line
from faultbench.errors import FaultbenchError, UsageError
from faultbench.names import nearest

INTERRUPTED = 130
BROKEN = 4  # never 1: that says that a gate's criterion failed

ParserError: type[Exception] = typer.BadParameter.__bases__[0]
"""What the parser raises of bad usage. Typer brings its own click since 0.26, hence by way of a name that both have."""

_GLOBAL = ("--debug", "--no-plugins", "--strict-plugins")


def failed(error: Exception, *, debug: bool) -> int:
    """Says what is wrong, on stderr, and gives the exit code."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, FaultbenchError):
        _say(str(error))
        return error.exit_code
    if isinstance(error, ParserError):
        _say(_usage(error))
        return UsageError.exit_code
    advice = "this is a fault of faultbench or of a plugin" if debug else "repeat with `faultbench --debug ...` to see where"
    where = error.strerror and f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else None
    _say(f"unexpected {type(error).__name__} ({where or error}): {advice}")
    return BROKEN


def interrupted() -> int:
    """Says that the command was interrupted, and gives the exit code."""
    print("interrupted: what is finished is kept, the same command goes on from there", file=sys.stderr)
    return INTERRUPTED


@contextlib.contextmanager
def quiet_pipe() -> Iterator[None]:
    """Lets a reader that has seen enough (`| head`) close the pipe, and what follows go on."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        close_output()


def close_output() -> None:
    """Sends what is still to be printed nowhere, so that Python does not complain on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str) -> None:
    print(f"error: {one_line(message, most=1000)}", file=sys.stderr)


def _usage(error: Exception) -> str:
    """The parser's message in our form, `what is wrong: what to do`."""
    ctx = getattr(error, "ctx", None)
    command = f"{ctx.command_path} --help" if ctx else "faultbench --help"
    option = getattr(error, "option_name", None)
    if option in _GLOBAL:
        return f"{option} stands behind the command: write it before, as in `faultbench {option} run`"
    possibilities = getattr(error, "possibilities", None)
    if possibilities:
        return f"no such option {option}: did you mean {nearest(str(option), possibilities, 1)[0]}? See `{command}`"
    message = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    return f"{message[:1].lower()}{message[1:]}{'' if message.endswith('?') else ':'} see `{command}`"
