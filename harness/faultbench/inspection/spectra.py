"""What an engineer looks at first: amplitude spectrum, squared envelope spectrum, and where the lines of each fault must stand."""

from __future__ import annotations

from collections.abc import Iterator
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


MESH = "GMF"
"""The name of the line at which teeth mesh."""


@dataclass(frozen=True, slots=True)
class Line:
    """A frequency at which a damaged element shows, or on which it is carried.

    Args:
        name: As in the field: `BPFO`, `BPFI`, `2xBSF`, `FTF`; `GMF`, `pinion`, `wheel`.
        element: The element whose damage it tells; `gears` for a pair of them.
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
    """Where the faults of a recording's bearing or gears show, from geometry or teeth and the speed; none where these are not known.

    A spall on a ball strikes both rings in one spin, hence twice the ball spin frequency. A gear's fault modulates the mesh once a turn of
    that gear: side-bands about the mesh frequency (`GMF`) and its harmonics in the spectrum, lines at the gear's turns in the envelope's.
    """
    geometry, gearing, speed_rpm = recording.geometry, recording.gearing, recording.speed_rpm
    if not speed_rpm:
        return ()
    orders: list[tuple[str, str, float]] = []
    if geometry is not None:
        orders += [
            ("BPFO", "outer", geometry.bpfo),
            ("BPFI", "inner", geometry.bpfi),
            ("2xBSF", "ball", 2 * geometry.bsf),
            ("FTF", "cage", geometry.ftf),
        ]
    if gearing is not None:
        orders += [(MESH, "gears", gearing.mesh), ("pinion", "gears", gearing.pinion), ("wheel", "gears", gearing.wheel)]
    return tuple(Line(name, element, order, order * speed_rpm / 60) for name, element, order in orders)


def side_bands(lines: tuple[Line, ...], harmonics: int, each_side: int) -> Iterator[tuple[Line, float]]:
    """The mesh frequency, its harmonics and their side-bands: each with the line that it belongs to, and its place in Hz."""
    mesh = next((line for line in lines if line.name == MESH), None)
    if mesh is None:
        return
    for harmonic in range(1, harmonics + 1):
        at = harmonic * mesh.hz
        yield mesh, at
        for line in lines:
            if line.name in ("pinion", "wheel"):
                for turn in range(1, each_side + 1):
                    yield line, at - turn * line.hz
                    yield line, at + turn * line.hz


def _averaged(values: Floats, rate_hz: float, resolution_hz: float) -> Spectrum:
    from scipy.signal import welch

    segment = min(max(round(rate_hz / resolution_hz), 16), len(values))
    hz, power = welch(values, rate_hz, nperseg=segment, scaling="spectrum")
    return Spectrum(hz, np.sqrt(2 * power), rate_hz / segment)
