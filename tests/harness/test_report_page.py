"""The HTML page: whole in itself, deaf to markup in names, readable without scripts, and named for a screen reader."""

from __future__ import annotations

import base64
import itertools
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.report.page import MOST_OPEN, as_html
from faultbench.report.page.escaping import text
from faultbench.report.page.marks import FILLINGS, Marks, colour, shape
from faultbench.report.page.tradeoffs import front

COMMAND = ["faultbench", "run", "-l", "maml"]
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script>", "</style>", "&lt;", "'", "\x00", "\ud800"]


class Reader(HTMLParser):
    """Tags with their attributes, and the text between."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.said = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said.append(data)

    def count(self, tag):
        return sum(found == tag for found, _ in self.tags)


def headings(page):
    """The headings of the sections, in order."""
    return re.findall(r"<h2[^>]*>([^<]*)</h2>", page)


def test_the_page_shows_every_row_with_its_criteria_bearings_and_confusion(rows):
    made = as_html(rows.every_kind(), COMMAND)
    page = Reader(made)
    said = " ".join(page.said)
    assert "faultbench: 1 error, 1 fail, 2 unproven, 1 pass" in said
    assert "Failed: 1 of 4 cells fails and 1 cell could not be computed" in said
    assert sum(attributes.get("class") == "row" for _, attributes in page.tags) == 7, "a section per cell"
    assert made.count('class="confusion"') == made.count('class="bearings"') == 5
    assert "faultbench run -l maml" in said
    assert "it broke: mend it" in said
    assert sum(attributes.get("class") == "range" for _, attributes in page.tags) > 5, "intervals are drawn"
    assert sum(attributes.get("class") in ("bar", "short") for _, attributes in page.tags) == 4 * 6 + 2, "a bar per fault bearing"


def test_the_verdict_comes_first_and_the_command_last(rows):
    made = as_html(rows.every_kind(), COMMAND)
    assert made.index("<h1>") < made.index("<h2")
    assert headings(made) == ["The matrix", "What accuracy costs", "Cell by cell", "The audit of the splits", "To repeat it"]


@pytest.mark.parametrize(
    ("made", "said", "kind"),
    [
        (lambda rows: [rows.judged()], "Passed: the cell meets every criterion", "pass"),
        (lambda rows: [rows.judged(), rows.judged({"learner": "b"})], "Passed: all 2 cells meet every criterion", "pass"),
        (lambda rows: [rows.judged(criteria="accuracy>=0.999")], "Failed: 1 of 1 cell fails", "fail"),
        (lambda rows: [rows.judged(), rows.unscored(error="x: y")], "Failed: 1 cell could not be computed", "fail"),
        (lambda rows: [rows.judged({"quick": True})], "Unproven: the cell lacks the evidence", "unproven"),
        (lambda rows: [rows.judged(), rows.judged({"quick": True})], "Unproven: 1 of 2 cells lacks the evidence", "unproven"),
        (lambda rows: [rows.judged(criteria="accuracy>=0.999", baseline=True)], "Nothing was judged", "none"),
        (lambda rows: [], "Nothing was measured", "none"),
    ],
)
def test_the_band_says_the_worst_verdict_that_counts(rows, made, said, kind):
    page = as_html(made(rows), COMMAND)
    assert f"<h1>{said}" in page
    assert f'<header class="band {kind}">' in page


def test_a_single_cell_is_shown_whole(rows):
    """No charts of one point, no filters over one row: its criteria as cards, and all that is known of it, open."""
    made = as_html([rows.judged(criteria="accuracy.ci_low>=0.95, latency_ms.p99<=100, params<=1000, bearings.p_low>=0.1")], COMMAND)
    assert headings(made) == ["The cell", "The matrix", "The audit of the splits", "To repeat it"]
    assert made.count('class="against"') == 4
    assert 'id="row0" open' in made
    assert "<form" not in made
    assert "asked: ≤ 1000" in made


def test_what_all_cells_share_is_said_once_and_what_differs_can_be_filtered(rows):
    some = [rows.judged({"learner": learner, "snr": snr}) for learner in ("a", "b") for snr in ("clean", "10")]
    page = Reader(as_html(some, COMMAND))
    filters = [attributes["data-f"] for tag, attributes in page.tags if tag == "select"]
    assert filters == ["0", "1"], "learner and noise: the verdict is the same in all"
    said = " ".join("".join(page.said).split())
    assert "The same in every cell: data set cwru, scenario new-device [T2], compressor none, target x86." in said


def test_a_cell_that_knows_no_level_makes_no_second_scenario(rows):
    first = rows.unscored({"compressor": "prune40", "level": None}, not_applicable="nothing to prune")
    said = " ".join("".join(Reader(as_html([first, rows.judged()], COMMAND)).said).split())
    assert "The same in every cell: data set cwru, scenario new-device [T2], learner maml, target x86." in said


def test_every_axis_on_which_cells_differ_is_a_filter_and_a_column(rows):
    axes = {"dataset": "uestc", "scenario": "window", "learner": "b", "compressor": "prune40", "target": "arm", "snr": "0", "shots": 1}
    page = Reader(as_html([rows.judged(), rows.judged(axes, criteria="accuracy>=0.999")], COMMAND))
    said = " ".join(page.said)
    assert page.count("select") == 1 + len(axes)
    for label in ("data set", "scenario", "learner", "compressor", "target", "noise", "shots"):
        assert said.count(label) >= 2, label


def test_a_setting_that_only_a_cell_without_figures_lacks_is_no_filter(rows):
    page = as_html([rows.judged(), rows.unscored({"ways": 0, "window": None}, not_applicable="nothing to prune")], COMMAND)
    assert page.count("<select") == 1, "the verdict"


def test_the_page_is_named_for_a_screen_reader(rows):
    some = [rows.judged({"level": level, "scenario": level, "learner": name}) for level in ("T0", "T3") for name in ("a", "b")]
    page = Reader(as_html(some, COMMAND))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or (attributes["role"] in ("img", "group") and attributes["aria-label"])
        if tag == "section":
            assert attributes.get("aria-label") or attributes["aria-labelledby"] in ids
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
    assert page.tags.index(("a", {"class": "skip", "href": "#cells"})) < page.tags.index(("main", {}))
    assert "cells" in ids
    assert page.count("select") == sum(tag == "label" for tag, _ in page.tags) - 1, "each filter has a label, and so has the search"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_drop_from_t0_to_t3_is_one_figure_with_the_same_in_a_table(rows):
    wrong = {"T0": 97, "T1": 40, "T3": 3}
    some = [
        rows.judged({"level": level, "scenario": f"s{level}", "learner": name}, outcome=rows.answers(every))
        for level, every in wrong.items()
        for name in ("a", "b")
    ]
    made = as_html(some, COMMAND)
    assert made.count('<figure class="drop"') == 1
    assert made.count('class="course"') == 2, "a line per learner"
    means = [row["accuracy"]["mean"] for row in some if row["cell"]["learner"] == "a"]
    assert f"{means[-1] - means[0]:+.3f}" in made
    assert "level of the split" in made


def test_of_many_learners_the_median_is_drawn_and_told(rows):
    some = [
        rows.judged({"level": level, "scenario": level, "learner": f"l{place}"}, outcome=rows.answers(9 + place))
        for level in ("T0", "T3")
        for place in range(13)
    ]
    made = as_html(some, COMMAND)
    assert made.count('class="course faint"') == 13
    assert made.count("median of 13") == 2, "in the chart and in the table"


def test_marks_differ_without_their_colour_and_many_more_with_it(rows):
    assert len({shape(place, 0, 0) for place in range(12)}) == 12, "in print, and to any eye"
    assert len({(shape(place, 0, 0), colour(place)) for place in range(84)}) == 84
    assert len(set(FILLINGS)) == 8


def test_no_two_of_ten_learners_and_three_compressors_look_alike(rows):
    some = [
        rows.judged({"learner": f"l{learner}", "compressor": compressor})
        for learner in range(10)
        for compressor in ("none", "half", "int8")
    ]
    page = as_html(some, COMMAND)
    latency = page.split('<svg class="chart points"')[1]
    points = re.findall(r'<a href="#row\d+" tabindex="[-\d]+" class="([^"]+)"><title>[^<]*</title>(.*?)</a>', latency)
    colourless = {
        (" hollow" in kind, re.sub(r"M[\d.]+ [\d.]+", "", "".join(re.findall(r"<path class=.(?:point|in).*?>", drawn))))
        for kind, drawn in points
    }
    assert len(points) == len(colourless) == 30
    assert page.count('<ul class="legend"') == 2


def test_of_a_single_learner_the_compressors_have_the_shapes(rows):
    marks = Marks.of([rows.judged({"compressor": name}) for name in ("none", "half", "int8")])
    assert (marks.series, marks.fillings) == ("compressor", ("maml",))


def test_one_level_is_no_drop(rows):
    assert '<figure class="drop"' not in as_html([rows.judged({"learner": name}) for name in "ab"], COMMAND)


def test_the_front_holds_what_no_other_cell_beats(rows):
    def made(name, wrong, latency):
        return rows.judged({"learner": name}, outcome=rows.answers(wrong), times=rows.times(latency_ms=latency))

    cheap, beaten, best = made("cheap", 11, 1.0), made("beaten", 9, 2.0), made("best", 97, 4.0)
    unknown = rows.judged({"learner": "unknown"}, times=None)
    found = front([best, unknown, beaten, cheap], lambda row: row["latency_ms"] and row["latency_ms"]["p50"])
    assert [row["cell"]["learner"] for row in found] == ["cheap", "best"]


def test_the_details_of_a_large_matrix_are_packed_and_whole(rows):
    hostile = "<script>alert(1)</script>"
    row = rows.judged(notes={hostile: hostile})
    some = [{**row, "cell": {**row["cell"], "learner": f"{hostile}{place}"}} for place in range(MOST_OPEN + 1)]
    page = as_html(some, COMMAND)
    packed = re.search(r'<script type="text/plain" id="packed">([A-Za-z0-9+/=]*)</script>', page)[1]
    made = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert len(made) == MOST_OPEN + 1
    assert all(f'id="row{place}"' in one and "<script" not in one for place, one in enumerate(made))
    assert "row0" in page.split("packed")[0], "the verdicts lead to them"


def test_without_scripts_no_control_is_shown_that_does_nothing(rows):
    tags = Reader(as_html(rows.every_kind(), COMMAND)).tags
    assert [attributes for tag, attributes in tags if attributes.get("class") in ("filters", "tools") and "hidden" not in attributes] == []


def test_a_page_of_a_thousand_cells_keeps_its_size(monkeypatch):
    """The cells of `benchmarks/report_scale.py`, which has the times too; its result holds what was asked for."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import report_scale

    cells = report_scale.cells()
    assert len(cells) == 1000
    assert len(as_html(cells, COMMAND).encode()) < report_scale.LIMITS["html_bytes"]
    found = json.loads((BENCHMARKS / "report_scale.json").read_text(encoding="utf-8"))
    assert found["cells"] == 1000
    assert found["store_rows"] == report_scale.STORED
    assert {name: found[name] for name, limit in report_scale.LIMITS.items() if found[name] >= limit} == {}


