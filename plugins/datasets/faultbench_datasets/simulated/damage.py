"""What is wrong with one bearing: drawn once per specimen, kept through all its sessions.

The scales follow how widely real specimens of one class differ: amplitudes are log-normal, grow with the size of the damage and
overlap widely, so that a large spall can hide and a small one dominate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultbench_datasets.simulated.rig import DISTRIBUTED, Specimen
from faultbench_datasets.simulated.streams import stream

_WIDTH_MM = {"small": 0.35, "medium": 0.8, "large": 1.7}
"""Median widths; those seeded at Case Western Reserve are 0.18 to 0.71 mm, grown ones reach some millimetres."""
# The levels below were set once, against the ranges in real records (benchmarks/simulated_physics.py), and by nothing else.
_STRIKE_G = {"small": 2.9, "medium": 4.4, "large": 6.8}
"""Median impulse of a strike by severity, in g at a path of unit power."""
_ELEMENT_GAIN = {"inner": 1.3, "ball": 0.8, "outer": 1.0}
"""An inner ring is struck harder, a ball's spall is often beside the track."""
_ROUGH_G = {"inner": 0.16, "ball": 0.16, "outer": 0.14}
"""Median noise of distributed damage, RMS."""
_ROUGH_PER_STRIKE = 0.075
"""Noise of the surface around a spall, RMS, per strike impulse: about the power that the strikes would have had."""
_SPREAD = {"inner": 0.7, "ball": 0.8, "outer": 0.85}
"""Log-deviation of the size of the damage's forces within a class."""
_AROUND = {"inner": (1.0, 1.5), "ball": (1.8, 0.9), "outer": (0.9, 1.2)}
"""Beta distribution of the share of a spall's forces that comes from the rough surface around it."""


@dataclass(frozen=True, slots=True)
class Surfaces:
    """The bearing as it runs, sound or not.

    Args:
        slip: Relative deviation of one passage's interval.
        cage_lag: How much slower than kinematic the cage turns on average.
        zone: Extent of the load zone without load; the load widens it.
        finish_g: Structure-borne noise of the sound surfaces, RMS.
        finish_depth: How far that noise swells with every ball that passes under the load.
        ball_scatter: (ball,) how much more or less than its share each ball carries.
        unbalance: The part of the load that turns with the shaft.
    """

    slip: float
    cage_lag: float
    zone: float
    finish_g: float
    finish_depth: float
    ball_scatter: tuple[float, ...]
    unbalance: float


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged element.

    Args:
        strike_g: Impulse of a strike at full load, in g at a path of unit power; 0 without a spall.
        width_mm: The spall's length in the rolling direction.
        contact_s: How long a strike's force lasts.
        entry: Entry step, as a share of the exit impulse.
        scatter: Log-deviation from strike to strike.
        rough_g: Modulated noise of the damaged surface at full load, RMS.
        rough_depth: How far that noise swells with each passage, 0 to 1.
        angle: Where the damage is: from the load's direction (outer), at the beginning (inner, ball). Radians.
        far_side: A ball's strike on the inner ring, as a share of that on the outer ring.
        steady: The part of the load on a moving spall that no load zone modulates: preload, and what turns with the shaft.
        wobble: 0: the ball's spall always runs in the track; 1: its spin axis wanders, and it is often beside it.
    """

    strike_g: float
    width_mm: float
    contact_s: float
    entry: float
    scatter: float
    rough_g: float
    rough_depth: float
    angle: float
    far_side: float
    steady: float
    wobble: float


def surfaces(specimen: Specimen) -> Surfaces:
    """How that bearing runs."""
    rng = stream("surfaces", specimen.bearing)
    return Surfaces(
        slip=0.004 * 6 ** rng.uniform(),
        cage_lag=rng.uniform(0, 0.004),
        zone=rng.uniform(0.35, 0.8),
        finish_g=0.4 * specimen.machine.background_g * np.exp(0.4 * rng.standard_normal()),
        finish_depth=rng.uniform(0.05, 0.4),
        ball_scatter=tuple(np.exp(0.06 * rng.standard_normal(specimen.machine.dimensions.balls))),
        unbalance=rng.uniform(0.02, 0.3),
    )


def damage(specimen: Specimen) -> Damage:
    """What is wrong with that bearing, which is not healthy."""
    rng = stream("damage", specimen.bearing)
    element, spread = specimen.element, _SPREAD[specimen.element]
    size = np.exp(spread * rng.standard_normal())
    spread_out = rng.beta(*_AROUND[element])  # a spall with indentations around it is partly a rough surface
    edge = rng.uniform(0.05, 1.3)  # how sharp the spall's edges still are: they are rolled over in time
    common = {
        "angle": rng.uniform(-1.0, 1.0) if element == "outer" else rng.uniform(-np.pi, np.pi),
        "far_side": rng.uniform(0.3, 0.9),
        "steady": rng.uniform(0.1, 0.6),
        "wobble": rng.uniform(0, 1),
        "rough_depth": rng.uniform(0.0, 0.9),
        "contact_s": 0.06e-3 * 2.5 ** rng.uniform(),
        "entry": rng.uniform(0.2, 0.9),
        "scatter": rng.uniform(0.1, 0.35),
    }
    if specimen.severity == DISTRIBUTED:
        common["steady"] += 0.3  # worn all around: some of it is always under load
        return Damage(strike_g=0.0, width_mm=0.0, rough_g=_ROUGH_G[element] * size, **common)
    strike = _STRIKE_G[specimen.severity] * _ELEMENT_GAIN[element] * size
    return Damage(
        strike_g=strike * (1 - spread_out) * edge,
        width_mm=_WIDTH_MM[specimen.severity] * np.exp(0.3 * rng.standard_normal()),
        rough_g=_ROUGH_PER_STRIKE * strike * spread_out,
        **common,
    )
