"""The forces of a bearing: the strikes of a spall, the noise of a rough surface, the hiss of a sound one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.damage import Damage, Surfaces, damage, surfaces
from faultbench_datasets.simulated.kinematics import Array, Rotation, drift, load_zone, passages
from faultbench_datasets.simulated.rig import RATE_HZ, Dimensions, Load, Specimen
from faultbench_datasets.simulated.streams import stream

_TAPS = 16
_ENTRY_HZ = 700.0
"""Below this the entry has its energy: the ball rolls off the edge, it is not struck."""
_LIFTED = 0.04
"""What a ball outside the load zone still carries: its own weight and inertia."""


def bearing_force(specimen: Specimen, load: Load, shaft: Rotation, times_s: Array, hz: Array) -> NDArray[np.complex128]:
    """The spectrum of all forces of a bearing itself, (frequency,), in g at a path of unit power."""
    session, dimensions = specimen.session(load), specimen.machine.dimensions
    own = surfaces(specimen)
    force = finish(own, dimensions.geometry.bpfo, shaft, times_s, session)
    if specimen.healthy:
        return np.fft.rfft(force)
    wrong = damage(specimen)
    # a load closes the clearance: the zone widens
    zone = own.zone * (1 + 0.5 * load.share)
    through = PASSAGES[specimen.element](wrong, own, dimensions, shaft, zone, stream("passages", session))
    strength = np.exp(0.12 * stream("strength", session).standard_normal()) * (0.85 + 0.3 * load.share)
    if wrong.rough_g:
        force = force + strength * rough_noise(through, wrong.rough_g, wrong.rough_depth, times_s, stream("rough", session))
    spectrum = np.fft.rfft(force)
    if wrong.strike_g:
        train = strength * strikes(through, wrong, len(times_s), RATE_HZ, stream("strikes", session))
        spectrum += np.fft.rfft(train) * spall_shape(wrong, dimensions.rolling_mm_s(load.speed_rpm / 60), hz)
    return spectrum


def finish(own: Surfaces, bpfo: float, shaft: Rotation, times_s: Array, session: str) -> Array:
    """The noise of sound surfaces: no bearing is silent, and its compliance varies with each ball that passes: (sample,)."""
    rng = stream("finish", session)
    at = shaft.times_at(passages(bpfo * (1 - own.cage_lag), shaft, own.slip, rng))
    return rough_noise(Passages(at, np.ones(len(at))), own.finish_g, own.finish_depth, times_s, rng)


@dataclass(frozen=True, slots=True)
class Passages:
    """The damage's passages through a contact: (passage,) times in seconds, and the load carried, as a share of the greatest."""

    times_s: Array
    load: Array


def outer_passages(d: Damage, s: Surfaces, dimensions: Dimensions, shaft: Rotation, zone: float, rng: np.random.Generator) -> Passages:
    """Balls over a spall of the standing ring: the load is that of its place, scattering from ball to ball."""
    at = passages(dimensions.geometry.bpfo * (1 - s.cage_lag), shaft, s.slip, rng)
    balls = np.array(s.ball_scatter)[np.arange(len(at)) % dimensions.balls]
    turning = 1 + s.unbalance * np.cos(2 * np.pi * at)
    place = load_zone(np.array([d.angle]), zone)[0]
    return Passages(shaft.times_at(at), (_LIFTED + place) * balls * turning)


def inner_passages(d: Damage, s: Surfaces, dimensions: Dimensions, shaft: Rotation, zone: float, rng: np.random.Generator) -> Passages:
    """Balls over a spall of the turning ring: once a turn it comes through the load zone (McFadden & Smith 1984)."""
    # the balls fall behind with the cage, so the ring overtakes them more often
    order = dimensions.balls - dimensions.geometry.bpfo * (1 - s.cage_lag)
    at = passages(order, shaft, s.slip, rng)
    place = 2 * np.pi * at + d.angle
    nearness = 1 + 0.2 * np.cos(place)  # of the spall to the sensor, which sits in the load's direction
    load = _LIFTED + d.steady + (1 - d.steady) * load_zone(place, zone)
    return Passages(shaft.times_at(at), load * nearness)


