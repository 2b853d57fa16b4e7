"""The path from the bearing to the sensor: a few modes, each with frequency, damping, gain and delay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.rig import Machine
from faultbench_datasets.simulated.streams import stream

_STIFFENING = 0.008
"""How much the modes rise from no load to full load: the contacts stiffen."""


@dataclass(frozen=True, slots=True)
class Path:
    """A transfer function by its modes.

    Args:
        hz: (mode,) natural frequencies.
        damping: (mode,) damping ratios.
        gain: (mode,) signed heights of the resonances.
        delay_s: (mode,) how long its wave travels.
        direct: What passes at all frequencies alike, below the first mode above all.
    """

    hz: NDArray[np.float64]
    damping: NDArray[np.float64]
    gain: NDArray[np.float64]
    delay_s: NDArray[np.float64]
    direct: float

    def response(self, hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        """The complex response (frequency,), scaled to unit power: white noise of 1 g comes out as 1 g RMS.

        A sum of accelerances, f^2 / (f_k^2 - f^2 + 2 j zeta f_k f) (Ewins 2000, Modal Testing, ch. 2), each scaled to its gain
        at resonance.
        """
        total = np.full(len(hz), self.direct, complex)
        for mode_hz, damping, gain, delay in zip(self.hz, self.damping, self.gain, self.delay_s, strict=True):
            accelerance = hz**2 / (mode_hz**2 - hz**2 + 2j * damping * mode_hz * hz)
            total += 2 * damping * gain * accelerance * np.exp(-2j * np.pi * delay * hz)
        return total / np.sqrt(np.mean(np.abs(total) ** 2))


def mounting_path(machine: Machine, mounting: str) -> Path:
    """The path at a mounting: the frame's modes, moved and weighted as they are felt there."""
    rng = stream("mounting", mounting)
    modes = len(machine.modes_hz)
    return Path(
        hz=np.array(machine.modes_hz) * np.exp(0.08 * rng.standard_normal(modes)),
        damping=rng.uniform(*machine.damping, size=modes),
        gain=rng.choice((-1.0, 1.0), size=modes) * np.exp(0.5 * rng.standard_normal(modes)),
        delay_s=rng.uniform(0, 0.4e-3, size=modes),
        direct=rng.uniform(0.05, 0.15),
    )


def across(path: Path, mounting: str) -> Path:
    """The path to a second sensor in the same place, at right angles to the first.

    Frequencies and dampings are the structure's, wherever it is looked at; how strongly a mode is felt, with which sign and when, is the
    direction's (Ewins 2000, ch. 2: poles are global, residues local).
    """
    rng = stream("across", mounting)
    modes = len(path.hz)
    return Path(
        hz=path.hz,
        damping=path.damping,
        gain=rng.choice((-1.0, 1.0), size=modes) * np.exp(0.5 * rng.standard_normal(modes)),
        delay_s=rng.uniform(0, 0.4e-3, size=modes),
        direct=rng.uniform(0.05, 0.15),
    )


def bearing_path(path: Path, bearing: str, load_share: float) -> Path:
    """The path of one bearing's own forces at that mounting: its seat moves the modes a little, its damage excites some more than others.

    The same at every load of that bearing, but for the stiffening under load, and for both sensors. So it is for a set of gears.
    """
    rng = stream("seat", bearing)
    modes = len(path.hz)
    seat = np.exp(0.01 * rng.standard_normal() + 0.008 * rng.standard_normal(modes))
    return Path(
        hz=path.hz * seat * (1 + _STIFFENING * load_share),
        damping=path.damping * np.exp(0.15 * rng.standard_normal(modes)),
        gain=path.gain * np.exp(0.45 * rng.standard_normal(modes)),
        delay_s=path.delay_s,
        direct=path.direct,
    )
