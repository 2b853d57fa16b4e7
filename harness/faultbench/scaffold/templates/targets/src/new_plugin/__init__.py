"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_targets() -> Iterable[Offer]:
    """The target of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.target:NewPlugin",
        summary="this machine, whatever its processor, with its frequency governor in what it is",
        params={"threads": Param(int, 1, "threads of onnxruntime", ge=1)},
    )
