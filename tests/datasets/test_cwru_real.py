"""The reader of the Case Western data, on the real records where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from scipy.signal import welch

from faultbench.api import Catalogue, Recording
from faultbench_datasets.cwru import Cwru
from faultbench_datasets.cwru.decimation import decimate

DATA = Path(os.environ.get("FAULTBENCH_DATA") or Path(__file__).parents[2].parent / "shared" / "data")

pytestmark = pytest.mark.skipif(
    not (DATA / "cwru" / "105.mat").exists(), reason="no real records: set FAULTBENCH_DATA to the folder that holds cwru/105.mat"
)


@pytest.fixture(scope="module")
def data() -> Cwru:
    return Cwru(data_dir=DATA)


@pytest.fixture(scope="module")
def catalogue(data: Cwru) -> Catalogue:
    return data.catalogue()


@pytest.fixture(scope="module")
def by_id(catalogue: Catalogue) -> dict[str, Recording]:
    return {recording.id: recording for recording in catalogue.recordings}


def present(number: int) -> Path:
    path = DATA / "cwru" / f"{number}.mat"
    if not path.exists():
        pytest.skip(f"{path} is not at hand")
    return path


def test_every_record_reads_as_it_was_listed(data: Cwru, catalogue: Catalogue) -> None:
    for recording in catalogue.recordings:
        for channel in recording.channels:
            signal = data.read(recording, channel.name)
            assert signal.shape == (channel.samples,)
            assert signal.dtype == np.float32
            assert np.isfinite(signal).all()
            assert 0.01 < signal.std() < 3  # g: the quietest healthy and the loudest fault stay within


def test_fault_records_are_bit_for_bit_what_scipy_reads(data: Cwru, by_id: dict[str, Recording]) -> None:
    for number, variable in (("105", "X105_DE_time"), ("278", "X278_FE_time"), ("3001", "X056_DE_time"), ("318", "X318_FE_time")):
        raw = scipy.io.loadmat(present(int(number)))[variable].ravel()
        np.testing.assert_array_equal(data.read(by_id[number], by_id[number].channels[0].name), raw.astype(np.float32))


def test_an_official_file_is_known_as_such(by_id: dict[str, Recording]) -> None:
    for number in ("105", "3001"):
        assert not any("official" in note for note in by_id[number].notes)


def test_no_element_but_healthy_lacks_a_speed_near_nominal(catalogue: Catalogue) -> None:
    nominal = {"0 hp": 1797, "1 hp": 1772, "2 hp": 1750, "3 hp": 1730}
    for recording in catalogue.recordings:
        assert recording.speed_rpm is not None
        assert abs(recording.speed_rpm / nominal[recording.load] - 1) < 0.015


def test_speeds_that_the_source_has_wrong_are_noted(by_id: dict[str, Recording]) -> None:
    assert (by_id["279"].speed_rpm, by_id["158"].speed_rpm) == (1772, 1795)
    assert any("1732" in note for note in by_id["279"].notes)


def line_ratio(signal: np.ndarray, hz: float) -> float:
    """The level of a line in the spectrum over that of its surroundings."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    step = 12_000 / len(signal)
    around = spectrum[round(hz * 0.97 / step) : round(hz * 1.03 / step)]
    near = spectrum[round((hz - 1) / step) : round((hz + 1) / step) + 1]
    return float(near.max() / np.median(around))


def test_decimated_healthy_records_have_their_shaft_line_where_the_speed_puts_it(data: Cwru, by_id: dict[str, Recording]) -> None:
    recording = by_id["97:drive-end"]
    assert recording.speed_rpm is not None
    assert line_ratio(data.read(recording, "DE"), recording.speed_rpm / 60) > 5


def roll_off_db(power_12: np.ndarray, power_48: np.ndarray) -> np.ndarray:
    """The power ratio in bands of 100 Hz from 5.4 kHz to 6 kHz against that of 5.0 to 5.3 kHz, dB."""
    hz = np.arange(len(power_12)) * 12_000 / 1024
    bands = [
        np.log10(power_12[(hz >= low) & (hz < low + 100)].mean() / power_48[(hz >= low) & (hz < low + 100)].mean())
        for low in range(5000, 6000, 100)
    ]
    return 10 * (np.array(bands[4:]) - np.mean(bands[:3]))


def test_decimation_cuts_the_band_as_the_recorder_of_the_drive_end_did() -> None:
    """The median over pairs of one fault at both rates: decimated, the 48 kHz record falls off like its twin. A plain filter does not."""
    left, plain = [], []
    for number, twin, prefix in ((105, 109, "X109"), (118, 122, "X122"), (130, 135, "X135"), (169, 174, "X173")):
        for sensor in ("DE", "FE"):
            at_12 = scipy.io.loadmat(present(number))[f"X{number}_{sensor}_time"].ravel()
            at_48 = scipy.io.loadmat(present(twin))[f"{prefix}_{sensor}_time"].ravel()
            _, power = welch(at_12, 12_000, window="blackman", nperseg=1024)
            for found, end in ((left, "drive-end"), (plain, "fan-end")):
                _, decimated = welch(decimate(at_48, end), 12_000, window="blackman", nperseg=1024)
                found.append(roll_off_db(power, decimated))
    assert np.abs(np.median(left, axis=0)).max() < 3
    assert np.abs(np.median(plain, axis=0)).max() > 25


@pytest.mark.parametrize("end", ["drive-end", "fan-end"])
def test_the_cut_below_6_khz_does_not_tell_healthy_from_faulty(data: Cwru, catalogue: Catalogue, end: str) -> None:
    """The level of 5.8 to 6 kHz against that of 5.0 to 5.3 kHz: the healthy records lie among the faults of their end."""

    def cut_db(recording: Recording) -> float:
        hz, power = welch(data.read(recording, recording.channels[0].name), 12_000, window="blackman", nperseg=1024)
        return float(10 * np.log10(power[(hz >= 5800) & (hz < 6000)].mean() / power[(hz >= 5000) & (hz < 5300)].mean()))

    here = [recording for recording in catalogue.recordings if recording.mounting == end]
    faulty = [cut_db(recording) for recording in here if not recording.healthy]
    for recording in here:
        if recording.healthy:
            assert min(faulty) < cut_db(recording) < max(faulty)
