"""The contract of a target finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

from faultbench.offers import Param
from faultbench.testing.checks import BrokenPromise
from faultbench.testing.suite import SOMETHING_ASKED, Suite

THREADS = {"threads": Param(int, 1, "threads of the runtime", ge=1)}

FAULTS = [
    ("a device that cannot be reached is said in one line", "OddRefusal", "probe.. ends in OSError: no route to host: raise CellError"),
    ("a device that cannot be reached is said in one line", "CurtRefusal", "says 'unreachable': say it in one line"),
    ("probing twice gives the same device", "ByFreeMemory", "probed twice, the device has two fingerprints"),
    ("probing twice gives the same device", "NoCpu", "the device's cpu is ''"),
    ("it returns predictions and logits for every query", "Nothing", "run returns NoneType: return a Measurement"),
    ("it returns predictions and logits for every query", "GuessedKind", "the kind of evidence is 'guessed': say measured"),
    ("it returns predictions and logits for every query", "SmallPredictions", "predictions on class means are int8"),
    ("it returns predictions and logits for every query", "OtherPredictions", "are not the largest of their logits"),
    ("it answers as the reference runner does", "Softmaxed", "logits on class means are off by 1 of the largest"),
    ("an episode knows nothing of another", "KeepsItsState", "an episode alone has other answers than among others"),
    (
        "times are positive, one per episode and timed query, or void with the reason",
        "Milliseconds",
        "latency_s on class means are float64 .3,.",
    ),
    ("times are positive, one per episode and timed query, or void with the reason", "Instant", "are not all positive"),
    ("times are positive, one per episode and timed query, or void with the reason", "NoMemory", "peak_rss_bytes on class means is 0"),
    ("what ran it is what was probed", "ElsewhereThanProbed", "another fingerprint than the probed one"),
    ("more threads than there are cores are refused", "AnyThreads", "a thousand threads per core is not refused"),
    ("a damaged artifact is an error, not a measurement", "Mends", "an artifact with a damaged graph on .* is not refused"),
]


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(promise, plugin, said):
    suite = Suite("target", offer("broken_targets", plugin, **THREADS))
    if plugin == "Mends":
        suite.ask("it answers as the reference runner does")  # so that there is a last one
        with pytest.raises(BrokenPromise, match=said):
            suite.ask(promise)
    else:
        breaks("target", offer("broken_targets", plugin, **THREADS), promise, said)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("target")


def test_a_good_one_keeps_every_promise():
    assert set(answers("target", offer("broken_targets", "Good", **THREADS)).values()) == {"kept"}


def test_a_device_out_of_reach_was_not_looked_at():
    suite = Suite("target", offer("broken_targets", "Unreachable", **THREADS))
    suite.ask("a device that cannot be reached is said in one line")
    with pytest.raises(
        BrokenPromise, match=r"nothing of what unreachable does was looked at .its device cannot be reached: gateway: it does not answer"
    ):
        suite.ask(SOMETHING_ASKED)
