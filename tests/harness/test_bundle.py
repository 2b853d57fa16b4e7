"""A bundle: whole or not there, right or said to be wrong, and usable by its own README without faultbench."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from faultbench.artifact import bundle
from faultbench.artifact.bundle import EXPECTED, HEAD, README, check_bundle, write_bundle
from faultbench.artifact.writer import write_artifact
from faultbench.errors import CellError, DataError, UsageError
from faultbench.testing.artifacts import centroid_graphs

ABOUT = {"cell": {"dataset": "plant", "scenario": "new-device", "quick": False}}
CHANNELS = {"a": "g", "b": ""}


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "artifact"
    graphs = centroid_graphs(3, 64, 2, 12)
    told = {"learner": "toy", "compressor": "none", "provenance": "0" * 64}
    write_artifact(folder, graphs, ways=3, window=64, channels=2, rate_hz=1000.0, **told)
    return folder


@pytest.fixture
def made(artifact, tmp_path):
    write_bundle(tmp_path / "bundle", artifact, ABOUT, CHANNELS)
    return tmp_path / "bundle"


def test_a_bundle_gives_the_expected_answers_where_it_was_made(made):
    found = check_bundle(made)
    assert found.error == 0
    assert found.summary["milliseconds"]["latency"]["p50"] > 0


def test_its_readme_can_be_followed_without_faultbench(made, tmp_path):
    """In another place, by the blocks of the README alone."""
    text = (made / README).read_text()
    check, use = re.findall(r"```(?:sh|python)\n(.*?)```", text, re.DOTALL)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", check], cwd=made, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith("right"), done.stderr
    rng = np.random.default_rng(0)
    np.save(made / "support.npy", rng.standard_normal((12, 2, 64)).astype(np.float32))
    np.save(made / "labels.npy", np.arange(12) % 3)
    np.save(made / "windows.npy", rng.standard_normal((5, 2, 64)).astype(np.float32))
    block_faultbench = "import sys; sys.modules['faultbench'] = None\n"
    done = subprocess.run([sys.executable, "-c", block_faultbench + use], cwd=made, capture_output=True, text=True, check=False)
    assert re.fullmatch(r"\[[012](\s[012]){4}\]\n", done.stdout), done.stderr


def test_a_changed_answer_is_seen(made):
    with np.load(made / EXPECTED) as found:
        answers = {name: found[name].copy() for name in found.files}
    answers["logits"][0, 0, 0] += 0.5 * np.abs(answers["logits"]).max()
    bundle._save(made / EXPECTED, answers)
    head = json.loads((made / HEAD).read_text())
    head["sha256"][EXPECTED] = bundle._sha256(made / EXPECTED)
    (made / HEAD).write_text(json.dumps(head))
    with pytest.raises(CellError, match="off the expected ones"):
        check_bundle(made)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda b: (b / "artifact/predict.onnx").write_bytes(b"x"), "predict.onnx is damaged"),
        (lambda b: (b / "runner.py").unlink(), "lacks runner.py"),
        (lambda b: (b / "more.txt").write_text("x"), "holds more.txt"),
        (lambda b: (b / HEAD).write_text("{"), "is no bundle"),
        (lambda b: (b / HEAD).write_text('{"format": 9, "sha256": {}}'), "format 9"),
        (lambda b: (b / HEAD).unlink(), "is no bundle"),
    ],
)
def test_a_damaged_bundle_is_refused_in_a_line(made, spoil, says):
    spoil(made)
    with pytest.raises(DataError, match=says):
        check_bundle(made)


def test_a_name_that_leads_out_of_the_bundle_is_refused(made, tmp_path):
    (tmp_path / "outside").write_text("secret")
    (made / "link").symlink_to(tmp_path / "outside")
    head = json.loads((made / HEAD).read_text())
    head["sha256"]["link"] = bundle._sha256(tmp_path / "outside")
    (made / HEAD).write_text(json.dumps(head))
    with pytest.raises(DataError, match="damaged"):
        check_bundle(made)


def test_nothing_is_written_over_and_nothing_half_is_left(artifact, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("x")
    with pytest.raises(UsageError, match="there already"):
        write_bundle(tmp_path / "there", artifact, ABOUT, CHANNELS)

    def broken(*_):
        raise CellError("broken on purpose")

    monkeypatch.setattr(bundle, "_run", broken)
    with pytest.raises(CellError):
        write_bundle(tmp_path / "new", artifact, ABOUT, CHANNELS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_the_command_makes_a_bundle_of_one_cell_and_checks_it(site):
    words = ("-d", "plant", "-s", "new-device:window=64", "--ways", "4", "--shots", "2", "--jobs", "1")
    done = site.command("bundle", "create", *words, "-l", "toy", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "copy it to the gateway" in done.stdout
    done = site.command("bundle", "check", "out")
    assert done.returncode == 0, done.stderr
    assert "is whole and right" in done.stdout
    for learner, out, says in (
        ("toy,centroid", "b", "2 are named"),
        ("toy", "out", "there already"),
        ("toy:mood=host-only", "b", "it is a forest"),
    ):
        done = site.command("bundle", "create", *words, "-l", learner, "-o", out)
        assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert not (site.folder / "b").exists()


def test_what_the_runner_wants_to_know_stands_in_the_task(artifact):
    from faultbench.artifact.reader import verify

    task = bundle.made_up_task(verify(artifact), ("speed_rpm", "orders"))
    assert task["speed_rpm"].shape == (len(task["windows"]),)
    assert task["orders"].shape == (len(task["windows"]), 4)
