"""Two results compared: paired where the episodes are the same, refused with the reason where not, and never judged on nothing."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import fields, replace

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped
from rich.console import Console

from faultbench.errors import DataError, UsageError
from faultbench.report.compared import noteworthy, render
from faultbench.report.compared.markdown import as_markdown
from faultbench.report.compared.table import print_comparison
from faultbench.report.github_text import MOST
from faultbench.report.schema import schema_text
from faultbench.results.comparison import BUSY, FLOORS, Side, compare, exit_code
from faultbench.results.conditions import parse
from faultbench.results.statistics import difference

DROP = "accuracy.diff.ci_high<-0.01"
SLOW = "latency_ms.p99.ratio>1.2"


def side(name, *rows):
    return Side(name, ("faultbench", "run"), tuple(json.loads(json.dumps(row)) for row in rows))


def compared(base, new, conditions="", **given):
    made = compare(side("base.json", *base), side("new.json", *new), parse(conditions) if conditions else (), **given)
    written = json.loads(render("json", made, []))
    assert [f"{fault.json_path}: {fault.message}" for fault in PUBLISHED.iter_errors(written)] == []
    return made


def closed(part):
    """A schema of which no object holds more than it names."""
    if isinstance(part, dict):
        made = {name: closed(value) for name, value in part.items()}
        if "properties" in made and "required" in made:
            made.setdefault("additionalProperties", False)
        return made
    return [closed(value) for value in part] if isinstance(part, list) else part


PUBLISHED = Draft202012Validator(closed(json.loads(schema_text("comparison"))))


@pytest.fixture
def base(rows):
    return rows.judged(digest="b" * 64)


@pytest.fixture
def worse(rows):
    """The same cell, with many more mistakes."""
    return rows.judged(outcome=rows.answers(wrong_every=11), digest="c" * 64)


def only(made):
    (pair,) = made["pairs"]
    return pair


def test_a_pair_has_the_paired_difference_of_every_rate(rows, base, worse):
    pair = only(compared([base], [worse]))
    found = pair["rates"]["accuracy"]
    assert found["diff"]["mean"] == pytest.approx(worse["accuracy"]["mean"] - base["accuracy"]["mean"])
    expected = difference(rows.answers(wrong_every=11), rows.answers())
    assert {name: found["diff"][name] for name in ("mean", "ci_low", "ci_high")} == expected
    assert found["diff"]["clusters"] == "6 fault + 2 healthy"
    assert pair["rates"]["missed_alarm"]["diff"]["mean"] > 0
    assert not pair["same_measurement"]


def test_a_drop_that_is_sure_fires_and_a_doubtful_one_does_not(rows, base, worse):
    made = compared([base], [worse], DROP)
    assert only(made)["verdict"] == "fail"
    assert (made["verdict"]["overall"], exit_code(made)) == ("fail", 1)
    fine = compared([base], [rows.judged(digest="c" * 64)], DROP)
    assert (only(fine)["verdict"], fine["verdict"]["overall"], exit_code(fine)) == ("pass", "pass", 0)


def test_without_conditions_nothing_is_judged(base, worse):
    made = compared([base], [worse])
    assert (made["verdict"]["overall"], exit_code(made)) == ("compared", 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"split_digest": "6" * 64}, "not the same episodes"),
        ({"split_digest": None}, "NEW carries no digest of its episodes"),
        ({"protocol": 2}, "protocol 1 against 2"),
    ],
)
def test_rows_that_were_not_asked_the_same_are_refused(base, worse, change, reason):
    made = compared([base], [worse | change], DROP)
    assert made["pairs"] == []
    assert reason in made["refused"][0]["reason"]
    assert made["verdict"]["overall"] == "nothing compared"
    assert reason in made["verdict"]["sentence"]
    assert exit_code(made) == 4
    assert exit_code(made, allow_unproven=True) == 4, "nothing measured is never a pass"


@pytest.mark.parametrize(("setting", "value"), [("episodes", 100), ("quick", True), ("shots", 15), ("seeds", 3), ("level", "T3")])
def test_rows_of_other_settings_are_refused_by_name(rows, base, setting, value):
    made = compared([base], [rows.judged({setting: value})])
    assert made["refused"][0]["reason"].startswith(f"{setting} ")


def test_a_quick_run_can_be_compared_with_a_quick_one(rows):
    base = rows.judged({"quick": True}, digest="b" * 64)
    made = compared([base], [rows.judged({"quick": True}, outcome=rows.answers(11), digest="c" * 64)], DROP)
    assert (only(made)["watermark"], only(made)["verdict"]) == ("quick", "fail")


def test_a_row_without_counts_has_a_difference_and_no_interval(base, worse):
    old = {name: value for name, value in base.items() if name != "by_unit"}
    made = compared([old], [worse], f"{DROP}, accuracy.diff<-0.01")
    found = only(made)["rates"]["accuracy"]
    assert found["diff"]["mean"] == pytest.approx(worse["accuracy"]["mean"] - base["accuracy"]["mean"])
    assert found["diff"]["ci_low"] is None
    assert "BASE carries no counts by unit: there is no interval" in found["reason"]
    assert [one["verdict"] for one in only(made)["conditions"]] == ["unproven", "unproven"]
    assert exit_code(made) == 3


def test_counts_of_other_queries_are_not_believed_whatever_the_digest_says(base, worse):
    spoilt = copy.deepcopy(worse)
    spoilt["by_unit"][0]["asked"][0] += 1
    found = only(compared([base], [spoilt]))["rates"]["accuracy"]
    assert "not of the same queries, whatever the digest says" in found["reason"]
    spoilt["by_unit"][0]["right"][0] = 10**6
    with pytest.raises(DataError, match="contradict themselves"):
        compared([base], [spoilt])


def test_few_bearings_leave_a_condition_unproven(rows):
    few = [rows.judged(outcome=rows.answers(every, units=4), digest=str(every) * 32) for every in (60, 11)]
    made = compared([few[0]], [few[1]], DROP)
    assert only(made)["conditions"][0]["reason"] == "only 2 fault bearings, 5 are needed"
    assert (exit_code(made), exit_code(made, allow_unproven=True)) == (3, 0)


def test_a_condition_that_lacks_queries_says_how_many_episodes_would_do(rows):
    def short(every):
        found = rows.answers(every)
        first = np.arange(len(found.label)) < 240
        kept = {f.name: getattr(found, f.name)[first] for f in fields(found) if isinstance(getattr(found, f.name), np.ndarray)}
        return rows.judged(outcome=replace(found, **kept), digest=str(every) * 32)

    made = compared([short(60)], [short(11)], DROP)
    said = "only 30 queries a bearing on average, 36 are needed (about --episodes 60)"
    assert only(made)["conditions"][0]["reason"] == said


def test_gears_are_not_called_bearings(rows):
    def of_gears(every):
        found = rows.answers(every, units=4)
        label, predicted = (np.where(x == "inner", "gear-tooth chipped", x) for x in (found.label, found.predicted))
        return rows.judged(outcome=replace(found, label=label, predicted=predicted), digest=str(every) * 32)

    made = compared([of_gears(60)], [of_gears(11)], DROP)
    assert only(made)["conditions"][0]["reason"] == "only 2 fault specimens, 5 are needed"


def slower(rows, factor, **given):
    return rows.judged(times=rows.times(latency_ms=2.0 * factor), digest="c" * 64, **given)


def test_times_are_compared_by_their_ratio(rows, base):
    made = compared([base], [slower(rows, 1.5)], SLOW)
    found = only(made)["ratios"]["latency_ms.p99"]
    assert (found["ratio"], found["called"]) == (pytest.approx(1.5), True)
    assert (only(made)["verdict"], exit_code(made)) == ("fail", 1)
    assert exit_code(compared([base], [slower(rows, 1.1)], SLOW)) == 0


def test_no_change_is_called_below_the_floor(rows):
    base = rows.judged(times=rows.times(latency_ms=0.02))
    tripled = rows.judged(times=rows.times(latency_ms=0.02 + 0.8 * FLOORS["latency_ms"]), digest="c" * 64)
    made = compared([base], [tripled], SLOW)
    found = only(made)["ratios"]["latency_ms.p99"]
    assert found["ratio"] > 2.5
    assert found["called"] is False
    assert only(made)["conditions"][0]["value"] == 1
    assert exit_code(made) == 0


def test_sizes_have_no_floor_and_no_machine(rows, base):
    other = {**rows.judged(figures={"params": 61235, "artifact_bytes": 245_000}, digest="c" * 64), "device": None}
    pair = only(compared([base], [other], "params.ratio>1"))
    assert (pair["verdict"], pair["ratios"]["params"]["called"]) == ("fail", True)
    assert "which machine" in pair["ratios"]["latency_ms.p99"]["reason"]


def another_machine(row, **changed):
    return {**row, "device": {**row["device"], "fingerprint": "0" * 64, **changed}}


def test_times_of_two_machines_are_refused_unless_asked_for(rows, base):
    new = another_machine(slower(rows, 2), cpu="another", versions={"numpy": "2.1"})
    made = compared([base], [new], SLOW)
    found = only(made)["ratios"]["latency_ms.p99"]
    assert found["ratio"] is None
    assert "cpu a processor against another; numpy 2.0 against 2.1" in found["reason"]
    assert only(made)["rates"]["accuracy"]["diff"] is not None, "accuracy needs no machine"
    assert (exit_code(made), exit_code(made, allow_unproven=True)) == (3, 0)
    assert exit_code(compared([base], [new], SLOW, across_machines=True)) == 1


def test_a_tail_that_tells_of_other_programs_is_not_compared(rows, base):
    busy = slower(rows, 1)
    busy["latency_ms"] = busy["latency_ms"] | {"p99": busy["latency_ms"]["p50"] * BUSY * 1.1}
    made = compared([base], [busy], f"{SLOW}, latency_ms.ratio>1.2")
    assert "other programs were at work" in only(made)["ratios"]["latency_ms.p99"]["reason"]
    assert [one["verdict"] for one in only(made)["conditions"]] == ["unproven", "pass"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"void": "a cache", "latency_ms": None}, "the times of NEW are void: a cache"),
        ({"kind": "emulated"}, "measured against emulated"),
        ({"latency_ms": None}, "latency_ms.p99 is not known in NEW"),
    ],
)
def test_times_that_cannot_be_trusted_are_not_compared(rows, base, change, reason):
    made = compared([base], [slower(rows, 2) | change], SLOW)
    assert only(made)["ratios"]["latency_ms.p99"]["reason"] == reason
    assert exit_code(made) == 3


def test_emulated_times_do_not_count_and_an_estimate_can_fail_but_not_pass(rows, base):
    emulated = compared([base | {"kind": "emulated"}], [slower(rows, 2) | {"kind": "emulated"}], SLOW)
    assert only(emulated)["ratios"]["latency_ms.p99"]["reason"] == "emulated, times do not count"
    estimated = {"kind": "estimated"}
    assert exit_code(compared([base | estimated], [slower(rows, 2) | estimated], SLOW)) == 1
    passed = compared([base | estimated], [slower(rows, 1) | estimated], SLOW)
    assert only(passed)["conditions"][0]["reason"] == "an estimate cannot pass"


def test_a_p99_of_few_times_is_unproven(rows, base):
    few = slower(rows, 2)
    few["latency_ms"] = few["latency_ms"] | {"n": 99}
    assert only(compared([base], [few], SLOW))["conditions"][0]["reason"] == "only 99 were timed, a 99th percentile takes 100"


def test_a_cell_that_has_gone_is_no_pass(rows, base):
    other = rows.judged({"learner": "cnn"}, digest="7" * 64)
    made = compared([base, other], [rows.judged(digest="c" * 64)], DROP)
    assert made["missing"][0]["cell"]["learner"] == "cnn"
    assert made["verdict"]["sentence"] == "not every cell is proven: 1 missing from NEW"
    assert exit_code(made) == 3


def test_a_new_cell_is_listed_and_holds_nobody_up(rows, base):
    made = compared([base], [rows.judged(digest="c" * 64), rows.judged({"learner": "cnn"})], DROP)
    assert made["added"][0]["cell"]["learner"] == "cnn"
    assert exit_code(made) == 0


def test_a_cell_that_broke_is_an_error_even_where_unproven_may_pass(rows, base):
    other = rows.judged({"learner": "cnn"}, digest="7" * 64)
    broken = rows.unscored({"learner": "cnn"}, error="it broke")
    made = compared([base, other], [rows.judged(digest="c" * 64), broken], DROP)
    assert made["refused"][0]["reason"] == "NEW could not be computed: it broke"
    assert exit_code(made, allow_unproven=True) == 4
    # Without a base to compare with it is one too.
    assert exit_code(compared([base], [rows.judged(digest="c" * 64), broken], DROP)) == 4


def test_what_had_no_figures_before_leaves_nothing_open(rows, base):
    new = [rows.judged(digest="c" * 64), rows.judged({"learner": "cnn"}), rows.unscored({"learner": "forest"}, not_applicable="no")]
    old = [base, rows.unscored({"learner": "cnn"}, error="broke"), rows.unscored({"learner": "forest"}, not_applicable="no")]
    made = compared(old, new, DROP)
    assert [one["excused"] for one in made["refused"]] == [True, True]
    assert exit_code(made) == 0


def test_baselines_are_shown_and_not_judged(rows, base, worse):
    made = compared([base], [{**worse, "baseline": True}], DROP)
    assert only(made)["conditions"] == []
    assert made["verdict"]["overall"] == "nothing compared"
    assert exit_code(made) == 4


def test_nothing_in_common_is_neither_pass_nor_fail(rows, base):
    made = compared([base], [rows.judged({"learner": "cnn"})], DROP)
    assert made["verdict"] == {"overall": "nothing compared", "sentence": "nothing was compared: they have no cell in common"}
    assert exit_code(made, allow_unproven=True) == 4
    assert exit_code(compared([], [])) == 4


def test_cells_are_told_apart_by_noise_and_sources(rows):
    some = [rows.judged({"snr": level, "sources": sources}) for level in ("clean", "10") for sources in (None, ["uestc"])]
    assert len(compared(some, some)["pairs"]) == 4


def test_two_rows_of_one_cell_are_bad_usage(base):
    with pytest.raises(UsageError, match="BASE has two rows for cwru new-device maml none x86: compare the results of one run each"):
        compared([base, base], [base])


def test_cells_can_be_paired_across_an_axis(rows, base):
    other = rows.judged({"learner": "maml:width=16"}, outcome=rows.answers(11), digest="c" * 64)
    assert compared([base], [other])["pairs"] == []
    pair = only(compared([base], [other], across=["learner"]))
    assert (pair["base"]["axes"]["learner"], pair["new"]["axes"]["learner"]) == ("maml", "maml:width=16")
    with pytest.raises(UsageError, match="name one learner on each side"):
        compared([base, rows.judged({"learner": "cnn"})], [other], across=["learner"])


def test_how_much_was_looked_at_is_said(base, worse):
    looked = compared([base], [worse])["looked_at"]
    assert looked["differences"] == 6
    assert looked["excluding_zero"] >= 1
    assert (looked["ratios"], looked["called"]) == (19, 0)


def test_one_measurement_taken_twice_is_said_to_be_one(base):
    made = compared([base], [base], DROP)
    assert only(made)["same_measurement"]
    assert made["looked_at"] == {"differences": 0, "excluding_zero": 0, "ratios": 0, "called": 0}
    assert "one and the same measurement" in printed(made)


def printed(made, width=160):
    text = io.StringIO()
    print_comparison(made, Console(file=text, width=width))
    return text.getvalue()


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_table_fits_and_says_it_all(rows, base, worse, width):
    other = rows.judged({"learner": "cnn"}, digest="7" * 64)
    said = printed(compared([base, other], [worse, rows.judged({"learner": "new"})], f"{DROP}, {SLOW}"), width)
    assert max(map(len, said.splitlines())) <= width
    flat = " ".join(said.split())
    assert "accuracy is worse: 0.9" in flat
    assert "accuracy.diff.ci_high<-0.01 fires" in flat
    assert "latency_ms.p99.ratio>1.2 does not fire: 1" in flat
    assert "missing from NEW: cwru new-device cnn none x86 (was pass)" in flat
    assert "only in NEW: cwru new-device new none x86 (pass)" in flat
    assert "6 differences were looked at" in flat
    assert "a condition fires in 1 of 1 cell" in flat


def named(row, learner, digest):
    return {**row, "cell": {**row["cell"], "learner": learner}, "digest": digest}


def test_markdown_says_the_verdict_first_and_fits(rows, base, worse):
    made = compared([base], [worse], DROP)
    said = render("markdown", made, ["faultbench", "compare"])
    assert said.startswith("## faultbench compare: fail\n")
    assert "| **fail** | `cwru new-device maml none x86` | 0.9" in said
    many = [named(base, f"l{n}", f"{n:064d}") for n in range(30)]
    lost = [named(base, f"lost{n}" + "x" * 100, f"{n:064d}") for n in range(500)]
    others = [row | {"digest": "e" * 64} for row in many]
    made = compared([*many, *lost, base], [*others, worse], DROP)
    whole = render("markdown", made, [])
    assert len(whole.encode()) <= MOST
    short = as_markdown(made, [], most=len(whole.encode()) - 1)
    assert len(short.encode()) < len(whole.encode())
    assert "pairs are left out here, those that changed least" in short
    assert "and 450 more: the JSON has them all" in short
    assert "`cwru new-device maml none x86`" in short, "the worst stay"


def test_junit_has_a_case_per_cell(rows, base, worse):
    old = [base, rows.judged({"learner": "same"}), rows.judged({"learner": "gone"}), rows.judged({"learner": "broken"})]
    new = [worse, rows.judged({"learner": "same"}), rows.unscored({"learner": "broken"}, error="it broke"), rows.judged({"learner": "new"})]
    (suite,) = JUnitXml.fromstring(render("junit", compared(old, new, DROP), []).encode())
    kinds = {case.name.split()[0]: [type(one) for one in case.result] for case in suite}
    assert kinds == {"maml": [Failure], "same": [], "gone": [Skipped], "broken": [Error], "new": [Skipped]}
    (unjudged,) = JUnitXml.fromstring(render("junit", compared([base], [worse]), []).encode())
    assert [type(one) for case in unjudged for one in case.result] == [Skipped], "without conditions nothing passes"


def test_github_is_told_what_fires_and_what_is_open(rows, base, worse):
    old = [base, rows.judged({"learner": "gone"}), rows.judged({"learner": "broken"})]
    new = [worse, rows.unscored({"learner": "broken"}, error="it broke")]
    noted = list(noteworthy(compared(old, new, DROP)))
    assert [(one.kind, one.title.split()[3]) for one in noted] == [("error", "maml"), ("error", "broken"), ("warning", "gone")]


def test_a_hostile_name_breaks_no_report(rows):
    name = "<b>|`x`@you\n::error::"
    old, new = (rows.judged({"learner": name}, outcome=rows.answers(every), digest=d * 64) for every, d in ((60, "a"), (11, "b")))
    made = compared([old], [new], DROP)
    assert "\n::error" not in printed(made)
    JUnitXml.fromstring(render("junit", made, [name]).encode())
    table = [line for line in render("markdown", made, [name]).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {12}
