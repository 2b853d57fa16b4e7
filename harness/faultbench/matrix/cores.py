"""How many processor cores there are for a run."""

from __future__ import annotations

import os

MOST_JOBS = 8
"""A worker holds half a gigabyte (torch, onnxruntime), and while one measures all others wait: more are for those who ask for them."""


def usable_cores() -> int:
    """The cores that this process may use: on a shared machine or in a container often fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_jobs() -> int:
    """How many stages a run computes at a time unless it is said. Results do not depend on it."""
    return min(usable_cores(), MOST_JOBS)
