"""Wav files from outside: every usual way of storing samples is read, and whatever is not whole is refused in one line."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from faultbench.data.wavfile import open_wav
from faultbench.errors import DataError

RATE = 25_600
SIGNAL = np.random.default_rng(3).uniform(-0.9, 0.9, size=(500, 2))


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int = 1, channels: int = 1, rate: int = RATE, container: int = 2, depth: int | None = None, more: bytes = b"") -> bytes:
    block = channels * container
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, 8 * container if depth is None else depth) + more
    )


def put(folder: Path, content: bytes) -> Path:
    path = folder / "a.wav"
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as refused:
        open_wav(path).read([0])
    message = str(refused.value)
    assert message.isprintable()
    assert str(path) in message
    assert ": " in message
    return message


@pytest.mark.parametrize(
    ("dtype", "full", "tolerance"), [(np.int16, 2**15, 2**-15), (np.int32, 2**31, 1e-9), (np.float32, 1, 1e-7), (np.float64, 1, 0)]
)
def test_what_scipy_writes_is_read(tmp_path: Path, dtype: type, full: int, tolerance: float) -> None:
    wavfile.write(tmp_path / "a.wav", RATE, (SIGNAL * full).astype(dtype))
    opened = open_wav(tmp_path / "a.wav")
    assert (opened.rate_hz, opened.channels, opened.samples) == (RATE, 2, 500)
    assert opened.kind == ("float" if np.issubdtype(dtype, np.floating) else "int")
    np.testing.assert_allclose(opened.read([1, 0]), SIGNAL.T[::-1], atol=tolerance)


def test_unsigned_bytes_are_centred(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "a.wav", RATE, np.array([0, 128, 255], np.uint8))
    np.testing.assert_array_equal(open_wav(tmp_path / "a.wav").read([0]), [[-1, 0, 127 / 128]])


def test_full_scale_of_24_bits_is_one(tmp_path: Path) -> None:
    values = [-(2**23), -1, 0, 2**22, 2**23 - 1]
    content = b"".join(struct.pack("<i", value)[:3] for value in values)
    opened = open_wav(put(tmp_path, riff(fmt(container=3), chunk(b"data", content))))
    assert opened.bits == 24
    np.testing.assert_array_equal(opened.read([0])[0], np.array(values) / 2**23)


def test_24_bits_in_four_bytes_stand_at_their_upper_end(tmp_path: Path) -> None:
    guid = struct.pack("<HHIH", 22, 24, 4, 1) + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    content = struct.pack("<2i", 2**30, -(2**31))
    opened = open_wav(put(tmp_path, riff(fmt(0xFFFE, container=4, depth=24, more=guid), chunk(b"data", content))))
    np.testing.assert_array_equal(opened.read([0])[0], [0.5, -1.0])


def test_other_chunks_are_passed_over(tmp_path: Path) -> None:
    samples = chunk(b"data", np.array([0, 2**14], "<i2").tobytes())
    content = riff(chunk(b"bext", b"odd"), fmt(), chunk(b"LIST", b"x" * 31), samples, chunk(b"cue ", b"after"))
    np.testing.assert_array_equal(open_wav(put(tmp_path, content)).read([0]), [[0, 0.5]])


DATA = chunk(b"data", bytes(8))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"time,acc\n0,1\n", "is not a wav file"),
        (riff(), "ends before its samples"),
        (riff(fmt()), "ends before its samples"),
        (riff(DATA), "has no header before its samples"),
        (riff(fmt(), fmt(), DATA), "no well-formed header"),
        (riff(chunk(b"fmt ", b"short"), DATA), "no well-formed header"),
        (riff(fmt(), DATA)[:-3], "ends in the middle: 5 bytes of samples are there, 8 are announced"),
        (riff(fmt(), b"data" + struct.pack("<I", 2**32 - 1)), "the recorder did not finish the file"),
        (riff(fmt(), b"data" + struct.pack("<I", 0)), "the recorder did not finish the file"),
        (riff(fmt(), b"data" + struct.pack("<I", 2**32 - 2)), "ends in the middle"),
        (riff(fmt(6), DATA), "neither PCM (1) nor float (3): convert it to PCM"),
        (riff(fmt(channels=0), DATA), "0 channels"),
        (riff(fmt(channels=30_000), DATA), "30000 channels"),
        (riff(fmt(rate=0), DATA), "at 0 Hz"),
        (riff(fmt(container=8), DATA), "take 8 bytes"),
        (riff(fmt(3, container=2), DATA), "samples of 16 bits take 2 bytes"),
        (riff(fmt(container=3), DATA), "8 bytes of samples of 3 bytes"),
        (riff(fmt(depth=0), DATA), "of 0 bits"),
        (riff(fmt(depth=8), DATA), "samples of 8 bits take 2 bytes"),
        (riff(fmt(), DATA).replace(struct.pack("<I", RATE), struct.pack("<I", 12_000)), "12000 samples and 51200 bytes a second"),
        (b"RF64" + riff(fmt(), DATA)[4:], "convert it to an ordinary one"),
        (riff(fmt(3, container=4), chunk(b"data", np.array([0, np.nan], "<f4").tobytes())), "not finite"),
        (riff(*[chunk(b"junk", b"")] * 1001, fmt(), DATA), "more than 1000 parts"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(put(tmp_path, content))


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    assert "is not a regular file" in refusal(tmp_path)
    assert "cannot be read, No such file" in refusal(tmp_path / "none.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert "is not a regular file" in refusal(tmp_path / "pipe.wav")
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    assert "is not a regular file" in refusal(tmp_path / "zero.wav")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = put(tmp_path, riff(fmt(), DATA))
    with pytest.raises(DataError, match="more than the 10 it may have"):
        open_wav(path, max_bytes=10)


def test_a_file_that_changes_between_header_and_samples_is_refused(tmp_path: Path) -> None:
    opened = open_wav(put(tmp_path, riff(fmt(), DATA)))
    put(tmp_path, riff(fmt(), chunk(b"data", bytes(16))))
    with pytest.raises(DataError, match="has changed while it was read"):
        opened.read([0])


WHOLE = riff(chunk(b"bext", b"odd"), fmt(channels=2), chunk(b"data", np.arange(40, dtype="<i2").tobytes()))


@settings(max_examples=300)
@given(st.data())
def test_no_bytes_are_more_than_a_refusal(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any bytes, and a whole file with some of them exchanged, cut or added, are read or refused, and what is read is whole."""
    if data.draw(st.booleans()):
        content = data.draw(st.binary(max_size=200))
    else:
        spoilt = bytearray(WHOLE)
        for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4)):
            spoilt[place] = value
        content = bytes(spoilt[: data.draw(st.integers(0, len(WHOLE)))]) + data.draw(st.binary(max_size=8))
    path = tmp_path_factory.getbasetemp() / "fuzzed.wav"
    path.write_bytes(content)
    try:
        opened = open_wav(path)
        signals = opened.read(range(opened.channels))
    except DataError as error:
        message = str(error)
    else:
        message = ""
        assert signals.shape == (opened.channels, opened.samples)
        assert np.isfinite(signals).all()
    assert not message or message.isprintable()
