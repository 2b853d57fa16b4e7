"""From 48 to 12 kHz, in the way in which the 12 kHz records of the same machine end were made.

The healthy records exist at 48 kHz only, the faults that they are told from at 12 kHz. If the band below 6 kHz were cut
otherwise than the recorder cut it, the cut alone would tell healthy from faulty. What the recorder did can be seen where one
fault was recorded at both rates (105 and 109, 118 and 122, 130 and 135, 169 and 174, both sensors): drive-end records of
12 kHz fall off from 5.3 kHz on and are 50 dB down at 5.95 kHz. Those of the fan end (270 to 318) go on to 6 kHz, 2 to 4 dB
down in power from 5.4 kHz on, as a half-band filter leaves it with what it folds back.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.api import Filtering
from faultbench_datasets.cwru.records import DRIVE_END, FAN_END

FACTOR = 4
_RATE_HZ = 48_000.0
_REACH = {DRIVE_END: 480, FAN_END: 80}
"""Samples that the filter reaches to either side; a multiple of `FACTOR`, so that its delay is a whole number of output samples."""

_DRIVE_END_RECORDER = ((0, 0.0), (5300, 0.0), (5450, -4.0), (5550, -6.8), (5650, -12.9), (5750, -23.4), (5850, -35.6), (5950, -49.8))
"""Hz and dB: the ratio of the power of 12 kHz records to that of their 48 kHz twins in bands of 100 Hz, 5.0 to 5.3 kHz
taken as 0 dB, median over the eight pairs of signals; less 1 to 4 dB for the slope within a band."""
_STOP_HZ, _STOP_DB = 6000, -60.0


def decimate(signal: NDArray[np.float64], end: str) -> NDArray[np.float64]:
    """Every fourth sample of a filtered 48 kHz signal: (sample,) to (`decimated_length`,), without delay.

    The filter is of finite length and linear phase. Output whose filter would reach beyond the signal is left out.
    """
    from scipy.signal import upfirdn

    first = 2 * _REACH[end] // FACTOR
    filtered: NDArray[Any] = upfirdn(_taps(end), signal, up=1, down=FACTOR)
    return filtered[first : first + decimated_length(len(signal), end)]


def decimated_length(samples: int, end: str) -> int:
    """How many samples `decimate` makes of a signal."""
    return max(0, (samples - 1 - 2 * _REACH[end]) // FACTOR + 1)


def decimation(end: str) -> Filtering:
    """The filter of a machine end, as a published split says it."""
    frequencies = [*(hz for hz, _ in _DRIVE_END_RECORDER), _STOP_HZ, _RATE_HZ / 2]
    gains = [10 ** (db / 20) for db in (*(db for _, db in _DRIVE_END_RECORDER), _STOP_DB)]
    if end == DRIVE_END:
        design, shape = "firwin2", {"freq": frequencies, "gain": [*gains, 0.0]}
    else:
        design, shape = "firwin", {"cutoff": _RATE_HZ / FACTOR / 2}
    arguments = {"numtaps": 2 * _REACH[end] + 1, **shape, "fs": _RATE_HZ}
    return Filtering(design, arguments, up=1, down=FACTOR, first=2 * _REACH[end] // FACTOR)


@cache
def _taps(end: str) -> NDArray[np.float64]:
    return decimation(end).taps()
