"""npy files from outside: real numbers in one or two dimensions, and never a pickle."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data.npyfile import open_npy
from faultbench.errors import DataError

SIGNAL = np.random.default_rng(3).standard_normal(400)


def saved(folder: Path, array: Any, pickled: bool = False) -> Path:
    np.save(folder / "a.npy", array, allow_pickle=pickled)
    return folder / "a.npy"


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as refused:
        open_npy(path).read(0)
    message = str(refused.value)
    assert message.isprintable()
    assert str(path) in message
    return message


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.int32, np.uint8, ">f4"])
def test_one_signal_of_any_real_type_is_read(tmp_path: Path, dtype: Any) -> None:
    stored = (SIGNAL * 20 + 100).astype(dtype)
    opened = open_npy(saved(tmp_path, stored))
    assert (opened.channels, opened.samples) == (1, 400)
    np.testing.assert_array_equal(opened.read(0), stored.astype(np.float64))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_longer_axis_is_time(tmp_path: Path, order: str, transposed: bool) -> None:
    stored = np.stack([SIGNAL, -SIGNAL, 2 * SIGNAL])
    opened = open_npy(saved(tmp_path, np.array(stored.T if transposed else stored, order=order)))
    assert (opened.channels, opened.samples) == (3, 400)
    np.testing.assert_array_equal(opened.read(2), 2 * SIGNAL)
    with pytest.raises(DataError, match="has no signal 4, it holds 3"):
        opened.read(3)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.float64(1.0), "holds a single number, not signals"),
        (np.zeros(0), "holds 0, not signals"),
        (np.zeros((4, 4)), "holds 4x4, not signals"),
        (np.zeros((2, 3, 40)), "holds 2x3x40, not signals"),
        (SIGNAL + 1j, "holds complex128, not real numbers"),
        (SIGNAL > 0, "holds bool, not real numbers"),
        (np.array(["a", "b"]), "not real numbers"),
        (np.zeros(4, dtype=[("t", "f4"), ("a", "f4")]), "not real numbers"),
        (np.array([1.0, np.inf]), "not finite"),
    ],
)
def test_what_is_no_signal_is_refused(tmp_path: Path, array: Any, said: str) -> None:
    assert said in refusal(saved(tmp_path, array))


class Bomb:
    """Would be noticed if it were unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("unpickled",)


def test_a_pickle_is_refused_and_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "not real numbers" in refusal(saved(tmp_path, np.array([Bomb()], dtype=object), pickled=True))
    (tmp_path / "a.npy").write_bytes(pickle.dumps(Bomb()))
    assert "not a well-formed npy file" in refusal(tmp_path / "a.npy")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    "header",
    ["{'descr': __import__('os').system('id')}", "{'descr': '<f8', 'shape': (8,", "(" * 200, "[1]", "x" * 20_000, "\udcff"],
    ids=["call", "open", "deep", "list", "long", "odd"],
)
def test_a_header_that_numpy_does_not_write_is_refused_in_plain_words(tmp_path: Path, header: str) -> None:
    content = header.encode("utf-8", "surrogateescape")
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content + bytes(64))
    assert refusal(tmp_path / "a.npy") == (
        f"{tmp_path / 'a.npy'} is not a well-formed npy file (its header is damaged, cut short, or none that numpy.save writes): "
        "save it again with numpy.save"
    )


def test_an_archive_is_no_npy_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", SIGNAL)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    assert "not a well-formed npy file" in refusal(tmp_path / "a.npy")


def test_more_or_fewer_numbers_than_announced_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, SIGNAL)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    assert "holds 3192 bytes of numbers, 3200 are announced" in refusal(path)
    path.write_bytes(content + content)
    assert "are announced" in refusal(path)


def test_a_huge_shape_costs_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, SIGNAL)
    path.write_bytes(path.read_bytes().replace(b"(400,), }", b"(10**9,)}"))
    assert "not a well-formed npy file" in refusal(path)
    path = saved(tmp_path, SIGNAL)
    path.write_bytes(path.read_bytes().replace(b"(400,), }            ", b"(99999999999999999,)}"))
    assert "are announced" in refusal(path)


@settings(max_examples=300)
@given(st.data())
def test_no_bytes_are_more_than_a_refusal(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = saved(tmp_path_factory.getbasetemp(), np.arange(24, dtype=np.float32).reshape(12, 2))
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6)):
        spoilt[place] = value
    path.write_bytes(bytes(spoilt[: data.draw(st.integers(0, len(whole)))]) + data.draw(st.binary(max_size=8)))
    try:
        opened = open_npy(path)
        signal = opened.read(0)
    except DataError as error:
        message = str(error)
    else:
        message = ""
        assert signal.shape == (opened.samples,)
        assert np.isfinite(signal).all()
    assert not message or message.isprintable()
