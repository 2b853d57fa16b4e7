"""A plant of two machines whose faults differ in loudness."""

import numpy as np

from faultbench.api import Catalogue, Channel, DataError, Geometry, Recording

ELEMENTS = {"healthy": 1.0, "inner": 2.0, "ball": 4.0, "outer": 8.0}

SAMPLES = 64 * 40
SENSORS = (Channel("a", 1000.0, SAMPLES), Channel("b", 1000.0, SAMPLES), Channel("t", 1.0, 3, "degC"))
"""With the mood `sensors`: two accelerometers and a thermometer."""


class Plant:
    def __init__(self, mood="good"):
        self.mood = mood

    def catalogue(self):
        recordings = []
        for machine in ("near", "far"):
            for element in ELEMENTS:
                for number in range(1 if element == "healthy" else 2):
                    for load in ("0 hp", "1 hp"):
                        name = f"{machine} {element} {number} {load}"
                        recordings.append(
                            Recording(
                                "plant",
                                name,
                                machine,
                                machine,
                                f"{machine} {element} {number}",
                                element,
                                "" if element == "healthy" else f"size {number}",
                                name,
                                load,
                                1800.0,
                                SENSORS
                                if self.mood == "sensors"
                                else (Channel("a", 1000.0, SAMPLES if self.mood == "measured" else None),),
                                None if self.mood == "unnamed" else Geometry("g", 3.0, 5.0, 2.0, 0.4),
                            )
                        )
        return Catalogue("plant", "1", tuple(recordings), ("near", "far"))

    def read(self, recording, channel):
        if self.mood == "spoilt":
            raise DataError("plant: a file is foreign: take the official one")
        if channel == "t":
            return np.full(3, 20 + ELEMENTS[recording.element], np.float32)
        seed = [ord(c) for c in recording.id + channel]
        return (ELEMENTS[recording.element] * np.random.default_rng(seed).normal(size=SAMPLES)).astype(np.float32)
