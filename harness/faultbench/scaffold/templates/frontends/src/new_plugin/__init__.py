"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_frontends() -> Iterable[Offer]:
    """The front end of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.frontend:NewPlugin",
        summary="log power in bands of equal width",
        params={
            "bands": Param(int, 32, "bands, up to half the sampling rate", ge=1),
            "frame": Param(int, 128, "samples per frame; a window holds whole frames", ge=4),
        },
        positional="bands",
        cite="",
    )
