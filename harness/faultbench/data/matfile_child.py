"""What scipy says of a MATLAB file, and the child process in which it says so of files that nobody vouches for.

Run as a program this file serves requests on its standard input until that ends. It imports numpy and scipy.io alone,
opens no file, and gives itself little memory. A frame is an unsigned 64-bit length, big-endian, and that many bytes.

| | first frame, JSON | further frames |
|---|---|---|
| request | `{"names": [name, ...] or null}` | the content of the file |
| reply to null | `{"variables": [[name, [dimension, ...], class], ...]}` | |
| reply to names | `{"arrays": [[name, dtype, [dimension, ...]], ...]}` | the bytes of each array, C order |
| reply to names that lead nowhere | `{"absent": one line}` | |
| reply to either | `{"error": one line}` | |

A name is that of a variable, or a path into a struct, `run.Y[Name=vibration_1][Raster=fast].Data`: the field `Data` of the one
entry of `run`'s field `Y` whose fields `Name` and `Raster` hold these texts. Only numbers ever leave this process.
"""

from __future__ import annotations

import io
import json
import re
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

MAX_NAMES = 64
"""Variables and paths of one request."""
MAX_NAME_LENGTH = 512
MAX_ENTRIES = 4096
"""Entries of a struct array that a path may have to look through."""
_STEP = re.compile(r"([A-Za-z]\w*)((?:\[[A-Za-z]\w*=[^][=]*\])*)", re.ASCII)
_CONDITION = re.compile(r"\[(\w+)=([^]]*)\]", re.ASCII)
_SHOWN = 8

Step = tuple[str, tuple[tuple[str, str], ...]]
"""A variable or field, and which texts the fields of the wanted entry hold."""


class LeafError(ValueError):
    """A path that leads nowhere, or not to one entry, in a file that was read well."""


def list_variables(stream: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and MATLAB class of each variable of a binary stream, in the file's order."""
    return [(str(name), tuple(int(n) for n in shape), str(kind)) for name, shape, kind in scipy.io.whosmat(stream)]


def load(stream: Any, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Those of the named variables, and what the paths lead to, of a binary stream, each a real numeric array.

    A name or path whose variable the stream does not hold is left out.

    Raises:
        LeafError: A path leads nowhere.
        ValueError: One of them is something else (a struct, text, complex numbers), no path, or there are too many.
    """
    if len(names) > MAX_NAMES:
        raise ValueError(f"{len(names)} names where at most {MAX_NAMES} can be asked for at once")
    paths = {name: parse_path(name) for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("error", MatReadWarning)  # scipy warns of a variable that it cannot read, and goes on
        found = scipy.io.loadmat(stream, variable_names=list(dict.fromkeys(path[0][0] for path in paths.values())))
    arrays: dict[str, NDArray[Any]] = {}
    for name, path in paths.items():
        if path[0][0] not in found:
            continue
        value = _leaf(found[path[0][0]], path)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            held = "a struct" if getattr(value, "dtype", np.dtype(float)).names else getattr(value, "dtype", type(value).__name__)
            raise ValueError(f"variable {name} holds {held}, not real numbers")
        arrays[name] = value
    return arrays


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path: `a.b[c=d].e` is a, then b whose c is d, then e.

    Raises:
        ValueError: It is no path.
    """
    if len(text) > MAX_NAME_LENGTH:
        raise ValueError(f"a path of {len(text)} characters, more than {MAX_NAME_LENGTH}")
    steps: list[Step] = []
    place = 0
    while step := _STEP.match(text, place):
        steps.append((step[1], tuple(_CONDITION.findall(step[2]))))
        place = step.end()
        if place == len(text):
            return tuple(steps)
        if text[place] != ".":
            break
        place += 1
    raise ValueError(f"{text!a} is no variable's name and no path")


def _leaf(value: Any, path: Sequence[Step]) -> Any:
    """What a path leads to, from the value of its first step's variable."""
    where, conditions = path[0]
    for field, following in path[1:]:
        entry = _entry(value, conditions, where)
        if field not in entry.dtype.names:
            raise LeafError(f"{where} has no field {field}, it has {_some(entry.dtype.names)}")
        value, where, conditions = entry[field], f"{where}.{field}", following
    return _entry(value, conditions, where) if conditions else value


def _entry(value: Any, conditions: Sequence[tuple[str, str]], where: str) -> Any:
    """The one entry of a struct array that meets all conditions."""
    if not isinstance(value, np.ndarray) or not value.dtype.names:
        raise LeafError(f"{where} is no struct")
    if value.size > MAX_ENTRIES:
        raise LeafError(f"{where} has {value.size} entries, more than {MAX_ENTRIES}")
    entries = list(value.reshape(-1))
    for field, wanted in conditions:
        if field not in value.dtype.names:
            raise LeafError(f"{where} has no field {field}, it has {_some(value.dtype.names)}")
        met = [entry for entry in entries if _text(entry[field]) == wanted]
        if not met:
            raise LeafError(f"no entry of {where} has {field}={wanted}, but {_some([str(_text(entry[field])) for entry in entries])}")
        entries, where = met, f"{where}[{field}={wanted}]"
    if len(entries) != 1:
        raise LeafError(f"{where} has {len(entries)} entries where one is expected")
    return entries[0]


def _text(value: Any) -> str | None:
    """The text of one line that a field holds, or None."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "U" or value.size > 1:
        return None
    return str(value.item()) if value.size else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shown = [name[:60] if name[:60].isidentifier() else ascii(name[:60]) for name in names[:_SHOWN]]
    return (", ".join(shown) or "none") + more


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
    except LeafError as error:
        return [json.dumps({"absent": str(error)[:400]}).encode()]
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
    _answer(["number", "record.field", "text"], rehearsal.getvalue())
    _limit()
    while (header := read_frame(requests)) is not None and (content := read_frame(requests)) is not None:
        write_frames(replies, *_answer(json.loads(header)["names"], content))


if __name__ == "__main__":
    main()
