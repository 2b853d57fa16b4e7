"""Wav files from outside: the header is checked against the file before a sample is read, and scipy gets only what was checked.

A wav file is a list of chunks, each with its length. scipy reads it well where it is well formed; of a file that ends in the middle it
warns and returns what there is. So the chunks are walked here, which costs a few reads of a few bytes; what scipy decodes is a file made
of the two chunks that matter, their lengths known to be true.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError
from faultbench.regularfile import open_regular

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Three times as much memory is needed to read it."""
_MAX_CHUNKS = 1000
_MAX_CHANNELS = 256
_MAX_RATE_HZ = 100_000_000

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SUBFORMAT = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
"""What follows the two bytes of the format in the identifier of an extensible header."""
_FMT = struct.Struct("<HHIIHH")
_DEPTHS: Mapping[int, Mapping[int, Collection[int]]] = {
    _PCM: {1: range(1, 9), 2: range(9, 17), 3: range(17, 25), 4: range(17, 33)},
    _FLOAT: {4: (32,), 8: (64,)},
}
"""By format and bytes of a sample, the bits that may be used of them."""


@dataclass(frozen=True, slots=True)
class WavFile:
    """A wav file's header, its samples not yet read.

    Args:
        path: Where it lies.
        rate_hz: Samples per second.
        channels: How many signals.
        samples: Of each.
        kind: `int` (PCM) or `float`.
        bits: Of one sample as it is stored.
    """

    path: Path
    rate_hz: int
    channels: int
    samples: int
    kind: str
    bits: int

    def read(self, channels: Sequence[int]) -> NDArray[np.float64]:
        """Signals by their numbers, from 0: (channel, sample), finite. PCM is given as a share of full scale, floats as they are.

        Raises:
            DataError: The file has changed, or holds values that are not finite.
        """
        from scipy.io import wavfile

        with open_regular(self.path, MAX_FILE_BYTES) as (stream, size):
            found, fmt, at, length = _walk(self.path, stream, size)
            if found != self:
                raise DataError(f"{self.path} has changed while it was read: run again")
            stream.seek(at)
            samples = stream.read(length)
        if len(samples) != length:
            raise DataError(f"{self.path} has changed while it was read: run again")
        chunks = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", length) + samples
        _, stored = wavfile.read(io.BytesIO(b"RIFF" + struct.pack("<I", len(chunks)) + chunks))
        signals = stored.reshape(self.samples, self.channels).T[list(channels)]
        if self.kind == "float":
            if not np.isfinite(signals).all():
                raise DataError(f"{self.path} holds values that are not finite: get the file again")
            return signals.astype(np.float64)
        if stored.dtype == np.uint8:
            return (signals.astype(np.float64) - 128) / 128
        return signals.astype(np.float64) / -float(np.iinfo(stored.dtype).min)  # fewer bits stand at the upper end of the integer


def open_wav(path: Path, max_bytes: int = MAX_FILE_BYTES) -> WavFile:
    """A wav file: PCM of 8 to 32 bits, or floats of 32 or 64 bits.

    Args:
        path: The file.
        max_bytes: A longer file is refused unread.

    Raises:
        DataError: It cannot be read, is damaged, or is stored in another way.
    """
    with open_regular(path, max_bytes) as (stream, size):
        return _walk(path, stream, size)[0]


def _walk(path: Path, stream: BinaryIO, size: int) -> tuple[WavFile, bytes, int, int]:
    """The header, a format chunk that says nothing else, where the samples begin, and how many bytes they take."""
    start = stream.read(12)
    if start[:4] in (b"RF64", b"RIFX", b"riff"):
        raise DataError(f"{path} is a wav file of the variant {start[:4].decode('ascii')!a}: convert it to an ordinary one (RIFF)")
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise DataError(f"{path} is not a wav file: check that it is the right file")
    fmt = b""
    at = len(start)
    for _ in range(_MAX_CHUNKS):
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            raise DataError(f"{path} ends before its samples: it is damaged, get it again")
        name, length = head[:4], int.from_bytes(head[4:], "little")
        at += 8
        if name == b"data":
            return _checked(path, fmt, at, length, size)
        if name == b"fmt ":
            if not _FMT.size <= length <= 64 or fmt:
                raise DataError(f"{path} has no well-formed header: it is damaged, get it again")
            fmt = stream.read(length)
        at += length + length % 2
    raise DataError(f"{path} has more than {_MAX_CHUNKS} parts before its samples: it is damaged, get it again")


def _checked(path: Path, fmt: bytes, at: int, length: int, size: int) -> tuple[WavFile, bytes, int, int]:
    if len(fmt) < _FMT.size:
        raise DataError(f"{path} has no header before its samples: it is damaged, get it again")
    if length in (0, 0xFFFFFFFF):
        raise DataError(f"{path} does not say how many samples it holds: the recorder did not finish the file, save it again")
    if length > size - at:
        raise DataError(f"{path} ends in the middle: {size - at} bytes of samples are there, {length} are announced: get the file again")
    tag, channels, rate_hz, pace, block, depth = _FMT.unpack_from(fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 40 and fmt[26:40] == _SUBFORMAT:
        tag = int.from_bytes(fmt[24:26], "little")
    if tag not in (_PCM, _FLOAT):
        raise DataError(f"{path} holds samples of the format {tag}, neither PCM (1) nor float (3): convert it to PCM")
    if not 1 <= channels <= _MAX_CHANNELS or not 1 <= rate_hz <= _MAX_RATE_HZ:
        raise DataError(f"{path} says it holds {channels} channels at {rate_hz} Hz: it is damaged, get it again")
    stored, rest = divmod(block, channels)
    if rest or depth not in _DEPTHS[tag].get(stored, ()):
        raise DataError(f"{path} says that {channels} samples of {depth} bits take {block} bytes: it is damaged, get it again")
    if pace != rate_hz * block:
        raise DataError(
            f"{path} says it holds {rate_hz} samples and {pace} bytes a second, of {block} bytes each: it is damaged, get it again"
        )
    samples, rest = divmod(length, block)
    if rest or not samples:
        raise DataError(f"{path} holds {length} bytes of samples of {block} bytes: it is damaged, get it again")
    wav = WavFile(path, rate_hz, channels, samples, "int" if tag == _PCM else "float", 8 * stored)
    return wav, _FMT.pack(tag, channels, rate_hz, pace, block, depth), at, length
