"""What holds for all tests, and a small source of made-up recordings: classes of different spectra, measured at three loads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from faultbench.api import NetShape, Parts, Pool, Tasks

# A change is judged by the same examples every time; new ones are looked for on the developers' machines.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory):
    """What data sets note of made-up files stays out of the user's cache, and errors are no annotations of the tests' own job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTBENCH_CACHE", str(tmp_path_factory.mktemp("cache-of-the-tests")))
        patch.delenv("GITHUB_ACTIONS", raising=False)  # the tests of a job there are told so by themselves
        yield


RATE_HZ, WINDOW, SAMPLES = 12_000.0, 512, 512 * 12
CLASSES = ("inner 7 mil", "inner 14 mil", "ball 7 mil", "ball 14 mil", "outer 7 mil", "outer 14 mil")


@dataclass(frozen=True)
class Source:
    """Pool, signals, and tasks on them."""

    pool: Pool
    signals: dict
    tasks: Tasks
    shape: NetShape
    parts: Parts


def made_up_source(ways=3, shots=4, seed=0):
    """Each class is a resonance of its own, in noise."""
    from faultbench.data.recording import Channel, Recording
    from faultbench.data.split import EpisodeRequest, Pool
    from faultbench.learning.contracts import NetShape
    from faultbench.learning.parts import RegistryParts
    from faultbench.learning.tasks import Tasks
    from faultbench.registry import Registry

    rng = np.random.default_rng(seed)
    recordings, signals = [], {}
    for number, label in enumerate(CLASSES):
        for load in range(3):
            element, severity = label.split(" ", 1)
            noise = rng.standard_normal(SAMPLES + 64)
            ring = np.exp(-np.arange(64) / 8) * np.cos(2 * np.pi * (0.05 + 0.06 * number) * np.arange(64))
            x = np.convolve(noise, ring, "same")[:SAMPLES] + 0.5 * rng.standard_normal(SAMPLES)
            recording = Recording(
                dataset="made-up", id=f"{label}@{load}", machine="a", mounting="a1", bearing=label, element=element, severity=severity,
                session=f"{label}@{load}", load=f"{load} hp", speed_rpm=1800.0, channels=(Channel("vibration", RATE_HZ, SAMPLES),),
            )  # fmt: skip
            recordings.append(recording)
            signals["made-up", recording.id, "vibration"] = x.astype(np.float32)
    pool = Pool(
        recordings=tuple(recordings),
        channels=(("vibration",),) * len(recordings),
        labels=tuple(f"{r.element} {r.severity}" for r in recordings),
        conditions=tuple(r.bearing for r in recordings),
        parts=tuple(r.load for r in recordings),
        together=True,
    )
    request = EpisodeRequest(ways=ways, shots=shots, shots_rare=shots, queries=5)
    tasks = Tasks(pool, signals, WINDOW, request, np.random.SeedSequence(seed))
    shape = NetShape(WINDOW, RATE_HZ, 1, ways, ways * shots)
    return Source(pool, signals, tasks, shape, RegistryParts(Registry.discover(plugins=False)))


@pytest.fixture
def source():
    """Three ways, four shots."""
    return made_up_source()


@pytest.fixture
def episode(source):
    """One task: raw support windows, one-hot labels, raw query windows, query labels."""
    import torch

    batch = next(source.tasks.batches(1))
    return batch.support[0], torch.eye(source.shape.ways)[batch.support_labels[0]], batch.query[0], batch.query_labels[0]


@pytest.fixture
def artifact_of(source, tmp_path):
    """Writes the artifact of a learner's net."""
    from faultbench.artifact.writer import write_artifact

    def write(learner, net):
        shape = source.shape
        graphs = learner.export(net, shape)
        told = {"learner": "made-up", "compressor": "none", "provenance": "0" * 64}
        write_artifact(tmp_path / "artifact", graphs, ways=shape.ways, window=shape.window, channels=1, rate_hz=shape.rate_hz, **told)
        return tmp_path / "artifact"

    return write
