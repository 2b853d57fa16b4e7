"""The discrete Fourier transform as two matrix products, for graphs that any runtime runs.

A transform of n = a x b samples is one of a samples over every b-th, a product with twiddle factors, and one of b samples
(Cooley & Tukey 1965, Math. Comput. 19(90)). With a and b near the root of n the matrices stay small.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Dft(nn.Module):
    """The transform of n complex samples, real and imaginary parts apart; the last axis is transformed.

    Args:
        n: Samples.
        inverse: Whether it is the inverse transform, 1/n included.
        dtype: Of what is transformed.
    """

    def __init__(self, n: int, *, inverse: bool = False, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        a = max(d for d in range(1, math.isqrt(n) + 1) if n % d == 0)
        self.a, self.b = a, n // a
        turn = (2 if inverse else -2) * torch.pi
        outer = _phases(self.a, self.a, turn / self.a)
        twiddle = _phases(self.a, self.b, turn / n)
        inner = _phases(self.b, self.b, turn / self.b)
        scale = 1 / n if inverse else 1.0
        for name, value in (
            ("outer", torch.cat([torch.cat([outer.cos(), -outer.sin()], 1), torch.cat([outer.sin(), outer.cos()], 1)], 0)),
            ("cos", twiddle.cos()),
            ("sin", twiddle.sin()),
            ("inner", scale * torch.cat([torch.cat([inner.cos(), inner.sin()], 1), torch.cat([-inner.sin(), inner.cos()], 1)], 0)),
        ):
            self.register_buffer(name, value.to(dtype), persistent=False)

    def forward(self, re: Tensor, im: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Real and imaginary parts (..., n) to those of the transform (..., n); a real signal has no imaginary part."""
        parts = re.unflatten(-1, (self.a, self.b))
        stacked = parts if im is None else torch.cat([parts, im.unflatten(-1, (self.a, self.b))], -2)
        columns = self.outer[:, : stacked.shape[-2]] @ stacked
        x, y = columns[..., : self.a, :], columns[..., self.a :, :]
        turned = torch.cat([x * self.cos - y * self.sin, x * self.sin + y * self.cos], -1) @ self.inner
        # Bin k1 + a k2 stands in row k1, column k2.
        return turned[..., : self.b].transpose(-1, -2).flatten(-2), turned[..., self.b :].transpose(-1, -2).flatten(-2)


def _phases(rows: int, columns: int, step: float) -> Tensor:
    return step * torch.arange(rows, dtype=torch.float64)[:, None] * torch.arange(columns, dtype=torch.float64)
