"""Runs as MLflow runs, where `FAULTBENCH_MLFLOW` says where to: a folder, or a tracking URI (`http://...`, `sqlite:///...`).

A run of faultbench becomes one MLflow run with a nested run for each cell: axes and settings are its parameters, figures its metrics
(`accuracy.ci_low`, `latency_ms.p99`), what must be known beside them its tags, and the whole row its artifact `row.json`. The experiment
is called `faultbench`, or as `MLFLOW_EXPERIMENT_NAME` says. MLflow's own variables (user, password, token) hold.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultbench.api import PluginError, hookimpl

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

WHERE = "FAULTBENCH_MLFLOW"
EXPERIMENT = "faultbench"
FIGURES = (
    *("accuracy", "accuracy_faults", "recall", "false_alarm", "missed_alarm", "bearings", "achieved", "parity", "looks"),
    *("finetune_s", "latency_ms", "network_ms", "decision_ms", "load_s", "first_ms", "train_s", "energy_mj"),
    *("peak_rss_bytes", "params", "macs", "train_macs", "artifact_bytes", "bundle_bytes"),
)
"""What of a row is measured."""
SAID = ("digest", "protocol", "kind", "watermark", "baseline", "void", "error", "not_applicable")
"""What must be known beside the figures."""

_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # by default MLflow waits minutes for a server that does not answer
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nobody who asked for a local folder asked for that
}
_MOST_CHARACTERS = 5000
"""Of a tag or a parameter: MLflow refuses longer ones."""
_INTERRUPTED, _DONE = 130, (0, 1, 3)


@dataclass(slots=True)
class _Log:
    """An MLflow run that is being written."""

    client: MlflowClient
    experiment: str
    run: str


class MlflowRuns:
    """The observer. What fails ends the logging, in one warning, and never the run."""

    def __init__(self) -> None:
        self._log: _Log | None = None

    @hookimpl
    def faultbench_run_started(self, plan: Mapping[str, Any]) -> None:
        """Begins the MLflow run, where one is asked for."""
        self._log = None
        where = os.environ.get(WHERE)
        if where:
            client = _client(where)
            experiment = _experiment(client, os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)
            command = " ".join(plan["command"])
            said = {"command": _short(command), "protocol": plan["protocol"], "cells": len(plan["cells"])}
            tags = {f"faultbench.{name}": str(value) for name, value in said.items()}
            begun = client.create_run(experiment, run_name=_short(command, 200) or "faultbench", tags=tags)
            self._log = _Log(client, experiment, begun.info.run_id)

    @hookimpl
    def faultbench_cell_finished(self, row: Mapping[str, Any]) -> None:
        """Writes a cell as a nested run."""
        if self._log is None:
            return
        log, self._log = self._log, None  # until it has worked: what fails once is not tried again for every cell
        from mlflow.entities import Metric, Param

        title = " ".join(str(row["cell"][axis]) for axis in ("dataset", "scenario", "learner", "compressor", "target"))
        begun = log.client.create_run(log.experiment, run_name=_short(title, 200), tags={"mlflow.parentRunId": log.run, **tags_of(row)})
        run = begun.info.run_id
        now = begun.info.start_time
        metrics = [Metric(name, value, now, 0) for name, value in metrics_of(row).items()]
        log.client.log_batch(run, metrics=metrics, params=[Param(name, value) for name, value in params_of(row).items()])
        log.client.log_dict(run, dict(row), "row.json")
        log.client.set_terminated(run, "FAILED" if row["error"] else "FINISHED")
        self._log = log

    @hookimpl
    def faultbench_run_finished(self, summary: Mapping[str, Any]) -> None:
        """Ends the MLflow run."""
        log, self._log = self._log, None
        if log is None:
            return
        for name, value in summary.items():
            log.client.set_tag(log.run, f"faultbench.{name}", str(value))
        code = summary["exit_code"]
        log.client.set_terminated(log.run, "KILLED" if code == _INTERRUPTED else "FINISHED" if code in _DONE else "FAILED")


def params_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A cell's axes and settings as text, those that are known."""
    return {_name(key): _text(value) for key, value in row["cell"].items() if value is not None}


def metrics_of(row: Mapping[str, Any]) -> dict[str, float]:
    """A row's figures by their names in the JSON, those that are known."""
    return {name: value for figure in FIGURES for name, value in _numbers(figure, row.get(figure))}


def tags_of(row: Mapping[str, Any]) -> dict[str, str]:
    """What must be known beside the figures: the verdict, the level, the watermark, the device, and why there are none."""
    said = {
        "verdict": row["verdict"]["overall"],
        "level": " ".join(filter(None, (row["cell"].get("level"), row["cell"].get("note") and f"({row['cell']['note']})"))),
        "device": row["device"] and row["device"]["name"],
        "labels": ", ".join(row["labels"]),
        **{name: row[name] for name in SAID},
    }
    return {f"faultbench.{name}": _text(value) for name, value in said.items() if value not in (None, "")}


def tracking_uri(where: str) -> str:
    """What MLflow is given: a URI as it is, a folder as one."""
    return where if "://" in where or where.startswith("file:") else Path(where).expanduser().absolute().as_uri()


def _client(where: str) -> MlflowClient:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    uri = tracking_uri(where)
    if uri.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3.13 and later want to be asked
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        what = f"{WHERE} is set, and mlflow cannot be imported ({error})"
        raise PluginError(f"{what}: pip install mlflow-skinny, or unset {WHERE}") from error
    try:
        return MlflowClient(tracking_uri=uri)
    except (MlflowException, ImportError) as error:  # the small package, mlflow-skinny, writes no database
        what = f"{WHERE} names a place ({uri.partition(':')[0]}:) that the installed MLflow cannot write"  # no password of the rest
        raise PluginError(f"{what}: name a folder or a server (http://...), or pip install mlflow for a database") from error


def _experiment(client: MlflowClient, name: str) -> str:
    """The experiment's id; it is made where there is none."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage != "active":
        raise PluginError(f"the MLflow experiment {name} is deleted: restore it, or name another by MLFLOW_EXPERIMENT_NAME")
    return str(found.experiment_id)


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(f"{name}.{key}", inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield _name(name), float(value)


def _name(text: str) -> str:
    """A name as MLflow takes it: a compressor's figures may be called anything."""
    return re.sub(r"[^\w\-./: ]", "_", text, flags=re.ASCII)[:250]


def _text(value: Any) -> str:
    return _short(value if isinstance(value, str) else json.dumps(value))


def _short(text: str, most: int = _MOST_CHARACTERS) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
