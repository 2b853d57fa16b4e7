"""The XJTU-SY bearing data: fifteen bearings run to failure on one rig, five at each of three conditions, 1.28 s of every minute.

The source is Xi'an Jiaotong University and the Changxing Sumyoung Technology Co.; a csv file holds one minute's measurement,
two axes side by side. Every file is read once, quickly, to find when damage begins (`onset`); what was found is kept in the
cache's notes, so that later runs look at names, sizes and times of the files alone.

**What is listed.** A recording is one minute: one uninterrupted measurement. By default there are three classes. *Damaged* are
the last minutes of the eleven bearings that ended with one damaged ring (`inner` 2_1, 3_3, 3_4, `outer` the others). *Healthy*
are the first minutes of the other four (1_4, 1_5, 2_3, 3_2), whose cage or several parts failed: their end is none of the
three classes. Each bearing is thus a specimen of one class only. Would the first minutes of a bearing be listed beside its
last ones, an episode could show a bearing healthy in its support and damaged in its query; the audit would refuse it.
`damage=any` lists the ends of those four too (`cage`, `combined`); then 1_2, 2_5 and 3_1 are the healthy ones.

**What to know.** All bearings ran at one condition each, so nothing but bearings can be held out, and support and query of a
class often differ in speed and load as well. No bearing with a damaged inner ring ran at the first condition. The load was
applied horizontally; `horizontal` is the first channel.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.api import HEALTHY, Catalogue, Channel, DataError, Latest, Origin, Recording, UsageError, noted, read_csv
from faultbench_datasets.publications import XJTU_SY_CITE, XJTU_SY_HOMEPAGE, XJTU_SY_LICENCE
from faultbench_datasets.xjtu_sy.bearings import BEARINGS, GEOMETRY, SINGLE, Bearing
from faultbench_datasets.xjtu_sy.onset import Onset, find_onset

READER_VERSION = 1
"""To be raised with every change that changes a signal, or which minutes are listed."""

HEADER = ("Horizontal_vibration_signals", "Vertical_vibration_signals")
CHANNELS = ("horizontal", "vertical")
RATE_HZ = 25_600.0
SAMPLES = 32_768
MOUNTING = "test-bearing"

_HOW_TO_GET = (
    f"download it by hand ({XJTU_SY_HOMEPAGE}); `faultbench data get xjtu_sy --from FOLDER --data-dir DIR` takes it over, to "
    "DIR/xjtu_sy/35Hz12kN/Bearing1_1/1.csv and so on; give --data-dir DIR or set FAULTBENCH_DATA=DIR"
)
_MAX_FILE_BYTES = 16 * 1024 * 1024
"""Twelve times an official file."""
_MAX_G = 1000.0
"""The sensor ends at 50 g; what goes beyond this are no accelerations in g."""
_LEAST = 2
"""Minutes of a kind that a bearing must have to be listed."""


class XjtuSy:
    """The data set.

    Args:
        damage: `single` lists bearings with one damaged ring, and healthy ones; `any` also those with a damaged cage or several
            damaged parts.
        minutes: At most so many minutes of each bearing, evenly spaced in what could be taken.
        data_dir: The folder that holds `xjtu_sy`, or the data set's folder itself; else the environment's `FAULTBENCH_DATA`.
    """

    readers = 2
    """How many threads may call `read` at once."""

    def __init__(self, damage: str = "single", minutes: int = 40, data_dir: Path | None = None) -> None:
        if damage not in ("single", "any"):
            raise UsageError(f"xjtu_sy: damage is {damage}: choose single or any")
        if minutes < _LEAST:
            raise UsageError(f"xjtu_sy: minutes is {minutes}: give at least {_LEAST}")
        self._damage, self._minutes, self._data_dir = damage, minutes, data_dir
        self._digests: dict[str, str] = {}
        self._signals = Latest(self._listed_signals, keep=4 * self.readers)

    def catalogue(self) -> Catalogue:
        """The minutes that show a healthy or a damaged bearing; every new or changed file is read.

        Raises:
            DataError: There is no data, a file is not what its name says, or a row of one cannot be read.
        """
        folder = self._folder()
        recordings: list[Recording] = []
        missing: dict[str, str] = {}
        held = {bearing: _minutes_in(folder, bearing, missing) for bearing in BEARINGS}
        files = {f"{bearing.name}/{m}": _path(folder, bearing, m) for bearing, minutes in held.items() for m in minutes}
        notes = dict(zip(files, noted("xjtu_sy", str(READER_VERSION), list(files.values()), _looked_at), strict=True))
        self._digests = {name: note["sha256"] for name, note in notes.items()}
        for bearing, minutes in held.items():
            if minutes:
                rms = np.array([notes[f"{bearing.name}/{m}"]["rms"] for m in minutes])
                recordings += self._listed(bearing, minutes, rms, missing)
        contents = hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in self._digests.items()).encode())
        if not recordings:
            raise DataError(f"xjtu_sy: {folder} holds no bearing whose condition is certain: {_HOW_TO_GET}")
        return Catalogue(
            dataset="xjtu_sy",
            version=f"{READER_VERSION}-{self._damage}-{self._minutes}-{contents.hexdigest()[:16]}",
            recordings=tuple(recordings),
            targets=(MOUNTING,),
            cite=XJTU_SY_CITE,
            licence=XJTU_SY_LICENCE,
            missing=missing,
        )

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, (sample,), in g.

        Raises:
            DataError: The file is not there any more, damaged, or another than was listed.
        """
        if recording.id not in self._digests:
            self.catalogue()
        listed = self._digests.get(recording.id)
        bearing, minute = _found(recording.id)
        if listed is None or channel not in CHANNELS:
            raise DataError(f"xjtu_sy: there is no recording {recording.id} with a channel {channel}: take one of the catalogue")
        # Both channels stand in one file, and are asked for one after the other.
        return self._signals((_path(self._folder(), bearing, minute), listed))[CHANNELS.index(channel)].copy()

    def _listed_signals(self, file: tuple[Path, str]) -> NDArray[np.float32]:
        """(channel, sample): what a file holds that was listed with a digest."""
        path, listed = file
        signals = _read(path)
        if _digest(signals) != listed:
            raise DataError(f"xjtu_sy: {path} has changed since it was listed: run again")
        return signals

    def check_file(self, file: Path) -> None:
        """Returns where a file is a minute's measurement: every row of it is read.

        Raises:
            DataError: It is none.
        """
        _read(file)

    def origin(self, recording: Recording, channel: str) -> Origin:
        """The file and the column of a signal."""
        bearing, minute = _found(recording.id)
        file = f"{bearing.condition.folder}/{bearing.name}/{minute}.csv"
        return Origin(file, HEADER[CHANNELS.index(channel)], recorded_hz=RATE_HZ)

    def _folder(self) -> Path:
        given = self._data_dir or os.environ.get("FAULTBENCH_DATA")
        if not given:
            raise DataError(f"xjtu_sy: no data folder is given: {_HOW_TO_GET}")
        conditions = {bearing.condition.folder for bearing in BEARINGS}
        for inner in ("xjtu_sy", "xjtu_sy/XJTU-SY_Bearing_Datasets", "XJTU-SY_Bearing_Datasets", "."):
            folder = Path(given) / inner
            if any((folder / condition).is_dir() for condition in conditions):
                return folder
        raise DataError(f"xjtu_sy: neither {Path(given) / 'xjtu_sy'} nor {given} holds a condition such as 35Hz12kN: {_HOW_TO_GET}")

    def _listed(self, bearing: Bearing, minutes: list[int], rms: NDArray[np.float64], missing: dict[str, str]) -> list[Recording]:
        onset = find_onset(rms)
        healthy = self._damage in bearing.healthy_from
        if not healthy and self._damage == "single" and bearing.element not in SINGLE:
            return []
        taken = onset.healthy if healthy else onset.damaged
        if len(taken) < _LEAST:
            missing[bearing.name] = _why_not(onset, healthy)
            return []
        spread = np.linspace(0, len(taken) - 1, min(len(taken), self._minutes)).round().astype(int)
        return [_recording(bearing, minutes[taken[i]], healthy, _said(onset, minutes)) for i in spread.tolist()]


