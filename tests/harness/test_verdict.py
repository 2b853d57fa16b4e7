"""Verdicts: what counts as proof, and the exit codes that rows add up to."""

from __future__ import annotations

from typing import Any

import pytest

from faultbench.results.comparison import _weakness
from faultbench.results.criteria import parse
from faultbench.results.verdict import exit_code, judge, too_few_queries


def rate(
    mean: float, low: float | None, high: float | None, fault_units: int = 9, healthy_units: int = 4, queries: float = 100.0
) -> dict[str, Any]:
    units = {"fault_units": fault_units, "healthy_units": healthy_units, "queries_per_unit": queries}
    return {"mean": mean, "ci_low": low, "ci_high": high, "clusters": "", **units}


def measured(**changed: Any) -> dict[str, Any]:
    """A row that passes everything, unless changed."""
    passing = {
        "error": None,
        "error_code": None,
        "not_applicable": None,
        "watermark": None,
        "baseline": False,
        "kind": "measured",
        "void": "",
        "accuracy": rate(0.98, 0.97, 0.99),
        "recall": {"rare": rate(0.97, 0.94, 0.98), "worst": rate(0.95, 0.9, 0.97)},
        "accuracy_faults": rate(0.97, 0.96, 0.98),
        "false_alarm": rate(0.01, 0.0, 0.02, fault_units=0, healthy_units=6),
        "finetune_s": {"min": 0.1, "p50": 0.2, "p90": 0.3, "p99": 0.4, "n": 100},
        "latency_ms": {"min": 1.0, "p50": 2.0, "p90": 3.0, "p99": 4.0, "n": 1000},
        "load_s": 0.1,
        "params": 1000,
        "bearings": {"passing": 9, "total": 9, "p_low": 0.717, "criterion": 0.92},
    }
    return passing | changed


def verdict(text: str = "", **changed: Any) -> dict[str, Any]:
    return judge(measured(**changed), parse(text) if text else parse())


def test_a_row_that_holds_every_criterion_passes() -> None:
    found = verdict()
    assert found["overall"] == "pass"
    assert found["sentence"] == "passes all 4 criteria"
    assert {name: found["criteria"][0][name] for name in ("value", "holds", "verdict")} == {"value": 0.97, "holds": True, "verdict": "pass"}


def test_a_failing_bound_is_put_into_words() -> None:
    found = verdict(recall={"rare": rate(0.93, 0.88, 0.97)})
    assert found["overall"] == "fail"
    assert found["sentence"] == "fails: recall.rare 0.88 to 0.97 on 9 bearings, criterion >= 0.92 on the lower bound"


def test_a_failing_time_is_put_into_words() -> None:
    assert verdict("latency_ms.p99<=3")["sentence"] == "fails: latency_ms.p99 4, criterion <= 3"


def test_one_failure_outweighs_what_is_unproven() -> None:
    assert verdict(latency_ms=None, accuracy=rate(0.9, 0.8, 0.95))["overall"] == "fail"


@pytest.mark.parametrize(
    ("text", "changed", "reason"),
    [
        ("latency_ms<=20", {"latency_ms": None}, "latency_ms is not known"),
        (
            "latency_ms<=20",
            {"latency_ms": None, "void": "a query repeated is faster"},
            "the times are void: a query repeated is faster",
        ),
        ("accuracy.ci_low>=0.9", {"accuracy": rate(0.98, None, None, fault_units=1)}, "accuracy has no interval"),
        ("accuracy>=0.9", {"accuracy": rate(0.98, 0.97, 0.99, fault_units=4)}, "only 4 fault bearings, 5 are needed"),
        ("accuracy>=0.99", {"accuracy": rate(0.98, 0.97, 0.99, fault_units=4)}, "only 4 fault bearings"),
        ("recall.rare>=0.9", {"recall": {"rare": rate(0.98, 0.97, 0.99, fault_units=3)}}, "only 3 fault bearings"),
        ("false_alarm<=0.1", {"false_alarm": rate(0.0, 0.0, 0.0, fault_units=0, healthy_units=4)}, "only 4 healthy units"),
        ("accuracy>=0.9", {"accuracy": rate(0.98, 0.97, 0.99, queries=12)}, "only 12 queries a bearing on average, 36 are needed"),
        ("accuracy>=0.9", {"accuracy": rate(0.98, 0.97, 0.99, queries=35.71)}, "only 35.7 queries a bearing on average, 36 are needed"),
        ("accuracy>=0.9", {"accuracy": rate(0.98, 0.97, 0.99, queries=35.99)}, "only 35.9 queries a bearing on average, 36 are needed"),
        ("bearings>=0.5", {"accuracy_faults": rate(0.98, 0.97, 0.99, queries=4)}, "only 4 queries a bearing"),
        ("latency_ms.p99<=9", {"latency_ms": {"p50": 1.0, "p99": 2.0, "n": 6}}, "only 6 were timed"),
        ("bearings>=0.5", {"accuracy": rate(0.98, 0.97, 0.99, fault_units=4)}, "only 4 fault bearings"),
        ("latency_ms<=20", {"kind": "emulated"}, "emulated, times do not count"),
        ("load_s<=20", {"kind": "emulated"}, "emulated, times do not count"),
        ("latency_ms<=20", {"kind": "estimated"}, "an estimate cannot pass"),
        ("accuracy>=0.9", {"kind": "estimated"}, "an estimate cannot pass"),
        ("accuracy>=0.9", {"kind": None}, "nothing says what kind of evidence it is"),
        ("accuracy>=0.9", {"watermark": "quick"}, "quick"),
        ("accuracy>=0.99", {"watermark": "leaks: bearing"}, "leaks: bearing"),
    ],
)
def test_without_evidence_that_carries_it_a_criterion_is_unproven(text: str, changed: dict[str, Any], reason: str) -> None:
    found = verdict(text, **changed)
    assert (found["overall"], found["criteria"][0]["verdict"]) == ("unproven", "unproven")
    assert reason in found["criteria"][0]["reason"]
    assert reason in found["sentence"]


