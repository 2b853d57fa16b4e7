"""Random streams named by what they are for, so that nothing drawn for one thing moves when another is added."""

from __future__ import annotations

import hashlib

import numpy as np

_ENTROPY = 1984
"""The root of all streams: the year of the first model that this one stands on. It was never tried against another value."""


def stream(*purpose: str) -> np.random.Generator:
    """The generator for one purpose, `stream("specimen", "beta-inner-small-1")`: the same draws wherever and whenever it is made."""
    digest = hashlib.blake2b("\0".join(purpose).encode(), digest_size=16).digest()
    key = tuple(int(word) for word in np.frombuffer(digest, "<u4"))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(_ENTROPY, spawn_key=key)))
