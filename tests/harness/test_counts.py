"""The counts that a row carries stand for its queries without loss."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from faultbench.errors import CellError, DataError
from faultbench.results.counts import by_unit, counted, from_row
from faultbench.results.outcome import Outcome
from faultbench.results.statistics import difference, rate_differences, rates

LABELS = np.array(["healthy", "inner", "outer"])


def answered(learner: int, seeds: int = 2) -> Outcome:
    """Queries that depend on nothing, and answers that depend on the learner: eight faulty units, two healthy ones."""
    asked, rng = np.random.default_rng(1), np.random.default_rng(learner)
    unit = asked.integers(0, 10, 2000)
    label = np.where(unit < 2, "healthy", LABELS[1 + unit % 2])
    predicted = np.where(rng.random(2000) < 0.7, label, LABELS[rng.integers(0, 3, 2000)])
    names = np.array([f"u{n}" for n in range(10)])[unit]
    return Outcome(
        seed=np.repeat(np.arange(seeds), 2000 // seeds),
        episode=np.arange(2000) // 20,
        unit=names,
        bearing=names,
        label=label,
        predicted=predicted,
        healthy=label == "healthy",
        predicted_healthy=predicted == "healthy",
        rare=(asked.random(2000) < 0.3) & (label != "healthy"),
        ways=3,
    )


def kept(outcome: Outcome) -> dict:
    return {"by_unit": by_unit(counted(outcome)), "cell": {"ways": outcome.ways}}


def test_every_query_is_counted_once() -> None:
    outcome = answered(5)
    counts = counted(outcome)
    assert counts.asked.sum() == 2000
    assert counts.right.sum() == np.count_nonzero(outcome.label == outcome.predicted)
    assert counts.called_healthy.sum() == np.count_nonzero(outcome.predicted == "healthy")
    chosen = (counts.unit == "u4") & counts.rare & (counts.seed == 1)
    (index,) = np.flatnonzero(chosen)
    assert counts.asked[index] == np.count_nonzero((outcome.unit == "u4") & outcome.rare & (outcome.seed == 1))


def test_what_a_row_keeps_reads_back_as_the_same_counts() -> None:
    counts = counted(answered(5))
    again = from_row(kept(answered(5)))
    assert again is not None
    assert again.same_queries(counts)
    assert np.array_equal(again.right, counts.right)
    assert np.array_equal(again.called_healthy, counts.called_healthy)


def test_a_difference_from_two_rows_is_that_from_their_queries_to_the_last_digit() -> None:
    first, second = answered(5), answered(6)
    one, two = from_row(kept(first)), from_row(kept(second))
    assert one is not None
    assert two is not None
    found = rate_differences(one, two)
    assert {name: found["accuracy"][name] for name in ("mean", "ci_low", "ci_high")} == difference(first, second)
    mine, theirs = rates(first), rates(second)
    for name, value in found.items():
        assert value["mean"] == pytest.approx(mine[name]["mean"] - theirs[name]["mean"]), name
        assert value["clusters"] == mine[name]["clusters"]


def test_differences_of_a_row_to_itself_are_nothing() -> None:
    one = from_row(kept(answered(5)))
    for value in rate_differences(one, one).values():
        assert (value["mean"], value["ci_low"], value["ci_high"]) == (0, 0, 0)


def test_rows_of_other_queries_have_no_difference() -> None:
    one, other = counted(answered(5)), counted(answered(5, seeds=4))
    with pytest.raises(CellError, match="not of the same queries"):
        rate_differences(one, other)


def test_a_row_without_counts_has_none() -> None:
    assert from_row({"cell": {"ways": 3}}) is None
    assert from_row({"by_unit": None, "cell": {"ways": 3}}) is None
    assert from_row({**kept(answered(5)), "cell": {"ways": None}}) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found[0]["right"].__setitem__(0, found[0]["asked"][0] + 1),
        lambda found: found[0]["asked"].append(3),
        lambda found: found.append(copy.deepcopy(found[0])),
        lambda found: [one["asked"].__setitem__(slice(None), [0, 0]) for one in found],
    ],
)
def test_counts_that_contradict_themselves_are_refused(spoil) -> None:
    row = kept(answered(5))
    spoil(row["by_unit"])
    with pytest.raises(DataError, match=r"contradict themselves .*: take the file") as caught:
        from_row(row)
    assert "\n" not in str(caught.value)
