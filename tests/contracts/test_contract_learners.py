"""The contract of a learner finds each fault that is planted in one."""

from __future__ import annotations

import pytest
from planting import answers, breaks, offer, own_promises, planted

FAULTS = [
    ("it says whether it is meta-trained", "SaysNothing", "meta_trained is None: set it to True"),
    ("it is built from its seed alone", "Unseeded", "built twice from one seed, it is two nets"),
    ("it can be built for any number of ways and channels", "ThreeWays", "built for 2 ways, its logits are .15, 3."),
    (
        "it can be built for any number of ways and channels",
        "RefusesTwoWays",
        "built for 2 ways, it refuses .refuses: two ways are too few",
    ),
    (
        "adapting gives finite tensors by name",
        "NoPhysics",
        "raises TypeError: NoPhysics.adapt.. takes 4",
    ),
    ("training twice gives the same net", "TrainedByChance", "trained twice from one seed, it is two nets"),
    (
        "training changes something, or it says that it is not meta-trained",
        "DoesNotTrain",
        "it is meta_trained, and `fit` changes no tensor",
    ),
    (
        "training changes something, or it says that it is not meta-trained",
        "TrainsInSecret",
        "it is not meta_trained, and `fit` changes the net",
    ),
    ("training changes something, or it says that it is not meta-trained", "Diverges", "after training, body.1.bias is not finite"),
    ("training keeps to its budget", "NoBudget", "batches for 0.02 of the budget and .* for 0.06: take budget.steps"),
    ("training keeps to its budget", "Silent", "its training never says where it is: call budget.progress"),
    ("training keeps to its budget", "NeverDone", "its training says it is at 12 of 200|its training says it is at 4 of 200"),
    ("training hears an extra loss", "DeafToExtraLoss", "`fit` never calls extra_loss"),
    ("training hears an extra loss", "HearsButDoesNotListen", "extra_loss does not change the training"),
    ("training keeps everything in the net", "InAnAttribute", "stored, and loaded by another instance, its net gives other answers"),
    (
        "training keeps everything in the net",
        "InAnAttributeOfTheNet",
        "stored, and loaded by another instance, its net gives other answers",
    ),
    ("its loss is a number that training can follow", "LossPerQuery", "return the mean over queries, a finite scalar"),
    ("its loss is a number that training can follow", "DetachedLoss", "the gradient of its loss reaches no parameter"),
    ("adapting gives finite tensors by name", "ListOfTensors", "adapt returns list: return a mapping"),
    ("adapting gives finite tensors by name", "OverflowingSteps", "after adapting, .* is not finite"),
    ("logits are float32, (query, way), and finite", "Probabilities", "predict returns torch.int64 .15,.: return float32 .15, 3."),
    ("logits are float32, (query, way), and finite", "LogOfZero", "its logits are not finite: leave out logarithms of zero"),
    ("adapting twice gives the same state", "DrawsWhenAdapting", "adapted twice to one support, it has two states"),
    ("adapting leaves the net as it was", "ChangesTheNet", "adapting or predicting changes the net"),
    ("a query's answer depends on that query alone", "CentresQueries", "a query alone has other logits than among others"),
    ("a row of zeros among the labels is padding", "CountsPadding", "rows of noise whose labels are zeros change its answers"),
    ("a class may have a single sample", "WithinClassDeviation", "with a single sample of a class, its logits are not finite"),
    ("the order of the support changes nothing", "LastComesFirst", "with the support in another order, .* of the answers change"),
    ("other class numbers mean the same classes", "FavouriteClass", "with the classes numbered otherwise, .* of the answers change"),
    ("it learns from the support", "LearnsNothing", "it is right in 33% .chance is 33%."),
    ("it can be exported, or says in one line why not", "NoReason", "HostOnly says '': say in one line why"),
    ("it can be exported, or says in one line why not", "NoGraphs", "export returns dict: return Graphs, or HostOnly"),
    ("its graphs are an artifact", "ReservedName", "no artifact comes of its graphs .the state has a tensor named 'windows'"),
    ("exporting twice gives the same graphs", "DrawnGraphs", "exported twice, it has other graphs"),
    ("exporting leaves the net as it was", "ExportsItsNet", "exporting changes the net: export a copy"),
    ("the device answers as torch does", "OtherGraphs", "of the device's answers are not torch's"),
    ("the device answers as torch does", "SlightlyOtherGraphs", "its graphs differ from torch .Parity"),
    ("the device takes a smaller support", "TracedSupport", "with half of the support, .* of the device's answers are not torch's"),
]


@pytest.mark.parametrize(("promise", "plugin", "said"), planted(FAULTS))
def test_a_planted_fault_breaks_its_promise(promise, plugin, said):
    breaks("learner", offer("broken_learners", plugin), promise, said)


def test_every_promise_has_a_planted_fault():
    assert {promise for promise, _, _ in FAULTS} == own_promises("learner")


@pytest.mark.slow
def test_a_good_one_keeps_every_promise():
    assert set(answers("learner", offer("broken_learners", "Good")).values()) == {"kept"}


def test_one_that_runs_on_the_host_only_is_not_asked_for_graphs():
    found = answers("learner", offer("broken_learners", "Forest"))
    assert {promise for promise, answer in found.items() if answer != "kept"} == {
        "its graphs are an artifact",
        "exporting twice gives the same graphs",
        "the device answers as torch does",
        "the device takes a smaller support",
    }
    assert found["its graphs are an artifact"] == "not asked: it runs on the host only: it is a forest"
