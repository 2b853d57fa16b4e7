"""The user's own recordings: a folder of wav, csv, npy and mat files, and one table that says what each of them is.

The table is `recordings.csv` (a line per recording, the columns of `table.COLUMNS`) or `recordings.toml` (a `[[recordings]]` per recording
with the same keys). What recordings share may stand once in the toml file, whose rows may then stand in the csv file:

    name = "mill-3"                 # else the folder's name
    [defaults]                      # for every recording that does not say otherwise
    machine = "pump-1"
    rate = 25600
    [geometries."SKF 6205"]         # or bpfo, bpfi, bsf, ftf: events per turn of the shaft
    balls = 9
    ball_mm = 7.94
    pitch_mm = 39.04

`faultbench data check FOLDER` says what is wrong or missing, `faultbench data check FOLDER --template` begins a table.

**What is read.** Signals come out in g where the table says `g`, `mg` or `m/s^2`. PCM samples of a wav file are shares of full scale, times
`scale`, which is the acceleration at full scale; numbers of other files are taken as they are, times `scale`. The rate is the wav
header's or the table's; where both say one, they must agree.

**Whose it is.** The data set is called as the table says, or like the folder. Its version is a digest of the files that the table names, so
a changed file is noticed; what is found out about a file is kept in the cache's notes, so that a later run looks at sizes and times alone.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.api import Catalogue, DataError, Recording, Remark, UsageError, file_digest
from faultbench_datasets.folder.listing import ONLY, Listing, list_folder, wanted_of
from faultbench_datasets.folder.signals import MAX_BYTES, Signal, read_signals
from faultbench_datasets.folder.template import template


class Folder:
    """A folder with a table.

    Args:
        path: The folder, from the current one or from the data folder; empty takes the data folder itself.
        data_dir: The data folder.
    """

    def __init__(self, path: str = "", data_dir: Path | None = None) -> None:
        self._path, self._data_dir = path, data_dir
        self._listing: Listing | None = None
        self._last: tuple[str, dict[str, Signal | DataError]] | None = None

    def catalogue(self) -> Catalogue:
        """The recordings of the table; files that are new or have changed are read.

        Raises:
            DataError: There is no table, or it or a file is wrong; the message says the first thing, and how to see all.
        """
        catalogue, remarks = self.inspect()
        errors = [remark.text for remark in remarks if remark.grade == "error"]
        if errors or catalogue is None:
            more = f" (and {len(errors) - 1} more: see `faultbench data check {self._folder()}`)" if len(errors) > 1 else ""
            raise DataError(f"{self._folder()}: {errors[0]}{more}")
        return catalogue

    def inspect(self) -> tuple[Catalogue | None, tuple[Remark, ...]]:
        """The recordings that can be read, and everything that is wrong with the table and the files."""
        self._listing = list_folder(self._folder().resolve())
        return self._listing.catalogue, self._listing.remarks

    def template(self) -> str:
        """A table that lists the files of the folder, to be filled in.

        Raises:
            DataError: There are none, or there is a table already.
        """
        return template(self._folder().resolve())

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, (sample,), in the channel's unit.

        Raises:
            DataError: The file is not there any more, or has changed since it was listed; or there is no such recording.
        """
        if self._listing is None:
            self.inspect()
        listing = self._listing or Listing(None, ())
        entry = listing.entries.get(recording.id)
        if entry is None or channel not in [name or ONLY for name in entry.channels]:
            raise DataError(f"{self._folder()}: there is no recording {recording.id!a} with a channel {channel!a}: run again")
        if self._last is None or self._last[0] != entry.file:  # the channels of one file are asked for one after the other
            wanted = wanted_of([other for other in listing.entries.values() if other.file == entry.file])
            content = read_signals(entry.path, wanted, entry.decimal)
            if file_digest(entry.path, MAX_BYTES) != listing.digests[entry.file]:
                raise DataError(f"{entry.path} has changed since it was listed: run again")
            self._last = entry.file, dict(zip(wanted, content.signals, strict=True))
        stored = self._last[1]["" if channel == ONLY and "" in entry.channels else channel]
        if isinstance(stored, DataError):
            raise stored
        with np.errstate(over="ignore"):
            signal: NDArray[np.float32] = (stored * entry.factor).astype(np.float32)
        if not np.isfinite(signal).all():
            raise DataError(f"{entry.path} holds values beyond what a signal can hold: correct the scale, or get the file again")
        return signal

    def _folder(self) -> Path:
        if not self._path:
            if self._data_dir is None:
                raise DataError("folder: no folder is given: write -d folder:path=DIR, or -d folder --data-dir DIR")
            return _existing(self._data_dir)
        said = Path(os.path.expanduser(self._path))  # noqa: PTH111 - unlike Path's own, it leaves alone what it does not know
        places = [said]
        if self._data_dir is not None and not self._path.startswith(("./", "../")):
            places.append(self._data_dir / said)
        there = list({place.resolve(): place for place in places if _is_folder(place)}.values())
        if len(there) > 1:
            both = " and ".join(str(place.resolve()) for place in there)
            raise UsageError(f"folder: {self._path} may be {both}: write path=./{said}, or all of the path")
        return there[0] if there else _existing(said)


def _existing(folder: Path) -> Path:
    if not _is_folder(folder):
        raise DataError(f"folder: {folder} is no folder: name the one that holds recordings.csv or recordings.toml")
    return folder


def _is_folder(place: Path) -> bool:
    return os.path.isdir(place)  # noqa: PTH112 - a name that is too long is none, too
