"""Weights rounded to so many bits."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from faultbench.api import CompressContext, Net, NotApplicable


class NewPlugin:
    """Rounds every weight of the body to one of 2^bits - 1 levels, symmetric about 0, with a scale per tensor.

    The weights stay float32, so the artifact has as many bytes as before, but deflates to fewer. A compressor that trains again calls
    `ctx.fit(net)`, one that weighs parts of the net against one another takes `ctx.batches(tasks)` and `ctx.learner.loss`.

    Args:
        bits: Bits per weight.
    """

    def __init__(self, bits: int = 8) -> None:
        self.bits = bits

    def compress(self, net: Net, ctx: CompressContext) -> tuple[Net, Mapping[str, object]]:
        """The net, and what was achieved: `bits`, and `rounding`, the largest error relative to its tensor's largest weight.

        Raises:
            NotApplicable: The net has no weights.
        """
        weights = [p for p in net.body.parameters() if p.dim() > 1]
        if not weights:
            raise NotApplicable("nothing to round: the net has no weights")
        rounding = 0.0
        with torch.no_grad():
            for weight in weights:
                largest = weight.abs().max().clamp_min(1e-12)
                step = largest / (2 ** (self.bits - 1) - 1)
                rounded = (weight / step).round() * step
                rounding = max(rounding, float((rounded - weight).abs().max() / largest))
                weight.copy_(rounded)
        return net, {"bits": self.bits, "rounding": rounding}
