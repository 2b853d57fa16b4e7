"""The contract of a data set finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

from faultbench.testing.checks import BrokenPromise
from faultbench.testing.suite import SOMETHING_ASKED, Suite

FAULTS = [
    ("the catalogue is known without reading a signal", "ReadsAtOnce", "catalogue.. reads signals: say what there is from names"),
    ("the catalogue names its recordings once each", "Empty", "the catalogue is empty: raise DataError"),
    ("the catalogue names its recordings once each", "SameIds", "1 ids stand more than once .one.: give each recording"),
    ("the catalogue names its recordings once each", "OtherName", "says it is of elsewhere: let every recording's dataset be plant"),
    ("the catalogue is the same every time", "Shuffled", "asked twice, the catalogue is another: sort"),
    ("the catalogue is the same every time", "InOrderOfASet", "another process gets another catalogue: sort what sets give"),
    ("recordings say who was measured, where and when", "NoMachine", "has the machine ''"),
    ("recordings say who was measured, where and when", "OddElement", "has the element 'Inner Race': name one of healthy, inner"),
    ("recordings say who was measured, where and when", "SevereHealth", "is healthy and of severity 'small': leave it empty"),
    (
        "a bearing is one specimen, a session one measurement, a mounting on one machine",
        "OneBearing",
        "bearing far 6205 has the elements|bearing near 6205",
    ),
    ("a bearing is one specimen, a session one measurement, a mounting on one machine", "OneSession", "has the loads 0 hp and 1 hp"),
    (
        "a bearing is one specimen, a session one measurement, a mounting on one machine",
        "SameMounting",
        "drive end has the machines far and near",
    ),
    ("channels have names, rates and lengths", "NoRate", "is at 0.0 Hz"),
    ("channels have names, rates and lengths", "TwinChannels", "give each a name of its own"),
    ("channels have names, rates and lengths", "NoSamples", "has 0 samples"),
    ("speeds and geometries are possible ones", "Backwards", "turns at -1800.0 rev/min: say rev/min"),
    ("speeds and geometries are possible ones", "OrdersInHz", "no bearing has BPFO 107.3"),
    ("speeds and geometries are possible ones", "HalfTooth", "no gears have 17 and 0 teeth"),
    ("its targets can be held out", "NoSuchTarget", "the target nearby is no machine"),
    ("a signal is float32, (sample,), finite, and as long as the catalogue says", "Double", "is read as float64"),
    ("a signal is float32, (sample,), finite, and as long as the catalogue says", "Short", "has 16383 samples, the catalogue says 16384"),
    ("a signal is float32, (sample,), finite, and as long as the catalogue says", "Gaps", "holds values that are not finite"),
    (
        "a signal is float32, (sample,), finite, and as long as the catalogue says",
        "Dead",
        "never changes: put a channel that vibrates first",
    ),
    ("reading twice gives the same samples", "Noisy", "read twice, has other samples"),
    ("reading twice gives the same samples", "SeededByHash", "another process reads other samples"),
    ("nothing is unpickled", "Pickled", "reading it unpickles numpy"),
    ("what is not there is refused", "AnyChannel", "a channel that is not there is not refused: raise DataError"),
    ("what is not there is refused", "KeyErrors", "a channel that is not there ends in KeyError"),
    ("where the data are missing, it says how to get them", "SilentlyEmpty", "an empty folder instead of the data is not refused"),
    ("where the data are missing, it says how to get them", "Curt", "says 'no data': say it in one line, `what is wrong: what to do`"),
    ("a scenario can split it", "TooShort", "no scenario can split it"),
]


@pytest.fixture
def here(tmp_path):
    (tmp_path / "here").touch()
    return tmp_path


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(here, promise, plugin, said):
    breaks("dataset", offer("broken_datasets", plugin), promise, said, data_dir=here)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("dataset")


def test_a_good_one_keeps_every_promise(here):
    assert set(answers("dataset", offer("broken_datasets", "Good"), data_dir=here).values()) == {"kept"}


def test_a_suite_without_data_is_no_suite(here):
    suite = Suite("dataset", offer("broken_datasets", "Absent"), data_dir=here)
    with pytest.raises(BrokenPromise, match=r"nothing of what absent does was looked at .the data are not here: plant: the data were lost"):
        suite.ask(SOMETHING_ASKED)


def test_lengths_that_nobody_knows_yet_are_no_fault(here):
    found = answers("dataset", offer("broken_datasets", "Unlisted"), data_dir=here)
    assert found["channels have names, rates and lengths"] == "kept"
    assert found["a scenario can split it"].startswith("not asked: it says no lengths")
