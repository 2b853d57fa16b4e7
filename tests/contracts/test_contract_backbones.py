"""The contract of a backbone finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

FAULTS = [
    ("it makes modules, or says why not", "RefusesAll", "it refuses the features of every front end"),
    ("it makes modules, or says why not", "NoModule", "returns int: return a torch.nn.Module"),
    ("an embedding is float32, (n, d), and finite", "Unflattened", "do not become float32 .1, d.: return a row per row"),
    ("an embedding is float32, (n, d), and finite", "OverZero", "its embedding of zeros is not finite: add a small constant"),
    ("a row depends on that row alone", "BatchNorm", "a row alone has another embedding than among others .in training."),
    ("the same row gives the same embedding", "Dropout", "called twice, it gives other embeddings: leave out dropout"),
    ("it is initialised from torch's random state alone", "DrawsElsewhere", "made twice from one seed, it has other weights"),
    ("it is initialised from torch's random state alone", "OwnSeed", "made from two seeds, it has the same weights"),
    ("a larger width has more parameters", "OneWidth", "widths 8 and 16 have 32 and 32 parameters"),
    ("every parameter gets a gradient", "Idle", "the parameter idle takes no part in the embedding"),
    ("every parameter gets a gradient", "RootOfZero", "the gradient of 0.weight is not finite"),
    ("stored and loaded again, it embeds alike", "Forgets", "stored and loaded again, it gives other embeddings"),
    ("an adaptation step through it runs on the device as in torch", "Strided", "only plain convolutions of stride 1"),
    ("an adaptation step through it runs on the device as in torch", "OtherInTheGraph", "the graphs differ from torch"),
]


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(promise, plugin, said):
    breaks("backbone", offer("broken_backbones", plugin), promise, said)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("backbone")


@pytest.mark.slow
def test_a_good_one_keeps_every_promise():
    assert set(answers("backbone", offer("broken_backbones", "Good")).values()) == {"kept"}
