"""The JSON document: plain values, written whole or not at all."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from faultbench.errors import UsageError
from faultbench.report.document import document, write_json

ROWS = [{"cell": {"learner": "maml"}, "accuracy": {"mean": np.float64(0.5)}, "params": float("nan")}]


def test_a_document_holds_its_versions_its_command_and_its_rows() -> None:
    assert document(ROWS, ["faultbench", "run"]) == {
        "schema": 1,
        "protocol": 1,
        "command": ["faultbench", "run"],
        "rows": [{"cell": {"learner": "maml"}, "accuracy": {"mean": 0.5}, "params": None}],
    }


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    made = document(ROWS, ["faultbench", "run", "-l", "mäml"])
    write_json(made, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == made
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_json(document(ROWS, []), "-")
    assert json.loads(capsys.readouterr().out)["schema"] == 1


def test_what_is_not_a_number_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json({"rows": [float("nan")]}, tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_replaced_keeps_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "out.json"
    place.write_text("before")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device: name a file"):
        write_json(document(ROWS, []), place)
    assert place.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write") as caught:
        write_json(document(ROWS, []), tmp_path / "nowhere" / "out.json")
    assert "\n" not in str(caught.value)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("before")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_json(document([], []), tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["rows"] == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes as POSIX has them")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    write_json(document([], []), pipe)
    reader.join()
    assert json.loads(read[0])["rows"] == []
    assert pipe.is_fifo()
