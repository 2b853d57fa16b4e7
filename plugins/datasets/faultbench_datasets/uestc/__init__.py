"""The bearing data of the University of Electronic Science and Technology of China: four bearings, each at four speeds, without load.

A MATLAB file holds up to a few seconds of one accelerometer, named `<class>_<rpm>_<piece>.mat`: N healthy, B ball, I inner ring,
O outer ring. What has to be known of the data:

- **A class is one bearing.** So a class cannot be told from its specimen, and T3 cannot be kept.
- **Pieces of one class and speed are one session.** `_1` to `_5` are one measurement cut up; `StartTime` is one constant in all files.
- **The speed is nominal.** The outer-race line stands at 2.96 times the nominal speed at 800 rpm and at 3.24 times it at 1400 rpm, so
  the shaft turned some per cent faster or slower than the file's name says, otherwise for each file.
- **No geometry is stated** (ASAHI UCPH housings, bearing number 20x), so none is given.
- **The level alone nearly tells the classes apart** in the pieces at hand: healthy 0.008 to 0.021, ball 0.06 to 0.15, outer 0.27 to 0.75,
  inner 0.37 to 0.85 (RMS, in the unit of the files, which they do not name). Outer and inner overlap over the speeds; at any one speed
  the inner is the louder. A high accuracy on these data says little.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.api import HEALTHY, Catalogue, Channel, DataError, MatHeader, MatVariable, Origin, Recording, mat_headers, open_mat
from faultbench_datasets.publications import UESTC_CITE, UESTC_LICENCE

NAME = "uestc"
READER_VERSION = 1
"""To be raised with every change that changes a signal."""

_HOW_TO_GET = (
    "`faultbench data get uestc --data-dir DIR` gets it, to DIR/uestc/N_800_1.mat and so on; give --data-dir DIR or set FAULTBENCH_DATA=DIR"
)

CHANNEL = "accelerometer"
RATE_HZ = 20_000.0
SPEEDS_RPM = (800, 1000, 1200, 1400)
ELEMENTS = {"N": HEALTHY, "B": "ball", "I": "inner", "O": "outer"}
"""The classes, by the letter that a file's name begins with."""
PIECES = (1, 2, 3, 4, 5)

_NUMBERS = ("SampleFrequency", "Linecount", "Datacount")
"""The variables beside `Data`: samples per second, how many lines (sensors) there are, and how many samples."""
_MIN_SECONDS = 1.0
_MAX_SAMPLES = 8_000_000
"""Of one piece: 400 s, far above what a file of this source holds."""
_MAX_FILE_BYTES = 128 * 1024 * 1024
_STRONGEST = 1000.0
"""The strongest shock in the files is 10; what goes beyond this is no signal of theirs."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file.

    Args:
        letter: The class as the file's name has it.
        nominal_rpm: The speed as the file's name has it.
        number: Which piece of the session, from 1.
    """

    letter: str
    nominal_rpm: int
    number: int

    @property
    def session(self) -> str:
        """The measurement that the piece was cut from."""
        return f"{self.letter}_{self.nominal_rpm}"

    @property
    def id(self) -> str:
        """The recording's id, and the file's name without its ending."""
        return f"{self.session}_{self.number}"


@cache
def pieces() -> tuple[Piece, ...]:
    """All files of the source, session by session."""
    return tuple(Piece(letter, rpm, number) for letter in ELEMENTS for rpm in SPEEDS_RPM for number in PIECES)


