"""What a recording is: who was measured, where, when, at which load and speed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

HEALTHY = "healthy"
ELEMENTS = (HEALTHY, "inner", "ball", "outer", "cage", "combined")
"""The damaged elements of a bearing; other equipment adds its own names, prefixed (`gear-tooth`)."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The kinematic orders of a bearing: events per turn of the shaft, inner ring turning, no slip.

    `bsf` is the spin of a ball; a spall on a ball strikes both rings, hence at twice `bsf`.
    """

    name: str
    bpfo: float
    bpfi: float
    bsf: float
    ftf: float

    @property
    def orders(self) -> tuple[float, float, float, float]:
        """BPFO, BPFI, BSF, FTF: the order in which graphs take them."""
        return self.bpfo, self.bpfi, self.bsf, self.ftf

    @classmethod
    def from_dimensions(cls, name: str, balls: int, ball_mm: float, pitch_mm: float, contact_deg: float = 0.0) -> Geometry:
        """The orders from dimensions (McFadden & Smith 1984, J. Sound Vib. 96(1), eq. 1 to 4)."""
        ratio = ball_mm / pitch_mm * math.cos(math.radians(contact_deg))
        return cls(
            name=name,
            bpfo=balls / 2 * (1 - ratio),
            bpfi=balls / 2 * (1 + ratio),
            bsf=pitch_mm / (2 * ball_mm) * (1 - ratio**2),
            ftf=(1 - ratio) / 2,
        )


@dataclass(frozen=True, slots=True)
class Gearing:
    """A pair of gears: the first sits on the shaft whose speed a recording states, the second is driven by it.

    Orders are per turn of that shaft: a tooth meshes `mesh` times a turn of it, and the gears themselves turn `pinion` and `wheel` times.
    The pinion is the gear on the shaft, whichever of the two is smaller.

    Args:
        name: The pair's name.
        teeth: Of the gear on the shaft.
        mating_teeth: Of the other one.
    """

    name: str
    teeth: int
    mating_teeth: int

    @property
    def mesh(self) -> float:
        """Teeth that mesh in a turn of the shaft."""
        return float(self.teeth)

    @property
    def pinion(self) -> float:
        """Turns of the gear on the shaft: one."""
        return 1.0

    @property
    def wheel(self) -> float:
        """Turns of the mating gear in a turn of the shaft."""
        return self.teeth / self.mating_teeth

    @property
    def orders(self) -> tuple[float, float, float]:
        """Mesh, pinion, wheel."""
        return self.mesh, self.pinion, self.wheel


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal of a recording.

    Args:
        name: As the data set calls it.
        rate_hz: Samples per second as `DataSet.read` returns them (after decimation, where there is one).
        samples: How many, or None while nobody has read the signal.
        unit: `g` for accelerations.
    """

    name: str
    rate_hz: float
    samples: int | None = None
    unit: str = "g"


@dataclass(frozen=True, slots=True)
class Recording:
    """One measurement of one specimen, at one load.

    Args:
        dataset: The data set's name.
        id: Unique in the data set.
        machine: The machine (rig).
        mounting: The installation: the machine end and sensor position. Unique across machines.
        bearing: The physical specimen, whatever the equipment: a bearing, or a set of gears. Faults of one size at several clock
            positions of one outer ring are one specimen unless the source says otherwise.
        element: The damaged element, one of `ELEMENTS` for a bearing, with the equipment before it for others (`gear-tooth`).
        severity: How large the damage is, as the source says it (`7 mil`); empty for a healthy specimen.
        session: One uninterrupted measurement: everything recorded together, whatever the sensor, is one session.
        load: The load as the source says it.
        speed_rpm: The shaft speed, rev/min, or None where it is unknown.
        channels: The signals; the first is the one a scenario reads unless it names another.
        geometry: The specimen's kinematic orders, or None where they are unknown.
        position: The clock position of the damage, which of two gears has it, or another installation of the same specimen; empty
            where there is one.
        notes: What was found odd about it, for the audit.
        gearing: The teeth of a set of gears, or None where the specimen is none.
    """

    dataset: str
    id: str
    machine: str
    mounting: str
    bearing: str
    element: str
    severity: str
    session: str
    load: str
    speed_rpm: float | None
    channels: tuple[Channel, ...]
    geometry: Geometry | None = None
    position: str = ""
    notes: tuple[str, ...] = ()
    gearing: Gearing | None = None

    @property
    def healthy(self) -> bool:
        """Whether the specimen has no damage."""
        return self.element == HEALTHY

    def channel(self, name: str) -> Channel:
        """The channel of that name.

        Raises:
            KeyError: There is none.
        """
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise KeyError(name)


def plain(recording: Recording) -> dict[str, Any]:
    """What a recording says, as JSON takes it.

    A specimen that is no set of gears says nothing of gears, so that catalogues and splits that never had any keep their digests.
    """
    said = fields_of(recording) | {"channels": tuple(map(fields_of, recording.channels))}
    for name in ("geometry", "gearing"):
        if said[name] is not None:
            said[name] = fields_of(said[name])
    if recording.gearing is None:
        del said["gearing"]
    return said


def fields_of(value: Any) -> dict[str, Any]:
    """What a dataclass holds, by name, nothing copied: `asdict` takes longer than the digest of a catalogue, or writing some signals."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a data set holds, known without reading a signal.

    Args:
        dataset: The data set's name.
        version: Changes whenever a signal of the same id would change.
        recordings: In a fixed order.
        targets: The machines or mountings a scenario can hold out as the new device; the first is the default.
        cite: How the source wants to be cited.
        licence: The licence, or what the source says instead of one.
        missing: Ids that the source has and this copy has not, each with its reason.
    """

    dataset: str
    version: str
    recordings: tuple[Recording, ...]
    targets: tuple[str, ...]
    cite: str = ""
    licence: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of everything the catalogue says about its recordings, in hexadecimal."""
        said = [self.dataset, self.version, [plain(r) for r in self.recordings]]
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class DataSet(Protocol):
    """The contract of a data set.

    Its `read` is called by one thread after the other. One that may be called by several at once says so with an attribute `readers`,
    how many. One that can say where its signals come from has `origin` beside (`origin.Traceable`).
    """

    def catalogue(self) -> Catalogue:
        """What there is, without reading signals.

        Raises:
            DataError: The data are not there; the message says how to get them.
        """
        ...

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, shape (sample,), finite, at the channel's `rate_hz`.

        Raises:
            DataError: The file is foreign, truncated or holds something else than it should.
        """
        ...
