"""What makes the gears of `simulated` gears, and its other sensors what they are; `simulated_physics.py` prints it.

No records of gears are at hand to stand beside the model. Lines are looked for where teeth and speed put them, by the shaft's true angle,
which a tachometer would give; levels can be compared with what the literature calls usual and with nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated import Simulated
from faultbench_datasets.simulated.catalogue import measured
from faultbench_datasets.simulated.gearset import gear_set
from faultbench_datasets.simulated.measurement import turning_shaft
from faultbench_datasets.simulated.rig import ACCELEROMETER, ACROSS, CURRENT, RATE_HZ, SAMPLES, TEMPERATURE
from faultbench_datasets.simulated.sensor import mains

Array = NDArray[np.float64]
PERCENTS = (5, 50, 95)
WINDOW = 8_192
LEAD = 4_096 / RATE_HZ
GEAR_COLUMNS = (
    "RMS, g",
    "kurtosis",
    "crest factor",
    "centroid, Hz",
    "mesh line, nepers",
    "second over first",
    "side bands",
    "average's kurtosis",
)
SENSOR_COLUMNS = (
    "coherence, median",
    "coherence, at lines",
    "RMS across / RMS",
    "current, A RMS",
    "mains + shaft, dB",
    "temperature, degC",
    "above ambient, K",
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording by the angle of its shaft.

    Args:
        signal: (sample,).
        turns: (sample,) the shaft's angle.
        spectrum: (order bin,) amplitudes.
        bin: Width of a bin, in orders.
    """

    signal: Array
    turns: Array
    spectrum: Array
    bin: float

    def line(self, order: float) -> float:
        """The amplitude of the highest line within two and a half bins of an order."""
        at = order / self.bin
        return float(self.spectrum[int(at - 2.5) : int(at + 3.5)].max())


def heard(signal: Array, turns: Array, per_turn: int) -> Heard:
    """A recording resampled by angle: computed order tracking (Fyfe & Munck 1997, Mech. Syst. Signal Process. 11(2), 187-205)."""
    count = int((turns[-1] - turns[0]) * per_turn)
    even = np.interp(turns[0] + np.arange(count) / per_turn, turns, signal)
    weights = np.hanning(count)
    return Heard(signal, turns, 2 * np.abs(np.fft.rfft((even - even.mean()) * weights)) / weights.sum(), per_turn / count)


