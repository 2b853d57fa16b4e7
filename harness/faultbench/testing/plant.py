"""A made-up plant: machines whose bearings ring each in a way of their own, easy to tell apart. What checks try plugins on.

Nothing here is a model of anything. A class is a resonance, a machine colours all of its signals a little, and a load changes their level.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import HEALTHY, Catalogue, Channel, Geometry, Recording
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import Scenario

RATE_HZ = 12_000.0
SAMPLES = 8 * 2048
CHANNEL = "vibration"
LOADS = ("0 hp", "1 hp", "2 hp", "3 hp")
ELEMENTS = ("inner", "ball", "outer")
SEVERITIES = ("small", "large")
GEOMETRY = Geometry.from_dimensions("made up", balls=9, ball_mm=8.0, pitch_mm=40.0)

_RING = 64
"""Samples of a resonance."""


def plant(
    dataset: str = "plant", machines: tuple[str, ...] = ("near", "far"), bearings: int = 2, loads: tuple[str, ...] = LOADS
) -> Catalogue:
    """A catalogue: healthy and every element at both severities, on so many bearings each, at every load, one mounting a machine."""
    kinds = [(HEALTHY, ""), *((element, severity) for element in ELEMENTS for severity in SEVERITIES)]
    recordings = tuple(
        Recording(
            dataset=dataset,
            id=f"{machine} {element} {severity} {number} {load}".replace("  ", " "),
            machine=machine,
            mounting=f"{machine} end",
            bearing=f"{machine} {element} {severity} {number}".replace("  ", " "),
            element=element,
            severity=severity,
            session=f"{machine} {element} {severity} {number} {load}".replace("  ", " "),
            load=load,
            speed_rpm=1800.0 - 20 * loads.index(load),
            channels=(Channel(CHANNEL, RATE_HZ, SAMPLES),),
            geometry=GEOMETRY,
        )
        for machine in machines
        for element, severity in kinds
        for number in range(bearings)
        for load in loads
    )
    return Catalogue(dataset, "1", recordings, machines)


def on_base(scenario: Scenario, catalogues: Sequence[Catalogue]) -> list[Catalogue]:
    """Catalogues as a run gives them to a scenario: on a common base where it has one."""
    kind = getattr(scenario, "base", None)
    if kind is None:
        return list(catalogues)
    base = common_base(catalogues, kind)
    return [rebased(catalogue, base) for catalogue in catalogues]


class PlantSignals(Mapping[tuple[str, str, str], NDArray[np.float32]]):
    """The signals of made-up catalogues, each made when it is first asked for. They cannot be written to."""

    def __init__(self, *catalogues: Catalogue) -> None:
        self._recordings = {(r.dataset, r.id, CHANNEL): r for catalogue in catalogues for r in catalogue.recordings}

    def __getitem__(self, key: tuple[str, str, str]) -> NDArray[np.float32]:
        """One signal, (sample,)."""
        return _signal(self._recordings[key])

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        return iter(self._recordings)

    def __len__(self) -> int:
        return len(self._recordings)


@functools.lru_cache(maxsize=256)
def _signal(recording: Recording) -> NDArray[np.float32]:
    rng = np.random.default_rng(np.frombuffer(hashlib.sha256(f"{recording.dataset}/{recording.id}".encode()).digest(), np.uint32))
    kinds = [(HEALTHY, ""), *((element, severity) for element in ELEMENTS for severity in SEVERITIES)]
    number = kinds.index((recording.element, recording.severity))
    turns = np.arange(_RING) * (0.05 + 0.06 * number)
    ring = np.exp(-np.arange(_RING) / 8) * np.cos(2 * np.pi * turns)
    rung = np.convolve(rng.standard_normal(SAMPLES + _RING), ring, "same")[:SAMPLES]
    level = 1 + 0.2 * LOADS.index(recording.load)
    coloured = np.convolve(rung + 0.5 * rng.standard_normal(SAMPLES), [1, 0.3 * (len(recording.machine) % 2)], "same")
    signal = (level * coloured).astype(np.float32)
    signal.setflags(write=False)
    return signal
