"""Reading csv files of numbers: every row as `float` reads it, or an error with its line."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data import csvfile
from faultbench.data.csvfile import read_csv
from faultbench.errors import DataError

HEADER = ("a", "b")
FLOAT32 = float(np.finfo(np.float32).max)

digits = st.text("0123456789", min_size=1, max_size=20)
plain = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}.{fraction}", st.sampled_from(["", "-"]), digits.map(lambda d: d[:2]), digits
)
odd = st.builds(
    lambda sign, number, exponent: sign + number + exponent,
    st.sampled_from(["", "-", "+"]),
    st.one_of(digits, digits.map(lambda d: d + "."), digits.map(lambda d: "." + d)),
    st.sampled_from(["", "e-05", "E+3", "e7"]),
)
printed = st.floats(-FLOAT32, FLOAT32, width=32).map(repr)
measured = st.floats(-20, 20).map(repr)
numbers = st.one_of(plain, measured, printed, odd)
ends = st.sampled_from(["\n", "\r\n"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1.csv"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "1.csv"


def write(path: Path, rows: list[tuple[str, ...]], end: str = "\n", header: str = "a,b") -> Path:
    path.write_bytes("".join(line + end for line in [header, *map(",".join, rows)]).encode())
    return path


def read_or_refusal(path: Path, rows: int | None) -> np.ndarray | str:
    try:
        return read_csv(path, HEADER, rows)
    except DataError as error:
        return str(error)


def as_float(rows: list[tuple[str, ...]]) -> np.ndarray:
    return np.array([[float(field) for field in row] for row in rows]).astype(np.float32).T


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), end=ends)
def test_every_well_formed_file_gives_what_float_gives(place: Path, rows: list[tuple[str, str]], end: str) -> None:
    write(place, rows, end)
    read = read_csv(place, HEADER, len(rows))
    assert read.dtype == np.float32
    assert read.flags.c_contiguous  # a column is one piece of memory: else all that follows is slow
    np.testing.assert_array_equal(read.view(np.uint32), as_float(rows).view(np.uint32))  # bit by bit: the sign of zero too


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(measured, plain), min_size=2, max_size=20),
    end=ends,
    at=st.floats(0, 1),
    strange=st.sampled_from([b"\0", b" ", b"x", b"e", b"/", b":", b"\xb2", b"\xff", b",", b"--", b"\n", b"_", b".."]),
)
def test_what_is_no_number_is_refused_with_its_line_and_never_read_as_another(
    place: Path, rows: list[tuple[str, str]], end: str, at: float, strange: bytes
) -> None:
    content = write(place, rows, end).read_bytes()
    first = content.index(b"\n") + 1
    where = first + int(at * (len(content) - first - len(end)))
    place.write_bytes(content[:where] + strange + content[where:])
    read = read_or_refusal(place, len(rows))
    if isinstance(read, str):
        assert "line" in read
        assert "\n" not in read
    else:  # an `e` or a line end can leave a file well-formed
        lines = place.read_bytes().decode("ascii").split("\n")[1:-1]
        np.testing.assert_array_equal(read, as_float([tuple(line.split(",")) for line in lines]))


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(measured, measured), min_size=1, max_size=20), end=ends, cut=st.integers(1, 400))
def test_a_file_cut_short_anywhere_is_refused(place: Path, rows: list[tuple[str, str]], end: str, cut: int) -> None:
    content = write(place, rows, end).read_bytes()
    place.write_bytes(content[: max(0, len(content) - cut)])
    with pytest.raises(DataError):
        read_csv(place, HEADER, len(rows))


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200), headed=st.booleans())
def test_any_bytes_are_numbers_or_an_error(place: Path, content: bytes, headed: bool) -> None:
    place.write_bytes((b"a,b\n" if headed else b"") + content)
    read = read_or_refusal(place, None)
    assert "\n" not in read if isinstance(read, str) else np.isfinite(read).all()


def test_pieces_join_without_a_seam(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    rows = [tuple(map(repr, row)) for row in rng.normal(scale=5, size=(3000, 2)).tolist()]
    whole = read_csv(write(path, rows, "\r\n"), HEADER, 3000)
    np.testing.assert_array_equal(whole, as_float(rows))
    for size in (64, 100, 1000, 4096):
        monkeypatch.setattr(csvfile, "PIECE_BYTES", size)
        np.testing.assert_array_equal(read_csv(path, HEADER, 3000), whole)


def test_the_fast_way_is_the_one_taken_for_measured_numbers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests of it would test the slow way twice."""
    slow: list[bytes] = []
    by_float = csvfile._by_float
    monkeypatch.setattr(csvfile, "_line_by_line", lambda *_: pytest.fail("a whole piece went the slow way"))
    monkeypatch.setattr(csvfile, "_by_float", lambda path, texts, lines: slow.extend(texts) or by_float(path, texts, lines))
    values = np.random.default_rng(2).normal(scale=4, size=(8000, 2)).astype(np.float32).astype(float)
    rows = [tuple(map(repr, row)) for row in values.tolist()]
    np.testing.assert_array_equal(read_csv(write(path, rows, "\r\n"), HEADER), as_float(rows))
    assert len(slow) < 100
    assert all(b"e" in text for text in slow)


