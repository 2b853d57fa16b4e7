"""The formats that rows are written in, by name, and what their files are called in a folder of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FILES = {"json": "results.json", "csv": "results.csv", "markdown": "report.md", "junit": "junit.xml", "html": "report.html"}
"""The name of a format's file within a folder."""


def render(form: str, rows: Sequence[Mapping[str, Any]], command: Sequence[str], *, published: bool = False) -> str:
    """The rows in a format, a name of `FILES`. Each is imported when it is asked for.

    Args:
        form: The format.
        rows: What came out.
        command: The words that made it.
        published: Whether the page gets a section of what papers report. The other formats are for programs, and hold what was measured.
    """
    if form == "json":
        from faultbench.report.document import document, json_text

        return json_text(document(rows, command))
    if form == "csv":
        from faultbench.report.commas import as_csv

        return as_csv(rows)
    if form == "markdown":
        from faultbench.report.markdown import as_markdown

        return as_markdown(rows, command)
    if form == "junit":
        from faultbench.report.junit import as_junit

        return as_junit(rows)
    from faultbench.report.page import as_html

    return as_html(rows, command, published=published)
