"""The child processes that read MATLAB files which nobody vouches for, seen from the process that asks them.

A child is started when a thread asks while no other is idle, and kept. It is killed when it takes too long or answers nonsense, and
started anew at the next request. What it replies is believed no further than its lengths and types go. Where the system can tell
processes from one another for good (Linux), the first child forks a twin when it has imported what both need, before it has read
any file: what takes 0.1 s is done once.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError

_MAX_HEADER_BYTES = 1 << 20
_MAX_ARRAY_BYTES = 1 << 30
_PIPE_BYTES = 1 << 20
_LAST_STANDARD = 2
"""The number of standard error."""
_CHILDREN = min(2, os.cpu_count() or 1)
"""More than that wait for one another's memory."""
_CHILD = Path(__file__).with_name("matfile_child.py")


Variables = list[tuple[str, tuple[int, ...], str]]
"""Name or path, shape and MATLAB class."""


class ReaderError(Exception):
    """What the child said of a file, or what became of the child over it."""


class AbsentError(ReaderError):
    """A path that leads nowhere, in a file that could be read."""


class UnfitError(ReaderError):
    """What is asked for is no real numbers, in a file that could be read."""


class Reader:
    """A few persistent child processes. Threads take turns; a forked process gets children of its own.

    Args:
        program: The Python file to run as a child.
        children: How many there may be.
    """

    def __init__(self, program: Path = _CHILD, children: int = _CHILDREN) -> None:
        self._program, self._children = program, children
        self._forget()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    @property
    def running(self) -> bool:
        """Whether there is a child."""
        return any(child.alive for child in (*self._idle, *self._asked))

    def start(self) -> None:
        """Starts a child, unless there is one, so that it can import what it needs while its caller does something else."""
        with self._starting, contextlib.suppress(DataError):  # who asks is told
            if not self.running:
                self._idle += self._started()

    def look(self, content: bytes, names: Sequence[str], timeout_s: float) -> tuple[Variables, dict[str, float]]:
        """Name, shape and MATLAB class of each variable of a file, and those of the named ones that are one number.

        A part of the file is enough as a rule (`matfile_child.cut`).

        Raises:
            ReaderError: The file could not be read, or one of them is not numeric.
        """
        with self._conversation(timeout_s) as child:
            header = child.ask(content, {"headers": list(names)})
            variables = [(str(name), tuple(int(n) for n in shape), str(kind)) for name, shape, kind in header["variables"]]
            return variables, {str(name): float(value) for name, value in header["numbers"].items()}

    def fields(self, content: bytes, names: Sequence[str], timeout_s: float) -> Variables:
        """Path, shape and MATLAB class of each field of the named structs of a file.

        Raises:
            ReaderError: The file could not be read.
        """
        with self._conversation(timeout_s) as child:
            header = child.ask(content, {"fields": list(names)})
            return [(str(path), tuple(int(n) for n in shape), str(kind)) for path, shape, kind in header["fields"]]

    def load(self, content: bytes, names: Sequence[str], timeout_s: float, single: bool = False) -> dict[str, NDArray[Any]]:
        """Those of the named variables that a file holds, and what paths lead to (`matfile_child`); `single` rounds float64 to float32.

        Raises:
            AbsentError: A path leads nowhere.
            ReaderError: The file could not be read, or one of them is not numeric.
        """
        with self._conversation(timeout_s) as child:
            header = child.ask(content, {"arrays": list(names), "single": single})
            return {
                str(name): child.take_array(np.dtype(str(code)), tuple(int(n) for n in shape)) for name, code, shape in header["arrays"]
            }

    def close(self) -> None:
        """Ends the children that are idle."""
        children = list(iter(self._next, None))
        for child in children:
            child.kill()
        for child in children:
            child.end()

    def _forget(self) -> None:
        """At first, and in a forked process: children, and whatever they are being asked, belong to the process that it was forked from."""
        self._idle: list[_Child] = []
        self._asked: set[_Child] = set()
        self._turn = threading.BoundedSemaphore(self._children)
        self._starting = threading.Lock()

    def _next(self) -> _Child | None:
        with contextlib.suppress(IndexError):  # two threads may look at once
            return self._idle.pop()
        return None

    def _idle_or_new(self) -> _Child:
        with self._starting:
            while (child := self._next()) is not None:
                if child.alive:
                    return child
                child.end()
            child, *others = self._started()
            self._idle += others
            return child

    def _started(self) -> list[_Child]:
        """A new child, and its twin where there may be two and none is there yet."""
        try:
            if self._children > 1 and not self.running and _can_hold_processes():
                return _twins(self._program)
            return [_child_of(_popen(self._program))]
        except OSError as error:
            said = error.strerror or error
            raise DataError(f"the process that reads MATLAB files cannot be started, {said}: free memory, and run again") from error

    @contextlib.contextmanager
    def _conversation(self, timeout_s: float) -> Iterator[_Child]:
        with self._turn:
            there = False
            while not there:  # a twin that is gone before it was shown a file says nothing of that file
                child = self._idle_or_new()
                self._asked.add(child)
                try:
                    with child.deadline(timeout_s):
                        there = child.greet()
                        if there:
                            yield child
                except ReaderError:
                    raise
                except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
                    child.end()
                    late = f"it takes longer than {timeout_s:g} s to read"
                    raise ReaderError(late if child.late else f"it breaks the process that reads it ({error})") from error
                except BaseException:
                    child.end()  # interrupted half-way: the rest of the reply belongs to nobody
                    raise
                finally:
                    if there and child.alive:
                        self._idle.append(child)
                    else:
                        child.end()  # there never was this twin, or it died behind its reply
                    self._asked.discard(child)


