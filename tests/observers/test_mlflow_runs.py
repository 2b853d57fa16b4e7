"""The MLflow observer: what it says of a row, and real MLflow runs in a local folder."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from faultbench.results.row import row as row_of
from faultbench_observers.mlflow_runs import metrics_of, params_of, tags_of, tracking_uri

COMMAND = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]
HERE = importlib.util.find_spec("mlflow") is not None
with_mlflow = pytest.mark.skipif(not HERE, reason="mlflow is not installed: pip install 'faultbench[mlflow]'")

CELL = {"dataset": "plant", "scenario": "new-device", "learner": "toy:mood=good", "compressor": "none", "target": "x86"}
SETTINGS = {"level": "T3", "note": "one rig", "ways": 3, "shots": 5, "quick": True, "seeds": 2, "snr": "clean"}


@pytest.fixture
def row():
    counts = {"params": 11_500, "train_s": 2.5}
    made = row_of({**CELL, **SETTINGS}, None, None, counts, [], digest="d" * 64, kind="measured", labels=["structure only"])
    return {
        **made,
        "accuracy": {"mean": 0.9, "ci_low": 0.8, "ci_high": None, "clusters": "3 fault"},
        "latency_ms": {"p50": 0.1, "p99": 0.2, "n": 100},
        "recall": {"rare": {"mean": 0.7}, "worst": None},
        "achieved": {"re|moved": 0.4, "holds": True},
    }


def test_figures_keep_the_names_of_the_json(row):
    assert metrics_of(row) == {
        "accuracy.mean": 0.9,
        "accuracy.ci_low": 0.8,
        "recall.rare.mean": 0.7,
        "latency_ms.p50": 0.1,
        "latency_ms.p99": 0.2,
        "latency_ms.n": 100.0,
        "params": 11_500.0,
        "train_s": 2.5,
        "achieved.re_moved": 0.4,
    }


def test_axes_and_settings_are_parameters_and_unknown_ones_are_left_out(row):
    said = params_of(row)
    assert said["learner"] == "toy:mood=good"
    assert said["ways"] == "3"
    assert said["quick"] == "true"
    assert "window" not in said


def test_what_must_be_known_beside_the_figures_is_a_tag(row):
    said = tags_of(row)
    assert said["faultbench.level"] == "T3 (one rig)"
    assert said["faultbench.watermark"] == "quick"
    assert said["faultbench.labels"] == "structure only"
    assert said["faultbench.digest"] == "d" * 64
    assert said["faultbench.verdict"] == row["verdict"]["overall"]
    assert "faultbench.error" not in said
    failed = row_of(CELL, None, None, {}, [], digest="d", error="x" * 9000)
    assert len(tags_of(failed)["faultbench.error"]) == 5000


def test_a_folder_becomes_a_uri_and_a_uri_stays_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tracking_uri("runs") == (tmp_path / "runs").as_uri()
    assert tracking_uri("http://tracker:5000") == "http://tracker:5000"
    assert tracking_uri("file:///there") == "file:///there"


class Site:
    """A place for one run: `centroid` on the embedded data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """The command; `before` is Python that runs first."""
        places = {"FAULTBENCH_CACHE": str(self.folder / "cache"), "FAULTBENCH_RESULTS": str(self.folder / "results")}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "FAULTBENCH_MLFLOW"))}
        return subprocess.run(
            [*COMMAND[:2], before + COMMAND[2], *words],
            env={**clean, **places, "OMP_NUM_THREADS": "1", **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )


SMALL = ("run", "-l", "centroid", "--quick", "--episodes", "4", "--json", "out.json")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def ran(site) -> subprocess.CompletedProcess[str]:
    """A run with a cell that is judged and one that makes no sense, logged to a folder."""
    return site.run(*SMALL, "-c", "none,prune40", FAULTBENCH_MLFLOW="runs")


@with_mlflow
def test_a_run_becomes_an_mlflow_run_with_a_nested_one_for_each_cell(site, ran, monkeypatch):
    assert ran.returncode == 0, ran.stderr
    assert "warning" not in ran.stderr
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=(site.folder / "runs").as_uri())
    experiment = client.get_experiment_by_name("faultbench")
    runs = client.search_runs([experiment.experiment_id])
    (whole,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    cells = {run.data.params["compressor"]: run for run in runs if run.data.tags.get("mlflow.parentRunId") == whole.info.run_id}
    assert len(runs) == 3
    assert set(cells) == {"none", "prune40"}
    assert whole.info.status == "FINISHED"
    assert whole.data.tags["faultbench.command"].startswith("faultbench run -l centroid")
    assert whole.data.tags["faultbench.cells"] == "2"
    assert whole.data.tags["faultbench.exit_code"] == "0"

    rows = {row["cell"]["compressor"]: row for row in json.loads((site.folder / "out.json").read_text())["rows"]}
    judged, declined = cells["none"], cells["prune40"]
    assert judged.data.metrics["accuracy.mean"] == rows["none"]["accuracy"]["mean"]
    assert judged.data.metrics["accuracy.ci_low"] == rows["none"]["accuracy"]["ci_low"]
    assert judged.data.metrics["latency_ms.p99"] == rows["none"]["latency_ms"]["p99"]
    assert judged.data.params["learner"] == "centroid"
    assert judged.data.params["episodes"] == "4"
    assert judged.data.tags["faultbench.watermark"] == "quick"
    assert judged.data.tags["faultbench.digest"] == rows["none"]["digest"]
    kept = json.loads(Path(client.download_artifacts(judged.info.run_id, "row.json", str(site.folder))).read_text())
    assert kept["accuracy"] == rows["none"]["accuracy"]
    assert declined.data.tags["faultbench.verdict"] == "not applicable"
    assert "the net has no filters" in declined.data.tags["faultbench.not_applicable"]
    assert "accuracy.mean" not in declined.data.metrics


@with_mlflow
def test_a_second_run_goes_to_the_same_experiment_and_another_name_to_another(site, ran):
    def folders() -> set[Path]:
        return {path.parent for path in (site.folder / "runs").glob("*/meta.yaml") if path.parent.name != "0"}

    before = folders()
    assert site.run(*SMALL, FAULTBENCH_MLFLOW="runs").returncode == 0
    assert folders() == before
    assert site.run(*SMALL, FAULTBENCH_MLFLOW="runs", MLFLOW_EXPERIMENT_NAME="bearings").returncode == 0
    assert len(folders()) == len(before) + 1


@with_mlflow
def test_a_run_that_cannot_be_done_is_failed_in_mlflow_too(site, ran, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    done = site.run("run", "-l", "cnn:frontend=welch:segment=8192", "--quick", "--episodes", "2", FAULTBENCH_MLFLOW="failed")
    assert done.returncode == 2
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=(site.folder / "failed").as_uri())
    runs = client.search_runs([client.get_experiment_by_name("faultbench").experiment_id])
    assert {run.info.status for run in runs} == {"FAILED"}
    (cell,) = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert "does not hold whole hops of 4096" in cell.data.tags["faultbench.error"]


def test_nothing_is_logged_where_nobody_asks_for_it(site, ran):
    done = site.run(*SMALL, MLFLOW_TRACKING_URI=(site.folder / "elsewhere").as_uri(), FAULTBENCH_MLFLOW="")
    assert done.returncode == 0
    assert not (site.folder / "elsewhere").exists()
    assert not (site.folder / "mlruns").exists()


@with_mlflow
def test_a_server_that_does_not_answer_costs_one_warning(site, ran):
    with socket.socket() as taken:  # a port that nobody listens on
        taken.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}"
        environment = {"FAULTBENCH_MLFLOW": uri, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}
        done = site.run(*SMALL, "-c", "none,prune40", **environment)
    assert done.returncode == 0
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "(entry point mlflow) failed in faultbench_run_started (MlflowException: " in warnings[0]
    assert warnings[0].endswith(": the run goes on without it")


