"""csv files as loggers and spreadsheets write them: the layout is found, held to every line, and never guessed where it is open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data import delimited
from faultbench.data.delimited import open_csv
from faultbench.errors import DataError

AMBIGUOUS = "can be read in two ways"


def put(folder: Path, content: str | bytes) -> Path:
    path = folder / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, *names: str, decimal: str = "") -> list[list[float]]:
    found = open_csv(path, decimal)
    return found.read([found.column(name) for name in names]).tolist()


def refusal(path: Path, name: str = "1", decimal: str = "") -> str:
    with pytest.raises(DataError) as refused:
        read(path, name, decimal=decimal)
    message = str(refused.value)
    assert message.isprintable()
    assert message.startswith(str(path))
    return message


@pytest.mark.parametrize(
    ("content", "name", "wanted"),
    [
        ("0.5\n-1\n", "1", [0.5, -1]),
        ("t,acc\n0,1.5\n1,2.5\n", "acc", [1.5, 2.5]),
        ("t,acc\n0,1.5\n1,2.5", "2", [1.5, 2.5]),
        ("t;acc\r\n0;1,5\r\n1;-2e-3\r\n", "acc", [1.5, -0.002]),
        ("t\tacc\n0\t1,5\n1\t2\n", "acc", [1.5, 2]),
        ("Zeit;a\n[s];[m/s2]\n0,0;0,25\n0,1;0,5\n", "a", [0.25, 0.5]),
        ("Zeit;a\n[s];[m/s2]\n0,0;0,25\n0,1;0,5\n", "[m/s2]", [0.25, 0.5]),
        ("logger X100\nrate;25600\n\nt;a\n0;1\n1;2\n", "a", [1, 2]),
        ("# t a\n1.0\n2.0\n", "1", [1, 2]),
        ("time,a\n2024-01-01T00:00:00,1.5\n2024-01-01T00:00:01,2.5\n", "a", [1.5, 2.5]),
        ("2024-01-01 00:00:00;1,5\n2024-01-01 00:00:01;2,5\n", "2", [1.5, 2.5]),
        ("1,2,\n3,4,\n", "2", [2, 4]),
        ('"t","a b"\n1,2\n3,4\n', "a b", [2, 4]),
        ("0,5\n-0,25\n", "1", [0.5, -0.25]),
        ("0,05\n1,5\n", "1", [0.05, 1.5]),
        ("25600\n1.0,2.0\n3.0,4.0\n", "1", [1, 3]),
        (b"\xef\xbb\xbfa\n1.5\n2.5\n", "a", [1.5, 2.5]),
        (b"\xef\xbb\xbf1.5\n2.5\n", "1", [1.5, 2.5]),
        ("Ä\n1\n2\n".encode("latin-1"), "Ä", [1, 2]),
    ],
)
def test_what_loggers_write_is_read(tmp_path: Path, content: str | bytes, name: str, wanted: list[float]) -> None:
    assert read(put(tmp_path, content), name) == [wanted]


def test_columns_come_in_the_order_they_are_asked_for(tmp_path: Path) -> None:
    assert read(put(tmp_path, "a,b,c\n1,2,3\n4,5,6\n"), "c", "a") == [[3, 6], [1, 4]]


def test_commas_that_may_be_either_are_not_guessed(tmp_path: Path) -> None:
    path = put(tmp_path, "1,5\n2,7\n")
    assert AMBIGUOUS in refusal(path)
    assert read(path, "1", decimal=",") == [[1.5, 2.7]]
    assert read(path, "1", "2", decimal=".") == [[1, 2], [5, 7]]
    assert AMBIGUOUS in refusal(put(tmp_path, "exported by X\n1,5\n2,7\n"))
    assert read(put(tmp_path, "a,b\n1,5\n2,7\n"), "b") == [[5, 7]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("a,b\n", "holds no lines of numbers"),
        ("1.5\n", "holds no lines of numbers"),
        ("a,b\nx,y\nz,w\n", "holds no lines of numbers"),
        ("1.5,2\n3,4\n5\n", ", line 3: 1 fields where 2 are expected"),
        ("a,b\n1,2\n3,4\n5,6,7\n", ", line 4: 3 fields where 2 are expected"),
        ("1.5\n2.5\n\n", ", line 3, column 1: '' is no number"),
        ("1.5\n2.5\nnan\n", ", line 3, column 1: 'nan' is no number"),
        ("1.5\n2.5\ninf\n", ", line 3, column 1: 'inf' is no number"),
        ("1.5\n2.5\n1e999\n", ", line 3, column 1: '1e999' is too large"),
        ("1.5\n2.5\n0x10\n", "'0x10' is no number"),
        ("1.5\n2.5\n1_0\n", "'1_0' is no number"),
        ("1;1,5\n2;2,5\n3.5;1\n", ", line 3, column 1: '3.5' is no number"),
        ("1.5\n2.5\n3\0\n", "holds binary data"),
        ("1.5\n2.5\n3\r4\n", "ends of lines that are none"),
        (b"\xff\xfe1\x00\n\x00", "is written in UTF-16"),
        (b"\x00\x01\x02" * 99, "holds binary data"),
        ("x" * 3_000_000, "holds no lines of numbers"),
        ("1.5\n2.5\n" + "1" * 3_000_000 + "\n", "holds a line longer than"),
    ],
)
def test_what_is_not_laid_out_is_refused_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert said in refusal(put(tmp_path, content))


def test_a_column_is_never_guessed(tmp_path: Path) -> None:
    path = put(tmp_path, "t,a,a\n0,1,2\n1,2,3\n")
    assert "has 2 columns 'a': give the column's number" in refusal(path, "a")
    assert "has no column 'b', it holds 3 columns of numbers (1, 2, 3)" in refusal(path, "b")
    assert "has no column '4'" in refusal(path, "4")
    assert "has no column '0'" in refusal(path, "0")


def test_a_bad_row_in_a_later_piece_is_named_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_PIECE_BYTES", 64)
    rows = [f"{i}.25;{i}" for i in range(1, 60)]
    assert read(put(tmp_path, "\n".join(rows)), "2") == [list(range(1, 60))]
    rows[41] = "41.25"
    assert ", line 42: 1 fields" in refusal(put(tmp_path, "\n".join(rows)))
    rows[41] = "41.25;x"
    assert ", line 42, column 2: 'x' is no number" in refusal(put(tmp_path, "\n".join(rows)), "2")


def test_names_hide_no_terminal_codes(tmp_path: Path) -> None:
    path = put(tmp_path, "t,\x1b[31mred\n0,1\n1,2\n")
    assert "\\x1b" in refusal(path, "blue")


NUMBERS = st.floats(-1e6, 1e6, width=32).map(lambda value: float(np.float32(value)))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]], signs: tuple[str, str], header: bool, end: str
) -> None:
    delimiter, decimal = signs
    lines = [f"x{delimiter}y"] if header else []
    lines += [delimiter.join(f"{value:.9e}".replace(".", decimal) for value in row) for row in rows]
    path = put(tmp_path_factory.getbasetemp(), end.join(lines) + end)
    np.testing.assert_allclose(open_csv(path).read([0, 1]), np.array(rows).T, rtol=1e-9)


@settings(max_examples=300)
@given(st.text(alphabet="0123456789.,;\t\n\r-+eE xX\"'#\0ä", max_size=120), st.sampled_from(["", ".", ","]))
def test_no_text_is_more_than_a_refusal(tmp_path_factory: pytest.TempPathFactory, text: str, decimal: str) -> None:
    path = put(tmp_path_factory.getbasetemp(), text)
    try:
        found = open_csv(path, decimal)
        columns = found.read(range(found.columns))
    except DataError as error:
        message = str(error)
    else:
        message = ""
        assert columns.shape[0] == found.columns
        assert columns.shape[1] >= 2
        assert np.isfinite(columns).all()
    assert not message or message.isprintable()
