"""The transform in two matrix products against numpy's."""

import numpy as np
import pytest
import torch

from faultbench_learners.frontends.dft import Dft


@pytest.mark.parametrize("n", [1, 2, 7, 12, 64, 2048, 8192])
def test_it_is_the_discrete_fourier_transform_and_its_inverse(n):
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((2, 3, n)).astype(np.float32)
    for inverse, reference in ((False, np.fft.fft), (True, np.fft.ifft)):
        re, im = Dft(n, inverse=inverse)(torch.from_numpy(x), torch.from_numpy(y))
        expected = reference(x + 1j * y)
        np.testing.assert_allclose(re.numpy() + 1j * im.numpy(), expected, atol=1e-5 * np.abs(expected).max())


def test_a_real_signal_needs_no_imaginary_part():
    x = torch.randn(2, 96, generator=torch.Generator().manual_seed(0))
    for got, expected in zip(Dft(96)(x), Dft(96)(x, torch.zeros_like(x)), strict=True):
        torch.testing.assert_close(got, expected)
