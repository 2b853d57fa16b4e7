"""Rows as CSV and JUnit XML: whole, in fixed places, and harmless whatever a plugin calls itself."""

from __future__ import annotations

import csv
import functools
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from faultbench.report.commas import COLUMNS, as_csv
from faultbench.report.junit import as_junit
from faultbench.results.criteria import parse
from faultbench.results.row import CELL, row

HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "a\nb", '"', "a,b", "\x00\x1b[31m", "\ud800", "＝1", "]]>", "<x>&"]


def read(text):
    lines = list(csv.reader(io.StringIO(text)))
    assert all(len(line) == len(COLUMNS) for line in lines)
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def cases(rows):
    """(suite, case) of the document, read by a library."""
    found = JUnitXml.fromstring(as_junit(rows).encode())
    return [(suite, case) for suite in found for case in suite]


def test_csv_has_a_line_per_row_and_the_same_columns_whatever_was_run(rows):
    assert as_csv([]).splitlines() == [",".join(COLUMNS)]
    found = read(as_csv(rows.every_kind()))
    assert [line["verdict.overall"] for line in found] == ["pass", "fail", "unproven", "unproven", "fail", "not applicable", "error"]
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert {f"cell.{name}" for name in CELL} < set(COLUMNS)


def test_csv_holds_the_figures_to_the_last_digit_and_nothing_where_none_is_known(rows):
    row = rows.judged()
    (line,) = read(as_csv([row]))
    assert float(line["accuracy.ci_low"]) == row["accuracy"]["ci_low"]
    assert float(line["latency_ms.p99"]) == row["latency_ms"]["p99"]
    assert line["params"] == "61234"
    assert line["energy_mj"] == ""
    assert line["cell.quick"] == "false"
    assert line["verdict.criteria"] == "accuracy.ci_low>=0.95: pass"
    (empty,) = read(as_csv([rows.unscored(error="it broke")]))
    assert (empty["accuracy.mean"], empty["error"], empty["error_code"]) == ("", "it broke", "4")


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_holds_nothing_that_a_spreadsheet_computes(rows, text):
    row = rows.judged({"learner": text}, notes={text: text}, labels=[text])
    (line,) = read(as_csv([row, rows.unscored({"learner": text}, error=text)])[:100_000])[:1]
    for value in line.values():
        assert not value.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝")), value
        assert "\n" not in value


def test_csv_leaves_a_negative_number_a_number(rows):
    row = {**rows.judged(), "load_s": -1.5}
    assert read(as_csv([row]))[0]["load_s"] == "-1.5"


@given(st.text(), st.text())
def test_csv_survives_any_text(name, note):
    (line,) = read(as_csv([made(name, note)]))
    assert line["protocol"] == "1"


def test_a_cell_is_a_test_case_of_its_data_set_and_scenario(rows):
    found = cases([rows.judged(), rows.judged({"scenario": "unseen-bearing"})])
    assert [(suite.name, case.classname, case.name) for suite, case in found] == [
        ("faultbench.cwru.new-device", "faultbench.cwru.new-device", "maml none x86"),
        ("faultbench.cwru.unseen-bearing", "faultbench.cwru.unseen-bearing", "maml none x86"),
    ]
    assert all(case.result == [] for _, case in found)
    assert "accuracy: 0.98" in found[0][1].system_out


def test_failure_is_a_criterion_error_a_crash_and_skipped_what_is_unproven(rows):
    kinds = {case.name.split()[0]: case.result for _, case in cases(rows.every_kind())}
    assert kinds["maml"] == []
    expected = {"cnn": Failure, "few": Skipped, "quick": Skipped, "centroid": Skipped, "forest": Skipped, "broken": Error}
    for name, kind in expected.items():
        assert [type(one) for one in kinds[name]] == [kind], name
    assert "criterion >= 0.999 on the lower bound" in kinds["cnn"][0].message
    assert kinds["cnn"][0].type == "criterion"
    assert "accuracy.ci_low>=0.999: fail" in kinds["cnn"][0].text
    assert "only 2 fault bearings, 5 are needed" in kinds["few"][0].message
    assert "quick" in kinds["quick"][0].message
    assert kinds["centroid"][0].message.startswith("baseline, shown and not judged")
    assert kinds["broken"][0].message == "could not be computed: it broke: mend it"


def test_the_totals_are_those_of_the_cases(rows):
    found = JUnitXml.fromstring(as_junit(rows.every_kind()).encode())
    (suite,) = found
    assert (found.tests, found.failures, found.errors) == (7, 1, 1)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 1, 1, 4)


def test_nothing_measured_is_no_passed_test():
    assert JUnitXml.fromstring(as_junit([]).encode()).tests == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_xml_stays_xml(rows, text):
    broken = rows.unscored({"learner": text}, error=text)
    assert len(cases([rows.judged({"learner": text}, notes={text: text}), broken])) == 2


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_xml_survives_any_text(name, note):
    ((_, case),) = cases([made(name, note)])
    assert case.result == []


def made(name, note):
    """A passing row whose texts are as given."""
    row = passing()
    return {**row, "cell": {**row["cell"], "learner": name}, "notes": {"said": note}}


@functools.cache
def passing():
    cell = dict.fromkeys(("dataset", "scenario", "learner", "compressor", "target"), "x")
    return row(cell, None, None, {"params": 1}, parse("params<=1"), digest="d", kind="measured")
