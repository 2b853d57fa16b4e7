"""Whether a signal bears out the speed and the bearing geometry that are stated of it. No label is looked at.

A shaft leaves a comb of lines at its speed and the harmonics of it; a damaged bearing leaves one in the squared envelope, at the ball
pass frequency of the damaged element. So a speed can be read off a signal that has the one, and a geometry contradicted by a signal
that has the other: where a strong comb stands at 4.28 orders and the stated bearing has its own at 3.58, 4.71 and 5.41, the stated
bearing is not the one that was measured. What shows no comb contradicts nothing: many damaged bearings hardly show one
(Smith & Randall 2015, doi 10.1016/j.ymssp.2015.04.021), and a speed that wanders smears every comb.

The envelope is taken of the pre-whitened signal (Borghesani et al. 2013, doi 10.1016/j.ymssp.2012.11.001), in which no resonance and no
gear drowns the rest. Heights of lines are in nepers of power above the median of their surroundings, clipped, so that a comb is made by
many lines and not by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import Geometry

SPEED_RANGE = 0.03
"""How far from the stated speed a comb of the shaft is looked for."""
SPEED_DIFFERS = 0.005
"""A nominal speed that the catalogue of Case Western's data states where a file states none is 0.32 % off at most; what the check is
for, a speed of another load, is off by 1 % and more."""

_CLIP = 4.0
_MAINS_HZ = (50.0, 60.0)
"""Multiples of them are left out: at four times a motor's shaft, the second harmonic of the mains is within the range of speeds."""
_MOST_TURNS = 600
"""Of a longer signal, so many turns from its beginning are looked at."""
_PADDING = 4
_ODD = 1.5
"""The mean of all harmonics counts up to so many times that of the odd ones."""

_SHAFT_TURNS = 240
_SHAFT_LEAST = 90
_SHAFT_HARMONICS = 10
_SHAFT_STEP = 2e-4
_SHAFT_HEIGHT = 2.5
_SHAFT_LEAD = 0.8
"""How much higher than at any other speed, 0.4 % away and further, the comb must stand."""
_SHAFT_NEXT = 0.004

_FAULT_TURNS = 120
_FAULT_LEAST = 120
_FAULT_HARMONICS = 4
_FAULT_STEP = 5e-4
_SLIP = 0.013
"""How far a family's comb stands from its kinematic order: in the records of Case Western, -1.3 % (a ball) to +0.6 %."""
_OF_SHAFT = 0.006
_OF_CAGE = 0.007
_CAGE_MOST = 10
"""Multiples of the cage's order that are explained by it; higher ones lie so close together that something is always near one."""
_FAULT_HEIGHT = 2.2
_FAULT_SHARE = 0.55

_Signal = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FaultCombs:
    """The combs in a squared envelope.

    Args:
        stated: The height of the comb of each family of the stated geometry: `BPFO`, `BPFI`, `2 x BSF`.
        order: Where the strongest comb stands that neither shaft nor cage nor a ball's spin explains, events per turn.
        height: Its height.
    """

    stated: dict[str, float]
    order: float
    height: float

    @property
    def fits(self) -> bool:
        """Whether a comb of the stated geometry stands clearly."""
        return max(self.stated.values()) >= _FAULT_HEIGHT

    @property
    def contradicts(self) -> bool:
        """Whether a comb stands clearly, and clearly higher than all of the stated geometry's."""
        return self.height >= _FAULT_HEIGHT and max(self.stated.values()) <= _FAULT_SHARE * self.height


