"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_compressors() -> Iterable[Offer]:
    """The compressor of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.compressor:NewPlugin",
        summary="rounds weights to so many bits, with a scale per tensor",
        params={"bits": Param(int, 8, "bits per weight", ge=2, le=16)},
        positional="bits",
        cite="",
    )
