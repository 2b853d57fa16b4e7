"""Who runs stages: this process, or several beside it."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

from faultbench.discovery import HARNESS, cause, normalised
from faultbench.errors import CellError, FaultbenchError, NotApplicable
from faultbench.interruptions import INTERRUPTIONS
from faultbench.matrix.cache import Cache, entry_of
from faultbench.matrix.graph import Say, Stage, Work
from faultbench.matrix.streams import Unheard
from faultbench.names import either
from faultbench.registry import NOUNS, Choice

DECLINED = "declined"
"""Where a value's manifest keeps why the stage makes no sense; its folder is of no use then."""

BEAT_S = 1.0
SETTLE_S = 5.0
"""How long a worker whose pipe is closed may take to end."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage could not be computed.

    Args:
        message: One line.
        error: The class of the error.
        trace: The traceback.
    """

    message: str
    error: type[FaultbenchError] = CellError
    trace: str = field(default="", compare=False)

    @property
    def exit_code(self) -> int:
        """What the command ends with where nothing else was done."""
        return self.error.exit_code


@dataclass(frozen=True, slots=True)
class Done:
    """A stage has ended.

    Args:
        key: The stage's key.
        seconds: How long this process or its worker was busy with it.
        declined: Why it makes no sense, or empty.
        failure: Why it could not be computed, or None.
    """

    key: str
    seconds: float
    declined: str = ""
    failure: Failure | None = None


Inputs = Mapping[str, Path]


class Listener(Protocol):
    """Who wants to know how far stages are."""

    def advance(self, key: str, done: int, total: int) -> None:
        """A stage has done so many steps of so many."""
        ...

    def waiting(self, key: str) -> None:
        """A stage waits for another process that is making the same value."""
        ...

    def beat(self) -> None:
        """Stages are still at work. Called about once a second, but not while one measures, which nothing may disturb."""
        ...


class Workers(Protocol):
    """Something that runs stages."""

    capacity: int

    def start(self, stage: Stage, inputs: Inputs) -> None:
        """Takes a stage on; at most `capacity` at a time."""
        ...

    def wait(self) -> Done:
        """The next stage that ends."""
        ...


@contextlib.contextmanager
def workers(jobs: int, cache: Cache, listener: Listener) -> Iterator[Workers]:
    """Workers for so many stages at a time. Where the body raises, what they are busy with is broken off."""
    if jobs == 1:
        yield Here(cache, listener)
        return
    pool = Beside(jobs, cache, listener)
    try:
        yield pool
    finally:
        pool.close()


class Here:
    """Runs one stage after the other in this process."""

    capacity = 1

    def __init__(self, cache: Cache, listener: Listener) -> None:
        self._cache, self._listener = cache, listener
        self._next: tuple[Stage, Inputs] | None = None

    def start(self, stage: Stage, inputs: Inputs) -> None:
        """Takes a stage on; it runs when it is waited for."""
        self._next = stage, inputs

    def wait(self) -> Done:
        """Runs the stage."""
        if self._next is None:
            raise RuntimeError("nothing was started")
        (stage, inputs), self._next = self._next, None
        with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints must not end up in a result
            return perform(
                stage,
                inputs,
                self._cache,
                say=lambda done, total: self._listener.advance(stage.key, done, total),
                waiting=lambda: self._listener.waiting(stage.key),
            )


class Beside:
    """Runs stages in processes that live as long as the run, one pipe to each."""

    def __init__(self, jobs: int, cache: Cache, listener: Listener) -> None:
        self.capacity = jobs
        self._cache, self._listener = cache, listener
        self._idle: list[_Process] = []
        self._busy: dict[Any, tuple[_Process, Stage]] = {}

    def start(self, stage: Stage, inputs: Inputs) -> None:
        """Sends a stage to an idle process, or to a new one."""
        work = stage, dict(inputs)
        process = next((process for process in self._take_idle() if process.send(work)), None)
        if process is None:
            process = _Process(self._cache.root)
            process.pipe.send(work)
        self._busy[process.pipe] = process, stage

    def _take_idle(self) -> Iterator[_Process]:
        while self._idle:
            yield self._idle.pop()

    def wait(self) -> Done:
        """Passes on how far stages are, until one has ended."""
        beat_s = None if any(stage.alone for _, stage in self._busy.values()) else BEAT_S
        while True:
            ready = multiprocessing.connection.wait(list(self._busy), beat_s)
            if not ready:
                self._listener.beat()
            for pipe in ready:
                process, stage = self._busy[pipe]
                try:
                    said = process.pipe.recv()
                except (EOFError, ConnectionError):
                    del self._busy[pipe]
                    return Done(stage.key, 0.0, failure=Failure(_death(stage, process.died())))
                if isinstance(said, Done):
                    del self._busy[pipe]
                    self._idle.append(process)
                    return said
                if said is None:
                    self._listener.waiting(stage.key)
                else:
                    self._listener.advance(stage.key, *said)

    def close(self) -> None:
        """Ends all processes; a stage that is under way leaves nothing behind but its temporary, which is swept."""
        for process in (*self._idle, *(process for process, _ in self._busy.values())):
            process.end()
        self._idle, self._busy = [], {}


