"""The forces of a set of gears: mesh tones modulated by both gears, the blows of a damaged tooth, the hiss of sliding flanks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.forces import half_sine, impulses
from faultbench_datasets.simulated.gearset import Gear, GearSet, Tooth, contact_ratio, gear_set
from faultbench_datasets.simulated.kinematics import Array, Rotation, drift
from faultbench_datasets.simulated.machinery import over_turns
from faultbench_datasets.simulated.rig import PINION, RATE_HZ, WHEEL, Load, Specimen
from faultbench_datasets.simulated.streams import stream

_TABLE = 8_192
"""Steps of a turn: a hundred or more per tooth."""


def gear_force(specimen: Specimen, load: Load, shaft: Rotation, times_s: Array, hz: Array) -> tuple[NDArray[np.complex128], Array]:
    """The spectrum of all forces of a set of gears, (frequency,), in g at a path of unit power; and its modulation, (sample,), relative.

    x = (1 + a) sum_k |X_k| cos(k (2 pi z theta + b) + arg X_k), with a and b periodic in the turns of pinion and wheel (McFadden 1986, J.
    Vib. Acoust. 108(2), 165-170, of one gear; Capdessus & Sidahmed 1992, Traitement du Signal 8(5), 365-372, of two). A pitch error
    moves all harmonics by the same time, hence the k before b.
    """
    session, gearing = specimen.session(load), specimen.machine.gearing
    gears = gear_set(specimen)
    turns = shaft.turns_at(times_s)
    # which teeth meet when is another matter each time the machine is started
    first = stream("wheel", session).uniform()
    wheel_turns = gearing.wheel * turns + first
    reach = contact_ratio(specimen.machine)
    pinion = over_turns(_turn(gears.pinion, _of(gears, PINION), load.share, reach), turns)
    wheel = over_turns(_turn(gears.wheel, _of(gears, WHEEL), load.share, reach), wheel_turns)
    grid_s = shaft.times_s
    wander = np.interp(times_s, grid_s, gears.wander * drift(grid_s, stream("wander", session)))
    sway = pinion.real + wheel.real + wander
    held = np.maximum(1 + sway, 0.0)  # teeth push; they do not pull
    tone = np.exp(1j * (2 * np.pi * gearing.mesh * turns + pinion.imag + wheel.imag))

    strength = np.exp(0.08 * stream("strength", session).standard_normal())
    force = strength * held * _series(gears.profile_g + load.share * gears.bending_g, tone)
    force += over_turns(_lines(gears.pinion), turns) + over_turns(_lines(gears.wheel), wheel_turns)
    sliding = 1 + gears.friction_depth * (tone**2).real
    hiss = strength * gears.friction_g * (0.5 + 0.5 * load.share)
    force += hiss * held * sliding * stream("friction", session).standard_normal(len(times_s))
    spectrum = np.fft.rfft(force)
    if gears.tooth is not None:
        order, start = (gearing.pinion, 0.0) if gears.tooth.gear == PINION else (gearing.wheel, first)
        at = blows_at(gears.tooth, order, start, shaft)
        rng = stream("blows", session)
        size = strength * gears.tooth.blow_g * (0.4 + 0.6 * load.share) * np.exp(gears.tooth.scatter * rng.standard_normal(len(at)))
        spectrum += np.fft.rfft(impulses(at, size, len(times_s), RATE_HZ)) * half_sine(gears.tooth.contact_s, hz)
    return spectrum, sway


def blows_at(tooth: Tooth, order: float, start: float, shaft: Rotation) -> Array:
    """When the tooth after a damaged one takes over, in seconds: (turn of the gear,).

    Args:
        tooth: The damaged one.
        order: Turns of its gear in a turn of the shaft.
        start: Its gear's angle where the shaft's is 0, in turns.
        shaft: How the shaft turns.
    """
    first, last = (order * turns + start - tooth.angle for turns in (shaft.turns[0], shaft.turns[-1]))
    own = np.arange(np.ceil(first), np.floor(last) + 1)
    return shaft.times_at((own + tooth.angle - start) / order)


def _of(gears: GearSet, gear: str) -> Tooth | None:
    return gears.tooth if gears.tooth is not None and gears.tooth.gear == gear else None


def _turn(gear: Gear, tooth: Tooth | None, load_share: float, reach: float) -> NDArray[np.complex128]:
    """How a gear modulates the mesh over one of its turns, (phase,): amplitude, relative, and lead of the first harmonic, in radians.

    The amplitude is the real part and the lead the imaginary one. While a damaged tooth would carry, for a contact ratio of pitches, the
    force drops and the mesh falls behind.
    """
    phase = np.arange(_TABLE) / _TABLE
    turn = np.exp(2j * np.pi * phase)
    swing = _series(gear.swing, turn) + _by_tooth(gear.tooth_swing, phase)
    lead = _series(gear.lead_rad, turn) + _by_tooth(gear.tooth_rad, phase)
    if tooth is not None:
        pitches = ((phase - tooth.angle + 0.5) % 1 - 0.5) * gear.teeth
        missing = np.where(np.abs(pitches) < reach, np.cos(np.pi / 2 * pitches / reach) ** 2, 0.0)
        swing -= tooth.loss * missing
        lead -= tooth.lag_rad * (0.3 + 0.7 * load_share) * missing
    return swing + 1j * lead


def _lines(gear: Gear) -> Array:
    """The forces of a gear's shaft over one of its turns: (phase,)."""
    return _series(gear.line_g, np.exp(2j * np.pi * np.arange(_TABLE) / _TABLE))


def _by_tooth(values: Array, phase: Array) -> Array:
    """Values of teeth over a turn, passing from each to the next by half a cosine: (phase,)."""
    at = phase * len(values)
    low = at.astype(np.int64)
    part = 0.5 - 0.5 * np.cos(np.pi * (at - low))
    return values[low % len(values)] * (1 - part) + values[(low + 1) % len(values)] * part


def _series(amplitudes: NDArray[np.complex128], tone: NDArray[np.complex128]) -> Array:
    """The real part of sum_k amplitudes_k tone^k, k from 1, by Horner's rule: (sample,)."""
    total = np.zeros_like(tone)
    for amplitude in amplitudes[::-1]:
        total = (total + amplitude) * tone
    return total.real
