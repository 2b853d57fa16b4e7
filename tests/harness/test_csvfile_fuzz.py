"""Mutated csv files: the numbers of every row, or a refusal that names file and line; the same as a slow reader that is easy to follow."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.data import csvfile
from faultbench.data.csvfile import read_csv
from faultbench.errors import DataError

HEADER = ("Horizontal_vibration_signals", "Vertical_vibration_signals")
NUMBER = re.compile(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
MOST = float(np.finfo(np.float32).max)


def slowly(content: bytes) -> np.ndarray | None:
    """What the docstring of `read_csv` says, line by line; None where the file is to be refused."""
    header, *lines = content.split(b"\n")
    rest = lines.pop() if lines else header
    if rest or not lines or header.removesuffix(b"\r") != ",".join(HEADER).encode():
        return None
    rows = []
    for line in lines:
        fields = line.removesuffix(b"\r").split(b",")
        if len(fields) != len(HEADER) or not all(NUMBER.fullmatch(field) and abs(float(field)) <= MOST for field in fields):
            return None
        rows.append([float(field) for field in fields])
    return np.array(rows).astype(np.float32).T


def official(rows: int, seed: int, end: str = "\r\n", scale: float = 0.5) -> bytes:
    values = (scale * np.random.default_rng(seed).standard_normal((rows, 2))).astype(np.float32).astype(float).tolist()
    return "".join(line + end for line in [",".join(HEADER), *(f"{h!r},{v!r}" for h, v in values)]).encode()


SHAPED = [official(300, 1), official(40, 2, "\n", 20.0), official(300, 3, scale=1e-3), official(1, 4), official(60, 5, scale=3e4)]
FIRST = len(",".join(HEADER)) + 2

hostile = st.one_of(
    st.sampled_from(
        [
            b"",
            b"nan",
            b"inf",
            b"-inf",
            b"1e999",
            b"1e-999",
            b"-0",
            b"0x1p3",
            b"1_0",
            b"+.5",
            b"5.",
            b".",
            b"-",
            b"e5",
            b'"0.5"',
            b"0.5 ",
            b"#",
        ]
    ),
    st.sampled_from(
        [b"\0", b"\r", b"\n", b"\r\r\n", b",", b",,", b"\xef\xbb\xbf", b"\xc2\xb2", b";", b"\t", b"--1", b"1.2.3", b"0" * 99, b"9" * 40]
    ),
    st.binary(max_size=6),
    st.from_regex(rb"[0-9+.eE-]{1,30}", fullmatch=True),
)
places = st.one_of(st.integers(0, 1 << 14), st.integers(FIRST - 3, FIRST + 60))
mutations: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    st.builds(
        lambda place, bit: (
            lambda text: text[: place % len(text)] + bytes([text[place % len(text)] ^ 1 << bit]) + text[place % len(text) + 1 :]
        ),
        places,
        st.integers(0, 7),
    ),
    st.builds(lambda place: lambda text: text[: 1 + place % len(text)], places),
    st.builds(lambda place, put: lambda text: text[: place % len(text)] + put + text[place % len(text) :], places, hostile),
    st.builds(
        lambda place, length, put: lambda text: text[: place % len(text)] + put + text[place % len(text) + length :],
        places,
        st.integers(1, 60),
        hostile,
    ),
    st.builds(
        lambda place, other, start, length: (
            lambda text: text[: place % len(text)] + SHAPED[other][start % len(SHAPED[other]) :][:length] + text[place % len(text) :]
        ),
        places,
        st.integers(0, len(SHAPED) - 1),
        places,
        st.integers(1, 200),
    ),
    st.builds(lambda field, put: lambda text: replaced(text, field, put), st.integers(0, 700), hostile),
)


def replaced(text: bytes, field: int, put: bytes) -> bytes:
    """A field exchanged for something else: the layout stays."""
    fields = re.split(rb"([,\r\n]+)", text)
    fields[2 * (field % (1 + len(fields) // 2))] = put
    return b"".join(fields)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = SHAPED[draw(st.integers(0, len(SHAPED) - 1))]
    for mutation in draw(st.lists(mutations, min_size=1, max_size=3)):
        content = mutation(content) or b"0"  # an empty file has no place for the next one
    return content


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated") / "1.csv"


def read_as_slowly(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    wanted = slowly(content)
    try:
        read = read_csv(path, HEADER)
    except DataError as error:
        assert re.match(rf"{re.escape(str(path))}(, line \d+:| ends after line \d+,) ", str(error)), error  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
        assert wanted is None
    else:
        assert wanted is not None
        np.testing.assert_array_equal(read.view(np.uint32), wanted.view(np.uint32))


QUICK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_files_as_the_source_has_them_are_read(path: Path) -> None:
    for content in SHAPED:
        assert slowly(content) is not None
        read_as_slowly(path, content)


@QUICK
@given(content=mutated(), piece=st.sampled_from([csvfile.PIECE_BYTES, 4096, 1000]))
def test_a_mutated_file_is_read_as_the_slow_reader_does(path: Path, content: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfile, "PIECE_BYTES", piece)
        read_as_slowly(path, content)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(QUICK, max_examples=10_000)
@given(content=mutated(), piece=st.sampled_from([csvfile.PIECE_BYTES, 4096, 1000]))
def test_many_mutated_files(path: Path, content: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvfile, "PIECE_BYTES", piece)
        read_as_slowly(path, content)


@QUICK
@given(
    values=st.lists(st.floats(-120, 120), min_size=1, max_size=40),
    places=st.integers(0, 25),
    middle=st.lists(st.floats(-100, 100, width=32), max_size=10),
    nudge=st.sampled_from(["", "1", "0000000001", "-"]),
)
def test_every_decimal_is_the_float32_nearest_to_float(
    path: Path, values: list[float], places: int, middle: list[float], nudge: str
) -> None:
    """With any number of digits, and in or next to the middle between two float32."""
    texts = [f"{value:.{places}f}" for value in values]
    for value in middle:
        half = (float(np.float32(value)) + float(np.nextafter(np.float32(value), np.float32(200)))) / 2
        texts.append(f"{half:.40f}".rstrip("0") + nudge.removeprefix("-") if nudge != "-" else repr(float(np.nextafter(half, -200))))
    read_as_slowly(path, (",".join(HEADER) + "\n" + "".join(f"{text},{text}\n" for text in texts)).encode())
