"""`faultbench run` with sources and with noise, as a user calls it, on small files in the official layout made here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

COMMAND = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]
SHORT = ("-l", "centroid", "--quick", "--episodes", "3", "--shots", "2", "--queries", "4")
T4 = ("run", "-d", "uestc", "-s", "new-dataset", "--source", "simulated", *SHORT)
CLASSES = {"N": 0.01, "B": 0.1, "I": 0.6, "O": 0.4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data in the layout of the source: noise of each class's level and colour, at two speeds."""
    folder = tmp_path_factory.mktemp("t4")
    (folder / "uestc").mkdir()
    rng = np.random.default_rng(4)
    for number, (letter, level) in enumerate(CLASSES.items()):
        for rpm in (800, 1000):
            white = rng.normal(size=40_100)
            signal = level * np.convolve(white, np.cos(0.4 * number * np.arange(100)) / 7, "valid")[:40_000, None]
            said = {"Datacount": np.int32(40_000), "SampleFrequency": np.uint16(20_000), "Linecount": np.uint8(1)}
            scipy.io.savemat(folder / "uestc" / f"{letter}_{rpm}_1.mat", {"Data": signal, **said}, do_compression=True)
    return folder


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    places = {
        "FAULTBENCH_CACHE": str(folder / "cache"),
        "FAULTBENCH_RESULTS": str(folder),
        "FAULTBENCH_DATA": str(folder),
        "COLUMNS": "100",
    }
    environment = {**os.environ, **places, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*COMMAND, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False)


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


@pytest.fixture(scope="module")
def clean(folder: Path) -> dict[str, Any]:
    (row,) = rows(call(folder, *T4, "--json", "-"))
    return row


def figures(row: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the clock."""
    return {name: row[name] for name in ("accuracy", "recall", "false_alarm", "missed_alarm", "confusion", "classes", "bearings", "digest")}


def test_a_row_says_its_level_its_sources_and_the_rate_of_the_common_base(clean: dict[str, Any]) -> None:
    cell = clean["cell"]
    assert (cell["level"], cell["note"], cell["sources"], cell["snr"]) == ("T4/T2", "from simulated", ["simulated"], "clean")
    assert (cell["rate_hz"], cell["ways"]) == (12_000.0, 4)
    assert clean["accuracy"]["mean"] > 0.9, "the four made-up classes differ in level and colour"


def test_noise_adds_cells_and_leaves_the_clean_one_as_it_was_to_the_last_bit(folder: Path, clean: dict[str, Any]) -> None:
    done = call(folder, *T4, "--snr", "40,-30", "--snr", "floor:-60", "--json", "-")
    found = {row["cell"]["snr"]: row for row in rows(done)}
    assert list(found) == ["clean", "40", "-30", "floor:-60"]
    assert figures(found["clean"]) == figures(clean)
    assert found["40"]["digest"] != clean["digest"]
    assert found["40"]["accuracy"]["mean"] > 0.9
    assert found["-30"]["confusion"] != clean["confusion"]
    assert found["floor:-60"]["accuracy"]["mean"] < 0.6, "planted: noise far above the loudest fault"
    assert [title for title in done.stderr.splitlines() if title.startswith("train")] == [], "nothing is trained for noise"
    assert "snr -30: accuracy" in done.stderr


def test_a_machine_that_drowns_in_its_own_healthy_sound_is_not_told(folder: Path, clean: dict[str, Any]) -> None:
    done = call(folder, *T4, "--snr", "machine:40,machine:-40", "--json", "-")
    found = {row["cell"]["snr"]: row for row in rows(done)}
    assert list(found) == ["clean", "machine:40", "machine:-40"]
    assert figures(found["clean"]) == figures(clean)
    assert found["machine:40"]["accuracy"]["mean"] > 0.9
    assert found["machine:-40"]["accuracy"]["mean"] < 0.9, "planted: every window is a healthy stretch, in all but its loudness"
    assert found["machine:-40"]["notes"]["noise"].startswith("recorded, stretches of 2 healthy recordings")


def test_the_table_names_the_levels(folder: Path, clean: dict[str, Any]) -> None:
    assert clean["accuracy"]
    done = call(folder, *T4, "--snr", "40")
    assert done.returncode == 0, done.stderr
    assert "snr" in done.stdout
    assert "T4/T2 (from simulated)" in done.stdout


def test_a_matrix_file_says_the_same(folder: Path, clean: dict[str, Any]) -> None:
    text = 'dataset = "uestc"\nscenario = "new-dataset"\nsource = "simulated"\nlearner = "centroid"\nquick = true\n'
    (folder / "matrix.toml").write_text(text + "episodes = 3\nshots = 2\nqueries = 4\nsnr = [40]\n")
    found = rows(call(folder, "run", "matrix.toml", "--json", "-"))
    assert [row["cell"]["snr"] for row in found] == ["clean", "40"]
    assert figures(found[0]) == figures(clean)


def test_in_orders_the_rate_is_that_of_the_slowest_speed(folder: Path, clean: dict[str, Any]) -> None:
    words = [word.replace("new-dataset", "new-dataset:base=orders,window=512") for word in T4]
    (row,) = rows(call(folder, *words, "--json", "-"))
    assert row["cell"]["rate_hz"] < clean["cell"]["rate_hz"] / 2
    assert row["cell"]["scenario"] == "new-dataset:base=orders,window=512"


def test_a_dry_run_shows_the_sources_and_the_levels(folder: Path) -> None:
    done = call(folder, *T4, "--snr", "40", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "gather uestc simulated, base hz" in done.stdout
    assert "snr" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-s", "new-dataset"), "name some with --source"),
        (("-s", "new-device", "--source", "simulated"), "no scenario takes"),
        (("-s", "new-dataset", "--source", "uestc"), "named twice"),
        (("-s", "new-dataset", "--source", "nowhere"), "no data set is called 'nowhere'"),
        (("-s", "new-dataset", "--source", "simulated", "--snr", "loud"), "write a number of dB"),
    ],
    ids=["no source", "no taker", "itself", "unknown", "no level"],
)
def test_what_cannot_be_done_is_one_line_before_any_work(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = call(folder, "run", "-d", "uestc", *words, *SHORT)
    assert (done.returncode, done.stdout) == (2, "")
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said in error
    assert "Traceback" not in done.stderr
