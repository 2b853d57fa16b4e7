"""Does the artifact compute what torch computes? Checked when it is exported, and recorded in the row.

Float32 alone cannot answer: a ReLU or pooling decision that the last bit turns over makes one step differ by a per cent or
two of the update, between two formulations in torch as well. So the traced formulas are held against autograd in float64,
where nothing turns over, and the graph in float32 against torch from the same state, step by step.

An adapted support leaves no gradient to compare. So the last step of every task, and that of the formulas, is one towards
the labels of the next class: a step that has something to do.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from faultbench.artifact.format import PHYSICS
from faultbench.learning.contracts import Physics, State
from faultbench.learning.export import trace
from faultbench.learning.net import Net
from faultbench.learning.stepwise import StepwiseLearner

FORMULA_LIMIT = 1e-10
"""Traced formulas against autograd, float64, relative to the update."""
STEP_LIMIT = 1e-5
"""A float32 step against torch from the same state, relative to the state."""
TURNED_LIMIT = 5e-2
"""The same, relative to the update, where a decision turned over."""
TURNED_SHARE = 0.1
"""How many steps may have a decision turned over."""
STEPS_WANTED = 20
"""Steps that are compared at least: of fewer, a share of one in ten says nothing."""
OUTPUT_LIMIT = 1e-4
"""Features and logits, relative to their largest."""


@dataclass(frozen=True, slots=True)
class Parity:
    """What was found. Errors are the largest over tensors.

    Args:
        formulas: Of one traced step against autograd in float64, relative to the update.
        steps: Steps compared in float32.
        step: Of the float32 steps in which no decision turned over, relative to the state.
        turned: Steps in which a decision turned over.
        turned_error: Of those, relative to the update.
        features: Of the features, relative to their largest.
        logits: Of the logits from the same state, relative to their largest.
    """

    formulas: float
    steps: int
    step: float
    turned: int
    turned_error: float
    features: float
    logits: float

    @property
    def holds(self) -> bool:
        """Whether the artifact computes what torch computes."""
        return (
            self.formulas <= FORMULA_LIMIT
            and self.turned <= TURNED_SHARE * self.steps
            and self.turned_error <= TURNED_LIMIT
            and max(self.features, self.logits) <= OUTPUT_LIMIT
        )


@dataclass(frozen=True, slots=True)
class Task:
    """One episode's raw windows.

    Args:
        support: (k, channel, sample), as many as the artifact's `adapt` takes.
        labels: One-hot (k, way).
        query: (n, channel, sample).
        support_physics: (k,), where it is known.
        query_physics: (n,), where it is known.
    """

    support: Tensor
    labels: Tensor
    query: Tensor
    support_physics: Physics | None = None
    query_physics: Physics | None = None


def tasks_wanted(steps: int) -> int:
    """How many tasks it takes to compare `STEPS_WANTED` steps, one of each task's being the extra one."""
    return -(-STEPS_WANTED // (steps + 1))


def parity(learner: StepwiseLearner, net: Net, artifact: Path, tasks: Sequence[Task]) -> Parity:
    """Holds an artifact against torch on some tasks.

    Args:
        learner: The learner that was exported.
        net: Its net.
        artifact: The artifact's folder.
        tasks: As many as `tasks_wanted` says, at least one.
    """
    net = net.eval()
    sessions = {role: _session(artifact / f"{role}.onnx") for role in ("features", "adapt", "predict")}
    steps: list[tuple[float, float]] = []
    features_error = logits_error = formulas = 0.0
    for task in tasks:
        with torch.no_grad():
            features = net.features(task.support, task.support_physics)
            query_features = net.features(task.query, task.query_physics)
        state = {name: tensor.detach() for name, tensor in learner.initial(net, task.labels.shape[1]).items()}
        others = task.labels.roll(1, 1)
        for labels in [*[task.labels] * learner.steps, others]:
            adapted = state
            after = {name: tensor.detach() for name, tensor in learner.step(net, state, features, labels).items()}
            got = _run(sessions["adapt"], {**state, "features": features, "labels": labels})
            steps.append(_step_errors(state, after, {name: got[f"new.{name}"] for name in after}))
            state = after
        state = adapted
        if task is tasks[0]:
            formulas = _formulas(learner, net, state, features, others)
        logits = learner.logits(net, state, query_features).detach()
        known = {} if task.query_physics is None else {name: getattr(task.query_physics, name) for name in PHYSICS}
        front = _run(sessions["features"], {"windows": task.query, **known})["features"]
        predicted = _run(sessions["predict"], {**state, "features": query_features})["logits"]
        features_error = max(features_error, _relative(front, query_features))
        logits_error = max(logits_error, _relative(predicted, logits))
    turned = [update for step, update in steps if step > STEP_LIMIT]
    return Parity(
        formulas=formulas,
        steps=len(steps),
        step=max((step for step, _ in steps if step <= STEP_LIMIT), default=0.0),
        turned=len(turned),
        turned_error=max(turned, default=0.0),
        features=features_error,
        logits=logits_error,
    )


def _step_errors(before: State, after: State, got: Mapping[str, NDArray[np.float32]]) -> tuple[float, float]:
    """The largest error of a step over its tensors: relative to the state, and to the update."""
    to_state = to_update = 0.0
    for name, value in after.items():
        error = _worst(got[name], value)
        if error == np.inf:
            return error, error
        # A tensor of zeros (a head before the first step) has no size of its own to be measured by.
        to_state = max(to_state, error / max(float(value.abs().max()), 1e-3))
        to_update = max(to_update, error / max(float((value - before[name]).abs().max()), 1e-12))
    return to_state, to_update


def _formulas(learner: StepwiseLearner, net: Net, state: State, features: Tensor, labels: Tensor) -> float:
    """The traced step against autograd, in float64, relative to each tensor's update."""
    double = copy.deepcopy(net).double()
    names = list(state)
    inputs = [features.double(), labels.double(), *(tensor.double() for tensor in state.values())]

    def step(features: Tensor, labels: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        after = learner.step(double, dict(zip(names, tensors, strict=True)), features, labels)
        return tuple(after[name] for name in names)

    traced, direct = trace(step, inputs)(*inputs), step(*inputs)
    # Where a tensor hardly moves, its own last bits are more than 1e-10 of the update: they are no fault of the formulas.
    sizes = [max(float((a - b).abs().max()), 1e-5 * float(a.abs().max()), 1e-12) for a, b in zip(direct, inputs[2:], strict=True)]
    return max(float((a - b).abs().max()) / size for a, b, size in zip(traced, direct, sizes, strict=True))


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, inputs: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    wanted = {i.name: inputs[i.name].detach().numpy() for i in session.get_inputs()}
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, wanted), strict=True))


def _worst(got: NDArray[np.float32], reference: Tensor) -> float:
    """The largest difference; what is no number is infinitely far away."""
    difference = np.abs(got - reference.numpy())
    return float(difference.max()) if np.isfinite(difference).all() else np.inf


def _relative(got: NDArray[np.float32], reference: Tensor) -> float:
    error = _worst(got, reference)
    return error if error == np.inf else error / max(float(reference.abs().max()), 1e-12)
