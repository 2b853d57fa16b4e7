"""The fifteen bearings of the XJTU-SY data: how long each ran, at which condition, and what was damaged in the end."""

from __future__ import annotations

from dataclasses import dataclass

from faultbench.api import Geometry

GEOMETRY = Geometry.from_dimensions("LDK UER204", balls=8, ball_mm=7.92, pitch_mm=34.55)

INNER, OUTER, CAGE, COMBINED = "inner", "outer", "cage", "combined"


@dataclass(frozen=True, slots=True)
class Condition:
    """An operating condition: a folder of the source.

    Args:
        folder: Its name there.
        speed_rpm: Shaft speed.
        load: Radial force.
    """

    folder: str
    speed_rpm: float
    load: str


@dataclass(frozen=True, slots=True)
class Bearing:
    """A bearing that was run until it failed.

    Args:
        name: As the source's folder is called.
        condition: What it ran at, from the first minute to the last.
        minutes: How many minutes, a file each.
        element: What was found damaged in the end; `combined` for more than one.
        healthy_from: Which of the selections `single` and `any` take this bearing's first minutes as healthy ones, and
            nothing else of it: no bearing is both a healthy and a damaged specimen of one catalogue.
    """

    name: str
    condition: Condition
    minutes: int
    element: str
    healthy_from: tuple[str, ...] = ()


FIRST = Condition("35Hz12kN", 2100.0, "12 kN")
SECOND = Condition("37.5Hz11kN", 2250.0, "11 kN")
THIRD = Condition("40Hz10kN", 2400.0, "10 kN")

BEARINGS = (
    Bearing("Bearing1_1", FIRST, 123, OUTER),
    Bearing("Bearing1_2", FIRST, 161, OUTER, ("any",)),
    Bearing("Bearing1_3", FIRST, 158, OUTER),
    Bearing("Bearing1_4", FIRST, 122, CAGE, ("single",)),
    Bearing("Bearing1_5", FIRST, 52, COMBINED, ("single",)),
    Bearing("Bearing2_1", SECOND, 491, INNER),
    Bearing("Bearing2_2", SECOND, 161, OUTER),
    Bearing("Bearing2_3", SECOND, 533, CAGE, ("single",)),
    Bearing("Bearing2_4", SECOND, 42, OUTER),
    Bearing("Bearing2_5", SECOND, 339, OUTER, ("any",)),
    Bearing("Bearing3_1", THIRD, 2538, OUTER, ("any",)),
    Bearing("Bearing3_2", THIRD, 2496, COMBINED, ("single",)),
    Bearing("Bearing3_3", THIRD, 371, INNER),
    Bearing("Bearing3_4", THIRD, 1515, INNER),
    Bearing("Bearing3_5", THIRD, 114, OUTER),
)
SINGLE = (INNER, OUTER)
"""The damages of one ring: what `single` lists."""
