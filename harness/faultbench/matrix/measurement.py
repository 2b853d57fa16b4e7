"""A measurement on disk: JSON for what can be read, plain arrays for the rest."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np

from faultbench.errors import DataError
from faultbench.measuring.target import Device, Measurement

_ARRAYS = ("predictions", "logits", "finetune_s", "latency_s", "network_s")
_HEAD, _COLUMNS = "measurement.json", "measurement.npz"


def save_measurement(measurement: Measurement, folder: Path) -> None:
    """Writes a measurement to a folder."""
    head = {f.name: getattr(measurement, f.name) for f in dataclasses.fields(measurement) if f.name not in _ARRAYS}
    device = {**dataclasses.asdict(measurement.device), "versions": dict(measurement.device.versions)}
    said = {**head, "device": device, "notes": dict(measurement.notes)}
    (folder / _HEAD).write_text(json.dumps(said, indent=1, sort_keys=True), encoding="utf-8")
    with (folder / _COLUMNS).open("wb") as file:
        np.savez(file, **{name: getattr(measurement, name) for name in _ARRAYS})


def load_measurement(folder: Path) -> Measurement:
    """The measurement that was written to a folder.

    Raises:
        DataError: It is not there, or damaged.
    """
    try:
        said = json.loads((folder / _HEAD).read_text(encoding="utf-8"))
        with np.load(folder / _COLUMNS, allow_pickle=False) as columns:
            arrays = {name: columns[name] for name in _ARRAYS}
        return Measurement(**{**said, **arrays, "device": Device(**said["device"])})
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{folder} holds no readable measurement ({error}): delete it, it will be made again") from error
