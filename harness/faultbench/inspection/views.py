"""What is seen of a recording: its waveform and its spectra, read straight from the data set."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import DataSet, Recording
from faultbench.errors import PluginError, UsageError
from faultbench.inspection.selection import Chosen
from faultbench.inspection.spectra import MESH, Line, Spectrum, amplitude_spectrum, envelope_spectrum, fault_lines

WAVEFORM_S = 0.2
"""Of a waveform, unless it is said: some turns of the shaft, some ten shocks."""

LONGEST_S = 30.0
"""Of a recording, that spectra are averaged over."""

HARMONICS = 3
"""How many of each line are drawn."""

_AXIS_HZ = 500.0
"""How far an envelope spectrum is shown where no line says how far it matters."""


@dataclass(frozen=True, slots=True)
class View:
    """One recording, seen.

    Args:
        heading: Its class.
        recording: The recording.
        channel: The channel's name.
        unit: Of its values.
        rate_hz: Of its samples.
        seconds: (sample,): the time of the waveform's samples.
        waveform: (sample,).
        averaged_s: The seconds that the spectra are averaged over.
        spectrum: The amplitude spectrum.
        envelope: The spectrum of the squared envelope.
        lines: Where faults show; empty where geometry or speed is not known.
        rms: About the mean, of all that was averaged over; likewise the next two.
        kurtosis: 3 for a Gaussian signal.
        crest: The largest value over the RMS.
    """

    heading: str
    recording: Recording
    channel: str
    unit: str
    rate_hz: float
    seconds: NDArray[np.float64]
    waveform: NDArray[np.float32]
    averaged_s: float
    spectrum: Spectrum
    envelope: Spectrum
    lines: tuple[Line, ...]
    rms: float
    kurtosis: float
    crest: float

    @property
    def shaft_hz(self) -> float | None:
        """Turns of the shaft per second, None where they are not known."""
        return self.recording.speed_rpm / 60 if self.recording.speed_rpm else None

    @property
    def envelope_to_hz(self) -> float:
        """How far the envelope spectrum matters: a little beyond the harmonics of the fastest line; of gears, of the faster one's turns."""
        rates = (2 * line.hz if line.element == "gears" else line.hz for line in self.lines if line.name != MESH)
        fastest = max(rates, default=0.0) or 4 * (self.shaft_hz or 0.0)
        return min((HARMONICS + 0.5) * fastest or _AXIS_HZ, self.rate_hz / 2)


def view(dataset: DataSet, chosen: Chosen, waveform_s: float = WAVEFORM_S) -> View:
    """Reads one channel of a recording, and what is seen of it.

    Args:
        dataset: Where it is read from.
        chosen: Which.
        waveform_s: How much of the beginning the waveform shows.

    Raises:
        UsageError: The waveform would show less than two samples.
        DataError: The recording cannot be read.
        PluginError: The data set returns something else than a signal.
    """
    channel = chosen.recording.channel(chosen.channel)
    signal = _read(dataset, chosen)[: int(LONGEST_S * channel.rate_hz)]
    if not 2 <= waveform_s * channel.rate_hz < math.inf:
        raise UsageError(f"a waveform of {waveform_s:g} s shows nothing at {channel.rate_hz:g} Hz: give --window more seconds")
    shown = int(waveform_s * channel.rate_hz)
    centred = signal.astype(np.float64) - signal.mean(dtype=np.float64)
    rms = float(centred.std())
    return View(
        heading=chosen.heading,
        recording=chosen.recording,
        channel=channel.name,
        unit=channel.unit,
        rate_hz=channel.rate_hz,
        seconds=np.arange(len(signal[:shown])) / channel.rate_hz,
        waveform=signal[:shown],
        averaged_s=len(signal) / channel.rate_hz,
        spectrum=amplitude_spectrum(signal, channel.rate_hz),
        envelope=envelope_spectrum(signal, channel.rate_hz),
        lines=fault_lines(chosen.recording),
        rms=rms,
        kurtosis=float((centred**4).mean() / rms**4) if rms else 0.0,
        crest=float(np.abs(centred).max() / rms) if rms else 0.0,
    )


def _read(dataset: DataSet, chosen: Chosen) -> NDArray[np.float32]:
    signal = dataset.read(chosen.recording, chosen.channel)
    if not isinstance(signal, np.ndarray) or signal.ndim != 1 or len(signal) < 2 or not np.isfinite(signal).all():
        what = f"{chosen.recording.dataset}: {chosen.recording.id}, channel {chosen.channel}"
        raise PluginError(f"{what}: read() returned no finite array (sample,): mend the data set")
    return signal
