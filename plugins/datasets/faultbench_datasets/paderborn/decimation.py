"""From 64 to 16 kHz, without delay and without what would fold back."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.api import Filtering

FACTOR = 4
_RATE_HZ = 64_000.0
_REACH = 160
"""Samples that the filter reaches to either side, a multiple of `FACTOR`, so that its delay is a whole number of output samples."""
_CUTOFF_HZ = 7_500.0
_STOP_DB = 80.0
"""With these the filter passes everything up to 7 kHz, and from 8 kHz on, where folding begins, lets through a ten-thousandth."""


def decimate(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every fourth sample of a filtered 64 kHz signal: (sample,) to (`decimated_length`,).

    The filter is of finite length and linear phase (Kaiser's window). Output whose filter would reach beyond the signal is left out.
    """
    from scipy.signal import upfirdn

    first = 2 * _REACH // FACTOR
    filtered: NDArray[Any] = upfirdn(_taps(), signal, up=1, down=FACTOR)
    return filtered[first : first + decimated_length(len(signal))]


def decimated_length(samples: int) -> int:
    """How many samples `decimate` makes of a signal."""
    return max(0, (samples - 1 - 2 * _REACH) // FACTOR + 1)


def filtering() -> Filtering:
    """The filter, as a published split says it."""
    from scipy.signal import kaiser_beta

    window = ["kaiser", float(kaiser_beta(_STOP_DB))]
    arguments = {"numtaps": 2 * _REACH + 1, "cutoff": _CUTOFF_HZ, "window": window, "fs": _RATE_HZ}
    return Filtering("firwin", arguments, 1, FACTOR, 2 * _REACH // FACTOR)


@cache
def _taps() -> NDArray[np.float64]:
    return filtering().taps()
