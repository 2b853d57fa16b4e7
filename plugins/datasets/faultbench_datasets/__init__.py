"""The data sets that come with faultbench."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl


@hookimpl
def faultbench_datasets() -> Iterable[Offer]:
    """The offers of this package."""
    yield Offer(
        name="simulated",
        factory="faultbench_datasets.simulated:Simulated",
        summary="physical model of rolling-bearing vibration: two machines, several bearings and mountings per class",
        cite="after McFadden & Smith 1984, Ho & Randall 2000, Antoni & Randall 2003, Sawalhi & Randall 2011",
    )
    yield Offer(
        name="cwru",
        factory="faultbench_datasets.cwru:Cwru",
        summary="Case Western Reserve University bearing data: seeded faults at drive and fan end, four loads",
        params={"rate": Param(int, 12, "sampling rate, kHz; the 48 kHz records hold drive-end faults only", choices=(12, 48))},
        cite="Case Western Reserve University Bearing Data Center",
    )
