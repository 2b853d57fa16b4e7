"""The table: whole at every width, plain without colours, and deaf to markup."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from faultbench.report.sentences import sentences
from faultbench.report.table import print_table
from faultbench.report.wording import clean, count, number
from faultbench.results.criteria import parse
from faultbench.results.outcome import Outcome
from faultbench.results.row import row

CELL = {
    "dataset": "cwru",
    "scenario": "new-device",
    "learner": "maml",
    "compressor": "none",
    "target": "x86",
    "level": "T2",
    "ways": 2,
    "shots": 5,
    "shots_rare": 5,
    "seeds": 2,
    "episodes": 50,
    "window": 2048,
    "rate_hz": 12000.0,
}
TIMES = {
    "finetune_s": {"min": 0.3, "p50": 0.312, "p90": 0.33, "p99": 0.351, "n": 100},
    "latency_ms": {"min": 1.9, "p50": 2.13, "p90": 2.9, "p99": 3.44, "n": 1000},
}
FIGURES = {"params": 61234, "macs": 1_310_000, "artifact_bytes": 245_000}


def outcome(wrong_every: int = 60) -> Outcome:
    """Six fault bearings and two healthy sessions."""
    number_ = np.arange(1600)
    unit, healthy = number_ % 8, number_ % 8 < 2
    label = np.where(healthy, "healthy", "inner")
    predicted = np.where(number_ % wrong_every == 7, "healthy", label)
    names = np.array([f"u{n}" for n in range(8)])
    return Outcome(
        seed=number_ // 800,
        episode=number_ // 32,
        unit=names[unit],
        bearing=names[unit],
        label=label,
        predicted=predicted,
        healthy=healthy,
        predicted_healthy=predicted == "healthy",
        rare=~healthy,
        ways=2,
    )


def judged(cell: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    return row(CELL | (cell or {}), outcome(), TIMES, FIGURES, parse(), **{"digest": "d", "kind": "measured"} | given)


def unjudged(cell: dict[str, Any], **given: Any) -> dict[str, Any]:
    return row(CELL | cell, None, None, {}, parse(), digest="d", **given)


def shown(rows: list[dict[str, Any]], width: int = 80, encoding: str = "utf-8", **console: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    print_table(rows, Console(file=file, width=width, **console))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.fixture(scope="module")
def matrix() -> list[dict[str, Any]]:
    others = {"cnn": outcome(20)}
    return [
        judged(others=others),
        judged({"compressor": "prune40"}, achieved={"removed": 0.4375}),
        judged({"learner": "cnn", "compressor": "prune40"}, baseline=True, labels=["structure only"]),
        unjudged({"learner": "centroid", "compressor": "prune40"}, not_applicable="centroid has no net to prune"),
        unjudged({"learner": "cnn"}, error="the disk is full"),
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_every_figure_is_there_and_whole_at_any_width(matrix: list[dict[str, Any]], width: int) -> None:
    text = shown(matrix, width)
    assert max(len(line) for line in text.splitlines()) <= width
    figures = [f"{matrix[0]['accuracy']['mean']:.3f}", "0.312", "2.13", "3.44", "61.2k", "1.31M", "245 kB", "prune40"]
    for figure in [*figures, "pass", "(baseline)"]:
        assert figure in text
    assert "…" not in text


def test_no_line_ends_in_the_middle_of_a_figure_and_its_name(matrix: list[dict[str, Any]]) -> None:
    assert "fine-tune s p99 0.351" in shown(matrix, 40)
    assert "latency ms p99 3.44" in shown(matrix, 40)


def test_a_usual_matrix_fits_80_columns_as_a_table() -> None:
    tiny = {"min": 1e-4, "p50": 0.000353, "p90": 0.0005, "p99": 0.000793, "n": 100}
    quick = row(CELL, outcome(), {"finetune_s": tiny, "latency_ms": tiny}, FIGURES, parse(), digest="d", kind="measured")
    text = shown([judged({"learner": "centroid", "compressor": "prune40"}), quick], 80)
    assert "fine-tune s p99" not in text, "that is how a list says it"
    assert "0.000793" in text


def test_scenarios_are_tables_of_their_own_each_with_its_shape() -> None:
    harder = {"scenario": "unseen-bearing", "level": "T3", "ways": 3}
    rows = [judged(), judged(harder), judged({"learner": "cnn"}), judged({"learner": "cnn", **harder})]
    text = shown(rows, 120)
    easy, hard = (
        text.index("cwru, new-device [T2], none, x86, 2-way 5-shot"),
        text.index("cwru, unseen-bearing [T3], none, x86, 3-way 5-shot"),
    )
    assert easy < text.index("cnn") < hard
    assert "cnn" in text[hard:]


def test_one_seed_is_no_seeds() -> None:
    assert "1 seed of 1 episode," in shown([judged({"seeds": 1, "episodes": 1})])


def test_a_wider_terminal_says_more(matrix: list[dict[str, Any]]) -> None:
    assert "missed" not in shown(matrix, 80)
    assert "missed" in shown(matrix, 200)


def test_what_a_narrow_terminal_says_a_wider_one_says_too(matrix: list[dict[str, Any]]) -> None:
    """At 80, 120 and 200 columns: never wider than the terminal, and no figure is lost."""
    said = {width: shown(matrix, width) for width in (80, 120, 200)}
    for width, text in said.items():
        assert max(map(len, text.splitlines())) <= width
    known = {width: Counter(re.findall(r"\d+\.\d+", text)) for width, text in said.items()}
    assert set(known[80]) <= set(known[120]) <= set(known[200])
    assert known[80] < known[200]


def test_what_all_rows_share_stands_in_the_title_and_not_in_a_column(matrix: list[dict[str, Any]]) -> None:
    text = shown(matrix, 120)
    assert text.startswith("cwru, new-device [T2], x86, 2-way 5-shot, 2 seeds of 50 episodes, on 6 fault + 2 healthy units")
    assert text.count("x86") == 1


@pytest.mark.parametrize("why", [{"not_applicable": "centroid has no net to prune"}, {"error": "the disk is full"}])
def test_the_level_stands_in_the_title_though_the_first_row_knows_none(why: dict[str, str]) -> None:
    first = unjudged({"compressor": "prune40", "level": None, "note": None}, **why)
    assert shown([first, judged()], 120).startswith("cwru, new-device [T2], maml, x86")
    assert shown([first], 120).startswith("cwru, new-device, "), "where no row knows a level, none is made up"
    elsewhere = judged({"dataset": "uestc"})
    assert "cwru, new-device, " in shown([first, elsewhere], 120), "another data set's level says nothing of this one's"


def test_cells_without_figures_are_lines_with_their_reason(matrix: list[dict[str, Any]]) -> None:
    text = shown(matrix)
    assert "centroid, prune40: not applicable: centroid has no net to prune" in text
    assert "cnn, none: could not be computed: the disk is full" in text


def test_gears_are_not_called_bearings() -> None:
    of_gears = outcome()
    label, predicted = (np.where(x == "inner", "gear-tooth chipped", x) for x in (of_gears.label, of_gears.predicted))
    found = row(CELL, replace(of_gears, label=label, predicted=predicted), TIMES, FIGURES, parse(), digest="d", kind="measured")
    assert "6 of 6 fault specimens reach recall 0.92: proves 61 % for another specimen" in shown([found], 120)
    units = np.where(of_gears.healthy, of_gears.unit, "u2")
    one = replace(of_gears, label=label, predicted=predicted, unit=units, bearing=units)
    few = row(CELL, one, TIMES, FIGURES, parse("accuracy>=0.5"), digest="d", kind="measured")
    assert "bearing" not in " ".join([*sentences(found), *sentences(few)])
    assert "fault specimens, 5 are needed" in " ".join(sentences(few))


def test_what_belongs_beside_a_verdict_is_said_below_it(matrix: list[dict[str, Any]]) -> None:
    text = shown(matrix, 120)
    assert "6 of 6 fault bearings reach recall 0.92: proves 61 % for another bearing" in text
    assert f"accuracy less that of cnn: {matrix[0]['differences']['cnn']['mean']:+.3f} (" in text
    assert "achieved: removed 0.438" in text
    assert "cnn, prune40, baseline, structure only" in text


def test_without_colours_every_verdict_is_a_word(matrix: list[dict[str, Any]]) -> None:
    colourful = shown(matrix, force_terminal=True, color_system="standard")
    plain = shown(matrix, force_terminal=True, no_color=True)
    assert "\x1b[32m" in colourful
    assert "\x1b[32m" not in plain
    assert "pass" in plain


def test_rows_that_leak_come_last_and_say_so() -> None:
    text = shown([judged({"level": "T0", "scenario": "random"}), judged()], 120)
    assert text.index("new-device [T2]") < text.index("random [T0]")
    assert "leaks: bearing" in text
    assert "unproven" in text


def test_a_quick_run_says_so_in_the_title() -> None:
    assert "QUICK" in shown([judged({"quick": True})]).splitlines()[0]


def test_void_times_are_explained() -> None:
    text = shown([judged(void="one query repeated is 40 % faster")], 120)
    assert "the times are void: one query repeated is 40 % faster" in text
    assert "- stands for what is not known." in text


def test_markup_in_a_plugins_text_is_shown_and_not_obeyed() -> None:
    planted = [
        judged({"learner": "[red]evil[/red]"}, labels=["[bold]loud"], notes={"[link=x]": "[/]"}, achieved={"[blue]": "[green]"}),
        unjudged({"learner": "b[/b]"}, error="[red]no[/red]"),
    ]
    for width in (40, 80, 200):
        text = shown(planted, width, force_terminal=True, color_system="standard")
        for said in ("[red]evil[/red]", "[bold]loud", "[link=x]: [/]", "[blue] [green]", "b[/b]", "[red]no[/red]"):
            assert said in text


def test_control_characters_in_a_plugins_text_never_reach_the_terminal() -> None:
    text = shown([judged({"learner": "a\x1b[2Jb\r\n\x07c"}, labels=["\x1b]0;title\x07"])], 120)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\r" not in text


def test_a_terminal_that_knows_only_ascii_gets_ascii() -> None:
    assert "machine ?l?" in shown([judged(notes={"note": "machine ölü"})], encoding="ascii")


def test_a_long_name_is_broken_and_the_figures_are_not() -> None:
    name = "maml:backbone=conv4,frontend=welch:segment=256,inner_steps=12"
    text = shown([judged({"learner": name}), judged()], 80)
    assert name in "".join(line.split(" ")[0] for line in text.splitlines())
    assert "61.2k params" in text


def test_nothing_at_all_is_said() -> None:
    assert shown([]) == "nothing was measured\n"


@pytest.mark.parametrize(
    ("value", "said"), [(None, "-"), (0, "0"), (999, "999"), (1000, "1.00k"), (61234, "61.2k"), (999_600, "1.00M"), (2.5e15, "2500T")]
)
def test_counts_are_short(value: float | None, said: str) -> None:
    assert count(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.9996, "1.00"), (0.0312, "0.0312"), (1e-5, "0.000010"), (4.2, "4.20"), (61.25, "61.2"), (613.4, "613")]
)
def test_numbers_have_three_digits_and_no_exponent(value: float, said: str) -> None:
    assert number(value) == said


def test_clean_text_is_one_line() -> None:
    assert clean("a\nb\tc\x1b") == "a b c "
