"""A whole run on a small set in the layout of the Paderborn data: what a user gets who has the archives or folders."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("paderborn_layout", Path(__file__).with_name("paderborn_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paderborn")
    layout.write_set(folder / "paderborn", "K001 K002 K003 K004 KA01 KA03 KA04 KA15 KI01 KI03 KI04 KI14 KB23")
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    places = {"FAULTBENCH_DATA": str(folder), "FAULTBENCH_CACHE": str(folder / "cache"), "FAULTBENCH_RESULTS": str(folder)}
    command = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]
    return subprocess.run(
        [*command, "run", "-l", "centroid", "--quick", "--episodes", "4", *words],
        env={**os.environ, **places, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def test_unseen_bearing_parts_the_one_rig_by_bearing_and_tells_three_classes(folder: Path) -> None:
    done = run(folder, "-d", "paderborn", "-s", "unseen-bearing", "--json", "-")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["error"] is None
    assert (row["cell"]["level"], row["cell"]["note"], row["cell"]["ways"]) == ("T3", "one rig", 3)
    assert set(row["classes"]) == {"healthy", "inner", "outer"}
    assert row["accuracy"]["mean"] > 0.9  # the tones of the fixtures are plain


def test_what_was_made_by_hand_teaches_what_fatigue_made(folder: Path) -> None:
    done = run(folder, "-d", "paderborn", "-s", "unseen-bearing:target=real", "--json", "-")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["cell"]["scenario"], row["cell"]["level"], row["cell"]["note"]) == ("unseen-bearing:target=real", "T3", "one rig")
    asked = {name.rpartition("/")[2] for name in row["bearings"]["recall"]}
    assert asked == {"KA04", "KA15", "KI04", "KI14"}
    assert row["accuracy"]["mean"] > 0.9


def test_the_same_bearings_in_other_sessions_are_watermarked(folder: Path) -> None:
    done = run(folder, "-d", "paderborn", "-s", "window", "--shots", "2", "--queries", "4", "--json", "-", "--gate")
    assert done.returncode == 3, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["cell"]["level"], row["watermark"]) == ("T0", "quick; leaks: bearing")


def test_new_device_refuses_bearings_of_one_load_in_one_line(folder: Path) -> None:
    done = run(folder, "-d", "paderborn", "-s", "new-device")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: new-device: each specimen of test-module was measured at one load only")
    assert "Traceback" not in done.stderr