def average_kurtosis(h: Heard, order: float, teeth: int) -> float:
    """The kurtosis of what is left of the time-synchronous average of one gear without its mesh lines (FM4 of Stewart 1977)."""
    steps = 2_048
    own = h.turns * order
    first, last = int(np.ceil(own[0])), int(np.floor(own[-1]))
    average = np.interp(first + np.arange((last - first) * steps) / steps, own, h.signal).reshape(-1, steps).mean(0)
    spectrum = np.fft.rfft(average)
    spectrum[:4] = 0
    for k in range(1, steps // 2 // teeth + 1):
        spectrum[k * teeth - 1 : k * teeth + 2] = 0
    left = np.fft.irfft(spectrum, steps)
    return float(np.mean(left**4) / np.mean(left**2) ** 2)


def gears() -> Iterator[tuple[str, str, list[list[float] | None]]]:
    """Per machine, fault and severity: 5 %, 50 %, 95 % of every column. Of two gears, the damaged one; else the one that shows more."""
    data = Simulated(equipment="gears")
    found: dict[tuple[str, str], list[list[Array]]] = {}
    for r in data.catalogue().recordings:
        specimen, load = measured("gears")[r.id]
        x = data.read(r, ACCELEROMETER).astype(float)
        turns = turning_shaft(specimen, load).turns_at(np.arange(SAMPLES) / RATE_HZ + LEAD)
        h = heard(x, turns, int(RATE_HZ * 60 / load.speed_rpm))
        pair = specimen.machine.gearing
        mesh = np.array([h.line(k * pair.mesh) for k in range(1, len(gear_set(specimen).profile_g) + 1)])
        floor = np.median(h.spectrum[int(5 / h.bin) : int(100 / h.bin)])
        own = {"pinion": [pair.pinion], "wheel": [pair.wheel]}.get(specimen.gear, [pair.pinion, pair.wheel])
        teeth = {pair.pinion: pair.teeth, pair.wheel: pair.mating_teeth}
        sides = [
            np.sqrt(
                sum(h.line(k * pair.mesh + sign * n * order) ** 2 for k in (1, 2, 3) for n in (1, 2, 3) for sign in (-1, 1))
                / np.sum(mesh[:3] ** 2)
            )
            for order in own
        ]
        w = x[: SAMPLES // WINDOW * WINDOW].reshape(-1, WINDOW)
        w = w - w.mean(1, keepdims=True)
        rms = w.std(1)
        power = np.abs(np.fft.rfft(w)) ** 2
        figures = [
            rms,
            (w**4).mean(1) / rms**4,
            np.abs(w).max(1) / rms,
            power @ np.fft.rfftfreq(WINDOW, 1 / RATE_HZ) / power.sum(1),
            np.array([np.log(mesh.max() / floor)]),
            np.array([mesh[1] / mesh[0]]),
            np.array([max(sides)]),
            np.array([max(average_kurtosis(h, order, teeth[order]) for order in own)]),
        ]
        found.setdefault((f"simulated {r.machine}", f"{r.element} {r.severity}".strip()), []).append(figures)
    for (source, name), rows in sorted(found.items()):
        yield source, name, [_range(np.concatenate(column)) for column in zip(*rows, strict=True)]


def sensors() -> Iterator[tuple[str, str, list[list[float] | None]]]:
    """Per equipment, machine and load: 5 %, 50 %, 95 % of every column over the specimens."""
    from scipy.signal import coherence

    from faultbench_datasets.simulated.heat import warming

    for equipment in ("bearings", "gears"):
        data = Simulated(equipment=equipment, sensors="all")
        found: dict[tuple[str, str], list[list[float]]] = {}
        for r in data.catalogue().recordings:
            specimen, load = measured(equipment)[r.id]
            first, second, current = (data.read(r, name).astype(float) for name in (ACCELEROMETER, ACROSS, CURRENT))
            hz, alike = coherence(first, second, RATE_HZ, nperseg=4_096)
            turns = turning_shaft(specimen, load).turns_at(np.arange(SAMPLES) / RATE_HZ + LEAD)
            shaft_hz = (turns[-1] - turns[0]) * RATE_HZ / (SAMPLES - 1)
            weights = np.hanning(SAMPLES)
            spectrum = np.abs(np.fft.rfft((current - current.mean()) * weights))
            mains_hz = mains(specimen.machine, r.session).hz
            celsius = data.read(r, TEMPERATURE).astype(float)
            mesh_hz = specimen.machine.gear_teeth * shaft_hz * np.arange(1, 4)
            found.setdefault((f"{equipment} {r.machine}", load.name), []).append(
                [
                    float(np.median(alike)),
                    float(max(alike[np.abs(hz - line) < 6].max() for line in mesh_hz)),
                    float(second.std() / first.std()),
                    float(current.std()),
                    20 * float(np.log10(_peak(spectrum, mains_hz + shaft_hz) / _peak(spectrum, mains_hz))),
                    float(celsius.mean()),
                    float(celsius.mean() - warming(specimen, load).ambient_c),
                ]
            )
        for (source, name), rows in found.items():
            yield source, name, [_range(column) for column in np.array(rows).T]


def _peak(spectrum: Array, hz: float) -> float:
    at = hz * SAMPLES / RATE_HZ
    return float(spectrum[int(at - 2) : int(at + 4)].max())


def _range(values: Sequence[float] | Array) -> list[float]:
    return [float(v) for v in np.percentile(values, PERCENTS)]
