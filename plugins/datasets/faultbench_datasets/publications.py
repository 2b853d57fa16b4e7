"""What the sources of the data sets publish, and where: every address stands here, and nowhere else.

**The addresses were taken from public descriptions. Nobody has tried them from here.** A source may move its files; `--from` takes what
was downloaded by hand.

Sizes and SHA-256 of the CWRU files stand in `cwru/records.csv`; those of three healthy records were read elsewhere and not compared with
a file (its column `checked`). So were those of eight Paderborn archives, below: two independent public scripts state the digest of
K001, one each the others.
"""

from __future__ import annotations

from collections.abc import Iterable

from faultbench.api import Publication, PublishedFile

UNTRIED = "the addresses were taken from public descriptions and not tried by the authors of faultbench"

CWRU_CITE = "Case Western Reserve University Bearing Data Center, seeded fault test data, https://engineering.case.edu/bearingdatacenter"
CWRU_LICENCE = "none stated by the source"
_CWRU_FILES = "https://engineering.case.edu/sites/default/files/{number}.mat"

PADERBORN_CITE = (
    "Lessmeier, Kimotho, Zimmer & Sextro 2016, Condition Monitoring of Bearing Damage in Electromechanical Drive Systems by Using Motor "
    "Current Signals of Electric Motors, PHM Society European Conference; KAt-DataCenter, Paderborn University"
)
PADERBORN_LICENCE = "CC BY-NC 4.0"
_PADERBORN_FILES = "https://groups.uni-paderborn.de/kat/BearingDataCenter/{code}.rar"
_PADERBORN_KNOWN: dict[str, tuple[int | None, str]] = {
    "K001": (173_881_721, "0f119ebdb28fb2f4d9fac1beb1319429f63f7ae1256c23c872f280f3560918e5"),
    "K002": (161_981_588, "1040da8b74d169c4e8c8545afa335d7a3a320bcaf36a471250c3e434bc4caffd"),
    "K003": (173_194_389, "d7d1edf6047fac088efe118198abd0856c5280dd8653496fbac9a5d877180f1e"),
    "K004": (163_337_851, "97242542046cf3ce286c13e12d8df11f618a53365efe592750e2047256345333"),
    "K005": (167_366_765, "2faf0ee4ee66055bcc066e5b6d9ed9fc44638b2c1ea397a279261103aa83caaa"),
    "K006": (175_997_605, "250b8e0ef18082163ae4003cd7f50e6daa3061b3a095e226378910da55b78b94"),
    "KA01": (None, "6a6be1e11132730cc6f560d51eacedcbfd5fd74b829e9d8d3728c6c8a7cd4c0e"),
    "KI01": (None, "b1dd6d99bb64d556f889fefaedb7e6e672900f5f015125615feaae776f055348"),
}
_PADERBORN_BYTES = 5_400_000_000
"""All archives, as a public description has it."""

XJTU_SY_CITE = (
    "B. Wang, Y. Lei, N. Li, N. Li 2020, A hybrid prognostics approach for estimating remaining useful life of rolling element bearings, "
    "IEEE Trans. Reliab. 69(1), 401-412, doi 10.1109/TR.2018.2882682"
)
XJTU_SY_LICENCE = "none stated; the source lets anyone use the data and asks to be cited"
XJTU_SY_HOMEPAGE = "https://biaowang.tech/xjtu-sy-bearing-datasets"
_XJTU_SY_BYTES = 12_000_000_000
"""Unpacked."""

UESTC_CITE = (
    "C. Liu et al., A New Target Domain One-Class Learning Bearing Fault Detection Framework, IEEE Sensors Journal, "
    "doi 10.1109/JSEN.2025.3635217"
)
UESTC_LICENCE = "its own words: open-source, can be used for any bearing fault detection research"
_UESTC_FILES = "https://raw.githubusercontent.com/ChangLiu2024/UESTC-Bearing-Dataset/2091a655c31b075f0388b96bb7e81f4e3099b027/Data/{session}/{piece}.mat"


