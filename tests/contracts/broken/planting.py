"""Offers of plugins that are broken on purpose, and what every table of planted faults has to hold."""

from __future__ import annotations

from typing import Any

import pytest

from faultbench.offers import Offer, Param
from faultbench.testing.checks import BrokenPromise, NotAsked
from faultbench.testing.suite import SOMETHING_ASKED, Suite, promises_of

OF_OFFERS = 6
"""The first promises of every kind are those of its offer: tests/contracts/test_contract_offers.py plants their faults."""


def offer(module: str, plugin: str, **params: Param) -> Offer:
    """A plugin of a module in this folder."""
    return Offer(plugin.lower(), f"{module}:{plugin}", "broken on purpose", params)


def breaks(kind: str, plugin: Offer, promise: str, said: str, **given: object) -> None:
    """A suite that finds the promise broken, and says so."""
    with pytest.raises(BrokenPromise, match=said) as caught:
        Suite(kind, plugin, **given).ask(promise)
    assert str(caught.value).isprintable()
    assert ": " in str(caught.value)


EXPORTING = {
    "an adaptation step through it runs on the device as in torch",
    "its net can be exported, and the device answers as torch does",
    "what it claims can be measured in the artifact",
    "its graphs are an artifact",
    "exporting twice gives the same graphs",
    "exporting leaves the net as it was",
    "the device answers as torch does",
    "the device takes a smaller support",
}
"""Promises that take several graphs to be exported, some seconds each."""


def planted(faults: list[tuple[str, str, str]]) -> list[Any]:
    """Planted faults as parameters of a test: promise, plugin, what is said. What exports graphs is for the slow lane."""
    return [pytest.param(*fault, id=fault[1], marks=[pytest.mark.slow] if fault[0] in EXPORTING else []) for fault in faults]


def own_promises(kind: str) -> set[str]:
    """The promises that are this kind's alone."""
    return set(promises_of(kind)[OF_OFFERS:]) - {SOMETHING_ASKED}


def answers(kind: str, plugin: Offer, **given: object) -> dict[str, str]:
    """What comes of every promise: kept, broken, or not asked."""
    suite, found = Suite(kind, plugin, **given), {}
    for promise in suite.promises[OF_OFFERS:]:
        try:
            suite.ask(promise)
            found[promise] = "kept"
        except BrokenPromise as error:
            found[promise] = f"broken: {error}"
        except NotAsked as reason:
            found[promise] = f"not asked: {reason}"
    return found
