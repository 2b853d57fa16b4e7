"""Where a signal comes from: the file, the variable in it, and the filters between that and what the harness is given.

It is what somebody else needs to have the same samples without faultbench, and it is what published splits say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import Recording

DESIGNS = ("firwin", "firwin2")
"""The functions of `scipy.signal` that design a filter."""


@dataclass(frozen=True, slots=True)
class Filtering:
    """A change of rate by a filter of finite length and linear phase, without delay.

    The output is `upfirdn(gain * taps, signal, up, down)` from `first` on, for as many samples as the filter lies within the signal.

    Args:
        design: The function of `scipy.signal` that gives the taps, one of `DESIGNS`.
        arguments: Its arguments by name, as JSON takes them.
        up: Samples are first spread by this.
        down: Every so many are then kept.
        first: The first output whose filter lies within the signal.
        gain: What the taps are multiplied by; a filter behind `up` needs it.
    """

    design: str
    arguments: Mapping[str, Any] = field(hash=False)
    up: int
    down: int
    first: int
    gain: float = 1.0

    def taps(self) -> NDArray[np.float64]:
        """The filter, (tap,), gain included."""
        import scipy.signal

        if self.design not in DESIGNS:
            raise ValueError(f"there is no design {self.design}: take one of {', '.join(DESIGNS)}")
        arguments = {name: tuple(value) if isinstance(value, list) else value for name, value in self.arguments.items()}
        taps: NDArray[np.float64] = getattr(scipy.signal, self.design)(**arguments)
        return taps * self.gain


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a signal comes from.

    Args:
        file: Its path within the data set's folder, with `/`; empty where there is none.
        variable: What holds it in the file.
        sha256: Of the file that was read; empty where nobody computed it.
        recorded_hz: Samples per second in the file.
        steps: What was done to the values of the file, in this order; afterwards they are rounded to float32.
        made_by: What makes the signal, where it is in no file.
    """

    file: str = ""
    variable: str = ""
    sha256: str = ""
    recorded_hz: float | None = None
    steps: tuple[Filtering, ...] = ()
    made_by: str = ""


class Traceable(Protocol):
    """What a data set may offer beside its contract."""

    def origin(self, recording: Recording, channel: str) -> Origin:
        """Where a signal comes from.

        Raises:
            DataError: There is no such signal.
        """
        ...
