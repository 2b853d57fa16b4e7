"""The scenarios that faultbench itself offers: policies of splitting, each with the labels and the isolation level it keeps."""

from __future__ import annotations

from collections.abc import Iterable

from faultbench.hookspecs import hookimpl
from faultbench.offers import Offer, Param

_PARAMS = {
    "target": Param(str, "", "the machine or mounting held out as the new device; empty takes the data set's first"),
    "window": Param(int, 2048, "samples per window", ge=64),
}


@hookimpl
def faultbench_scenarios() -> Iterable[Offer]:
    """The built-in scenarios."""
    return [
        Offer(
            name="new-device",
            factory="faultbench.data.scenarios.new_device:NewDevice",
            summary="T2: a known fault catalogue on a machine never seen; queries from other loads than the support",
            params=_PARAMS,
        ),
        Offer(
            name="unseen-bearing",
            factory="faultbench.data.scenarios.unseen_bearing:UnseenBearing",
            summary="T3: the damaged element of a bearing that nobody has seen fail; queries from other bearings than the support",
            params=_PARAMS,
        ),
    ]
