"""What Acme offers to faultbench. It is read by every `faultbench list`, so it imports nothing heavy."""

from collections.abc import Iterable

from faultbench.api import Offer, hookimpl

FAULTBENCH_API = 1


@hookimpl
def faultbench_compressors() -> Iterable[Offer]:
    """The compressor of this package."""
    yield Offer(
        name="slim",
        factory="acme_slim.slim:Slim",
        summary="removes the filters with the smallest weights, and goes on training",
        cite="Li et al. 2017, arXiv 1608.08710",
    )
