"""The 161 records of the Case Western Reserve University bearing data, and the bearings they show.

`records.csv` holds a line per record. `samples`, `bytes` and `sha256` are those of the official file where they are known;
`checked` says whether they were compared with that file, or only read elsewhere.
Files may hold other records too (99 also `X098_*`, 175 also `X217_*`), hence variables are chosen by their names alone.
The numbers 157, 173, 303, 304, 308 and 314 do not exist; outer-race faults of the fan end were not recorded at every position and load.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from faultbench.api import HEALTHY, Geometry

DRIVE_END = "drive-end"
FAN_END = "fan-end"
SENSORS = {DRIVE_END: "DE", FAN_END: "FE"}
"""The accelerometer of each machine end, by the name that variables carry. (The one on the base plate is not read.)"""

NOMINAL_RPM = {0: 1797.0, 1: 1772.0, 2: 1750.0, 3: 1730.0}
"""The speed that the source states for each load, hp."""

SPEED_OVERRIDES = {158: (1795.0, "its shaft comb turns at about 1795 rpm, not at the 1773 rpm of its file")}
"""Speeds seen in the signal itself, with the reason."""

SKF_6205 = Geometry("SKF 6205-2RS", bpfo=3.5848, bpfi=5.4152, bsf=4.7135 / 2, ftf=0.39828)
NTN_6205 = Geometry.from_dimensions("NTN 6205 equivalent, seven 11/32-inch balls", balls=7, ball_mm=11 / 32 * 25.4, pitch_mm=1.537 * 25.4)
"""The bearing of the 28 mil inner-race fault: its comb fits seven larger balls on the SKF bearing's pitch (BPFI 4.2828), not 5.4152.

The source says that all 28 mil faults are in such a bearing, but that with the damaged ball (3005 to 3008) has its comb at 4.74, with side
bands of 0.40: twice the spin of the SKF bearing's balls, which is 4.71, and its cage. Nothing stands at the other's 4.25.
"""
SKF_6203 = Geometry("SKF 6203-2RS", bpfo=3.0530, bpfi=4.9469, bsf=3.9874 / 2, ftf=0.3817)
NTN_6203 = Geometry("NTN 6203 equivalent", bpfo=3.0530, bpfi=4.9469, bsf=3.9874 / 2, ftf=0.3817)


@dataclass(frozen=True, slots=True)
class Record:
    """What the source says of one file.

    Args:
        number: The file's number: `105` of `105.mat`.
        end: The machine end of the damaged bearing; empty for a healthy record, which shows both ends.
        element: The damaged element, or healthy.
        mil: The fault's diameter in thousandths of an inch, or None.
        position: The clock position of an outer-race fault relative to the load zone (`@6` is in its centre).
        load_hp: The motor load.
        rate_khz: The sampling rate of the file, 12 or 48.
        prefix: What the file's variable names begin with; some differ from the file's number.
        samples: Samples per channel of the official file, or None.
        sha256: Of the official file, or empty.
        size_bytes: Of the official file, or None.
        checked: Whether size and digest were compared with the official file.
    """

    number: int
    end: str
    element: str
    mil: int | None
    position: str
    load_hp: int
    rate_khz: int
    prefix: str
    samples: int | None
    sha256: str
    size_bytes: int | None = None
    checked: bool = True

    @property
    def bearing(self) -> str:
        """The specimen. The source does not say whether the clock positions of one size are one ring turned, so they count as one."""
        return HEALTHY if self.element == HEALTHY else f"{self.end}/{self.element}/{self.mil} mil"

    def geometry(self, end: str) -> Geometry:
        """The geometry of the bearing that is seen at a machine end."""
        if end == DRIVE_END:
            return NTN_6205 if (self.mil, self.element) == (28, "inner") else SKF_6205
        return SKF_6203 if self.mil in (None, 7) else NTN_6203

    def variable(self, channel: str) -> str:
        """The variable that holds a channel, `DE` or `FE`."""
        return f"{self.prefix}_{channel}_time"

    @property
    def speed_variable(self) -> str:
        """The variable that holds the speed, where there is one."""
        return f"{self.prefix}RPM"


@cache
def records() -> tuple[Record, ...]:
    """All records of the source, by number."""
    table = (resources.files("faultbench_datasets.cwru") / "records.csv").read_text(encoding="ascii")
    return tuple(
        Record(
            number=int(line["record"]),
            end=line["end"],
            element=line["element"],
            mil=int(line["mil"]) if line["mil"] else None,
            position=line["position"],
            load_hp=int(line["load_hp"]),
            rate_khz=int(line["rate_khz"]),
            prefix=line["prefix"],
            samples=int(line["samples"]) if line["samples"] else None,
            sha256=line["sha256"],
            size_bytes=int(line["bytes"]) if line["bytes"] else None,
            checked=line["checked"] != "no",
        )
        for line in csv.DictReader(table.splitlines())
    )


@cache
def known_digests() -> frozenset[str]:
    """The SHA-256 digests of official files."""
    return frozenset(record.sha256 for record in records() if record.sha256)
