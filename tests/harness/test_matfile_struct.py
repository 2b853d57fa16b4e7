"""Paths into the structs of MATLAB files: they lead to one array of numbers, or are refused in one line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from faultbench.data import matfile, matfile_child
from faultbench.data.matfile import MatFile, open_mat
from faultbench.data.matfile_child import MAX_ENTRIES, MAX_NAME_LENGTH, MAX_NAMES, LeafError, load, parse_path
from faultbench.errors import DataError

FAST, SLOW = np.arange(64.0)[None], np.arange(4.0)[None]


def entries(*rows: tuple[object, ...]) -> np.ndarray:
    array = np.empty((1, len(rows)), dtype=[(field, object) for field in ("Name", "Raster", "Data")])
    for i, row in enumerate(rows):
        array[0, i] = row
    return array


def run() -> dict[str, Any]:
    return {
        "Info": {"Id": 7.0},
        "Y": entries(("force", "slow", SLOW), ("vibration_1", "fast", FAST), ("vibration_1", "slow", SLOW * 2), ("", "fast", FAST)),
    }


def saved(path: Path, **variables: object) -> Path:
    scipy.io.savemat(path, variables)
    return path


@pytest.fixture(params=["child", "in process"])
def mat(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MatFile:
    """A file, read by the child or, where its digest is known, in this process: one promise, two ways."""
    path = saved(tmp_path / "run.mat", run=run(), plain=np.arange(3.0))
    if request.param == "child":
        return open_mat(path)
    monkeypatch.setattr(matfile, "READER", None)
    return open_mat(path, known={hashlib.sha256(path.read_bytes()).hexdigest()})


def test_a_path_chooses_by_text_not_by_place(mat: MatFile) -> None:
    force, both = "run.Y[Name=force].Data", "run.Y[Name=vibration_1][Raster=slow].Data"
    read = mat.read(force, both, "run.Info.Id", "plain", "run.Y[Name=][Raster=fast].Data")
    np.testing.assert_array_equal(read[force], SLOW)
    np.testing.assert_array_equal(read[both], SLOW * 2)
    assert read["run.Info.Id"] == 7
    np.testing.assert_array_equal(read["plain"].ravel(), np.arange(3.0))
    np.testing.assert_array_equal(read["run.Y[Name=][Raster=fast].Data"], FAST)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("run.Y[Name=torque].Data", r"no entry of run\.Y has Name=torque, but force, vibration_1, vibration_1, ''"),
        ("run.Y[Name=force][Raster=fast].Data", r"no entry of run\.Y\[Name=force\] has Raster=fast, but slow"),
        ("run.Y[Name=vibration_1].Data", r"run\.Y\[Name=vibration_1\] has 2 entries where one is expected"),
        ("run.Y.Data", r"run\.Y has 4 entries where one is expected"),
        ("run.Y[Kind=a].Data", r"run\.Y has no field Kind, it has Name, Raster, Data"),
        ("run.Z.Data", r"run has no field Z, it has Info, Y"),
        ("run.Info.Id.Deeper", r"run\.Info\.Id is no struct"),
        ("plain.Data", r"plain is no struct"),
        ("plain[a=b]", r"plain is no struct"),
        ("run.Y[Data=1].Name", r"no entry of run\.Y has Data=1"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there(mat: MatFile, path: str, said: str) -> None:
    with pytest.raises(DataError, match=f"run.mat is not laid out as expected .{said}") as refused:
        mat.read(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("path", "held"), [("run", "a struct"), ("run.Y[Name=force]", "a struct"), ("run.Y[Name=force].Raster", "text")])
def test_only_numbers_leave(mat: MatFile, path: str, held: str) -> None:
    with pytest.raises(DataError, match=f"holds {held}, not real numbers"):
        mat.read(path)


@pytest.mark.parametrize("known", [True, False])
def test_the_fields_of_a_struct_are_listed_by_their_paths(tmp_path: Path, known: bool) -> None:
    deep: dict[str, object] = {"x": SLOW}
    for _ in range(2 * matfile_child.MAX_DEPTH):
        deep = {"d": deep}
    path = saved(tmp_path / "run.mat", s={"acc": FAST, "note": "text", "in": {"z": FAST + 1j}, "deep": deep}, plain=SLOW)
    digest = open_mat(path).sha256
    found = open_mat(path, known={digest} if known else ()).fields("s", "plain", "absent")
    deepest = "s.deep" + ".d" * (matfile_child.MAX_DEPTH - 1)
    assert {name: one.kind for name, one in found.items()} == {
        "s.acc": "double",
        "s.note": "char",
        "s.in.z": "complex",
        deepest: "struct",
        "plain": "double",
    }
    assert found["s.acc"].size == np.size(FAST)


def test_a_struct_of_very_many_fields_is_listed_in_part(tmp_path: Path) -> None:
    path = saved(tmp_path / "run.mat", s={f"f{i}": 1.0 for i in range(matfile_child.MAX_FIELDS + 5)})
    assert len(open_mat(path).fields("s")) == matfile_child.MAX_FIELDS


def test_a_variable_that_is_not_there_is_named_without_its_path(mat: MatFile) -> None:
    with pytest.raises(DataError, match="has no variable walk, it holds run, plain"):
        mat.read("walk.Y[Name=force].Data")


def test_leaves_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "run.mat", run={"Y": entries(("a", "fast", FAST * np.nan))})
    with pytest.raises(DataError, match=r"run\.Y\[Name=a\]\.Data .* not finite"):
        open_mat(path).read("run.Y[Name=a].Data")


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[b]", "a[b=c", "a[=c]", "a b", "1a", "a.b[c=d]e", "a[b=[c]]", "a\n", "ä"])
def test_what_is_no_path_is_refused(mat: MatFile, text: str) -> None:
    with pytest.raises(ValueError, match="is no variable's name and no path"):
        parse_path(text)
    with pytest.raises(DataError):
        mat.read(text)


def test_a_path_is_read_step_by_step() -> None:
    assert parse_path("a_1.b[c=d e-f][g=].h") == (("a_1", ()), ("b", (("c", "d e-f"), ("g", ""))), ("h", ()))


def test_length_number_and_breadth_of_paths_have_limits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than 512"):
        parse_path("a" * (MAX_NAME_LENGTH + 1))
    with pytest.raises(ValueError, match="at most 64"):
        load(b"", [f"a{i}" for i in range(MAX_NAMES + 1)])
    many = entries(*[("n", "fast", 1.0)] * (MAX_ENTRIES + 1))
    with pytest.raises(DataError, match="4097 entries, more than 4096"):
        open_mat(saved(tmp_path / "many.mat", run={"Y": many})).read("run.Y[Name=n].Data")


def test_hostile_texts_of_a_file_stay_on_one_short_line(tmp_path: Path) -> None:
    evil = entries(*[(f"\x1b[31m\n{i}" + "x" * 3000, "fast", FAST) for i in range(50)])
    with pytest.raises(DataError) as refused:
        open_mat(saved(tmp_path / "run.mat", run={"Y": evil})).read("run.Y[Name=a].Data")
    message = str(refused.value)
    assert "\x1b" not in message
    assert "\n" not in message
    assert len(message) < 1000


def test_the_protocol_carries_numbers_and_json_only(tmp_path: Path) -> None:
    content = saved(tmp_path / "run.mat", run=run()).read_bytes()
    header, body = matfile_child._answer({"arrays": ["run.Y[Name=force].Data"]}, content)
    assert json.loads(header) == {"arrays": [["run.Y[Name=force].Data", "<f8", [1, 4]]]}
    assert body == SLOW.tobytes()
    assert list(json.loads(matfile_child._answer({"arrays": ["run.Y.Data"]}, content)[0])) == ["absent"]
    with pytest.raises(LeafError):
        load(content, ["run.Y.Data"])


@pytest.mark.parametrize("compressed", [True, False])
def test_damaged_structs_raise_nothing_but_a_data_error(tmp_path: Path, compressed: bool) -> None:
    scipy.io.savemat(tmp_path / "whole.mat", {"run": run()}, do_compression=compressed)
    whole = (tmp_path / "whole.mat").read_bytes()
    path = tmp_path / "run.mat"
    rng = np.random.default_rng(5)
    refusals = []
    for trial in range(120):
        content = bytearray(whole if trial % 3 else whole[: rng.integers(1, len(whole))])
        for place in rng.integers(0, len(content), size=rng.integers(1, 5)):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            read = open_mat(path, timeout_s=20).read("run.Y[Name=vibration_1][Raster=fast].Data")
        except DataError as error:
            refusals.append(str(error))
        else:
            assert all(np.isfinite(values).all() for values in read.values())
    assert len(refusals) > 40
    assert not [said for said in refusals if "\n" in said]
