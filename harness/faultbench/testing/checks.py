"""What a contract is made of: named checks, and how a check says that a promise is broken, or that it could not be asked."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from faultbench.discovery import cause
from faultbench.errors import FaultbenchError

T = TypeVar("T")


class BrokenPromise(AssertionError):  # noqa: N818 - it is what pytest calls a failure
    """A promise that a plugin does not keep, in one line: `what is wrong: what to do`."""


class NotAsked(Exception):  # noqa: N818 - it is an answer, not a failure
    """A promise that could not be looked at, and why."""


class OutOfReach(BrokenPromise):
    """A promise that could not be looked at since something before it failed, which was said where it failed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and the function that looks whether a plugin keeps it.

    Args:
        promise: The check's name, a short sentence. Authors name it where they expect a failure, so it is part of the public API.
        ask: Called with the bench of the kind; raises `BrokenPromise` or `NotAsked`, and whatever the plugin raises.
        telling: Whether it looks at the plugin's proper work: a suite in which all such checks were skipped proves nothing.
    """

    promise: str
    ask: Callable[[Any], None]
    telling: bool = True


@dataclass(slots=True)
class Checks:
    """The checks of one kind, in their order."""

    found: list[Check] = field(default_factory=list)

    def promise(self, promise: str, *, telling: bool = True) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        """Makes a function the check of a promise."""

        def keep(ask: Callable[[Any], None]) -> Callable[[Any], None]:
            self.found.append(Check(promise, ask, telling))
            return ask

        return keep


def broken(what: str, todo: str) -> NoReturn:
    """Says that a promise is broken."""
    raise BrokenPromise(f"{what}: {todo}")


def require(kept: object, what: str, todo: str) -> None:
    """Says that a promise is broken unless it is kept.

    Args:
        kept: Whether it is.
        what: What is wrong otherwise.
        todo: What the author can do about it.
    """
    if not kept:
        broken(what, todo)


def returned(value: object, kind: type[T], method: str, todo: str) -> T:
    """What a plugin's method returned, required to be of a kind.

    Args:
        value: What it returned.
        kind: What its contract says.
        method: What is said to return it.
        todo: What the author can do where it is something else.
    """
    if not isinstance(value, kind):
        broken(f"{method} returns {type_of(value)}", todo)
    return value


def type_of(value: object) -> str:
    """The type of a value as a message names it; of a plain tuple, of its items: an author sees which of them is wrong."""
    if type(value) is tuple and value:
        return f"a tuple of {', '.join(type(item).__name__ for item in value)}"
    return type(value).__name__


def left_python(error: SystemExit) -> str:
    """What a plugin did that ended Python where it should have raised, and what to do.

    The method is the first in the traceback that is not the suite's own, nor of what stands between the two.
    """
    between = ("faultbench.testing.", "torch.", "contextlib", "unittest.")
    frames = [
        frame.f_code
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if (module := frame.f_globals.get("__name__")) and not module.startswith(between)  # code that is made at run time has no module
    ]
    where = frames[0].co_qualname if frames else "it"
    return f"{where} leaves Python ({cause(error)}): raise an error that says what is wrong, a run goes on with its other cells"


def where_raised(error: BaseException) -> BaseException | None:
    """The first of an error and its causes that comes from a plugin's code, its traceback cut to begin there; None where none does."""
    between = ("faultbench.", "torch.", "importlib", "contextlib", "unittest.")
    found: BaseException | None = error
    while found is not None:
        frames = found.__traceback__
        while frames is not None and (frames.tb_frame.f_globals.get("__name__") or "torch.").startswith(between):  # no name: made by torch
            frames = frames.tb_next
        if frames is not None:
            return found.with_traceback(frames)
        found = found.__cause__
    return None


@contextmanager
def refusal(*expected: type[FaultbenchError], of: str, todo: str) -> Iterator[None]:
    """Requires that the body refuses, with an error of a kind that a person can act on, in one line `what is wrong: what to do`.

    Args:
        expected: The classes of error that will do.
        of: What has to be refused.
        todo: What the author can do where it is not.
    """
    names = " or ".join(error.__name__ for error in expected)
    try:
        yield
    except expected as error:
        require_advice(error, of)
        return
    except (BrokenPromise, NotAsked):
        raise
    except (Exception, SystemExit) as error:
        raise BrokenPromise(f"{of} ends in {cause(error)}: raise {names} instead, {todo}") from error
    broken(f"{of} is not refused", f"raise {names}, {todo}")


def require_advice(error: BaseException, of: str) -> None:
    """Requires that an error's message is one line of the form `what is wrong: what to do`."""
    said = str(error)
    head, colon, advice = said.rpartition(": ")
    if not said.isprintable() or not colon or not head.strip() or len(advice.split()) < 2:
        broken(f"{of} says {said!r}", "say it in one line, `what is wrong: what to do`")
