"""Mutated MATLAB files: what is read of one is what scipy reads of it, or it is refused in one line.

scipy itself reads them in a child of its own (`plain`), for it may break over them.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.data import matfile, matfile_child
from faultbench.data.matfile import open_mat
from faultbench.data.matfile_reader import Reader, ReaderError
from faultbench.errors import DataError

RNG = np.random.default_rng(105)
SIGNAL = np.round(RNG.standard_normal((700, 1)), 4)
RUN = np.zeros((1, 2), dtype=[("Name", object), ("Data", object)])
RUN[0, 0], RUN[0, 1] = ("speed", np.ones((1, 9))), ("vibration_1", SIGNAL.T)
NAMES = ("X105_DE_time", "X105RPM", "run.Y[Name=vibration_1].Data", "Data")


def saved(compressed: bool, form: str = "5", **variables: object) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, do_compression=compressed, format=form)
    return stream.getvalue()


RECORD = {"X105_DE_time": SIGNAL, "X105_FE_time": SIGNAL[::-1], "X105RPM": np.array([[1797]], np.uint16)}
PIECE = {"Data": SIGNAL.astype(np.float32), "SampleFrequency": np.uint16(20_000), "StartTime": "19-23 00:0000", "c": np.eye(2) == 1}
SHAPED = [
    saved(True, **RECORD),
    saved(False, **RECORD),
    saved(True, **PIECE),
    saved(False, run={"Y": RUN, "Info": {"Id": 1.0}}),
    saved(True, run={"Y": RUN}, sparse=scipy.sparse.eye_array(3), z=np.array([1j]), cell=np.array([[1, "a"]], dtype=object)),
    saved(False, "4", **RECORD),
]
"""Files as the sources have them."""

words = st.sampled_from([0, 1, 2, 8, 14, 15, 127, 4096, 1 << 16, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 8, (1 << 32) - 1])
places = st.one_of(st.integers(0, 300), st.integers(0, 1 << 14))


def flip(content: bytes, place: int, bit: int) -> bytes:
    place %= len(content)
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def cut(content: bytes, place: int) -> bytes:
    return content[: 1 + place % len(content)]


def splice(content: bytes, place: int, other: bytes, start: int, length: int) -> bytes:
    return content[: place % len(content)] + other[start % len(other) :][:length] + content[place % len(content) :]


def drop(content: bytes, place: int, length: int) -> bytes:
    place %= len(content)
    return content[:place] + content[place + length :] or b"\0"


def write_word(content: bytes, place: int, word: int, order: str) -> bytes:
    place = place % len(content) // 4 * 4  # where lengths stand
    return content[:place] + struct.pack(order + "I", word) + content[place + 4 :]


def inside(content: bytes, number: int, place: int, word: int, byte: bool) -> bytes:
    """Changes what is compressed, and compresses it again: the checksum fits."""
    elements, at = [], 128
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<II", content, at)
        elements.append((kind, content[at + 8 : at + 8 + size]))
        at += 8 + size
    if not elements or elements[number % len(elements)][0] != 15:
        return content
    try:
        inflated = zlib.decompress(elements[number % len(elements)][1])
    except zlib.error:
        return content
    changed = flip(inflated, place, word % 8) if byte else write_word(inflated, place % 120, word, "<")
    elements[number % len(elements)] = (15, zlib.compress(changed))
    return content[:128] + b"".join(struct.pack("<II", kind, len(body)) + body for kind, body in elements)


mutations: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    st.builds(lambda place, bit: lambda content: flip(content, place, bit), places, st.integers(0, 7)),
    st.builds(lambda place: lambda content: cut(content, place), places),
    st.builds(
        lambda place, other, start, length: lambda content: splice(content, place, SHAPED[other], start, length),
        places,
        st.integers(0, len(SHAPED) - 1),
        places,
        st.integers(1, 400),
    ),
    st.builds(lambda place, length: lambda content: drop(content, place, length), places, st.integers(1, 400)),
    st.builds(lambda place, word, order: lambda content: write_word(content, place, word, order), places, words, st.sampled_from("<>")),
    st.builds(
        lambda number, place, word, byte: lambda content: inside(content, number, place, word, byte),
        st.integers(0, 4),
        places,
        words,
        st.booleans(),
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = SHAPED[draw(st.integers(0, len(SHAPED) - 1))]
    for mutation in draw(st.lists(mutations, min_size=1, max_size=4)):
        content = mutation(content)
    return content


PLAIN = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("child", {str(Path(matfile_child.__file__))!r})
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
child._only = lambda content, wanted: content
child._head = None
child.main()
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A child in which scipy is shown every file as it is."""
    program = tmp_path_factory.mktemp("plain") / "plain.py"
    program.write_text(PLAIN)
    reader = Reader(program)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated") / "105.mat"


def one_line(error: DataError, path: Path) -> None:
    assert "\n" not in str(error)
    assert str(path) in str(error)


def read_of(path: Path, content: bytes, name: str) -> np.ndarray | None:
    """One array of a file; None where it is refused."""
    path.write_bytes(content)
    try:
        read = open_mat(path, timeout_s=20).read(name)[name]
    except DataError as error:
        one_line(error, path)
        return None
    assert read.dtype.kind in "biuf"
    assert np.isfinite(read).all()
    return read


