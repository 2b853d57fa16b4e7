"""How the command ends: errors as one line, exit codes, closed pipes, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator

import typer

from faultbench.cli.stdout import StdoutError
from faultbench.discovery import one_line
from faultbench.errors import FaultbenchError, UsageError
from faultbench.matrix.streams import to_nowhere
from faultbench.names import nearest

INTERRUPTED = 130
BROKEN = 4  # never 1: that says that a gate's criterion failed

ParserError: type[Exception] = typer.BadParameter.__bases__[0]
"""What the parser raises of bad usage. Typer brings its own click since 0.26, hence by way of a name that both have."""

_GLOBAL = ("--debug", "--no-plugins", "--strict-plugins")


def failed(error: BaseException, *, debug: bool) -> int:
    """Says what is wrong, on stderr, and gives the exit code."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, FaultbenchError):
        _say(str(error))
        return error.exit_code
    if isinstance(error, ParserError):
        _say(_usage(error))
        return UsageError.exit_code
    if isinstance(error, StdoutError):
        close_output()
        _say(f"standard output cannot be written ({error.strerror}): free room, or write to another place")
        return UsageError.exit_code  # as for any file that cannot be written
    advice = "this is a fault of faultbench or of a plugin" if debug else "repeat with `faultbench --debug ...` to see where"
    said = str(error)
    if isinstance(error, OSError) and error.strerror:
        said = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    _say(f"unexpected {type(error).__name__} ({said}): {advice}")
    return BROKEN


def show_tracebacks() -> None:
    """Lets what the program notes about failures come out on stderr: the tracebacks of broken plugins and of failed stages."""
    import logging

    class ToStderr(logging.Handler):
        """Asks for stderr each time, because a progress display puts its own in its place."""

        def emit(self, record: logging.LogRecord) -> None:
            print(self.format(record), file=sys.stderr)

    logger = logging.getLogger("faultbench")
    logger.setLevel(logging.DEBUG)
    logger.handlers[:] = [ToStderr()]


def interrupted() -> int:
    """Says that the command was interrupted, and gives the exit code."""
    print("interrupted: what is finished is kept, the same command goes on from there", file=sys.stderr)
    return INTERRUPTED


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Lets a polite end from outside (`timeout`, a closed terminal) be the same as Ctrl-C; one that is ignored (`nohup`) stays so."""
    names = ("SIGTERM", "SIGHUP")
    found = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names if hasattr(signal, name)}
    ours = [number for number, handler in found.items() if handler is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def quiet_pipe() -> Iterator[None]:
    """Lets a reader that has seen enough (`| head`) close the pipe, and what follows go on."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        close_output()


def close_output() -> None:
    """Sends what is still to be printed nowhere."""
    to_nowhere(sys.stdout)


def _say(message: str) -> None:
    line = one_line(message, most=1000)
    print(f"error: {line}", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true":  # before `report.github` is imported: an error elsewhere is said at once
        from faultbench.report.github import Annotation, commands

        for command in commands([Annotation("error", "faultbench", line)]):
            print(command, file=sys.stderr)


def _usage(error: BaseException) -> str:
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
