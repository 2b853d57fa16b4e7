"""When things happen in a bearing: the shaft's turning, slip, the load zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_GRID_S = 0.02
_DRIFT_HZ = (0.08, 2.5)


@dataclass(frozen=True, slots=True)
class Rotation:
    """The shaft's angle over time.

    Args:
        times_s: (grid,), rising from 0.
        turns: (grid,), the angle in turns at those times, rising.
    """

    times_s: Array
    turns: Array

    def turns_at(self, times_s: Array) -> Array:
        """The angle in turns at any times."""
        return np.interp(times_s, self.times_s, self.turns)

    def times_at(self, turns: Array) -> Array:
        """When the shaft reaches any angles, in seconds."""
        return np.interp(turns, self.turns, self.times_s)


def drift(times_s: Array, rng: np.random.Generator) -> Array:
    """A slow random process of about unit variance, at any times: a few sines between 0.08 and 2.5 Hz, the slower the larger.

    The spectral representation of a random process (Shinozuka & Deodatis 1991, Appl. Mech. Rev. 44(4)).
    """
    low, high = _DRIFT_HZ
    hz = low * (high / low) ** rng.uniform(size=8)
    phase = rng.uniform(0, 2 * np.pi, size=8)
    weight = hz**-0.5
    weight *= np.sqrt(2 / np.sum(weight**2))
    return weight @ np.cos(2 * np.pi * hz[:, None] * times_s + phase[:, None])


def rotation(mean_hz: float, seconds: float, wander: float, rng: np.random.Generator) -> Rotation:
    """A shaft that turns at `mean_hz` on the whole and drifts slowly by `wander`, relative and RMS."""
    times = np.arange(0, seconds + 2 * _GRID_S, _GRID_S)
    wandering = drift(times, rng)
    speed = mean_hz * (1 + wander * (wandering - wandering.mean()))
    steps = (speed[1:] + speed[:-1]) / 2 * _GRID_S
    return Rotation(times, rng.uniform() + np.concatenate(([0.0], np.cumsum(steps))))


def passages(order: float, rotation: Rotation, slip: float, rng: np.random.Generator) -> Array:
    """Shaft angles, in turns, at which rolling elements pass: (passage,).

    The intervals T(i+1) - T(i) are independent with relative deviation `slip`, so that the phase is a random walk that forgets
    where it began: a pseudo-cyclostationary train, whose harmonics widen with their number, not a periodic one with jitter
    (Antoni & Randall 2003, J. Vib. Acoust. 125(3), 282-289; slip itself: Ho & Randall 2000, Mech. Syst. Signal Process. 14(5)).
    """
    first, last = rotation.turns[0], rotation.turns[-1]
    count = int((last - first) * order * 1.1) + 16
    steps = (1 + slip * rng.standard_normal(count)) / order
    steps[0] = rng.uniform() / order
    at = first + np.cumsum(steps)
    return at[at < last]


def load_zone(angle: Array, extent: float) -> Array:
    """The load on a ball at an angle (radians) from the direction of the load, as a share of the greatest.

    Stribeck's distribution with the exponent of point contacts, q = [1 - (1 - cos a) / (2 e)]^1.5 (McFadden & Smith 1984, J. Sound
    Vib. 96(1), 69-82). The `extent` e is the load distribution factor: half the ring carries at 0.5, less with clearance, all of it
    from 1 on.
    """
    return np.clip(1 - (1 - np.cos(angle)) / (2 * extent), 0, None) ** 1.5
