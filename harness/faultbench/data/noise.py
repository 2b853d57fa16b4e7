"""Noise on what a target measures, at a stated level, by a stated rule.

- `10`: white noise that has in each window the power of that window less 10 dB. Every window has the same signal-to-noise ratio; a
  louder fault gets louder noise, so that the level tells it as it did.
- `floor:10`: white noise that has the mean power of the machine's healthy recordings (of all, where none is healthy) less 10 dB. Every
  window of a machine has the same noise, as a sensor and its surroundings make it; a faint fault drowns, a loud one does not.
- `machine:10`: recorded noise, what the machine itself sounds like when it is healthy, with the power of the window less 10 dB
  (`machine_noise`).
- `clean`: nothing is added.

Power is that of the signal without its mean. White noise is Gaussian, and white up to half the rate at which the windows are taken,
hence it is added after any resampling. Each channel gets noise of its own; a slow one, which has a level and no spectrum, gets none. Noise
is added to the windows of the target alone, support and query; what is trained is trained
on the source as it was recorded, and a learner that wants to be hardened against noise adds its own there.

White noise of a window follows from seed, recording and place alone; recorded noise beside that from what its episode shows, which it
has to stay clear of. All learners, compressors and targets thus hear the same, and two levels of one rule differ by a factor
and not by a draw.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.episodes import generator
from faultbench.data.machine_noise import MachineNoise
from faultbench.data.split import Pool, Signals, Split
from faultbench.data.windows import slow_channels
from faultbench.errors import UsageError

CLEAN = "clean"
SNR, FLOOR, MACHINE = "snr", "floor", "machine"

_MOST_DB = 100.0
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Noise:
    """How much noise, by which rule.

    Args:
        rule: `snr`, `floor` or `machine`.
        snr_db: How far the noise lies below what the rule compares it with, dB; negative where it lies above.
    """

    rule: str
    snr_db: float

    @property
    def spelling(self) -> str:
        """As it is written: `10`, `floor:-5`."""
        return f"{self.snr_db:g}" if self.rule == SNR else f"{self.rule}:{self.snr_db:g}"


def parse_noise(text: str) -> Noise | None:
    """The noise that is written so; None for `clean`.

    Raises:
        UsageError: It is written otherwise, or is out of range.
    """
    stripped = text.strip()
    if stripped == CLEAN:
        return None
    rule, colon, number = stripped.rpartition(":")
    if not _NUMBER.fullmatch(number) or (colon and rule not in (FLOOR, MACHINE)):
        forms = f"write a number of dB (10), {FLOOR}: or {MACHINE}: and a number ({FLOOR}:10), or {CLEAN}"
        raise UsageError(f"snr {stripped[:40]!a} is none: {forms}")
    snr_db = float(number) + 0.0  # no -0
    if abs(snr_db) > _MOST_DB:
        raise UsageError(f"snr {number} dB is out of range: give -{_MOST_DB:g} to {_MOST_DB:g}")
    return Noise(rule or SNR, snr_db)


class NoisyTarget:
    """Adds noise to windows of a split's target.

    Args:
        noise: How much.
        split: Whose target; its seed is the noise's.
        signals: The target's signals, read only for the rule `floor`; for the rule `machine` those of `recorded`.
        recorded: What recorded noise is taken from (`machine_noise`); needed for the rule `machine` alone.
    """

    def __init__(self, noise: Noise, split: Split, signals: Signals, recorded: Pool | None = None) -> None:
        self._noise, self._split = noise, split
        self._slow = slow_channels(split)
        self._floors = floor_powers(split, signals) if noise.rule == FLOOR else {}
        self._machine = MachineNoise(split, recorded, signals) if noise.rule == MACHINE and recorded is not None else None

    def placed(self, episode: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where windows of an episode come from, and behind that where their noise does, if that has a place.

        Args:
            episode: The episode's number.
            rows: (window, 2): index into the target's recordings, first sample.

        Raises:
            UsageError: The rule is `machine`, and the episode leaves none.
        """
        if self._machine is None:
            return rows
        places = [self._machine.stretch(episode, row, start) for row, start in rows.tolist()]
        return np.concatenate([rows, np.array(places, dtype=np.int64).reshape(-1, 2)], axis=1)

    def __call__(self, windows: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The windows (window, channel, sample) with their noise.

        Args:
            windows: As they were cut.
            rows: (window, columns), of `placed`.

        Raises:
            UsageError: The rule is `machine`, and a stretch is silent.
        """
        noisy = np.empty_like(windows)
        for i, (row, start, *place) in enumerate(rows.tolist()):
            recording, channels = self._split.target.recordings[row], self._split.target.channels[row]
            recorded = None if self._machine is None else self._machine.unit(*place)
            for j, channel in enumerate(channels):
                window = windows[i, j].astype(np.float64)
                level = self._floors[recording.dataset, recording.machine][j] if self._floors else float(window.var())
                rng = generator(self._split.seed, "noise", recording.dataset, recording.id, channel, str(start))
                unit = rng.standard_normal(window.shape) if recorded is None else recorded[j]
                deviation = 0.0 if self._slow[j] else np.sqrt(level * 10 ** (-self._noise.snr_db / 10))
                noisy[i, j] = window + deviation * unit
        return noisy


def floor_powers(split: Split, signals: Signals) -> dict[tuple[str, str], list[float]]:
    """By data set and machine, per channel the mean power of the target's healthy recordings there; of all, where none is healthy."""
    rows: dict[tuple[str, str], list[int]] = {}
    for row, recording in enumerate(split.target.recordings):
        rows.setdefault((recording.dataset, recording.machine), []).append(row)
    healthy = {row for row, recording in enumerate(split.target.recordings) if recording.healthy}
    return {machine: _mean_power(split, signals, [row for row in own if row in healthy] or own) for machine, own in rows.items()}


def _mean_power(split: Split, signals: Signals, rows: Collection[int]) -> list[float]:
    """(channel,)."""
    target = split.target
    powers = []
    for row in rows:
        recording = target.recordings[row]
        powers.append([float(np.var(signals[recording.dataset, recording.id, name], dtype=np.float64)) for name in target.channels[row]])
    return [float(power) for power in np.mean(powers, axis=0)]
