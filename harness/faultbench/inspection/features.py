"""Small features of windows, each of one thing that a window shows beside a fault."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faultbench.data.quantisation import quantisation_steps

Floats = NDArray[np.float64]
Windows = NDArray[np.float32]

SEGMENT = 256
"""Samples per segment of the averaged periodogram: as the front end `welch` has it, so that figures can be compared."""

FLOOR = 1e-5
"""Added to the normalised power, as there."""

ROLLOFF = 0.95
"""The share of the power below the rolloff."""

TOP, BELOW = 0.97, (0.75, 0.9)
"""Shares of the band: above the first a recorder's filter shows most, between the others it hardly does."""

NO_STEP = 1e-12
"""Stands for the step of a window that has none: below any converter's, and the same whatever the loudness."""

_TINY = 1e-20


def loudness(windows: Windows) -> Floats:
    """(window, 1): the logarithm of the RMS about the mean."""
    found: Floats = np.log(_centred(windows).std(axis=1, keepdims=True) + _TINY)
    return found


def offset(windows: Windows) -> Floats:
    """(window, 1): the mean."""
    mean: Floats = windows.mean(axis=1, keepdims=True, dtype=np.float64)
    return mean


def impulsiveness(windows: Windows) -> Floats:
    """(window, 2): the logarithms of kurtosis and crest factor, 0 for a constant window."""
    power = _centred(windows) ** 2
    mean = power.mean(axis=1) + _TINY
    kurtosis, crest = (power * power).mean(axis=1) / mean**2, np.sqrt(power.max(axis=1) / mean)
    found: Floats = np.log(np.maximum(np.stack([kurtosis, crest], axis=1), 1.0))
    return found


def step(windows: Windows) -> Floats:
    """(window, 1): the logarithm of the step between values; of `NO_STEP` where there is none."""
    found = quantisation_steps(windows)
    logarithm: Floats = np.log(np.where(np.isfinite(found), found, NO_STEP))[:, None]
    return logarithm


def power_spectrum(windows: Windows) -> Floats:
    """(window, bin): Welch's averaged periodogram (Welch 1967), Hann segments half over one another, without the bin at 0; of no unit."""
    segment = min(SEGMENT, windows.shape[1])
    frames = np.lib.stride_tricks.sliding_window_view(_centred(windows), segment, axis=1)[:, :: max(segment // 2, 1)]
    hann = np.hanning(segment + 1)[:-1]
    power = np.zeros((len(windows), segment // 2))
    for number in range(frames.shape[1]):
        power += np.abs(np.fft.rfft(frames[:, number] * hann, axis=1)[:, 1:]) ** 2
    power /= frames.shape[1]
    return power


def extent(power: Floats) -> Floats:
    """(window, 2): the logarithms of rolloff and bandwidth of power spectra."""
    share = power / (power.sum(axis=1, keepdims=True) + _TINY)
    frequency = _frequency(power)
    rolloff = frequency[np.argmax(np.cumsum(share, axis=1) >= ROLLOFF * share.sum(axis=1, keepdims=True), axis=1)]
    centre = share @ frequency
    bandwidth = np.sqrt(((frequency - centre[:, None]) ** 2 * share).sum(axis=1))
    found: Floats = np.log(np.stack([rolloff, bandwidth + FLOOR], axis=1))
    return found


def band_edge(power: Floats) -> Floats:
    """(window, 1): how far the top of the band lies under what is below it, nepers of power."""
    frequency = _frequency(power)
    top, below = frequency > TOP, (frequency > BELOW[0]) & (frequency < BELOW[1])
    found: Floats = np.log((power[:, top].mean(axis=1) + _TINY) / (power[:, below].mean(axis=1) + _TINY))[:, None]
    return found


def spectrum(power: Floats) -> Floats:
    """(window, bin): the logarithm of power spectra without their level, nepers."""
    found: Floats = 0.5 * np.log(power / (power.mean(axis=1, keepdims=True) + _TINY) + FLOOR)
    return found


def _frequency(power: Floats) -> Floats:
    """(bin,): as a share of the band."""
    frequency: Floats = np.arange(1, power.shape[1] + 1) / power.shape[1]
    return frequency


def _centred(windows: Windows) -> Floats:
    centred: Floats = windows - offset(windows)
    return centred
