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
    from rich.console import Console

    from faultbench.report.github import Annotation


def publish_rows(
    rows: Sequence[Mapping[str, Any]],
    command: Sequence[str],
    outputs: Outputs,
    *,
    gate: bool = False,
    github: bool = True,
    verbose: bool = False,
    published: bool = False,
) -> None:
    """Writes and prints the rows; within GitHub Actions, notes what did not pass.

    Args:
        rows: What came out.
        command: The words that made it.
        outputs: Where it goes.
        gate: Whether a row that fails is an error.
        github: Whether a job of GitHub Actions is told.
        verbose: Whether a sentence on every verdict follows the table.
        published: Whether what papers report of these data sets follows the table, and has a section in the page. No other format has it.

    Raises:
        UsageError: A file could not be written after all.
    """
    from faultbench.report.github import noteworthy, on_github

    def print_all(console: Console) -> None:
        print_table(rows, console)
        if verbose:
            from faultbench.report.sentences import print_sentences

            print_sentences(rows, console)
        if published:
            from faultbench.report.literature.table import print_beside

            print_beside(rows, console)

    try:
        with quiet_pipe():
            outputs.publish(lambda form: render(form, rows, command, published=published), print_all, FILES)
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
