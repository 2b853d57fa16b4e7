"""What the source measured: 32 bearings, four operating conditions, 20 measurements of each, seven channels.

After Lessmeier, Kimotho, Zimmer & Sextro 2016, "Condition Monitoring of Bearing Damage in Electromechanical Drive Systems by Using
Motor Current Signals of Electric Motors: A Benchmark Data Set for Data-Driven Classification", PHM Society European Conference.
"""

from __future__ import annotations

from dataclasses import dataclass

from faultbench.api import HEALTHY, Geometry

COMBINED = "combined"
ARTIFICIAL = "artificial"
REAL = "real"


@dataclass(frozen=True, slots=True)
class Bearing:
    """One specimen.

    Args:
        code: The source's name of it, `KA01`.
        element: The damaged ring, both (`combined`), or healthy.
        damage: `artificial` (spark erosion, drilling, an electric engraver), `real` (an accelerated lifetime test), or empty.
    """

    code: str
    element: str
    damage: str


def _bearings(codes: str, element: str, damage: str) -> tuple[Bearing, ...]:
    return tuple(Bearing(code, element, damage) for code in codes.split())


BEARINGS = (
    *_bearings("K001 K002 K003 K004 K005 K006", HEALTHY, ""),
    *_bearings("KA01 KA03 KA05 KA06 KA07 KA08 KA09", "outer", ARTIFICIAL),
    *_bearings("KI01 KI03 KI05 KI07 KI08", "inner", ARTIFICIAL),
    *_bearings("KA04 KA15 KA16 KA22 KA30", "outer", REAL),
    *_bearings("KI04 KI14 KI16 KI17 KI18 KI21", "inner", REAL),
    *_bearings("KB23 KB24 KB27", COMBINED, REAL),
)

CONDITIONS = {"N15_M07_F10": 1500.0, "N09_M07_F10": 900.0, "N15_M01_F10": 1500.0, "N15_M07_F04": 1500.0}
"""Operating conditions and their shaft speed, rev/min. N15: 1500 rpm; M07: 0.7 Nm of load torque; F10: 1000 N on the bearing."""

MEASUREMENTS = range(1, 21)

GEOMETRY = Geometry.from_dimensions("6203", balls=8, ball_mm=6.75, pitch_mm=28.55)
"""Of the type. The makers of the specimens differ: 29.05 mm is reported of the pitch circle of K001, which moves BPFO by 0.5 %."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One channel of a measurement.

    Args:
        name: As the files call it.
        raster: What the files call its sampling rate.
        rate_hz: That rate.
        unit: As the source's paper gives it, or `not stated`; the files leave it empty.
    """

    name: str
    raster: str
    rate_hz: float
    unit: str


SIGNALS = (
    # Vibration is the first: it is what a scenario reads unless it names another. Neither files nor paper state its unit.
    Signal("vibration_1", "HostService", 64_000.0, "not stated"),
    Signal("phase_current_1", "HostService", 64_000.0, "A"),
    Signal("phase_current_2", "HostService", 64_000.0, "A"),
    Signal("force", "Mech_4kHz", 4_000.0, "N"),
    Signal("speed", "Mech_4kHz", 4_000.0, "rpm"),
    Signal("torque", "Mech_4kHz", 4_000.0, "Nm"),
    Signal("temp_2_bearing_module", "Temp_1Hz", 1.0, "degC"),
)
VIBRATION = SIGNALS[0].name
SPEED = "speed"

UNREADABLE = {
    "N15_M01_F10_KA08_2": "e137cbb2368caa8bd56889eff8609d2569d2c196a85107e16aa4740437f2ccb3",
}
"""Measurements whose official file is damaged, with the SHA-256 of that file: behind the last channel, metadata are zeros, and
scipy refuses the whole ("Expecting matrix here"). Another file of the name is read like any."""

ALIKE = {
    "KA04": (
        ("N09_M07_F10_KA04_17", "N09_M07_F10_KA04_18"),
        ("N15_M07_F04_KA04_5", "N15_M07_F04_KA04_6", "N15_M07_F04_KA04_15", "N15_M07_F04_KA04_19", "N15_M07_F04_KA04_20"),
    ),
}
"""By bearing: measurements that are said to hold the same samples. The catalogue looks whether they do."""


def stems(code: str) -> list[str]:
    """The names of a bearing's measurements, without `.mat`, in a fixed order."""
    return [f"{condition}_{code}_{number}" for condition in CONDITIONS for number in MEASUREMENTS]
