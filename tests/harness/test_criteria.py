"""Criteria: what parses, and what a person is told about what does not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.errors import UsageError
from faultbench.results.criteria import DEFAULT_CRITERIA, Criterion, parse, spelling
from faultbench.results.metrics import METRICS


def test_the_default_is_what_the_project_promises() -> None:
    assert parse() == (
        Criterion("accuracy", "ci_low", ">=", 0.95),
        Criterion("recall.rare", "ci_low", ">=", 0.92),
        Criterion("finetune_s", "p99", "<=", 600),
        Criterion("latency_ms", "p99", "<=", 100),
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("accuracy>=0.97", "accuracy.mean>=0.97"),
        ("latency_ms < 20", "latency_ms.p50<20"),
        ("bearings>=.75", "bearings.p_low>=0.75"),
        ("recall.worst.mean > 9e-1", "recall.worst.mean>0.9"),
        ("params<=100000", "params<=100000"),
        (" false_alarm.ci_high<=0.05 ,finetune_s.p99<=1e3", "false_alarm.ci_high<=0.05, finetune_s.p99<=1000"),
    ],
)
def test_a_statistic_left_out_is_the_usual_one(text: str, meant: str) -> None:
    assert spelling(parse(text)) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column 1: there is nothing: write metric"),
        ("accuracy>=0.9,", "column 15: there is nothing"),
        ("accuracy", "column 1: 'accuracy' is no criterion"),
        ("accuracy>=0.9, recal.rare>=0.9", "column 16: there is no metric 'recal.rare': did you mean recall.rare?"),
        ("accuracy.ci_lo>=0.9", "column 1: accuracy has no statistic 'ci_lo': did you mean ci_low?"),
        ("accuracy.p99>=0.9", "accuracy has no statistic 'p99': it has mean, ci_low, ci_high"),
        ("params.mean<=3", "params has no statistic 'mean': it is one number: write params alone"),
        ("accuracy==0.9", "column 9: '==' is no comparison: write one of >= <= > <"),
        ("accuracy=>0.9", "column 9: '=>' is no comparison"),
        ("latency_ms<=20ms", "column 13: '20ms' is no number"),
        ("latency_ms<=nan", "'nan' is no number"),
        ("latency_ms<=1e999", "'1e999' is no number"),
        ("accuracy>=95", "column 11: accuracy is a fraction, 95 is none: write a number from 0 to 1, as 0.95 for 95 %"),
        ("[bold]>=1", r"there is no metric '\[bold\]'"),
    ],
)
def test_what_does_not_parse_is_pointed_at(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_parses_or_is_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse(text)


@given(st.text(alphabet="acurylem._si><=0123456789,+- e\n", max_size=60))
def test_any_near_miss_parses_or_is_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse(text)


@st.composite
def criteria(draw: st.DrawFn) -> Criterion:
    metric = draw(st.sampled_from(sorted(METRICS)))
    statistic = draw(st.sampled_from(METRICS[metric].statistics or ("",)))
    fraction = METRICS[metric].evidence == "rate" and statistic not in ("passing", "total")
    number = st.floats(0, 1) if fraction else st.floats(allow_nan=False, allow_infinity=False)
    return Criterion(metric, statistic, draw(st.sampled_from([">=", "<=", ">", "<"])), draw(number))


@given(st.lists(criteria(), min_size=1, max_size=5))
def test_a_spelling_reads_back_as_what_it_spells(written: list[Criterion]) -> None:
    assert parse(spelling(tuple(written))) == tuple(written)


def test_the_spelling_of_the_default_is_the_default() -> None:
    assert spelling(parse(DEFAULT_CRITERIA)) == DEFAULT_CRITERIA


@pytest.mark.parametrize(("op", "below", "at", "above"), [(">=", 0, 1, 1), ("<=", 1, 1, 0), (">", 0, 0, 1), ("<", 1, 0, 0)])
def test_each_comparison_compares(op: str, below: int, at: int, above: int) -> None:
    criterion = Criterion("latency_ms", "p50", op, 20.0)
    assert [criterion.holds(value) for value in (19.0, 20.0, 21.0)] == [bool(below), bool(at), bool(above)]
