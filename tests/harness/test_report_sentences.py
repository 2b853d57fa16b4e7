"""`--verbose`: every verdict in a sentence that names the interval, the bearings, the criterion and the bound."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from faultbench.report.sentences import print_sentences, sentences


def said(row) -> list[str]:
    return list(sentences(row))


def test_a_failure_names_interval_bearings_criterion_and_bound(rows):
    (sentence,) = said(rows.judged(outcome=rows.answers(11), criteria="recall.rare.ci_low>=0.999"))
    found = rows.judged(outcome=rows.answers(11))["recall"]["rare"]
    extent = f"{found['ci_low']:.3g} to {found['ci_high']:.3g}"
    assert sentence == f"fails: recall.rare {extent} on 6 bearings; criterion >= 0.999 on the lower bound"


@pytest.mark.parametrize(
    ("criterion", "ends"),
    [
        ("accuracy.ci_low>=0.5", "on 6 fault bearings and 2 healthy units; criterion >= 0.5 on the lower bound"),
        ("accuracy_faults>=0.5", "on 6 bearings; criterion >= 0.5 on the mean"),
        ("missed_alarm.ci_high<=0.5", "on 6 bearings; criterion <= 0.5 on the upper bound"),
        ("latency_ms.p99<=100", "median 2.00 and 99th percentile 2.40 of 1000 calls; criterion <= 100 on the 99th percentile"),
        ("params<=100000", "params 61234; criterion <= 100000"),
        ("bearings.p_low>=0.1", "6 of 6 bearings reach recall 0.92, which proves 0.607; criterion >= 0.1 on the lower bound"),
    ],
)
def test_a_pass_is_explained_as_a_failure_is(rows, criterion, ends):
    (sentence,) = said(rows.judged(criteria=criterion))
    assert sentence.startswith("passes: ")
    assert sentence.endswith(ends)


def test_what_is_unproven_says_what_was_found_and_what_is_missing(rows):
    (sentence,) = said(rows.judged(outcome=rows.answers(units=4), criteria="recall.rare.ci_low>=0.92"))
    assert sentence.startswith("unproven: recall.rare ")
    assert "on 2 bearings; criterion >= 0.92 on the lower bound: only 2 fault bearings, 5 are needed" in sentence


def test_an_unknown_figure_is_no_number(rows):
    (sentence,) = said(rows.judged(criteria="energy_mj<=3"))
    assert sentence == "unproven: energy_mj is not known; criterion <= 3: energy_mj is not known"


def test_what_fails_comes_first_and_a_broken_cell_says_why(rows):
    found = said(rows.judged(criteria="latency_ms.p99<=100, accuracy.ci_low>=0.999"))
    assert [sentence.split(":")[0] for sentence in found] == ["fails", "passes"]
    assert said(rows.unscored(error="the disk is full")) == ["could not be computed: the disk is full"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_all_rows_are_told_at_any_width_and_no_name_is_markup(rows, width):
    file = io.StringIO()
    print_sentences([*rows.every_kind(), rows.judged({"learner": "[red]evil[/red]"})], Console(file=file, width=width))
    text = file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "[red]evil[/red]" in text.replace("\n", "").replace(" ", "")
    assert "(baseline)" in text
