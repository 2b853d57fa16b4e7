"""What the data commands say of a copy of Paderborn that consists of unpacked folders with some of the measurements alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from faultbench.cli import main

spec = importlib.util.spec_from_file_location("paderborn_layout", Path(__file__).with_name("paderborn_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two measurements each of two bearings."""
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    layout.write_set(tmp_path / "data" / "paderborn", "K001 KA01", range(1, 3))
    return tmp_path / "data"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["data", *words]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_info_says_what_is_there_in_part_and_what_it_holds(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "info", "paderborn", "--data-dir", str(root))
    assert f"here 0 of 32, 2 in part, in {root}/paderborn" in told
    assert "in part K001.rar (2 of 80 files), KA01.rar (2 of 80 files): what is there is used" in told
    assert "missing K002.rar" in told
    assert "WHAT IS HERE recordings 4 bearings 2: K001, KA01" in told


def test_info_says_that_an_archive_has_more_than_the_folder_beside_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "paderborn" / "K001.rar").write_bytes(b"x")
    told = said(capsys, "info", "paderborn", "--data-dir", str(root))
    assert "here 1 of 32, 1 in part, in" in told
    assert "in part KA01.rar (2 of 80 files): what is there is used" in told
    assert "not whole K001.rar (2 of 80 files): remove the folder, so that the archive is unpacked whole" in told


def test_list_and_verify_count_it_apart_from_what_is_missing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "paderborn 0 of 32, 2 in part" in said(capsys, "list", "--data-dir", str(root))
    told = said(capsys, "verify", "paderborn", "--data-dir", str(root))
    assert "in part 2 only some of the files" in told
    assert "missing 30 not here" in told


def test_get_says_what_came_in_part(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("get", "paderborn", "--yes", "--from", str(root), "--data-dir", str(tmp_path / "new"))
    assert said(capsys, *words) == (
        f"paderborn: 0 of 32 files are in {tmp_path}/new/paderborn and 2 in part, 4 files that archives hold are new"
    )
    assert said(capsys, *words) == f"paderborn: 0 of 32 files are in {tmp_path}/new/paderborn and 2 in part, 0 of them new"