class Uestc:
    """The data set.

    Args:
        data_dir: The folder that holds `uestc/N_800_1.mat`, or the folder of the files itself; else the environment's `FAULTBENCH_DATA`.
    """

    readers = 2
    """How many threads may call `read` at once."""

    def __init__(self, data_dir: Path | None = None) -> None:
        self._data_dir = data_dir
        self._listed_as: dict[str, str] = {}
        self._place: Path | None = None

    def catalogue(self) -> Catalogue:
        """The pieces that this copy holds; of a file that is new or changed its digest and few numbers are noted, its signal is not.

        Raises:
            DataError: There is no data, or a file does not hold what its name says.
        """
        folder = self._place = self._folder()
        names = _names_in(folder)
        held = {folder / f"{piece.id}.mat": piece for piece in pieces() if f"{piece.id}.mat" in names}
        missing = {piece.id: f"{piece.id}.mat is not in {folder}" for piece in pieces() if f"{piece.id}.mat" not in names}
        headers = mat_headers(NAME, "1", list(held), lambda _: _NUMBERS, max_bytes=_MAX_FILE_BYTES)
        recordings = [_recording(held[header.path], *_listed(header)) for header in headers]
        self._listed_as = {held[header.path].id: header.sha256 for header in headers}
        digests = [f"{name}={digest}" for name, digest in self._listed_as.items()]
        return Catalogue(
            dataset=NAME,
            version=f"{READER_VERSION}-{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:16]}",
            recordings=tuple(recordings),
            targets=(NAME,),
            cite=UESTC_CITE,
            licence=UESTC_LICENCE,
            missing=missing,
        )

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, (sample,), in the unit of the files, 20 kHz.

        Raises:
            DataError: The file is not there any more, damaged, or holds something else than was listed; or there is no such channel.
        """
        if recording.dataset != NAME or recording.id not in {piece.id for piece in pieces()}:
            raise DataError(f"{NAME}: there is no recording {recording.id}: take one of the catalogue")
        if channel != CHANNEL:
            raise DataError(f"{NAME}: {recording.id} has no channel {channel}: its only channel is {CHANNEL}")
        mat = open_mat((self._place or self._folder()) / f"{recording.id}.mat", max_bytes=_MAX_FILE_BYTES)
        stored = mat.read("Data", single=True)["Data"]
        _check_signal(mat.path, MatVariable(stored.shape, stored.dtype.name))
        listed = recording.channel(channel).samples
        if stored.size != listed:
            raise DataError(f"{NAME}: {mat.path} holds {stored.size} samples where {listed} were listed: run it again")
        _check_strength(mat.path, stored)
        if self._listed_as.get(recording.id, mat.sha256) != mat.sha256:
            raise DataError(f"{NAME}: {mat.path} has changed since it was listed: run again")
        signal: NDArray[np.float32] = stored.reshape(-1).astype(np.float32, copy=False)
        return signal

    def check_file(self, file: Path) -> None:
        """Returns where a file holds what those of the source hold, its signal included.

        Raises:
            DataError: It does not.
        """
        if file.name not in {f"{piece.id}.mat" for piece in pieces()}:
            raise DataError(f"{NAME}: {file.name} is no file of the source: they are called N_800_1.mat to O_1400_5.mat")
        mat = open_mat(file, max_bytes=_MAX_FILE_BYTES)
        _listed(mat.header(*_NUMBERS))
        _check_strength(file, mat.read("Data")["Data"])

    def origin(self, recording: Recording, channel: str) -> Origin:
        """The file and the variable of a signal."""
        mat = open_mat(self._folder() / f"{recording.id}.mat", max_bytes=_MAX_FILE_BYTES)
        return Origin(mat.path.name, "Data", mat.sha256, RATE_HZ)

    def _folder(self) -> Path:
        given = self._data_dir or os.environ.get("FAULTBENCH_DATA")
        if not given:
            raise DataError(f"{NAME}: no data folder is given: {_HOW_TO_GET}")
        for folder in (Path(given) / NAME, Path(given)):
            if not _names_in(folder).isdisjoint(f"{piece.id}.mat" for piece in pieces()):
                return folder
        raise DataError(f"{NAME}: neither {Path(given) / NAME} nor {given} holds a file of the source: {_HOW_TO_GET}")


def _recording(piece: Piece, samples: int, odd: list[str]) -> Recording:
    return Recording(
        dataset=NAME,
        id=piece.id,
        machine=NAME,
        mounting=NAME,
        bearing=ELEMENTS[piece.letter],
        element=ELEMENTS[piece.letter],
        severity="",
        session=piece.session,
        load=f"{piece.nominal_rpm} rpm",
        speed_rpm=float(piece.nominal_rpm),
        channels=(Channel(CHANNEL, RATE_HZ, samples, unit="not stated"),),
        notes=(f"speed {piece.nominal_rpm} rpm is the nominal one: the signals show that the shaft was some per cent off it", *odd),
    )


def _names_in(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise DataError(f"{NAME}: {folder} cannot be listed, {error.strerror or error}: check its permissions") from error


def _listed(mat: MatHeader) -> tuple[int, list[str]]:
    """How many samples a file holds, and what is odd about it, after checking what it says of itself."""
    held = mat.variables
    if absent := [name for name in ("Data", *_NUMBERS) if name not in held]:
        raise DataError(f"{NAME}: {mat.path} has no variable {absent[0]}, it holds {mat.holdings()}: check that it is a file of the source")
    _check_signal(mat.path, held["Data"])
    for name in _NUMBERS:
        if name not in mat.numbers:
            raise DataError(f"{NAME}: variable {name} of {mat.path} holds {held[name].size} values, not one: get the file again")
    samples = held["Data"].size
    rate_hz, lines, count = (mat.numbers[name] for name in _NUMBERS)
    if rate_hz != RATE_HZ:
        raise DataError(f"{NAME}: {mat.path} says {rate_hz:g} Hz, the source {RATE_HZ:g} Hz: check that it is a file of the source")
    if lines != 1:
        raise DataError(f"{NAME}: {mat.path} says it holds {lines:g} lines, one is known: check that it is a file of the source")
    return samples, [] if count == samples else [f"it holds {samples} samples and says {count:g}"]


def _check_signal(path: Path, variable: MatVariable) -> None:
    if variable.kind not in ("double", "single", "float64", "float32") or variable.size != max(variable.shape, default=0):
        problem = f"is {variable.kind} of {'x'.join(map(str, variable.shape))}, not one column of numbers"
    elif variable.size < _MIN_SECONDS * RATE_HZ:
        problem = f"holds {variable.size} samples, less than {_MIN_SECONDS:g} s"
    elif variable.size > _MAX_SAMPLES:
        problem = f"holds {variable.size} samples, more than {_MAX_SAMPLES}"
    else:
        return
    raise DataError(f"{NAME}: Data of {path} {problem}: get the file again")


def _check_strength(path: Path, signal: NDArray[Any]) -> None:
    strongest = float(max(signal.max(), -signal.min()))
    if strongest > _STRONGEST:
        raise DataError(f"{NAME}: Data of {path} reaches {strongest:.3g}, the strongest shock is about 10: get the file again")
