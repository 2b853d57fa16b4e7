"""What scipy says of a MATLAB file, and the child process in which it says so of files that nobody vouches for.

Run as a program this file serves requests on its standard input until that ends. It imports numpy, scipy.io and deflate alone,
opens no file, and gives itself little memory. Given the numbers of two descriptors as arguments, it first forks a twin that serves
requests on these, and begins with a frame `{"process": its number}`. A frame is an unsigned 64-bit length, big-endian, and that many
bytes.

| | first frame, JSON | further frames |
|---|---|---|
| request for headers | `{"headers": [name, ...]}` | the content of the file |
| reply | `{"variables": [[name, [dimension, ...], class], ...], "numbers": {name: value}}` | |
| request for arrays | `{"arrays": [name, ...], "single": whether float64 is rounded to float32}` | the content of the file |
| reply | `{"arrays": [[name, dtype, [dimension, ...]], ...]}` | the bytes of each array, C order |
| request for the fields of structs | `{"fields": [name, ...]}` | the content of the file |
| reply | `{"fields": [[path, [dimension, ...], class], ...]}` | |
| reply to names that lead nowhere | `{"absent": one line}` | |
| reply to names of what is no real numbers | `{"unfit": one line}` | |
| reply to any | `{"error": one line}` | |

A name is that of a variable, or a path into a struct, `run.Y[Name=vibration_1][Raster=fast].Data`: the field `Data` of the one
entry of `run`'s field `Y` whose fields `Name` and `Raster` hold these texts. Only numbers ever leave this process.

**Only what is wanted is inflated.** In a file of version 5 to 7.2 each variable is an element of its own, as a rule compressed. To
list the variables scipy inflates 128 KiB of each; here it is shown their first `HEAD_BYTES`. Of what is to be read, it is shown
the elements of the wanted variables, inflated by libdeflate, which takes half of zlib's time. A file that is laid out in any other way
is left to scipy as it is.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import struct
import sys
import warnings
import zlib
from collections.abc import Container, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

try:
    from deflate import zlib_decompress
except ImportError:  # there are no wheels of it for some machines
    zlib_decompress = None  # type: ignore[assignment]

_LENGTH = struct.Struct(">Q")
_FILE_HEADER = 128
_TAG_BYTES = 8
_MATRIX, _COMPRESSED = 14, 15
"""Kinds of elements (MAT-File Format, table 1-1)."""
HEAD_BYTES = 4096
"""Of an element, inflated: far more than its flags, dimensions and name take, and all of a variable of one number."""
_CUT_BYTES = 4 * HEAD_BYTES
"""Of a compressed element: more than it takes for its head, for deflate's longest code has 15 bits."""
_MAX_ELEMENTS = 4096
_MEMORY_HEADROOM_BYTES = 1 << 30
"""What reading may take beyond the interpreter and its libraries: the content of a file, what it inflates to, and the reply."""

MAX_NAMES = 64
"""Variables and paths of one request."""
MAX_NAME_LENGTH = 512
MAX_FIELDS = 1024
MAX_DEPTH = 6
"""Of structs within structs whose fields are listed."""
MAX_ENTRIES = 4096
"""Entries of a struct array that a path may have to look through."""
_STEP = re.compile(r"([A-Za-z]\w*)((?:\[[A-Za-z]\w*=[^][=]*\])*)", re.ASCII)
_CONDITION = re.compile(r"\[(\w+)=([^]]*)\]", re.ASCII)
_SHOWN = 8

Step = tuple[str, tuple[tuple[str, str], ...]]
"""A variable or field, and which texts the fields of the wanted entry hold."""


class LeafError(ValueError):
    """A path that leads nowhere, or not to one entry, in a file that was read well."""


class UnfitError(ValueError):
    """What is asked for is there, and is no real numbers, in a file that was read well."""


Variables = list[tuple[str, tuple[int, ...], str]]
"""Name, shape and MATLAB class of each variable, in the file's order."""


