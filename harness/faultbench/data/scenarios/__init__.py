"""The scenarios that faultbench itself offers: policies of splitting, each with the labels and the isolation level it keeps."""

from __future__ import annotations

from collections.abc import Iterable

from faultbench.hookspecs import hookimpl
from faultbench.offers import Offer, Param

_WINDOW = {"window": Param(int, 2048, "samples per window", ge=64)}
_USED = {"target": Param(str, "", "the machine or mounting that is used; empty takes the data set's first"), **_WINDOW}
_HELD_OUT = "the machine or mounting held out as the new device, or of a single rig a severity; empty takes the data set's first"
_PARAMS = {"target": Param(str, "", _HELD_OUT), **_WINDOW}
_CHANNELS = {
    "channels": Param(
        str, "", "the channels of a window, by name or number, joined by +, the lead first (1+2); empty takes each recording's first"
    )
}


@hookimpl
def faultbench_scenarios() -> Iterable[Offer]:
    """The built-in scenarios, and the one that stands in a file."""
    return [
        *builtin(),
        Offer(
            name="file",
            factory="faultbench.data.scenarios.file:FileScenario",
            summary="a scenario of your own, in a TOML file, at the level that it claims; -s my.toml is short for it",
            params={"path": Param(str, None, "the file")},
        ),
    ]


def builtin() -> list[Offer]:
    """The scenarios that a scenario file can extend."""
    return [
        Offer(
            name="window",
            factory="faultbench.data.scenarios.window:Window",
            summary="T0: the literature's random split of windows of the same recordings; leaks the bearing, never passes a gate",
            params={**_USED, **_CHANNELS},
        ),
        Offer(
            name="session",
            factory="faultbench.data.scenarios.session:Session",
            summary="T1: the same bearings in other sessions or at other loads; leaks the bearing, never passes a gate",
            params={**_USED, **_CHANNELS},
        ),
        Offer(
            name="new-device",
            factory="faultbench.data.scenarios.new_device:NewDevice",
            summary="T2: a known fault catalogue on a machine never seen; queries from other loads than the support",
            params={**_PARAMS, **_CHANNELS},
        ),
        Offer(
            name="unseen-bearing",
            factory="faultbench.data.scenarios.unseen_bearing:UnseenBearing",
            summary="T3: the damaged element of a bearing that nobody has seen fail; queries from other bearings than the support",
            params={**_PARAMS, **_CHANNELS},
        ),
        Offer(
            name="new-dataset",
            factory="faultbench.data.scenarios.new_dataset:NewDataset",
            summary="T4: trained on other data sets (--source) altogether; support and query inside the target as at T2 or T3",
            params={
                **_USED,
                "base": Param(str, "hz", "what all signals are brought to: the lowest rate, or samples per turn", choices=("hz", "orders")),
                "inside": Param(str, "T2", "what support and query keep apart: the load (T2) or the bearing (T3)", choices=("T2", "T3")),
            },
        ),
    ]
