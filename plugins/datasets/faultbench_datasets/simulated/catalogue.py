"""The plan in the harness's words."""

from __future__ import annotations

import functools

from faultbench.api import Catalogue, Channel, Recording
from faultbench_datasets.simulated.rig import (
    ACCELEROMETER,
    ACROSS,
    BEARINGS,
    BETA,
    CURRENT,
    GEARS,
    MACHINES,
    RATE_HZ,
    SAMPLES,
    TEMPERATURE,
    TEMPERATURE_HZ,
    TEMPERATURE_SAMPLES,
    Load,
    Specimen,
    gear_sets,
    specimens,
)

NAME = "simulated"
VERSION = "1"
"""To be raised whenever a bearing's acceleration changes; `tests/datasets/test_simulated_frozen.py` notices."""
GEARS_VERSION = "gears-1"
"""Likewise for a set of gears (`test_simulated_extended_frozen.py`)."""
SENSORS_VERSION = "sensors-1"
"""Likewise for what the other sensors say (the same)."""

ONE, ALL = "one", "all"
SENSORS = (ONE, ALL)

_CHANNELS = (
    Channel(ACCELEROMETER, RATE_HZ, SAMPLES),
    Channel(ACROSS, RATE_HZ, SAMPLES),
    Channel(CURRENT, RATE_HZ, SAMPLES, "A"),
    Channel(TEMPERATURE, TEMPERATURE_HZ, TEMPERATURE_SAMPLES, "degC"),
)
_CITES = {
    BEARINGS: "a physical model after McFadden & Smith 1984, Ho & Randall 2000, Antoni & Randall 2003, Sawalhi & Randall 2011",
    GEARS: "a physical model after Randall 1982, McFadden 1986, Capdessus & Sidahmed 1992, Chaari et al. 2008",
}


@functools.cache
def measured(equipment: str) -> dict[str, tuple[Specimen, Load]]:
    """What was measured in each session of that equipment, by its name, which is also the recording's."""
    plan = specimens() if equipment == BEARINGS else gear_sets()
    return {specimen.session(load): (specimen, load) for specimen in plan for load in specimen.machine.loads}


@functools.cache
def catalogue(equipment: str, sensors: str) -> Catalogue:
    """All recordings; `beta` is the machine to hold out unless a scenario is told otherwise."""
    version = VERSION if equipment == BEARINGS else GEARS_VERSION
    channels = _CHANNELS if sensors == ALL else _CHANNELS[:1]
    recordings = tuple(
        Recording(
            dataset=NAME,
            id=session,
            machine=specimen.machine.name,
            mounting=specimen.mounting,
            bearing=specimen.bearing,
            element=specimen.element,
            severity=specimen.severity,
            session=session,
            load=load.name,
            speed_rpm=load.speed_rpm,
            channels=channels,
            geometry=specimen.machine.dimensions.geometry if equipment == BEARINGS else None,
            position=specimen.gear,
            gearing=specimen.machine.gearing if equipment == GEARS else None,
        )
        for session, (specimen, load) in measured(equipment).items()
    )
    return Catalogue(
        dataset=NAME,
        version=f"{version}+{SENSORS_VERSION}" if sensors == ALL else version,
        recordings=recordings,
        targets=(BETA.name, *(machine.name for machine in MACHINES if machine is not BETA)),
        cite=_CITES[equipment],
        licence="Apache-2.0, as the program",
    )
