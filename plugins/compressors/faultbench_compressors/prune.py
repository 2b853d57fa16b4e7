"""Structural filter pruning: whole filters are removed, and the net really shrinks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
import torch_pruning
from torch import Tensor, nn

from faultbench.api import CompressContext, Net, NotApplicable

MULTIPLE = 4
"""Filters stay a multiple of this: int8 kernels pad to it, so that 38 filters are slower than 40."""

PRUNABLE = (nn.Conv1d, nn.Conv2d, nn.Linear)


class Prune:
    """Removes the least important filters of every hidden layer, and continues the meta-training.

    A filter's importance is the squared first-order change of the meta-loss when its output is switched off, averaged over
    source tasks (Molchanov et al. 2019, eq. 5 with a gate per filter). The weights' size would say nothing, since
    standardised filters act the same whatever their size. What else has to go with a filter is found by torch-pruning.

    Args:
        percent: How much of each layer's filters is removed, at least: the rest is rounded down to a multiple of 4.
        tasks: Source tasks on which filters are weighed.
    """

    def __init__(self, percent: float = 40.0, tasks: int = 32) -> None:
        self.percent, self.tasks = percent, tasks

    def compress(self, net: Net, ctx: CompressContext) -> tuple[Net, Mapping[str, object]]:
        """A smaller net; `removed` is the fraction of all filters that went, `filters` lists how many stayed, layer by layer.

        Raises:
            NotApplicable: The net has no layer with filters, or none that could spare one.
        """
        layers = filter_layers(net)
        if not layers:
            raise NotApplicable("nothing to prune: the net has no filters")
        before = {name: filters(layer) for name, layer in layers.items()}
        keep = {name: kept(count, self.percent) for name, count in before.items()}
        if keep == before:
            raise NotApplicable(
                f"nothing to prune: layers of {sorted(set(before.values()))} filters cannot spare {self.percent:g} % in steps of {MULTIPLE}"
            )
        if ctx.learner.meta_trained:
            scores = importance(net, layers, ctx, self.tasks)
        else:
            # Nothing was learned yet that could tell filters apart: the first ones stay.
            scores = {name: torch.arange(count, 0, -1, dtype=torch.float32) for name, count in before.items()}
        remove(net, layers, {name: scores[name].argsort()[: before[name] - keep[name]].tolist() for name in layers})
        after = {name: filters(layer) for name, layer in layers.items()}
        removed = 1 - sum(after.values()) / sum(before.values())
        achieved: dict[str, object] = {"removed": removed, "filters": list(after.values())}
        if not ctx.learner.meta_trained:
            achieved["label"] = "structure only"
        return ctx.fit(net), achieved


def kept(count: int, percent: float) -> int:
    """How many of `count` filters stay when at least `percent` goes: a multiple of 4, and 4 at least.

    >>> kept(64, 40), kept(32, 40), kept(40, 40)
    (36, 16, 24)
    """
    whole = math.floor(count * (1 - percent / 100) / MULTIPLE + 1e-9) * MULTIPLE
    return min(count, max(MULTIPLE, whole))


def filter_layers(net: Net) -> dict[str, nn.Module]:
    """The layers of the body that have filters, by name."""
    return {name: module for name, module in net.body.named_modules() if isinstance(module, PRUNABLE)}


def filters(layer: nn.Module) -> int:
    """How many filters a layer has."""
    weight: Tensor = layer.weight
    return weight.shape[0]


def importance(net: Net, layers: Mapping[str, nn.Module], ctx: CompressContext, tasks: int) -> dict[str, Tensor]:
    """Each filter's squared gate gradient, averaged over source tasks: (filter,) by layer."""
    scores = {name: torch.zeros(filters(layer)) for name, layer in layers.items()}
    with gates(layers) as gate:
        for batch in islice(ctx.batches(1), tasks):
            loss = ctx.learner.loss(net, batch)
            for name, gradient in zip(gate, torch.autograd.grad(loss, list(gate.values())), strict=True):
                scores[name] += gradient.detach() ** 2 / tasks
    return scores


@contextmanager
def gates(layers: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """Multiplies each layer's filters by gates at 1, whose gradients tell what switching a filter off would change."""
    gate = {name: torch.ones(filters(layer), requires_grad=True) for name, layer in layers.items()}

    def behind(name: str) -> Any:
        def hook(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor:
            return output * gate[name].reshape(1, -1, *[1] * (output.dim() - 2))

        return hook

    handles = [layer.register_forward_hook(behind(name)) for name, layer in layers.items()]
    try:
        yield gate
    finally:
        for handle in handles:
            handle.remove()


def remove(net: Net, layers: Mapping[str, nn.Module], victims: Mapping[str, list[int]]) -> None:
    """Removes filters, with all that depends on them, in place."""
    graph = torch_pruning.DependencyGraph().build_dependency(net.body, example_inputs=torch.randn(2, *net.features_shape), verbose=False)
    for name, layer in layers.items():
        if victims[name]:
            prune = graph.get_pruner_of_module(layer).prune_out_channels
            graph.get_pruning_group(layer, prune, idxs=victims[name]).prune()
