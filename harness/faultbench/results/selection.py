"""Finding a stored run again: the last one, or one by its number, its date, a digest, or the names of its cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from faultbench.errors import UsageError
from faultbench.names import shown
from faultbench.results.store import Run, Store

FORMS = "last, last~N, a number, a date (2026-01-31), the beginning of a digest (4 characters or more), or names (maml cwru)"
"""How a run can be named."""

NONE_YET = "no run is kept yet: `faultbench run` makes one, or name a file"

_LAST = re.compile(r"last(?:~(?P<back>[0-9]{1,6}))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9:]*)?)?", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{4,64}", re.ASCII)


def find_run(store: Store | None, text: str) -> Run:
    """The newest run that a text names.

    `last~1` is the one before the last. Runs without a row, as of a process that was killed at once, are passed over, unless they are
    named by number.

    Raises:
        UsageError: There is none.
    """
    runs = matching(store, text)
    if not runs and (store is None or not store.runs()):
        raise UsageError(NONE_YET)
    if not runs:
        raise UsageError(f"no stored run is {shown(text)}: name a file, or {FORMS}; `faultbench results list` shows what there is")
    return runs[0]


def matching(store: Store | None, text: str) -> list[Run]:
    """The runs that a text names, the newest first."""
    if store is None:
        return []
    runs = store.runs()[::-1]
    if _NUMBER.fullmatch(text) and (by_number := [run for run in runs if run.id == int(text)]):
        return by_number
    filled = {run for run, _, _ in store.names()}
    runs = [run for run in runs if run.id in filled]
    if last := _LAST.fullmatch(text):
        back = int(last["back"] or 0)
        return runs[back : back + 1]
    if _DATE.fullmatch(text):
        return [run for run in runs if run.started.startswith(text.replace(" ", "T"))]
    by_digest = {run for run, digest, _ in store.names() if _DIGEST.fullmatch(text) and digest.startswith(text)}
    # A number is never a part of a name: `results rm 40` must not take every run with a prune40.
    return [run for run in runs if run.id in by_digest] or ([] if _NUMBER.fullmatch(text) else _named(store, runs, text))


def filtered(store: Store | None, texts: Iterable[str]) -> list[Run]:
    """The runs that every one of several texts names, the newest first; all where there is none."""
    if store is None:
        return []
    runs = store.runs()[::-1]
    for text in texts:
        known = {run.id for run in matching(store, text)}
        runs = [run for run in runs if run.id in known]
    return runs


def _named(store: Store, runs: list[Run], text: str) -> list[Run]:
    """The runs that have a row in whose names every word of the text occurs."""
    words = text.lower().split()
    found = {run for run, _, names in store.names() if words and all(word in names.lower() for word in words)}
    return [run for run in runs if run.id in found]
