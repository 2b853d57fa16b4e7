"""The Case Western Reserve University bearing data: faults seeded by spark erosion, at two machine ends, under four loads.

The data come from the Case Western Reserve University Bearing Data Center as one MATLAB file per record, named by its number.
What is odd about the records is in `records` and `decimation`; here they become recordings.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.api import (
    HEALTHY,
    Catalogue,
    Channel,
    DataError,
    Latest,
    MatHeader,
    MatVariable,
    Origin,
    Recording,
    UsageError,
    mat_headers,
    open_mat,
)
from faultbench_datasets.cwru.decimation import decimate, decimated_length, filtering
from faultbench_datasets.cwru.records import DRIVE_END, FAN_END, NOMINAL_RPM, SENSORS, SPEED_OVERRIDES, Record, known_digests, records
from faultbench_datasets.publications import CWRU_CITE, CWRU_LICENCE

READER_VERSION = 1
"""To be raised with every change that changes a signal."""

_HOW_TO_GET = (
    "`faultbench data get cwru --data-dir DIR` gets it, to DIR/cwru/97.mat and so on; give --data-dir DIR or set FAULTBENCH_DATA=DIR"
)

_SPEED_TOLERANCE = 0.015
"""The speeds of the files lie within 1 % of the nominal ones, but for one that is 2.3 % off and is that of another load."""
_MAX_FILE_BYTES = 64 * 1024 * 1024
"""Four times the largest official file."""
_MAX_SAMPLES = 2_000_000
"""Four times the longest record."""
_MIN_SECONDS = 1.0
_MAX_G = 1000.0
"""The strongest shock in the records is below 10 g; what goes beyond this are no accelerations in g."""


class Cwru:
    """The data set at one sampling rate.

    At 12 kHz both ends of the machine have faults, and the healthy records are decimated. At 48 kHz they are read as they
    are; the source recorded no fan-end fault at that rate, hence the fan end is not listed at all.

    Args:
        rate: 12 or 48, kHz.
        data_dir: The folder that holds `cwru/97.mat`, or the folder of the files itself; else the environment's `FAULTBENCH_DATA`.
    """

    readers = 3
    """How many threads may call `read` at once: while two files are inflated, another is hashed, decimated or written."""

    def __init__(self, rate: int = 12, data_dir: Path | None = None) -> None:
        if rate not in (12, 48):
            raise UsageError(f"cwru: there are no records of {rate} kHz: choose rate=12 or rate=48")
        self._rate = rate
        self._data_dir = data_dir
        self._ends = (DRIVE_END, FAN_END) if rate == 12 else (DRIVE_END,)
        self._by_id = {name: (record, end) for record in records() for end, name in self._identities(record)}
        self._listed_as: dict[int, str] = {}
        self._place: Path | None = None
        self._stored = Latest(_stored, keep=4 * self.readers)

    def catalogue(self) -> Catalogue:
        """The recordings that this copy holds, from file headers; every file that is new or changed is hashed.

        Raises:
            DataError: There is no data, or a file is not the record that its name says.
        """
        folder = self._place = self._folder()
        names = _names_in(folder)
        missing: dict[str, str] = {}
        held: dict[Path, Record] = {}
        for record in records():
            if record.rate_khz != self._rate and record.element != HEALTHY:
                continue
            path = folder / f"{record.number}.mat"
            if path.name in names:
                held[path] = record
            else:
                missing |= dict.fromkeys((name for _, name in self._identities(record)), f"{path.name} is not in {folder}")
        headers = mat_headers(
            "cwru", "1", list(held), lambda path: (held[path].speed_variable,), known=known_digests(), max_bytes=_MAX_FILE_BYTES
        )
        recordings = [listed for header in headers for listed in self._listed(held[header.path], header, missing)]
        self._listed_as = {held[header.path].number: header.sha256 for header in headers}
        if not recordings:
            raise DataError(f"cwru: {folder} holds no record that is read at {self._rate} kHz: {_HOW_TO_GET}")
        contents = hashlib.sha256(" ".join(f"{number}={digest}" for number, digest in self._listed_as.items()).encode()).hexdigest()[:16]
        return Catalogue(
            dataset="cwru",
            version=f"{READER_VERSION}-{self._rate}kHz-{contents}",
            recordings=tuple(recordings),
            targets=self._ends,
            cite=CWRU_CITE,
            licence=CWRU_LICENCE,
            missing=missing,
        )

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, (sample,), in g. All channels of a file are parsed at once.

        Raises:
            DataError: The file is not there any more, damaged, or holds something else than was listed.
        """
        record, end = self._find(recording.id)
        path = (self._place or self._folder()) / f"{record.number}.mat"
        name = record.variable(channel)
        wanted = {name, *(record.variable(listed.name) for listed in recording.channels)}
        decimated = record.rate_khz != self._rate
        digest, variables = self._stored((path, _state(path), tuple(sorted(wanted)), not decimated))
        stored = variables[name]
        _check_vector(name, MatVariable(stored.shape, stored.dtype.name), path, record)
        signal = stored.reshape(-1)
        _check_strength(name, signal, path)
        read = decimate(signal.astype(np.float64, copy=False), end) if decimated else signal.astype(np.float32, copy=False)
        listed = next((c.samples for c in recording.channels if c.name == channel), None)
        if len(read) != listed:
            raise DataError(f"cwru: variable {name} of {path} gives {len(read)} samples where {listed} were listed: run it again")
        if self._listed_as.get(record.number, digest) != digest:
            raise DataError(f"cwru: {path} has changed since it was listed: run again")
        return read

    def check_file(self, file: Path) -> None:
        """Returns where a file holds the record that its name says: its accelerometers' variables, each a signal in g.

        Raises:
            DataError: It does not.
        """
        record = next((record for record in records() if file.name == f"{record.number}.mat"), None)
        if record is None:
            raise DataError(f"cwru: {file.name} is no file of the source: they are called 97.mat, 105.mat and so on")
        mat = open_mat(file, known=known_digests(), max_bytes=_MAX_FILE_BYTES)
        held = mat.variables()
        names = [name for name in map(record.variable, SENSORS.values()) if name in held]
        if record.variable(SENSORS[record.end or DRIVE_END]) not in names:
            raise DataError(f"cwru: {file} has no variable of record {record.number}, it holds {mat.holdings()}: get the file again")
        for name in names:
            _check_vector(name, held[name], file, record)
        for name, signal in mat.read(*names).items():
            _check_strength(name, signal, file)

    def origin(self, recording: Recording, channel: str) -> Origin:
        """The file and the variable of a signal, and how a healthy one was decimated.

        Raises:
            DataError: There is no such recording, or its file is not there any more.
        """
        record, end = self._find(recording.id)
        mat = open_mat(self._folder() / f"{record.number}.mat", known=known_digests(), max_bytes=_MAX_FILE_BYTES)
        steps = (filtering(end),) if record.rate_khz != self._rate else ()
        return Origin(mat.path.name, record.variable(channel), mat.sha256, record.rate_khz * 1000.0, steps)

    def _folder(self) -> Path:
        given = self._data_dir or os.environ.get("FAULTBENCH_DATA")
        if not given:
            raise DataError(f"cwru: no data folder is given: {_HOW_TO_GET}")
        for folder in (Path(given) / "cwru", Path(given)):
            if not _names_in(folder).isdisjoint(f"{record.number}.mat" for record in records()):
                return folder
        raise DataError(f"cwru: neither {Path(given) / 'cwru'} nor {given} holds a record: {_HOW_TO_GET}")

    def _identities(self, record: Record) -> list[tuple[str, str]]:
        """Machine end and id of the recordings that a record gives: a healthy one shows a bearing at each end."""
        if record.element == HEALTHY:
            return [(end, f"{record.number}:{end}") for end in self._ends]
        return [(record.end, str(record.number))]

    def _find(self, name: str) -> tuple[Record, str]:
        if name not in self._by_id:
            raise DataError(f"cwru: there is no recording {name}: take one of the catalogue")
        return self._by_id[name]

    def _listed(self, record: Record, mat: MatHeader, missing: dict[str, str]) -> list[Recording]:
        held = mat.variables
        sensors = [sensor for sensor in SENSORS.values() if record.variable(sensor) in held]
        if not sensors or (record.element != HEALTHY and SENSORS[record.end] not in sensors):
            wanted = record.variable(SENSORS[record.end] if record.end else "DE")
            raise DataError(
                f"cwru: {mat.path} has no variable {wanted}, it holds {mat.holdings()}: check that it is record {record.number}"
            )
        for sensor in sensors:
            _check_vector(record.variable(sensor), held[record.variable(sensor)], mat.path, record)
        speed_rpm, notes = _speed(record, mat)
        lengths = {sensor: held[record.variable(sensor)].size for sensor in sensors}
        notes += _odd_file(record, mat, lengths)
        listed = []
        for end, name in self._identities(record):
            own = SENSORS[end]
            if own not in sensors:
                missing[name] = f"{mat.path.name} has no variable {record.variable(own)} in this copy"
                continue
            decimated = record.rate_khz != self._rate
            channels = tuple(
                Channel(sensor, self._rate * 1000.0, decimated_length(lengths[sensor], end) if decimated else lengths[sensor])
                for sensor in (own, *(other for other in sensors if other != own))
            )
            listed.append(
                Recording(
                    dataset="cwru",
                    id=name,
                    machine="cwru",
                    mounting=end,
                    bearing=record.bearing,
                    element=record.element,
                    severity=f"{record.mil} mil" if record.mil else "",
                    session=str(record.number),
                    load=f"{record.load_hp} hp",
                    speed_rpm=speed_rpm,
                    channels=channels,
                    geometry=record.geometry(end),
                    position=record.position,
                    notes=tuple(notes),
                )
            )
        return listed


