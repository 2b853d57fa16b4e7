"""What a set of gears is like, sound or damaged: drawn once per specimen, kept through all its sessions.

What the mesh of even gears would do, harmonic by harmonic; how far each gear departs from even over one of its turns; a damaged tooth.
As with bearings, amplitudes are log-normal, grow with the size of the damage and overlap widely: a broken tooth can hide, a chipped one
show. No records of gears were at hand to set ranges by. They follow what the literature reports, named at each.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.kinematics import Array
from faultbench_datasets.simulated.rig import PINION, Machine, Specimen
from faultbench_datasets.simulated.streams import stream

Complex = NDArray[np.complex128]

_TOP_HZ = 5_000.0
"""The highest mesh harmonic: with its side bands, within the recorder's band."""
_PRESSURE_RAD = math.radians(20.0)

_MESH = 2.0
"""The first mesh harmonic's force at rated load, in units of the machine's background: meshing is the loudest thing in a sound gear unit
(Randall 2021, Vibration-based Condition Monitoring, 2nd ed., ch. 2)."""
_FALL = 0.6
"""How fast the harmonics' forces fall with their number, as a power."""
_FRICTION = 0.35
"""Noise of sound teeth that slide over one another, likewise, RMS."""
_RUNOUT_MM, _PITCH_MM = 0.008, 0.004
"""Median eccentricity of a sound gear, and deviation of a single pitch. ISO 1328 allows gears of these diameters, in grades 6 to 7, some 25
to 40 um of runout from peak to peak and 8 to 12 um of single pitch deviation."""

_LOSS = {"chipped": 0.08, "half-broken": 0.3, "broken": 0.65}
"""Median share of the mesh force that is lost while the damaged tooth would carry. A pair of spur gears shares the load between one and two
pairs of teeth, so a missing tooth takes about half to all of it, and one that is short of a tenth or half of its width takes a tenth or
half as much (Chaari, Baccar, Abbes & Haddar 2008, Eur. J. Mech. A/Solids 27(4), 691-705)."""
_LAG_RAD = {"chipped": 0.03, "half-broken": 0.12, "broken": 0.3}
"""Median lag of the first mesh harmonic meanwhile, at rated load: the remaining teeth bend further (McFadden 1986 finds tens of degrees at
higher harmonics of a cracked gear)."""
_BLOW_G = {"chipped": 0.12, "half-broken": 0.7, "broken": 3.0}
"""Median impulse when the next tooth takes over, in g at a path of unit power."""
_WORN = {"small": 0.35, "medium": 0.8, "large": 1.8}
_ECCENTRIC = {"small": 0.15, "medium": 0.3, "large": 0.55}
"""Median depth of the amplitude modulation once a turn; sound gears have some hundredths."""
_ECCENTRIC_MM = {"small": 0.02, "medium": 0.05, "large": 0.1}
_MISALIGNED = {"small": 0.5, "medium": 1.1, "large": 2.2}
"""Median gain of the second mesh harmonic, less one."""


@dataclass(frozen=True, slots=True)
class Gear:
    """How a gear departs from an even one over one of its turns.

    Args:
        teeth: How many.
        swing: (harmonic,) amplitude modulation of the mesh force, relative, at 1, 2, ... times a turn; complex amplitudes.
        lead_rad: (harmonic,) how far the teeth run ahead, likewise, as a phase of the first mesh harmonic.
        tooth_swing: (tooth,) what each tooth adds to the modulation.
        tooth_rad: (tooth,) how far each tooth runs ahead.
        line_g: (harmonic,) forces of its shaft at 1, 2, ... times a turn, in g at a path of unit power; complex amplitudes.
    """

    teeth: int
    swing: Complex
    lead_rad: Complex
    tooth_swing: Array
    tooth_rad: Array
    line_g: Complex


@dataclass(frozen=True, slots=True)
class Tooth:
    """A damaged tooth.

    Args:
        gear: Of which gear.
        angle: Where, in turns of that gear.
        loss: The share of the mesh force that is lost while it would carry.
        lag_rad: How far the mesh falls behind meanwhile at rated load.
        blow_g: The impulse when the next tooth takes over, at rated load, in g at a path of unit power.
        contact_s: How long that blow lasts.
        scatter: Its log-deviation from turn to turn.
    """

    gear: str
    angle: float
    loss: float
    lag_rad: float
    blow_g: float
    contact_s: float
    scatter: float


