"""Arithmetic that comes out the same, whoever runs it and whatever ran before."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def repeatable(seed: int = 0, threads: int = 1) -> Iterator[None]:
    """Runs the body with a fixed number of threads and fixed global random states, and puts both back.

    A sum's last bits depend on how many threads share it.
    """
    before, states = torch.get_num_threads(), (random.getstate(), np.random.get_state())
    try:
        torch.set_num_threads(threads)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
        random.setstate(states[0])
        np.random.set_state(states[1])