@with_mlflow
def test_a_store_that_breaks_in_the_middle_costs_one_warning(site, ran):
    full = "def full(*_, **__): raise OSError(28, 'No space left on device')\n"
    before = f"import mlflow.tracking as tracking\n{full}tracking.MlflowClient.log_batch = full\n"
    done = site.run(*SMALL, "-c", "none,prune40", before=before, FAULTBENCH_MLFLOW="broken")
    assert done.returncode == 0
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "failed in faultbench_cell_finished (OSError: [Errno 28] No space left on device): the run goes on without it" in warnings[0]


def test_without_mlflow_the_warning_says_what_to_install(site, ran):
    code = (
        "import sys\nsys.modules['mlflow'] = sys.modules['mlflow.tracking'] = None\n"
        "from faultbench.registry import Registry\nhook = Registry.discover(plugins=False).hook\n"
        "hook.faultbench_run_started({'command': ['faultbench'], 'cells': [], 'protocol': 1})\n"
        "hook.faultbench_cell_finished({})\nhook.faultbench_run_finished({'exit_code': 0})\n"
    )
    environment = {**os.environ, "FAULTBENCH_MLFLOW": "runs"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False)
    (warning,) = done.stderr.splitlines()
    assert "FAULTBENCH_MLFLOW is set, and mlflow cannot be imported" in warning
    assert "pip install mlflow-skinny, or unset FAULTBENCH_MLFLOW" in warning


@with_mlflow
@pytest.mark.skipif(importlib.util.find_spec("sqlalchemy") is not None, reason="the whole of MLflow may be here, which writes databases")
def test_a_database_without_the_whole_of_mlflow_is_told_what_to_install(tmp_path):
    code = (
        "from faultbench.registry import Registry\nhook = Registry.discover(plugins=False).hook\n"
        "hook.faultbench_run_started({'command': ['faultbench'], 'cells': [], 'protocol': 1})\n"
    )
    environment = {**os.environ, "FAULTBENCH_MLFLOW": "sqlite:///runs.db"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "names a place (sqlite:) that the installed MLflow cannot write: name a folder or a server" in done.stderr
    assert "pip install mlflow for a database): the run goes on without it" in done.stderr


def test_the_row_is_only_looked_at(row):
    before = copy.deepcopy(row)
    params_of(row), metrics_of(row), tags_of(row)
    assert row == before
