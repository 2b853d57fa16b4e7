"""The contract of a compressor finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

from faultbench.testing.checks import BrokenPromise
from faultbench.testing.suite import SOMETHING_ASKED, Suite

FAULTS = [
    ("it gives a net, and says what it achieved", "NetAlone", "compress returns Net: return the net and a mapping"),
    ("it gives a net, and says what it achieved", "Unnamed", "has a key that is no text: name each figure"),
    ("it gives a net, and says what it achieved", "Crashes", "crashes raises|compress returns Size"),
    ("what does not apply is said in one line", "SilentlyNot", "it says '': raise NotApplicable with the reason"),
    ("what it achieved is plain JSON", "Tensors", "is no JSON .a row cannot hold Tensor"),
    ("what it achieved is plain JSON", "NumberedLabel", "its label on a trained convolutional net is no text"),
    ("compressing twice gives the same net", "Drawn", "compressed twice, a trained convolutional net becomes two"),
    ("the front end stays as it was", "TouchesTheScale", "has other features after it: compress the body alone"),
    ("its net can be stored and loaded", "NewLayer", "cannot be loaded after it"),
    ("its net can be stored and loaded", "InAnAttribute", "stored and loaded, a trained convolutional net gives other answers"),
    ("its net can be exported, and the device answers as torch does", "NoGraph", "."),
    ("its net still tells classes apart", "AllZero", "is right in 33% of an easy task .chance is 33%."),
    (
        "what it claims can be measured in the artifact",
        "Boasts",
        "it says {'removed': 0.9} of a trained convolutional net, and the artifact is not smaller",
    ),
]


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(promise, plugin, said):
    breaks("compressor", offer("broken_compressors", plugin), promise, said)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("compressor")


@pytest.mark.slow
def test_a_good_one_keeps_every_promise():
    assert set(answers("compressor", offer("broken_compressors", "Good")).values()) == {"kept"}


def test_one_that_applies_to_nothing_was_not_looked_at():
    with pytest.raises(
        BrokenPromise, match=r"nothing of what never does was looked at .it applies to no net that was tried: nothing to do: it is Monday"
    ):
        Suite("compressor", offer("broken_compressors", "Never")).ask(SOMETHING_ASKED)


def test_one_that_applies_to_the_default_learner_alone_is_looked_at():
    suite = Suite("compressor", offer("broken_compressors", "DefaultLearnerAlone"))
    suite.ask("it gives a net, and says what it achieved")
    suite.ask(SOMETHING_ASKED)