def look(content: bytes, names: Sequence[str] = ()) -> tuple[Variables, dict[str, float]]:
    """What a file holds, from headers, and those of the named variables that are one number.

    Raises:
        UnfitError: A named variable is a single something that is no real number.
    """
    try:
        heads = b"".join((content[:_FILE_HEADER], *(_head(content, element) for element in _elements(content))))
        variables = _listed(heads)
    except Exception:  # noqa: BLE001 - scipy raises anything; what is unusual is its to judge
        heads, variables = content, _listed(content)
    single = [name for name, shape, _ in variables if name in names and shape and set(shape) == {1}]
    return variables, {name: float(value.reshape(-1)[0]) for name, value in _loaded(heads, single).items() if value.size}


def cut(content: bytes) -> bytes:
    """As much of a file as `look` needs; all of it where it is laid out in another way than usual."""
    try:
        elements = _elements(content)
    except (ValueError, struct.error):
        return content
    parts = [content[:_FILE_HEADER]]
    for kind, start, end, order in elements:
        end = min(end, start + (HEAD_BYTES if kind == _MATRIX else _CUT_BYTES))
        parts += [struct.pack(f"{order}II", kind, end - start), content[start:end]]
    return b"".join(parts)


def load(content: bytes, names: Sequence[str], single: bool = False) -> dict[str, NDArray[Any]]:
    """Those of the named variables, and what the paths lead to, of a file, each a real numeric array.

    A name or path whose variable the file does not hold is left out. `single` rounds float64 to float32; what is too large becomes
    infinite.

    Raises:
        LeafError: A path leads nowhere.
        UnfitError: One of them is something else (a struct, text, complex numbers).
        ValueError: One is no path, or there are too many.
    """
    if len(names) > MAX_NAMES:
        raise ValueError(f"{len(names)} names where at most {MAX_NAMES} can be asked for at once")
    wanted = {path[0][0] for path in map(parse_path, names)}
    arrays = _loaded(_only(content, wanted), names)
    with np.errstate(over="ignore"):
        return {name: array.astype(np.float32) if single and array.dtype.kind == "f" else array for name, array in arrays.items()}


def _listed(content: bytes) -> Variables:
    import scipy.io  # here, for the process that asks the child imports this file too

    stream: Any = io.BytesIO(content)
    return [(str(name), tuple(int(n) for n in shape), str(kind)) for name, shape, kind in scipy.io.whosmat(stream)]


