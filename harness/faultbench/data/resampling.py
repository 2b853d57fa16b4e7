"""Bringing the signals of several data sets to one base, so that a net sees the same thing in the same place whoever recorded it.

| base | every signal becomes | a window of n samples then spans |
|---|---|---|
| `hz` | sampled at the lowest rate of all recordings | the same time |
| `orders` | sampled at the fewest samples per turn of all recordings | the same number of turns of the shaft |

Either way by a polyphase filter of linear phase (`resample`). Nothing is ever sampled faster than it was recorded, for what lies above
the band of one data set and within that of another would tell the two apart.

`orders` takes one constant speed per recording, the catalogue's. It is no order tracking: a speed that wanders within a recording still
smears the lines, and a stated speed that is wrong by some per cent shifts them by as much.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faultbench.data.origin import Filtering
from faultbench.data.recording import Catalogue, Recording
from faultbench.errors import IsolationError, UsageError

HZ, ORDERS = "hz", "orders"
BASES = (HZ, ORDERS)

_MOST = 1000
"""The largest denominator of a ratio of rates. What is no such fraction is met within half a part in a thousand, the worst case near
1/2 and 1: as well as a speed in whole rev/min is known. Ratios of usual sampling rates are such fractions."""

_PASS, _STOP, _STOP_DB = 0.9, 1.0, 80.0
"""The filter passes up to 0.9 of the lower rate's Nyquist frequency, and is 80 dB down at it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Base:
    """What signals are brought to.

    Args:
        kind: One of `BASES`.
        rate_hz: Samples per second of the result. In `orders`: at `speed_rpm`, as if every shaft turned at it.
        speed_rpm: The speed that `orders` are written for; None in `hz`.
    """

    kind: str
    rate_hz: float
    speed_rpm: float | None = None

    def ratio(self, recording: Recording) -> Fraction:
        """Samples after over samples before, of a recording's first channel."""
        rate_hz = recording.channels[0].rate_hz
        wanted = self.rate_hz if self.speed_rpm is None else self.rate_hz / self.speed_rpm * _speed(recording)
        return Fraction(wanted / rate_hz).limit_denominator(_MOST)

    def length(self, recording: Recording) -> int | None:
        """The samples that `apply` gives of a recording's first channel, None where the catalogue does not know those before."""
        samples = recording.channels[0].samples
        if samples is None or self._as_it_is(recording):
            return samples
        return resampled_length(samples, self.ratio(recording))

    def apply(self, signal: NDArray[np.float32], recording: Recording) -> NDArray[np.float32]:
        """A recording's first channel on this base: (sample,) to (`length`,).

        In Hz a signal that has the rate already stays as it is, bit for bit. In orders every signal is filtered, the one of ratio 1
        too: otherwise the highest speed alone would keep the top of its band, and be known by it.
        """
        return signal if self._as_it_is(recording) else resample(signal, self.ratio(recording))

    def step(self, recording: Recording) -> Filtering | None:
        """What `apply` does to a recording's first channel, as a published split says it; None where it does nothing."""
        return None if self._as_it_is(recording) else _filtering(self.ratio(recording))

    def _as_it_is(self, recording: Recording) -> bool:
        return self.kind == HZ and self.ratio(recording) == 1


def common_base(catalogues: Sequence[Catalogue], kind: str) -> Base:
    """The base that all recordings of a target (the first catalogue) and its sources (the others) can be brought to.

    In orders the rate is that of the target's slowest speed, at which a window takes longest: a decision is then never said to be
    quicker than it is.

    Raises:
        IsolationError: A speed is not known, and orders are asked for.
        UsageError: There is no such base, there is no source, a data set stands there twice, or one is empty.
    """
    if kind not in BASES:
        raise UsageError(f"there is no base {kind!r}: choose {' or '.join(BASES)}")
    names = [catalogue.dataset for catalogue in catalogues]
    if len(names) < 2:
        raise UsageError(f"{names[0]} has no data set beside it to train on: name some with --source")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is named twice among data set and sources, which share no data set: name others with --source")
    for catalogue in catalogues:
        if not catalogue.recordings:
            raise UsageError(f"{catalogue.dataset} holds no recording: name another data set")
    recordings = [recording for catalogue in catalogues for recording in catalogue.recordings]
    if kind == HZ:
        return Base(HZ, min(recording.channels[0].rate_hz for recording in recordings))
    per_turn = min(recording.channels[0].rate_hz * 60 / _speed(recording) for recording in recordings)
    slowest = min(_speed(recording) for recording in catalogues[0].recordings)
    return Base(ORDERS, per_turn * slowest / 60, slowest)


def rebased(catalogue: Catalogue, base: Base) -> Catalogue:
    """The catalogue of the signals on a base: of each recording the first channel, at the base's rate, with its new length."""
    recordings = tuple(
        dataclasses.replace(
            recording,
            # In orders every shaft turns at one speed, as far as the samples can tell: its lines stand where that speed puts them.
            speed_rpm=base.speed_rpm or recording.speed_rpm,
            channels=(dataclasses.replace(recording.channels[0], rate_hz=base.rate_hz, samples=base.length(recording)),),
        )
        for recording in catalogue.recordings
    )
    return dataclasses.replace(catalogue, recordings=recordings)


def resample(signal: NDArray[np.float32], ratio: Fraction) -> NDArray[np.float32]:
    """A signal at `ratio` times its rate, (sample,) to (`resampled_length`,).

    A linear-phase FIR filter (windowed sinc, Kaiser, 80 dB), applied in polyphase form (Crochiere & Rabiner 1983, Multirate Digital
    Signal Processing, section 3.3). Output whose filter would reach beyond the signal is left out, so that no edge is invented: about
    fifty samples of the lower rate at either end.
    """
    from scipy.signal import upfirdn

    taps = _taps(ratio.numerator, ratio.denominator)
    first = _first(ratio)
    filtered: NDArray[np.float64] = upfirdn(taps, signal.astype(np.float64), up=ratio.numerator, down=ratio.denominator)
    return filtered[first : first + resampled_length(len(signal), ratio)].astype(np.float32)


def resampled_length(samples: int, ratio: Fraction) -> int:
    """How many samples `resample` makes of a signal."""
    return max(0, (samples - 1) * ratio.numerator // ratio.denominator - _first(ratio) + 1)


def _reach(ratio: Fraction) -> int:
    """Samples that the filter reaches to either side, at the rate that both rates divide (Kaiser 1974: its length for 80 dB)."""
    slower = max(ratio.numerator, ratio.denominator)
    return math.ceil((_STOP_DB - 7.95) / (2.285 * math.pi * (_STOP - _PASS)) * slower / 2)


def _first(ratio: Fraction) -> int:
    """The first output whose filter lies within the signal."""
    return -(-2 * _reach(ratio) // ratio.denominator)


def _filtering(ratio: Fraction) -> Filtering:
    from scipy.signal import kaiser_beta

    up, down = ratio.numerator, ratio.denominator
    window = ["kaiser", float(kaiser_beta(_STOP_DB))]
    arguments = {"numtaps": 2 * _reach(ratio) + 1, "cutoff": (_PASS + _STOP) / 2 / max(up, down), "window": window}
    return Filtering("firwin", arguments, up, down, _first(ratio), gain=float(up))


@lru_cache(maxsize=8)
def _taps(up: int, down: int) -> NDArray[np.float64]:
    return _filtering(Fraction(up, down)).taps()


def _speed(recording: Recording) -> float:
    if not recording.speed_rpm:
        raise IsolationError(f"{recording.dataset}: the speed of {recording.id} is not known, orders need it: take base=hz")
    return recording.speed_rpm
