"""What one pass over the samples of a signal tells, so that no check has to read it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.quantisation import quantisation_step
from faultbench.data.recording import Channel, Recording
from faultbench.data.scenarios.rules import element_severity as class_of

_CLIPPED_RUN = 3
"""Samples in a row at the very largest (or smallest) value: a signal that is not clipped hardly stays there."""
_STEPS = 32
"""Steps of quantisation up to the largest value, below which a signal may well stay there."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One signal, heard.

    Args:
        recording: Whose.
        channel: Which; its `samples` are those that were read.
        mean: Of all samples, in the channel's unit.
        rms: About the mean.
        peak: The largest distance from zero.
        step: Of quantisation, or None where there is none.
        clipped: Stretches of three samples and more at the largest or the smallest value.
        still_s: The longest stretch without any change, s.
    """

    recording: Recording
    channel: Channel
    mean: float
    rms: float
    peak: float
    step: float | None
    clipped: int
    still_s: float

    @property
    def label(self) -> str:
        """Element and severity, the class."""
        return class_of(self.recording)

    @property
    def name(self) -> str:
        """The recording, with the channel where it has several."""
        return self.recording.id if len(self.recording.channels) == 1 else f"{self.recording.id} ({self.channel.name})"


def hear(recording: Recording, channel: Channel, signal: NDArray[np.float32]) -> Heard:
    """What a signal, (sample,), tells."""
    mean = float(signal.mean(dtype=np.float64))
    peak = float(np.abs(signal).max())
    step = quantisation_step(signal)
    coarse = step is not None and peak < _STEPS * step
    changes = np.flatnonzero(np.diff(signal))
    ends = np.concatenate(([-1], changes, [len(signal) - 1]))
    lengths = np.diff(ends)
    values = signal[ends[1:]]
    at_the_end = (values == signal.max()) | (values == signal.min())
    return Heard(
        recording=recording,
        channel=channel,
        mean=mean,
        rms=float(np.sqrt(np.mean((signal - np.float32(mean)).astype(np.float64) ** 2))),
        peak=peak,
        step=step,
        clipped=0 if coarse or len(changes) == 0 else int((at_the_end & (lengths >= _CLIPPED_RUN)).sum()),
        still_s=float(lengths.max()) / channel.rate_hz,
    )
