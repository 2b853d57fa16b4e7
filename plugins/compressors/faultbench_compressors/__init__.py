"""The compressors that come with faultbench."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl


@hookimpl
def faultbench_compressors() -> Iterable[Offer]:
    """The offers of this package."""
    yield Offer(name="none", factory="faultbench_compressors.none:Unchanged", summary="the model as it was trained")
    yield Offer(
        name="prune",
        factory="faultbench_compressors.prune:Prune",
        summary="removes whole filters, the least important first, then goes on training",
        params={
            "percent": Param(float, 40.0, "how much of each layer's filters goes, at least", ge=0, le=95),
            "tasks": Param(int, 32, "source tasks on which filters are weighed", ge=1),
        },
        positional="percent",
        cite="Molchanov et al. 2019, arXiv 1906.10771; dependency graph: Fang et al. 2023, arXiv 2301.12900",
    )
