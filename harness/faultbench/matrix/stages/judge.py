"""From the measurements of all seeds of a cell to its row."""

from __future__ import annotations

import dataclasses
import json
import platform
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from faultbench.artifact.reader import read_manifest
from faultbench.data.split import Split
from faultbench.data.splitfile import digest as split_digest
from faultbench.data.splitfile import load_split
from faultbench.matrix.graph import Work
from faultbench.matrix.keys import digest, versions
from faultbench.matrix.measurement import load_measurement
from faultbench.matrix.outcome import joined, outcome
from faultbench.matrix.stages import ARTIFACT_FOLDER, EXPORT_FILE, ROW_FILE, SPLIT_FOLDER
from faultbench.measuring.summary import times
from faultbench.measuring.target import Measurement
from faultbench.results.criteria import parse
from faultbench.results.row import row

LIBRARIES = ("faultbench", "numpy", "scipy", "torch", "pytorch-lightning", "torch-pruning", "onnx", "onnxscript", "onnxruntime")
"""Whose versions a row carries."""


def judge(work: Work) -> None:
    """Computes a cell's row, over all its seeds, and judges it."""
    seeds = range(work.params["cell"]["seeds"])
    splits = [load_split(work.inputs[f"episodes.{seed}"] / SPLIT_FOLDER) for seed in seeds]
    measured = [load_measurement(work.inputs[f"measure.{seed}"]) for seed in seeds]
    exported = [json.loads((work.inputs[f"export.{seed}"] / EXPORT_FILE).read_text(encoding="utf-8")) for seed in seeds]
    infos = [read_manifest(work.inputs[f"export.{seed}"] / ARTIFACT_FOLDER).info for seed in seeds]
    parity = _worst([e["parity"] for e in exported])
    made = row(
        {**work.params["cell"], **_cell(splits)},
        joined([outcome(split, m.predictions) for split, m in zip(splits, measured, strict=True)]),
        {
            "finetune_s": times(np.concatenate([m.finetune_s for m in measured])),
            "latency_ms": times(np.concatenate([m.latency_s for m in measured]), "ms"),
            "network_ms": times(np.concatenate([m.network_s for m in measured]), "ms"),
        },
        _figures(measured, exported, infos),
        parse(work.params["criteria"]),
        digest=work.params["digest"],
        split_digest=digest([[split_digest(split) for split in splits], work.params["catalogues"]]),
        kind=measured[0].kind,
        device=measured[0].device,
        versions={"python": platform.python_version(), **{name: found for name, found in versions(LIBRARIES).items() if found}},
        baseline=work.params["baseline"],
        labels=_labels(exported, parity),
        achieved={name: value for name, value in exported[0]["achieved"].items() if not name.startswith("label")},
        parity=parity,
        notes={name: text for m in measured for name, text in m.notes.items()},
        void="; ".join(dict.fromkeys(m.void for m in measured if m.void)),
    )
    (work.out / ROW_FILE).write_text(json.dumps(made, indent=1, sort_keys=True, allow_nan=False), encoding="utf-8")


def _cell(splits: Sequence[Split]) -> dict[str, Any]:
    """What the scenario made of the settings: the same for all seeds, but for the note of what it left out."""
    first = splits[0]
    recordings = sorted({f"{r.dataset}/{r.id}" for split in splits for r in split.target.recordings})
    return {
        "level": first.level,
        "note": first.note,
        **dataclasses.asdict(first.request),
        "window": first.window,
        "channels": list(first.target.channels[0]),
        "rate_hz": first.rate_hz,
        "target_recordings": digest(recordings),
    }


def _figures(measured: Sequence[Measurement], exported: Sequence[dict[str, Any]], infos: Sequence[Any]) -> dict[str, Any]:
    """The plain numbers: the median over seeds of times, the largest of sizes."""
    return {
        "load_s": statistics.median(m.load_s for m in measured),
        "first_ms": 1e3 * statistics.median(m.first_s for m in measured),
        "peak_rss_bytes": _over([m.peak_rss_bytes for m in measured], max),
        "params": _over([info.get("params") for info in infos], max),
        "macs": _over([_macs(info) for info in infos], max),
        "artifact_bytes": max(e["artifact_bytes"] for e in exported),
        "train_s": statistics.median(e["train_s"] for e in exported),
    }


def _macs(info: Any) -> int | None:
    """Multiply-accumulates from a raw window to its class: where both graphs are counted, both."""
    if "macs" not in info:
        return None
    return int(info["macs"]) + int(info.get("features_macs", 0))


def _over(values: Sequence[int | None], whole: Callable[[Sequence[int]], int]) -> int | None:
    """A figure over seeds, None where a seed has none."""
    known = [value for value in values if value is not None]
    return whole(known) if len(known) == len(values) else None


def _worst(found: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """The parity of the seed that is furthest from torch."""
    known = [parity for parity in found if parity is not None]
    return max(known, key=lambda parity: (not parity["holds"], parity["logits"]), default=None)


def _labels(exported: Sequence[dict[str, Any]], parity: dict[str, Any] | None) -> list[str]:
    """What has to be said about the cell."""
    said = [str(value) for e in exported for name, value in e["achieved"].items() if name.startswith("label")]
    if parity is not None and not parity["holds"]:
        said.append("graphs differ from torch")
    return list(dict.fromkeys(said))
