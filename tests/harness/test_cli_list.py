from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.cli import main
from faultbench.cli.columns import table
from faultbench.cli.completion import names_of


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["list", *words]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_everything_is_listed_by_kind_with_its_distribution(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = listed(capsys)
    for heading in ("DATASETS", "SCENARIOS", "FRONTENDS", "BACKBONES", "LEARNERS", "COMPRESSORS", "TARGETS"):
        assert heading in text
    for name in ("simulated", "new-device", "maml", "prune", "x86"):
        assert f"\n{name} " in text
    assert "faultbench 0.1.0" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("kind", ["learners", "learner", "Learners"])
def test_a_kind_is_listed_with_parameters_and_defaults(capsys, kind):
    text = listed(capsys, kind)
    assert "inner_steps=5" in text
    assert "frontend=welch" in text


@pytest.mark.parametrize("kind", ["frontend", "front-ends", "front_ends", "frontends", "data-sets"])
def test_a_kind_may_be_written_as_people_do(capsys, kind):
    assert listed(capsys, kind)


def test_one_thing_is_listed_in_full(capsys):
    text = listed(capsys, "compressors", "prune40")
    assert "prune" in text
    assert "percent" in text
    assert "faultbench_compressors.prune:Prune" in text
    assert "a number from 0 to 95" in text


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_table_is_no_wider_than_the_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(len, listed(capsys, "learners").splitlines())) <= int(columns)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=90)), max_size=4), st.integers(40, 120))
def test_no_line_of_a_table_is_longer_than_its_width(rows, width):
    assert all(len(line) <= width for line in table(("NAME", "WHAT"), rows, width).split("\n"))


@given(st.lists(st.tuples(st.text("ab", max_size=30), st.text("cd ", max_size=90)), max_size=4), st.integers(40, 120))
def test_no_word_is_lost_in_a_table(rows, width):
    letters = "".join(c for c in table(("", ""), rows, width) if c in "abcd")
    assert sorted(letters) == sorted("".join(name + what for name, what in rows).replace(" ", ""))


@pytest.mark.parametrize(
    ("kind", "begun", "completed"),
    [
        ("learners", "ma", {"maml"}),
        ("learners", "maml,c", {"maml,cnn", "maml,centroid"}),
        ("compressors", "prune40+no", {"prune40+none"}),
        ("targets", "", {"x86"}),
        ("datasets", "zzz", set()),
    ],
)
def test_names_are_completed_behind_commas_and_chains(kind, begun, completed):
    assert completed <= {name for name, _ in names_of(kind)(begun)}
    assert all(name.startswith(begun) for name, _ in names_of(kind)(begun))