@dataclass(frozen=True, slots=True)
class GearSet:
    """A pinion and its wheel.

    Args:
        profile_g: (harmonic,) the mesh force that the teeth's shape makes, whatever the load; complex amplitudes, in g at a path of
            unit power.
        bending_g: (harmonic,) what the teeth's bending under rated load adds.
        pinion: The gear on the machine's shaft.
        wheel: Its mate.
        friction_g: Noise of sliding teeth at rated load, RMS.
        friction_depth: How far that noise swells twice a mesh; at the pitch point nothing slides.
        wander: Slow random modulation of the mesh force, relative, RMS.
        tooth: The damaged tooth, if there is one.
    """

    profile_g: Complex
    bending_g: Complex
    pinion: Gear
    wheel: Gear
    friction_g: float
    friction_depth: float
    wander: float
    tooth: Tooth | None = None


def base_pitch_mm(machine: Machine) -> float:
    """The distance between two teeth along the line of action."""
    return math.pi * machine.module_mm * math.cos(_PRESSURE_RAD)


def contact_ratio(machine: Machine) -> float:
    """How many pairs of teeth are in contact on average (ISO 21771: full-depth involute spur gears without shift)."""
    teeth = (machine.gear_teeth, machine.wheel_teeth)
    tips = sum(math.sqrt((z / 2 + 1) ** 2 - (z / 2 * math.cos(_PRESSURE_RAD)) ** 2) for z in teeth)
    return (tips - sum(teeth) / 2 * math.sin(_PRESSURE_RAD)) / (math.pi * math.cos(_PRESSURE_RAD))


def gear_set(specimen: Specimen) -> GearSet:
    """How that set of gears is."""
    sound = _sound(specimen)
    return sound if specimen.healthy else _DAMAGED[specimen.element](sound, specimen, stream("damage", specimen.bearing))


def _sound(specimen: Specimen) -> GearSet:
    """The set as it was made and mounted.

    The mesh force is the sum of what the teeth's shape and their bending make (Randall 1982, J. Mech. Des. 104(2), 259-267; Mark 1978,
    J. Acoust. Soc. Am. 63(5), 1409-1430). Shapes are made so as to offset the bending at some load, so the two may work against each
    other, and a harmonic need not grow with the load.
    """
    machine, rng = specimen.machine, stream("gears", specimen.bearing)
    number = np.arange(1, int(_TOP_HZ / (machine.gear_teeth * machine.loads[0].speed_rpm / 60)) + 1)
    loud = _MESH * machine.background_g * np.exp(0.35 * rng.standard_normal())
    height = loud * number**-_FALL * np.exp(0.5 * rng.standard_normal(len(number)))
    shape = rng.uniform(-np.pi, np.pi, size=len(number))
    return GearSet(
        profile_g=0.5 * height * np.exp(1j * shape),
        bending_g=0.8 * height * np.exp(1j * (shape + 1.3 * rng.standard_normal(len(number)))),
        pinion=_gear(machine, machine.gear_teeth, rng),
        wheel=_gear(machine, machine.wheel_teeth, rng),
        friction_g=_FRICTION * machine.background_g * np.exp(0.3 * rng.standard_normal()),
        friction_depth=rng.uniform(0.1, 0.6),
        wander=0.03 * np.exp(0.4 * rng.standard_normal()),
    )


def _gear(machine: Machine, teeth: int, rng: np.random.Generator) -> Gear:
    """A sound gear: a little eccentric, no tooth quite where it should be."""
    number = np.arange(1, 4)
    turned = 2 * np.pi / base_pitch_mm(machine)
    return Gear(
        teeth=teeth,
        swing=0.06 / number * np.exp(0.5 * rng.standard_normal(3)) * _phases(3, rng),
        lead_rad=turned * _RUNOUT_MM / number**2 * np.exp(0.4 * rng.standard_normal(3)) * _phases(3, rng),
        tooth_swing=0.045 * np.exp(0.4 * rng.standard_normal()) * rng.standard_normal(teeth),
        tooth_rad=turned * _PITCH_MM * np.exp(0.3 * rng.standard_normal()) * rng.standard_normal(teeth),
        line_g=0.4 * machine.background_g / number * np.exp(0.5 * rng.standard_normal(3)) * _phases(3, rng),
    )


def _broken(s: GearSet, specimen: Specimen, rng: np.random.Generator) -> GearSet:
    """A tooth that is chipped or broken off: once a turn of its gear the mesh gives way, and then comes a blow.

    A short modulation in amplitude and phase, hence many side bands at the gear's speed (McFadden 1986, J. Vib. Acoust. 108(2), 165-170;
    1987, Mech. Syst. Signal Process. 1(2), 173-183). How much of it is a blow differs: a fresh fracture strikes, a worn one gives way.
    """
    severity = specimen.severity
    blow = _BLOW_G[severity] * np.exp(0.7 * rng.standard_normal()) * 2 * rng.beta(1.5, 1.5)
    tooth = Tooth(
        gear=specimen.gear,
        angle=rng.uniform(),
        loss=min(0.95, _LOSS[severity] * np.exp(0.3 * rng.standard_normal())),
        lag_rad=_LAG_RAD[severity] * np.exp(0.5 * rng.standard_normal()),
        blow_g=blow,
        contact_s=0.06e-3 * 3 ** rng.uniform(),
        scatter=rng.uniform(0.05, 0.25),
    )
    return dataclasses.replace(s, tooth=tooth)


