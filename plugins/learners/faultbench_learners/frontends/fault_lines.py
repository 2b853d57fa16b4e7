"""How high the lines of the bearing's own fault orders stand in the envelope spectrum: physics as a front end."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faultbench.api import NetShape, NotApplicable, UsageError
from faultbench_learners.frontends.dft import Dft

PADDING = 4
"""How finely the envelope spectrum is interpolated: a line between two bins would otherwise lose up to 1.4 dB."""
LEAST_BINS = 2.0
"""A line is looked for at least so many interpolated bins to either side of where it should stand."""
POINTS = 41
"""Places at which a line is looked for, some two a bin of the window's own resolution up to 1 kHz of 8,192 samples at 12 kHz."""
FLOOR_ORDERS = 40.0
FLOOR_POINTS = 256
"""The floor is the median of so many places below so many orders."""
WHITE = 1e-6
"""What is 120 dB below the strongest frequency is not raised to the amplitude of the others: it is a recorder's rounding, not signal."""
TINY = 1e-20


class FaultLines:
    """Front end: heights of the harmonics of BPFI, of the ball pass (twice BSF) and of BPFO over the floor, in nepers.

    The window is pre-whitened (each frequency is given the same amplitude, so that resonances do not count; Borghesani et al.
    2013, Mech. Syst. Signal Process. 36(2), "cepstrum pre-whitening", in its simplest form), its squared envelope is that of
    the analytic signal, and the lines are looked for in the envelope's spectrum (Randall & Antoni 2011, Mech. Syst. Signal
    Process. 25(2), section 5). Where a line stands comes from speed and geometry, which the graph takes beside the windows.

    Args:
        harmonics: Of each of the three.
        tolerance: How far, relative, a line may be from where speed and geometry put it: slip, and a speed that is not exact.
    """

    def __init__(self, harmonics: int = 6, tolerance: float = 0.0075) -> None:
        self.harmonics, self.tolerance = harmonics, tolerance

    def module(self, shape: NetShape) -> nn.Module:
        """A module from (n, channel, sample), (n,) and (n, 4) to (n, 3 x channel, harmonic): inner ring, ball, outer ring.

        Raises:
            NotApplicable: Speed or geometry is not known of every recording, or a channel is slow.
            UsageError: The window has an odd number of samples.
        """
        if not shape.physics:
            raise NotApplicable("fault-lines takes the speed and the geometry of every recording, these data do not state them all")
        if any(shape.slow):
            raise NotApplicable("fault-lines looks for lines in every channel, a slow one has none")
        if shape.window % 2:
            raise UsageError(f"fault-lines: a window of {shape.window} samples cannot be halved: choose an even number")
        return _FaultLines(shape, self.harmonics, self.tolerance)


class _FaultLines(nn.Module):
    """See `FaultLines.module`."""

    physics = True

    def __init__(self, shape: NetShape, harmonics: int, tolerance: float) -> None:
        super().__init__()
        n = shape.window
        self.tolerance, self.bins_per_hz = tolerance, PADDING * n / shape.rate_hz
        # Whitening raises what is faint, and the rounding of float32 with it; behind it float32 is enough.
        self.forward_dft, self.inverse_dft, self.envelope_dft = Dft(n, dtype=torch.float64), Dft(n, inverse=True), Dft(PADDING * n)
        positive = torch.zeros(n)
        positive[: n // 2 + 1] = 2.0
        for name, value in (
            ("positive", positive),
            ("hann", torch.hann_window(n, periodic=True)),
            ("harmonic", torch.arange(1.0, harmonics + 1)),
            ("around", torch.linspace(-1.0, 1.0, POINTS)),
            ("floor_orders", torch.linspace(0.5, FLOOR_ORDERS, FLOOR_POINTS)),
        ):
            self.register_buffer(name, value, persistent=False)

    def forward(self, windows: Tensor, speed_rpm: Tensor, orders: Tensor) -> Tensor:
        """(n, channel, sample), (n,) and (n, 4) to (n, 3 x channel, harmonic)."""
        spectrum = self._envelope_spectrum(windows)
        shaft = speed_rpm[:, None] / 60 * self.bins_per_hz
        bpfo, bpfi, bsf = orders[:, 0], orders[:, 1], orders[:, 2]
        families = torch.stack([bpfi, 2 * bsf, bpfo], 1)
        centre = families[:, :, None] * self.harmonic * shaft[:, None]
        width = torch.clamp(self.tolerance * centre, min=LEAST_BINS)
        places = centre[..., None] + width[..., None] * self.around
        heights = self._at(spectrum, places.flatten(1)).unflatten(-1, places.shape[1:]).amax(-1)
        floor = torch.sort(self._at(spectrum, self.floor_orders * shaft), -1).values[..., FLOOR_POINTS // 2]
        return torch.log(heights / (floor[..., None, None] + TINY) + 1e-3).flatten(1, 2)

    def _envelope_spectrum(self, windows: Tensor) -> Tensor:
        """Amplitudes (n, channel, bin) of the pre-whitened squared envelope, up to half the rate."""
        n = windows.shape[-1]
        precise = windows.double()
        re, im = self.forward_dft(precise - precise.mean(-1, keepdim=True))
        size = torch.sqrt(re * re + im * im)
        white = self.positive / (size + WHITE * size.amax(-1, keepdim=True) + TINY)
        x, y = self.inverse_dft((re * white).float(), (im * white).float())
        envelope = x * x + y * y
        tapered = (envelope - envelope.mean(-1, keepdim=True)) * self.hann
        re, im = self.envelope_dft(torch.nn.functional.pad(tapered, (0, (PADDING - 1) * n)))
        half = PADDING * n // 2 + 1
        return torch.sqrt(re * re + im * im)[..., :half]

    def _at(self, spectrum: Tensor, places: Tensor) -> Tensor:
        """(n, channel, bin) at places (n, point), in bins, between two bins in proportion: (n, channel, point)."""
        places = torch.clamp(places, 0.0, spectrum.shape[-1] - 1.001)
        below = torch.floor(places)
        part = (places - below)[:, None]
        index = below.long()[:, None].expand(-1, spectrum.shape[1], -1)
        return torch.gather(spectrum, -1, index) * (1 - part) + torch.gather(spectrum, -1, index + 1) * part
