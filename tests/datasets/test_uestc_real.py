"""The reader of the UESTC data, on the real files where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from scipy.signal import hilbert

from faultbench.api import Catalogue, Recording
from faultbench_datasets.uestc import Uestc

DATA = Path(os.environ.get("FAULTBENCH_DATA") or Path(__file__).parents[2].parent / "shared" / "data")

pytestmark = pytest.mark.skipif(
    not (DATA / "uestc" / "N_800_1.mat").exists(), reason="no real files: set FAULTBENCH_DATA to the folder that holds uestc/N_800_1.mat"
)


@pytest.fixture(scope="module")
def data() -> Uestc:
    return Uestc(data_dir=DATA)


@pytest.fixture(scope="module")
def catalogue(data: Uestc) -> Catalogue:
    return data.catalogue()


@pytest.fixture(scope="module")
def first(catalogue: Catalogue) -> dict[str, Recording]:
    return {recording.id: recording for recording in catalogue.recordings if recording.id.endswith("_1")}


@pytest.fixture(scope="module")
def signals(data: Uestc, first: dict[str, Recording]) -> dict[str, np.ndarray]:
    return {name: data.read(recording, recording.channels[0].name) for name, recording in first.items()}


def test_four_classes_at_four_speeds_read_as_they_were_listed(first: dict[str, Recording], signals: dict[str, np.ndarray]) -> None:
    assert len(first) == 16
    for name, recording in first.items():
        assert signals[name].shape == (recording.channels[0].samples,)
        assert signals[name].dtype == np.float32
        assert len(recording.notes) == 1, "nothing but the speed is odd"


def test_files_are_bit_for_bit_what_scipy_reads(signals: dict[str, np.ndarray]) -> None:
    for name in ("N_800_1", "O_1400_1"):
        raw = scipy.io.loadmat(DATA / "uestc" / f"{name}.mat")["Data"].ravel()
        np.testing.assert_array_equal(signals[name], raw.astype(np.float32))


def test_the_level_alone_tells_the_classes_apart_but_for_inner_and_outer(signals: dict[str, np.ndarray]) -> None:
    """The shortcut that the package's text warns of."""
    levels: dict[str, list[float]] = {}
    for name, signal in signals.items():
        levels.setdefault(name[0], []).append(float(signal.std()))
    assert max(levels["N"]) < 0.022 < 0.05 < min(levels["B"])
    assert max(levels["B"]) < 0.15 < 0.26 < min(levels["O"]) < min(levels["I"])


@pytest.mark.parametrize(("name", "line"), [("O_800_1", 2.96), ("O_1000_1", 3.04), ("O_1400_1", 3.24)])
def test_the_outer_race_line_shows_that_the_speed_is_not_the_nominal_one(
    name: str, line: float, first: dict[str, Recording], signals: dict[str, np.ndarray]
) -> None:
    """One bearing has one BPFO: its line is at another multiple of the nominal speed in each file."""
    signal, speed_rpm = signals[name].astype(np.float64), first[name].speed_rpm
    assert speed_rpm is not None
    spectrum = np.fft.rfft(signal)
    whitened = np.fft.irfft(spectrum / np.convolve(np.abs(spectrum), np.ones(200) / 200, "same"), len(signal))
    envelope = np.abs(hilbert(whitened)) ** 2
    lines = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(signal)), 4 * len(signal)))
    step_hz = 20_000 / (4 * len(signal))
    orders = np.arange(2.7, 3.4, 0.002)
    heights = [lines[[round(order * k * speed_rpm / 60 / step_hz) for k in (1, 2, 3)]].sum() for order in orders]
    assert orders[int(np.argmax(heights))] == pytest.approx(line, abs=0.02)
    assert first[name].geometry is None
