"""The contract of a front end: raw windows to features, row by row, inside the graph."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.onnx import OnnxExporterError

from faultbench.artifact.format import PHYSICS, Graphs
from faultbench.artifact.runner import Artifact, RunError
from faultbench.discovery import cause
from faultbench.errors import FaultbenchError, NotApplicable, UsageError
from faultbench.learning.contracts import FrontEnd, NetShape, Physics
from faultbench.learning.export import to_onnx
from faultbench.learning.net import features_of, takes_physics
from faultbench.testing import bench
from faultbench.testing.artifacts import model
from faultbench.testing.bench import once
from faultbench.testing.checks import Checks, broken, require, returned
from faultbench.testing.episodes import SHAPES, noise, rows_of
from faultbench.testing.reference import written

CHECKS = Checks()

ROWS = 5
CLOSE = 1e-4
"""How far features may be from one another that are promised to be equal, relative to the largest: float32 in another order."""
LIMIT = 1e-4
"""How far the graph's features may be from torch's, as in a run's parity."""


class Bench(bench.Bench):
    """A front end, with its modules."""

    part: FrontEnd

    @once
    def modules(self) -> list[tuple[NetShape, nn.Module]]:
        """Its modules for windows of several shapes."""
        made, refused = [], []
        for shape in SHAPES:
            try:
                made.append((shape, returned(self.part.module(shape), nn.Module, f"module({shape})", "return a torch.nn.Module")))
            except (UsageError, NotApplicable) as error:
                require(str(error).isprintable() and str(error).strip(), f"of {shape} it says {str(error)!r}", "say in one line why not")
                refused.append(str(error))
        if not made:
            broken(
                f"it refuses windows of every shape ({refused[0]})",
                "take those of 2,048 samples and one channel, which every run has by default",
            )
        return made


def features(module: nn.Module, windows: Tensor, physics: Physics) -> Tensor:
    """The features of windows, with what is known of them where the front end takes it."""
    made: Tensor = module(windows, *((physics.speed_rpm, physics.orders) if takes_physics(module) else ()))
    return made


@CHECKS.promise("it makes modules, or says why not")
def _makes_modules(bench: Bench) -> None:
    for shape, module in bench.modules:
        require(
            shape.physics or not takes_physics(module),
            "it takes speeds and orders of windows of which they are not known",
            "raise NotApplicable where shape.physics is false",
        )


@CHECKS.promise("features are float32, a row per window")
def _shape(bench: Bench) -> None:
    for shape, module in bench.modules:
        expected = features_of(module, shape.channels, shape.window)
        for rows in (1, ROWS):
            found = features(module, *noise(shape, rows))
            require(
                isinstance(found, Tensor) and found.dtype == torch.float32 and found.shape == (rows, *expected) and found.dim() > 1,
                f"{rows} windows {(shape.channels, shape.window)} become {_described(found)}",
                f"return a float32 tensor ({rows}, ...), the same for every number of windows",
            )


@CHECKS.promise("features are finite whatever the window holds")
def _finite(bench: Bench) -> None:
    for shape, module in bench.modules:
        windows, physics = noise(shape, 1)
        spike = torch.zeros_like(windows)
        spike[..., shape.window // 2] = 1.0
        for what, window in (
            ("silence", torch.zeros_like(windows)),
            ("a constant", torch.ones_like(windows)),
            ("a single spike", spike),
            ("a signal of 1e-6 g", 1e-6 * windows),
            ("a signal of 1e4 g", 1e4 * windows),
            ("a clipped signal", windows.sign()),
        ):
            require(
                torch.isfinite(features(module, window, physics)).all(),
                f"{what} becomes features that are not finite",
                "add a small constant before a logarithm, a root or a division",
            )


@CHECKS.promise("the same window gives the same features")
def _same(bench: Bench) -> None:
    for shape, module in bench.modules:
        given = noise(shape, ROWS)
        first = features(module, *given)
        for what, other in (("called twice, it gives", module), ("made twice, it gives", bench.another().module(shape))):
            same = torch.equal(features(other, *given), first)
            require(same, f"{what} other features", "draw nothing, and keep nothing from one call for the next")


@CHECKS.promise("a row depends on its window alone")
def _alone(bench: Bench) -> None:
    for shape, module in bench.modules:
        windows, physics = noise(shape, ROWS)
        together = features(module, windows, physics)
        for row in range(ROWS):
            one = slice(row, row + 1)
            require(
                _distance(features(module, windows[one], rows_of(physics, one)), together[one]) <= CLOSE,
                "a window alone has other features than among others",
                "take means and deviations over a window's samples, never over the windows of a batch",
            )


@CHECKS.promise("it has nothing to train")
def _untrained(bench: Bench) -> None:
    for _, module in bench.modules:
        learned = [name for name, p in module.named_parameters() if p.requires_grad]
        require(
            not learned,
            f"it has the trainable parameters {', '.join(learned)}, which no learner knows of",
            "make them buffers, or move them to a backbone",
        )


@CHECKS.promise("exported, it gives the same features")
def _exported(bench: Bench) -> None:
    for number, (shape, module) in enumerate({shape.channels: (shape, module) for shape, module in bench.modules}.values()):
        windows, physics = noise(shape, 2)
        given = [windows, *((physics.speed_rpm, physics.orders) if takes_physics(module) else ())]
        try:
            graph = to_onnx(module, given, ["windows", *PHYSICS][: len(given)], ["features"], batched=len(given))
            graphs = around(graph, features_of(module, shape.channels, shape.window), shape.ways)
            artifact = Artifact(written(graphs, shape, bench.folder(f"artifact-{number}")))
            found = {rows: _on_device(artifact, *noise(shape, rows)) for rows in (1, ROWS)}
        except (FaultbenchError, RunError, OnnxExporterError) as error:
            broken(f"its graph cannot be used ({cause(error)})", "compute with operators that torch's ONNX exporter knows")
        for rows, made in found.items():
            off = _distance(made, features(module, *noise(shape, rows)))
            require(off <= LIMIT, f"the graph's features are off by {off:.1g} of the largest", "compute in float32, row by row")


def _on_device(artifact: Artifact, windows: Tensor, physics: Physics) -> Tensor:
    known = {name: getattr(physics, name).numpy() for name in PHYSICS}
    return torch.from_numpy(np.asarray(artifact.features(windows.numpy(), **known)))


def around(features: bytes, shape: tuple[int, ...], ways: int) -> Graphs:
    """The graphs of an artifact whose features are those: the sums of a class's features, and a product with them."""
    size = math.prod(shape)
    flat = ("Flatten", ["features"], "flat")
    adapt = model(
        [flat, ("Transpose", ["labels"], "of_class"), ("MatMul", ["of_class", "flat"], "new.sums")],
        {"features": ("k", *shape), "labels": ("k", ways)},
        {"new.sums": (ways, size)},
    )
    predict = model(
        [flat, ("Transpose", ["sums"], "turned"), ("MatMul", ["flat", "turned"], "logits")],
        {"features": ("n", *shape), "sums": (ways, size)},
        {"logits": ("n", ways)},
    )
    return Graphs(adapt, predict, {"sums": np.zeros((ways, size), np.float32)}, steps=1, features=features)


def _described(value: object) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _distance(a: Tensor, b: Tensor) -> float:
    """The largest difference, relative to the largest value; infinite where shapes differ or a value is no number."""
    if a.shape != b.shape or not torch.isfinite(a - b).all():
        return float("inf")
    return float((a - b).abs().max()) / max(float(b.abs().max()), 1e-12)
