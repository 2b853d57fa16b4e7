"""One measurement, from its file: a 1x1 struct of the file's name, whose field `Y` holds an entry per channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.api import DataError, open_mat
from faultbench_datasets.paderborn.bearings import SIGNALS, SPEED, Signal

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Seven times the official files, which are not compressed."""
_MIN_SECONDS, _MAX_SECONDS = 1.0, 60.0
"""The source measured four seconds each time."""
_APART_SECONDS = 0.1
"""How far the lengths of two channels may be apart beside one step of the slower: the source's differ by up to 0.011 s."""
_SPEED_TOLERANCE = 0.05
"""The stated speeds are kept within 0.1 %; the next one is 40 % away."""


def read_measurement(path: Path, speed_rpm: float) -> dict[str, NDArray[np.float64]]:
    """All channels of a measurement by name, each (sample,), finite, at the rate of its `Signal`.

    Args:
        path: The file.
        speed_rpm: The shaft speed that its name states.

    Raises:
        DataError: The file is damaged, lacks a channel at its rate, or its channels contradict one another or its name.
    """
    found = _vectors(path, SIGNALS)
    seconds = {signal.name: (len(found[signal.name]) - 1) / signal.rate_hz for signal in SIGNALS}
    longest = max(seconds, key=lambda name: seconds[name])
    for signal in SIGNALS:
        if seconds[longest] - seconds[signal.name] > _APART_SECONDS + 1 / signal.rate_hz:
            raise DataError(
                f"paderborn: in {path} {longest} lasts {seconds[longest]:.3f} s and {signal.name} {seconds[signal.name]:.3f} s at "
                f"{signal.rate_hz:g} Hz: get the file again"
            )
    turned = float(np.median(found[SPEED]))
    if abs(turned - speed_rpm) > _SPEED_TOLERANCE * speed_rpm:
        raise DataError(f"paderborn: in {path} the shaft turns at {turned:.0f} rpm, not at {speed_rpm:.0f} as its name says: get it again")
    return found


def read_channel(path: Path, signal: Signal) -> NDArray[np.float64]:
    """One channel alone, (sample,), finite.

    Raises:
        DataError: The file is damaged, or lacks the channel at its rate.
    """
    return _vectors(path, (signal,))[signal.name]


def _vectors(path: Path, signals: Sequence[Signal]) -> dict[str, NDArray[np.float64]]:
    """Channels by name; the order in the file does not count, the raster does: it states the rate."""
    paths = {signal.name: f"{path.stem}.Y[Name={signal.name}][Raster={signal.raster}].Data" for signal in signals}
    stored = open_mat(path, max_bytes=MAX_FILE_BYTES).read(*paths.values())
    found = {}
    for signal in signals:
        values = stored[paths[signal.name]]
        shape = "x".join(map(str, values.shape))
        if values.dtype.kind != "f" or values.size != max(values.shape, default=0):
            raise DataError(f"paderborn: channel {signal.name} of {path} is {values.dtype} of {shape}, no series: get the file again")
        seconds = (values.size - 1) / signal.rate_hz
        if not _MIN_SECONDS <= seconds <= _MAX_SECONDS and not (signal.rate_hz == 1 and 0 <= seconds <= _MAX_SECONDS):
            raise DataError(
                f"paderborn: channel {signal.name} of {path} holds {values.size} samples, {max(seconds, 0):.3f} s at {signal.rate_hz:g} "
                f"Hz, not {_MIN_SECONDS:g} to {_MAX_SECONDS:g}: get the file again"
            )
        found[signal.name] = values.reshape(-1).astype(np.float64, copy=False)
    return found
