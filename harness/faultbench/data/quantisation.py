"""The step of a recorder's converter, estimated from the samples alone.

A signal from a converter takes the values a + k q, k whole. Where recordings of two classes were made at two ranges, or one of them was
filtered after it was recorded, q tells the classes apart and has nothing to do with a fault.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LONGEST = 4096
"""Samples that `quantisation_step` looks at."""

_BINS = 8192
"""Bins of a histogram. A step is found where the values looked at span less than a third as many steps."""

_MIDDLE = 0.25
"""The share of the samples, those nearest to the median, that is looked at where all together span too many steps."""

_COHERENT = 0.5
"""How well values must agree with a step: 1 where they are its multiples, 0.94 with uniform dither of a tenth of a step to either side,
below 0.15 where there is no step."""

_ALMOST = 0.8
"""A step agrees as well as its parts do; of those that come so near to the best, the largest is it."""

_TRIVIAL = 2.5
"""No step is longer than so many standard deviations of the bulk: one of those would hold most values whatever they are."""

_BULK, _BULK_SIGMAS = (0.1, 0.9), 2.563
"""The quantiles that say how wide the bulk of the values is, whatever shocks stand out of it, and how far apart a Gaussian has them."""

_CHUNK = 256
"""Windows at a time, for the sake of memory."""


def quantisation_step(signal: NDArray[np.float32]) -> float | None:
    """The step between a signal's values, judged by its first samples; None where there is no common one."""
    step = float(quantisation_steps(np.asarray(signal[:LONGEST])[None])[0])
    return step if np.isfinite(step) else None


def quantisation_steps(windows: NDArray[np.float32]) -> Floats:
    """(window,): the step between the values of each window (window, sample); not a number where there is none.

    The characteristic function of values that are multiples of q is 1 at the frequency 1/q, and dither or rounding well below a step takes
    little of it (Widrow & Kollar 2008, Quantization Noise, chapter 4). It is the Fourier transform of the values' histogram. Where it
    stands out, q is refined by least squares.
    """
    chunks = [windows[i : i + _CHUNK].astype(np.float64) for i in range(0, len(windows), _CHUNK)]
    return np.concatenate([_steps(chunk) for chunk in chunks]) if chunks else np.empty(0)


def _steps(windows: Floats) -> Floats:
    values = np.sort(windows, axis=1)
    whole = _step_of(values)
    count = max(int(values.shape[1] * _MIDDLE), 1)
    first = (values.shape[1] - count) // 2
    return np.where(np.isfinite(whole), whole, _step_of(values[:, first : first + count]))


def _step_of(values: Floats) -> Floats:
    """(window,): the step of sorted values (window, value)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        width = (values[:, -1] - values[:, 0]) / (_BINS - 1)
        place = np.rint((values - values[:, :1]) / width[:, None])
        low, high = (values[:, int(share * (values.shape[1] - 1))] for share in _BULK)
        first = 2 * _BINS * width * _BULK_SIGMAS / (_TRIVIAL * (high - low))
        agreement = _characteristic(np.nan_to_num(place).astype(np.int64))
        frequency = np.arange(agreement.shape[1])
        agreement[(frequency < first[:, None]) | (frequency < 4) | ~np.isfinite(width)[:, None] | (width == 0)[:, None]] = 0.0
        best = agreement.max(axis=1, keepdims=True)
        peak = np.argmax((agreement >= _COHERENT) & (agreement >= _ALMOST * best), axis=1)
        # The first that comes near to the best stands on the flank of its peak.
        near = agreement[np.arange(len(peak))[:, None], np.minimum(peak[:, None] + np.arange(4), agreement.shape[1] - 1)]
        step = np.where(best[:, 0] >= _COHERENT, 2 * _BINS * width / (peak + np.argmax(near, axis=1)), np.nan)
        return _refined(values, step)


def _characteristic(place: NDArray[np.int64]) -> Floats:
    """(window, frequency): the magnitude of the characteristic function, by way of histograms of the places (window, value).

    Frequencies count turns in twice the bins, up to three bins a turn.
    """
    cells = place + _BINS * np.arange(len(place))[:, None]
    histogram = np.bincount(cells.reshape(-1), minlength=len(place) * _BINS).reshape(len(place), _BINS)
    turned = np.fft.rfft(histogram.astype(np.float32), n=2 * _BINS, axis=1)[:, : 2 * _BINS // 3]
    magnitude: Floats = np.abs(turned).astype(np.float64) / place.shape[1]
    return magnitude


def _refined(values: Floats, step: Floats) -> Floats:
    """(window,): the slope of the values over the steps that they are from the middle one."""
    turns = np.rint((values - values[:, values.shape[1] // 2, None]) / step[:, None])
    turns -= turns.mean(axis=1, keepdims=True)
    refined: Floats = (turns * values).sum(axis=1) / (turns * turns).sum(axis=1)
    return refined
