"""A time limit on what plugins do in the harness's own process: one that never returns must not keep a command for ever."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from faultbench import names
from faultbench.errors import UsageError

VARIABLE = "FAULTBENCH_PLUGIN_SECONDS"
"""Sets every limit of this module's users; 0 takes them away, for whoever stands in a debugger."""
LOADING_S = 20.0
"""How long importing a plugin may take, and each of its hooks that offer something. A light module takes some milliseconds; one that
wrongly imports torch takes seconds on a slow disk, and is slow, not hung."""
FACTORY_S = 120.0
"""How long `faultbench doctor` waits for the module of a factory, which may import torch from a cold disk."""
OBSERVING_S = 60.0
"""How long an observer may take each time: it may be talking to a server, which takes a while to be given up."""
GRACE_S = 5.0
"""How long after the limit something still has to return, once it was interrupted."""

_AGAIN_S = 1.0  # an interruption may be swallowed (`except:` in a loop): so it comes again
_MOST_S = 86_400.0


class Overdue(BaseException):
    """Raised in what takes too long. It is no `Exception`, so that a loop that tries again and again does not swallow it."""


def limit_s(usual: float) -> float:
    """The limit that the environment sets, or the usual one. 0 is none.

    Raises:
        UsageError: What the environment says is no number of seconds.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        return usual
    with contextlib.suppress(ValueError):
        if 0 <= float(said) <= _MOST_S:
            return float(said)
    raise UsageError(f"{VARIABLE} is {names.shown(said)}: write a number of seconds from 0, which is no limit, to {_MOST_S:g}")


@contextlib.contextmanager
def within(seconds: float, stuck: Callable[[], None]) -> Iterator[None]:
    """Runs the body, and interrupts it where it takes longer.

    An alarm ends what comes back to Python now and then: loops, sleeps, reads, waits for locks and processes. What does not, a thread
    finds out `GRACE_S` later, and says so by `stuck`; where a platform has no alarm, this is all that there is. Library code that never
    returns *and* keeps Python's lock lets nothing of the process run, neither the thread nor Ctrl-C: only a signal from outside ends it.

    Only the main thread can be interrupted: in any other one there is no limit.

    Args:
        seconds: 0 is no limit.
        stuck: Called in another thread while the body still runs.

    Raises:
        Overdue: The body took longer, and was interrupted.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return
    has_alarm = hasattr(signal, "setitimer")
    thread = threading.Timer(seconds + (GRACE_S if has_alarm else 0), stuck)
    thread.daemon = True
    thread.start()
    try:
        with _alarm(seconds) if has_alarm else contextlib.nullcontext():
            yield
    finally:
        thread.cancel()


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raises `Overdue` in the body after so many seconds, and again each second; an alarm that was set before is set again."""
    armed, interrupted = True, False

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal interrupted
        if armed:
            interrupted = True
            raise Overdue

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, interrupt)
    left_s, again_s = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
    try:
        try:
            yield
            if interrupted:  # it has swallowed that, and come back with who knows what
                raise Overdue
        finally:
            armed = False
    finally:  # once more: the alarm may have come just as the body ended, before the line above
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if left_s:
            signal.setitimer(signal.ITIMER_REAL, max(left_s - (time.monotonic() - began), 0.001), again_s)