@pytest.mark.parametrize(
    ("text", "changed", "overall"),
    [
        ("latency_ms<=1", {"kind": "estimated"}, "fail"),
        ("accuracy>=0.9", {"kind": "emulated"}, "pass"),
        ("accuracy>=0.99", {"kind": "emulated"}, "fail"),
        ("false_alarm<=0.1", {}, "pass"),
        ("params<=1000", {"kind": "estimated"}, "pass"),
        ("bearings>=0.75", {}, "fail"),
    ],
)
def test_evidence_counts_for_what_it_can_carry(text: str, changed: dict[str, Any], overall: str) -> None:
    assert verdict(text, **changed)["overall"] == overall


def test_an_unproven_sentence_says_what_the_value_would_be_worth() -> None:
    def said(text: str, **changed: Any) -> str:
        return verdict(text, **changed)["sentence"]

    quick = {"watermark": "quick"}
    assert (
        said("accuracy>=0.99, latency_ms<=20", **quick) == "unproven (quick): accuracy.mean>=0.99 (0.98) would fail, the other would pass"
    )
    assert said("accuracy>=0.9, latency_ms<=20", **quick) == "unproven (quick): all 2 criteria would pass"
    assert said("accuracy>=0.99", **quick) == "unproven (quick): accuracy.mean>=0.99 (0.98) would fail"
    assert (
        said("accuracy>=0.9, latency_ms<=20", kind="emulated")
        == "unproven: latency_ms.p50<=20 (2 would pass): emulated, times do not count"
    )


def test_a_failed_and_a_senseless_cell_are_neither_pass_nor_fail() -> None:
    failed, senseless = verdict(error="out of memory"), verdict(not_applicable="nothing to prune")
    assert (failed["overall"], failed["sentence"]) == ("error", "could not be computed: out of memory")
    assert (senseless["overall"], senseless["sentence"]) == ("not applicable", "not applicable: nothing to prune")
    assert not failed["gated"]
    assert not senseless["gated"]


PASSING, FAILING, UNPROVEN = measured(), measured(accuracy=rate(0.9, 0.8, 0.93)), measured(latency_ms=None)
BASELINE, ERROR, SENSELESS = measured(baseline=True), measured(error="no", error_code=4), measured(not_applicable="no")
MISUSED = measured(error="too many ways", error_code=2)


@pytest.mark.parametrize(
    ("rows", "plainly", "gated", "allowed"),
    [
        ([PASSING], 0, 0, 0),
        ([PASSING, FAILING], 0, 1, 1),
        ([PASSING, UNPROVEN], 0, 3, 0),
        ([FAILING, UNPROVEN], 0, 1, 1),
        ([PASSING, ERROR], 4, 4, 4),
        ([FAILING, ERROR], 4, 4, 4),
        ([FAILING, UNPROVEN, ERROR, MISUSED], 2, 2, 2),
        ([MISUSED, SENSELESS], 2, 2, 2),
        ([PASSING, SENSELESS], 0, 0, 0),
        ([SENSELESS], 4, 4, 4),
        ([], 4, 4, 4),
        ([PASSING, measured(baseline=True, accuracy=rate(0.5, 0.4, 0.6))], 0, 0, 0),
        ([BASELINE], 0, 4, 4),
        ([measured(watermark="quick", accuracy=rate(0.5, 0.4, 0.6))], 0, 3, 0),
    ],
)
def test_exit_codes(rows: list[dict[str, Any]], plainly: int, gated: int, allowed: int) -> None:
    judged = [row | {"verdict": judge(row, parse())} for row in rows]
    assert exit_code(judged, gate=False) == plainly
    assert exit_code(judged, gate=True) == gated
    assert exit_code(judged, gate=True, allow_unproven=True) == allowed


def test_too_few_queries_say_how_many_episodes_would_do() -> None:
    few = rate(0.98, 0.97, 0.99, queries=23.4)
    criterion = verdict("accuracy>=0.9", accuracy=few, cell={"episodes": 50})["criteria"][0]
    assert criterion["reason"] == "only 23.4 queries a bearing on average, 36 are needed (about --episodes 77)"
    assert too_few_queries(0.0, "bearing", 50) == "only 0 queries a bearing on average, 36 are needed", "no number of them would do"


@pytest.mark.parametrize(
    ("mean", "said"),
    [(12, "12"), (35.71, "35.7"), (35.99, "35.9"), (36, ""), (0.04, "0")],
    ids=["whole", "mean", "nearly", "enough", "none"],
)
def test_queries_on_average_never_read_as_the_number_that_is_needed(mean: float, said: str) -> None:
    assert too_few_queries(mean, "bearing") == (f"only {said} queries a bearing on average, 36 are needed" if said else "")
    more = too_few_queries(mean, "bearing", 100)
    if said:
        needed = int(more.removeprefix(too_few_queries(mean, "bearing") + " (about --episodes ").removesuffix(")"))
        assert mean * (needed - 1) / 100 < 36 <= mean * needed / 100
    else:
        assert more == ""
    units = {"fault_units": 9, "healthy_units": 4, "queries_per_unit": mean}
    assert _weakness("accuracy", units, "bearing") == too_few_queries(mean, "bearing")
