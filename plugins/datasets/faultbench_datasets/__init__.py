"""The data sets that come with faultbench."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl


@hookimpl
def faultbench_datasets() -> Iterable[Offer]:
    """The offers of this package."""
    yield Offer(
        name="simulated",
        factory="faultbench_datasets.simulated:Simulated",
        summary="physical model of bearing or gear vibration: two machines, several specimens and mountings per class",
        params={
            "equipment": Param(str, "bearings", "what is damaged: bearings, or a pair of gears per machine", choices=("bearings", "gears")),
            "sensors": Param(str, "one", "an accelerometer, or also a second one, motor current, temperature", choices=("one", "all")),
        },
        cite="after McFadden & Smith 1984, Ho & Randall 2000, Antoni & Randall 2003, Sawalhi & Randall 2011; gears after Randall 1982, "
        "McFadden 1986, Capdessus & Sidahmed 1992, Chaari et al. 2008",
        publication="faultbench_datasets.publications:simulated",
    )
    yield Offer(
        name="cwru",
        factory="faultbench_datasets.cwru:Cwru",
        summary="Case Western Reserve University bearing data: seeded faults at drive and fan end, four loads",
        params={"rate": Param(int, 12, "sampling rate, kHz; the 48 kHz records hold drive-end faults only", choices=(12, 48))},
        cite="Case Western Reserve University Bearing Data Center",
        publication="faultbench_datasets.publications:cwru",
    )
    yield Offer(
        name="uestc",
        factory="faultbench_datasets.uestc:Uestc",
        summary="University of Electronic Science and Technology of China: healthy, ball, inner and outer ring at four speeds",
        cite="Liu et al. 2025, IEEE Sensors Journal, doi 10.1109/JSEN.2025.3635217",
        publication="faultbench_datasets.publications:uestc",
    )
    yield Offer(
        name="paderborn",
        factory="faultbench_datasets.paderborn:Paderborn",
        summary="Paderborn University bearing data: 32 bearings damaged by hand or by fatigue in one rig, four operating conditions",
        params={
            "rate": Param(int, 16, "sampling rate of vibration and currents, kHz; recorded at 64", choices=(16, 64)),
            "damage": Param(str, "all", "which faults: made by hand, by fatigue, or both", choices=("all", "artificial", "real")),
            "combined": Param(bool, False, "whether bearings damaged at both rings are there, as a class of their own"),
        },
        cite="Lessmeier, Kimotho, Zimmer & Sextro 2016; KAt-DataCenter, Paderborn University; CC BY-NC 4.0",
        publication="faultbench_datasets.publications:paderborn",
    )
    yield Offer(
        name="xjtu_sy",
        factory="faultbench_datasets.xjtu_sy:XjtuSy",
        summary="XJTU-SY bearing data: fifteen bearings run to failure on one rig, one condition each; healthy, inner and outer ring",
        params={
            "damage": Param(str, "single", "one damaged ring, or also damaged cages and several damaged parts", choices=("single", "any")),
            "minutes": Param(int, 40, "at most so many minutes of each bearing, of 1.28 s each", ge=2),
        },
        cite="Wang, Lei, Li & Li 2020, IEEE Trans. Reliab. 69(1), doi 10.1109/TR.2018.2882682",
        publication="faultbench_datasets.publications:xjtu_sy",
    )
    yield Offer(
        name="folder",
        factory="faultbench_datasets.folder:Folder",
        summary="your own recordings: a folder of wav, csv, npy and mat files with a table that says what they are",
        params={"path": Param(str, "", "the folder, from the current one or the data folder; empty takes the data folder itself")},
        cite="",
    )
