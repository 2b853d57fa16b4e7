"""A stream that may come to an end: its reader goes away, its disk is full."""

from __future__ import annotations

import os
from typing import Any, TextIO


class Unheard:
    """A text stream that fails nobody: where its reader has gone (`2>&1 | head`), or its disk is full, what follows is written nowhere.

    Args:
        stream: Where text goes while somebody listens.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes, or does not; how many characters."""
        try:
            return self._stream.write(text)
        except OSError:
            to_nowhere(self._stream)
            return len(text)

    def flush(self) -> None:
        """Flushes, or does not."""
        try:
            self._stream.flush()
        except OSError:
            to_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        """Whatever else a stream has."""
        return getattr(self._stream, name)


def to_nowhere(stream: TextIO) -> None:
    """Sends what is still to be written to a stream nowhere, so that Python does not complain of it on its way out either."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