@pytest.mark.parametrize("text", ["0.5000000298023223877", "0.50000002980232238769531250001", "0.5000000298023223876953125", "16777217.0"])
def test_a_number_between_two_float32_is_rounded_as_float_does_it(path: Path, text: str) -> None:
    assert read_csv(write(path, [(text, "-" + text)]), HEADER).tolist() == [[np.float32(float(text))], [-np.float32(float(text))]]


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_any_number_of_columns(path: Path, columns: int) -> None:
    rows = [tuple(f"{i}.{j}" for j in range(columns)) for i in range(40)]
    header = [f"c{j}" for j in range(columns)]
    np.testing.assert_array_equal(read_csv(write(path, rows, header=",".join(header)), header), as_float(rows))


GOOD = b"a,b\r\n" + b"0.25,-0.5\r\n" * 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"ends after line 0, it holds 0 rows where 4 rows are expected"),
        (b"a,b\r\n", r"ends after line 1, it holds 0 rows where 4"),
        (GOOD.replace(b"a,b", b"a,c"), r"line 1: the header is 'a,c\\r', not a,b"),
        (GOOD.partition(b"\n")[2], r"line 1: the header is '0.25,-0.5\\r'"),
        (b"\xef\xbb\xbf" + GOOD, r"line 1: the header is"),
        (GOOD[:-11], r"ends after line 4, it holds 3 rows where 4 rows are expected"),
        (GOOD + b"1.0,2.0\r\n", r"line 6: there are more than 4 rows"),
        (GOOD[:-2], r"line 5: ends in the middle \('0.25,-0.5' without"),
        (GOOD[:-5], r"line 5: ends in the middle"),
        (GOOD[:-11] + b"0.25\r\n", r"line 5: 1 fields where 2 are expected"),
        (GOOD[:-11] + b"0.25,0.5,\r\n", r"line 5: 3 fields"),
        (GOOD[:-11] + b"\r\n", r"line 5: 1 fields"),
        (GOOD[:-11] + b"0.25,\r\n", r"line 5: '' is no number"),
        (GOOD[:-11] + b"0.25,0.1.2\r\n", r"line 5: '0.1.2' is no number"),
        (GOOD[:-11] + b"0.25,0.1-2\r\n", r"line 5: '0.1-2' is no number"),
        (GOOD[:-11] + b"0.25,-\r\n", r"line 5: '-' is no number"),
        (GOOD[:-11] + b"0.25,-.\r\n", r"line 5: '-\.' is no number"),
        (GOOD[:-11] + b"nan,0.5\r\n", r"line 5: 'nan' is no number"),
        (GOOD[:-11] + b"0.25,inf\r\n", r"line 5: 'inf' is no number"),
        (GOOD[:-11] + b"0.25,1e39\r\n", r"line 5: '1e39' is beyond what a signal can hold"),
        (GOOD[:-11] + b"0.25,1e999\r\n", r"line 5: '1e999' is beyond"),
        (GOOD[:-11] + b"0.25,1_0.0\r\n", r"line 5: '1_0.0' is no number"),
        (GOOD[:-11] + b'0.25,"0.5"\r\n', r"line 5: '\"0.5\"' is no number"),
        (GOOD[:-11] + b"0.25,0.5\0\r\n", r"line 5: '0.5\\x00' is no number"),
        (GOOD[:-11] + b"\0" * 9 + b"\r\n", r"line 5: 1 fields"),
        (GOOD[:-11] + b"0.25,0.\r5\r\n", r"line 5: '0.\\r5' is no number"),
    ],
)
def test_what_is_malformed_is_one_line_that_names_the_place(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as refused:
        read_csv(path, HEADER, 4)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)
    assert ": " in str(refused.value)


def test_a_bad_row_far_down_is_named_by_its_line(path: Path) -> None:
    rows = [("0.123456789", "-1.5")] * 40_000
    rows[31_415] = ("0.12345678 ", "-1.5")
    write(path, rows)
    with pytest.raises(DataError, match=r"line 31417: '0\.12345678 ' is no number"):
        read_csv(path, HEADER, 40_000)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError, match="line 31417: "):
        read_csv(path, HEADER, 40_000)
    write(path, [("0.123456789", "-1.5")] * 40_000)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError, match="line 40001: ends in the middle"):
        read_csv(path, HEADER, 40_000)


def test_memory_is_that_of_the_result_and_some_pieces_however_long_the_file(path: Path) -> None:
    write(path, [("0.12345678901234567", "-1.2345678901234567")] * 400_000)
    tracemalloc.start()
    try:
        read = read_csv(path, HEADER, 400_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * read.nbytes + 16 * csvfile.PIECE_BYTES
    assert path.stat().st_size > 5 * read.nbytes / 2


def test_too_long_a_file_or_a_line_is_refused(path: Path) -> None:
    write(path, [("0.25", "0.5")] * 10)
    with pytest.raises(DataError, match=r"has \d+ bytes, more than the 50"):
        read_csv(path, HEADER, 10, max_bytes=50)
    path.write_bytes(b"a,b\n" + b"0" * 2 * csvfile.PIECE_BYTES)
    with pytest.raises(DataError, match="line 2: is longer than"):
        read_csv(path, HEADER)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a regular file"):
        read_csv(tmp_path, HEADER)
    with pytest.raises(DataError, match="cannot be read, No such file"):
        read_csv(tmp_path / "none.csv", HEADER)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="is not a regular file"):
        read_csv(tmp_path / "pipe.csv", HEADER)
