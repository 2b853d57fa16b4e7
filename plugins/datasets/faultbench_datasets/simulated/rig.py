"""The two machines and everything that is mounted on them: the plan from which the catalogue and the signals are made.

No signal, no random draw: a plain description, so that the catalogue costs nothing.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from faultbench.api import HEALTHY, Gearing, Geometry

BEARINGS, GEARS = "bearings", "gears"
EQUIPMENT = (BEARINGS, GEARS)

RATE_HZ = 12_000.0
SAMPLES = 53_248
"""4.4 s: 26 windows of 2,048 samples that do not overlap."""

ACCELEROMETER, ACROSS, CURRENT, TEMPERATURE = "accelerometer", "accelerometer-across", "current", "temperature"
"""The sensors of a session: in the load's direction, at right angles to it, in a phase of the motor's supply, at the housing."""
TEMPERATURE_HZ = 1.0
TEMPERATURE_SAMPLES = 5
"""At 0, 1, ... 4 s of the 4.4 s."""

FAULTS = ("inner", "ball", "outer")
SPALLS = ("small", "medium", "large")
DISTRIBUTED = "distributed"
"""Wear and roughness over a whole surface, beside the spalls of three sizes."""

SIZES = ("small", "medium", "large")
GEAR_FAULTS = {
    "gear-tooth": ("chipped", "half-broken", "broken"),
    "gear-wear": SIZES,
    "gear-eccentric": SIZES,
    "gear-misaligned": SIZES,
}
"""Severities by fault. A chipped tooth has lost a corner, a half-broken one half of its width."""
ONE_SIDED = ("gear-tooth", "gear-eccentric")
"""Faults of one gear of a set; the others are of both."""
PINION, WHEEL = "pinion", "wheel"


@dataclass(frozen=True, slots=True)
class Dimensions:
    """A deep-groove ball bearing.

    Args:
        name: Its type.
        balls: How many.
        ball_mm: Their diameter.
        pitch_mm: The diameter of the circle on which their centres run.
    """

    name: str
    balls: int
    ball_mm: float
    pitch_mm: float

    @property
    def geometry(self) -> Geometry:
        """The kinematic orders."""
        return Geometry.from_dimensions(self.name, self.balls, self.ball_mm, self.pitch_mm)

    def rolling_mm_s(self, shaft_hz: float) -> float:
        """How fast the contact travels over any of the three surfaces, pi f (D^2 - d^2) / 2D, rolling without slip."""
        return math.pi * shaft_hz * (self.pitch_mm**2 - self.ball_mm**2) / (2 * self.pitch_mm)


@dataclass(frozen=True, slots=True)
class Load:
    """An operating point: its share of the rated torque, and the speed that an induction motor turns at under it."""

    name: str
    share: float
    speed_rpm: float


@dataclass(frozen=True, slots=True)
class Motor:
    """An induction motor.

    Args:
        pole_pairs: Of the stator.
        rotor_bars: Of the cage.
        magnetising_a: Amplitude of the current that it takes whatever the load, a quarter turn behind.
        torque_a: Amplitude of the current that makes the rated torque.
        range_a: At which the recorder clips, either side.
    """

    pole_pairs: int
    rotor_bars: int
    magnetising_a: float
    torque_a: float
    range_a: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with one type of bearing in all its places, and one pair of spur gears.

    Args:
        name: Its name.
        dimensions: Of its bearings.
        loads: Its operating points.
        mountings: Where a bearing and its accelerometer can be.
        modes_hz: The resonances of its frame, from which each mounting departs.
        damping: Least and greatest modal damping ratio.
        background_g: The usual vibration of a sound machine, RMS.
        gear_teeth: Of the pinion on its shaft.
        wheel_teeth: Of the wheel that it drives; coprime, so that any two teeth meet now and then.
        module_mm: Of both.
        mains_hz: Of the supply.
        motor: What drives the shaft.
        range_g: At which the sensor clips, either side.
    """

    name: str
    dimensions: Dimensions
    loads: tuple[Load, ...]
    mountings: tuple[str, ...]
    modes_hz: tuple[float, ...]
    damping: tuple[float, float]
    background_g: float
    gear_teeth: int
    wheel_teeth: int
    module_mm: float
    mains_hz: float
    motor: Motor
    range_g: float

    @property
    def gearing(self) -> Gearing:
        """The teeth of its gears."""
        return Gearing(f"{self.gear_teeth}:{self.wheel_teeth}", self.gear_teeth, self.wheel_teeth)


