"""One measurement: the forces of a bearing and of its machine, through the structure, into the sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.damage import Surfaces, damage, surfaces
from faultbench_datasets.simulated.forces import PASSAGES, Passages, rough_noise, spall_shape, strikes
from faultbench_datasets.simulated.kinematics import Array, Rotation, passages, rotation
from faultbench_datasets.simulated.machinery import background, knocks, turning
from faultbench_datasets.simulated.rig import RATE_HZ, SAMPLES, Load, Specimen
from faultbench_datasets.simulated.sensor import digitise, hum, noise_power, passband
from faultbench_datasets.simulated.streams import stream
from faultbench_datasets.simulated.structure import bearing_path, mounting_path

_LEAD = 4_096
"""Samples before the recording begins: filtering by FFT wraps around, and this is where it does. It also makes 7 x 2^13."""
_TOTAL = SAMPLES + _LEAD
_WANDER = 8e-4
_SPEED_ERROR = 2.5e-3
"""How far the mean speed may be from the nominal one: a motor's slip depends on its temperature too."""


def measure(specimen: Specimen, load: Load) -> NDArray[np.float32]:
    """The acceleration in g that one session holds: (sample,)."""
    machine, session = specimen.machine, specimen.session(load)
    times = np.arange(_TOTAL) / RATE_HZ
    hz = np.fft.rfftfreq(_TOTAL, 1 / RATE_HZ)
    shaft = turning_shaft(specimen, load)
    around = background(machine, specimen.mounting)
    path = mounting_path(machine, specimen.mounting)
    frame = path.response(hz)
    own = bearing_path(path, specimen.bearing, load.share).response(hz)

    elsewhere = turning(around, shaft, load.share, times) + knocks(around, _TOTAL, RATE_HZ, stream("knocks", session))
    spectrum = np.fft.rfft(elsewhere) * frame + _bearing_force(specimen, load, shaft, times, hz) * own
    power = around.noise_g**2 * ((1 - around.broad) * np.abs(frame) ** 2 + around.broad / (1 + (hz / around.corner_hz) ** 2))
    spectrum += np.sqrt(power + noise_power(hz)) * _white(stream("noise", session))
    felt = np.fft.irfft(spectrum * passband(hz), _TOTAL) + hum(machine, specimen.mounting, times, stream("hum", session))
    return digitise(felt[_LEAD:], machine.range_g)


def turning_shaft(specimen: Specimen, load: Load) -> Rotation:
    """How the shaft turns in that session, lead included."""
    rng = stream("shaft", specimen.session(load))
    mean_hz = load.speed_rpm / 60 * (1 + _SPEED_ERROR * rng.uniform(-1, 1))
    return rotation(mean_hz, _TOTAL / RATE_HZ, _WANDER, rng)


def _bearing_force(specimen: Specimen, load: Load, shaft: Rotation, times: Array, hz: Array) -> NDArray[np.complex128]:
    """The spectrum of all forces of the bearing itself, (frequency,), in g at a path of unit power."""
    session, dimensions = specimen.session(load), specimen.machine.dimensions
    own = surfaces(specimen)
    force = _finish(own, dimensions.geometry.bpfo, shaft, times, session)
    if specimen.healthy:
        return np.fft.rfft(force)
    wrong = damage(specimen)
    # a load closes the clearance: the zone widens
    zone = own.zone * (1 + 0.5 * load.share)
    through = PASSAGES[specimen.element](wrong, own, dimensions, shaft, zone, stream("passages", session))
    strength = np.exp(0.12 * stream("strength", session).standard_normal()) * (0.85 + 0.3 * load.share)
    if wrong.rough_g:
        force = force + strength * rough_noise(through, wrong.rough_g, wrong.rough_depth, times, stream("rough", session))
    spectrum = np.fft.rfft(force)
    if wrong.strike_g:
        train = strength * strikes(through, wrong, _TOTAL, RATE_HZ, stream("strikes", session))
        spectrum += np.fft.rfft(train) * spall_shape(wrong, dimensions.rolling_mm_s(load.speed_rpm / 60), hz)
    return spectrum


def _finish(own: Surfaces, bpfo: float, shaft: Rotation, times: Array, session: str) -> Array:
    """The noise of sound surfaces: no bearing is silent, and its compliance varies with each ball that passes: (sample,)."""
    rng = stream("finish", session)
    at = shaft.times_at(passages(bpfo * (1 - own.cage_lag), shaft, own.slip, rng))
    return rough_noise(Passages(at, np.ones(len(at))), own.finish_g, own.finish_depth, times, rng)


def _white(rng: np.random.Generator) -> NDArray[np.complex128]:
    """The spectrum of white noise of unit variance: (frequency,)."""
    bins = _TOTAL // 2 + 1
    return rng.standard_normal(2 * bins).view(complex) * np.sqrt(_TOTAL / 2)
