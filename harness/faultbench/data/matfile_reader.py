"""The child processes that read MATLAB files which nobody vouches for, seen from the process that asks them.

A child is started when a thread asks while no other is idle, and kept. It is killed when it takes too long or answers nonsense, and
started anew at the next request. What it replies is believed no further than its lengths and types go.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

_MAX_HEADER_BYTES = 1 << 20
_MAX_ARRAY_BYTES = 1 << 30
_PIPE_BYTES = 1 << 20
_CHILDREN = min(2, os.cpu_count() or 1)
"""One more takes as long to start as some fifty files to read."""
_CHILD = Path(__file__).with_name("matfile_child.py")


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

    def look(
        self, content: bytes, names: Sequence[str], timeout_s: float
    ) -> tuple[list[tuple[str, tuple[int, ...], str]], dict[str, float]]:
        """Name, shape and MATLAB class of each variable of a file, and those of the named ones that are one number.

        Raises:
            ReaderError: The file could not be read, or one of them is not numeric.
        """
        from faultbench.data.matfile_child import cut

        part = cut(content)
        with self._conversation(timeout_s) as child:
            try:
                header = child.ask(part, {"headers": list(names)})
            except ReaderError as error:
                if part == content or isinstance(error, UnfitError):
                    raise
                header = child.ask(content, {"headers": list(names)})
            variables = [(str(name), tuple(int(n) for n in shape), str(kind)) for name, shape, kind in header["variables"]]
            return variables, {str(name): float(value) for name, value in header["numbers"].items()}

    def fields(self, content: bytes, names: Sequence[str], timeout_s: float) -> list[tuple[str, tuple[int, ...], str]]:
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
        while (child := self._next()) is not None:
            child.end()

    def _forget(self) -> None:
        """At first, and in a forked process: children, and whatever they are being asked, belong to the process that it was forked from."""
        self._idle: list[_Child] = []
        self._asked: set[_Child] = set()
        self._turn = threading.BoundedSemaphore(self._children)

    def _next(self) -> _Child | None:
        with contextlib.suppress(IndexError):  # two threads may look at once
            return self._idle.pop()
        return None

    @contextlib.contextmanager
    def _conversation(self, timeout_s: float) -> Iterator[_Child]:
        with self._turn:
            child = self._next()
            if child is not None and not child.alive:
                child.end()
                child = None
            child = child or _Child(self._program)
            self._asked.add(child)
            try:
                with child.deadline(timeout_s):
                    yield child
            except ReaderError:
                raise
            except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
                child.end()
                problem = (
                    f"it takes longer than {timeout_s:g} s to read" if child.late else f"it breaks the process that reads it ({error})"
                )
                raise ReaderError(problem) from error
            except BaseException:
                child.end()  # interrupted half-way: the rest of the reply belongs to nobody
                raise
            finally:
                self._asked.discard(child)
                if child.alive:
                    self._idle.append(child)


class _Child:
    """A running child, and a thread that kills it when a deadline passes."""

    def __init__(self, program: Path) -> None:
        self.late = False
        self._ended = False
        self._deadline = math.inf
        self._wakes = math.inf
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(program)],  # -P: the modules beside the program do not become importable by bare names
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._replies = cast(BinaryIO, self._process.stdout)
        for pipe in (self._requests, self._replies):
            _widen(pipe)
        threading.Thread(target=self._watch, name="faultbench-matfile-deadline", daemon=True).start()

    @property
    def alive(self) -> bool:
        return not self._ended and not self.late and self._process.poll() is None  # one killed late may take a moment to go

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

    def end(self) -> None:
        """Kills the child and closes its pipes."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._process.kill()
        with contextlib.suppress(OSError):  # the rest of a request that the child did not live to take
            self._process.communicate()

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


def _widen(pipe: BinaryIO) -> None:
    """Lets a pipe hold more, so that whole signals pass with fewer switches between processes; only Linux can."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


READER = Reader()
"""The process's one reader."""