def simulated() -> Publication:
    """Nothing: it is computed."""
    return Publication(licence="Apache-2.0, as faultbench", embedded=True, notes=("it is computed where it is used, the same everywhere",))


def cwru() -> Publication:
    """161 records, a file each."""
    from faultbench_datasets.cwru.records import records

    return Publication(
        homepage="https://engineering.case.edu/bearingdatacenter",
        licence=CWRU_LICENCE,
        cite=CWRU_CITE,
        files=tuple(
            PublishedFile(
                f"{record.number}.mat",
                (_CWRU_FILES.format(number=record.number),),
                size_bytes=record.size_bytes,
                sha256=record.sha256,
                checked=record.checked,
            )
            for record in records()
        ),
        how="download the records from https://engineering.case.edu/bearingdatacenter/download-data-file",
        notes=(UNTRIED, "a run at 12 kHz does without the fault records of 48 kHz: `--only` names those that are wanted"),
    )


def paderborn() -> Publication:
    """32 bearings, an archive each."""
    from faultbench_datasets.paderborn.bearings import BEARINGS, stems

    return Publication(
        homepage="https://mb.uni-paderborn.de/kat/forschung/bearing-datacenter/",
        licence=PADERBORN_LICENCE,
        cite=PADERBORN_CITE,
        terms="CC BY-NC 4.0 forbids commercial use: of the data, and of what is made from them for commercial advantage",
        files=tuple(
            PublishedFile(
                f"{bearing.code}.rar",
                (_PADERBORN_FILES.format(code=bearing.code),),
                *_PADERBORN_KNOWN.get(bearing.code, (None, "")),
                checked=False,
                holds=tuple(f"{bearing.code}/{stem}.mat" for stem in stems(bearing.code)),
            )
            for bearing in BEARINGS
        ),
        how="download K001.rar and so on from https://groups.uni-paderborn.de/kat/BearingDataCenter/",
        about_bytes=_PADERBORN_BYTES,
        notes=(
            UNTRIED,
            "the archives are unpacked when they are first used, by bsdtar (Debian and Ubuntu: libarchive-tools), to about 20 GB",
        ),
    )


def xjtu_sy() -> Publication:
    """15 bearings, a csv file for every minute."""
    from faultbench_datasets.xjtu_sy.bearings import BEARINGS

    def minutes() -> Iterable[PublishedFile]:
        for bearing in BEARINGS:
            for minute in range(1, bearing.minutes + 1):
                yield PublishedFile(f"{bearing.condition.folder}/{bearing.name}/{minute}.csv")

    return Publication(
        homepage=XJTU_SY_HOMEPAGE,
        licence=XJTU_SY_LICENCE,
        cite=XJTU_SY_CITE,
        files=tuple(minutes()),
        how=(
            f"{XJTU_SY_HOMEPAGE} links to cloud drives, which need a browser; download all parts there and unpack them with unrar or 7-Zip "
            "(bsdtar does not read an archive in parts)"
        ),
        about_bytes=_XJTU_SY_BYTES,
        folders=("xjtu_sy", "xjtu_sy/XJTU-SY_Bearing_Datasets", "XJTU-SY_Bearing_Datasets", "."),
        notes=(UNTRIED,),
    )


def uestc() -> Publication:
    """80 pieces, a file each, at the state of the source's repository that was looked at."""
    from faultbench_datasets.uestc import pieces

    return Publication(
        homepage="https://github.com/ChangLiu2024/UESTC-Bearing-Dataset",
        licence=UESTC_LICENCE,
        cite=UESTC_CITE,
        files=tuple(PublishedFile(f"{piece.id}.mat", (_UESTC_FILES.format(session=piece.session, piece=piece.id),)) for piece in pieces()),
        how="download the folder Data of https://github.com/ChangLiu2024/UESTC-Bearing-Dataset",
        notes=(UNTRIED,),
    )
