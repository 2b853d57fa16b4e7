"""From a net to an artifact, held against torch."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from faultbench.artifact.writer import write_artifact
from faultbench.errors import NotApplicable
from faultbench.learning.contracts import HostOnly, Physics
from faultbench.learning.net import Net
from faultbench.learning.parity import Task, parity, tasks_wanted
from faultbench.learning.stepwise import StepwiseLearner
from faultbench.matrix.cache import entry_of
from faultbench.matrix.episodes import episode_windows
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import PoolSignals
from faultbench.matrix.stages import ACHIEVED_FILE, ARTIFACT_FOLDER, EXPORT_FILE
from faultbench.matrix.stages.learners import Bench, bench, repeatable
from faultbench.measuring.target import EpisodeWindows
from faultbench.results.row import plain


def export(work: Work) -> None:
    """Writes the artifact, what the compressors achieved, how long the training took, and how the graphs compare with torch.

    Raises:
        NotApplicable: The learner runs on the host only.
    """
    at = bench(work)
    with repeatable(work, at.split):
        net = at.stored(work)
        graphs = at.learner.export(net, at.shape)
        if isinstance(graphs, HostOnly):
            raise NotApplicable(f"{work.params['learner'].spelling} cannot be exported: {graphs.reason}")
        write_artifact(
            work.out / ARTIFACT_FOLDER,
            graphs,
            ways=at.shape.ways,
            window=at.shape.window,
            channels=at.shape.channels,
            rate_hz=at.shape.rate_hz,
            learner=work.params["learner"].spelling,
            compressor=work.params["chain"],
            provenance=work.key,
        )
        compared = _parity(work, at, net)
    nets = [folder for role, folder in work.inputs.items() if role.startswith("made.")]
    said = {
        "parity": compared,
        "achieved": _achieved(nets),
        "train_s": sum(entry_of(folder).seconds for folder in nets),
        "artifact_bytes": sum(path.stat().st_size for path in (work.out / ARTIFACT_FOLDER).iterdir()),
    }
    (work.out / EXPORT_FILE).write_text(json.dumps(plain(said), indent=1, sort_keys=True), encoding="utf-8")


def _parity(work: Work, at: Bench, net: Net) -> dict[str, Any] | None:
    """The artifact against torch on the first episodes; None for a learner whose steps cannot be followed one by one."""
    if not isinstance(at.learner, StepwiseLearner):
        return None
    first = dataclasses.replace(at.split, episodes=at.split.episodes[: tasks_wanted(at.learner.steps)])
    episodes = episode_windows(first, PoolSignals(work.inputs["ingest"], at.split.target))
    windows = torch.from_numpy(episodes.windows)
    one_hot = torch.eye(at.shape.ways)
    tasks = [
        Task(windows[support], one_hot[torch.from_numpy(labels)], windows[query], _physics(episodes, support), _physics(episodes, query))
        for support, labels, query in zip(episodes.support, episodes.support_labels, episodes.query, strict=True)
    ]
    found = parity(at.learner, net, work.out / ARTIFACT_FOLDER, tasks)
    return {**dataclasses.asdict(found), "holds": found.holds}


def _physics(episodes: EpisodeWindows, chosen: NDArray[np.int64]) -> Physics | None:
    """What is known at some windows of the episodes."""
    if episodes.speed_rpm is None or episodes.orders is None:
        return None
    return Physics(torch.from_numpy(episodes.speed_rpm[chosen]), torch.from_numpy(episodes.orders[chosen]))


def _achieved(nets: list[Path]) -> dict[str, Any]:
    """What the links of the chain achieved, by name; a name that two links use is numbered."""
    achieved: dict[str, Any] = {}
    for number, folder in enumerate(nets):
        if (folder / ACHIEVED_FILE).exists():
            for name, value in json.loads((folder / ACHIEVED_FILE).read_text(encoding="utf-8")).items():
                achieved[name if name not in achieved else f"{name}.{number}"] = value
    return achieved
