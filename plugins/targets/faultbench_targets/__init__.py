"""The targets that come with faultbench."""

from collections.abc import Iterable

from faultbench.api import Offer, Param, hookimpl


@hookimpl
def faultbench_targets() -> Iterable[Offer]:
    """The offers of this package."""
    yield Offer(
        name="x86",
        factory="faultbench_targets.x86:X86",
        summary="this machine, x86-64: onnxruntime on the CPU, one core per thread",
        params={"threads": Param(int, 1, "threads of onnxruntime", ge=1)},
    )
