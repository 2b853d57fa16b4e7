"""The XJTU-SY data set, on files in the official layout made by `xjtu_layout.py`."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from faultbench.data.audit import audit, require
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import EpisodeRequest
from faultbench.errors import DataError, IsolationError, UsageError
from faultbench_datasets.xjtu_sy import XjtuSy
from faultbench_datasets.xjtu_sy.bearings import BEARINGS, GEOMETRY
from faultbench_datasets.xjtu_sy.onset import IN_A_ROW, find_onset


def _layout() -> ModuleType:
    spec = importlib.util.spec_from_file_location("xjtu_layout", Path(__file__).with_name("xjtu_layout.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layout = _layout()
REQUEST = EpisodeRequest(ways=0, shots=5, shots_rare=5, queries=6, episodes=20)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All fifteen bearings, some minutes each; 370 MB, hence removed at once."""
    folder = tmp_path_factory.mktemp("xjtu")
    layout.write_tree(folder / "xjtu_sy" / "XJTU-SY_Bearing_Datasets")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(cache))


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Two bearings, which a test may damage."""
    layout.write_tree(tmp_path / "xjtu_sy", bearings=("1_1", "1_4"))
    return tmp_path


# --- the table


def test_the_table_is_the_sources() -> None:
    assert [b.minutes for b in BEARINGS] == [123, 161, 158, 122, 52, 491, 161, 533, 42, 339, 2538, 2496, 371, 1515, 114]
    assert sum(b.minutes for b in BEARINGS) == 9216
    assert Counter(b.element for b in BEARINGS) == {"outer": 8, "inner": 3, "cage": 2, "combined": 2}
    assert {b.condition.folder: b.condition.speed_rpm for b in BEARINGS} == {"35Hz12kN": 2100, "37.5Hz11kN": 2250, "40Hz10kN": 2400}
    assert [round(order, 2) for order in GEOMETRY.orders] == [3.08, 4.92, 2.07, 0.39]


# --- the onset


def run(levels: list[tuple[int, float]]) -> np.ndarray:
    """An indicator: a healthy level of 1 with noise of 0.02, raised by each level for so many minutes."""
    rng = np.random.default_rng(3)
    raised = np.concatenate([np.full(minutes, level) for minutes, level in levels])
    return 1 + 0.02 * rng.standard_normal(len(raised)).clip(-2, 2) + raised


def test_a_rise_that_stays_is_the_onset() -> None:
    onset = find_onset(run([(80, 0.0), (20, 0.5)]))
    assert (onset.first_alarm, onset.standing) == (80, 80)
    assert onset.healthy == range(40)
    assert onset.damaged == range(90, 100)


def test_too_few_exceedances_in_a_row_are_no_alarm() -> None:
    passing = [(1, 0.5), (1, 0.0)] * 5 + [(IN_A_ROW - 1, 0.5), (5, 0.0)]
    onset = find_onset(run([(60, 0.0), *passing, (30, 0.0)]))
    assert (onset.first_alarm, onset.standing) == (None, None)
    assert onset.damaged == range(0)


def test_an_alarm_that_passes_is_withdrawn_and_yet_ends_what_is_healthy() -> None:
    onset = find_onset(run([(40, 0.0), (8, 0.5), (40, 0.0), (12, 0.6)]))
    assert (onset.first_alarm, onset.standing) == (40, 88)
    assert onset.healthy == range(20)
    assert onset.damaged == range(94, 100)


def test_a_dip_of_a_minute_does_not_withdraw_an_alarm() -> None:
    assert find_onset(run([(50, 0.0), (10, 0.5), (IN_A_ROW - 1, 0.0), (20, 0.5)])).standing == 50


@pytest.mark.parametrize("minutes", [0, 1, 2, 9])
def test_a_run_too_short_to_judge_has_no_onset(minutes: int) -> None:
    assert find_onset(np.arange(minutes, dtype=float)).damaged == range(0)


# --- the catalogue


def test_by_default_there_are_three_classes_and_every_bearing_is_of_one(tree: Path) -> None:
    catalogue = XjtuSy(data_dir=tree).catalogue()
    of = {r.bearing: set() for r in catalogue.recordings}
    for r in catalogue.recordings:
        of[r.bearing].add(r.element)
    assert Counter(element for elements in of.values() for element in elements) == {"outer": 8, "inner": 3, "healthy": 4}
    assert all(len(elements) == 1 for elements in of.values())
    assert {bearing for bearing, elements in of.items() if elements == {"healthy"}} == {f"Bearing{x}" for x in ("1_4", "1_5", "2_3", "3_2")}


def test_healthy_minutes_are_the_first_and_damaged_ones_the_last_with_a_gap(tree: Path) -> None:
    for damage in ("single", "any"):
        for r in XjtuSy(damage=damage, data_dir=tree).catalogue().recordings:
            minute = int(r.session.partition("/")[2])
            assert minute <= layout.ONSET // 2 if r.healthy else minute > layout.ONSET + (layout.MINUTES - layout.ONSET) // 2


def test_any_damage_adds_cage_and_combined_with_other_healthy_bearings(tree: Path) -> None:
    catalogue = XjtuSy(damage="any", data_dir=tree).catalogue()
    elements = {(r.bearing, r.element) for r in catalogue.recordings}
    assert Counter(e for _, e in elements) == {"outer": 5, "inner": 3, "healthy": 3, "cage": 2, "combined": 2}
    assert len({bearing for bearing, _ in elements}) == len(elements)


def test_a_recording_is_one_minute_at_the_bearings_condition(tree: Path) -> None:
    catalogue = XjtuSy(data_dir=tree).catalogue()
    assert catalogue.targets == ("test-bearing",)
    assert len({r.session for r in catalogue.recordings}) == len(catalogue.recordings)
    r = next(r for r in catalogue.recordings if r.bearing == "Bearing2_1")
    assert (r.id, r.machine, r.mounting, r.speed_rpm, r.load, r.element, r.severity) == (
        "Bearing2_1/17",
        "xjtu_sy",
        "test-bearing",
        2250,
        "11 kN",
        "inner",
        "",
    )
    assert [(c.name, c.rate_hz, c.samples, c.unit) for c in r.channels] == [
        ("horizontal", 25_600, 32_768, "g"),
        ("vertical", 25_600, 32_768, "g"),
    ]
    assert "damage shows from minute 14 on" in r.notes[0]


def test_fewer_minutes_are_spread_over_what_could_be_taken(tree: Path) -> None:
    catalogue = XjtuSy(minutes=2, data_dir=tree).catalogue()
    assert [r.id for r in catalogue.recordings if r.bearing in ("Bearing1_1", "Bearing1_4")] == [
        "Bearing1_1/17",
        "Bearing1_1/19",
        "Bearing1_4/1",
        "Bearing1_4/6",
    ]


def test_what_the_copy_lacks_is_missing_with_its_reason(few: Path) -> None:
    (few / "xjtu_sy/35Hz12kN/Bearing1_1/3.csv").unlink()
    missing = XjtuSy(data_dir=few).catalogue().missing
    assert "is not there" in missing["Bearing2_1"]
    assert {"Bearing1_1/3", "Bearing1_1/20-123", "Bearing1_4/20-122"} < set(missing)


def test_a_bearing_without_an_onset_is_missing_not_guessed(few: Path) -> None:
    for minute in range(14, 20):
        (few / f"xjtu_sy/35Hz12kN/Bearing1_1/{minute}.csv").unlink()
    catalogue = XjtuSy(data_dir=few).catalogue()
    assert {r.bearing for r in catalogue.recordings} == {"Bearing1_4"}
    assert catalogue.missing["Bearing1_1"] == "no onset of damage is found in its 13 minutes"


def test_minutes_are_in_numeric_order_and_other_files_are_no_minutes(few: Path) -> None:
    place = few / "xjtu_sy/35Hz12kN/Bearing1_1"
    before = XjtuSy(data_dir=few).catalogue()
    for name in ("01.csv", "1.csv.bak", "notes.csv", "²3.csv"):
        (place / name).write_text("nothing of the source")
    assert XjtuSy(data_dir=few).catalogue() == before
    (place / "124.csv").write_text("one more than there is")
    with pytest.raises(DataError, match=r"Bearing1_1 holds 124\.csv, the source has 1\.csv to 123\.csv"):
        XjtuSy(data_dir=few).catalogue()


@pytest.mark.parametrize("inner", ["", "xjtu_sy", "XJTU-SY_Bearing_Datasets", "xjtu_sy/XJTU-SY_Bearing_Datasets"])
def test_the_folder_is_found_however_it_was_unpacked(few: Path, tmp_path: Path, inner: str) -> None:
    place = tmp_path / "other" / inner
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(few / "xjtu_sy", place)
    assert XjtuSy(data_dir=tmp_path / "other").catalogue().recordings


def test_no_data_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTBENCH_DATA", raising=False)
    for data_dir in (None, tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=r"^xjtu_sy: .*biaowang\.tech.*35Hz12kN/Bearing1_1/1\.csv.*--data-dir"):
            XjtuSy(data_dir=data_dir).catalogue()


@pytest.mark.parametrize(("given", "said"), [({"damage": "some"}, "choose single or any"), ({"minutes": 1}, "give at least 2")])
def test_bad_parameters_are_bad_usage(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        XjtuSy(**given)  # type: ignore[arg-type]


# --- reading


def test_signals_are_the_files_columns(few: Path) -> None:
    data = XjtuSy(data_dir=few)
    r = data.catalogue().recordings[0]
    path = few / "xjtu_sy/35Hz12kN" / f"{r.id}.csv"
    expected = np.array([[float(x) for x in line.split(",")] for line in path.read_text().splitlines()[1:]], dtype=np.float32)
    for column, channel in enumerate(("horizontal", "vertical")):
        signal = data.read(r, channel)
        assert signal.dtype == np.float32
        np.testing.assert_array_equal(signal, expected[:, column])


def test_another_object_reads_what_one_listed(few: Path) -> None:
    r = XjtuSy(data_dir=few).catalogue().recordings[0]
    assert len(XjtuSy(data_dir=few).read(r, "vertical")) == 32_768
    with pytest.raises(DataError, match="there is no recording Bearing1_1/99 with a channel vertical"):
        XjtuSy(data_dir=few).read(dataclasses.replace(r, id="Bearing1_1/99"), "vertical")


def test_a_garbled_row_is_an_error_with_file_and_line_not_a_shorter_signal(few: Path) -> None:
    path = few / "xjtu_sy/35Hz12kN/Bearing1_1/5.csv"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:551], lines[551][:9] + b"\r", *lines[552:]]))
    with pytest.raises(DataError, match=r"5\.csv, line 552: 1 fields where 2 are expected"):
        XjtuSy(data_dir=few).catalogue()
    path.write_bytes(b"\n".join(lines[:-2]) + b"\n")
    with pytest.raises(DataError, match=r"5\.csv ends after line 32768, it holds 32767 rows where 32768"):
        XjtuSy(data_dir=few).catalogue()


def test_values_that_are_no_accelerations_are_refused(few: Path) -> None:
    path = few / "xjtu_sy/35Hz12kN/Bearing1_1/5.csv"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:7], b"30000.5,0.1\r", *lines[8:]]))
    with pytest.raises(DataError, match=r"5\.csv reaches 3e\+04, no acceleration in g"):
        XjtuSy(data_dir=few).catalogue()


def test_a_changed_signal_changes_the_version_and_is_not_read_as_the_old_one(few: Path) -> None:
    data = XjtuSy(data_dir=few)
    before = data.catalogue()
    r = before.recordings[0]
    path = few / "xjtu_sy/35Hz12kN" / f"{r.id}.csv"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:9], lines[10], lines[9], *lines[11:]]))
    with pytest.raises(DataError, match="has changed since it was listed"):
        data.read(r, "horizontal")
    assert XjtuSy(data_dir=few).catalogue().version != before.version


def test_a_copy_elsewhere_is_the_same_data(few: Path, tmp_path: Path) -> None:
    before = XjtuSy(data_dir=few).catalogue()
    shutil.copytree(few / "xjtu_sy", tmp_path / "copy" / "xjtu_sy")
    assert XjtuSy(data_dir=tmp_path / "copy").catalogue().digest == before.digest


# --- splits


def signals_of(data: XjtuSy, catalogue: object) -> dict[tuple[str, str, str], np.ndarray]:
    return {(r.dataset, r.id, "horizontal"): data.read(r, "horizontal") for r in catalogue.recordings}  # type: ignore[attr-defined]


def test_t3_is_three_way_on_one_rig_and_clean_in_the_audit(tree: Path) -> None:
    data = XjtuSy(data_dir=tree)
    catalogue = data.catalogue()
    signals = signals_of(data, catalogue)
    for seed in range(3):
        split = UnseenBearing().split([catalogue], REQUEST, seed)
        require(audit(split, signals))
        assert (split.level, split.note, split.request.ways) == ("T3", "one rig", 3)
        assert set(split.target.labels) == {"healthy", "inner", "outer"}


def test_a_bearings_first_minutes_beside_its_last_ones_are_a_leak_that_the_audit_sees(tree: Path) -> None:
    """Planted: what the catalogue avoids by giving each bearing one class."""
    data = XjtuSy(data_dir=tree)
    catalogue = data.catalogue()
    split = UnseenBearing().split([catalogue], REQUEST, 0)
    damaged = next(r.bearing for r in split.target.recordings if not r.healthy)
    same = tuple(dataclasses.replace(r, bearing=damaged) if r.healthy else r for r in split.target.recordings)
    found = audit(dataclasses.replace(split, target=dataclasses.replace(split.target, recordings=same)), signals_of(data, catalogue))
    with pytest.raises(IsolationError, match="share a bearing"):
        require(found)


def test_no_other_machine_is_there_for_t2(tree: Path) -> None:
    with pytest.raises(IsolationError, match="measured at one load only"):
        NewDevice().split([XjtuSy(data_dir=tree).catalogue()], REQUEST, 0)


def test_a_run_from_the_command_line(tree: Path, tmp_path: Path) -> None:
    words = ["run", "-d", "xjtu_sy", "-s", "unseen-bearing", "-l", "centroid", "--quick", "--episodes", "6", "--json", "-"]
    places = {"FAULTBENCH_DATA": str(tree), "FAULTBENCH_RESULTS": str(tmp_path / "results"), "OMP_NUM_THREADS": "1"}
    places["FAULTBENCH_CACHE"] = os.environ["FAULTBENCH_CACHE"]
    command = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())", *words]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **places}, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["cell"]["dataset"], row["cell"]["level"], row["cell"]["note"], row["cell"]["ways"]) == ("xjtu_sy", "T3", "one rig", 3)
    assert row["accuracy"]["mean"] > 0.5, "made-up shocks are told from noise"
    assert (row["error"], row["not_applicable"]) == (None, None)
