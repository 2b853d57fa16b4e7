"""Ingested signals on disk: a catalogue as JSON, and a plain array per signal, mapped into memory when it is read."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import Catalogue, Channel, Gearing, Geometry, Recording, fields_of
from faultbench.data.split import Pool
from faultbench.errors import DataError

CATALOGUE = "catalogue.json"
SignalKey = tuple[str, str, str]
"""Data set, recording id, channel name."""


def signal_path(folder: Path, recording: int, channel: int) -> Path:
    """Where a signal lies, by the numbers of recording and channel in the catalogue: ids may be no file names."""
    return folder / f"{recording:05d}.{channel}.npy"


def save_signal(signal: NDArray[np.float32], path: Path) -> None:
    """Writes a signal, and has the system begin to bring it to the disk, so that there is little left to wait for at the end."""
    with path.open("wb") as file:
        np.save(file, signal, allow_pickle=False)
        file.flush()
        if hasattr(os, "posix_fadvise"):  # what is not on the disk yet is not dropped for it
            with contextlib.suppress(OSError):  # it was a wish
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def save_catalogue(catalogue: Catalogue, folder: Path) -> None:
    """Writes a catalogue."""
    # `asdict`, or a JSON that is indented, would take as long as writing the signals of some recordings
    (folder / CATALOGUE).write_text(json.dumps(catalogue, default=_said, sort_keys=True), encoding="utf-8")


def load_catalogue(folder: Path) -> Catalogue:
    """The catalogue of ingested signals; its channels know how many samples they hold.

    Raises:
        DataError: It is not there, or damaged.
    """
    try:
        said = json.loads((folder / CATALOGUE).read_text(encoding="utf-8"))
        return Catalogue(**{**said, "recordings": tuple(map(_recording, said["recordings"])), "targets": tuple(said["targets"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} holds no readable catalogue ({error}): delete it, it will be made again") from error


def gathered_folder(folder: Path, number: int) -> Path:
    """Where the signals of one of several gathered data sets lie, laid out as if it were ingested alone."""
    return folder / f"{number:03d}"


def load_catalogues(folder: Path) -> tuple[Catalogue, ...]:
    """The catalogues of a folder of signals: that of one data set, or those of several that were gathered, in their order.

    Raises:
        DataError: One is not there, or damaged.
    """
    return tuple(load_catalogue(inner) for inner in _folders(folder))


class PoolSignals(Mapping[SignalKey, NDArray[np.float32]]):
    """The signals of some pools and no others, each mapped into memory, read-only, when it is first asked for.

    Args:
        folder: The ingested data set, or several that were gathered.
        pools: Whose signals can be read. What is trained gets the source's pool alone: a target's signal is a KeyError.
    """

    def __init__(self, folder: Path, *pools: Pool) -> None:
        allowed = {
            (r.dataset, r.id, name) for pool in pools for r, used in zip(pool.recordings, pool.channels, strict=True) for name in used
        }
        self._paths = {
            (recording.dataset, recording.id, channel.name): signal_path(inner, i, j)
            for inner in _folders(folder)
            for i, recording in enumerate(load_catalogue(inner).recordings)
            for j, channel in enumerate(recording.channels)
            if (recording.dataset, recording.id, channel.name) in allowed
        }
        self._open: dict[SignalKey, NDArray[np.float32]] = {}

    def __getitem__(self, key: SignalKey) -> NDArray[np.float32]:
        """One signal, (sample,)."""
        if key not in self._open:
            self._open[key] = np.load(self._paths[key], mmap_mode="r", allow_pickle=False)
        return self._open[key]

    def __iter__(self) -> Iterator[SignalKey]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _folders(folder: Path) -> tuple[Path, ...]:
    first = gathered_folder(folder, 0)
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir())) if first.is_dir() else (folder,)


def _said(value: Any) -> dict[str, Any]:
    """A dataclass or a mapping, as JSON takes it."""
    if isinstance(value, Mapping):
        return dict(value)
    return fields_of(value)


def _recording(said: Mapping[str, Any]) -> Recording:
    geometry = Geometry(**said["geometry"]) if said["geometry"] else None
    gearing = Gearing(**said["gearing"]) if said.get("gearing") else None
    channels = tuple(Channel(**channel) for channel in said["channels"])
    return Recording(**{**said, "channels": channels, "geometry": geometry, "notes": tuple(said["notes"]), "gearing": gearing})
