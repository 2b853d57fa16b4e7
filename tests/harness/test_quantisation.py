"""The step of a converter, found from the samples alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.data.quantisation import quantisation_step, quantisation_steps

WINDOW = 2048


def noise(shape="normal", seed=0, windows=20):
    return getattr(np.random.default_rng(seed), shape)(size=(windows, WINDOW))


@given(
    rms_steps=st.floats(2, 2000),
    step=st.floats(1e-5, 1.0),
    offset_steps=st.floats(-50, 50),
    shape=st.sampled_from(["normal", "laplace", "logistic"]),
    seed=st.integers(0, 999),
)
def test_the_step_is_found_in_a_window(rms_steps, step, offset_steps, shape, seed):
    signal = noise(shape, seed, windows=1)
    signal *= rms_steps / signal.std()
    found = quantisation_steps(((np.rint(signal) + offset_steps) * step).astype(np.float32))
    assert found == pytest.approx(step, rel=2e-3)


@pytest.mark.parametrize("rms_steps", [3, 30, 300, 1500])
@pytest.mark.parametrize("dither", ["uniform", "normal"])
def test_dither_well_below_a_step_does_no_harm(rms_steps, dither):
    rng = np.random.default_rng(4)
    signal = np.rint(noise() * rms_steps)
    shaken = signal + (rng.uniform(-0.1, 0.1, signal.shape) if dither == "uniform" else 0.05 * rng.normal(size=signal.shape))
    assert quantisation_steps((shaken * 0.01).astype(np.float32)) == pytest.approx(0.01, rel=5e-3)


@given(shape=st.sampled_from(["normal", "laplace", "logistic", "uniform"]), scale=st.floats(1e-4, 100), seed=st.integers(0, 999))
def test_no_step_is_found_where_there_is_none(shape, scale, seed):
    assert not np.isfinite(quantisation_steps((scale * noise(shape, seed, windows=4)).astype(np.float32))).any()


def test_shocks_do_not_make_a_step():
    signal = np.random.default_rng(0).standard_t(2, size=(50, WINDOW))
    assert not np.isfinite(quantisation_steps(signal.astype(np.float32))).any()


@pytest.mark.parametrize("signal", [np.zeros(100), np.zeros(1), np.array([1.0, 2.0]), np.full(5000, 3.0)])
def test_what_tells_nothing_has_no_step(signal):
    assert quantisation_step(signal.astype(np.float32)) is None


def test_the_largest_step_is_taken_not_a_part_of_it():
    signal = np.rint(noise() * 100)
    assert quantisation_steps((signal * 3).astype(np.float32)) == pytest.approx(3, rel=1e-6)


def test_many_windows_are_as_each_alone():
    windows = np.concatenate([np.rint(noise(windows=200) * 40) * 0.1, noise(windows=100, seed=5)]).astype(np.float32)
    together = quantisation_steps(windows)
    alone = np.concatenate([quantisation_steps(window[None]) for window in windows])
    assert np.array_equal(together, alone, equal_nan=True)
    assert quantisation_steps(windows[:0]).shape == (0,)