class _Process(Protocol):
    """As much of `subprocess.Popen` as a child needs."""

    def poll(self) -> int | None:
        """None while it runs."""

    def kill(self) -> None:
        """Ends it, if it has not ended."""

    def wait(self) -> int:
        """Waits until it has ended."""


class _Twin:
    """A process that a child forks. It says its number, and is held by a descriptor from then on, for a number can become another's.

    Args:
        maker: Who forks it.
        replies: The pipe that the maker can write to until it has forked, and the twin from then on.
    """

    def __init__(self, maker: _Process, replies: BinaryIO) -> None:
        self._maker, self._replies = maker, replies
        self._held: int | None = None
        self._gone = False

    @property
    def held(self) -> bool:
        return self._held is not None

    def hold(self, number: int) -> bool:
        """Takes hold of it by the number that it said. False where it has died since."""
        try:
            held = os.pidfd_open(number)
        except ProcessLookupError:
            return False
        if _shows(self._replies):  # the pipe has ended, and with it who said that number
            os.close(held)
            return False
        self._held = held
        return True

    def poll(self) -> int | None:
        """None while it runs, or is still to be forked."""
        if self._gone:
            return 0
        return 0 if (_shows(self._replies) if self._held is None else _shows(self._held, select.POLLIN)) else None

    def kill(self) -> None:
        """Ends it; or who would fork it, where it is still to be forked or to say its number."""
        if self._held is None:
            if self.poll() is None:
                self._maker.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._held, signal.SIGKILL)

    def wait(self) -> int:
        """Waits until it has ended, and lets go; of one that was never held, the end of its pipes is the end."""
        if self._held is not None:
            _shows(self._held, select.POLLIN, None)
            os.close(self._held)
            self._held = None
        self._gone = True
        return 0


def _shows(descriptor: BinaryIO | int, events: int = 0, timeout: int | None = 0) -> bool:
    """Whether a descriptor is ready, or its other end is closed."""
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(timeout))


