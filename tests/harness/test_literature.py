"""What papers report: kept by a schema, shown on request under its own heading, and never mixed with what was measured."""

from __future__ import annotations

import io
import json
from importlib import resources

import pytest
from rich.console import Console

from faultbench.errors import DataError
from faultbench.registry import Registry
from faultbench.report import literature
from faultbench.report.formats import FILES, render
from faultbench.report.literature import LEVELS, published, read
from faultbench.report.literature.table import HEADING, print_beside, print_published

TEXT = resources.files(literature).joinpath("figures.toml").read_text(encoding="utf-8")
COMMAND = ["faultbench", "run"]


def printed(show, width=100) -> str:
    file = io.StringIO()
    show(Console(file=file, width=width, highlight=False))
    return file.getvalue()


def test_every_figure_names_its_split_its_place_and_an_address():
    found = published()
    assert len(found) > 20
    for one in found:
        assert one.level in LEVELS
        assert one.grade
        assert one.where
        assert one.source.address.startswith("https://")
        assert one.source.checked


def test_every_data_set_is_one_that_can_be_run_here():
    known = {registered.offer.name for registered in Registry.discover(plugins=False).offers("datasets")}
    assert {one.dataset for one in published()} <= known


def test_a_figure_that_is_quoted_says_so():
    assert "(quoted in another text)" in printed(lambda console: print_published(published(["cwru"], ["T1"]), console))


@pytest.mark.parametrize(
    ("planted", "wrong", "said"),
    [
        ('level = "T1"', 'level = "T9"', "'T9' is not one of"),
        ("format = 1", "format = 2", "1 was expected"),
        ('grade = "split at random', 'reason = "split at random', "format"),
        ('address = "https://doi.org/10.1016', 'address = "http://doi.org/10.1016', "does not match"),
        ('source = "zhang2017"', 'source = "zhang2018"', "no source 'zhang2018'"),
        ('figure = "95.0 %"', 'figure = "high"', "does not match"),
        ('seen = "itself"', 'seen = "remembered"', "'remembered' is not one of"),
        ("[[figures]]", "[[figures]", "no TOML"),
    ],
)
def test_a_planted_fault_in_the_file_is_refused(planted, wrong, said):
    assert planted in TEXT
    with pytest.raises(DataError, match=said) as caught:
        read(TEXT.replace(planted, wrong, 1))
    assert "\n" not in str(caught.value)


def test_a_source_of_which_nothing_is_used_is_refused():
    with pytest.raises(DataError, match="no published figure is of spare"):
        read(
            TEXT.replace(
                "[sources.zhang2017]",
                TEXT[TEXT.index("[sources.zhang2017]") : TEXT.index("[sources.adameta2025]")].replace("zhang2017", "spare")
                + "\n[sources.zhang2017]",
                1,
            )
        )


def test_figures_stand_below_the_rows_of_their_data_set_those_of_its_level_first(rows):
    text = printed(lambda console: print_beside([rows.judged({"dataset": "cwru:rate=48", "level": "T3"})], console))
    assert text.strip().startswith(HEADING)
    assert "not comparable" in text.replace("\n", " ")
    levels = [line.split()[1] for line in text.splitlines() if line.startswith("cwru ")]
    assert levels[0] == "T3"
    assert levels.index("T0") > max(place for place, level in enumerate(levels) if level == "T3")
    assert "paderborn " not in text.split("[1]")[0]


def test_of_a_data_set_that_no_paper_knows_nothing_is_made_up(rows):
    assert "nothing is known of simulated" in printed(lambda console: print_beside([rows.judged({"dataset": "simulated"})], console))


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_table_fits_the_terminal(width):
    text = printed(lambda console: print_published(published(), console), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_no_format_for_programs_ever_holds_a_published_figure(rows):
    made = [rows.judged()]
    for form in FILES:
        with_, without = render(form, made, COMMAND, published=True), render(form, made, COMMAND)
        if form == "html":
            assert HEADING.rstrip(":") in with_
            assert "ymssp" not in without
        else:
            assert with_ == without
    assert json.loads(render("json", made, COMMAND, published=True))["rows"][0]["verdict"] == made[0]["verdict"]
