"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_datasets() -> Iterable[Offer]:
    """The data set of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.dataset:NewPlugin",
        summary="recordings in .npy files, listed in a table recordings.csv",
        cite="",
    )