ALPHA = Machine(
    name="alpha",
    dimensions=Dimensions("6205-like", balls=9, ball_mm=7.94, pitch_mm=39.04),
    loads=(Load("none", 0.0, 1796.0), Load("light", 0.33, 1773.0), Load("medium", 0.67, 1751.0), Load("full", 1.0, 1729.0)),
    mountings=("alpha/drive-end", "alpha/fan-end", "alpha/pedestal"),
    modes_hz=(620.0, 1480.0, 2750.0, 3420.0, 4650.0),
    damping=(0.01, 0.045),
    background_g=0.060,
    gear_teeth=29,
    wheel_teeth=67,
    module_mm=2.0,
    mains_hz=60.0,
    motor=Motor(pole_pairs=2, rotor_bars=28, magnetising_a=3.4, torque_a=6.6, range_a=20.0),
    range_g=8.0,
)
BETA = Machine(
    name="beta",
    dimensions=Dimensions("6204-like", balls=8, ball_mm=7.94, pitch_mm=33.5),
    loads=(Load("none", 0.0, 1494.0), Load("light", 0.33, 1480.0), Load("medium", 0.67, 1463.0), Load("full", 1.0, 1446.0)),
    mountings=("beta/input-shaft", "beta/output-shaft", "beta/motor"),
    modes_hz=(880.0, 1850.0, 2300.0, 3050.0, 3900.0, 5100.0),
    damping=(0.012, 0.05),
    background_g=0.045,
    gear_teeth=21,
    wheel_teeth=58,
    module_mm=2.5,
    mains_hz=50.0,
    motor=Motor(pole_pairs=2, rotor_bars=26, magnetising_a=1.5, torque_a=2.3, range_a=8.0),
    range_g=6.0,
)
MACHINES = (ALPHA, BETA)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One bearing or one set of gears, which stays where it is mounted for all its sessions.

    Args:
        bearing: Its name, unique over both kinds of equipment.
        machine: Where it runs.
        mounting: The place of the bearing, or of the gears' support, with the sensors.
        element: What is damaged, or healthy.
        severity: How much; empty where it is healthy.
        equipment: One of `EQUIPMENT`.
        gear: Which gear of a set is damaged; empty where both are, or none.
    """

    bearing: str
    machine: Machine
    mounting: str
    element: str
    severity: str
    equipment: str = BEARINGS
    gear: str = ""

    @property
    def healthy(self) -> bool:
        """Whether it has no damage."""
        return self.element == HEALTHY

    def session(self, load: Load) -> str:
        """The name of its measurement at that load."""
        return f"{self.bearing}@{load.name}"


@functools.cache
def specimens() -> tuple[Specimen, ...]:
    """All bearings: per machine two healthy ones and one of each fault scenario at every mounting."""
    out: list[Specimen] = []
    for machine in MACHINES:
        out.extend(_specimen(machine, HEALTHY, "", number) for number in range(1, 2 * len(machine.mountings) + 1))
        for element in FAULTS:
            for severity in (*SPALLS, DISTRIBUTED):
                out.extend(_specimen(machine, element, severity, number) for number in range(1, len(machine.mountings) + 1))
    return tuple(out)


@functools.cache
def gear_sets() -> tuple[Specimen, ...]:
    """All sets of gears: per machine two healthy ones and one of each fault scenario at every mounting.

    Of the three sets with one fault of one gear, two have it on the pinion, whose teeth bear more cycles, and one on the wheel, at
    another mounting for each severity.
    """
    out: list[Specimen] = []
    for machine in MACHINES:
        out.extend(_gear_set(machine, HEALTHY, "", number) for number in range(1, 2 * len(machine.mountings) + 1))
        for element, severities in GEAR_FAULTS.items():
            for step, severity in enumerate(severities):
                for number in range(1, len(machine.mountings) + 1):
                    gear = (WHEEL if (step + number) % 3 == 0 else PINION) if element in ONE_SIDED else ""
                    out.append(_gear_set(machine, element, severity, number, gear))
    return tuple(out)


def _specimen(machine: Machine, element: str, severity: str, number: int) -> Specimen:
    bearing = "-".join(part for part in (machine.name, element, severity, str(number)) if part)
    return Specimen(bearing, machine, _mounting(machine, number), element, severity)


def _gear_set(machine: Machine, element: str, severity: str, number: int, gear: str = "") -> Specimen:
    what = f"gear-{HEALTHY}" if element == HEALTHY else f"{element}-{severity}"
    return Specimen(f"{machine.name}-{what}-{number}", machine, _mounting(machine, number), element, severity, GEARS, gear)


def _mounting(machine: Machine, number: int) -> str:
    return machine.mountings[(number - 1) % len(machine.mountings)]
