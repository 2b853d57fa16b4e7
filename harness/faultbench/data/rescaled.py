"""Finding copies among signals that were multiplied, turned round, offset or rounded: what a hash of the samples cannot see.

In two steps, so that neither has to be both fast and sure:

1. Each signal is marked at *anchors* as in `data.anchors`, at its maxima and its minima. The block behind an anchor, less its mean, turned
   so that its anchor is a maximum, is reduced to the signs of its products with fixed random vectors (Charikar 2002, Similarity
   estimation techniques from rounding algorithms, STOC). Neither gain nor sign nor offset changes them, and rounding seldom does. Where
   several blocks of two signals agree at one shift, the two are suspected.
2. The stretch over which they agree is read again and laid over the other signal at every shift. They are copies only where the samples
   correlate to `ALIKE` at the one shift and come by far less close at any other: two recordings of one clean tone do not.

Two recordings of one and the same sweep, some 40 dB above their noise, are taken for copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from faultbench.data.marks import anchors, telling

BLOCK = 64
"""Samples of which a signature is made: with fewer, slow signals' blocks look alike."""

AGREEING = 4
"""Blocks that agree at one shift before a pair is looked at."""

NEIGHBOURS = 4
"""How far apart, among equal signatures in the order of their signals, two are still compared: bounds the cost."""

ALIKE = 0.999
"""Correlation of the stretches of a copy: what rounding to a seventh of the stretch's standard deviation leaves."""

CONTRAST = 4.0
"""How many times as far from 1 the correlation is at every other shift."""

STRETCH = 8192
"""Samples that are compared at most."""

_DIRECTIONS = np.random.default_rng(np.random.SeedSequence(20_020_519)).normal(size=(BLOCK, 32)).astype(np.float32)
_DIRECTIONS -= _DIRECTIONS.mean(axis=0)
"""Of the signature; without a mean, so that no block's mean matters."""

_BITS = np.uint64(1) << np.arange(32, dtype=np.uint64)

Marks = tuple[NDArray[np.int64], NDArray[np.uint64]]
"""The places of a signal's anchors; their signatures."""


def marks(signal: NDArray[np.float32]) -> Marks:
    """Where a signal's anchors are, and the signature of the block behind each; one that comes twice is no evidence, and left out."""
    places, signatures = [], []
    for turned in (signal, -signal):
        place = anchors(turned)
        place = place[place + BLOCK <= len(turned)]
        blocks = turned[place[:, None] + np.arange(BLOCK)]
        # A large offset would swamp the products in single precision.
        blocks -= blocks[:, :1]
        keep = telling(blocks)
        places.append(place[keep])
        signatures.append((blocks[keep] @ _DIRECTIONS > 0) @ _BITS)
    place, signature = np.concatenate(places), np.concatenate(signatures)
    _, first, times = np.unique(signature, return_index=True, return_counts=True)
    once = first[times == 1]
    return place[once], signature[once]


def rescaled(
    marked: Iterable[Marks], read: Callable[[int], NDArray[np.float32]], known: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Pairs of signals that hold the same stretch at any gain, sign and offset; of many alike, enough to link them all.

    Args:
        marked: Of each signal, by number.
        read: Given its number, the signal.
        known: Pairs that are copies already; what these link is not looked at again.
    """
    marked = list(marked)
    group = np.arange(len(marked))
    for a, b in known:
        group[group == group[b]] = group[a]
    for a, b, shift, first, last in _suspected(marked):
        if group[a] != group[b] and _same(read(a), read(b), shift, first, last):
            group[group == group[b]] = group[a]
            yield a, b


def _suspected(marked: list[Marks]) -> list[tuple[int, int, int, int, int]]:
    """Pairs with their shift (place in the second less place in the first) and the first's stretch; those that agree most first."""
    place = np.concatenate([places for places, _ in marked])
    signature = np.concatenate([signatures for _, signatures in marked])
    owner = np.repeat(np.arange(len(marked)), [len(places) for places, _ in marked])
    order = np.lexsort((owner, signature))
    place, signature, owner = place[order], signature[order], owner[order]
    rows = []
    for step in range(1, NEIGHBOURS + 1):
        alike = signature[step:] == signature[:-step]
        one, two = place[:-step][alike], place[step:][alike]
        rows.append(np.stack([owner[:-step][alike], owner[step:][alike], two - one, one], axis=1))
    found = np.concatenate(rows)
    found = found[np.lexsort(found.T[::-1])]
    groups, first, agreeing = np.unique(found[:, :3], axis=0, return_index=True, return_counts=True)
    last = first + agreeing - 1
    many = np.flatnonzero(agreeing >= AGREEING)
    many = many[np.argsort(-agreeing[many], kind="stable")]
    # Of the outermost blocks some samples may lie outside the copy and still not change a sign: half of each is left out.
    start, end = found[first, 3], found[last, 3] + BLOCK
    inner = np.where(end - start >= 2 * BLOCK, BLOCK // 2, 0)
    spans = np.column_stack([groups, start + inner, end - inner])[many]
    return [(a, b, shift, start, end) for a, b, shift, start, end in spans.tolist()]


def _same(one: NDArray[np.float32], two: NDArray[np.float32], shift: int, first: int, last: int) -> bool:
    """Whether a stretch of one signal is the other's at that shift, and at no other shift nearly."""
    from scipy.signal import oaconvolve

    last = min(last, first + STRETCH)
    stretch = one[first:last].astype(np.float64)
    stretch -= stretch.mean()
    norm = np.linalg.norm(stretch)
    other = two.astype(np.float64) - two.mean(dtype=np.float64)
    size = len(stretch)
    here = other[first + shift : last + shift]
    here = here - here.mean()
    if not norm or not here.any() or abs(stretch @ here) < ALIKE * norm * np.linalg.norm(here):
        return False
    products = oaconvolve(other, stretch[::-1], mode="valid")
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (other, other**2))
    energy = squares[size:] - squares[:-size] - (sums[size:] - sums[:-size]) ** 2 / size
    alike = np.abs(products) / (norm * np.sqrt(np.maximum(energy, 1e-9 * energy.max())))
    at = first + shift
    distance = 1 - alike
    elsewhere = np.delete(distance, at)
    return not len(elsewhere) or bool(elsewhere.min() > CONTRAST * max(distance[at], 0.0))
