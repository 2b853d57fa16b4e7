"""The target x86: this machine, if it is one."""

import platform
from pathlib import Path

import numpy as np
import pytest

from faultbench.api import CellError, EpisodeWindows, Timing
from faultbench.artifact.writer import write_artifact
from faultbench.measuring import device
from faultbench.testing.artifacts import centroid_graphs
from faultbench_targets import faultbench_targets
from faultbench_targets.x86 import X86

on_x86 = pytest.mark.skipif(platform.machine().lower() not in {"x86_64", "amd64"}, reason="this machine is no x86-64 one")


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faultbench.measuring.lock.lock_path", lambda: tmp_path / "measuring.lock")


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    shape = {"ways": 2, "window": 64, "channels": 1, "rate_hz": 12000}
    graphs = centroid_graphs(2, 64, support_rows=12)
    write_artifact(tmp_path / "artifact", graphs, **shape, learner="centroid", compressor="none", provenance="p")
    return tmp_path / "artifact"


def episodes() -> EpisodeWindows:
    labels = np.arange(40) % 2
    windows = (np.random.default_rng(3).standard_normal((40, 1, 64)) * 10.0 ** labels[:, None, None]).astype(np.float32)
    support = np.arange(10)[None]
    return EpisodeWindows(windows, support, labels[support], np.arange(10, 40)[None])


@on_x86
def test_it_adapts_predicts_and_times(artifact: Path) -> None:
    found = X86().run(artifact, episodes(), Timing(warmup=1, queries=10, audit_rounds=2))
    assert found.kind == "measured"
    np.testing.assert_array_equal(found.predictions, episodes().query % 2)
    assert found.device.arch == platform.machine()


@on_x86
def test_its_own_threads_count_not_those_of_the_timing(artifact: Path) -> None:
    with pytest.raises(CellError, match="5000 threads"):
        X86(threads=5000).run(artifact, episodes(), Timing(threads=1))


def test_a_machine_of_another_architecture_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(device.platform, "machine", lambda: "aarch64")
    with pytest.raises(CellError, match="this machine is aarch64, not x86-64"):
        X86().probe()
    with pytest.raises(CellError, match="this machine is aarch64"):
        X86().run(tmp_path, episodes(), Timing())


def test_it_is_offered_with_its_threads() -> None:
    (offer,) = faultbench_targets()
    assert (offer.name, offer.factory, list(offer.params)) == ("x86", "faultbench_targets.x86:X86", ["threads"])
