"""The contract of a compressor of a model: a net that is smaller and still a net, and an honest word on what was achieved."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from faultbench.artifact.reader import read_manifest
from faultbench.artifact.runner import Artifact, RunError
from faultbench.defaults import DEFAULTS
from faultbench.errors import FaultbenchError, NotApplicable
from faultbench.learning.compressing import Context
from faultbench.learning.contracts import Budget, Learner, ModelCompressor
from faultbench.learning.net import Net, load_net, save_net
from faultbench.learning.parts import RegistryParts
from faultbench.learning.repeatable import repeatable
from faultbench.registry import make
from faultbench.results.row import plain
from faultbench.testing import bench
from faultbench.testing.bench import once
from faultbench.testing.checks import Checks, NotAsked, broken, require, type_of
from faultbench.testing.episodes import SHAPE, WAYS, source_tasks, target_task
from faultbench.testing.learner_bench import agreement, answer, close, on_device, same, tensors
from faultbench.testing.learners import ALIKE
from faultbench.testing.reference import Reference, written

CHECKS = Checks()

SCALE = 0.1
"""The share of the training that nets have had, and that they get again."""
EPISODES = 4


@dataclass(slots=True)
class Tried:
    """What a compressor made of one net.

    Args:
        learner: Whose net it was.
        before: The net as it was given.
        after: The net that came back.
        achieved: What was said of it.
    """

    learner: Learner
    before: Net
    after: Net
    achieved: Mapping[str, object]


class Bench(bench.Bench):
    """A compressor, tried on nets of several kinds."""

    part: ModelCompressor

    @once
    def learners(self) -> dict[str, Learner]:
        """Whose nets are compressed. The last is the one that a run takes by default, where the compressor applies to none before it."""
        return {
            "a trained convolutional net": Reference(),
            "an untrained convolutional net": Reference(meta_trained=False),
            "a net without weights": Reference(body=lambda _shape: nn.Flatten(), meta_trained=False),
            "the net of a default run": make(self.registry.choose("learners", DEFAULTS["learners"][0])),
        }

    @once
    def answers(self) -> dict[str, Tried | str]:
        """What came of each net, or why it does not apply."""
        *small, default = self.learners
        found = {name: self.compress(name) for name in small}
        if not any(isinstance(came, Tried) for came in found.values()):
            found[default] = self.compress(default)
        return found

    @once
    def trained(self) -> dict[str, Net]:
        """The nets made so far, as they were before they were compressed."""
        return {}

    @once
    def artifacts(self) -> dict[tuple[str, bool], Path]:
        """The artifacts written so far, by net, and whether it is the net as it was given."""
        return {}

    @property
    def tried(self) -> dict[str, Tried]:
        """What came of the nets that it applies to."""
        found = {name: came for name, came in self.answers.items() if isinstance(came, Tried)}
        if not found:
            raise NotAsked(f"it applies to no net that was tried: {next(iter(self.answers.values()))}")
        return found

    def compress(self, name: str) -> Tried | str:
        """One net compressed, by an instance of its own, or the reason why not."""
        learner = self.learners[name]
        if name not in self.trained:
            with repeatable():
                untrained = learner.build(SHAPE, RegistryParts(self.registry), 0)
                self.trained[name] = learner.fit(untrained, source_tasks(), Budget(SCALE, seed=1))
        net = self.trained[name]
        given = copy.deepcopy(net)
        with repeatable():
            context = Context(SHAPE, learner, source_tasks(1), Budget(SCALE, seed=2))
            try:
                answer = self.another().compress(given, context)
            except NotApplicable as reason:
                return str(reason)
        require(
            isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], Net) and isinstance(answer[1], Mapping),
            f"compress returns {type_of(answer)}",
            "return the net and a mapping of what was achieved",
        )
        return Tried(learner, net, *answer)


@CHECKS.promise("it gives a net, and says what it achieved")
def _answers(bench: Bench) -> None:
    for name, tried in bench.tried.items():
        require(
            all(isinstance(key, str) for key in tried.achieved), f"what it achieved on {name} has a key that is no text", "name each figure"
        )


@CHECKS.promise("what does not apply is said in one line", telling=False)
def _declines(bench: Bench) -> None:
    for name, came in bench.answers.items():
        if isinstance(came, str):
            require(came.strip() and came.isprintable(), f"of {name} it says {came!r}", "raise NotApplicable with the reason, in one line")


@CHECKS.promise("what it achieved is plain JSON")
def _achieved(bench: Bench) -> None:
    for name, tried in bench.tried.items():
        try:
            said = plain(tried.achieved)
            json.dumps(said, allow_nan=False)
        except (TypeError, ValueError) as error:
            broken(f"what it achieved on {name} is no JSON ({error})", "return numbers, strings, lists and mappings")
        labels = [value for key, value in said.items() if key.startswith("label")]
        require(
            all(isinstance(label, str) for label in labels),
            f"its label on {name} is no text",
            "let `label` be what the row must say, in a few words",
        )


@CHECKS.promise("compressing twice gives the same net")
def _same(bench: Bench) -> None:
    name = next(iter(bench.tried))
    again = bench.compress(name)
    first = bench.tried[name]
    require(
        isinstance(again, Tried) and same(tensors(first.after), tensors(again.after)) and plain(first.achieved) == plain(again.achieved),
        f"compressed twice, {name} becomes two",
        "draw by torch's global generator and by the context, and by nothing else",
    )


@CHECKS.promise("the front end stays as it was")
def _frontend(bench: Bench) -> None:
    task = target_task()
    for name, tried in bench.tried.items():
        require(
            tried.after.features_shape == tried.before.features_shape
            and close(*(net.raw_features(task.query, task.query_physics) for net in (tried.after, tried.before))),
            f"{name} has other features after it",
            "compress the body alone: front ends have their own axis in names and rows",
        )


@CHECKS.promise("its net can be stored and loaded")
def _stored(bench: Bench) -> None:
    task = target_task()
    for number, (name, tried) in enumerate(bench.tried.items()):
        folder = bench.folder(f"net-{number}")
        try:
            save_net(tried.after, folder)
            loaded = load_net(tried.learner.build(SHAPE, RegistryParts(bench.registry), 0), folder)
        except (FaultbenchError, RuntimeError) as error:
            broken(f"{name} cannot be loaded after it ({error})", "change the sizes of the layers that there are, and add or drop none")
        require(
            close(*(answer(tried.learner, net, task) for net in (loaded, tried.after))),
            f"stored and loaded, {name} gives other answers",
            "keep in tensors what it computes with: attributes are lost",
        )


@CHECKS.promise("its net can be exported, and the device answers as torch does")
def _exported(bench: Bench) -> None:
    task, (name, tried) = target_task(), next(iter(bench.tried.items()))
    try:
        found = on_device(Artifact(_artifact(bench, name)), task)
    except (FaultbenchError, RunError) as error:
        broken(f"no artifact comes of {name} ({error})", "leave layers that the exporter knows")
    share = agreement(found, answer(tried.learner, tried.after, task))
    require(
        share >= ALIKE,
        f"{1 - share:.0%} of the device's answers on {name} are not torch's",
        "compute in float32, in layers that the exporter knows",
    )


@CHECKS.promise("its net still tells classes apart")
def _still_learns(bench: Bench) -> None:
    for name, tried in bench.tried.items():
        found = []
        for seed in range(EPISODES):
            task = target_task(seed)
            logits = answer(tried.learner, tried.after, task)
            found.append(float((logits.argmax(1) == task.truth).float().mean()))
        accuracy, chance = float(np.mean(found)), 1 / WAYS
        require(
            accuracy > (1 + chance) / 2,
            f"after it, {name} is right in {accuracy:.0%} of an easy task (chance is {chance:.0%})",
            "go on training with ctx.fit, remove less, or look at what was removed",
        )


@CHECKS.promise("what it claims can be measured in the artifact")
def _measured(bench: Bench) -> None:
    name, tried = next(iter(bench.tried.items()))
    claims = {key: value for key, value in tried.achieved.items() if not key.startswith("label")}
    if not claims:
        return
    before, after = _sizes(_artifact(bench, name, before=True)), _sizes(_artifact(bench, name))
    require(
        any(after[what] < before[what] for what in before),
        f"it says {claims} of {name}, and the artifact is not smaller ({before} before, {after} after)",
        "let what it takes away be gone from the tensors, or claim nothing",
    )


def _artifact(bench: Bench, name: str, *, before: bool = False) -> Path:
    """The artifact of a net, as it was given or as it came back."""
    kept = bench.artifacts
    if (name, before) not in kept:
        tried = bench.tried[name]
        with repeatable():
            graphs = tried.learner.export(copy.deepcopy(tried.before if before else tried.after), SHAPE)
        kept[name, before] = written(graphs, SHAPE, bench.folder(f"artifact-{len(kept)}"))
    return kept[name, before]


def _sizes(artifact: Path) -> dict[str, int]:
    """What is measured of an artifact: parameters of the deployed net, bytes, and bytes as they travel, deflated."""
    blobs = [path.read_bytes() for path in sorted(artifact.iterdir()) if path.suffix in (".onnx", ".npz")]
    return {
        "params": int(read_manifest(artifact).info.get("params", 0)),
        "bytes": sum(map(len, blobs)),
        "deflated bytes": sum(len(zlib.compress(blob)) for blob in blobs),
    }