class _Child:
    """A running child, and a thread that kills it when a deadline passes."""

    def __init__(self, process: _Process, requests: BinaryIO, replies: BinaryIO) -> None:
        self.late = False
        self._process, self._requests, self._replies = process, requests, replies
        self._ended = False
        self._deadline = math.inf
        self._wakes = math.inf
        self._changed = threading.Condition()
        for pipe in (requests, replies):
            _widen(pipe)
        threading.Thread(target=self._watch, name="faultbench-matfile-deadline", daemon=True).start()

    @property
    def alive(self) -> bool:
        with self._changed:  # or another thread could end it, and close what it is looked at by, meanwhile
            return not self._ended and not self.late and self._process.poll() is None  # one killed late may take a moment to go

    def greet(self) -> bool:
        """Waits for a twin to say who it is, unless it has. False where there is none: it died, or could not be forked.

        Raises:
            ValueError: It came too late.
        """
        from faultbench.data.matfile_child import read_frame

        if not isinstance(self._process, _Twin) or self._process.held:
            return True
        frame = read_frame(self._replies, _MAX_HEADER_BYTES)
        there = frame is not None and self._process.hold(int(json.loads(frame)["process"]))
        if self.late:  # whoever was to kill it did not know it yet
            raise ValueError("it came too late")
        return there

    def ask(self, content: bytes, request: dict[str, Any]) -> dict[str, Any]:
        """Sends a request; returns the reply's header."""
        from faultbench.data.matfile_child import read_frame, write_frames

        write_frames(self._requests, json.dumps(request).encode(), content)
        frame = read_frame(self._replies, _MAX_HEADER_BYTES)
        if frame is None:
            raise ValueError("it has died")
        header: dict[str, Any] = json.loads(frame)
        if "absent" in header:
            raise AbsentError(str(header["absent"]))
        if "unfit" in header:
            raise UnfitError(str(header["unfit"]))
        if "error" in header:
            raise ReaderError(str(header["error"]))
        return header

    def take_array(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """The reply's next array."""
        from faultbench.data.matfile_child import read_frame

        if dtype.kind not in "biuf":
            raise ValueError(f"it announces an array of {dtype}")
        frame = read_frame(self._replies, _MAX_ARRAY_BYTES)
        if frame is None:
            raise ValueError("it has died")
        return np.frombuffer(frame, dtype).reshape(shape)

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Within this the child lives `seconds` at most."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            if self._deadline < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._deadline = math.inf

    def kill(self) -> None:
        """Kills the child, and does not wait until it has gone.

        A twin that nobody has hold of was never shown a file: it ends with its pipes. Who forks it may be reading another file.
        """
        with self._changed:
            self._ended = True
            self._changed.notify()
        if not isinstance(self._process, _Twin) or self._process.held:
            self._process.kill()

    def end(self) -> None:
        """Kills the child and closes its pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._requests, self._replies):
            with contextlib.suppress(OSError):  # the rest of a request that the child did not live to take
                pipe.close()

    def _watch(self) -> None:
        """Sleeps until the deadline it knew last; only an earlier one has to wake it, so that a request costs no switch of threads."""
        with self._changed:
            while not self._ended:
                if time.monotonic() >= self._deadline:
                    self.late = True
                    self._process.kill()
                    return
                self._wakes = self._deadline
                self._changed.wait(None if math.isinf(self._wakes) else max(0.0, self._wakes - time.monotonic()))


def _popen(program: Path, *pass_on: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: the modules beside the program do not become importable by bare names
        [sys.executable, "-P", str(program), *map(str, pass_on)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_on,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )


def _child_of(process: subprocess.Popen[bytes]) -> _Child:
    return _Child(process, cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout))


def _twins(program: Path) -> list[_Child]:
    """A child, and the twin that it will fork."""
    with contextlib.ExitStack() as passed_on, contextlib.ExitStack() as kept:
        taken, requests = _pipe()
        passed_on.callback(os.close, taken)
        kept.callback(os.close, requests)
        replies, given = _pipe()
        passed_on.callback(os.close, given)
        kept.callback(os.close, replies)
        process = _popen(program, taken, given)
        kept.pop_all()
    heard = os.fdopen(replies, "rb")
    return [_child_of(process), _Child(_Twin(process, heard), os.fdopen(requests, "wb"), heard)]


def _pipe() -> tuple[int, int]:
    """A pipe whose ends take no place of a standard stream that is closed: in the child its own streams will be there."""
    import fcntl

    taken, given = os.pipe()
    if min(taken, given) > _LAST_STANDARD:
        return taken, given
    try:
        first, second = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _LAST_STANDARD + 1) for end in (taken, given))
    finally:
        os.close(taken)
        os.close(given)
    return first, second


@cache
def _can_hold_processes() -> bool:
    """Whether the system gives descriptors of processes, and lets them be used."""
    try:
        held = os.pidfd_open(os.getpid())
        try:
            signal.pidfd_send_signal(held, 0)  # a sandbox may know the one call and not the other
        finally:
            os.close(held)
    except (AttributeError, OSError):  # not Linux, an old kernel, or a sandbox that knows no such call
        return False
    return True


def _widen(pipe: BinaryIO) -> None:
    """Lets a pipe hold more, so that whole signals pass with fewer switches between processes; only Linux can."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


READER = Reader()
"""The process's one reader."""
