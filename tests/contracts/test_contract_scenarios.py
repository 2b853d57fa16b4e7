"""The contract of a scenario finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

from faultbench.offers import Param

TARGET = {"target": Param(str, "", "the machine held out")}

FAULTS = [
    ("its level is one that the audit knows", "LevelOfItsOwn", "its level is 'T2b': name one of T0, T1"),
    ("it splits a plant of two machines", "Refuses", "it refuses a plant of two machines.*these data are not good enough"),
    ("it splits a plant of two machines", "NoSplit", "split returns a tuple of Pool, Pool: return a Split"),
    ("the leak audit finds nothing", "Leaks", "the audit of its split finds .* source and target share 1 sample"),
    ("the split is what was asked for", "OtherName", "says it is of 'new-device': name it othername"),
    ("the split is what was asked for", "OtherLevel", "is of level T1, the scenario of T2: let both say the same"),
    ("the split is what was asked for", "SeedZeroToo", "is of seed 1, asked for 0: give the split the seed that split.. was called with"),
    ("the split is what was asked for", "PinsItsSeed", "is of seed 0, asked for 1: give the split the seed"),
    ("the split is what was asked for", "AlwaysFiveWays", "asked for 2 ways, the split has 5"),
    ("the same seed gives the same split", "Unseeded", "with one seed, it is two splits: draw by generator"),
    ("another seed gives other episodes", "Deaf", "two seeds give the same episodes"),
    ("another seed gives other episodes", "PinsItsDraws", "two seeds give the same episodes .0 and 2.: draw episodes by generator"),
    ("another seed gives other episodes", "FixedRows", "two seeds give the same episodes .0 and 1."),
    ("more episodes change neither source nor target", "ByCount", "for another number of episodes the source or the target is another"),
    ("every recording is on one side, or listed as left out", "Loses", "2 recordings are nowhere"),
    ("every recording is on one side, or listed as left out", "LeavesOutWhatItUses", "1 recordings are used and left out"),
    ("more ways than there are classes are refused", "FewerWays", "a request for 99 ways is not refused"),
    ("more windows than there are are refused", "FewerShots", "a request for a million shots is not refused"),
    ("what it cannot part it refuses", "Crashes", "an empty catalogue: it ends in AttributeError"),
    ("what it cannot part it refuses", "Anyway", "one bearing of each class, at one load, on one machine it splits, and breaks its level"),
    ("a target that is not there is refused", "AnyTarget", "a target that is not there is not refused: raise UsageError"),
]


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(promise, plugin, said):
    breaks("scenario", offer("broken_scenarios", plugin, **TARGET), promise, said)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("scenario")


def test_a_good_one_keeps_every_promise():
    assert set(answers("scenario", offer("broken_scenarios", "Good", **TARGET)).values()) == {"kept"}
