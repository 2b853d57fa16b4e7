"""What an engineer looks at first: amplitude spectrum, squared envelope spectrum, and where the lines of each fault must stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import Recording

Floats = NDArray[np.float64]

RESOLUTION_HZ, ENVELOPE_HZ = 2.0, 0.5
"""Between the bins of an amplitude spectrum and of an envelope spectrum, where a recording is long enough: the lines of faults stand some
tens of Hz apart, and slip smears them by some tenths."""

SMOOTHING_HZ = 100.0
"""How wide the bands are in which a spectrum is levelled before its envelope is taken: wider than any comb of a fault, narrower than a
resonance of a machine's structure."""

_FLOOR = 1e-4
"""Bands whose power lies this far under the median are not raised: above a filter's edge there is nothing but its noise."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Amplitudes over frequency.

    Args:
        hz: (bin,).
        amplitude: (bin,).
        resolution_hz: The distance between bins.
    """

    hz: Floats
    amplitude: Floats
    resolution_hz: float


@dataclass(frozen=True, slots=True)
class Line:
    """A frequency at which a damaged element shows.

    Args:
        name: As in the field: `BPFO`, `BPFI`, `2xBSF`, `FTF`.
        element: The element whose damage it tells.
        order: Events per turn of the shaft.
        hz: Events per second, at the recording's speed.
    """

    name: str
    element: str
    order: float
    hz: float


def amplitude_spectrum(signal: NDArray[np.float32], rate_hz: float, resolution_hz: float = RESOLUTION_HZ) -> Spectrum:
    """The one-sided amplitude spectrum: a sine of amplitude a, in the signal's unit, stands at a.

    Powers are averaged over Hann segments, half over one another (Welch 1967).
    """
    return _averaged(signal.astype(np.float64), rate_hz, resolution_hz)


def envelope_spectrum(signal: NDArray[np.float32], rate_hz: float, resolution_hz: float = ENVELOPE_HZ) -> Spectrum:
    """The spectrum of the squared envelope of the pre-whitened signal, relative to the envelope's mean.

    Randall & Antoni 2011, Mech. Syst. Signal Process. 25(2), doi 10.1016/j.ymssp.2010.07.017: the shocks of a local fault ring up
    resonances anywhere in the band, so that the band is levelled first, and the squared envelope has the rate of the shocks, whatever
    resonance carries it. The amplitude is that of the envelope's modulation: 1 where it goes to zero and back.
    """
    from scipy.signal import hilbert

    whitened = prewhitened(signal, rate_hz)
    envelope: Floats = np.abs(hilbert(whitened)) ** 2
    mean = float(envelope.mean())
    return _averaged(envelope / mean - 1 if mean > 0 else envelope, rate_hz, resolution_hz)


def prewhitened(signal: NDArray[np.float32], rate_hz: float) -> Floats:
    """The signal with its spectrum levelled in bands of `SMOOTHING_HZ`; phases, hence shocks, stay where they are. Its RMS is 1."""
    from scipy.signal import welch

    centred = signal.astype(np.float64) - signal.mean(dtype=np.float64)
    segment = min(max(int(rate_hz / SMOOTHING_HZ), 16), len(centred))
    hz, power = welch(centred, rate_hz, nperseg=segment, detrend=False)
    power[0] = power[min(1, len(power) - 1)]  # the mean was taken away
    level = np.sqrt(np.maximum(power, _FLOOR * np.median(power)))
    turned = np.fft.rfft(centred)
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = np.nan_to_num(turned / np.interp(np.fft.rfftfreq(len(centred), 1 / rate_hz), hz, level), posinf=0.0, neginf=0.0)
    whitened: Floats = np.fft.irfft(turned, len(centred))
    rms = float(whitened.std())
    return whitened / rms if rms > 0 else whitened


def fault_lines(recording: Recording) -> tuple[Line, ...]:
    """Where the faults of a recording's bearing show, from its geometry and speed; none where either is not known.

    A spall on a ball strikes both rings in one spin, hence twice the ball spin frequency.
    """
    geometry, speed_rpm = recording.geometry, recording.speed_rpm
    if geometry is None or not speed_rpm:
        return ()
    orders = (
        ("BPFO", "outer", geometry.bpfo),
        ("BPFI", "inner", geometry.bpfi),
        ("2xBSF", "ball", 2 * geometry.bsf),
        ("FTF", "cage", geometry.ftf),
    )
    return tuple(Line(name, element, order, order * speed_rpm / 60) for name, element, order in orders)


def _averaged(values: Floats, rate_hz: float, resolution_hz: float) -> Spectrum:
    from scipy.signal import welch

    segment = min(max(round(rate_hz / resolution_hz), 16), len(values))
    hz, power = welch(values, rate_hz, nperseg=segment, scaling="spectrum")
    return Spectrum(hz, np.sqrt(2 * power), rate_hz / segment)
