"""Finding copies among signals by their samples: renamed, cropped or shifted, whatever the ids say.

Each signal is marked at *anchors*, places that its own samples define (the first sample that is largest within `REACH`
samples on either side), so that a shifted copy has the same anchors as its original; the block that follows an anchor is
hashed. Two signals are copies where several different blocks agree at one and the same shift. This is content-defined
chunking as deduplicating stores do it (Muthitacharoen, Chen & Mazieres 2001, LBFS, SOSP), with signal maxima for its marks.

A copy is found where it holds about `AGREEING` anchors, some 300 samples of vibration, exactly. A copy at another gain,
rate or precision is not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

REACH = 32
"""Samples on either side of an anchor that it tops: one anchor in about 60 samples of noise."""

BLOCK = 32
"""Samples hashed behind an anchor."""

VALUES = 8
"""Different values that a block holds at least; a block of fewer (a clipped or constant stretch) is no evidence."""

AGREEING = 4
"""Different blocks that agree at one shift before two signals are called copies: a periodic or clipped signal repeats one."""

_FACTORS = np.random.default_rng(np.random.SeedSequence(20_011_021)).integers(
    0, 2**64, size=BLOCK, dtype=np.uint64, endpoint=False
) | np.uint64(1)
"""Of the multilinear hash (Carter & Wegman 1979); fixed, any odd random numbers would do."""


def copies(signals: Iterable[NDArray[np.float32]]) -> list[tuple[int, int]]:
    """Pairs of signals (by number, the smaller first) that hold the same stretch; of many alike, enough pairs to link them all."""
    hashes, owners, places = [], [], []
    for number, signal in enumerate(signals):
        place, hashed = _blocks(np.asarray(signal, dtype=np.float32))
        hashes.append(hashed)
        places.append(place)
        owners.append(np.full(len(place), number))
    if not hashes:
        return []
    hashed, owner, place = np.concatenate(hashes), np.concatenate(owners), np.concatenate(places)
    order = np.lexsort((place, owner, hashed))
    hashed, owner, place = hashed[order], owner[order], place[order]
    # Neighbours in this order link all that are alike, at linear cost however many there are.
    alike = (hashed[1:] == hashed[:-1]) & (owner[1:] != owner[:-1])
    first, second = owner[:-1][alike], owner[1:][alike]
    found = np.stack([first, second, place[1:][alike] - place[:-1][alike], hashed[1:][alike].view(np.int64)], axis=1)
    shifts, agreeing = np.unique(np.unique(found, axis=0)[:, :3], axis=0, return_counts=True)
    return sorted({(int(a), int(b)) for a, b, _ in shifts[agreeing >= AGREEING].tolist()})


def _blocks(signal: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Where a signal's anchors are, and the hash of the block behind each."""
    if len(signal) < REACH + 1 + max(REACH, BLOCK):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    # top[i]: the largest of signal[i : i + REACH], by doubling.
    top = signal
    width = 1
    while width < REACH:
        top = np.maximum(top[:-width], top[width:])
        width *= 2
    middle = signal[REACH : len(top)]
    anchors = np.flatnonzero((middle > top[: len(middle)]) & (middle == top[REACH : REACH + len(middle)])) + REACH
    anchors = anchors[anchors + BLOCK <= len(signal)]
    blocks = signal[anchors[:, None] + np.arange(BLOCK)]
    telling = (np.diff(np.sort(blocks, axis=1), axis=1) > 0).sum(axis=1) >= VALUES - 1
    bits = blocks[telling].view(np.uint32).astype(np.uint64)
    return anchors[telling], (bits * _FACTORS).sum(axis=1, dtype=np.uint64)
