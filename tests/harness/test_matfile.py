"""MATLAB files from outside: read where they can be, refused in one line where they cannot, and never able to break the process."""

from __future__ import annotations

import hashlib
import importlib.util
import multiprocessing
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import scipy.io

from faultbench.data import matfile, matfile_child
from faultbench.data.matfile import open_mat
from faultbench.errors import DataError

SIGNAL = np.random.default_rng(7).standard_normal((3000, 1))


def saved(path: Path, compressed: bool = True, **variables: object) -> Path:
    scipy.io.savemat(path, variables, do_compression=compressed)
    return path


@pytest.fixture
def mat(tmp_path: Path) -> Path:
    return saved(tmp_path / "105.mat", X105_DE_time=SIGNAL, X105RPM=np.array([[1797]], np.uint16))


def one_line(error: BaseException) -> str:
    message = str(error)
    assert "\n" not in message
    assert ": " in message
    return message


def test_the_child_reads_what_scipy_reads(mat: Path) -> None:
    opened = open_mat(mat)
    assert not opened.known
    read = opened.read("X105_DE_time", "X105RPM")
    np.testing.assert_array_equal(read["X105_DE_time"], SIGNAL)
    assert read["X105RPM"].dtype == np.uint16
    assert {name: v.shape for name, v in opened.variables().items()} == {"X105_DE_time": (3000, 1), "X105RPM": (1, 1)}


def test_big_endian_numbers_arrive_as_numbers(tmp_path: Path) -> None:
    # written by hand: scipy writes native byte order only
    name, values = b"x\0", np.arange(5.0)
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    flags = struct.pack(">IIII", 6, 8, 6, 0)
    body = (
        flags
        + struct.pack(">IIii", 5, 8, 5, 1)
        + struct.pack(">II", 1, 1)
        + name.ljust(8, b"\0")
        + struct.pack(">II", 9, 40)
        + values.astype(">f8").tobytes()
    )
    path = tmp_path / "big.mat"
    path.write_bytes(head + struct.pack(">II", 14, len(body)) + body)
    np.testing.assert_array_equal(open_mat(path).read("x")["x"].ravel(), values)


def test_a_file_of_known_digest_is_read_in_this_process(mat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matfile, "READER", None)  # asking the child would fail
    opened = open_mat(mat, known={hashlib.sha256(mat.read_bytes()).hexdigest()})
    np.testing.assert_array_equal(opened.read("X105_DE_time")["X105_DE_time"], SIGNAL)
    assert list(opened.variables()) == ["X105_DE_time", "X105RPM"]


def test_a_file_of_known_digest_is_read_by_the_child_where_that_is_there_already(mat: Path) -> None:
    known = {hashlib.sha256(mat.read_bytes()).hexdigest()}
    assert open_mat(mat).variables()
    assert matfile.READER.running
    assert not open_mat(mat, known=known)._inside
    np.testing.assert_array_equal(open_mat(mat, known=known).read("X105_DE_time")["X105_DE_time"], SIGNAL)
    matfile.READER.close()
    assert open_mat(mat, known=known)._inside


