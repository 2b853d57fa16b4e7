"""Finding copies among signals by their samples: renamed, cropped, shifted or rescaled, whatever the ids say.

Each signal is marked at *anchors*, places that its own samples define (`data.marks`), so that a shifted copy has the same anchors as its
original; the block that follows an anchor is hashed. Two signals are copies where several different blocks agree at one and the same shift,
exactly. Copies at another gain, sign, offset or precision are looked for besides (`data.rescaled`).

An exact copy is found where it holds about `AGREEING` anchors, some 300 samples of vibration; a rescaled one from about 1000 on. A copy
that was resampled, filtered, reversed in time or mixed with noise is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from faultbench.data.marks import anchors, telling
from faultbench.data.rescaled import marks, rescaled

BLOCK = 32
"""Samples hashed behind an anchor."""

AGREEING = 4
"""Different blocks that agree at one shift before two signals are called copies: a periodic or clipped signal repeats one."""

_FACTORS = np.random.default_rng(np.random.SeedSequence(20_011_021)).integers(
    0, 2**64, size=BLOCK, dtype=np.uint64, endpoint=False
) | np.uint64(1)
"""Of the multilinear hash (Carter & Wegman 1979); fixed, any odd random numbers would do."""


def copies(signals: Iterable[NDArray[np.float32]], again: Callable[[int], NDArray[np.float32]]) -> list[tuple[int, int]]:
    """Pairs of signals (by number, the smaller first) that hold the same stretch; of many alike, enough pairs to link them all.

    Args:
        signals: Each is looked at once and not kept.
        again: Given its number, a signal once more; asked only of those that are suspected.
    """
    hashed, marked = [], []
    for signal in signals:
        samples = np.asarray(signal, dtype=np.float32)
        hashed.append(_blocks(samples))
        marked.append(marks(samples))
    if not hashed:
        return []
    exact = _exact(hashed)
    return sorted({*exact, *rescaled(marked, again, exact)})


def _exact(blocks: list[tuple[NDArray[np.int64], NDArray[np.uint64]]]) -> list[tuple[int, int]]:
    place, hashed = (np.concatenate(columns) for columns in zip(*blocks, strict=True))
    owner = np.repeat(np.arange(len(blocks)), [len(places) for places, _ in blocks])
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
    places = anchors(signal)
    places = places[places + BLOCK <= len(signal)]
    blocks = signal[places[:, None] + np.arange(BLOCK)]
    keep = telling(blocks)
    bits = blocks[keep].view(np.uint32).astype(np.uint64)
    return places[keep], (bits * _FACTORS).sum(axis=1, dtype=np.uint64)
