"""What is written is what the format says, and what is damaged is refused."""

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from faultbench.artifact.format import IR_VERSION, OPSET, Graphs, Manifest
from faultbench.artifact.reader import read_manifest, verify
from faultbench.artifact.writer import write_artifact
from faultbench.errors import CellError, DataError, PluginError
from faultbench.testing.artifacts import centroid_graphs, gradient_graphs, model

WAYS, WINDOW = 3, 64


def write(folder: Path, graphs: Graphs) -> Manifest:
    return write_artifact(
        folder, graphs, ways=WAYS, window=WINDOW, channels=1, rate_hz=12000, learner="centroid", compressor="none", provenance="abc"
    )


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    write(tmp_path / "artifact", gradient_graphs(WAYS, WINDOW))
    return tmp_path / "artifact"


def change_manifest(artifact: Path, **fields: object) -> None:
    path = artifact / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


# writing


def test_a_manifest_reads_back_as_it_was_written(tmp_path: Path) -> None:
    written = write(tmp_path / "new" / "artifact", gradient_graphs(WAYS, WINDOW, support_rows=9))
    assert verify(tmp_path / "new" / "artifact") == written == read_manifest(tmp_path / "new" / "artifact")
    assert written.support_rows == 9
    assert written.steps == 5
    assert written.state == {"bias": (3,), "weight": (3, 16)}
    assert set(written.sha256) == {"init.npz", "features.onnx", "adapt.onnx", "finalize.onnx", "predict.onnx"}


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    write(tmp_path / "one", centroid_graphs(WAYS, WINDOW))
    write(tmp_path / "two", centroid_graphs(WAYS, WINDOW))
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    with zipfile.ZipFile(tmp_path / "one" / "init.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_empty_folder_is_taken_and_a_full_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "artifact").mkdir()
    write(tmp_path / "artifact", centroid_graphs(WAYS, WINDOW))
    before = (tmp_path / "artifact" / "manifest.json").read_bytes()
    with pytest.raises(CellError, match="choose an empty folder"):
        write(tmp_path / "artifact", gradient_graphs(WAYS, WINDOW))
    assert (tmp_path / "artifact" / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["artifact"]


def test_a_writer_that_dies_leaves_no_half_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Path.write_bytes

    def dies_at_the_manifest(path: Path, blob: bytes) -> int:
        if path.name == "manifest.json":
            raise KeyboardInterrupt
        return written(path, blob)

    monkeypatch.setattr(Path, "write_bytes", dies_at_the_manifest)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "artifact", centroid_graphs(WAYS, WINDOW))
    assert list(tmp_path.iterdir()) == []


def identity(takes: str, gives: str, shape: tuple[int | str, ...], **options: object) -> bytes:
    return model([("Identity", [takes], gives)], {takes: shape}, {gives: shape}, **options)  # type: ignore[arg-type]


def outside_weights() -> bytes:
    weight = numpy_helper.from_array(np.zeros(16, np.float32), "weight")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights")
    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 16]) for name in ("features", "logits")]
    graph = helper.make_graph([helper.make_node("Add", ["features", "weight"], ["logits"])], "g", rows[:1], rows[1:], [weight])
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION).SerializeToString())


def foreign_operator() -> bytes:
    built = onnx.load_model_from_string(centroid_graphs(WAYS, WINDOW).predict)
    built.graph.node[-1].domain = "acme"
    built.opset_import.append(helper.make_opsetid("acme", 1))
    return bytes(built.SerializeToString())


GOOD = centroid_graphs(WAYS, WINDOW)


