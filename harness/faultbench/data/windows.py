"""Cutting windows out of signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faultbench.data.split import Pool, Signals


def cut(signals: Signals, pool: Pool, rows: NDArray[np.int64], window: int) -> NDArray[np.float32]:
    """The windows themselves, raw.

    Args:
        signals: The signals of all recordings.
        pool: Where the recordings stand.
        rows: (window, 2): index into the pool's recordings, first sample.
        window: Samples per window.

    Returns:
        (window, channel, sample), one channel.

    Raises:
        IndexError: A window reaches beyond its recording; the leak audit finds that before.
    """
    windows = np.empty((len(rows), 1, window), dtype=np.float32)
    read: dict[int, NDArray[np.float32]] = {}
    for i, (row, start) in enumerate(rows.tolist()):
        if row not in read:
            recording = pool.recordings[row]
            read[row] = signals[recording.dataset, recording.id, pool.channels[row]]
        signal = read[row]
        if not 0 <= start <= len(signal) - window:
            raise IndexError(f"{pool.recordings[row].id}: no window of {window} samples at {start} in {len(signal)}")
        windows[i, 0] = signal[start : start + window]
    return windows
