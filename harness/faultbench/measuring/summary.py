"""What a row says of times."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def times(seconds: NDArray[np.float64], unit: Literal["s", "ms"] = "s") -> dict[str, float | int] | None:
    """`{"min", "p50", "p90", "p99", "n"}` of times in seconds (n,), in the unit asked for; None where there are none.

    A percentile is a time that was observed, the slower one where it falls between two: a limit that `p99` keeps was kept by
    99 of 100 queries.
    """
    if not len(seconds):
        return None
    scaled = np.asarray(seconds, np.float64) * {"s": 1.0, "ms": 1e3}[unit]
    quantiles = np.percentile(scaled, [0, 50, 90, 99], method="higher")
    return {**{name: float(value) for name, value in zip(("min", "p50", "p90", "p99"), quantiles, strict=True)}, "n": len(scaled)}
