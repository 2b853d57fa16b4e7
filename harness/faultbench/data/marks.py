"""Places of a signal that its own samples define, so that they are the same in a shifted copy.

Content-defined chunking as deduplicating stores do it (Muthitacharoen, Chen & Mazieres 2001, LBFS, SOSP), with signal maxima for its marks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REACH = 32
"""Samples on either side of an anchor that it tops: one anchor in about 60 samples of noise."""

VALUES = 8
"""Different values that a block holds at least; a block of fewer (a clipped or constant stretch) is no evidence."""


def anchors(signal: NDArray[np.float32]) -> NDArray[np.int64]:
    """Where a signal is largest within `REACH` samples on either side; of equals, the first."""
    if len(signal) < 2 * REACH + 1:
        return np.empty(0, dtype=np.int64)
    # top[i]: the largest of signal[i : i + REACH], by doubling.
    top = signal
    width = 1
    while width < REACH:
        top = np.maximum(top[:-width], top[width:])
        width *= 2
    middle = signal[REACH : len(top)]
    return np.flatnonzero((middle > top[: len(middle)]) & (middle == top[REACH : REACH + len(middle)])) + REACH


def telling(blocks: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(block): Which blocks (block, sample) hold at least `VALUES` different values."""
    steps: NDArray[np.int64] = (np.diff(np.sort(blocks, axis=1), axis=1) > 0).sum(axis=1)
    return steps >= VALUES - 1
