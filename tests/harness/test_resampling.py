"""Bringing signals to a common base: in Hz, and in turns of the shaft."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data.recording import Catalogue, Channel, Recording
from faultbench.data.resampling import Base, common_base, rebased, resample, resampled_length
from faultbench.errors import IsolationError, UsageError

Plant = Callable[..., Catalogue]


def named(catalogue: Catalogue, name: str, **changed: object) -> Catalogue:
    """The catalogue under another name, each recording changed alike."""
    return dataclasses.replace(
        catalogue, dataset=name, recordings=tuple(dataclasses.replace(r, dataset=name, **changed) for r in catalogue.recordings)
    )


def tone(hz: float, rate_hz: float, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(samples) / rate_hz).astype(np.float32)


def level(signal: np.ndarray) -> float:
    return float(np.sqrt(2 * np.mean(signal.astype(np.float64) ** 2)))


def peak(signal: np.ndarray, rate_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), 8 * len(signal)))
    return float(np.argmax(spectrum) * rate_hz / (8 * len(signal)))


# --- the filter


@pytest.mark.parametrize("hz", [100, 1000, 5000, 5390])
def test_what_lies_below_nine_tenths_of_the_band_stays_as_it_is(hz: float) -> None:
    made = resample(tone(hz, 20_000, 40_000), Fraction(3, 5))
    assert level(made) == pytest.approx(1, abs=2e-3)
    assert peak(made, 12_000) == pytest.approx(hz, abs=0.1)


@pytest.mark.parametrize("hz", [6010, 7000, 9900])
def test_nothing_is_folded_back(hz: float) -> None:
    assert level(resample(tone(hz, 20_000, 40_000), Fraction(3, 5))) < 2e-4
    plain = tone(hz, 20_000, 40_000)[::2]
    assert level(plain) > 0.9, "without the filter it is all there, in a wrong place"


def test_the_filter_is_of_linear_phase() -> None:
    """A pulse that is even in time stays even: nothing is smeared to one side."""
    pulse = np.zeros(4001, dtype=np.float32)
    pulse[2000] = 1
    made = resample(pulse, Fraction(1, 1))
    np.testing.assert_allclose(made, made[::-1], atol=1e-7)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5000))
@settings(max_examples=60, deadline=None)
def test_the_length_is_known_before(up: int, down: int, samples: int) -> None:
    ratio = Fraction(up, down)
    made = resample(np.ones(samples, dtype=np.float32), ratio)
    assert len(made) == resampled_length(samples, ratio)
    np.testing.assert_allclose(made, 1, atol=2e-3, err_msg="and the edge of the signal is in none of it")


# --- the base


def test_in_hz_all_come_to_the_lowest_rate_and_one_that_has_it_is_not_touched(plant: Plant) -> None:
    target = named(plant(rate_hz=20_000.0, samples=40_000), "target")
    source = named(plant(rate_hz=12_000.0, samples=24_000), "source")
    base = common_base([target, source], "hz")
    assert (base.rate_hz, base.speed_rpm) == (12_000.0, None)
    signal = tone(100, 12_000, 24_000)
    assert base.apply(signal, source.recordings[0]) is signal
    for catalogue in (target, source):
        made = rebased(catalogue, base)
        assert {c.rate_hz for r in made.recordings for c in r.channels} == {12_000.0}
        recording = made.recordings[0]
        wanted = base.apply(tone(100, 1, catalogue.recordings[0].channels[0].samples or 0), catalogue.recordings[0])
        assert recording.channels[0].samples == len(wanted)


def test_in_orders_a_line_of_the_shaft_stands_in_one_place_at_every_speed_and_rate(plant: Plant) -> None:
    """Planted: a line at 3.5 times the shaft, at two speeds and two rates."""
    slow = named(plant(rate_hz=20_000.0, samples=40_000, machines=("a",)), "target", speed_rpm=800.0)
    fast = named(plant(rate_hz=20_000.0, samples=40_000, machines=("b",)), "more", speed_rpm=1400.0)
    other = named(plant(rate_hz=12_000.0, samples=40_000, machines=("c",)), "source", speed_rpm=1797.0)
    base = common_base([slow, fast, other], "orders")
    assert base.speed_rpm == 800
    assert base.rate_hz == pytest.approx(12_000 * 60 / 1797 * 800 / 60)
    found = []
    for catalogue in (slow, fast, other):
        recording = catalogue.recordings[0]
        assert recording.speed_rpm is not None
        signal = tone(3.5 * recording.speed_rpm / 60, recording.channels[0].rate_hz, 40_000)
        made = base.apply(signal, recording)
        assert len(made) == rebased(catalogue, base).recordings[0].channels[0].samples
        found.append(peak(made, base.rate_hz))
    np.testing.assert_allclose(found, 3.5 * 800 / 60, rtol=2e-3)


def test_in_orders_every_signal_is_filtered_alike(plant: Plant) -> None:
    """White noise: the top of the band is cut for the fastest recording, whose ratio is one, as for the others."""
    slow = named(plant(rate_hz=12_000.0, samples=60_000, machines=("a",)), "slow", speed_rpm=900.0)
    fast = named(plant(rate_hz=12_000.0, samples=60_000, machines=("b",)), "fast", speed_rpm=1800.0)
    base = common_base([slow, fast], "orders")
    noise = np.random.default_rng(3).normal(size=60_000).astype(np.float32)
    for catalogue in (slow, fast):
        power = np.abs(np.fft.rfft(base.apply(noise, catalogue.recordings[0]))) ** 2
        assert power[int(0.98 * len(power)) :].mean() < 1e-2 * power[: len(power) // 2].mean()


def test_no_recording_is_ever_sampled_faster_than_it_was(plant: Plant) -> None:
    catalogues = [named(plant(rate_hz=r), str(r), speed_rpm=s) for r, s in ((20_000.0, 800.0), (12_000.0, 1797.0), (64_000.0, 3000.0))]
    for kind in ("hz", "orders"):
        base = common_base(catalogues, kind)
        assert max(base.ratio(c.recordings[0]) for c in catalogues) == 1


@given(st.floats(900, 3600))
@settings(max_examples=200, deadline=None)
def test_a_ratio_is_met_within_half_a_part_in_a_thousand(speed_rpm: float) -> None:
    base = Base("orders", 12_000.0 * 900 / 3600, 900.0)
    recording = Recording("d", "r", "m", "m", "b", "inner", "", "s", "l", speed_rpm, (Channel("a", 12_000.0),))
    assert float(base.ratio(recording)) == pytest.approx(speed_rpm / 3600, rel=5.1e-4)


def test_lengths_that_nobody_knows_stay_unknown(plant: Plant) -> None:
    unread = named(plant(rate_hz=20_000.0), "target", channels=(Channel("a", 20_000.0),))
    made = rebased(unread, common_base([unread, named(plant(rate_hz=12_000.0), "source")], "hz"))
    assert made.recordings[0].channels[0].samples is None


def test_what_cannot_be_brought_to_a_base_is_refused(plant: Plant) -> None:
    def lost(recording: Recording) -> Recording:
        return dataclasses.replace(recording, speed_rpm=None)

    target, source = named(plant(), "target"), plant(change=lost)
    with pytest.raises(IsolationError, match=r"^plant: the speed of .* is not known, orders need it: take base=hz$"):
        common_base([target, source], "orders")
    assert common_base([target, source], "hz").rate_hz == 1000
    with pytest.raises(UsageError, match="target is named twice"):
        common_base([target, source, target], "hz")
    with pytest.raises(UsageError, match="no base 'turns'"):
        common_base([target, source], "turns")
