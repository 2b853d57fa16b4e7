"""The current in one phase of the motor's supply: mains, what the rotor's turning adds, and a little of what the load torque does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.kinematics import Array, Rotation
from faultbench_datasets.simulated.rig import Load, Machine
from faultbench_datasets.simulated.sensor import mains, passband
from faultbench_datasets.simulated.streams import stream

_IDLE_TORQUE = 0.08
"""What friction and the fan take, as a share of the rated torque."""
_INERTIA_HZ = 60.0
"""Above this the rotor's inertia keeps torque ripple from the current, 12 dB an octave."""
_TORQUE_PER_G = 0.02
"""Relative torque ripple by force, of a force of 1 g at a path of unit power: small, for a strike presses, and hardly brakes."""
_TORQUE_PER_SWAY = 0.01
"""Relative torque ripple by modulation of the mesh force: the mean torque passes whatever the teeth do, only transmission error is felt."""
_LAG = 0.5
"""How much the ripple turns the phase of the current, beside its amplitude."""
_NOISE_A = 2e-4
"""The recorder's noise, RMS, relative to its range."""


def current(
    machine: Machine,
    load: Load,
    shaft: Rotation,
    force: NDArray[np.complex128],
    sway: Array | float,
    times_s: Array,
    hz: Array,
    session: str,
) -> Array:
    """One phase's current in A: (sample,).

    A torque ripple modulates the part of the current that makes torque, in amplitude and phase, hence side bands around the mains at all
    its frequencies (Blödt, Granjon, Raison & Rostaing 2008, IEEE Trans. Ind. Electron. 55(4), 1813-1822, on bearings; Feki, Clerc & Velex
    2013, Electr. Power Syst. Res. 95, 28-37, on gears). No rotor is quite even: side bands at (1 +- 2 s) mains, s the slip, and at mains
    +- shaft, and a pair of slot lines (Nandi, Toliyat & Li 2005, IEEE Trans. Energy Convers. 20(4), 719-729).

    Where a session's speed error brings an unloaded shaft to synchronous speed or a hair beyond, its slip side bands fall into the mains
    line, as all do that are less than 1/4.4 s apart.

    Args:
        machine: Whose motor.
        load: Under which load.
        shaft: How it turns.
        force: (frequency,) the specimen's own forces, in g at a path of unit power.
        sway: (sample,) modulation of the torque that a set of gears passes on, relative; 0 for a bearing.
        times_s: (sample,).
        hz: (frequency,).
        session: The session's name.
    """
    motor, own, rng = machine.motor, stream("motor", machine.name), stream("current", session)
    supply = np.exp(2j * np.pi * (mains(machine, session).turns(times_s) + rng.uniform()))
    turn = np.exp(2j * np.pi * shaft.turns_at(times_s))

    inert = 1 / (1 + 1j * hz / _INERTIA_HZ) ** 2
    felt = _TORQUE_PER_G * force + _TORQUE_PER_SWAY * (_IDLE_TORQUE + load.share) * np.fft.rfft(sway + np.zeros_like(times_s))
    felt[0] = 0.0
    heights = 2e-3 * np.exp(0.5 * own.standard_normal(2))
    coupling = (heights * np.exp(2j * np.pi * own.uniform(size=2))) @ np.stack([turn, turn**2])
    ripple = np.fft.irfft(felt * inert, len(times_s)) + coupling.real

    torque = motor.torque_a * (_IDLE_TORQUE + load.share) * np.exp(0.03 * rng.standard_normal())
    carried = torque * (1 + ripple) * np.exp(1j * _LAG * ripple)
    magnetising = motor.magnetising_a * (1 + 0.02 * rng.standard_normal()) * -1j
    phasor = magnetising + carried

    # 2 p theta - mains is the (1 - 2 s) side band, 3 mains - 2 p theta the other; both are in the phasor's frame here
    slip = turn ** (2 * motor.pole_pairs) * supply.conj() ** 2
    cage = 2e-3 * np.exp(0.4 * own.standard_normal(2)) * torque
    eccentric = 3e-3 * np.exp(0.4 * own.standard_normal(2)) * motor.magnetising_a
    slots = 8e-3 * np.exp(0.4 * own.standard_normal(2)) * motor.magnetising_a
    phasor = phasor + cage[0] * slip + cage[1] * slip.conj() + eccentric[0] * turn + eccentric[1] * turn.conj()
    amperes = (phasor * supply).real
    bars = turn**motor.rotor_bars
    amperes += slots[0] * (bars * supply).real + slots[1] * (bars * supply.conj()).real
    total = float(np.abs(motor.torque_a * load.share - 1j * motor.magnetising_a))
    for number, share in ((5, 0.012), (7, 0.007), (11, 0.003)):  # a three-wire supply has no third
        amperes += total * share * (supply**number * np.exp(2j * np.pi * own.uniform())).real
    spectrum = np.fft.rfft(amperes) * passband(hz)
    return np.fft.irfft(spectrum, len(times_s)) + _NOISE_A * motor.range_a * rng.standard_normal(len(times_s))