@pytest.mark.parametrize(
    ("graphs", "message"),
    [
        (replace(GOOD, predict=b"no model"), "predict is no valid ONNX model"),
        (replace(GOOD, predict=identity("features", "logits", ("n", WAYS), opset=21)), "predict has opset 21"),
        (replace(GOOD, predict=identity("features", "logits", ("n", WAYS), ir_version=9)), "IR version 9"),
        (replace(GOOD, predict=identity("features", "result", ("n", 16))), "predict gives no logits"),
        (replace(GOOD, predict=identity("input", "logits", ("n", WAYS))), "predict takes no features"),
        (replace(GOOD, predict=identity("features", "logits", ("n", 16))), r"predict gives logits of shape \(n, 16\), not \(n, 3\)"),
        (replace(GOOD, features=identity("windows", "features", (1, 1, WINDOW))), r"features takes windows of shape \(1, 1, 64\)"),
        (replace(GOOD, features=identity("windows", "features", ("n", 1, 32))), r"not \(n, 1, 64\)"),
        (
            replace(GOOD, support_rows=7, adapt=centroid_graphs(WAYS, WINDOW, support_rows=9).adapt),
            r"features of shape \(9, 16\), not \(7, 16\)",
        ),
        (replace(GOOD, adapt=centroid_graphs(WAYS, WINDOW, support_rows=9).adapt), r"features of shape \(9, 16\), not \(n, 16\)"),
        (replace(GOOD, adapt=identity("features", "new.other", ("k", 16))), "adapt gives no new.centroids"),
        (replace(GOOD, state={"centroids": np.zeros((WAYS, 8), np.float32)}), r"new.centroids of shape \(3, 16\), not \(3, 8\)"),
        (replace(GOOD, state={"centroids": np.zeros((WAYS, 16))}), "float64"),
        (replace(GOOD, state={"centroids": np.full((WAYS, 16), np.nan, np.float32)}), "not finite"),
        (replace(GOOD, state={"../centroids": np.zeros((WAYS, 16), np.float32)}), "named '../centroids'"),
        (replace(GOOD, state={"labels": np.zeros((WAYS, 16), np.float32)}), "named 'labels'"),
        (replace(GOOD, finalize=identity("centroids", "centroids2", (WAYS, 16))), "deployed.<name>"),
        (
            replace(GOOD, finalize=identity("centroids", "deployed.other", (WAYS, 16))),
            "predict takes centroids, which the format does not know",
        ),
        (replace(GOOD, predict=foreign_operator()), "predict uses operators of acme"),
        (replace(GOOD, predict=outside_weights()), "predict is no valid ONNX model .*weights"),
        (replace(GOOD, steps=-1), "-1 steps"),
    ],
)
def test_a_graph_that_breaks_the_format_is_refused(tmp_path: Path, graphs: Graphs, message: str) -> None:
    with pytest.raises(PluginError, match=message) as error:
        write(tmp_path / "artifact", graphs)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_weights_outside_of_the_model_are_refused_also_where_they_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").write_bytes(bytes(64))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PluginError, match="external_data=False"):
        write(tmp_path / "artifact", replace(GOOD, predict=outside_weights()))


# reading


def test_a_flipped_bit_in_any_file_is_found(artifact: Path) -> None:
    for name in read_manifest(artifact).sha256:
        path = artifact / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(DataError, match=rf"{name} is not the file that the manifest names"):
            verify(artifact)
        path.write_bytes(good)
    verify(artifact)


def test_a_missing_file_is_named(artifact: Path) -> None:
    (artifact / "adapt.onnx").unlink()
    with pytest.raises(DataError, match=r"cannot read .*adapt\.onnx"):
        verify(artifact)


def test_a_folder_that_is_no_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*manifest\.json"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 2}, "has format 2, this runner reads 1"),
        ({"ways": 0}, "ways is 0"),
        ({"ways": True}, "ways is True"),
        ({"steps": 2.0}, r"steps is 2\.0"),
        ({"state": {"weight": [3, "x"]}}, "state is not a table of shapes"),
        ({"sha256": {"../../etc/passwd": "0"}}, "sha256 names other files"),
        ({"sha256": {"init.npz": "0", "adapt.onnx": "0", "predict.onnx": "0", "/etc/passwd": "0"}}, "sha256 names other files"),
        ({"sha256": {"init.npz": 1, "adapt.onnx": "0", "predict.onnx": "0"}}, "sha256 holds a value of a wrong type"),
        ({"sha256": {}}, "sha256 names other files"),
        ({"rate_hz": "fast"}, "rate_hz is 'fast'"),
        ({"info": {"params": 1.5}}, "info or sha256"),
        ({"state": {"weight": [3, 16]}}, "init.npz holds other names"),
        ({"state": {"bias": [3], "weight": [3, 17]}}, "weight is not finite float32 of shape"),
    ],
)
def test_a_manifest_that_lies_is_refused(artifact: Path, fields: dict[str, object], message: str) -> None:
    change_manifest(artifact, **fields)
    with pytest.raises(DataError, match=message):
        verify(artifact)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff\xfe"])
def test_a_manifest_that_is_no_table_is_refused(artifact: Path, text: str) -> None:
    (artifact / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError):
        read_manifest(artifact)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_link_out_of_the_artifact_is_refused(artifact: Path) -> None:
    (artifact / "adapt.onnx").rename(artifact.parent / "elsewhere.onnx")
    (artifact / "adapt.onnx").symlink_to(artifact.parent / "elsewhere.onnx")
    with pytest.raises(DataError, match="is not a plain file"):
        verify(artifact)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(artifact: Path) -> None:
    (artifact / "init.npz").unlink()
    os.mkfifo(artifact / "init.npz")
    with pytest.raises(DataError, match="is not a plain file"):
        verify(artifact)


def test_a_pickle_in_the_state_is_not_opened(artifact: Path) -> None:
    import hashlib

    np.savez(artifact / "init.npz", weight=np.array([{"a": 1}], dtype=object), bias=np.zeros(3, np.float32))
    digests = {**read_manifest(artifact).sha256, "init.npz": hashlib.sha256((artifact / "init.npz").read_bytes()).hexdigest()}
    change_manifest(artifact, sha256=digests)
    with pytest.raises(DataError, match=r"cannot read init\.npz \(Object arrays cannot be loaded"):
        verify(artifact)
