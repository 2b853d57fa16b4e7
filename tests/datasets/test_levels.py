"""Every built-in data set at every scenario: a split that passes the audit, or the reason why there is none."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FAULTBENCH_DATA") or ROOT.parent / "shared" / "data")

Rows = dict[str, dict[str, Any]]


def _levels() -> ModuleType:
    spec = importlib.util.spec_from_file_location("levels", ROOT / "benchmarks" / "levels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


levels = _levels()


@pytest.fixture(scope="module", autouse=True)
def _places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("FAULTBENCH_DATA", str(DATA))
        yield


def rows_of(name: str) -> Rows:
    return {row["scenario"]: row for row in levels.levels([name])}


def said(rows: Rows, scenario: str, request: str = "5 shots") -> str:
    found = rows[scenario][request]
    return found.get("refused") or f"{found['level']}{' (one rig)' * (found['note'] == 'one rig')}, {found['ways']} ways"


@pytest.fixture(scope="module")
def simulated() -> Rows:
    return rows_of("simulated")


@pytest.mark.parametrize(
    ("scenario", "level"),
    [("window", "T0, 5 ways"), ("session", "T1, 5 ways"), ("new-device", "T2, 5 ways"), ("unseen-bearing", "T3, 4 ways")],
)
@pytest.mark.parametrize("request_", levels.REQUESTS)
def test_simulated_keeps_every_level_alone_balanced_or_not(scenario: str, level: str, request_: str, simulated: Rows) -> None:
    assert said(simulated, scenario, request_) == level


@pytest.fixture(scope="module")
def paderborn() -> Rows:
    return rows_of("paderborn")


@pytest.mark.parametrize(
    ("scenario", "level"),
    [
        ("window", "T0, 5 ways"),
        ("session", "T1, 5 ways"),
        ("new-device", "T2 (one rig), 5 ways"),
        ("unseen-bearing", "T3 (one rig), 3 ways"),
        ("new-dataset", "T4/T2, 5 ways"),
        ("new-dataset:inside=T3", "T4/T3, 3 ways"),
        ("new-device:target=real", "T2 (one rig), 3 ways"),
        ("unseen-bearing:target=real", "T3 (one rig), 3 ways"),
        ("unseen-bearing:target=artificial", "T3 (one rig), 3 ways"),
    ],
)
@pytest.mark.parametrize("request_", levels.REQUESTS)
def test_paderborn_keeps_every_level_on_its_one_rig(scenario: str, level: str, request_: str, paderborn: Rows) -> None:
    assert said(paderborn, scenario, request_) == level


def test_trained_on_damage_by_hand_and_tested_on_fatigue_every_damaged_bearing_is_on_its_side(paderborn: Rows) -> None:
    found = paderborn["unseen-bearing:target=real"]["5 shots"]
    codes = [code for code in levels.PADERBORN.split() if not code.startswith("K00")]
    assert found["source"]["bearings"] == 3 + sum(code in {"KA01", "KA03", "KA05", "KI01", "KI03", "KI05"} for code in codes)
    assert found["target"]["bearings"] == 3 + sum(code in {"KA04", "KA15", "KA16", "KI04", "KI14", "KI16"} for code in codes)


@pytest.fixture(scope="module")
def xjtu() -> Rows:
    """Of six bearings; what `unseen-bearing` makes of all fifteen, test_xjtu.py tells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels, "XJTU", ("1_4", "2_3", "2_1", "3_3", "1_1", "2_2"))
        return rows_of("xjtu_sy")


@pytest.mark.parametrize(
    ("scenario", "level"),
    [
        ("window", "T0, 3 ways"),
        ("session", "T1, 3 ways"),
        ("new-device", "each specimen of test-bearing was measured at one load only, support and query need two"),
        ("unseen-bearing", "test-bearing is one mounting, so the bearings of each element are dealt to source and target"),
        ("new-dataset", "0 classes of test-bearing part support from query, two are needed"),
        ("new-dataset:inside=T3", "T4/T3, 3 ways"),
    ],
)
def test_xjtu_has_one_load_per_bearing_and_keeps_the_levels_that_do_not_need_two(scenario: str, level: str, xjtu: Rows) -> None:
    assert level in said(xjtu, scenario)


needs_records = pytest.mark.skipif(
    not (DATA / "cwru" / "97.mat").is_file() or not (DATA / "uestc" / "N_800_1.mat").is_file(),
    reason=f"no Case Western and UESTC records in {DATA}: put the official files there, or set FAULTBENCH_DATA",
)


@pytest.fixture(scope="module")
def real() -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in levels.levels(["cwru", "uestc"]):
        found.setdefault(row["dataset"], {})[row["scenario"]] = row
    return found


@pytest.mark.slow
@needs_records
@pytest.mark.parametrize(
    ("name", "scenario", "level"),
    [
        ("cwru", "window", "T0, 5 ways"),
        ("cwru", "session", "T1, 5 ways"),
        ("cwru", "new-device", "T2, 5 ways"),
        ("cwru", "unseen-bearing", "T3, 3 ways"),
        ("cwru", "new-dataset", "T4/T2, 5 ways"),
        ("cwru", "new-dataset:inside=T3", "T4/T3, 3 ways"),
        ("uestc", "window", "T0, 4 ways"),
        ("uestc", "session", "T1, 4 ways"),
        ("uestc", "new-device", "one rig and one bearing of each class, so no class can be on both sides"),
        ("uestc", "unseen-bearing", "uestc is one mounting, so the bearings of each element are dealt"),
        ("uestc", "new-dataset", "T4/T2, 4 ways"),
        ("uestc", "new-dataset:inside=T3", "0 classes of uestc part support from query"),
    ],
)
def test_real_records_keep_a_level_or_say_why_not(name: str, scenario: str, level: str, real: dict[str, Rows]) -> None:
    assert level in said(real[name], scenario)


def test_a_reason_is_one_line_that_says_what_to_do(xjtu: Rows) -> None:
    for row in xjtu.values():
        for request_ in levels.REQUESTS:
            if refused := row[request_].get("refused"):
                assert "\n" not in refused
                assert ": " in refused.partition(": ")[2]


def test_the_table_in_the_docs_is_the_one_that_was_computed() -> None:
    rows = json.loads((ROOT / "benchmarks" / "levels.json").read_text(encoding="utf-8"))["rows"]
    page = (ROOT / "docs" / "reference" / "levels.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| `")]
    assert table == [levels.line(row) for row in rows]
