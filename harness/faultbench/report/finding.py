"""A result by what a user calls it: a file that `run --json` wrote, or a run of the store."""

from __future__ import annotations

from pathlib import Path

from faultbench.errors import UsageError
from faultbench.report.document import document
from faultbench.report.reading import read_document
from faultbench.report.schema import check
from faultbench.results.comparison import Side
from faultbench.results.selection import FORMS, NONE_YET, find_run
from faultbench.results.store import Run, Store, read_store


def find(text: str) -> Side:
    """The result of a name: of the file that is called so, else of the newest stored run that it names.

    Raises:
        UsageError: There is neither, or the name is empty.
        DataError: The file is no result, or of another version of the schema.
    """
    if not text.strip():
        raise UsageError(f"the name of a result is empty: name a file, or {FORMS}")
    if is_file(text):
        made = read_document(text)
        return Side(text, tuple(made["command"]), tuple(made["rows"]))
    with read_store() as store:
        run = find_run(store, text)
        if store is None:
            raise UsageError(NONE_YET)
        return stored(store, run)


def stored(store: Store, run: Run) -> Side:
    """The result of a stored run.

    Raises:
        DataError: Another version of faultbench kept it, in another layout.
    """
    rows = store.rows(run.id)
    name = f"run {run.id} of {run.started.partition('+')[0]} UTC"
    check(document(rows, run.command), "run", name)
    return Side(name, run.command, tuple(rows))


def is_file(text: str) -> bool:
    """Whether a text names a file and not a stored run: it is there, or it looks like one."""
    return text == "-" or text.endswith(".json") or "/" in text or Path(text).exists()