def _minutes_in(folder: Path, bearing: Bearing, missing: dict[str, str]) -> list[int]:
    """The minutes that this copy holds of a bearing, in numeric order; what it lacks becomes missing."""
    place = folder / bearing.condition.folder / bearing.name
    try:
        names = [entry.name for entry in place.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        missing[bearing.name] = f"{place} is not there"
        return []
    except OSError as error:
        raise DataError(f"xjtu_sy: {place} cannot be listed, {error.strerror or error}: check its permissions") from error
    held = {int(stem) for name in names if name.endswith(".csv") and (stem := name[:-4]).isdecimal() and stem == str(int(stem))}
    beyond = sorted(held - set(range(1, bearing.minutes + 1)))
    if beyond:
        raise DataError(f"xjtu_sy: {place} holds {beyond[0]}.csv, the source has 1.csv to {bearing.minutes}.csv: check where it is from")
    lacking = [m for m in range(1, bearing.minutes + 1) if m not in held]
    for first, last in _runs(lacking):
        missing[f"{bearing.name}/{first}" + (f"-{last}" if last > first else "")] = f"not in {place}"
    return sorted(held)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of successive numbers."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
    return runs


def _path(folder: Path, bearing: Bearing, minute: int) -> Path:
    return folder / bearing.condition.folder / bearing.name / f"{minute}.csv"


def _found(name: str) -> tuple[Bearing, int]:
    of, _, minute = name.partition("/")
    for bearing in BEARINGS:
        if bearing.name == of and minute.isdecimal():
            return bearing, int(minute)
    raise DataError(f"xjtu_sy: there is no recording {name}: take one of the catalogue")


def _read(path: Path) -> NDArray[np.float32]:
    """(channel, sample), in g."""
    signals = read_csv(path, HEADER, rows=SAMPLES, max_bytes=_MAX_FILE_BYTES)
    strongest = float(np.abs(signals).max())
    if strongest > _MAX_G:
        raise DataError(f"xjtu_sy: {path} reaches {strongest:.3g}, no acceleration in g: get the file again")
    return signals


def _looked_at(path: Path) -> dict[str, object]:
    """What is kept of a file: the RMS about the mean, both axes together, in g, and a digest of the signals."""
    signals = _read(path)
    return {"rms": float(np.sqrt(signals.var(axis=1, dtype=np.float64).sum())), "sha256": _digest(signals)}


def _digest(signals: NDArray[np.float32]) -> str:
    return hashlib.sha256(np.ascontiguousarray(signals, dtype="<f4")).hexdigest()[:32]


def _why_not(onset: Onset, healthy: bool) -> str:
    if healthy:
        return f"fewer than {_LEAST} healthy minutes are certain"
    if onset.standing is None:
        return f"no onset of damage is found in its {onset.minutes} minutes"
    return f"fewer than {_LEAST} damaged minutes are certain"


def _said(onset: Onset, minutes: list[int]) -> str:
    if onset.standing is None:
        return f"no alarm in {onset.minutes} minutes that stands"
    return f"damage shows from minute {minutes[onset.standing]} on, RMS above {onset.limit:.3g} g"


def _recording(bearing: Bearing, minute: int, healthy: bool, note: str) -> Recording:
    name = f"{bearing.name}/{minute}"
    return Recording(
        dataset="xjtu_sy",
        id=name,
        machine="xjtu_sy",
        mounting=MOUNTING,
        bearing=bearing.name,
        element=HEALTHY if healthy else bearing.element,
        severity="",
        session=name,
        load=bearing.condition.load,
        speed_rpm=bearing.condition.speed_rpm,
        channels=tuple(Channel(channel, RATE_HZ, SAMPLES) for channel in CHANNELS),
        geometry=GEOMETRY,
        notes=(note,),
    )
