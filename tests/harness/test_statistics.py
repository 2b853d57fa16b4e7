"""Rates, intervals and differences, held to small cases computed by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from faultbench.errors import CellError
from faultbench.results.confusion import by_class
from faultbench.results.outcome import Outcome
from faultbench.results.statistics import bearings, difference, proven_share, rates

HEALTHY = "healthy"


def outcome(queries: list[tuple[int, str, str, str]], ways: int = 5, rare: str = "", seeds: int = 1) -> Outcome:
    """An outcome of queries (how many, unit, true class, returned class), asked alike in every seed."""
    columns = list(zip(*[(unit, label, predicted) for count, unit, label, predicted in queries for _ in range(count)], strict=True))
    unit, label, predicted = (np.tile(np.array(column, dtype=np.str_), seeds) for column in columns)
    per_seed = len(unit) // seeds
    return Outcome(
        seed=np.repeat(np.arange(seeds), per_seed),
        episode=np.zeros(len(unit), dtype=np.int64),
        unit=unit,
        bearing=unit,
        label=label,
        predicted=predicted,
        healthy=label == HEALTHY,
        predicted_healthy=predicted == HEALTHY,
        rare=label == rare,
        ways=ways,
    )


def fault_bearings(right: list[int], of: int = 10, seeds: int = 1) -> Outcome:
    """Fault bearings of one class each, with so many of their queries right, and no healthy one."""
    queries = [(count, f"b{n}", f"f{n}", label) for n, hits in enumerate(right) for count, label in ((hits, f"f{n}"), (of - hits, "?"))]
    return outcome(queries, ways=len(right), seeds=seeds)


MIXED = outcome(
    [
        (9, "h1", HEALTHY, HEALTHY),
        (1, "h1", HEALTHY, "inner"),
        (10, "h2", HEALTHY, HEALTHY),
        (8, "i1", "inner", "inner"),
        (2, "i1", "inner", HEALTHY),
        (10, "i2", "inner", "inner"),
        (5, "o1", "outer", "outer"),
        (5, "o1", "outer", "inner"),
    ],
    ways=4,
    rare="outer",
)


def test_accuracy_weighs_healthy_as_one_way_of_several() -> None:
    found = rates(MIXED)
    assert found["accuracy"]["mean"] == pytest.approx(19 / 20 / 4 + 23 / 30 * 3 / 4)
    assert found["accuracy_faults"]["mean"] == pytest.approx(23 / 30)
    assert found["accuracy"]["clusters"] == "3 fault + 2 healthy"
    assert found["accuracy_faults"]["clusters"] == "3 fault"


def test_recalls_and_alarms_count_what_their_names_say() -> None:
    found = rates(MIXED)
    assert found["recall.worst"]["mean"] == pytest.approx(0.5)
    assert found["recall.rare"]["mean"] == pytest.approx(0.5)
    assert found["false_alarm"]["mean"] == pytest.approx(1 / 20)
    assert found["missed_alarm"]["mean"] == pytest.approx(2 / 30)


def test_without_healthy_the_faults_stand_alone_and_alarms_are_unknown() -> None:
    found = rates(fault_bearings([10, 9, 8]))
    assert found["accuracy"] == found["accuracy_faults"]
    assert found["false_alarm"] is None
    assert found["missed_alarm"] is None
    assert found["recall.rare"] is None


def test_the_interval_is_that_of_all_resamplings_of_the_units() -> None:
    right = [10, 9, 6, 3]
    found = rates(fault_bearings(right))["accuracy"]
    every = sorted(sum(draw) / 40 for draw in itertools.product(right, repeat=4))
    # 256 equally likely resamplings: the drawn quantiles may be one step off the exact ones.
    low, high = np.quantile(every, [0.025, 0.975])
    assert found["ci_low"] == pytest.approx(low, abs=0.05)
    assert found["ci_high"] == pytest.approx(high, abs=0.05)
    assert found["ci_low"] < found["mean"] < found["ci_high"]


def test_one_bearing_that_dominates_makes_the_interval_wider_than_independent_queries_would() -> None:
    clustered = rates(fault_bearings([100] * 9 + [20], of=100))["accuracy"]
    one_unit_each = [(1, f"q{n}", "f", "f" if n >= 80 else "?") for n in range(1000)]
    independent = rates(outcome(one_unit_each, ways=2))["accuracy"]
    assert clustered["mean"] == pytest.approx(independent["mean"])
    assert clustered["ci_high"] - clustered["ci_low"] > 4 * (independent["ci_high"] - independent["ci_low"])


def test_seeds_are_resampled_across_the_bearings() -> None:
    alike = fault_bearings([9, 8, 9, 8, 9, 8], seeds=2)
    columns = {name: getattr(alike, name).copy() for name in Outcome.__slots__ if name != "ways"}
    columns["predicted"][columns["seed"] == 1] = "?"
    one_seed_fails = Outcome(**columns, ways=alike.ways)
    narrow, wide = rates(alike)["accuracy"], rates(one_seed_fails)["accuracy"]
    assert narrow["ci_low"] > 0.7
    assert wide["ci_low"] == 0.0
    assert wide["ci_high"] > 0.8


def test_no_spread_is_said_to_be_degenerate() -> None:
    perfect = rates(fault_bearings([10] * 11))["accuracy"]
    assert (perfect["ci_low"], perfect["ci_high"], perfect["degenerate"]) == (1.0, 1.0, True)
    assert rates(fault_bearings([10, 9, 8]))["accuracy"]["degenerate"] is False


def test_one_bearing_gives_no_interval() -> None:
    found = rates(fault_bearings([7]))["accuracy"]
    assert found["mean"] == pytest.approx(0.7)
    assert found["ci_low"] is None
    assert found["ci_high"] is None


def test_recall_worst_is_the_least_of_each_draw() -> None:
    found = rates(fault_bearings([10, 10, 10, 10, 4]))["recall.worst"]
    assert found["mean"] == pytest.approx(0.4)
    # The worst bearing is left out of (4/5)^5 = 33 % of the draws, where the least recall is 1.
    assert found["ci_low"] == pytest.approx(0.4)
    assert found["ci_high"] == 1.0


def test_the_same_queries_give_the_same_interval_to_the_last_digit() -> None:
    assert rates(fault_bearings([10, 7, 8, 9], seeds=3)) == rates(fault_bearings([10, 7, 8, 9], seeds=3))


def test_the_order_of_the_queries_does_not_matter() -> None:
    shuffled = np.random.default_rng(5).permutation(len(MIXED.label))
    other = Outcome(**{name: getattr(MIXED, name)[shuffled] for name in Outcome.__slots__ if name != "ways"}, ways=MIXED.ways)
    assert rates(other) == rates(MIXED)


def test_a_difference_is_paired() -> None:
    first, second = fault_bearings([10, 8, 6, 4, 2, 9]), fault_bearings([9, 7, 5, 3, 1, 8])
    found = difference(first, second)
    # Every bearing is better by one in ten: the spread between bearings, much wider, cancels.
    assert found["mean"] == pytest.approx(0.1)
    assert found["ci_low"] == pytest.approx(0.1)
    assert found["ci_high"] == pytest.approx(0.1)
    alone = rates(first)["accuracy"]
    assert alone["ci_high"] - alone["ci_low"] > 0.2


def test_a_difference_of_a_learner_to_itself_is_nothing() -> None:
    assert difference(MIXED, MIXED) == {"mean": 0.0, "ci_low": 0.0, "ci_high": 0.0}


def test_a_difference_between_other_queries_is_refused() -> None:
    with pytest.raises(CellError, match="same queries"):
        difference(fault_bearings([10, 9, 8]), fault_bearings([10, 9, 8, 7]))


def test_a_unit_name_in_both_strata_is_two_units() -> None:
    found = rates(outcome([(5, "x", HEALTHY, HEALTHY), (5, "x", "inner", "inner"), (5, "y", "inner", "?")]))
    assert found["accuracy"]["clusters"] == "2 fault + 1 healthy"


@pytest.mark.parametrize(("passing", "total", "proven"), [(11, 11, 0.7616), (36, 36, 0.9202), (0, 11, 0.0), (5, 10, 0.2224)])
def test_the_share_proven_is_clopper_and_pearsons(passing: int, total: int, proven: float) -> None:
    assert proven_share(passing, total) == pytest.approx(proven, abs=1e-4)


def test_bearings_pass_by_their_own_recall() -> None:
    found = bearings(fault_bearings([100, 92, 91], of=100))
    assert found is not None
    assert (found["passing"], found["total"], found["criterion"]) == (2, 3, 0.92)
    assert found["recall"] == {"b0": 1.0, "b1": 0.92, "b2": 0.91}
    assert bearings(fault_bearings([100, 92, 91], of=100), 0.9)["passing"] == 3
    assert bearings(outcome([(3, "h", HEALTHY, HEALTHY)])) is None


def test_torchmetrics_point_figures_equal_the_weighted_means() -> None:
    import torch
    from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix

    # As many queries of each class, as in episodes: the strata's weights are then those of a plain mean.
    names = [HEALTHY, "inner", "outer", "ball"]
    rng = np.random.default_rng(2)
    queries = [(1, f"{true}{n % 5}", true, true if rng.random() < 0.8 else names[rng.integers(4)]) for true in names for n in range(50)]
    balanced = outcome(queries, ways=4)
    number = {name: n for n, name in enumerate(sorted(names))}
    true = torch.tensor([number[x] for x in balanced.label])
    returned = torch.tensor([number[x] for x in balanced.predicted])
    found, classes = rates(balanced), by_class(balanced)
    assert found["accuracy"]["mean"] == pytest.approx(float(MulticlassAccuracy(4, average="micro")(returned, true)))
    assert found["recall.worst"]["mean"] == pytest.approx(min(one["recall"] for one in classes["classes"].values()))
    assert found["false_alarm"]["mean"] == pytest.approx(1 - classes["classes"][HEALTHY]["recall"])
    assert classes["confusion"] == {"labels": sorted(names), "counts": MulticlassConfusionMatrix(4)(returned, true).tolist()}


def test_a_class_returned_but_never_asked_for_has_a_column_and_no_recall() -> None:
    found = by_class(outcome([(3, "b", "inner", "inner"), (1, "b", "inner", "outer")]))
    assert found["classes"] == {"inner": {"recall": 0.75, "queries": 4}}
    assert found["confusion"] == {"labels": ["inner", "outer"], "counts": [[3, 1], [0, 0]]}


def test_one_class_alone_has_a_recall() -> None:
    assert by_class(outcome([(3, "b", "inner", "inner")])) == {
        "classes": {"inner": {"recall": 1.0, "queries": 3}},
        "confusion": {"labels": ["inner"], "counts": [[3]]},
    }