def _state(path: Path) -> tuple[int, ...] | None:
    """What tells a changed file from the one that was parsed last; None where opening it will say what is wrong."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _stored(file: tuple[Path, object, tuple[str, ...], bool]) -> tuple[str, dict[str, NDArray[Any]]]:
    """The digest of a file in a state, and the named variables of it, perhaps as float32."""
    path, _, names, single = file
    mat = open_mat(path, known=known_digests(), max_bytes=_MAX_FILE_BYTES)
    return mat.sha256, mat.read(*names, single=single)


def _names_in(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise DataError(f"cwru: {folder} cannot be listed, {error.strerror or error}: check its permissions") from error


def _check_vector(name: str, variable: MatVariable, path: Path, record: Record) -> None:
    seconds = variable.size / (record.rate_khz * 1000)
    if variable.kind not in ("double", "single", "float64", "float32") or variable.size != max(variable.shape, default=0):
        shape = "x".join(map(str, variable.shape))
        problem = f"is {variable.kind} of {shape}, not one column of numbers"
    elif seconds < _MIN_SECONDS:
        problem = f"holds {variable.size} samples, less than {_MIN_SECONDS:g} s"
    elif variable.size > _MAX_SAMPLES:
        problem = f"holds {variable.size} samples, more than {_MAX_SAMPLES}"
    else:
        return
    raise DataError(f"cwru: variable {name} of {path} {problem}: get the file again")


def _check_strength(name: str, signal: NDArray[Any], path: Path) -> None:
    strongest = float(max(signal.max(), -signal.min()))
    if strongest > _MAX_G:
        raise DataError(f"cwru: variable {name} of {path} reaches {strongest:.3g}, no acceleration in g: get the file again")


def _speed(record: Record, mat: MatHeader) -> tuple[float, list[str]]:
    """The speed, rev/min, and what is odd about it."""
    if record.number in SPEED_OVERRIDES:
        speed_rpm, reason = SPEED_OVERRIDES[record.number]
        return speed_rpm, [f"speed {speed_rpm:.0f} rpm: {reason}"]
    nominal = NOMINAL_RPM[record.load_hp]
    variable = mat.variables.get(record.speed_variable)
    if variable is None:
        return nominal, [f"speed {nominal:.0f} rpm is the nominal one: the file states none"]
    stated = mat.numbers.get(record.speed_variable)
    if stated is None:
        raise DataError(f"cwru: variable {record.speed_variable} of {mat.path} holds {variable.size} values, not one: get the file again")
    if abs(stated - nominal) <= _SPEED_TOLERANCE * nominal:
        return stated, []
    return nominal, [f"speed {nominal:.0f} rpm is the nominal one: the file's {stated:.0f} rpm is too far from it"]


def _odd_file(record: Record, mat: MatHeader, lengths: dict[str, int]) -> list[str]:
    notes = []
    if record.sha256 and mat.sha256 != record.sha256:
        notes.append("not the official file: its SHA-256 differs")
    for sensor, length in lengths.items():
        if record.samples is not None and length != record.samples:
            notes.append(f"{sensor} holds {length} samples, the official file {record.samples}")
    return notes
