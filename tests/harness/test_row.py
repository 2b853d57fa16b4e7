"""The row: its layout, and that what is not known stays unknown."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from faultbench.results.criteria import parse
from faultbench.results.outcome import Outcome
from faultbench.results.row import PROTOCOL, plain, row

AXES = {"dataset": "cwru", "scenario": "new-device", "learner": "maml", "compressor": "prune40", "target": "x86"}
CELL = {**AXES, "level": "T2", "ways": 4, "shots": 5, "seeds": 2, "window": 2048, "rate_hz": 12000.0, "quick": False}
TIMES = {"latency_ms": {"min": 1.0, "p50": 2.0, "p90": 2.5, "p99": 3.0, "n": 1000}}


def outcome(wrong_every: int = 50) -> Outcome:
    """Ten fault bearings of three classes and two healthy sessions, one query in so many wrong."""
    number = np.arange(2400)
    unit = number % 12
    healthy = unit < 2
    label = np.where(healthy, "healthy", np.array(["inner", "ball", "outer"])[unit % 3])
    predicted = np.where(number % wrong_every == wrong_every - 1, "inner", label)
    names = np.array([f"u{n:02d}" for n in range(12)])
    return Outcome(
        seed=number // 1200,
        episode=number // 60,
        unit=names[unit],
        bearing=names[unit],
        label=label,
        predicted=predicted,
        healthy=healthy,
        predicted_healthy=predicted == "healthy",
        rare=label == "ball",
        ways=4,
    )


def made(**given: Any) -> dict[str, Any]:
    parts = {"cell": CELL, "outcome": outcome(), "times": TIMES, "figures": {"params": 61234}, "criteria": parse()}
    parts |= {"digest": "d", "kind": "measured"} | given
    return row(parts.pop("cell"), parts.pop("outcome"), parts.pop("times"), parts.pop("figures"), parts.pop("criteria"), **parts)


def test_a_row_is_nested_as_its_names_say() -> None:
    found = made()
    assert found["protocol"] == PROTOCOL
    assert found["cell"]["learner"] == "maml"
    assert found["accuracy"]["ci_low"] <= found["accuracy"]["mean"]
    assert found["accuracy"]["clusters"] == "10 fault + 2 healthy"
    assert found["recall"]["rare"]["clusters"] == "3 fault"
    assert found["recall"]["worst"]["mean"] <= found["accuracy_faults"]["mean"]
    assert found["bearings"]["total"] == 10
    assert found["confusion"]["labels"] == ["ball", "healthy", "inner", "outer"]
    assert found["verdict"]["overall"] in ("pass", "fail", "unproven")
    assert [one["criterion"] for one in found["verdict"]["criteria"]] == [c.spelling for c in parse()]


def test_a_row_is_json_without_further_ado() -> None:
    found = made(device={"cores": np.int64(2)}, figures={"macs": np.float32(3.5)})
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_is_not_known_is_none_and_never_nought() -> None:
    found = made(outcome=None, times=None, figures={}, kind=None, error="out of memory")
    unknown = ["accuracy", "accuracy_faults", "false_alarm", "missed_alarm", "finetune_s", "latency_ms", "decision_ms", "bearings"]
    unknown += ["params", "macs", "energy_mj", "kind", "device", "watermark", "looks", "confusion"]
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)
    assert found["recall"] == {"rare": None, "worst": None}
    assert found["cell"]["shots_rare"] is None


def test_a_decision_takes_the_sensing_of_a_window_and_the_latency() -> None:
    found = made()["decision_ms"]
    assert found["p50"] == pytest.approx(1000 * 2048 / 12000 + 2.0)
    assert found["n"] == 1000


def test_void_times_are_taken_away() -> None:
    found = made(void="a cache", figures={"load_s": 0.1, "params": 5})
    assert (found["latency_ms"], found["decision_ms"], found["load_s"]) == (None, None, None)
    assert found["params"] == 5
    assert found["void"] == "a cache"


def test_the_differences_are_to_the_other_learners() -> None:
    found = made(others={"cnn": outcome(10), "itself": outcome()})["differences"]
    assert found["cnn"]["mean"] > 0
    assert found["itself"] == {"mean": 0.0, "ci_low": 0.0, "ci_high": 0.0}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({}, None),
        ({"quick": True}, "quick"),
        ({"level": "T0"}, "leaks: bearing"),
        ({"level": "T1", "quick": True}, "quick; leaks: bearing"),
        ({"level": "T3"}, None),
    ],
)
def test_quick_and_leaking_rows_are_watermarked(cell: dict[str, Any], said: str | None) -> None:
    assert made(cell=CELL | cell)["watermark"] == said


def test_the_recall_asked_of_a_bearing_is_the_criterions() -> None:
    assert made(criteria=parse("recall.rare>=0.5"))["bearings"]["criterion"] == 0.5
    assert made(criteria=parse("accuracy>=0.5"))["bearings"]["criterion"] == 0.92
    assert made(criteria=parse("recall.rare<=0.5"))["bearings"]["criterion"] == 0.92


@pytest.mark.parametrize("given", [{"cell": {"learner": "maml"}}, {"figures": {"parms": 3}}, {"times": {"latency_s": None}}])
def test_a_name_that_rows_do_not_have_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no "):
        made(**given)


def test_numbers_that_are_none_become_none() -> None:
    assert plain({"a": (float("nan"), np.float64("inf"), np.int32(3), np.bool_(True)), 2: np.arange(2)}) == {
        "a": [None, None, 3, True],
        "2": [0, 1],
    }


def test_what_json_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot hold set"):
        plain({"a": {1, 2}})
