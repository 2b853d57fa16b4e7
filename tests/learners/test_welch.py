"""The Welch front end against scipy."""

import numpy as np
import pytest
import torch
from scipy import signal

from faultbench.api import NetShape, UsageError
from faultbench_learners.frontends.welch import FLOOR, Welch

SHAPE = NetShape(window=2048, rate_hz=12_000.0, channels=1, ways=5, support_rows=25)


def reference(x, segment, overlap):
    """Log periodogram by scipy, of float64 windows (n, sample)."""
    x = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    _, power = signal.welch(x, nperseg=segment, noverlap=segment - segment // overlap, detrend=False, scaling="density")
    power = power[:, 1:]
    power[:, -1] *= 2  # scipy doubles all bins of a one-sided spectrum but the last
    return 0.5 * np.log(power / power.mean(-1, keepdims=True) + FLOOR)


@pytest.mark.parametrize(("segment", "overlap"), [(256, 2), (128, 2), (256, 4), (512, 1)])
def test_the_features_are_scipys_welch(segment, overlap):
    x = np.random.default_rng(1).standard_normal((3, 2048)) * 0.1 + 5.0
    got = Welch(segment, overlap).module(SHAPE)(torch.from_numpy(x[:, None]).float())
    assert got.shape == (3, 1, segment // 2)
    np.testing.assert_allclose(got[:, 0].numpy(), reference(x, segment, overlap), atol=2e-4)


def test_a_gain_changes_nothing():
    x = torch.randn(2, 1, 2048, generator=torch.Generator().manual_seed(0))
    module = Welch().module(SHAPE)
    torch.testing.assert_close(module(x), module(x * 1e-3), atol=1e-4, rtol=0)


def test_a_constant_window_gives_finite_features():
    assert torch.isfinite(Welch().module(SHAPE)(torch.full((1, 1, 2048), 3.0))).all()


def test_a_window_that_does_not_hold_whole_hops_is_refused():
    with pytest.raises(UsageError, match="hops of 150"):
        Welch(segment=300).module(SHAPE)
    with pytest.raises(UsageError, match="multiple of overlap"):
        Welch(segment=256, overlap=3)
