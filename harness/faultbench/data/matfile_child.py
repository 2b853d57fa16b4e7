"""What scipy says of a MATLAB file, and the child process in which it says so of files that nobody vouches for.

Run as a program this file serves requests on its standard input until that ends. It imports numpy and scipy.io alone,
opens no file, and gives itself little memory. A frame is an unsigned 64-bit length, big-endian, and that many bytes.

| | first frame, JSON | further frames |
|---|---|---|
| request | `{"names": [name, ...] or null}` | the content of the file |
| reply to null | `{"variables": [[name, [dimension, ...], class], ...]}` | |
| reply to names | `{"arrays": [[name, dtype, [dimension, ...]], ...]}` | the bytes of each array, C order |
| reply to either | `{"error": one line}` | |
"""

from __future__ import annotations

import io
import json
import struct
import sys
import warnings
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
import scipy.io
from numpy.typing import NDArray
from scipy.io.matlab import MatReadWarning

_LENGTH = struct.Struct(">Q")
_MEMORY_HEADROOM_BYTES = 1 << 30
"""What reading may take beyond the interpreter and its libraries: the content of a file, what it inflates to, and the reply."""


def list_variables(stream: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and MATLAB class of each variable of a binary stream, in the file's order."""
    return [(str(name), tuple(int(n) for n in shape), str(kind)) for name, shape, kind in scipy.io.whosmat(stream)]


def load(stream: Any, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Those of the named variables that a binary stream holds, each a real numeric array.

    Raises:
        ValueError: One of them is something else (a struct, text, complex numbers).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", MatReadWarning)  # scipy warns of a variable that it cannot read, and goes on
        found = scipy.io.loadmat(stream, variable_names=list(names))
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        if name not in found:
            continue
        value = found[name]
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            raise ValueError(f"variable {name} holds {getattr(value, 'dtype', type(value).__name__)}, not real numbers")
        arrays[name] = value
    return arrays


def read_frame(stream: BinaryIO, at_most: int | None = None) -> bytes | None:
    """The next frame, or None where the stream has ended.

    Raises:
        ValueError: The frame is longer than `at_most` bytes.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if at_most is not None and length > at_most:
        raise ValueError(f"a frame of {length} bytes where at most {at_most} are expected")
    body = stream.read(length)
    return body if len(body) == length else None


def write_frames(stream: BinaryIO, *frames: bytes) -> None:
    """Writes frames and flushes."""
    for frame in frames:
        stream.write(_LENGTH.pack(len(frame)))
        stream.write(frame)
    stream.flush()


def _answer(names: list[str] | None, content: bytes) -> list[bytes]:
    try:
        if names is None:
            return [json.dumps({"variables": list_variables(io.BytesIO(content))}).encode()]
        arrays = {name: value.astype(value.dtype.newbyteorder("="), copy=False) for name, value in load(io.BytesIO(content), names).items()}
        header = {"arrays": [[name, value.dtype.str, value.shape] for name, value in arrays.items()]}
        return [json.dumps(header).encode(), *(value.tobytes() for value in arrays.values())]
    except Exception as error:  # noqa: BLE001 - scipy raises anything for a damaged file
        words = " ".join(str(error).split())[:200]
        return [json.dumps({"error": f"{type(error).__name__}: {words}" if words else type(error).__name__}).encode()]


def _limit() -> None:
    """Gives this process little memory and no further file. Where the system knows no limits the parent's time-out remains."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - pathlib is not needed for anything else here
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = mapped + _MEMORY_HEADROOM_BYTES
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    """Serves requests until standard input ends."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    # A round trip now, so that whatever scipy imports on first use is there before no file can be opened any more.
    rehearsal: Any = io.BytesIO()
    scipy.io.savemat(rehearsal, {"number": np.ones(2), "text": "text", "record": {"field": 1}}, do_compression=True)
    _answer(["number", "text", "record"], rehearsal.getvalue())
    _limit()
    while (header := read_frame(requests)) is not None and (content := read_frame(requests)) is not None:
        write_frames(replies, *_answer(json.loads(header)["names"], content))


if __name__ == "__main__":
    main()
