"""Conditions of a comparison: what parses, and what a person is told about what does not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.errors import UsageError
from faultbench.results.conditions import RATIOS, Condition, parse
from faultbench.results.metrics import METRICS, RATES


def test_the_two_kinds_of_change() -> None:
    assert parse("accuracy.diff.ci_high<-0.01,latency_ms.p99.ratio>1.2") == (
        Condition("accuracy", "diff", "ci_high", "<", -0.01),
        Condition("latency_ms", "ratio", "p99", ">", 1.2),
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("accuracy.diff<0", "accuracy.diff.mean<0"),
        ("recall.rare.diff.ci_low<=-.05", "recall.rare.diff.ci_low<=-0.05"),
        ("finetune_s.ratio > 2", "finetune_s.p50.ratio>2"),
        ("params.ratio>1", "params.ratio>1"),
        ("load_s.ratio>=1.5", "load_s.ratio>=1.5"),
    ],
)
def test_a_statistic_left_out_is_the_usual_one(text: str, meant: str) -> None:
    (found,) = parse(text)
    assert found.spelling == meant
    assert parse(meant) == (found,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "fail-on, column 1: there is nothing: write metric.diff"),
        ("accuracy.diff<0,", "column 17: there is nothing"),
        ("accuracy<0.9", r"column 1: 'accuracy' names no change: write accuracy\.diff"),
        ("latency_ms.p99>20", r"'latency_ms.p99' names no change: write latency_ms\.p99\.ratio"),
        ("acuracy.diff<0", "there is no rate 'acuracy': did you mean accuracy?"),
        ("accuracy.diff.ci_hi<0", "a difference has no statistic 'ci_hi': did you mean ci_high?"),
        ("accuracy.difference<0", "a difference has no statistic"),
        ("accuracy.diff.<0", "a difference has no statistic ''"),
        ("accuracy.ratio>1.2", "accuracy is compared by its difference: write accuracy.diff"),
        ("latency_ms.diff>3", "latency_ms is compared by its ratio: write latency_ms.ratio"),
        ("latency_ms.p98.ratio>1", "latency_ms has no statistic 'p98'"),
        ("train_s.ratio>1", "train_s is not compared: no row names the machine"),
        ("bearings.ratio>1", "bearings is compared by its difference"),
        ("accuracy.diff<-5", "accuracy is a fraction, -5 is no difference of two: write a number from -1 to 1, as -0.05 for -5 %"),
        ("latency_ms.ratio<-1", "a ratio of -1 cannot be"),
        ("accuracy.diff=<0", "'=<' is no comparison"),
        ("accuracy.diff<x", "'x' is no number"),
        ("accuracy.diff", "is no condition"),
    ],
)
def test_what_does_not_parse_is_pointed_at(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="acurylem._sdfratio<>=0123456789,+- e\n", max_size=60))
def test_any_near_miss_parses_or_is_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse(text)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    op = draw(st.sampled_from([">=", "<=", ">", "<"]))
    if draw(st.booleans()):
        return Condition(
            draw(st.sampled_from(RATES)), "diff", draw(st.sampled_from(["mean", "ci_low", "ci_high"])), op, draw(st.floats(-1, 1))
        )
    metric = draw(st.sampled_from(RATIOS))
    statistic = draw(st.sampled_from(METRICS[metric].statistics or ("",)))
    return Condition(metric, "ratio", statistic, op, draw(st.floats(0, 1e9)))


@given(st.lists(conditions(), min_size=1, max_size=5))
def test_a_spelling_reads_back_as_what_it_spells(written: list[Condition]) -> None:
    assert parse(", ".join(one.spelling for one in written)) == tuple(written)


def test_a_condition_fires_where_it_is_true() -> None:
    (condition,) = parse("accuracy.diff<-0.01")
    assert [condition.fires(value) for value in (-0.02, -0.01, 0.0)] == [True, False, False]
