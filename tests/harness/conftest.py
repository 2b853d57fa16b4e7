"""Made-up plants: small catalogues whose every number is known, and noise for signals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from faultbench.data.recording import Catalogue, Channel, Geometry, Recording
from faultbench.data.split import Signals

GEOMETRY = Geometry("made-up", bpfo=3.0, bpfi=5.0, bsf=2.0, ftf=0.4)


def make_plant(
    *,
    machines: tuple[str, ...] = ("beta", "alpha"),
    mountings: int = 1,
    bearings: int = 2,
    healthy: int = 2,
    loads: tuple[str, ...] = ("0 hp", "1 hp", "2 hp"),
    samples: int = 1920,
    rate_hz: float = 1000.0,
    change: Callable[[Recording], Recording | None] = lambda recording: recording,
) -> Catalogue:
    """Inner, ball and outer faults, small and large, and healthy, each on `bearings` (`healthy`) specimens per mounting.

    Small outer faults were measured at two clock positions. `change` alters or drops a recording.
    """
    recordings = []
    for machine in machines:
        for mounting in [f"{machine}-{n}" for n in range(mountings)]:
            faults = [(e, s) for e in ("inner", "ball", "outer") for s in ("small", "large")]
            specimens = [(e, s, n) for e, s in faults for n in range(bearings)] + [("healthy", "", n) for n in range(healthy)]
            for element, severity, number in specimens:
                bearing = f"{mounting}/{element}/{severity}/{number}"
                for position in ("@3", "@6") if (element, severity) == ("outer", "small") else ("",):
                    for load in loads:
                        name = f"{bearing}{position} at {load}"
                        recordings.append(
                            Recording(
                                dataset="plant",
                                id=name,
                                machine=machine,
                                mounting=mounting,
                                bearing=bearing,
                                element=element,
                                severity=severity,
                                session=name,
                                load=load,
                                speed_rpm=1800.0,
                                channels=(Channel("a", rate_hz, samples),),
                                geometry=GEOMETRY,
                                position=position,
                            )
                        )
    kept = tuple(changed for r in recordings if (changed := change(r)) is not None)
    return Catalogue("plant", "1", kept, targets=machines)


def make_noise(catalogue: Catalogue) -> Signals:
    """Noise for every channel, each its own."""
    rng = np.random.default_rng(7)
    keys = [(r.dataset, r.id, c.name, c.samples) for r in catalogue.recordings for c in r.channels]
    return {(dataset, name, channel): rng.normal(size=samples).astype(np.float32) for dataset, name, channel, samples in keys}


@pytest.fixture(scope="session")
def plant() -> Callable[..., Catalogue]:
    """Makes a made-up catalogue."""
    return make_plant


@pytest.fixture(scope="session")
def noise() -> Callable[[Catalogue], Signals]:
    """Makes the signals of a catalogue."""
    return make_noise