def shaft_speed(signal: NDArray[np.float32], rate_hz: float, stated_rpm: float) -> float | None:
    """The speed, rev/min, of the comb that the shaft leaves within 3 % of the stated speed; None where none stands out.

    Args:
        signal: (sample,).
        rate_hz: Samples per second.
        stated_rpm: The speed that is stated of it.
    """
    shaft_hz = stated_rpm / 60
    seen = _beginning(signal, rate_hz, shaft_hz)
    orders = _SHAFT_HARMONICS * (1 + SPEED_RANGE)
    if len(seen) / rate_hz * shaft_hz < _SHAFT_LEAST or orders * shaft_hz > rate_hz / 2:
        return None
    ratios = np.arange(1 - SPEED_RANGE, 1 + SPEED_RANGE, _SHAFT_STEP)
    at, heights = _heights(seen, rate_hz, shaft_hz, _SHAFT_TURNS, orders, floor=1 / 3)
    comb = _comb(at, heights, ratios, _SHAFT_HARMONICS, least=_SHAFT_HARMONICS // 2)
    best = int(comb.argmax())
    others = comb[np.abs(ratios - ratios[best]) > _SHAFT_NEXT]
    if comb[best] < _SHAFT_HEIGHT or comb[best] - others.max() < _SHAFT_LEAD:
        return None
    return float(ratios[best]) * stated_rpm


def fault_combs(signal: NDArray[np.float32], rate_hz: float, speed_rpm: float, geometry: Geometry) -> FaultCombs | None:
    """The combs that a damaged bearing leaves; None where the signal is too short, or sampled too slowly, to tell.

    Args:
        signal: (sample,).
        rate_hz: Samples per second.
        speed_rpm: The speed, from the signal itself where it can be had: half a per cent matters.
        geometry: The stated one.
    """
    shaft_hz = speed_rpm / 60
    seen = _beginning(signal, rate_hz, shaft_hz)
    families = {"BPFO": geometry.bpfo, "BPFI": geometry.bpfi, "2 x BSF": 2 * geometry.bsf}
    lowest, highest = 1.3, 1.5 * max(families.values())
    most = min(_FAULT_HARMONICS * highest, rate_hz / 2 / shaft_hz)
    if len(seen) / rate_hz * shaft_hz < _FAULT_LEAST or most < (_FAULT_HARMONICS - 1) * highest:
        return None
    at, heights = _heights(_whitened_envelope(seen), rate_hz, shaft_hz, _FAULT_TURNS, most, floor=1.0)
    orders = np.arange(lowest, highest, _FAULT_STEP)
    comb = _comb(at, heights, orders, _FAULT_HARMONICS, least=_FAULT_HARMONICS - 1)
    stated = {name: float(comb[np.abs(orders / order - 1) < _SLIP].max(initial=0.0)) for name, order in families.items()}
    of_cage = (_multiples(orders, geometry.ftf) < _OF_CAGE) & (orders < (_CAGE_MOST + 0.5) * geometry.ftf)
    of_ball = np.abs(orders / geometry.bsf - 1) < _SLIP  # a spall that strikes one ring only
    own = (_multiples(orders, 1.0) < _OF_SHAFT) | of_cage | of_ball
    left = np.where(own, 0.0, comb)
    best = int(left.argmax())
    return FaultCombs(stated, float(orders[best]), float(left[best]))


def _beginning(signal: NDArray[np.float32], rate_hz: float, shaft_hz: float) -> _Signal:
    seen: _Signal = signal[: int(_MOST_TURNS / shaft_hz * rate_hz) + 1].astype(np.float64)
    return seen - seen.mean() if len(seen) else seen


def _whitened_envelope(signal: _Signal) -> _Signal:
    """The squared envelope of a signal whose spectrum is made flat, without its mean."""
    size = len(signal)
    spectrum = np.fft.rfft(signal)
    magnitude = np.abs(spectrum)
    spectrum /= magnitude + 1e-9 * max(float(magnitude.max()), np.finfo(np.float64).tiny)
    analytic = np.zeros(size, dtype=np.complex128)
    analytic[1 : len(spectrum) - 1] = 2 * spectrum[1:-1]
    envelope: _Signal = np.abs(np.fft.ifft(analytic)) ** 2
    envelope -= envelope.mean()
    return envelope


def _heights(signal: _Signal, rate_hz: float, shaft_hz: float, turns: int, orders: float, floor: float) -> tuple[_Signal, _Signal]:
    """Orders, and how far each line stands above its surroundings (`floor` orders wide), nepers, clipped; NaN near the mains' lines."""
    from scipy.ndimage import median_filter
    from scipy.signal import welch

    size = min(int(turns / shaft_hz * rate_hz), len(signal))
    frequencies, power = welch(signal, rate_hz, window="hann", nperseg=size, noverlap=size // 2, nfft=_PADDING * size)
    kept = frequencies < (orders + floor) * shaft_hz
    frequencies, power = frequencies[kept], power[kept]
    width = int(floor * shaft_hz / frequencies[1]) | 1
    surroundings = median_filter(power, size=width, mode="nearest")
    tiny = np.finfo(np.float64).tiny
    heights = np.clip(np.log((power + tiny) / (surroundings + tiny)), 0.0, _CLIP)
    for mains in _MAINS_HZ:
        nearest = np.round(frequencies / mains)
        heights[(nearest > 0) & (np.abs(frequencies - nearest * mains) < 2 * rate_hz / size)] = np.nan
    return frequencies / shaft_hz, heights


def _comb(at: _Signal, heights: _Signal, orders: _Signal, harmonics: int, least: int) -> _Signal:
    """(order,): the mean height of the harmonics of each order; 0 where fewer than `least` of them can be seen.

    Half of an order has every second harmonic of it, so the odd ones alone must come near to that, too.
    """
    lines = np.stack([np.interp(n * orders, at, heights, right=np.nan) for n in range(1, harmonics + 1)])
    seen = np.isfinite(lines).sum(axis=0)
    return np.where(seen >= least, np.minimum(_mean(lines), _ODD * _mean(lines[::2])), 0.0)


def _mean(lines: _Signal) -> _Signal:
    """(harmonic, order) to (order,): over the harmonics that can be seen."""
    mean: _Signal = np.nansum(lines, axis=0) / np.maximum(np.isfinite(lines).sum(axis=0), 1)
    return mean


def _multiples(orders: _Signal, of: float) -> _Signal:
    """How far each order is from a multiple of `of`, as a share of it."""
    return np.abs(orders - np.maximum(np.round(orders / of), 1) * of) / orders
