"""Recordings in `.npy` files, listed in a table.

The folder `new-plugin` in the data folder holds `recordings.csv` and the files that it names. A line of the table is one recording:

    file,machine,mounting,bearing,element,severity,session,load,speed_rpm,rate_hz
    0001.npy,rig 1,drive end,6205-17,inner,0.5 mm,2024-05-03 morning,2 kN,1790,25600

`element` is healthy, inner, ball, outer, cage or combined; `severity` is empty where healthy; `bearing` is the physical specimen;
`session` is what was measured without interruption; `speed_rpm` may be empty. Accelerations are in g.
"""

from __future__ import annotations

import csv
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from faultbench.api import Catalogue, Channel, DataError, Recording, noted
from numpy.typing import NDArray

NAME = "new-plugin"
READER_VERSION = "1"
"""To be raised with every change that changes a signal."""
CHANNEL = "vibration"
TABLE = "recordings.csv"
COLUMNS = ("file", "machine", "mounting", "bearing", "element", "severity", "session", "load", "speed_rpm", "rate_hz")
_HOW_TO_GET = f"put {TABLE} and its files into DIR/{NAME}, and give --data-dir DIR or set FAULTBENCH_DATA=DIR"
_MOST_SAMPLES = 100_000_000


class NewPlugin:
    """The data set.

    Args:
        data_dir: The folder that holds the folder of the data; else the environment's `FAULTBENCH_DATA`. faultbench gives it.
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self._data_dir = data_dir

    def catalogue(self) -> Catalogue:
        """The recordings of the table. Files are looked through once; what was found is kept with their sizes and times.

        Raises:
            DataError: The data are not there, or the table says something that cannot be.
        """
        folder = self._folder()
        lines = _lines(folder / TABLE)
        files = [folder / line["file"] for line in lines]
        notes = noted(NAME, READER_VERSION, files, _looked_at)
        contents = hashlib.sha256("".join(f"{line['file']} {note['sha256']}\n" for line, note in zip(lines, notes, strict=True)).encode())
        recordings = tuple(_recording(line, note["samples"]) for line, note in zip(lines, notes, strict=True))
        return Catalogue(
            dataset=NAME,
            version=f"{READER_VERSION}-{contents.hexdigest()[:16]}",
            recordings=recordings,
            targets=tuple(dict.fromkeys(recording.machine for recording in recordings)),
            cite="",
            licence="",
        )

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, (sample,), in g.

        Raises:
            DataError: There is no such recording or channel, or the file is damaged.
        """
        if channel != CHANNEL:
            raise DataError(f"{NAME}: {recording.id} has no channel {channel}: its only channel is {CHANNEL}")
        path = self._folder() / f"{recording.id}.npy"
        if recording.dataset != NAME or Path(recording.id).name != recording.id or not path.is_file():
            raise DataError(f"{NAME}: there is no recording {recording.id}: take one of the catalogue")
        signal: NDArray[np.float32] = _opened(path).astype(np.float32)
        if not np.isfinite(signal).all():
            raise DataError(f"{NAME}: {path} holds values that are not finite: mend it, or take it out of {TABLE}")
        return signal

    def _folder(self) -> Path:
        given = self._data_dir or os.environ.get("FAULTBENCH_DATA")
        folder = Path(given or "") / NAME
        if not given or not (folder / TABLE).is_file():
            raise DataError(f"{NAME}: there is no {TABLE} in {folder if given else 'any folder'}: {_HOW_TO_GET}")
        return folder


def _lines(table: Path) -> list[dict[str, str]]:
    """The lines of the table, each with all columns."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lines = [dict(line) for line in reader]
            header = tuple(reader.fieldnames or ())
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{NAME}: {table} cannot be read ({error}): write it as CSV in UTF-8") from error
    if header != COLUMNS:
        raise DataError(f"{NAME}: {table} has the columns {', '.join(header) or 'none'}: write {','.join(COLUMNS)} into its first line")
    if not lines:
        raise DataError(f"{NAME}: {table} lists no recordings: {_HOW_TO_GET}")
    for number, line in enumerate(lines, 2):
        file = line["file"]
        if None in line.values() or None in line or Path(file).name != file or not file.endswith(".npy"):
            raise DataError(f"{NAME}: line {number} of {table} is short, long, or names no .npy file beside the table: mend it")
    return lines


def _recording(line: dict[str, str], samples: int) -> Recording:
    try:
        speed = float(line["speed_rpm"]) if line["speed_rpm"] else None
        rate = float(line["rate_hz"])
    except ValueError as error:
        raise DataError(f"{NAME}: {line['file']} has a speed or a rate that is no number ({error}): mend {TABLE}") from error
    return Recording(
        dataset=NAME,
        id=line["file"].removesuffix(".npy"),
        machine=line["machine"],
        mounting=line["mounting"],
        bearing=line["bearing"],
        element=line["element"],
        severity=line["severity"],
        session=line["session"],
        load=line["load"],
        speed_rpm=speed,
        channels=(Channel(CHANNEL, rate, samples),),
    )


def _looked_at(path: Path) -> dict[str, Any]:
    """What has to be known of a file before it is read."""
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "samples": len(_opened(path))}


def _opened(path: Path) -> NDArray[Any]:
    """The array of a file, mapped, checked for its shape."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{NAME}: {path} is no .npy file without pickles ({error}): write it with numpy.save") from error
    if array.ndim != 1 or array.dtype.kind not in "fiu" or not 0 < array.size <= _MOST_SAMPLES:
        raise DataError(f"{NAME}: {path} holds {array.dtype} {array.shape}: write numbers of one dimension")
    return array
