"""Markdown for a comment on a pull request: the verdict first, and no text of a plugin's that GitHub would obey."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from faultbench.report.github_text import MOST, block, code, words
from faultbench.report.markdown import as_markdown

COMMAND = ["faultbench", "run", "-l", "maml,cnn"]
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = [
    "a|b",
    "`code`",
    "```\nend",
    "@torvalds",
    "x@team/all",
    "see #12 and GH-7",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden",
    "</details>",
    "[click](https://example.org)",
    "![x](https://example.org/x.png)",
    "https://example.org www.example.org",
    "**bold** _it_ ~~no~~ $x$",
    "\\",
    "a\\|b",
    "&lt;b&gt; &amp;",
    "line\nbreak\r\n\n# heading",
]


def tokens(text, kind):
    """All inline tokens of a kind."""
    return [child for token in PARSER.parse(text) for child in (token.children or ()) if child.type == kind]


def cells(text):
    """The table's lines, each a list of cells as they are rendered."""
    lines: list[list[str]] = []
    parsed = PARSER.parse(text)
    for i, token in enumerate(parsed):
        if token.type == "tr_open":
            lines.append([])
        if token.type in ("th_open", "td_open"):
            lines[-1].append("".join(child.content for child in parsed[i + 1].children))
    return lines


def running_text(text):
    """What is rendered outside of code."""
    return " ".join(child.content for child in tokens(text, "text"))


def test_the_verdict_comes_first_then_one_table_then_what_did_not_pass(rows):
    said = as_markdown(rows.every_kind(), COMMAND)
    assert said.splitlines()[0] == "## faultbench: 1 error, 1 fail, 2 unproven, 1 pass, 1 not applicable, 1 baseline"
    heading, *lines = cells(said)
    assert heading[:4] == ["verdict", "learner", "accuracy", "rare recall"]
    assert [line[0] for line in lines] == ["pass", "fail", "unproven", "unproven, quick", "baseline (fail)"]
    assert re.fullmatch(r"0\.\d{3} \(0\.\d{3}-[01]\.\d{3}\)", lines[0][2])
    assert "`accuracy.ci_low>=0.999` **fail**: 0." in said
    assert "unproven: only 2 fault bearings, 5 are needed" in said
    assert "could not be computed: it broke: mend it" in said
    assert "not applicable: nothing to prune" in said
    assert "```text\nfaultbench run -l maml,cnn\n```" in said


def test_clusters_and_watermark_stand_where_all_rows_share_them(rows):
    said = as_markdown([rows.judged({"quick": True})], COMMAND)
    assert "QUICK" in said
    assert "6 fault + 2 healthy units" in said


def test_the_level_stands_in_the_heading_though_the_first_row_knows_none(rows):
    first = rows.unscored({"compressor": "prune40", "level": None}, not_applicable="nothing to prune")
    assert "**cwru, new-device [T2], maml, x86" in as_markdown([first, rows.judged()], COMMAND).replace("\\", "")


def test_nothing_measured_is_said():
    assert as_markdown([], COMMAND).startswith("## faultbench: nothing was measured\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_the_table_or_mentions_anybody(rows, text):
    judged = rows.judged({"learner": text}, criteria="accuracy.ci_low>=0.999", notes={text: text}, labels=[text])
    broken = rows.unscored({"learner": f"{text}2"}, error=text)
    said = as_markdown([judged, broken], ["faultbench", "run", "-l", text])
    assert [len(line) for line in cells(said)] == [10, 10]
    assert not tokens(said, "link_open")
    assert not tokens(said, "image")
    assert not tokens(said, "html_inline")
    blocks = [token.content.strip() for token in PARSER.parse(said) if token.type == "html_block"]
    assert blocks == ["<details><summary>Beside the figures</summary>", "</details>"]
    assert not re.search(r"@\w|#\d|GH-\d|https?:|www\.", running_text(said))
    (fence,) = [token for token in PARSER.parse(said) if token.type == "fence"]
    assert fence.content.startswith("faultbench run -l")
    assert [token.tag for token in PARSER.parse(said) if token.type == "heading_open"] == ["h2"]


@given(st.text(max_size=80))
def test_any_text_is_one_line_of_text(text):
    for said in (f"a {words(text)} z", f"a {code(text)} z", f"| a | {words(text)} {code(text)} |\n| - | - |"):
        parsed = PARSER.parse(said)
        kinds = {child.type for token in parsed for child in (token.children or ())}
        assert kinds <= {"text", "code_inline"}, said
        assert parsed[0].type == ("table_open" if said.startswith("|") else "paragraph_open")
        assert not re.search(r"@\w|#\w", " ".join(c.content for t in parsed for c in (t.children or ()) if c.type == "text"))


@given(st.text(max_size=80))
def test_any_command_stays_in_its_block(text):
    parsed = PARSER.parse(block(text))
    assert [token.type for token in parsed] == ["fence"]


def test_a_text_reads_as_it_was_written(rows):
    for text in ("a_b*c", "x < y & z > 0", "100 % [T2] ~ $5 !"):
        assert running_text(words(text)) == text


def test_a_comment_is_never_longer_than_github_takes(rows):
    failing = rows.judged(criteria="accuracy.ci_low>=0.999")
    many = [{**failing, "cell": {**failing["cell"], "learner": f"maml:inner_steps={n}"}} for n in range(300)]
    many += [rows.unscored({"learner": f"broken{n}"}, error="é" * 400) for n in range(100)]
    passing = rows.judged({"learner": "good"})
    said = as_markdown([passing, *many], COMMAND)
    assert len(said.encode()) <= MOST
    assert "rows are left out here, the best ones" in said
    assert "`broken0`" in said
    assert "`good`" not in said
    assert said.startswith("## faultbench: 100 error, 300 fail, 1 pass\n")
    assert said.rstrip().endswith("```")


def test_facts_go_before_rows_do(rows):
    some = [rows.judged({"learner": f"l{n}"}, notes={"long": "n" * 400}) for n in range(20)]
    whole = as_markdown(some, COMMAND)
    assert "<details>" in whole
    short = as_markdown(some, COMMAND, most=len(whole.encode()) - 1)
    assert "<details>" not in short
    assert len(cells(short)) == 21