def test_a_result_of_an_earlier_version_is_shown(rows):
    """What the schema lets be absent may be absent."""
    row = {name: value for name, value in rows.judged().items() if name not in ("split_digest", "by_unit")}
    row["cell"] = {name: value for name, value in row["cell"].items() if name not in ("channels", "scenario_digest")}
    assert "Passed" in as_html([row], COMMAND)
    assert "Passed" in as_html([row, row], COMMAND)


def test_nothing_is_loaded_from_anywhere(rows):
    page = as_html(rows.every_kind(), COMMAND)
    for tag, attributes in Reader(page).tags:
        assert not set(attributes) & {"src", "data", "action", "srcset", "ping"}, tag
        assert attributes.get("href", "#").startswith("#")
        assert tag not in ("link", "iframe", "object", "embed", "base", "img")
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_what_is_not_known_is_no_nan(rows):
    """A column of which nothing is known broke a neighbour's page."""
    blank = rows.judged(times=None, figures={})
    page = as_html([blank], COMMAND)
    assert "nan" not in re.sub(r"[A-Za-z]*nan[a-z]+", "", page.lower().split("<script>")[0])
    assert '<td class="number" data-value="">-</td>' in page


def test_what_is_not_known_of_one_cell_breaks_no_chart(rows):
    page = as_html([rows.judged(times=None, figures={}), rows.judged({"learner": "b"})], COMMAND)
    assert page.count('class="chart points"') == 2


