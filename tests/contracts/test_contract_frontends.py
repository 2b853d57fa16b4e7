"""The contract of a front end finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

FAULTS = [
    ("it makes modules, or says why not", "RefusesAll", "it refuses windows of every shape .refuses: too short"),
    ("it makes modules, or says why not", "NoModule", "returns function: return a torch.nn.Module"),
    ("it makes modules, or says why not", "AlwaysPhysics", "it takes speeds and orders of windows of which they are not known"),
    ("features are float32, a row per window", "Double", "become float64"),
    ("features are float32, a row per window", "OneRow", r"5 windows \(1, 2048\) become float32 \(1, 32\)|1 windows \(1, 2048\) become"),
    ("features are finite whatever the window holds", "LogOfSilence", "silence becomes features that are not finite: add a small constant"),
    ("the same window gives the same features", "Drawn", "made twice, it gives other features"),
    ("the same window gives the same features", "Counts", "called twice, it gives other features"),
    ("a row depends on its window alone", "OverTheBatch", "a window alone has other features than among others"),
    ("it has nothing to train", "Trained", "it has the trainable parameters gain"),
    ("exported, it gives the same features", "OtherInTheGraph", "the graph's features are off by 1 of the largest"),
    ("exported, it gives the same features", "NoGraph", "its graph cannot be used"),
]


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(promise, plugin, said):
    breaks("frontend", offer("broken_frontends", plugin), promise, said)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("frontend")


def test_a_good_one_keeps_every_promise():
    assert set(answers("frontend", offer("broken_frontends", "Good")).values()) == {"kept"}
