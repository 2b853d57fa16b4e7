"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_scenarios() -> Iterable[Offer]:
    """The scenario of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.scenario:NewPlugin",
        summary="T2 in turn: every seed holds out the next of the data set's targets",
        params={"window": Param(int, 2048, "samples per window", ge=64)},
    )
