"""What a job of GitHub Actions is told."""

from __future__ import annotations

import pytest

from faultbench.errors import UsageError
from faultbench.report.github import SHOWN, SUMMARY_BYTES, Annotation, add_summary, commands, noteworthy, on_github


def test_only_github_is_github():
    assert on_github({"GITHUB_ACTIONS": "true"})
    assert not on_github({"GITHUB_ACTIONS": "false"})
    assert not on_github({})


def test_what_did_not_pass_is_noted_and_baselines_are_not(rows):
    noted = {one.title.split()[2]: one.kind for one in noteworthy(rows.every_kind(), gate=True)}
    assert noted == {"cnn": "error", "few": "warning", "quick": "warning", "forest": "notice", "broken": "error"}
    assert {one.title.split()[2]: one.kind for one in noteworthy(rows.every_kind(), gate=False)}["cnn"] == "warning"


def test_a_message_cannot_end_its_command():
    (line,) = commands([Annotation("error", "a:b,c\n::warning::x", "100 %\r\n::set-output name=x::y")])
    assert "\n" not in line
    assert "\r" not in line
    assert line == "::error title=a%3Ab%2Cc %3A%3Awarning%3A%3Ax::100 %25  ::set-output name=x::y"


def test_of_too_many_the_last_says_how_many_more():
    lines = list(commands([Annotation("error", f"t{n}", "m") for n in range(25)] + [Annotation("warning", "w", "m")]))
    assert len(lines) == SHOWN + 1
    assert lines[SHOWN - 1].endswith("::16 more: see the summary of the job, or the table")
    assert lines[-1] == "::warning title=w::m"
    assert len(list(commands([Annotation("error", f"t{n}", "m") for n in range(SHOWN)]))) == SHOWN


def test_the_summary_is_added_to(tmp_path):
    place = tmp_path / "summary.md"
    place.write_text("before\n")
    add_summary("## faultbench", {"GITHUB_STEP_SUMMARY": str(place)})
    assert place.read_text() == "before\n## faultbench\n"
    add_summary("x" * SUMMARY_BYTES, {"GITHUB_STEP_SUMMARY": str(place)})
    assert place.read_text() == "before\n## faultbench\n", "GitHub refuses a summary that is too large altogether"
    add_summary("nowhere", {})


def test_a_summary_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"GITHUB_STEP_SUMMARY .* cannot be written"):
        add_summary("x", {"GITHUB_STEP_SUMMARY": str(tmp_path)})