def ball_passages(d: Damage, s: Surfaces, dimensions: Dimensions, shaft: Rotation, zone: float, rng: np.random.Generator) -> Passages:
    """A spall of a ball strikes the outer and the inner ring in turn, twice a spin, and goes around with the cage.

    Outside the load zone nothing drives its spin, which is why its slip is twice that of the cage.
    """
    geometry = dimensions.geometry
    at = passages(2 * geometry.bsf * (1 - s.cage_lag), shaft, 2 * s.slip, rng)
    place = 2 * np.pi * geometry.ftf * (1 - s.cage_lag) * at + d.angle
    ring = np.where(np.arange(len(at)) % 2 == 0, 1.0, d.far_side)
    times = shaft.times_at(at)
    in_track = 1 - d.wobble * (0.5 + 0.5 * np.tanh(1.5 * drift(times, rng)))
    return Passages(times, (_LIFTED + d.steady + (1 - d.steady) * load_zone(place, zone)) * ring * in_track)


PASSAGES = {"inner": inner_passages, "ball": ball_passages, "outer": outer_passages}


def strikes(p: Passages, d: Damage, samples: int, rate_hz: float, rng: np.random.Generator) -> Array:
    """The impulses of a spall's exits, band limited: (sample,), each at its own time between the samples."""
    scatter = np.exp(d.scatter * rng.standard_normal(len(p.times_s)) + 0.12 * drift(p.times_s, rng))
    return impulses(p.times_s, d.strike_g * p.load * scatter, samples, rate_hz)


def impulses(times_s: Array, areas: Array, samples: int, rate_hz: float) -> Array:
    """Impulses between the samples, each a windowed sinc of 16 taps: (sample,)."""
    at = times_s * rate_hz
    base = np.floor(at).astype(np.int64)
    taps = np.arange(_TAPS) - _TAPS // 2 + 1
    offset = taps - (at - base)[:, None]
    kernel = np.sinc(offset) * np.cos(np.pi * offset / (_TAPS + 1)) ** 2
    index = base[:, None] + taps
    inside = (index >= 0) & (index < samples)
    return np.bincount(index[inside], weights=(areas[:, None] * kernel)[inside], minlength=samples)


def spall_shape(d: Damage, rolling_mm_s: float, hz: Array) -> NDArray[np.complex128]:
    """The spectrum of one passage over a spall, relative to an impulse at its exit: (frequency,).

    The ball leaves the entry edge, a step of low frequency, and meets the far edge when its centre is halfway across, an impulse
    (Sawalhi & Randall 2011, Mech. Syst. Signal Process. 25(3), 846-870), which takes width / (2 x rolling speed). The force of the
    impact is a half sine of the contact's duration.
    """
    lead_s = d.width_mm / (2 * rolling_mm_s)
    entry = d.entry / (1 + 1j * hz / _ENTRY_HZ) * np.exp(2j * np.pi * hz * lead_s)
    return half_sine(d.contact_s, hz) - entry


def half_sine(contact_s: float, hz: Array) -> Array:
    """The spectrum of a force that rises and falls as half a sine, relative to an impulse in its middle: (frequency,)."""
    x = 2 * hz * contact_s
    near_one = np.abs(x - 1) < 1e-6
    return np.where(near_one, np.pi / 4, np.cos(np.pi / 2 * x) / np.where(near_one, 1, 1 - x**2))


def rough_noise(p: Passages, level_g: float, depth: float, times_s: Array, rng: np.random.Generator) -> Array:
    """Noise of a rough surface that swells with each passage and with the load it carries: (sample,).

    Purely second-order cyclostationary: no impulse, and no line in the spectrum itself, only in that of the envelope (Antoni 2007,
    J. Sound Vib. 304, 497-529, on extended and rough damage).
    """
    phase = np.interp(times_s, p.times_s, np.arange(len(p.times_s), dtype=float))
    load = np.interp(times_s, p.times_s, p.load)
    swelling = 1 + depth * np.cos(2 * np.pi * phase)
    return level_g * load * swelling * rng.standard_normal(len(times_s))
