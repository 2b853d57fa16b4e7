from __future__ import annotations

import importlib.metadata

import pytest

from faultbench.cli import main
from faultbench.errors import UsageError


@pytest.fixture(autouse=True)
def _places(tmp_path, monkeypatch):
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAULTBENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("FAULTBENCH_DATA", raising=False)


def examined(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["--no-plugins", "doctor"])
    return code, capsys.readouterr().out


def test_a_sound_installation_has_no_problem(capsys, tmp_path):
    code, text = examined(capsys)
    assert code == 0
    assert "problem" not in text
    for said in (
        f"torch {importlib.metadata.version('torch')}",
        "plugin learners of faultbench",
        "cores: ",
        f"cache folder {tmp_path / 'cache'}",
    ):
        assert said in text
    assert not list(tmp_path.iterdir()), "it only looks"


def test_a_folder_that_cannot_be_written_is_a_problem(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "file" / "cache"))
    code, text = examined(capsys)
    assert code == 2
    assert "problem cache folder" in text
    assert "set FAULTBENCH_CACHE to a folder that can" in text


def test_a_store_that_no_run_could_use_is_a_problem(capsys, tmp_path):
    from faultbench.results.store import read_store

    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results.sqlite").write_bytes(bytes(range(1, 251)) * 12)
    code, text = examined(capsys)
    with pytest.raises(UsageError, match="is damaged, or no store") as refused, read_store():
        pass
    assert code == 2
    assert f"problem {refused.value}\n" in text


def test_a_folder_whose_name_is_too_long_is_a_problem(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("FAULTBENCH_RESULTS", str(tmp_path / ("x" * 300)))
    code, text = examined(capsys)
    assert code == 2
    assert "cannot be written (File name too long): set FAULTBENCH_RESULTS" in text


def test_an_old_library_is_a_problem(capsys, monkeypatch):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.5.99+cpu" if name == "torch" else real(name))
    code, text = examined(capsys)
    assert code == 2
    assert "problem torch 2.5.99+cpu is older than 2.6: pip install 'torch>=2.6'" in text


def test_a_missing_library_is_a_problem(capsys, monkeypatch):
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    code, text = examined(capsys)
    assert code == 2
    assert "problem torch is missing: pip install 'torch>=2.6'" in text


def test_the_data_folder_is_looked_at(capsys, tmp_path, monkeypatch):
    assert "FAULTBENCH_DATA is not set" in examined(capsys)[1]
    monkeypatch.setenv("FAULTBENCH_DATA", str(tmp_path / "none"))
    assert "cannot be read (No such file or directory)" in examined(capsys)[1]
    (tmp_path / "data" / "cwru").mkdir(parents=True)
    monkeypatch.setenv("FAULTBENCH_DATA", str(tmp_path / "data"))
    assert f"FAULTBENCH_DATA is {tmp_path / 'data'}: cwru" in examined(capsys)[1]
