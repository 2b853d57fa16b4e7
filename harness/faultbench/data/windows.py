"""Cutting windows out of signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faultbench.data.split import Pool, Signals, Split

FEWEST_SAMPLES = 16
"""A channel of which a window holds fewer samples of its own has a level there, and no spectrum."""


def cut(signals: Signals, pool: Pool, rows: NDArray[np.int64], window: int) -> NDArray[np.float32]:
    """The windows themselves, raw.

    A channel that is slower than the lead is held: each sample of the window takes the last value that was known at its time, which is
    all that a gateway has.

    Args:
        signals: The signals of all recordings.
        pool: Where the recordings stand.
        rows: (window, 2): index into the pool's recordings, first sample of the lead channel.
        window: Samples per window.

    Returns:
        (window, channel, sample).

    Raises:
        IndexError: A window reaches beyond its recording; the leak audit finds that before.
    """
    windows = np.empty((len(rows), len(pool.channels[0]) if pool.channels else 1, window), dtype=np.float32)
    read: dict[int, list[tuple[NDArray[np.float32], float]]] = {}
    for i, (row, start) in enumerate(rows.tolist()):
        if row not in read:
            read[row] = _channels(signals, pool, row)
        for j, (signal, step) in enumerate(read[row]):
            if step == 1:
                if not 0 <= start <= len(signal) - window:
                    raise IndexError(f"{pool.recordings[row].id}: no window of {window} samples at {start} in {len(signal)}")
                windows[i, j] = signal[start : start + window]
            else:
                windows[i, j] = signal[held(start, window, step, len(signal))]
    return windows


def held(start: int, window: int, step: float, samples: int) -> NDArray[np.int64]:
    """(sample,): which sample of a slower channel was the last one at each sample of a window.

    Args:
        start: The window's first sample, of the lead channel.
        window: Samples per window.
        step: Samples of the slower channel per sample of the lead, below 1.
        samples: How many the slower channel has; behind its end the last one is held.
    """
    # The small part of a sample lets a time that is a whole number of steps be one, whatever floats make of it.
    last: NDArray[np.int64] = np.floor(np.arange(start, start + window) * step + 1e-6).astype(np.int64)
    last[last >= samples] = samples - 1
    return last


def slow_channels(split: Split) -> tuple[bool, ...]:
    """(channel,): which channels of a split's windows have a level and no spectrum."""
    recording, names = split.target.recordings[0], split.target.channels[0]
    return tuple(recording.channel(name).rate_hz * split.window / split.rate_hz < FEWEST_SAMPLES for name in names)


def _channels(signals: Signals, pool: Pool, row: int) -> list[tuple[NDArray[np.float32], float]]:
    """The signals of a recording's channels, with their samples per sample of the lead."""
    recording = pool.recordings[row]
    lead = recording.channel(pool.channels[row][0]).rate_hz
    return [(signals[recording.dataset, recording.id, name], recording.channel(name).rate_hz / lead) for name in pool.channels[row]]
