"""The spectrum of a whole window against scipy, and what is made of a slow channel."""

import numpy as np
import pytest
import torch
from scipy import signal

from faultbench.api import NetShape, UsageError
from faultbench_learners.frontends.spectrum import Spectrum
from faultbench_learners.frontends.welch import FLOOR, Welch

SHAPE = NetShape(window=2048, rate_hz=12_000.0, channels=1, ways=5, support_rows=25)
MIXED = NetShape(window=2048, rate_hz=12_000.0, channels=3, ways=5, support_rows=25, slow=(False, True, False))


def test_the_features_are_scipys_periodogram_in_bands():
    x = np.random.default_rng(1).standard_normal((3, 2048)) * 0.1 + 5.0
    _, power = signal.periodogram(x, window="hann", detrend="constant")
    power = power[:, 1:]
    power[:, -1] *= 2  # scipy doubles all bins of a one-sided spectrum but the last
    bands = power.reshape(3, 256, 4).mean(-1)
    got = Spectrum(256).module(SHAPE)(torch.from_numpy(x[:, None]).float())
    assert got.shape == (3, 1, 256)
    np.testing.assert_allclose(got[:, 0].numpy(), 0.5 * np.log(bands / bands.mean(-1, keepdims=True) + FLOOR), atol=2e-4)


@pytest.mark.parametrize("frontend", [Spectrum(128), Welch(256)])
def test_of_a_slow_channel_there_is_its_level_and_nothing_else(frontend):
    windows = torch.randn(4, 3, 2048, generator=torch.Generator().manual_seed(0))
    windows[:, 1] = torch.tensor([20.0, 30.0, 45.0, 60.0])[:, None]
    features = frontend.module(MIXED)(windows)
    assert features.shape == (4, 3, 128)
    torch.testing.assert_close(features[:, 1, 0], torch.tensor([2.0, 3.0, 4.5, 6.0]))
    assert not features[:, 1, 1:].any()
    others = frontend.module(NetShape(2048, 12_000.0, 2, 5, 25))(windows[:, [0, 2]])
    torch.testing.assert_close(features[:, [0, 2]], others)


def test_silence_and_a_constant_give_finite_features():
    assert torch.isfinite(Spectrum().module(SHAPE)(torch.stack([torch.zeros(1, 2048), torch.full((1, 2048), 3.0)]))).all()


def test_a_window_that_does_not_hold_whole_bands_is_refused():
    with pytest.raises(UsageError, match="no 300 bands"):
        Spectrum(bins=300).module(SHAPE)