def test_a_page_of_nothing_says_so():
    assert "Nothing was measured" in as_html([], COMMAND)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_markup(rows, name):
    """Wherever a text of a plugin or a file can stand: axes, labels, notes, classes, bearings, versions, the device, the command."""

    def page(said):
        row = rows.judged({"learner": said, "level": "T0", "sources": [said]}, notes={said: said}, labels=[said], versions={said: said})
        after = rows.judged({"learner": said, "level": "T3", "sources": [said], "scenario": said, "note": said}, void=said)
        for one in (row, after):
            one["confusion"] = {"labels": [said, "b"], "counts": [[1, 2], [3, 4]]}
            one["bearings"] = {**one["bearings"], "recall": {said: 0.5}}
            one["device"] = {**one["device"], "name": said, "cpu": said}
            one["verdict"]["criteria"][0]["reason"] = said
            one["differences"] = {said: {"mean": 0.1, "ci_low": 0.0, "ci_high": 0.2}}
        broken = rows.unscored({"learner": said}, error=said)
        return Reader(as_html([row, after, broken], ["faultbench", said], published=True))

    def marked(reader):
        return [(tag, sorted(attributes)) for tag, attributes in reader.tags]

    assert marked(page(name)) == marked(page("harmless"))
    alone = Reader(as_html([rows.judged({"learner": name}, labels=[name])], [name]))
    assert marked(alone) == marked(Reader(as_html([rows.judged({"learner": "a"}, labels=["a"])], ["a"])))


@given(st.text(st.characters(codec=None)))
def test_any_text_is_text(said):
    page = Reader(f'<p title="{text(said)}">{text(said)}</p>')
    assert [tag for tag, _ in page.tags] == ["p"]