def scipy_of(plain: Reader, content: bytes, name: str) -> np.ndarray | None:
    try:
        found = plain.load(content, (name,), 20).get(name)
    except ReaderError:
        return None
    return found if found is not None and np.isfinite(found).all() else None


def alone(content: bytes) -> Iterator[bytes]:
    """Files of one element each."""
    order, at = "<" if content[126:128] == b"IM" else ">", 128
    while at + 8 <= len(content):
        size = struct.unpack_from(order + "II", content, at)[1]
        yield content[:128] + content[at : at + 8 + size]
        at += 8 + size


def same_as_scipy(path: Path, plain: Reader, content: bytes) -> None:
    """Whatever scipy reads is read, and as it reads it; beside that, at most what other variables keep scipy from."""
    for name in NAMES:
        read, wanted = read_of(path, content, name), scipy_of(plain, content, name)
        if wanted is None and read is not None:
            assert any(
                found is not None and np.array_equal(found, read) for found in (scipy_of(plain, one, name) for one in alone(content))
            )
        elif wanted is not None and matfile._no_mat_file(content) is None:
            assert read is not None
            assert read.dtype == wanted.dtype
            np.testing.assert_array_equal(read, wanted)


def header_is_a_header_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        header = open_mat(path, timeout_s=20).header("X105RPM", "SampleFrequency")
    except DataError as error:
        one_line(error, path)
    else:
        assert "\n" not in header.holdings()
        json.dumps([dict(header.numbers), list(header.variables)], allow_nan=False)


def test_files_as_the_sources_have_them_are_read(path: Path, plain: Reader) -> None:
    """Else what follows compares refusals."""
    counts = [sum(read_of(path, content, name) is not None for name in NAMES) for content in SHAPED]
    assert counts == [2, 2, 1, 1, 1, 2]
    for content in SHAPED:
        same_as_scipy(path, plain, content)


QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(content=mutated())
def test_what_is_read_of_a_mutated_file_is_what_scipy_reads(path: Path, plain: Reader, content: bytes) -> None:
    same_as_scipy(path, plain, content)


@QUICK
@given(content=mutated())
def test_the_headers_of_a_mutated_file_are_headers_or_refused(path: Path, content: bytes) -> None:
    header_is_a_header_or_refused(path, content)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(QUICK, max_examples=4000)
@given(content=mutated())
def test_many_mutated_files(path: Path, plain: Reader, content: bytes) -> None:
    same_as_scipy(path, plain, content)
    header_is_a_header_or_refused(path, content)


@settings(QUICK, max_examples=80)
@given(flips=st.lists(st.tuples(st.integers(128, 1 << 14), st.integers(0, 7)), min_size=1, max_size=3))
def test_a_compressed_signal_is_the_one_that_was_saved_whatever_bits_flip(path: Path, flips: list[tuple[int, int]]) -> None:
    """Its checksum sees to it; a file that is not compressed has none, its signal is what the flipped bits make of it."""
    content = SHAPED[0]
    for place, bit in flips:
        content = flip(content, place, bit)
    read = read_of(path, content, "X105_DE_time")
    assert read is None or np.array_equal(read, SIGNAL)


# --- the heads of files, and the elements that are wanted

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,29}", fullmatch=True)
values: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda shape, kind: np.arange(np.prod(shape)).reshape(shape).astype(kind),
        st.lists(st.integers(0, 40), min_size=2, max_size=4),
        st.sampled_from(["f8", "f4", "i2", "u1", "i8", "?"]),
    ),
    st.sampled_from(["", "text", {"a": 1.0, "b": "text"}, np.array([1j]), scipy.sparse.eye_array(3), np.array([[1, "a"]], dtype=object)]),
    st.floats(allow_nan=False, allow_infinity=False),
)


@settings(QUICK, max_examples=150)
@given(variables=st.dictionaries(names, values, min_size=1, max_size=6), compressed=st.booleans(), data=st.data())
def test_heads_tell_what_scipy_tells_of_the_whole(variables: dict[str, Any], compressed: bool, data: st.DataObject) -> None:
    content = saved(compressed, **variables)
    listed, _ = matfile_child.look(content)
    assert listed == scipy.io.whosmat(io.BytesIO(content))
    numeric = [name for name, value in variables.items() if isinstance(value, float | np.ndarray) and np.asarray(value).dtype.kind in "bif"]
    if numeric:
        wanted = data.draw(st.lists(st.sampled_from(numeric), unique=True))
        loaded = matfile_child.load(content, wanted)
        whole = scipy.io.loadmat(io.BytesIO(content))
        assert set(loaded) == set(wanted)
        for name, value in loaded.items():
            np.testing.assert_array_equal(value, whole[name])
            assert value.dtype == whole[name].dtype
    single = [name for name in numeric if np.size(variables[name]) == 1]
    assert matfile_child.look(content, single)[1] == {name: float(np.ravel(variables[name])[0]) for name in single}
