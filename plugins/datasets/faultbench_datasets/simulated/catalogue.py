"""The plan in the harness's words."""

from __future__ import annotations

import functools

from faultbench.api import Catalogue, Channel, Recording
from faultbench_datasets.simulated.rig import BETA, MACHINES, RATE_HZ, SAMPLES, Load, Specimen, specimens

NAME = "simulated"
VERSION = "1"
"""To be raised whenever a signal changes; `tests/datasets/test_simulated_frozen.py` notices."""
CHANNEL = "accelerometer"


@functools.cache
def measured() -> dict[str, tuple[Specimen, Load]]:
    """What was measured in each session, by its name, which is also the recording's."""
    return {specimen.session(load): (specimen, load) for specimen in specimens() for load in specimen.machine.loads}


@functools.cache
def catalogue() -> Catalogue:
    """All recordings; `beta` is the machine to hold out unless a scenario is told otherwise."""
    channel = Channel(CHANNEL, RATE_HZ, SAMPLES)
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
            channels=(channel,),
            geometry=specimen.machine.dimensions.geometry,
        )
        for session, (specimen, load) in measured().items()
    )
    return Catalogue(
        dataset=NAME,
        version=VERSION,
        recordings=recordings,
        targets=(BETA.name, *(machine.name for machine in MACHINES if machine is not BETA)),
        cite="a physical model after McFadden & Smith 1984, Ho & Randall 2000, Antoni & Randall 2003, Sawalhi & Randall 2011",
        licence="Apache-2.0, as the program",
    )
