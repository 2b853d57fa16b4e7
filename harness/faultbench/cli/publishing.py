"""What happens to the rows of a run: files, the table, and what a job of GitHub Actions is told."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from faultbench.cli.ending import quiet_pipe
from faultbench.cli.outputs import Outputs
from faultbench.errors import UsageError
from faultbench.report.formats import FILES, render
from faultbench.report.table import print_table

if TYPE_CHECKING:
    from faultbench.report.github import Annotation


def publish_rows(
    rows: Sequence[Mapping[str, Any]], command: Sequence[str], outputs: Outputs, *, gate: bool = False, github: bool = True
) -> None:
    """Writes and prints the rows; within GitHub Actions, notes what did not pass.

    Args:
        rows: What came out.
        command: The words that made it.
        outputs: Where it goes.
        gate: Whether a row that fails is an error.
        github: Whether a job of GitHub Actions is told.

    Raises:
        UsageError: A file could not be written after all.
    """
    from faultbench.report.github import noteworthy, on_github

    try:
        with quiet_pipe():
            outputs.publish(lambda form: render(form, rows, command), lambda console: print_table(rows, console), FILES)
    finally:
        if github and on_github():
            tell_github(noteworthy(rows, gate=gate), render("markdown", rows, command))


def tell_github(noted: Iterable[Annotation], summary: str) -> None:
    """Prints annotations, and adds to the summary of the job."""
    from faultbench.report import github

    for line in github.commands(noted):
        print(line, file=sys.stderr)
    try:
        github.add_summary(summary)
    except UsageError as error:  # the results are there all the same
        print(f"warning: {error}", file=sys.stderr)


def say_which(name: str, asked: str) -> None:
    """Says on stderr which stored run a name was taken for; a file is what it is called."""
    if name != asked:
        print(f"{name}", file=sys.stderr)
