"""What a job of GitHub Actions is told: annotations beside the changed files, and the summary of the job.

An annotation is a workflow command on a line of its own, `::error title=...::message`; GitHub reads them from stderr too, so
that stdout stays what the user asked for. It shows ten of a kind per step and drops the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from faultbench.errors import UsageError
from faultbench.report.wording import clean
from faultbench.results.verdict import ERROR, FAIL, NOT_APPLICABLE, UNPROVEN

SHOWN = 10
"""How many annotations of one kind GitHub shows of a step."""

SUMMARY_BYTES = 1 << 20
"""How large the summary of a step may be."""

_MOST = 1000  # characters of a message


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation: what kind it is, what it is about, and what it says."""

    kind: Literal["error", "warning", "notice"]
    title: str
    message: str


def on_github(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def noteworthy(rows: Iterable[Mapping[str, Any]], *, gate: bool) -> Iterator[Annotation]:
    """What has to be noted of the rows of a run.

    A criterion that fails is an error where there is a gate, else a warning; so is what is unproven. A cell that could not be
    computed is always an error, one that makes no sense a notice. Baselines are judged by nobody.
    """
    for row in rows:
        overall, sentence = row["verdict"]["overall"], row["verdict"]["sentence"]
        title = " ".join(str(row["cell"][axis]) for axis in ("dataset", "scenario", "learner", "compressor", "target"))
        if overall == ERROR:
            yield Annotation("error", title, sentence)
        elif row["baseline"]:
            continue
        elif overall == FAIL:
            yield Annotation("error" if gate else "warning", title, sentence)
        elif overall == UNPROVEN:
            yield Annotation("warning", title, sentence)
        elif overall == NOT_APPLICABLE:
            yield Annotation("notice", title, sentence)


def commands(noted: Iterable[Annotation]) -> Iterator[str]:
    """The workflow commands of annotations, a line each. Of a kind of which there are too many, the last says how many more."""
    by_kind: dict[str, list[Annotation]] = {}
    for one in noted:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, found in by_kind.items():
        shown = found if len(found) <= SHOWN else found[: SHOWN - 1]
        for one in shown:
            yield _command(one)
        if len(shown) < len(found):
            more = f"{len(found) - len(shown)} more: see the summary of the job, or the table"
            yield _command(Annotation(found[0].kind, f"faultbench: more of kind {kind}", more))


def add_summary(text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Appends Markdown to the summary of the job, where there is one.

    Raises:
        UsageError: Its file cannot be written.
    """
    place = environment.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8", errors="replace") as file:
            if file.tell() + len(text.encode("utf-8", "replace")) < SUMMARY_BYTES:
                file.write(text + "\n")
    except OSError as error:
        raise UsageError(f"GITHUB_STEP_SUMMARY {place} cannot be written ({error.strerror}): unset it, or mend the runner") from error


def _command(one: Annotation) -> str:
    message, title = clean(one.message), clean(one.title)
    return f"::{one.kind} title={_property(title[:_MOST])}::{_data(message[:_MOST])}"


def _data(text: str) -> str:
    """A message as GitHub's toolkit escapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a command, which a colon or a comma would end."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
