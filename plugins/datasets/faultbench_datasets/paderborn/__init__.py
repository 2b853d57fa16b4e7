"""The Paderborn University bearing data (PU): bearings damaged by hand and by fatigue, exchanged in one test rig.

One file holds one measurement of four seconds: vibration, two phase currents, force, speed, torque and temperature. What there is
stands in `bearings`, a file's reading in `measurement`, its archives' in `archive`; here measurements become recordings.

There is one rig, with one place for the bearing under test. A new device cannot be held out, hence `new-device` and `unseen-bearing`
part by bearing, and say `one rig`; with `target=real` they train on damage made by hand and test on damage from fatigue.

**What is not a fault and yet tells bearings apart.** Each bearing was mounted and measured on a day of its own, so its temperature,
and whatever else changed from day to day, goes with the bearing and thus with the class. Only bearings held out can show whether a
learner heard the damage or recognised the day.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.api import HEALTHY, Catalogue, Channel, DataError, Origin, Recording, UsageError, noted, open_mat
from faultbench_datasets.paderborn.archive import check_archive, unpack_bearing
from faultbench_datasets.paderborn.bearings import (
    ALIKE,
    ARTIFICIAL,
    BEARINGS,
    COMBINED,
    CONDITIONS,
    GEOMETRY,
    REAL,
    SIGNALS,
    UNREADABLE,
    VIBRATION,
    Bearing,
    Signal,
    stems,
)
from faultbench_datasets.paderborn.decimation import decimate, filtering
from faultbench_datasets.paderborn.measurement import MAX_FILE_BYTES, read_channel, read_measurement
from faultbench_datasets.publications import PADERBORN_CITE, PADERBORN_LICENCE

READER_VERSION = 1
"""To be raised with every change that changes a signal."""

MOUNTING = "test-module"
_HOW_TO_GET = (
    "`faultbench data get paderborn --data-dir DIR` gets it, to DIR/paderborn/K001.rar and so on (or unpack them, to DIR/paderborn/K001); "
    "give --data-dir DIR or set FAULTBENCH_DATA=DIR"
)
_SAMPLED_BYTES = 4096


class Paderborn:
    """The data set with vibration and currents at one sampling rate.

    Args:
        rate: 16 (decimated) or 64 (as recorded), kHz, of vibration and currents.
        damage: `all`, or faults made by hand (`artificial`) or by fatigue (`real`) alone; healthy bearings are always there.
        combined: Whether bearings damaged at both rings are there too, as a class of their own.
        data_dir: The folder that holds `paderborn/K001`, or the folder of the bearings itself; else the environment's `FAULTBENCH_DATA`.
    """

    def __init__(self, rate: int = 16, damage: str = "all", combined: bool = False, data_dir: Path | None = None) -> None:
        if rate not in (16, 64):
            raise UsageError(f"paderborn: there is no vibration of {rate} kHz: choose rate=16 or rate=64")
        if damage not in ("all", ARTIFICIAL, REAL):
            raise UsageError(f"paderborn: there is no damage {damage!r}: choose all, {ARTIFICIAL} or {REAL}")
        self._rate, self._damage, self._combined, self._data_dir = rate, damage, combined, data_dir
        self._last: tuple[str, dict[str, NDArray[np.float64]]] = "", {}
        self._heard: dict[bytes, str] = {}

    def catalogue(self) -> Catalogue:
        """The measurements that this copy holds, by the names of its files; archives are unpacked first.

        The full set has 20 GB, so files are told apart by their length and a few blocks, and signals are read at ingestion. How
        long they are is not known before. What was found in a file is noted, and looked for again only where the file has changed.

        Raises:
            DataError: There is no data, or an archive cannot be unpacked.
        """
        folder = self._folder()
        missing: dict[str, str] = {}
        held: dict[Bearing, set[str]] = {}
        for bearing in BEARINGS:
            if self._damage not in ("all", bearing.damage) and bearing.element != HEALTHY:
                continue
            if bearing.element == COMBINED and not self._combined:
                missing[bearing.code] = "both rings are damaged, it is in neither class: paderborn:combined=true adds it as a class"
                continue
            files = _measurements(folder, bearing.code)
            if files is None:
                missing[bearing.code] = f"neither {bearing.code} nor {bearing.code}.rar is in {folder}"
                continue
            held[bearing] = files
        paths = {name: folder / b.code / f"{name}.mat" for b, files in held.items() for name in stems(b.code) if f"{name}.mat" in files}
        notes = dict(zip(paths, noted("paderborn", "1", list(paths.values()), _looked_at, cheap=True), strict=True))
        for bearing in held:
            missing |= _left_out(folder / bearing.code, bearing.code, notes)
        recordings = [recording for bearing in held for recording in self._recordings(bearing) if recording.id not in missing]
        if not recordings:
            raise DataError(f"paderborn: {folder} holds no measurement that is asked for (damage={self._damage}): {_HOW_TO_GET}")
        prints = " ".join(f"{recording.id}={notes[recording.id]['print']}" for recording in recordings)
        contents = hashlib.sha256(prints.encode()).hexdigest()[:16]
        return Catalogue(
            dataset="paderborn",
            version=f"{READER_VERSION}-{self._rate}kHz-{contents}",
            recordings=tuple(recordings),
            targets=(MOUNTING,),
            cite=PADERBORN_CITE,
            licence=PADERBORN_LICENCE,
            missing=missing,
        )

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, (sample,). All channels of a file are parsed at once, and those of the last file kept.

        Raises:
            DataError: The file is not there any more, damaged, holds something else than its name says, or what another one holds.
        """
        signal = next((signal for signal in SIGNALS if signal.name == channel), None)
        if recording.bearing not in {bearing.code for bearing in BEARINGS} or recording.id not in stems(recording.bearing) or not signal:
            raise DataError(f"paderborn: there is no channel {channel} of {recording.id}: take one of the catalogue")
        if self._last[0] != recording.id:
            self._last = "", {}
            channels = read_measurement(_path(self._folder(), recording), CONDITIONS[recording.load])
            first = self._heard.setdefault(_digest(channels[VIBRATION]), recording.id)
            if first != recording.id:
                raise DataError(
                    f"paderborn: {recording.id} holds the samples of {first}, which would count twice: remove one of the two files"
                )
            self._last = recording.id, channels
        values = self._last[1][channel]
        return (decimate(values) if self._decimated(signal) else values).astype(np.float32)

    def check_file(self, file: Path) -> None:
        """Returns where a file is a measurement that can be read, or the known damaged one, or an archive of a bearing's measurements.

        Raises:
            DataError: It is none of them.
        """
        if file.suffix == ".rar" and any(file.stem == bearing.code for bearing in BEARINGS):
            check_archive(file, file.stem)
            return
        found = next((bearing for bearing in BEARINGS if file.stem in stems(bearing.code)), None)
        if found is None or file.suffix != ".mat":
            raise DataError(f"paderborn: {file.name} is no file of the source: they are called K001.rar or N15_M07_F10_K001_1.mat")
        if file.stem in UNREADABLE and open_mat(file, max_bytes=MAX_FILE_BYTES).sha256 == UNREADABLE[file.stem]:
            return
        read_measurement(file, CONDITIONS[file.stem.split(f"_{found.code}_")[0]])

    def origin(self, recording: Recording, channel: str) -> Origin:
        """The file of a signal and its place in the struct, and how it was decimated."""
        signal = next(signal for signal in SIGNALS if signal.name == channel)
        steps = (filtering(),) if self._decimated(signal) else ()
        file = f"{recording.bearing}/{recording.id}.mat"
        return Origin(file, f"{recording.id}.Y[Name={channel}].Data", recorded_hz=signal.rate_hz, steps=steps)

    def _folder(self) -> Path:
        given = self._data_dir or os.environ.get("FAULTBENCH_DATA")
        if not given:
            raise DataError(f"paderborn: no data folder is given: {_HOW_TO_GET}")
        for folder in (Path(given) / "paderborn", Path(given)):
            if any((folder / bearing.code).is_dir() or _archive(folder, bearing.code).is_file() for bearing in BEARINGS):
                return folder
        raise DataError(f"paderborn: neither {Path(given) / 'paderborn'} nor {given} holds a bearing: {_HOW_TO_GET}")

    def _decimated(self, signal: Signal) -> bool:
        return signal.rate_hz > self._rate * 1000

    def _recordings(self, bearing: Bearing) -> Iterable[Recording]:
        """The 80 recordings of a bearing, whether they are at hand or not."""
        channels = tuple(Channel(s.name, self._rate * 1000.0 if self._decimated(s) else s.rate_hz, None, s.unit) for s in SIGNALS)
        for name in stems(bearing.code):
            condition = name.split(f"_{bearing.code}_")[0]
            yield Recording(
                dataset="paderborn",
                id=name,
                machine="paderborn",
                mounting=MOUNTING,
                bearing=bearing.code,
                element=bearing.element,
                severity=bearing.damage,
                session=name,
                load=condition,
                speed_rpm=CONDITIONS[condition],
                channels=channels,
                geometry=GEOMETRY,
            )


