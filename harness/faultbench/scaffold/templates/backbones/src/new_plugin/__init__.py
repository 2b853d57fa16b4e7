"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_backbones() -> Iterable[Offer]:
    """The backbone of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.backbone:NewPlugin",
        summary="a few blocks of convolution, ReLU and pooling by 2",
        params={"blocks": Param(int, 2, "blocks; the features' last axis is halved by each", ge=1, le=8)},
        cite="",
    )
