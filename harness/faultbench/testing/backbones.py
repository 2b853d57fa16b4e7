"""The contract of a backbone: features to an embedding, row by row, differentiable on the device too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faultbench.artifact.runner import RunError
from faultbench.errors import FaultbenchError, UsageError
from faultbench.learning import parity
from faultbench.learning.contracts import Backbone
from faultbench.learning.net import Net, features_of, load_net, save_net
from faultbench.registry import make
from faultbench.testing import bench
from faultbench.testing.bench import once
from faultbench.testing.checks import Checks, broken, require, require_advice, returned
from faultbench.testing.episodes import SHAPE, target_task
from faultbench.testing.reference import Reference, written

CHECKS = Checks()

ROWS = 5
WIDTHS = (8, 16)
CLOSE = 1e-4
"""How far embeddings may be from one another that are promised to be equal, relative to the largest: float32 in another order."""


class Bench(bench.Bench):
    """A backbone, with its modules on the features of the front ends that there are."""

    part: Backbone

    @once
    def modules(self) -> list[tuple[str, tuple[int, ...], nn.Module]]:
        """Its modules for the features of the front ends that are installed."""
        made, refused = [], []
        for name, features_shape in _features(self).items():
            try:
                made.append((name, features_shape, seeded(self.part, features_shape)))
            except UsageError as error:
                require_advice(error, f"features of {name}, {features_shape},")
                refused.append(str(error))
        if not made:
            broken(f"it refuses the features of every front end ({refused[0]})", "take those of one at least, and say in the offer which")
        return made


def seeded(backbone: Backbone, features_shape: tuple[int, ...], width: int = WIDTHS[0], seed: int = 0) -> nn.Module:
    """A module initialised from a seed, as a learner does it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = backbone.module(features_shape, width)
    return returned(module, nn.Module, f"module({features_shape}, {width})", "return a torch.nn.Module")


def features(shape: tuple[int, ...], rows: int = ROWS) -> Tensor:
    """Noise, (row, *shape)."""
    return torch.randn(rows, *shape, generator=torch.Generator().manual_seed(1))


def _features(bench: Bench) -> dict[str, tuple[int, ...]]:
    """The shapes of features, by front end."""
    found = {}
    for registered in bench.registry.offers("frontends"):
        name = bench.registry.shown_name("frontends", registered)
        try:
            module = make(bench.registry.choose("frontends", name)).module(SHAPE)
            found[name] = features_of(module, SHAPE.channels, SHAPE.window)
        except (FaultbenchError, RuntimeError):
            continue  # a front end that cannot be made is for its own contract to say
    return found


@CHECKS.promise("it makes modules, or says why not")
def _makes_modules(bench: Bench) -> None:
    _ = bench.modules  # which says of each what is wrong


@CHECKS.promise("an embedding is float32, (n, d), and finite")
def _shape(bench: Bench) -> None:
    for _, shape, module in bench.modules:
        sizes = set()
        for rows in (1, ROWS):
            embedding = module(features(shape, rows))
            require(
                isinstance(embedding, Tensor) and embedding.dtype == torch.float32 and embedding.dim() == 2 and len(embedding) == rows,
                f"{rows} rows of features {shape} do not become float32 ({rows}, d)",
                "return a row per row of features, flattened",
            )
            require(torch.isfinite(embedding).all(), "its embedding of noise is not finite", "scale the weights at the start")
            sizes.add(embedding.shape[1])
        require(
            len(sizes) == 1,
            f"its embedding has {sorted(sizes)} components for {(1, ROWS)} rows",
            "let d depend on the features' shape alone",
        )
        require(
            torch.isfinite(module(torch.zeros(1, *shape))).all(),
            "its embedding of zeros is not finite",
            "add a small constant before a division",
        )


@CHECKS.promise("a row depends on that row alone")
def _alone(bench: Bench) -> None:
    for _, shape, module in bench.modules:
        for mode in (True, False):
            module.train(mode)
            x = features(shape)
            together = module(x)
            for row in range(ROWS):
                require(
                    _distance(module(x[row : row + 1]), together[row : row + 1]) <= CLOSE,
                    f"a row alone has another embedding than among others (in {'training' if mode else 'evaluation'})",
                    "use no batch statistics: standardise weights, or norm over a row's own channels",
                )