class _Process:
    """One process, and the pipe to it."""

    def __init__(self, root: Path) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in whatever state they are
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, root), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, work: object) -> bool:
        """Gives the process work; False where it has died since it last said something."""
        try:
            self.pipe.send(work)
        except ConnectionError:
            self.end()
            return False
        return True

    def died(self) -> int | None:
        """The exit code of a process that has closed its pipe; None where it still did not end, and had to be."""
        self._process.join(timeout=SETTLE_S)  # the pipe is closed a little before the process has ended
        by_itself = not self._process.is_alive()
        code = self.end()
        return code if by_itself else None

    def end(self) -> int | None:
        """Ends the process and what it started (a device's runner), if it has not ended; its exit code."""
        self.pipe.close()
        self._process.join(timeout=0.1)
        if self._process.is_alive():
            if hasattr(os, "killpg") and self._process.pid is not None:
                with contextlib.suppress(ProcessLookupError):  # it was stopped before it could lead a group
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.join()
        return self._process.exitcode


def _serve(pipe: Any, root: Path) -> None:
    """Runs the stages that come through the pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a group of its own, so that Ctrl-C reaches the parent alone, and what the worker started ends with it
    sys.stdout = sys.stderr = cast(TextIO, Unheard(sys.stderr))
    cache = Cache(root)
    with contextlib.suppress(EOFError, ConnectionError):  # the parent has gone
        while True:
            stage, inputs = pipe.recv()
            say = Sparingly(lambda done, total: pipe.send((done, total)))
            pipe.send(perform(stage, inputs, cache, say, waiting=lambda: pipe.send(None)))


def _death(stage: Stage, code: int | None) -> str:
    """Why a stage has no result whose process is gone, and what to do."""
    if code is not None and code == -getattr(signal, "SIGKILL", 0):  # as a system does that has no memory left
        return f"{stage.title} died (exit code {code}): free memory, or run with fewer --jobs"
    if code is None:
        how = "closed its pipe and went on"
    elif code < 0:
        how = f"was ended by {_signal_name(-code)}"
    else:
        how = f"ended its process by itself (exit code {code})"
    parts = list(_parts(stage.params))
    suspects = [part for part in parts if normalised(part.distribution) != HARNESS] or parts
    named = dict.fromkeys(f"{NOUNS[part.kind]} {part.name} of {part.distribution} {part.version}" for part in suspects)
    return f"{stage.title} {how}: repair, update or leave out {either(list(named)) if named else 'what takes part in it'}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _parts(value: object) -> Iterator[Choice]:
    """The parts that a stage's parameters name, in whatever mapping or sequence."""
    if isinstance(value, Choice):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _parts(inner)


class Sparingly:
    """Passes on how far a stage is, at most ten times a second and always at the end."""

    def __init__(self, say: Say, interval_s: float = 0.1) -> None:
        self._say, self._interval_s, self._last = say, interval_s, float("-inf")

    def __call__(self, done: int, total: int) -> None:
        """Takes (done, in all)."""
        now = time.monotonic()
        if done >= total or now - self._last >= self._interval_s:
            self._last = now
            self._say(done, total)


def perform(stage: Stage, inputs: Inputs, cache: Cache, say: Say, waiting: Callable[[], None] = lambda: None) -> Done:
    """Runs a stage into the cache, and says how it ended. Only an interruption is raised."""
    about: dict[str, Any] = {"name": stage.name, "title": stage.title, "like": stage.like}

    def make(out: Path) -> None:
        try:
            _function(stage)(Work(out, inputs, stage.params, stage.given, stage.key, say))
        except NotApplicable as answer:
            about[DECLINED] = str(answer)

    began = time.perf_counter()
    declined, failure = "", None
    try:
        value = cache.get_or_make(stage.key, make, about, waiting)
        declined = str(entry_of(value).about.get(DECLINED, ""))
    except FaultbenchError as error:
        failure = Failure(str(error), type(error), traceback.format_exc())
    except BaseException as error:
        # a plugin's failure costs its cells, not the run; no Ctrl-C reaches a worker, so that what looks like one is a plugin's there
        if isinstance(error, INTERRUPTIONS) and multiprocessing.parent_process() is None:
            raise
        message = f"{stage.title} broke ({cause(error)}): --debug shows where"
        failure = Failure(message, trace=traceback.format_exc())
    return Done(stage.key, time.perf_counter() - began, declined, failure)


def _function(stage: Stage) -> Callable[[Work], None]:
    module, _, attribute = stage.function.partition(":")
    function: Callable[[Work], None] = getattr(importlib.import_module(module), attribute)
    return function
