"""The accelerometers and their recorder: anti-aliasing, coloured noise, mains hum, clipping, quantisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.kinematics import Array
from faultbench_datasets.simulated.rig import Machine
from faultbench_datasets.simulated.streams import stream

_BITS = 16
_CUTOFF_HZ = 5_500.0
_NOISE_G = 0.004
_PINK_CORNER_HZ = 60.0


def passband(hz: Array) -> Array:
    """The recorder's anti-alias filter, an eighth-order Butterworth magnitude: (frequency,)."""
    return 1 / np.sqrt(1 + (hz / _CUTOFF_HZ) ** 16)


def noise_power(hz: Array) -> Array:
    """The sensor's own noise, white above 60 Hz and pink below, in g^2 relative to a density of one over the band: (frequency,)."""
    return _NOISE_G**2 * (1 + _PINK_CORNER_HZ / np.maximum(hz, 1.0))


@dataclass(frozen=True, slots=True)
class Mains:
    """The supply during one session: its frequency, and the phase in turns at which the session finds it."""

    hz: float
    start: float

    def turns(self, times_s: Array) -> Array:
        """Its phase in turns: (sample,)."""
        return self.hz * times_s + self.start


def mains(machine: Machine, session: str) -> Mains:
    """The supply of a machine in that session."""
    rng = stream("hum", session)
    return Mains(machine.mains_hz * (1 + 2e-4 * rng.standard_normal()), rng.uniform())


def hum(cable: str, supply: Mains, times_s: Array) -> Array:
    """Mains in a cable: the first, second and third harmonic at the sensor, nothing to do with the shaft: (sample,)."""
    heights = 0.004 * np.exp(0.6 * stream("hum", cable).standard_normal(3))
    tone = np.exp(2j * np.pi * supply.turns(times_s))
    return heights[0] * tone.imag + heights[1] * (tone**2).imag + heights[2] * (tone**3).imag


def digitise(x: Array, reach: float) -> NDArray[np.float32]:
    """What the recorder writes: clipped at its range, in steps of 16 bits."""
    step = 2 * reach / 2**_BITS
    return (np.round(np.clip(x, -reach, reach - step) / step) * step).astype(np.float32)