def _loaded(content: bytes, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    paths = {name: parse_path(name) for name in names}
    if not paths:
        return {}
    import scipy.io
    from scipy.io.matlab import MatReadWarning

    stream: Any = io.BytesIO(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MatReadWarning)  # scipy warns of a variable that it cannot read, and goes on
        found = scipy.io.loadmat(stream, variable_names=list(dict.fromkeys(path[0][0] for path in paths.values())))
    arrays: dict[str, NDArray[Any]] = {}
    for name, path in paths.items():
        if path[0][0] not in found:
            continue
        value = _leaf(found[path[0][0]], path)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            raise UnfitError(f"variable {name} holds {_HELD.get(_kind(value), 'something else')}, not real numbers")
        arrays[name] = value
    return arrays


_KINDS = {"U": "char", "S": "char", "c": "complex", "O": "cell", "V": "struct", "b": "logical"}
_HELD = {"char": "text", "complex": "complex numbers", "cell": "a cell array", "struct": "a struct", "sparse": "a sparse matrix"}
_CLASSES = {"float64": "double", "float32": "single"}


def fields(content: bytes, names: Sequence[str]) -> Variables:
    """What the fields of the named structs hold, by paths (`run.acc`): the first `MAX_FIELDS`. They are read for it.

    Raises:
        ValueError: There are too many names.
    """
    if len(names) > MAX_NAMES:
        raise ValueError(f"{len(names)} names where at most {MAX_NAMES} can be asked for at once")
    import scipy.io

    stream: Any = io.BytesIO(_only(content, set(names)))
    found = scipy.io.loadmat(stream, variable_names=list(names))
    listed: Variables = []
    for name in names:
        if name in found:
            _list_fields(name, found[name], MAX_DEPTH, listed)
    return listed


def _list_fields(path: str, value: Any, depth: int, listed: Variables) -> None:
    inner = value.dtype.names if isinstance(value, np.ndarray) and value.size == 1 else None
    if inner and depth:
        for field in inner:
            if len(listed) < MAX_FIELDS and _STEP.fullmatch(field):
                _list_fields(f"{path}.{field}", value.reshape(-1)[0][field], depth - 1, listed)
    else:
        listed.append((path, tuple(int(n) for n in getattr(value, "shape", ())), _kind(value)))


def _kind(value: Any) -> str:
    """The MATLAB class of a value, `complex` for complex numbers, or `sparse`."""
    if not isinstance(value, np.ndarray | np.void):  # void: the one entry of a struct array
        return "sparse" if hasattr(value, "tocsc") else "unknown"
    return _KINDS.get(value.dtype.kind) or _CLASSES.get(value.dtype.name, value.dtype.name)


class _Element(NamedTuple):
    """An element of a file: what it is, and where its content lies."""

    kind: int
    start: int
    end: int
    order: str


def _elements(content: bytes) -> list[_Element]:
    """The elements of a file of version 5 to 7.2.

    Raises:
        ValueError: It is no such file.
    """
    order = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}.get(content[_FILE_HEADER - 4 : _FILE_HEADER])
    if order is None or 0 in content[:4]:
        raise ValueError("this is no file of version 5")
    found: list[_Element] = []
    place = _FILE_HEADER
    while place < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        start = place + _TAG_BYTES
        place = start + size
        if kind not in (_MATRIX, _COMPRESSED) or size < _TAG_BYTES or place > len(content) or len(found) == _MAX_ELEMENTS:
            raise ValueError("elements are not laid out one after the other")
        found.append(_Element(kind, start, place, order))
    return found


def _head(content: bytes, element: _Element) -> bytes:
    """An element that goes only as far as its first `HEAD_BYTES` bytes, not compressed."""
    view = memoryview(content)[element.start : element.end]
    if element.kind == _MATRIX:
        head = bytes(view[:HEAD_BYTES])
    else:
        _, inflated = _inflate(view, HEAD_BYTES)
        _claimed(inflated, element.order)
        head = inflated[_TAG_BYTES:]
    return struct.pack(f"{element.order}II", _MATRIX, len(head)) + head


def _only(content: bytes, wanted: Container[str]) -> bytes:
    """A file that holds the wanted variables alone, not compressed; the file as it is where that cannot be made of it."""
    try:
        elements = _elements(content)
        if not any(element.kind == _COMPRESSED for element in elements):
            return content
        listed = _listed(b"".join((content[:_FILE_HEADER], *(_head(content, element) for element in elements))))
        chosen = [element for element, (name, _, _) in zip(elements, listed, strict=True) if name in wanted]
        return b"".join((content[:_FILE_HEADER], *(_whole(content, element) for element in chosen)))
    except Exception:  # noqa: BLE001 - scipy raises anything; what is unusual is its to judge
        return content


def _whole(content: bytes, element: _Element) -> bytes | bytearray | memoryview:
    """An element, not compressed.

    Raises:
        ValueError: It does not inflate to as much as it says.
    """
    view = memoryview(content)[element.start : element.end]
    if element.kind == _MATRIX:
        return memoryview(content)[element.start - _TAG_BYTES : element.end]
    _, head = _inflate(view, _TAG_BYTES)
    size = _TAG_BYTES + _claimed(head, element.order)
    if zlib_decompress is not None:
        ended, whole = True, zlib_decompress(view, size)  # which raises where there is more, or the checksum is wrong
    else:
        ended, whole = _inflate(view, size + 1)  # one more, so that the end of the stream is seen, and its checksum
    if not ended or len(whole) != size:
        raise ValueError("a compressed variable is longer or shorter than it says")
    return whole


