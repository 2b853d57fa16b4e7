"""What this package offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1
"""The plugin API that this is written for."""


@hookimpl
def faultbench_learners() -> Iterable[Offer]:
    """The learner of this package."""
    yield Offer(
        name="new-plugin",
        factory="new_plugin.learner:NewPlugin",
        summary="softmax regression on the front end's features, by gradient descent",
        params={
            "steps": Param(int, 20, "gradient steps on the support", ge=1),
            "rate": Param(float, 0.1, "step size", ge=0),
            "frontend": Param(str, "welch", "front end, with its parameters: welch:segment=128"),
        },
        cite="",
    )
