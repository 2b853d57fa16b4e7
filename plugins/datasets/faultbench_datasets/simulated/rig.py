"""The two machines and everything that is mounted on them: the plan from which the catalogue and the signals are made.

No signal, no random draw: a plain description, so that the catalogue costs nothing.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from faultbench.api import HEALTHY, Geometry

RATE_HZ = 12_000.0
SAMPLES = 53_248
"""4.4 s: 26 windows of 2,048 samples that do not overlap."""

FAULTS = ("inner", "ball", "outer")
SPALLS = ("small", "medium", "large")
DISTRIBUTED = "distributed"
"""Wear and roughness over a whole surface, beside the spalls of three sizes."""


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
class Machine:
    """A machine with one type of bearing in all its places.

    Args:
        name: Its name.
        dimensions: Of its bearings.
        loads: Its operating points.
        mountings: Where a bearing and its accelerometer can be.
        modes_hz: The resonances of its frame, from which each mounting departs.
        damping: Least and greatest modal damping ratio.
        background_g: The usual vibration of a sound machine, RMS.
        gear_teeth: On the shaft, meshing with a gear that does not matter further.
        mains_hz: Of the supply.
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
    mains_hz: float
    range_g: float


ALPHA = Machine(
    name="alpha",
    dimensions=Dimensions("6205-like", balls=9, ball_mm=7.94, pitch_mm=39.04),
    loads=(Load("none", 0.0, 1796.0), Load("light", 0.33, 1773.0), Load("medium", 0.67, 1751.0), Load("full", 1.0, 1729.0)),
    mountings=("alpha/drive-end", "alpha/fan-end", "alpha/pedestal"),
    modes_hz=(620.0, 1480.0, 2750.0, 3420.0, 4650.0),
    damping=(0.01, 0.045),
    background_g=0.060,
    gear_teeth=29,
    mains_hz=60.0,
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
    mains_hz=50.0,
    range_g=6.0,
)
MACHINES = (ALPHA, BETA)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One bearing, which stays where it is mounted for all its sessions."""

    bearing: str
    machine: Machine
    mounting: str
    element: str
    severity: str

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


def _specimen(machine: Machine, element: str, severity: str, number: int) -> Specimen:
    bearing = "-".join(part for part in (machine.name, element, severity, str(number)) if part)
    return Specimen(bearing, machine, machine.mountings[(number - 1) % len(machine.mountings)], element, severity)
