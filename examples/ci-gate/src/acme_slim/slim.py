"""Filters with small weights go (Li et al. 2017, arXiv 1608.08710), and the net that is left goes on training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch_pruning
from torch import nn

from faultbench.api import CompressContext, Net, NotApplicable

KEPT = (0.75,)
"""The share of a layer's filters that stays, layer by layer; the last one counts for all layers that follow, too."""
FEWEST = 4
"""A layer keeps so many filters at least, and a multiple of it: kernels work on four at a time."""


class Slim:
    """Keeps the filters whose weights have the largest sum of magnitudes, layer by layer.

    How many stay is no parameter: a cell with another number would be another cell, which no comparison pairs with this one.
    """

    def compress(self, net: Net, ctx: CompressContext) -> tuple[Net, Mapping[str, object]]:
        """The smaller net; `removed` is the fraction of filters that went, `filters` lists how many stayed, layer by layer.

        Raises:
            NotApplicable: The net has no convolution that could spare a filter.
        """
        layers = [module for module in net.body.modules() if isinstance(module, nn.Conv1d)]
        before = [layer.out_channels for layer in layers]
        shares = (*KEPT, *KEPT[-1:] * len(layers))
        after = [min(count, max(FEWEST, int(count * kept) // FEWEST * FEWEST)) for count, kept in zip(before, shares, strict=False)]
        if after == before:
            raise NotApplicable(f"nothing to slim: the net has convolutions of {before} filters, and {FEWEST} stay in each")
        graph = torch_pruning.DependencyGraph().build_dependency(net.body, torch.randn(2, *net.features_shape), verbose=False)
        for layer, count in zip(layers, after, strict=True):
            weakest = layer.weight.detach().abs().sum((1, 2)).argsort()[: layer.out_channels - count].tolist()
            if weakest:
                # What hangs on a filter, in the layers behind it, goes with it.
                graph.get_pruning_group(layer, torch_pruning.prune_conv_out_channels, idxs=weakest).prune()
        achieved = {"removed": 1 - sum(after) / sum(before), "filters": after}
        return ctx.fit(net), achieved
