"""One measurement: what happens in a session, and what each sensor makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.api import HEALTHY
from faultbench_datasets.simulated.damage import surfaces
from faultbench_datasets.simulated.forces import bearing_force, finish
from faultbench_datasets.simulated.heat import warming
from faultbench_datasets.simulated.kinematics import Array, Rotation, rotation
from faultbench_datasets.simulated.machinery import Background, background, knocks, turning
from faultbench_datasets.simulated.meshing import gear_force
from faultbench_datasets.simulated.motor import current
from faultbench_datasets.simulated.rig import (
    ACCELEROMETER,
    ACROSS,
    BEARINGS,
    CURRENT,
    RATE_HZ,
    SAMPLES,
    TEMPERATURE,
    TEMPERATURE_HZ,
    TEMPERATURE_SAMPLES,
    Load,
    Specimen,
)
from faultbench_datasets.simulated.sensor import digitise, hum, mains, noise_power, passband
from faultbench_datasets.simulated.streams import stream
from faultbench_datasets.simulated.structure import across, bearing_path, mounting_path

_LEAD = 4_096
"""Samples before the recording begins: filtering by FFT wraps around, and this is where it does. It also makes 7 x 2^13."""
_TOTAL = SAMPLES + _LEAD
_WANDER = 8e-4
_SPEED_ERROR = 2.5e-3
"""How far the mean speed may be from the nominal one: a motor's slip depends on its temperature too."""

Spectrum = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens in one session, before any sensor; the lead is part of it.

    Args:
        specimen: What is measured.
        load: At which load.
        times_s: (sample,).
        hz: (frequency,), of the spectra.
        shaft: How it turns.
        around: The vibration from elsewhere in the machine.
        frame: (frequency,) the frame's response in the first accelerometer's direction.
        elsewhere: (frequency,) forces that come through the frame, in g at a path of unit power.
        own: (frequency,) the specimen's own forces, likewise.
        sway: (sample,) how much more or less torque the specimen passes on than the load asks for, relative; 0 for a bearing.
    """

    specimen: Specimen
    load: Load
    times_s: Array
    hz: Array
    shaft: Rotation
    around: Background
    frame: Spectrum
    elsewhere: Spectrum
    own: Spectrum
    sway: Array | float

    @property
    def session(self) -> str:
        """The session's name."""
        return self.specimen.session(self.load)


def scene(specimen: Specimen, load: Load) -> Scene:
    """The forces of one session."""
    machine, session = specimen.machine, specimen.session(load)
    times = np.arange(_TOTAL) / RATE_HZ
    hz = np.fft.rfftfreq(_TOTAL, 1 / RATE_HZ)
    shaft = turning_shaft(specimen, load)
    around = background(machine, specimen.mounting)
    sway: Array | float
    if specimen.equipment == BEARINGS:
        own, sway = bearing_force(specimen, load, shaft, times, hz), 0.0
    else:
        around = around.without_gears()
        own, sway = gear_force(specimen, load, shaft, times, hz)
    elsewhere = turning(around, shaft, load.share, times) + knocks(around, _TOTAL, RATE_HZ, stream("knocks", session))
    if specimen.equipment != BEARINGS:
        elsewhere = elsewhere + _support(specimen, shaft, times, session)
    frame = mounting_path(machine, specimen.mounting).response(hz)
    return Scene(specimen, load, times, hz, shaft, around, frame, np.fft.rfft(elsewhere), own, sway)


def measure(s: Scene, channel: str) -> NDArray[np.float32]:
    """What a session's sensor says: (sample,), in its channel's unit."""
    if channel in (ACCELEROMETER, ACROSS):
        return acceleration(s, channel)
    if channel == CURRENT:
        machine = s.specimen.machine
        amperes = current(machine, s.load, s.shaft, s.own, s.sway, s.times_s, s.hz, s.session)
        return digitise(amperes[_LEAD:], machine.motor.range_a)
    if channel == TEMPERATURE:
        return warming(s.specimen, s.load).measured(np.arange(TEMPERATURE_SAMPLES) / TEMPERATURE_HZ, stream("thermometer", s.session))
    raise KeyError(channel)


def acceleration(s: Scene, channel: str) -> NDArray[np.float32]:
    """What an accelerometer says, in g: (sample,).

    Both feel the same forces, each by a path of its own. The second one's noise is in part the first one's by the other path.
    """
    machine, mounting = s.specimen.machine, s.specimen.mounting
    path, frame, cable = mounting_path(machine, mounting), s.frame, mounting
    noise = _white(stream("noise", s.session))
    if channel == ACCELEROMETER:
        noise = np.sqrt(_frame_noise_power(s, frame) + noise_power(s.hz)) * noise
    else:
        path, cable = across(path, mounting), f"{mounting} {channel}"
        frame = path.response(s.hz)
        common = stream("common", mounting).uniform(0.3, 0.7)
        turned = frame * s.frame.conj() / np.abs(frame * s.frame)
        own = _white(stream("noise", channel, s.session))
        sensor = _white(stream("sensor", channel, s.session))
        heard = np.sqrt(common) * turned * noise + np.sqrt(1 - common) * own
        noise = np.sqrt(_frame_noise_power(s, frame)) * heard + np.sqrt(noise_power(s.hz)) * sensor
    spectrum = s.elsewhere * frame + s.own * bearing_path(path, s.specimen.bearing, s.load.share).response(s.hz)
    spectrum += noise
    felt = np.fft.irfft(spectrum * passband(s.hz), _TOTAL) + hum(cable, mains(machine, s.session), s.times_s)
    return digitise(felt[_LEAD:], machine.range_g)


def turning_shaft(specimen: Specimen, load: Load) -> Rotation:
    """How the shaft turns in that session, lead included."""
    rng = stream("shaft", specimen.session(load))
    mean_hz = load.speed_rpm / 60 * (1 + _SPEED_ERROR * rng.uniform(-1, 1))
    return rotation(mean_hz, _TOTAL / RATE_HZ, _WANDER, rng)


def _support(specimen: Specimen, shaft: Rotation, times_s: Array, session: str) -> Array:
    """The noise of the sound bearing at the mounting, which stays while the gears are exchanged: (sample,)."""
    bearing = Specimen(f"{specimen.mounting} support", specimen.machine, specimen.mounting, HEALTHY, "")
    return finish(surfaces(bearing), specimen.machine.dimensions.geometry.bpfo, shaft, times_s, session)


def _frame_noise_power(s: Scene, frame: Spectrum) -> Array:
    """The power of the noise through the frame, in g^2 relative to a density of one over the band: (frequency,)."""
    b = s.around
    return b.noise_g**2 * ((1 - b.broad) * np.abs(frame) ** 2 + b.broad / (1 + (s.hz / b.corner_hz) ** 2))


def _white(rng: np.random.Generator) -> Spectrum:
    """The spectrum of white noise of unit variance: (frequency,)."""
    bins = _TOTAL // 2 + 1
    return rng.standard_normal(2 * bins).view(complex) * np.sqrt(_TOTAL / 2)