def _inflate(view: memoryview, at_most: int) -> tuple[bool, bytes]:
    """Whether a compressed stream has ended, and its first bytes."""
    stream = zlib.decompressobj()
    inflated = stream.decompress(view, at_most)
    return stream.eof, inflated


def _claimed(inflated: bytes, order: str) -> int:
    """How long an inflated element says it is.

    Raises:
        ValueError: It is no variable.
    """
    if len(inflated) < _TAG_BYTES:
        raise ValueError("a compressed element is empty")
    kind, size = struct.unpack_from(f"{order}II", inflated)
    if kind != _MATRIX:
        raise ValueError("a compressed element is no variable")
    return int(size)


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


def write_frames(stream: BinaryIO, *frames: bytes | memoryview) -> None:
    """Writes frames and flushes."""
    for frame in frames:
        stream.write(_LENGTH.pack(len(frame)))
        stream.write(frame)
    stream.flush()


def _answer(request: dict[str, Any], content: bytes) -> list[bytes | memoryview]:
    try:
        if "headers" in request:
            variables, numbers = look(content, request["headers"])
            return [json.dumps({"variables": variables, "numbers": numbers}).encode()]
        if "fields" in request:
            return [json.dumps({"fields": fields(content, request["fields"])}).encode()]
        arrays = {name: _native(value) for name, value in load(content, request["arrays"], request.get("single", False)).items()}
        header = {"arrays": [[name, value.dtype.str, value.shape] for name, value in arrays.items()]}
        return [json.dumps(header).encode(), *(value.reshape(-1).view(np.uint8).data for value in arrays.values())]
    except LeafError as error:
        return [json.dumps({"absent": str(error)[:400]}).encode()]
    except UnfitError as error:
        return [json.dumps({"unfit": str(error)[:400]}).encode()]
    except Exception as error:  # noqa: BLE001 - scipy raises anything for a damaged file
        words = " ".join(str(error).split())[:200]
        return [json.dumps({"error": f"{type(error).__name__}: {words}" if words else type(error).__name__}).encode()]


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """An array in C order, its numbers in this machine's byte order."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


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


def _import_lazily(name: str) -> None:
    """Imports a module when something in it is asked for."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(sys.modules["numpy"], name.rpartition(".")[2], module)


def _fork_twin(requests: int, replies: int) -> None:
    """Goes on as two processes; the new one has these descriptors as its standard input and output, and says its number.

    Where the system allows no further process the descriptors are closed, which tells whoever waits for the twin.
    """
    try:
        forked = os.fork() == 0
    except OSError:
        forked = False
    if forked:
        os.dup2(requests, 0)
        os.dup2(replies, 1)
    os.close(requests)
    os.close(replies)
    if forked:
        write_frames(sys.stdout.buffer, json.dumps({"process": os.getpid()}).encode())


def main() -> None:
    """Serves requests until standard input ends."""
    # scipy imports all names of numpy, these among them, which take longer than scipy.io itself and are of no use here.
    for name in ("ctypeslib", "f2py", "fft", "ma", "polynomial", "testing"):
        _import_lazily(f"numpy.{name}")
    import scipy.io

    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    # A round trip now, so that whatever scipy imports on first use is there before no file can be opened any more.
    rehearsal: Any = io.BytesIO()
    scipy.io.savemat(rehearsal, {"number": np.ones(2), "text": "text", "record": {"field": 1}}, do_compression=True)
    for names in (["number", "record.field"], ["text"]):
        _answer({"arrays": names}, rehearsal.getvalue())
    _answer({"headers": ["number"]}, rehearsal.getvalue())
    _answer({"fields": ["record"]}, rehearsal.getvalue())
    if len(sys.argv) > 1:
        _fork_twin(*map(int, sys.argv[1:]))
    _limit()
    while (header := read_frame(requests)) is not None and (content := read_frame(requests)) is not None:
        write_frames(replies, *_answer(json.loads(header), content))


if __name__ == "__main__":
    main()