def test_who_asks_the_child_imports_no_scipy(mat: Path) -> None:
    """It would take longer than reading dozens of files."""
    code = (
        "import sys; from pathlib import Path; from faultbench.data.matfile import open_mat\n"
        "mat = open_mat(Path(sys.argv[1])); mat.header('X105RPM'); mat.read('X105_DE_time')\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'scipy'])"
    )
    assert subprocess.run([sys.executable, "-c", code, str(mat)], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_headers_and_single_numbers_come_in_one_request_and_are_kept(mat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    asked = []
    honest = matfile.READER.look
    monkeypatch.setattr(matfile.READER, "look", lambda *given: asked.append(given[1]) or honest(*given))

    def headers() -> matfile.MatHeader:
        (header,) = matfile.mat_headers("plant", "1", [mat], lambda path: ("X105RPM", "X105_DE_time", path.stem))
        return header

    first = headers()
    assert first.numbers == {"X105RPM": 1797.0}
    assert first.sha256 == hashlib.sha256(mat.read_bytes()).hexdigest()
    assert {name: (v.shape, v.kind) for name, v in first.variables.items()} == {
        "X105_DE_time": ((3000, 1), "double"),
        "X105RPM": ((1, 1), "uint16"),
    }
    assert headers() == first
    assert asked == [("X105RPM", "X105_DE_time", "105")]


@pytest.fixture
def cut_too_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cache for files whose variables begin with more than what is cut of them."""
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(matfile_child, "HEAD_BYTES", 20)
    return tmp_path / "cache"


def number_alone(path: Path) -> tuple[str, ...]:
    return ("X105RPM",)


def test_headers_that_a_part_of_the_file_does_not_show_are_read_from_the_whole(mat: Path, cut_too_short: Path) -> None:
    (header,) = matfile.mat_headers("plant", "1", [saved(mat, False, X105_DE_time=SIGNAL, X105RPM=1797.0)], number_alone)
    assert header.numbers == {"X105RPM": 1797.0}
    assert header.variables["X105_DE_time"].shape == SIGNAL.shape


def test_a_file_that_is_exchanged_before_its_headers_are_read_is_refused(
    mat: Path, cut_too_short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(mat, False, X105_DE_time=SIGNAL, X105RPM=1797.0)
    honest = matfile.READER.look

    def look(*given: object) -> object:
        saved(mat, False, X105_DE_time=SIGNAL * 2, X105RPM=1797.0)
        return honest(*given)

    monkeypatch.setattr(matfile.READER, "look", look)
    with pytest.raises(DataError, match=r"105\.mat changed while it was read: wait"):
        matfile.mat_headers("plant", "1", [mat], number_alone)


def test_of_a_file_that_is_laid_out_otherwise_nothing_is_kept_while_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(matfile, "_MAX_CUT_BYTES", 1000)
    kept = []
    monkeypatch.setattr(matfile, "_Cut", lambda *given: kept.append(given))
    path = tmp_path / "old.mat"
    scipy.io.savemat(path, {"signal": SIGNAL, "X105RPM": 1797.0}, format="4")
    (header,) = matfile.mat_headers("plant", "1", [path], number_alone)
    assert header.numbers == {"X105RPM": 1797.0}
    assert not kept


def test_of_a_file_whose_headers_wait_for_the_child_that_is_started_only_a_part_is_kept(
    mat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    matfile.READER.close()
    saved(mat, False, X105_DE_time=SIGNAL, X105RPM=1797.0)
    kept = []
    honest = matfile._Cut
    monkeypatch.setattr(matfile, "_Cut", lambda mat, part: kept.append((mat, part, matfile.READER.running)) or honest(mat, part))
    (header,) = matfile.mat_headers("plant", "1", [mat], number_alone)
    assert header.numbers == {"X105RPM": 1797.0}
    ((opened, part, running),) = kept
    assert opened.content == b""
    assert len(part) < mat.stat().st_size / 2
    assert running


@pytest.mark.parametrize("damaged", [True, False])
def test_the_whole_is_not_asked_about_where_it_would_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool) -> None:
    asked = []
    honest = matfile.READER.look
    monkeypatch.setattr(matfile.READER, "look", lambda *given: asked.append(given[1]) or honest(*given))
    path = saved(tmp_path / "x.mat", rpm="t", signal=SIGNAL)
    if damaged:
        path.write_bytes(b"no file of MATLAB" * 100)
    with pytest.raises(DataError, match="cannot be read as a MATLAB file" if damaged else "holds text, not real numbers"):
        open_mat(path).header("rpm")
    assert len(asked) == 1


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_number_that_is_none_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(DataError, match=r"variable rpm of .* is not finite"):
        open_mat(saved(tmp_path / "x.mat", rpm=value)).header("rpm")


@pytest.mark.parametrize("value", ["t", {"a": 1.0}, 1j])
def test_a_single_something_that_is_no_number_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(DataError, match=r"variable rpm holds .*, not real numbers"):
        open_mat(saved(tmp_path / "x.mat", rpm=value)).header("rpm")


@pytest.mark.parametrize("compressed", [True, False])
def test_for_headers_only_the_beginning_of_each_variable_is_sent(tmp_path: Path, compressed: bool) -> None:
    noise = np.random.default_rng(3).integers(0, 256, 300_000, dtype=np.uint8)
    zeros, record = np.zeros((400, 300)), {"rate": 12_000.0, "signal": SIGNAL}
    path = saved(tmp_path / "x.mat", compressed, noise=noise, zeros=zeros, record=record, rpm=1797.0, name="x")
    content = path.read_bytes()
    part = matfile_child.cut(content)
    assert len(part) < 100_000
    assert matfile_child.look(part, ["rpm"]) == matfile_child.look(content, ["rpm"])
    assert open_mat(path).header("rpm").numbers == {"rpm": 1797.0}


def test_of_what_is_laid_out_otherwise_everything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "old.mat"
    scipy.io.savemat(path, {"signal": SIGNAL, "rpm": 1797.0}, format="4")
    assert matfile_child.cut(path.read_bytes()) == path.read_bytes()
    header = open_mat(path).header("rpm")
    assert header.variables["signal"].shape == SIGNAL.shape
    assert header.numbers == {"rpm": 1797.0}
    many = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + 5000 * (struct.pack("<II", 15, 8) + bytes(8))
    assert matfile_child.cut(many) == many


@pytest.fixture
def without_deflate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The child's module as on machines for which there is no wheel of deflate."""
    monkeypatch.setitem(sys.modules, "deflate", None)
    spec = importlib.util.spec_from_file_location("without_deflate", matfile_child.__file__)
    assert spec
    assert spec.loader
    without = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(without)
    assert without.zlib_decompress is None
    return without


def test_what_libdeflate_inflates_zlib_inflates_too(mat: Path, without_deflate: ModuleType) -> None:
    content = mat.read_bytes()
    assert matfile_child.zlib_decompress is not None
    by_libdeflate = matfile_child.load(content, ["X105_DE_time"])["X105_DE_time"]
    np.testing.assert_array_equal(without_deflate.load(content, ["X105_DE_time"])["X105_DE_time"], by_libdeflate)
    assert without_deflate.look(content, ["X105RPM"]) == matfile_child.look(content, ["X105RPM"])


@pytest.mark.parametrize("claims", [-8, 8, 1 << 30])
@pytest.mark.parametrize("by", ["libdeflate", "zlib"])
def test_a_variable_that_is_longer_or_shorter_than_it_says_is_not_taken_for_whole(
    by: str, claims: int, without_deflate: ModuleType
) -> None:
    """It is left to scipy, which refuses it, or reads what it says."""
    child = matfile_child if by == "libdeflate" else without_deflate
    body = bytes(1000)
    stream = zlib.compress(struct.pack("<II", 14, len(body) + claims) + body)
    element = child._Element(15, 0, len(stream), "<")
    with pytest.raises(Exception, match=r"longer or shorter than it says|Decompression failed"):
        child._whole(stream, element)
    honest = zlib.compress(struct.pack("<II", 14, len(body)) + body)
    assert bytes(child._whole(honest, child._Element(15, 0, len(honest), "<")))[8:] == body


def test_a_wrong_checksum_is_noticed(mat: Path) -> None:
    content = bytearray(mat.read_bytes())
    size = struct.unpack_from("<I", content, 132)[0]
    content[136 + size - 1] ^= 1  # the last byte of the first variable's stream belongs to its checksum
    mat.write_bytes(content)
    with pytest.raises(DataError, match=r"105\.mat cannot be read as a MATLAB file"):
        open_mat(mat).read("X105_DE_time")


def test_what_was_hashed_is_what_is_parsed_though_the_file_is_exchanged(mat: Path) -> None:
    opened = open_mat(mat)
    saved(mat, X105_DE_time=SIGNAL * 2)
    np.testing.assert_array_equal(opened.read("X105_DE_time")["X105_DE_time"], SIGNAL)


def test_a_missing_variable_is_named_with_what_is_there(mat: Path) -> None:
    with pytest.raises(DataError) as refused:
        open_mat(mat).read("X106_DE_time")
    message = one_line(refused.value)
    assert "105.mat has no variable X106_DE_time, it holds X105_DE_time, X105RPM" in message


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    for value in (np.nan, np.inf):
        spoilt = SIGNAL.copy()
        spoilt[1234] = value
        with pytest.raises(DataError, match=r"variable x of .* not finite"):
            open_mat(saved(tmp_path / "x.mat", x=spoilt)).read("x")


@pytest.mark.parametrize(
    "value", [{"field": SIGNAL}, "text", SIGNAL + 1j, np.array([[1, "a"]], dtype=object)], ids=["struct", "text", "complex", "cell"]
)
def test_what_is_not_real_numbers_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(DataError, match=r"variable x holds .*, not real numbers"):
        open_mat(saved(tmp_path / "x.mat", x=value)).read("x")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n", r"save\(\.\.\., '-v7'\)"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), r"save\(\.\.\., '-v7'\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>404</html>", "is a web page"),
        (b"record,bytes\n" * 50, "cannot be read as a MATLAB file"),
        (bytes(1000), "cannot be read as a MATLAB file"),
        (b"\x80\x04\x95" + bytes(300), "cannot be read as a MATLAB file"),
    ],
    ids=["empty", "v7.3", "hdf5", "lfs", "html", "csv", "zeros", "pickle"],
)
def test_a_foreign_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "97.mat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as refused:
        open_mat(path).read("X097_DE_time")
    assert "97.mat" in one_line(refused.value)


def test_a_folder_a_pipe_a_missing_and_a_huge_file_are_refused_unread(tmp_path: Path, mat: Path) -> None:
    (tmp_path / "folder.mat").mkdir()
    with pytest.raises(DataError, match="not a regular file"):
        open_mat(tmp_path / "folder.mat")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mat")
        with pytest.raises(DataError, match="not a regular file"):
            open_mat(tmp_path / "pipe.mat")
    with pytest.raises(DataError, match="No such file"):
        open_mat(tmp_path / "none.mat")
    with pytest.raises(DataError, match="more than the 1000 it may have"):
        open_mat(mat, max_bytes=1000)


def test_a_file_that_grows_while_it_is_read_is_refused(mat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = os.fstat
    monkeypatch.setattr(matfile.os, "fstat", lambda number: SimpleNamespace(st_size=honest(number).st_size - 10))
    with pytest.raises(DataError, match=r"105\.mat grew while it was read: wait"):
        open_mat(mat)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_cut_short_anywhere_is_refused_or_read_whole(tmp_path: Path, compressed: bool) -> None:
    whole = saved(tmp_path / "whole.mat", compressed, x=SIGNAL, y=np.ones((1, 1))).read_bytes()
    path = tmp_path / "cut.mat"
    refusals = 0
    for length in sorted({1, 4, 60, 124, 127, 128, 129, 136, 140, 160, 200, *np.linspace(250, len(whole) - 1, 40).astype(int)}):
        path.write_bytes(whole[:length])
        try:
            read = open_mat(path).read("x")["x"]
        except DataError as error:
            one_line(error)
            refusals += 1
        else:
            np.testing.assert_array_equal(read, SIGNAL)
    assert refusals >= 45


@pytest.mark.parametrize("compressed", [True, False])
def test_flipped_bytes_raise_nothing_but_a_data_error(tmp_path: Path, compressed: bool) -> None:
    whole = saved(tmp_path / "whole.mat", compressed, x=SIGNAL[:400], s={"a": "text", "b": [1.0, 2.0]}).read_bytes()
    rng = np.random.default_rng(11)
    path = tmp_path / "flipped.mat"
    refusals = 0
    for trial in range(150):
        content = bytearray(whole)
        reach = 300 if trial % 2 else len(content)  # every other time in the headers
        for place in rng.integers(0, reach, size=rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            opened = open_mat(path, timeout_s=20)
            opened.variables()
            assert np.isfinite(opened.read("x")["x"]).all()
        except DataError as error:
            one_line(error)
            refusals += 1
    assert refusals > 5  # flipped samples of an uncompressed file are just other samples


def test_a_hostile_variable_name_stays_on_one_line(tmp_path: Path, mat: Path) -> None:
    content = mat.read_bytes()
    path = saved(tmp_path / "evil.mat", False, abcdefgh=np.ones((1, 2)))
    content = path.read_bytes().replace(b"abcdefgh", b"a\n\x1b[31mX")
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        open_mat(path).read("x")
    assert "\x1b" not in one_line(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_file_that_inflates_beyond_the_memory_limit_is_refused(tmp_path: Path) -> None:
    # a deflate stream can repeat blocks that end at a byte: 16 MiB of zeros, 200 times
    press = zlib.compressobj(9)
    press.compress(bytes(1 << 16))
    press.flush(zlib.Z_FULL_FLUSH)
    zeros = press.compress(bytes(1 << 24)) + press.flush(zlib.Z_FULL_FLUSH)
    claimed = 200 << 24
    flags, dimensions, name = (
        struct.pack("<4I", 6, 8, 6, 0),
        struct.pack("<IIii", 5, 8, claimed // 8, 1),
        struct.pack("<I4s", 0x10001, b"x"),
    )
    variable = flags + dimensions + name + struct.pack("<II", 9, claimed)
    press = zlib.compressobj(9)
    start = press.compress(struct.pack("<II", 14, len(variable) + claimed) + variable) + press.flush(zlib.Z_FULL_FLUSH)
    body = start + zeros * 200
    path = tmp_path / "bomb.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(body)) + body)
    assert open_mat(path).variables()["x"].shape == (claimed // 8, 1)
    with pytest.raises(DataError, match="MemoryError"):
        open_mat(path).read("x")


def _read_in_fork(path: Path, queue: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    queue.put([float(open_mat(path).read("X105_DE_time")["X105_DE_time"].sum()) for _ in range(20)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_reads_through_a_child_of_its_own(mat: Path) -> None:
    here = float(open_mat(mat).read("X105_DE_time")["X105_DE_time"].sum())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_read_in_fork, args=(mat, queue))
    process.start()
    assert [float(open_mat(mat).read("X105_DE_time")["X105_DE_time"].sum()) for _ in range(20)] == [here] * 20
    assert queue.get(timeout=60) == [here] * 20
    process.join()
