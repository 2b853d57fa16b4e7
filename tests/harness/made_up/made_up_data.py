"""Plants of two machines whose faults differ in loudness."""

import dataclasses

import numpy as np

from faultbench.api import Catalogue, Channel, DataError, Geometry, Recording

ELEMENTS = {"healthy": 1.0, "inner": 2.0, "ball": 4.0, "outer": 8.0}

SAMPLES = 64 * 40
SENSORS = (Channel("a", 1000.0, SAMPLES), Channel("b", 1000.0, SAMPLES), Channel("t", 1.0, 3, "degC"))
"""With the mood `sensors`: two accelerometers and a thermometer."""

COPY, ORIGINAL = "far inner 0 0 hp", "near inner 0 0 hp"
"""In the moods `renamed`, `shifted`, `cropped` and `rescaled` the first holds samples of the second."""


class Plant:
    name = "plant"

    def __init__(self, mood="good"):
        self.mood = mood

    def catalogue(self):
        recordings = []
        for machine in ("near", "far"):
            for element in ELEMENTS:
                if element == "healthy" and self.mood.startswith("faulty"):
                    continue
                for number in range(1 if element == "healthy" else 2):
                    for load in ("0 hp", "1 hp"):
                        name = f"{machine} {element} {number} {load}"
                        recordings.append(
                            Recording(
                                self.name,
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
                                else (Channel("a", 1000.0, SAMPLES if self.mood.endswith("measured") else None),),
                                None if self.mood == "unnamed" else Geometry("g", 3.0, 5.0, 2.0, 0.4),
                            )
                        )
        return Catalogue(self.name, "1", tuple(map(self._told, recordings)), ("near", "far"))

    def _told(self, recording):
        """What the moods change of a recording."""
        if self.mood == "two-sensors":  # each session was heard by a sensor at either machine
            return dataclasses.replace(recording, session=recording.id.partition(" ")[2])
        if self.mood == "clock-positions" and recording.element == "outer":  # two positions of one ring that was turned
            ring = f"{recording.machine} outer"
            return dataclasses.replace(recording, bearing=ring, position="@3" if recording.severity == "size 0" else "@6")
        if self.mood == "moved" and recording.id == COPY:
            return dataclasses.replace(recording, mounting="near")
        if self.mood == "lent" and recording.id == COPY:
            return dataclasses.replace(recording, bearing="near inner 0")
        return recording

    def read(self, recording, channel):
        if self.mood == "spoilt":
            raise DataError("plant: a file is foreign: take the official one")
        if channel == "t":
            return np.full(3, 20 + ELEMENTS[recording.element], np.float32)
        if recording.id == COPY and self.mood in ("renamed", "shifted", "cropped", "rescaled"):
            original = self._signal(ORIGINAL, recording.element)
            rescaled = (np.round(original, 3) * -9.81).astype(np.float32)
            return {"renamed": original, "shifted": np.roll(original, 37), "cropped": original[700:], "rescaled": rescaled}[
                self.mood
            ].copy()
        return self._signal(recording.id + channel * (channel != "a"), recording.element)

    def _signal(self, name, element):
        seed = [ord(c) for c in name] + [ord(c) for c in self.name if self.name != "plant"]
        return (ELEMENTS[element] * np.random.default_rng(seed).normal(size=SAMPLES)).astype(np.float32)


class Twin(Plant):
    """Another data set of the same build."""

    name = "twin"
