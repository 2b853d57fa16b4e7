"""What a sound machine sounds like: shaft and gear lines, structure-borne noise, knocks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.forces import impulses
from faultbench_datasets.simulated.kinematics import Array, Rotation
from faultbench_datasets.simulated.rig import Machine
from faultbench_datasets.simulated.streams import stream

_TABLE = 16_384
_SHAFT_HARMONICS = 5
_GEAR_HARMONICS = 3
_KNOCKS_HZ = 0.25

_Number = TypeVar("_Number", np.float64, np.complex128)


@dataclass(frozen=True, slots=True)
class Background:
    """The vibration at a mounting that comes from elsewhere in the machine.

    Args:
        noise_g: Noise through the frame, RMS.
        broad: The share of its power that is broad-band, not shaped by the mounting's modes.
        corner_hz: Where that share begins to fall.
        turn: (phase,) the force of shaft and gears over one turn, in g at a path of unit power, without load.
        gear_turn: (phase,) what the full load adds to it.
        shaft_turn: (phase,) the part of `turn` that is the shaft's.
    """

    noise_g: float
    broad: float
    corner_hz: float
    turn: Array
    gear_turn: Array
    shaft_turn: Array

    def without_gears(self) -> Background:
        """The same but for the gears, where these are what is measured."""
        return dataclasses.replace(self, turn=self.shaft_turn, gear_turn=np.zeros_like(self.gear_turn))


def background(machine: Machine, mounting: str) -> Background:
    """The background of a mounting, the same for every bearing in it."""
    rng = stream("background", mounting)
    phase = np.arange(_TABLE) / _TABLE
    noise_g = machine.background_g * np.exp(0.2 * rng.standard_normal())
    shaft = _lines(phase, np.arange(1, _SHAFT_HARMONICS + 1), 0.8 * noise_g, rng)
    mesh = machine.gear_teeth * np.arange(1, _GEAR_HARMONICS + 1)
    gear = _lines(phase, mesh, 0.35 * noise_g, rng) * (1 + rng.uniform(0.1, 0.4) * np.cos(2 * np.pi * (phase + rng.uniform())))
    return Background(
        noise_g=noise_g,
        broad=rng.uniform(0.3, 0.7),
        corner_hz=rng.uniform(2500, 5000),
        turn=shaft + gear,
        gear_turn=0.6 * gear,
        shaft_turn=shaft,
    )


def _lines(phase: Array, orders: Array, level_g: float, rng: np.random.Generator) -> Array:
    """Harmonics that fall off with random heights: (phase,)."""
    height = level_g * np.exp(0.5 * rng.standard_normal(len(orders))) / np.sqrt(np.arange(1, len(orders) + 1))
    lag = rng.uniform(size=len(orders))
    return height @ np.cos(2 * np.pi * (orders[:, None] * phase + lag[:, None]))


def turning(b: Background, shaft: Rotation, load_share: float, times_s: Array) -> Array:
    """Shaft and gear forces, locked to the shaft's angle: (sample,)."""
    return over_turns(b.turn + load_share * b.gear_turn, shaft.turns_at(times_s))


def over_turns(turn: NDArray[_Number], turns: Array) -> NDArray[_Number]:
    """What is kept over one turn, (phase,), at any angles in turns: (sample,)."""
    at = (turns % 1.0) * len(turn)
    low = at.astype(np.int64)
    part = at - low
    return turn[low % len(turn)] * (1 - part) + turn[(low + 1) % len(turn)] * part


def knocks(b: Background, samples: int, rate_hz: float, rng: np.random.Generator) -> Array:
    """Rare blows that are nobody's fault (a passing truck, a loose guard): (sample,), Poisson in time."""
    seconds = samples / rate_hz
    count = int(rng.poisson(_KNOCKS_HZ * seconds))
    times = rng.uniform(0, seconds, size=count)
    return impulses(times, b.noise_g * 12 * np.exp(0.6 * rng.standard_normal(count)), samples, rate_hz)
