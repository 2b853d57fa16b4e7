"""A comparison as a table for a person, as JSON, as Markdown for a comment on a pull request, and as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbench.report.github import Annotation

SCHEMA = 1
"""Changes when a field of the comparison's document is renamed, is removed, or changes its meaning."""


def render(form: str, comparison: Mapping[str, Any], command: Sequence[str]) -> str:
    """A comparison in a format: `json`, `markdown` or `junit`."""
    if form == "json":
        from faultbench.report.document import json_text

        return json_text({"schema": SCHEMA, "command": list(command), **comparison})
    if form == "markdown":
        from faultbench.report.compared.markdown import as_markdown

        return as_markdown(comparison, command)
    from faultbench.report.compared.junit import as_junit

    return as_junit(comparison)


def noteworthy(comparison: Mapping[str, Any]) -> Iterator[Annotation]:
    """What a job of GitHub Actions is told: conditions that fire as errors, what is unproven or was refused as warnings."""
    from faultbench.report.compared.wording import conditions, name
    from faultbench.results.verdict import ERROR, FAIL, UNPROVEN

    for pair in comparison["pairs"]:
        for line, one in zip(conditions(pair), pair["conditions"], strict=True):
            if one["verdict"] in (FAIL, UNPROVEN):
                yield Annotation("error" if one["verdict"] == FAIL else "warning", f"compare: {name(pair)}", line)
    for one in comparison["refused"]:
        broken = one["new"]["verdict"] == ERROR
        yield Annotation("error" if broken else "warning", f"compare: {name(one)}", f"not compared: {one['reason']}")
    for one in comparison["missing"]:
        yield Annotation("warning", f"compare: {name(one)}", "missing from NEW")