def _worn(s: GearSet, specimen: Specimen, rng: np.random.Generator) -> GearSet:
    """Worn flanks: the second and higher mesh harmonics rise most (Randall 1982), the teeth differ more, and they hiss."""
    wear = _WORN[specimen.severity] * np.exp(0.5 * rng.standard_normal())
    number = np.arange(1, len(s.profile_g) + 1)
    gain = 1 + wear * (0.15 + (1 - 1 / number) * rng.uniform(0.6, 1.4, size=len(number)))
    rougher = 1 + 1.5 * wear
    return dataclasses.replace(
        s,
        profile_g=s.profile_g * gain,
        bending_g=s.bending_g * (1 + 0.15 * wear),
        pinion=_uneven(s.pinion, 1 + 0.4 * wear, rougher),
        wheel=_uneven(s.wheel, 1 + 0.4 * wear, rougher),
        friction_g=s.friction_g * (1 + 2.5 * wear),
        friction_depth=min(0.9, s.friction_depth * (1 + 0.3 * wear)),
        wander=s.wander * (1 + wear),
    )


def _eccentric(s: GearSet, specimen: Specimen, rng: np.random.Generator) -> GearSet:
    """A gear off its axis: the mesh deepens and runs ahead once a turn, hence strong side bands close to the mesh lines.

    They stand at the gear's speed, and differ in height to either side where amplitude and phase are modulated together (Randall 2021,
    ch. 2; Blankenship & Singh 1995, J. Sound Vib. 179(1), 13-36).
    """
    depth = min(0.9, _ECCENTRIC[specimen.severity] * np.exp(0.5 * rng.standard_normal()))
    lead = 2 * np.pi / base_pitch_mm(specimen.machine) * _ECCENTRIC_MM[specimen.severity] * np.exp(0.4 * rng.standard_normal())
    own = s.pinion if specimen.gear == PINION else s.wheel
    weight = np.array([1.0, 0.25, 0.1])
    heavy = 1 + 4 * depth
    own = dataclasses.replace(
        own,
        swing=own.swing + depth * weight * _phases(3, rng),
        lead_rad=own.lead_rad + lead * weight * _phases(3, rng),
        line_g=own.line_g * np.array([heavy, 1.0, 1.0]),
    )
    return dataclasses.replace(s, pinion=own) if specimen.gear == PINION else dataclasses.replace(s, wheel=own)


def _misaligned(s: GearSet, specimen: Specimen, rng: np.random.Generator) -> GearSet:
    """Shafts that are not parallel: the load runs to the ends of the teeth, the second mesh harmonic rises above all.

    Both gears modulate once and twice a turn, and the shafts have a line at twice their speed (Randall 2021, ch. 2).
    """
    skew = _MISALIGNED[specimen.severity] * np.exp(0.5 * rng.standard_normal())
    number = np.arange(1, len(s.profile_g) + 1)
    share = np.select([number == 1, number == 2, number == 3], [0.1, 1.0, 0.5], 0.25)
    gain = 1 + skew * share * np.where(number == 2, 1.0, rng.uniform(0.5, 1.5, size=len(number)))

    def skewed(gear: Gear) -> Gear:
        depth = np.minimum(0.5, skew * np.array([0.05, 0.08, 0.02]) * rng.uniform(0.3, 1.5, size=3))
        line = gear.line_g * np.array([1.0, 1 + 1.5 * skew, 1.0])
        return dataclasses.replace(gear, swing=gear.swing + depth * _phases(3, rng), line_g=line)

    return dataclasses.replace(
        s, profile_g=s.profile_g * gain, bending_g=s.bending_g * gain, pinion=skewed(s.pinion), wheel=skewed(s.wheel)
    )


_DAMAGED: dict[str, Callable[[GearSet, Specimen, np.random.Generator], GearSet]] = {
    "gear-tooth": _broken,
    "gear-wear": _worn,
    "gear-eccentric": _eccentric,
    "gear-misaligned": _misaligned,
}


def _uneven(gear: Gear, swing: float, rougher: float) -> Gear:
    return dataclasses.replace(gear, swing=gear.swing * swing, tooth_swing=gear.tooth_swing * rougher, tooth_rad=gear.tooth_rad * rougher)


def _phases(count: int, rng: np.random.Generator) -> Complex:
    return np.exp(2j * np.pi * rng.uniform(size=count))