@CHECKS.promise("the same row gives the same embedding")
def _same(bench: Bench) -> None:
    for _, shape, module in bench.modules:
        module.train()
        x = features(shape)
        require(
            torch.equal(module(x), module(x)),
            "called twice, it gives other embeddings",
            "leave out dropout, and keep nothing between calls",
        )


@CHECKS.promise("it is initialised from torch's random state alone")
def _seeded(bench: Bench) -> None:
    for _, shape, _ in bench.modules:
        first, again, other = (seeded(bench.another(), shape, seed=seed).state_dict() for seed in (0, 0, 1))
        require(
            all(torch.equal(first[name], again[name]) for name in first),
            "made twice from one seed, it has other weights",
            "draw weights by torch's global generator, and by nothing else",
        )
        drawn = any(not torch.equal(first[name], other[name]) for name in first)
        require(
            drawn or not first,
            "made from two seeds, it has the same weights",
            "draw weights by torch's global generator, without a seed of your own",
        )


@CHECKS.promise("a larger width has more parameters")
def _width(bench: Bench) -> None:
    for _, shape, _ in bench.modules:
        counts = [sum(p.numel() for p in seeded(bench.part, shape, width).parameters()) for width in WIDTHS]
        require(
            counts[1] > counts[0],
            f"widths {WIDTHS[0]} and {WIDTHS[1]} have {counts[0]} and {counts[1]} parameters",
            "let `width` be the filters per layer",
        )


@CHECKS.promise("every parameter gets a gradient")
def _gradients(bench: Bench) -> None:
    for _, shape, module in bench.modules:
        learned = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not learned:
            continue
        found = torch.autograd.grad((module(features(shape, 32)) ** 2).sum(), list(learned.values()), allow_unused=True)
        for name, gradient in zip(learned, found, strict=True):
            require(
                gradient is not None,
                f"the parameter {name} takes no part in the embedding",
                "use it, or leave it out: it would be deployed for nothing",
            )
            finite = gradient is not None and bool(torch.isfinite(gradient).all())
            require(finite, f"the gradient of {name} is not finite", "add a small constant before a division or a root")


@CHECKS.promise("stored and loaded again, it embeds alike")
def _stored(bench: Bench) -> None:
    for number, (_, shape, module) in enumerate(bench.modules):
        folder = bench.folder(f"net-{number}")
        with torch.no_grad():
            for p in module.parameters():
                p.add_(0.01)
        x = features(shape)
        save_net(Net(nn.Identity(), module, shape), folder)
        loaded = load_net(Net(nn.Identity(), seeded(bench.another(), shape, seed=2), shape), folder)
        require(
            torch.equal(loaded.body.eval()(x), module.eval()(x)),
            "stored and loaded again, it gives other embeddings",
            "keep all that it computes with in parameters and in persistent buffers",
        )


@CHECKS.promise("an adaptation step through it runs on the device as in torch")
def _exported(bench: Bench) -> None:
    for number, (name, shape, module) in enumerate(bench.modules):
        frontend = make(bench.registry.choose("frontends", name)).module(SHAPE)
        learner = Reference(body=lambda _shape, made=module: made, frontend=lambda _shape, made=frontend: made)  # type: ignore[misc]
        net = learner.build(SHAPE)
        try:
            folder = written(learner.export(net, SHAPE), SHAPE, bench.folder(f"artifact-{number}"))
            found = parity.parity(learner, net, folder, _tasks())
        except (FaultbenchError, RunError) as error:
            broken(f"no artifact comes of it on features {shape} ({error})", "use operations whose gradients ONNX has operators for")
        require(
            found.holds,
            f"the graphs differ from torch ({found})",
            "compute in float32 with operations whose gradients ONNX has operators for",
        )


def _tasks() -> list[parity.Task]:
    """As many tasks as the parity of the reference learner wants."""
    return [target_task(seed).compared for seed in range(parity.tasks_wanted(Reference.steps))]


def _distance(a: Tensor, b: Tensor) -> float:
    """The largest difference, relative to the largest value; infinite where shapes differ or a value is no number."""
    if a.shape != b.shape or not torch.isfinite(a - b).all():
        return float("inf")
    return float((a - b).detach().abs().max()) / max(float(b.detach().abs().max()), 1e-12)