def _archive(folder: Path, code: str) -> Path:
    return folder / f"{code}.rar"


def _path(folder: Path, recording: Recording) -> Path:
    return folder / recording.bearing / f"{recording.id}.mat"


def _measurements(folder: Path, code: str) -> set[str] | None:
    """The names of the files of a bearing, unpacked if need be, or None where it is not there."""
    place = folder / code
    if not place.is_dir():
        if not _archive(folder, code).is_file():
            return None
        place = unpack_bearing(_archive(folder, code), code)
    try:
        return {entry.name for entry in place.iterdir()}
    except OSError as error:
        raise DataError(f"paderborn: {place} cannot be listed, {error.strerror or error}: check its permissions") from error


def _looked_at(path: Path) -> dict[str, str]:
    """What is kept of a file: what tells it from another, and what it takes to know whether it is left out."""
    found = {"print": _fingerprint(path)}
    if path.stem in UNREADABLE:
        found["sha256"] = open_mat(path, max_bytes=MAX_FILE_BYTES).sha256
    if any(path.stem in group for groups in ALIKE.values() for group in groups):
        found["samples"] = _digest(read_channel(path, SIGNALS[0])).hex()
    return found


def _left_out(place: Path, code: str, notes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Which of a bearing's measurements are no recordings, and why."""
    found = {}
    for name in stems(code):
        if name not in notes:
            found[name] = f"{name}.mat is not in {place}"
        elif name in UNREADABLE and notes[name]["sha256"] == UNREADABLE[name]:
            found[name] = f"the official {name}.mat is damaged, zeros stand behind its last channel: scipy cannot read it"
    for group in ALIKE.get(code, ()):
        heard: dict[str, str] = {}
        for name in (name for name in group if name in notes):
            first = heard.setdefault(notes[name]["samples"], name)
            if first != name:
                found[name] = f"it holds the samples of {first}, which counts once"
    return found


def _digest(samples: NDArray[np.float64]) -> bytes:
    return hashlib.sha256(samples.tobytes()).digest()


def _fingerprint(path: Path) -> str:
    """What tells one file from another: its length, and its first, middle and last bytes."""
    if not path.is_file():  # opening a pipe would wait for ever
        raise DataError(f"paderborn: {path} is not a regular file: give the MATLAB file itself")
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            digest = hashlib.sha256(str(size).encode())
            for start in (0, size // 2, size - _SAMPLED_BYTES):
                stream.seek(max(0, start))
                digest.update(stream.read(_SAMPLED_BYTES))
    except OSError as error:
        raise DataError(f"paderborn: {path} cannot be read, {error.strerror or error}: check its permissions") from error
    return digest.hexdigest()
