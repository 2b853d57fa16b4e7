"""A small plant on disk, from `data check` to a table of results: what a user does who brings recordings of their own.

The plant (`plant_on_disk.py`) is 36 recordings of two machines as wav, csv, npy and mat files, with one table. Read top-down, this is how
to bring one's own: look at the folder, begin a table, mend what the check says, run.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

spec = importlib.util.spec_from_file_location("plant_on_disk", Path(__file__).with_name("plant_on_disk.py"))
assert spec
assert spec.loader
plant_on_disk = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plant_on_disk)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant_on_disk.write_plant(tmp_path_factory.mktemp("written") / "plant")


@pytest.fixture
def plant(written: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(written, tmp_path / "plant")
    return tmp_path / "plant"


def call(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, in the folder that the plant lies in."""
    places = {"FAULTBENCH_CACHE": str(folder.parent / "cache"), "FAULTBENCH_RESULTS": str(folder.parent), "FAULTBENCH_DATA": ""}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())", *words],
        cwd=folder.parent,
        env={**os.environ, **places, "OMP_NUM_THREADS": "1", "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def rows(plant: Path) -> list[dict[str, str]]:
    with (plant / "recordings.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def put(plant: Path, changed: list[dict[str, str]]) -> None:
    with (plant / "recordings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in changed for name in row)), restval="")
        writer.writeheader()
        writer.writerows(changed)


# --- 1. a folder of files, and no table yet


def test_a_folder_without_a_table_is_looked_at_and_a_table_is_begun(plant: Path) -> None:
    (plant / "recordings.csv").unlink()
    (plant / "recordings.toml").unlink()
    done = call(plant, "data", "check", "plant")
    assert done.returncode == 2
    assert "there is no table: write recordings.csv" in done.stdout
    for said in (
        "9 .csv files of 12000 Hz with 1 signal each",
        "9 .mat files with 1 signal each",
        "9 .wav files of 12000 Hz with 1 signal each",
    ):
        assert f"- {said} (alpha/" in done.stdout
    done = call(plant, "data", "check", "plant", "--template")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "file,channel,label,machine,mounting,bearing,session,load,speed,rate,unit,scale,geometry"
    assert len(lines) == 1 + 9 + 9 + 9 + 2 * 9  # npy files hold two signals; the column of times in csv files is none


# --- 2. what the check says of a table that is not right yet


def test_the_check_says_all_that_is_wrong_at_once(plant: Path) -> None:
    table = rows(plant)
    table[0]["file"] = "beta/helthy.wav"
    table[1]["bearing"] = ""
    table[2]["rate"] = ""
    table[3]["geometry"] = "6209"
    put(plant, table)
    done = call(plant, "data", "check", "plant")
    assert done.returncode == 2
    for line, said in ((2, "there is no file"), (3, "bearing is missing"), (4, "rate is missing"), (5, "there is no geometry '6209'")):
        assert f"- recordings.csv, line {line}: {said}" in done.stdout
    assert "32 recordings, 4 errors" in done.stdout
    done = call(plant, "run", "-d", "folder:path=plant", "-l", "centroid", "--quick")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: plant: recordings.csv, line 2: there is no file")
    assert "(and 3 more: see `faultbench data check plant`)" in line


def test_the_check_says_once_what_is_wrong_in_many_lines(plant: Path) -> None:
    table = rows(plant)
    for number in (0, 1, 2, 5, 7):
        table[number]["bearing"] = ""
    put(plant, table)
    done = call(plant, "data", "check", "plant")
    assert done.returncode == 2
    assert "- recordings.csv, lines 2 to 4, 7, 9: bearing is missing" in done.stdout
    assert done.stdout.count("bearing is missing") == 1
    assert "5 errors" in done.stdout


def test_the_check_says_once_what_is_wrong_with_many_files(plant: Path) -> None:
    table = rows(plant)
    for number, row in enumerate(table):
        row["file"] = f"gone/{number}.wav"
    put(plant, table)
    done = call(plant, "data", "check", "plant")
    text = " ".join(done.stdout.split())
    alike = "(and 35 more alike: 'gone/1.wav', 'gone/2.wav', 'gone/3.wav', 'gone/4.wav', ...)"
    assert f"- recordings.csv, line 2: there is no file 'gone/0.wav': correct the path {alike}" in text
    assert text.count("there is no file") == 1
    assert "36 errors" in text


def test_the_check_says_what_would_mislead(plant: Path) -> None:
    table = rows(plant)
    table[5]["label"], table[5]["file"], table[5]["channel"] = "healthy", table[2]["file"], "2"
    copied = next(row for row in table if row["file"].startswith("alpha") and row["file"].endswith(".mat") and row["label"] == "healthy")
    shutil.copy(plant / copied["file"], plant / "again.mat")
    table.append({**copied, "file": "again.mat", "load": "heavy"})
    damaged = [row for row in table if row["geometry"] == "6205-like" and row["label"].startswith(("inner", "outer"))]
    for row in damaged:
        row["geometry"] = "6204-like"
    put(plant, table)
    done = call(plant, "data", "check", "plant")
    text = " ".join(done.stdout.split())
    assert "the same samples stand there twice" in text
    assert "show a comb at" in text
    assert "check the bearing's type" in text
    assert done.returncode == 0
    assert call(plant, "data", "check", "plant", "--strict").returncode == 2


def test_a_load_and_a_class_in_two_spellings_are_warned_of_by_check_audit_and_run(plant: Path) -> None:
    table = rows(plant)
    one = next(row for row in table if row["label"] == "inner small")
    for row in table:
        row["label"] = "inner-s mall" if row["bearing"] == one["bearing"] else row["label"]
    one["load"] = one["load"].upper()
    put(plant, table)
    done = call(plant, "data", "check", "plant")
    assert done.returncode == 0
    for words in (("run", "--dry-run", "-l", "centroid"), ("data", "audit", "--episodes", "1", "--seeds", "1")):
        said = call(plant, *words, "-d", "folder:path=plant", "-s", "window", "--ways", "2").stderr
        for text in (" ".join(done.stdout.split()), said):
            assert "load is spelled 'none' (" in text
            assert "class is spelled 'inner s mall' (" in text


def test_a_recording_under_two_machines_is_an_error_of_the_check_in_the_words_of_the_run(plant: Path) -> None:
    wavs = [row["file"] for row in rows(plant) if row["file"].endswith(".wav") and row["label"] == "healthy"]
    one = next(name for name in wavs if name.startswith("alpha"))
    shutil.copy(plant / next(name for name in wavs if name.startswith("beta")), plant / one)
    done = call(plant, "data", "check", "plant")
    assert done.returncode == 2, done.stdout
    errors = " ".join(done.stdout.partition("WARNINGS")[0].split())
    assert "ERRORS: a run would stop - the same samples stand there twice" in errors
    assert "which breaks the level of new-device" in errors
    run = call(plant, "run", "-d", "folder:path=plant", "-s", "new-device", "-l", "centroid", "--seeds", "1")
    assert run.returncode == 2
    said = run.stderr.splitlines()[-1].partition("error: ")[2]
    assert "breaks its level T2" in said
    assert "keep one of each in the data set (of a folder, in its table)" in said
    assert f"T2 new-device no: {said}" in " ".join(done.stdout.split())


# --- 3. a table that is right, and a run


def test_the_check_of_a_right_table_says_which_levels_it_supports(plant: Path) -> None:
    done = call(plant, "data", "check", "plant")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("plant: mill-3, 36 recordings, 0 errors, 1 warning")
    assert "ERRORS" not in done.stdout
    levels = {line.split()[1]: line for line in done.stdout.splitlines() if line[:2] in ("T2", "T3") and len(line.split()) > 1}
    assert "yes: 5 ways, target beta" in levels["new-device"]
    assert "yes: 2 ways, target beta" in levels["unseen-bearing"]
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_a_run_on_the_users_own_recordings_gives_a_row(plant: Path) -> None:
    words = ("run", "--quick", "-d", "folder:path=plant", "-l", "centroid", "--episodes", "4", "--json", "-")
    done = call(plant, *words)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["error"] is None
    assert (row["cell"]["dataset"], row["cell"]["level"], row["cell"]["ways"]) == ("folder:path=plant", "T2", 5)
    assert row["accuracy"]["mean"] > 0.6
    assert len(row["classes"]) == 5
    again = call(plant, *words)
    assert "reused 9 of 9 stages" in again.stderr or "to do" not in again.stderr.splitlines()[0]
    assert json.loads(again.stdout)["rows"][0]["accuracy"] == row["accuracy"]


def test_a_changed_file_is_read_again_and_a_damaged_one_leaves_nothing_half_done(plant: Path) -> None:
    words = ("run", "--dry-run", "-d", "folder:path=plant", "-l", "centroid")
    before = call(plant, *words)
    assert before.returncode == 0
    name = next(row["file"] for row in rows(plant) if row["file"].endswith(".npy"))
    stored = np.load(plant / name)
    np.save(plant / name, -stored)
    assert call(plant, *words).returncode == 0
    whole = (plant / name).read_bytes()
    (plant / name).write_bytes(whole[:-100])
    done = call(plant, *words)
    assert done.returncode == 2
    assert "bytes of numbers" in done.stderr
    (plant / name).write_bytes(whole)
    assert call(plant, *words).returncode == 0


def test_the_data_folder_itself_can_be_the_plant(plant: Path) -> None:
    done = call(plant, "run", "--dry-run", "-d", "folder", "--data-dir", "plant", "-l", "centroid")
    assert done.returncode == 0, done.stderr
    done = call(plant, "run", "--dry-run", "-d", "folder", "--data-dir", ".", "-l", "centroid")
    assert done.returncode == 2
    assert "there is no table" in done.stderr


# --- the command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "takes a FOLDER, or a data set with -d"),
        (("plant", "-d", "cwru"), "takes a FOLDER, or a data set with -d"),
        (("nowhere",), "nowhere is no folder"),
        (("-d", "nonsense"), "no data set is called 'nonsense'"),
        (("-d", "simulated", "--template"), "is a data set of its own: name a FOLDER"),
    ],
)
def test_wrong_words_are_refused_in_one_line(plant: Path, words: tuple[str, ...], said: str) -> None:
    done = call(plant, "data", "check", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line


def test_a_data_set_that_is_not_there_is_said_to_be_missing(plant: Path) -> None:
    done = call(plant, "data", "check", "-d", "cwru")
    assert done.returncode == 2
    assert "cwru: no data folder is given" in " ".join(done.stdout.split())
