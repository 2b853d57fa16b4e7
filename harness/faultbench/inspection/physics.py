"""Whether recordings bear out the speeds and geometries that are stated of them, specimen by specimen (`comb`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.inspectable import Remark
from faultbench.data.recording import ELEMENTS, Channel, Recording
from faultbench.inspection.comb import SPEED_DIFFERS, SPEED_RANGE, FaultCombs, fault_combs, shaft_speed

_HZ_BELOW = 120.0
"""A speed below this, rev/min, may be one in Hz: a comb at sixty times it would show that."""
_MOVING = ("g", "full scale", "mm/s", "um", "V", "mV", "not stated")
"""The units of signals that a machine's vibration may be in; a current or a torque shows other combs."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Borne:
    """What a recording's signal says of what is stated of it.

    Args:
        recording: Whose.
        rpm: The speed that the shaft's comb shows, or None.
        combs: Those of the bearing; None where it is healthy or its geometry not stated, or the signal too short to tell.
    """

    recording: Recording
    rpm: float | None
    combs: FaultCombs | None

    @property
    def speed_differs(self) -> bool:
        """Whether the signal shows another speed than the stated one."""
        stated = self.recording.speed_rpm
        return self.rpm is not None and stated is not None and abs(self.rpm / stated - 1) > SPEED_DIFFERS


def bear_out(recording: Recording, channel: Channel, signal: NDArray[np.float32]) -> Borne | None:
    """What a signal says; None where it is no vibration, or no speed is stated."""
    stated = recording.speed_rpm
    if channel.unit not in _MOVING or not stated or not np.ptp(signal):
        return None
    rpm = shaft_speed(signal, channel.rate_hz, stated)
    if rpm is None and stated < _HZ_BELOW:
        rpm = shaft_speed(signal, channel.rate_hz, 60 * stated)
    combs = None
    if recording.geometry is not None and _leaves_a_comb(recording):
        combs = fault_combs(signal, channel.rate_hz, rpm or stated, recording.geometry)
    return Borne(recording, rpm, combs)


def check_physics(borne: Sequence[Borne]) -> Iterator[Remark]:
    """Warnings where signals contradict what is stated, and a fact that says how much could be seen at all."""
    wrong = [b for b in borne if b.speed_differs]
    if wrong:
        said = ", ".join(f"{b.recording.id}: {b.rpm:.0f}, stated {b.recording.speed_rpm:.0f}" for b in wrong[:_SHOWN])
        more = ", ..." if len(wrong) > _SHOWN else ""
        yield Remark("warning", f"{len(wrong)} recordings turn at another speed than stated ({said}{more} rev/min): correct it")
    specimens: dict[str, list[Borne]] = {}
    for b in borne:
        if b.combs is not None:
            specimens.setdefault(b.recording.bearing, []).append(b)
    for bearing, some in specimens.items():
        against = [b for b in some if b.combs is not None and b.combs.contradicts]
        if against:
            yield _contradicted(bearing, some, against)
    if borne:
        damaged = [b for b in borne if _leaves_a_comb(b.recording)]
        fitting = sum(b.combs is not None and b.combs.fits for b in damaged)
        short = sum(b.combs is None for b in damaged)
        speeds = sum(b.rpm is not None for b in borne)
        text = f"physics: a comb of the shaft shows the speed of {speeds} of {len(borne)} recordings"
        if damaged:
            text += f"; a comb of the stated geometry stands in {fitting} of {len(damaged)} recordings of damaged bearings"
            text += f" ({short} are too short to tell)" if short else ""
        yield Remark("fact", text)


def _leaves_a_comb(recording: Recording) -> bool:
    return recording.geometry is not None and recording.element in ELEMENTS and not recording.healthy


def _contradicted(bearing: str, some: Sequence[Borne], against: Sequence[Borne]) -> Remark:
    strongest = max((b for b in against), key=lambda b: b.combs.height if b.combs else 0.0)
    geometry, combs = strongest.recording.geometry, strongest.combs
    assert geometry is not None and combs is not None  # noqa: S101, PT018 - or it would not be among them
    also = ""
    if strongest.rpm is None:  # a speed that is further off than it is searched for moves the combs as another geometry does
        stated = strongest.recording.speed_rpm or 0.0
        also = f"the stated speed (no comb of the shaft shows one within {100 * SPEED_RANGE:g} % of {stated:.0f} rev/min), "
    return Remark(
        "warning",
        f"{bearing}: {len(against)} of {len(some)} recordings ({', '.join(b.recording.id for b in against[:_SHOWN])}"
        f"{', ...' if len(against) > _SHOWN else ''}) show a comb at {combs.order:.3f} x shaft, where {geometry.name} has BPFO "
        f"{geometry.bpfo:.3f}, BPFI {geometry.bpfi:.3f}, 2 x BSF {2 * geometry.bsf:.3f} and hardly shows them: check the bearing's type, "
        f"{also}or what else turns at that order",
    )
