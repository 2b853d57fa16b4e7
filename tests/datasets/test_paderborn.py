"""The reader of the Paderborn data, on files in the official layout made here."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from faultbench.data.recording import Recording
from faultbench.errors import DataError, UsageError
from faultbench_datasets import paderborn
from faultbench_datasets.paderborn import Paderborn
from faultbench_datasets.paderborn.bearings import ALIKE, BEARINGS, CONDITIONS, GEOMETRY, SIGNALS, UNREADABLE, stems
from faultbench_datasets.paderborn.decimation import decimate, decimated_length

spec = importlib.util.spec_from_file_location("paderborn_layout", Path(__file__).with_name("paderborn_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)

NAME = "N15_M07_F10_KA01_1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "paderborn"


def only(root: Path, **params: Any) -> tuple[Paderborn, Recording]:
    data = Paderborn(data_dir=root.parent, **params)
    (recording,) = data.catalogue().recordings
    return data, recording


def read(root: Path, channel: str = "vibration_1", **params: Any) -> np.ndarray:
    data, recording = only(root, **params)
    return data.read(recording, channel)


# --- the tables


def test_the_table_holds_the_32_bearings_of_the_source() -> None:
    assert len({b.code for b in BEARINGS}) == 32
    assert Counter((b.element, b.damage) for b in BEARINGS) == {
        ("healthy", ""): 6,
        ("outer", "artificial"): 7,
        ("inner", "artificial"): 5,
        ("outer", "real"): 5,
        ("inner", "real"): 6,
        ("combined", "real"): 3,
    }


def test_a_bearing_has_80_measurements_and_every_special_one_is_among_them() -> None:
    assert len(set(stems("KA04"))) == 80
    assert all(name in stems("KA04") for group in ALIKE["KA04"] for name in group)
    assert all(name in stems("KA08") for name in UNREADABLE)
    assert all(len(digest) == 64 for digest in UNREADABLE.values())


def test_the_geometry_gives_the_stated_orders() -> None:
    assert [round(x, 2) for x in (GEOMETRY.bpfo, GEOMETRY.bpfi, 2 * GEOMETRY.bsf)] == [3.05, 4.95, 3.99]


def test_parameters_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="12 kHz"):
        Paderborn(rate=12)
    with pytest.raises(UsageError, match="'real '"):
        Paderborn(damage="real ")


# --- what is listed


def test_a_measurement_becomes_a_recording(root: Path) -> None:
    layout.write_measurement(root, "KA01", "N09_M07_F10", 7)
    _, r = only(root)
    assert (r.dataset, r.id, r.machine, r.mounting, r.bearing) == ("paderborn", "N09_M07_F10_KA01_7", "paderborn", "test-module", "KA01")
    assert (r.element, r.severity, r.session, r.load, r.speed_rpm, r.position) == ("outer", "artificial", r.id, "N09_M07_F10", 900, "")
    assert r.geometry is GEOMETRY
    assert [(c.name, c.rate_hz) for c in r.channels] == [
        ("vibration_1", 16000),
        ("phase_current_1", 16000),
        ("phase_current_2", 16000),
        ("force", 4000),
        ("speed", 4000),
        ("torque", 4000),
        ("temp_2_bearing_module", 1),
    ]


def test_damage_chooses_the_faults_and_keeps_the_healthy(root: Path) -> None:
    layout.write_set(root, "K001 KA01 KI01 KA04 KI04 KB23", range(1, 2))

    def held(**params: Any) -> set[str]:
        return {r.bearing for r in Paderborn(data_dir=root.parent, **params).catalogue().recordings}

    assert held() == {"K001", "KA01", "KI01", "KA04", "KI04"}
    assert held(damage="artificial") == {"K001", "KA01", "KI01"}
    assert held(damage="real") == {"K001", "KA04", "KI04"}
    assert held(damage="real", combined=True) == {"K001", "KA04", "KI04", "KB23"}
    assert held(damage="artificial", combined=True) == {"K001", "KA01", "KI01"}
    assert "combined=true" in Paderborn(data_dir=root.parent).catalogue().missing["KB23"]
    combined = [r for r in Paderborn(data_dir=root.parent, combined=True).catalogue().recordings if r.bearing == "KB23"]
    assert [r.element for r in combined] == ["combined"]


def test_what_is_absent_is_listed_as_missing_with_its_reason(root: Path) -> None:
    layout.write_measurement(root, "K001")
    missing = Paderborn(data_dir=root.parent).catalogue().missing
    assert "neither KA01 nor KA01.rar is in" in missing["KA01"]
    assert "N15_M07_F10_K001_2.mat is not in" in missing["N15_M07_F10_K001_2"]
    assert len(missing) == 79 + 31


def test_the_version_follows_the_files_and_nothing_else(root: Path) -> None:
    path = layout.write_measurement(root, "K001")
    before = Paderborn(data_dir=root.parent).catalogue().digest
    os.utime(path, (1, 1))
    (root / "K001" / "K001.pdf").write_bytes(b"%PDF")
    assert Paderborn(data_dir=root.parent).catalogue().digest == before
    assert Paderborn(rate=64, data_dir=root.parent).catalogue().digest != before
    content = path.read_bytes()
    for changed in (content + bytes(8), content[:-1] + b"\x01", b"x" + content[1:]):
        path.write_bytes(changed)
        assert Paderborn(data_dir=root.parent).catalogue().digest != before


def test_the_folder_of_the_bearings_itself_can_be_given(root: Path) -> None:
    layout.write_measurement(root, "K001")
    assert Paderborn(data_dir=root).catalogue() == Paderborn(data_dir=root.parent).catalogue()


def test_no_data_is_said_with_how_to_get_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTBENCH_DATA", raising=False)
    with pytest.raises(DataError, match="no data folder is given: `faultbench data get paderborn"):
        Paderborn().catalogue()
    with pytest.raises(DataError, match="holds a bearing: `faultbench data get"):
        Paderborn(data_dir=root).catalogue()
    layout.write_measurement(root, "KA01")
    with pytest.raises(DataError, match=r"no measurement that is asked for .damage=real.: `faultbench data get"):
        Paderborn(damage="real", data_dir=root).catalogue()


# --- what is read


@pytest.mark.parametrize("seconds", [256_000 / 64_000, 256_822 / 64_000])
def test_channels_are_what_scipy_reads_whatever_their_length(root: Path, seconds: float) -> None:
    path = layout.write_measurement(root, "KA01", seconds=seconds)
    entries = scipy.io.loadmat(path)[NAME]["Y"][0, 0]
    assert entries.shape == (1, 7)
    raw = {entries[0, i]["Name"].item(): entries[0, i]["Data"].ravel() for i in range(7)}
    for name in raw:
        np.testing.assert_array_equal(read(root, name, rate=64), raw[name].astype(np.float32))
    vibration = read(root)
    assert vibration.dtype == np.float32
    np.testing.assert_array_equal(vibration, decimate(raw["vibration_1"]).astype(np.float32))
    assert len(vibration) == decimated_length(len(raw["vibration_1"]))


def test_channels_are_chosen_by_name_wherever_they_stand(root: Path) -> None:
    layout.write_measurement(root, "KA01")
    expected = read(root)

    def turn(held: dict[str, Any]) -> None:
        held["Y"] = held["Y"][:, ::-1]

    layout.write_measurement(root, "KA01", change=turn)
    np.testing.assert_array_equal(read(root), expected)


def test_one_file_is_parsed_once_for_all_its_channels(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.write_measurement(root, "KA01")
    data, recording = only(root)
    reads = []
    real = paderborn.read_measurement
    monkeypatch.setattr(paderborn, "read_measurement", lambda *a: reads.append(a) or real(*a))
    for channel in recording.channels:
        data.read(recording, channel.name)
    assert len(reads) == 1


def test_decimation_keeps_phase_and_level_below_7_khz_and_nothing_from_8_khz_on() -> None:
    time = np.arange(64_000) / 64_000
    for hz in (100, 3000, 6900):
        np.testing.assert_allclose(decimate(np.sin(2 * np.pi * hz * time)), np.sin(2 * np.pi * hz * time[160:-160:4]), atol=3e-4)
    for hz in (8100, 12_000, 31_000):
        assert np.abs(decimate(np.sin(2 * np.pi * hz * time))).max() < 3e-4


def test_a_recording_or_channel_of_another_set_is_refused(root: Path) -> None:
    layout.write_measurement(root, "KA01")
    data, recording = only(root)
    for stranger, channel in (
        (recording, "DE"),
        (replace(recording, id="../x"), "vibration_1"),
        (replace(recording, bearing=".."), "speed"),
    ):
        with pytest.raises(DataError, match="take one of the catalogue"):
            data.read(stranger, channel)


# --- what the source has wrong


def test_files_that_did_not_change_are_not_opened_to_list_them_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.write_set(root, "K001 KA04", range(15, 21))
    before = Paderborn(data_dir=root.parent).catalogue()
    opened: list[str] = []
    honest = paderborn._looked_at
    monkeypatch.setattr(paderborn, "_looked_at", lambda path: opened.append(path.name) or honest(path))
    assert Paderborn(data_dir=root.parent).catalogue() == before
    assert opened == []
    layout.write_measurement(root, "K001", number=15, seconds=1.1)
    assert Paderborn(data_dir=root.parent).catalogue().version != before.version
    assert opened == ["N15_M07_F10_K001_15.mat"]


def test_the_unreadable_official_file_is_left_out_with_its_reason_and_a_mended_one_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = UNREADABLE
    path = layout.write_measurement(root, "KA08", "N15_M01_F10", 2)
    layout.write_measurement(root, "KA08", "N15_M01_F10", 3)
    data = Paderborn(data_dir=root.parent)
    assert [r.id for r in data.catalogue().recordings] == [name, "N15_M01_F10_KA08_3"]
    content = path.read_bytes()
    path.write_bytes(content[:-3000] + bytes(3000))  # as the official one: zeros behind the last channel
    with pytest.raises(DataError, match=r"KA08_2.mat .*it is damaged"):
        data.read(data.catalogue().recordings[0], "vibration_1")
    monkeypatch.setitem(UNREADABLE, name, hashlib.sha256(path.read_bytes()).hexdigest())
    catalogue = data.catalogue()
    assert [r.id for r in catalogue.recordings] == ["N15_M01_F10_KA08_3"]
    assert "damaged" in catalogue.missing[name]


def test_listed_duplicates_count_once_where_their_samples_agree(root: Path) -> None:
    layout.write_measurement(root, "KA04", "N15_M07_F04", 5)
    same = layout.series("KA04", "N15_M07_F04", 5, 1.0)
    for number in (6, 15, 20):
        layout.write_measurement(root, "KA04", "N15_M07_F04", number, channels=same)
    layout.write_measurement(root, "KA04", "N15_M07_F04", 19)  # said to be a duplicate, and is none here
    layout.write_measurement(root, "KA04", "N09_M07_F10", 18)
    catalogue = Paderborn(data_dir=root.parent).catalogue()
    assert [r.id for r in catalogue.recordings] == ["N09_M07_F10_KA04_18", "N15_M07_F04_KA04_5", "N15_M07_F04_KA04_19"]
    for number in (6, 15, 20):
        assert catalogue.missing[f"N15_M07_F04_KA04_{number}"] == "it holds the samples of N15_M07_F04_KA04_5, which counts once"


def test_a_duplicate_that_nobody_listed_is_found_at_reading(root: Path) -> None:
    layout.write_measurement(root, "KA01", number=1)
    layout.write_measurement(root, "KA01", number=2, channels=layout.series("KA01", "N15_M07_F10", 1, 1.0))
    layout.write_measurement(root, "KA01", number=3)
    data = Paderborn(data_dir=root.parent)
    first, second, third = data.catalogue().recordings
    for recording in (first, third, first):
        data.read(recording, "vibration_1")
    with pytest.raises(DataError, match="KA01_2 holds the samples of N15_M07_F10_KA01_1, which would count twice: remove one"):
        data.read(second, "speed")


# --- what else can be wrong with a file


def drop(field: str) -> Callable[[dict[str, Any]], None]:
    def change(held: dict[str, Any]) -> None:
        kept = [name for name in held["Y"].dtype.names if name != field]
        held["Y"] = layout.structs([{name: entry[name] for name in kept} for entry in held["Y"].reshape(-1)])

    return change


def put(index: int, field: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(held: dict[str, Any]) -> None:
        held["Y"][0, index][field] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop("Name"), "has no field Name"),
        (drop("Raster"), "has no field Raster"),
        (drop("Data"), "has no field Data"),
        (lambda held: held.pop("Y"), "has no field Y, it has Info, X, Description"),
        (put(6, "Raster", "Mech_4kHz"), "has Raster=HostService, but Mech_4kHz"),
        (put(6, "Name", "vibration_2"), "has Name=vibration_1, but force"),
        (put(0, "Name", "vibration_1"), "has Name=force, but vibration_1"),
        (put(6, "Data", "text"), "not real numbers"),
        (put(6, "Data", np.ones((2, 64_001))), "is float64 of 2x64001, no series"),
        (put(6, "Data", np.ones((1, 64_001), np.int16)), "is int16 of 1x64001, no series"),
        (put(6, "Data", np.full((1, 64_001), np.nan)), "not finite"),
        (put(6, "Data", np.ones((1, 0))), "is float64 of 1x0, no series"),
        (put(6, "Data", np.ones((1, 9000))), "holds 9000 samples, 0.141 s"),
        (put(6, "Data", np.ones((1, 5_000_000))), "not 1 to 60"),
        (put(6, "Data", np.ones((1, 128_001))), "vibration_1 lasts 2.000 s and .* 1.000 s"),
        (put(5, "Data", np.ones((1, 64_001))), "torque lasts 16.000 s and"),
        (put(4, "Data", np.ones((1, 9))), "temp_2_bearing_module lasts 8.000 s and"),
        (put(3, "Data", np.full((1, 4001), 900.0)), "the shaft turns at 900 rpm, not at 1500 as its name says"),
    ],
)
def test_a_file_that_is_laid_out_otherwise_is_refused_in_one_line(root: Path, change: Callable[[dict[str, Any]], None], said: str) -> None:
    layout.write_measurement(root, "KA01", change=change)
    with pytest.raises(DataError, match=said) as refused:
        read(root)
    assert "\n" not in str(refused.value)
    assert NAME in str(refused.value)


def test_a_measurement_under_another_name_is_refused(root: Path) -> None:
    path = layout.write_measurement(root, "KA01")
    shutil.move(path, path.with_name("N15_M07_F10_KA01_2.mat"))
    with pytest.raises(DataError, match="has no variable N15_M07_F10_KA01_2, it holds N15_M07_F10_KA01_1"):
        read(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_the_place_of_a_file_is_refused_unread(root: Path) -> None:
    (root / "KA01").mkdir(parents=True)
    os.mkfifo(root / "KA01" / f"{NAME}.mat")
    with pytest.raises(DataError, match="not a regular file"):
        Paderborn(data_dir=root.parent).catalogue()


def test_truncated_and_flipped_files_raise_nothing_but_a_data_error(root: Path) -> None:
    path = layout.write_measurement(root, "KA01")
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    refusals = 0
    for trial in range(60):
        content = bytearray(whole if trial % 2 else whole[: rng.integers(1, len(whole))])
        reach = min(len(content), 3000) if trial % 4 == 1 else len(content)
        for place in rng.integers(0, reach, size=rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            signal = read(root)
        except DataError:
            refusals += 1
        else:
            assert np.isfinite(signal).all()
    assert refusals > 20  # every file cut short, and most of those with damaged headers; a flipped sample is just another sample


def test_the_layout_has_the_official_names_and_rates() -> None:
    assert {(s.name, s.raster, s.rate_hz) for s in SIGNALS} == {(n, r, layout.RATES_HZ[r]) for n, r in layout.RASTERS.items()}
    assert set(CONDITIONS) == {"N15_M07_F10", "N09_M07_F10", "N15_M01_F10", "N15_M07_F04"}
