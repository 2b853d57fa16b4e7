"""The last few results of something costly, made once though several threads ask for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Latest(Generic[K, V]):
    """A function that remembers its last few results. Who asks for one that is being made waits for it; a failure is not kept.

    A data set parses a file once with it, though both of its channels are asked for, perhaps by two threads.

    Args:
        make: The function.
        keep: How many results are remembered.
    """

    def __init__(self, make: Callable[[K], V], keep: int) -> None:
        self._make, self._keep = make, keep
        self._made: dict[K, Future[V]] = {}
        self._turn = threading.Lock()

    def __call__(self, key: K) -> V:
        """What `make` gives for a key."""
        with self._turn:
            future = self._made.pop(key, None)
            mine = future is None
            future = self._made[key] = future or Future()  # the last asked for is the last to go
            for old in list(self._made)[: -self._keep]:
                del self._made[old]
        if mine:
            try:
                future.set_result(self._make(key))
            except BaseException as error:
                with self._turn:
                    self._made.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()
