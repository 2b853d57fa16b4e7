"""Spectra of signals whose lines are known, and where the lines of faults must stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from faultbench.data.recording import Channel, Geometry, Recording
from faultbench.inspection.spectra import amplitude_spectrum, envelope_spectrum, fault_lines, prewhitened

RATE_HZ = 12_000.0
TIME = np.arange(int(4 * RATE_HZ)) / RATE_HZ
RECORDING = Recording(
    "plant", "one", "m", "m", "b", "inner", "", "s", "0 hp", 1800.0, (Channel("a", RATE_HZ, len(TIME)),), Geometry("g", 3.0, 5.0, 2.0, 0.4)
)  # fmt: skip


def shocks(per_second, resonance_hz=3000.0, noise=0.05, seed=0):
    """A resonance struck so often, with a little slip, in noise."""
    rng = np.random.default_rng(seed)
    struck = np.zeros(len(TIME))
    struck[np.cumsum(rng.normal(RATE_HZ / per_second, 0.5, int(4 * per_second) - 2)).astype(int)] = 1
    pole = 0.97 * np.exp(2j * np.pi * resonance_hz / RATE_HZ)
    ring = lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], struck)
    return (ring + noise * rng.normal(size=len(TIME))).astype(np.float32)


def strongest(spectrum, above_hz=20.0):
    shown = spectrum.hz > above_hz
    return spectrum.hz[shown][np.argmax(spectrum.amplitude[shown])]


@given(hz=st.floats(50, 5900), amplitude=st.floats(1e-3, 10))
def test_a_sine_stands_at_its_frequency_with_its_amplitude(hz, amplitude):
    hz = round(hz / 2) * 2  # on a bin: between two of them a Hann window shows up to 15 % less
    spectrum = amplitude_spectrum((amplitude * np.sin(2 * np.pi * hz * TIME)).astype(np.float32), RATE_HZ)
    assert strongest(spectrum) == pytest.approx(hz, abs=spectrum.resolution_hz / 2)
    assert spectrum.amplitude.max() == pytest.approx(amplitude, rel=1e-3)


@pytest.mark.parametrize("per_second", [61.0, 107.0, 162.0])
@pytest.mark.parametrize("resonance_hz", [1500.0, 4500.0])
def test_the_envelope_shows_the_rate_of_shocks_whatever_resonance_they_ring(per_second, resonance_hz):
    signal = shocks(per_second, resonance_hz)
    found = envelope_spectrum(signal, RATE_HZ)
    assert strongest(found) == pytest.approx(per_second, abs=1.0)
    assert abs(strongest(amplitude_spectrum(signal, RATE_HZ)) - per_second) > 500  # the spectrum itself shows the resonance


def test_shocks_under_a_strong_tone_are_found_by_whitening():
    drowned = shocks(107.0, noise=0.02) + (5 * np.sin(2 * np.pi * 400 * TIME)).astype(np.float32)
    assert strongest(envelope_spectrum(drowned, RATE_HZ)) == pytest.approx(107.0, abs=1.0)


def test_a_modulation_in_full_is_near_1_and_noise_far_below():
    noise = np.random.default_rng(0).normal(size=len(TIME))
    loud = ((1 + np.cos(2 * np.pi * 90 * TIME)) ** 0.5 * noise).astype(np.float32)  # its squared envelope goes to zero and back
    found = envelope_spectrum(loud, RATE_HZ)
    assert strongest(found) == pytest.approx(90.0, abs=0.5)
    assert found.amplitude.max() == pytest.approx(1.0, abs=0.1)
    assert envelope_spectrum(noise.astype(np.float32), RATE_HZ).amplitude.max() < 0.1


def test_whitening_levels_a_coloured_noise():
    coloured = lfilter([1], [1, -1.6, 0.81], np.random.default_rng(0).normal(size=len(TIME))).astype(np.float32)

    def unevenness(signal):
        amplitude = amplitude_spectrum(signal.astype(np.float32), RATE_HZ).amplitude[50:-50]
        return float(np.log(amplitude).std())

    white = prewhitened(coloured, RATE_HZ)
    assert unevenness(coloured) > 0.5
    assert unevenness(white) < 0.25
    assert white.std() == pytest.approx(1.0)


@pytest.mark.parametrize("signal", [np.zeros(5000), np.full(5000, 3.0), np.ones(2), np.arange(40.0)])
def test_signals_that_hold_next_to_nothing_are_borne(signal):
    for spectrum in (amplitude_spectrum(signal.astype(np.float32), RATE_HZ), envelope_spectrum(signal.astype(np.float32), RATE_HZ)):
        assert np.isfinite(spectrum.amplitude).all()


def test_a_short_recording_has_a_coarser_spectrum():
    assert amplitude_spectrum(np.ones(1200, dtype=np.float32), RATE_HZ).resolution_hz == pytest.approx(10.0)


def test_lines_stand_where_geometry_and_speed_put_them():
    lines = {line.name: line for line in fault_lines(RECORDING)}
    assert {name: line.hz for name, line in lines.items()} == {"BPFO": 90.0, "BPFI": 150.0, "2xBSF": 120.0, "FTF": 12.0}
    assert lines["2xBSF"].element == "ball"


@pytest.mark.parametrize("unknown", [{"geometry": None}, {"speed_rpm": None}, {"speed_rpm": 0.0}])
def test_there_are_no_lines_where_they_are_not_known(unknown):
    assert fault_lines(replace(RECORDING, **unknown)) == ()
