"""From 48 to 12 kHz, in the way in which the 12 kHz records of the same machine end were made.

The healthy records exist at 48 kHz only, the faults that they are told from at 12 kHz. If the band below 6 kHz were cut
otherwise than the recorder cut it, the cut alone would tell healthy from faulty. What the recorder did can be seen where one
fault was recorded at both rates (105 and 109, 118 and 122, 130 and 135, 169 and 174, both sensors): drive-end records of
12 kHz fall off from 5.3 kHz on and are 50 dB down at 5.95 kHz. Those of the fan end (270 to 318) go on to 6 kHz, 2 to 4 dB
down in power from 5.4 kHz on, as a half-band filter leaves it with what it folds back.

`scipy.signal.upfirdn` would do it, but importing scipy.signal takes as long as reading all records. Hence the taps that scipy
designed stand in `taps.npz`, and blocks of output are matrix products. What those sum up depends in its last bits on the
machine; where that could change the float32 that comes out, products are summed in the order of the samples, as `upfirdn` does.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

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


_BLOCK, _ROWS = 64, 8
"""Output samples of a block, and blocks that are made at once."""


def decimate(signal: NDArray[np.float64], end: str) -> NDArray[np.float32]:
    """Every fourth sample of a filtered 48 kHz signal: (sample,) to (`decimated_length`,), without delay.

    The filter is of finite length and linear phase. Output whose filter would reach beyond the signal is left out. Each output is
    the float32 nearest to the products with the taps, summed in the order of the samples in float64.
    """
    taps = _taps(end)
    length = decimated_length(len(signal), end)
    if not length:
        return np.empty(0, dtype=np.float32)
    sums = _correlated(signal, taps, length)
    # Two sums of n products, each in an order of its own, are apart by less than 2 n u / (1 - n u) times the sum of the products'
    # magnitudes, u = 2^-53 (Higham 2002, Accuracy and Stability of Numerical Algorithms, eq. 3.5).
    apart = 2.1 * len(taps) * 2.0**-53 * float(np.abs(taps).sum()) * float(max(signal.max(), -signal.min()))
    doubtful = np.flatnonzero((sums - apart).astype(np.float32) != (sums + apart).astype(np.float32))
    for place in doubtful.tolist():
        sums[place] = np.add.accumulate(signal[FACTOR * place : FACTOR * place + len(taps)] * taps)[-1]
    return sums.astype(np.float32)


def decimated_length(samples: int, end: str) -> int:
    """How many samples `decimate` makes of a signal."""
    return max(0, (samples - 1 - 2 * _REACH[end]) // FACTOR + 1)


def filtering(end: str) -> Filtering:
    """The filter of a machine end, as scipy designs it from what was measured and as a published split says it.

    `taps.npz` holds its taps, and a test compares.
    """
    frequencies = [*(hz for hz, _ in _DRIVE_END_RECORDER), _STOP_HZ, _RATE_HZ / 2]
    gains = [10 ** (db / 20) for db in (*(db for _, db in _DRIVE_END_RECORDER), _STOP_DB)]
    if end == DRIVE_END:
        design, shape = "firwin2", {"freq": frequencies, "gain": [*gains, 0.0]}
    else:
        design, shape = "firwin", {"cutoff": _RATE_HZ / FACTOR / 2}
    arguments = {"numtaps": 2 * _REACH[end] + 1, **shape, "fs": _RATE_HZ}
    return Filtering(design, arguments, up=1, down=FACTOR, first=2 * _REACH[end] // FACTOR)


def _correlated(signal: NDArray[np.float64], taps: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(length,): at each fourth sample the sum of the products of the samples from there on with the taps.

    The signal is laid out as rows of `FACTOR * _BLOCK` samples. A block of output is then the sum of products of successive rows
    with matrices whose columns are the taps, each `FACTOR` samples further down. A few rows at a time: of larger products BLAS
    makes work for several threads, which take longer to wait for one another.
    """
    width = FACTOR * _BLOCK
    blocks = -(-length // (_BLOCK * _ROWS)) * _ROWS
    reach = 1 + -(-(len(taps) - FACTOR) // width)
    rows = np.zeros((blocks + reach - 1, width))
    held = min(len(signal), rows.size)
    rows.reshape(-1)[:held] = signal[:held]
    shifted = np.zeros((reach * width, _BLOCK))
    for column in range(_BLOCK):
        shifted[FACTOR * column : FACTOR * column + len(taps), column] = taps
    sums = np.zeros((blocks // _ROWS, _ROWS, _BLOCK))
    for row in range(reach):
        sums += rows[row : row + blocks].reshape(-1, _ROWS, width) @ shifted[row * width : (row + 1) * width]
    return sums.reshape(-1)[:length]


@cache
def _taps(end: str) -> NDArray[np.float64]:
    """The taps in the order in which they meet the samples, as `filtering` designs them."""
    with (resources.files("faultbench_datasets.cwru") / "taps.npz").open("rb") as file, np.load(file, allow_pickle=False) as held:
        taps: NDArray[np.float64] = held[end][::-1].copy()
    return taps
