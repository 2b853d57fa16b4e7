"""Copies are found by their samples; signals that only look alike are not taken for copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data import anchors, rescaled

SAMPLES = 20_000


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(11)


def copies(signals):
    return anchors.copies(signals, signals.__getitem__)


def noises(count, seed=0, samples=SAMPLES):
    return [r.normal(size=samples).astype(np.float32) for r in map(np.random.default_rng, range(seed, seed + count))]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, SAMPLES - 600), st.integers(0, SAMPLES - 600), st.integers(600, SAMPLES), st.integers(0, 100))
def test_a_stretch_copied_to_any_place_is_found(source, place, length, seed):
    first, second, third = noises(3, seed * 3)
    length = min(length, SAMPLES - source, SAMPLES - place)
    second[place : place + length] = first[source : source + length]
    assert copies([first, third, second]) == [(0, 2)]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, SAMPLES - 2000),
    st.integers(0, SAMPLES - 2000),
    st.integers(2000, SAMPLES),
    st.floats(1e-3, 1e3),
    st.sampled_from([-1, 1]),
    st.floats(-30, 30),
    st.sampled_from([0, 1e-4, 1e-2, 5e-2]),
    st.integers(0, 100),
)
def test_a_stretch_is_found_at_any_gain_sign_offset_and_rounding(source, place, length, gain, sign, offset, step, seed):
    first, second, third = noises(3, seed * 3)
    length = min(length, SAMPLES - source, SAMPLES - place)
    copied = first[source : source + length] + offset
    second[place : place + length] = np.round(copied / step) * step if step else copied
    assert copies([first, third, (sign * gain * second).astype(np.float32)]) == [(0, 2)]


def test_a_copy_is_found_though_a_block_reaches_beyond_it_and_still_agrees():
    first, second, third = noises(3, 66)
    second[:2000] = first[22:2022]
    (places, signatures), (_, others) = rescaled.marks(first), rescaled.marks(-second)
    assert places[np.isin(signatures, others)].max() + rescaled.BLOCK > 2022, "the last block that agrees is to reach beyond"
    assert copies([first, third, -second]) == [(0, 2)]


def test_only_suspects_are_read_again():
    first, other, third = noises(3)
    read = []
    signals = [first, other, -2 * first[100:], third]
    assert anchors.copies(iter(signals), lambda number: read.append(number) or signals[number]) == [(0, 2)]
    assert sorted(read) == [0, 2]


def test_of_many_copies_enough_pairs_link_all():
    first, other = noises(2)
    linked = {0}
    found = copies([first, other, first[100:], first[:9000], first[50:].copy(), other[::-1]])
    for _ in range(4):
        linked |= {x for pair in found if linked & set(pair) for x in pair}
    assert linked == {0, 2, 3, 4}


@pytest.mark.parametrize("step", [0.02, 0.2, 0.5, 1.0])
def test_coarsely_quantised_signals_are_not_copies(step):
    assert copies([(np.round(x / step) * step).astype(np.float32) for x in noises(12, samples=60_000)]) == []


@pytest.mark.parametrize("limit", [0.0, 0.3, 1.0, 2.0])
def test_clipped_signals_are_not_copies(limit):
    assert copies([np.clip(x, -limit, limit) for x in noises(12, samples=60_000)]) == []


def test_clipped_and_quantised_tones_are_not_copies():
    time = np.arange(60_000) / 12_000
    tones = [
        np.clip(1.5 * np.sin(2 * np.pi * 29.95 * time + p) + 0.1 * n, -1, 1)
        for p, n in zip(range(8), noises(8, samples=60_000), strict=True)
    ]
    assert copies([(np.round(x / 0.05) * 0.05).astype(np.float32) for x in tones]) == []


@pytest.mark.parametrize("hz", [29.95, 150.0, 997.3, 3000.1])
@pytest.mark.parametrize("noise", [0.0, 1e-3, 1e-2, 0.1])
def test_recordings_of_one_tone_are_not_copies_however_clean(hz, noise):
    time = np.arange(60_000) / 12_000
    tones = [np.sin(2 * np.pi * hz * time + p) + noise * n for p, n in enumerate(noises(6, samples=60_000))]
    assert copies([x.astype(np.float32) for x in tones]) == []


def test_recordings_of_one_resonance_are_not_copies():
    from scipy.signal import butter, sosfilt

    narrow = butter(2, [2900, 3100], fs=12_000, btype="bandpass", output="sos")
    assert copies([sosfilt(narrow, x).astype(np.float32) for x in noises(12, samples=60_000)]) == []


def test_a_suspicion_is_dropped_where_another_shift_fits_as_well():
    """Blocks that agree are not enough: a signal that repeats itself but for a little agrees with its like at every turn."""
    (turn,) = noises(1, samples=3000)
    first, second = (np.tile(turn, 6) + 0.02 * n for n in noises(2, seed=7, samples=18_000))
    assert rescaled._same(first, second, 0, 100, 2100) is False
    assert rescaled._same(first, first * -3 + 1, 0, 100, 2100) is True


def test_stretches_of_few_values_are_no_evidence_even_where_they_agree():
    """A tacho line, say, or a sensor at its limits: alike in many recordings without being copied."""
    pulses = np.repeat(np.resize([0.0, 1.0], 400), np.random.default_rng(5).integers(5, 90, 400)).astype(np.float32)
    signals = noises(4)
    for signal in signals:
        signal[2000:12_000] = pulses[:10_000]
    assert copies(signals) == []


def test_a_signal_that_repeats_itself_is_no_copy_of_itself():
    assert copies([np.tile(noises(1, samples=3000)[0], 4), *noises(1, seed=5)]) == []


def test_recordings_with_dropouts_are_not_copies():
    signals = noises(6)
    for signal in signals:
        signal[3000:9000] = 0
        signal[12_000:13_000] = 0.25
    assert copies(signals) == []


def test_the_same_impulse_response_over_and_over_is_not_a_copy():
    """Simulated strokes of one shape: one block, many times, in recordings that share nothing else."""
    ring = (np.exp(-np.arange(200) / 40) * np.cos(np.arange(200) / 3)).astype(np.float32)
    signals = []
    for seed in range(4):
        signal = np.zeros(SAMPLES, dtype=np.float32)
        for start in np.random.default_rng(seed).integers(0, SAMPLES - 200, 1000) // 400 * 400:
            signal[start : start + 200] = ring
        signals.append(signal)
    assert copies(signals) == []


@pytest.mark.parametrize("samples", [0, 1, 64, 96, 97, 200])
def test_short_and_constant_signals_have_no_copies(samples):
    assert copies([np.zeros(samples, dtype=np.float32), np.full(samples, 0.5, dtype=np.float32), *noises(2, samples=samples)]) == []


def test_nothing_has_no_copies():
    assert copies([]) == []
