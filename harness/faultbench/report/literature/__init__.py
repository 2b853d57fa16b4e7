"""What papers report of the data sets that are read here: never measured by faultbench, and never part of a row or a verdict.

The figures stand in `figures.toml`, held to `figures-1.json` whenever they are read. Each names its source, the place in it, how the split
was made, and the level that this split keeps.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from faultbench.discovery import one_line
from faultbench.errors import DataError

LEVELS = ("T0", "T1", "T2", "T3", "T4", "unclear")
"""The levels that a split is graded by."""


@dataclass(frozen=True, slots=True)
class Source:
    """A paper, and what of it was read.

    Args:
        authors: Who wrote it.
        year: When it came out.
        title: Its title.
        venue: Where it came out.
        address: Where it is, a DOI where there is one.
        seen: `itself`, or `quoted` where the figures were read in a text that quotes it.
        checked: What was read.
    """

    authors: str
    year: int
    title: str
    venue: str
    address: str
    seen: str
    checked: str


@dataclass(frozen=True, slots=True)
class Published:
    """One figure of a paper.

    Args:
        source: The paper.
        dataset: The data set, by the name that it has here.
        level: The level that the split keeps, or `unclear`.
        grade: Why it has this level.
        method: What was trained.
        task: The classes, and how many shots where there were few.
        split: How the paper parts what is trained on from what is tested on.
        metric: What the figure is of.
        figure: The figure, as the text writes it.
        where: The place in the source.
        ways: Classes of an episode, where there were episodes.
        shots: Labelled samples of each.
    """

    source: Source
    dataset: str
    level: str
    grade: str
    method: str
    task: str
    split: str
    metric: str
    figure: str
    where: str
    ways: int | None = None
    shots: int | None = None


def published(datasets: Iterable[str] | None = None, levels: Iterable[str] | None = None) -> list[Published]:
    """The figures of these data sets and levels, by data set and then by level; all where nothing is named."""
    wanted, graded = (None if names is None else set(names) for names in (datasets, levels))
    found = [
        one
        for one in read(_resource("figures.toml"))
        if (wanted is None or one.dataset in wanted) and (graded is None or one.level in graded)
    ]
    return sorted(found, key=lambda one: (one.dataset, LEVELS.index(one.level)))


def read(text: str) -> list[Published]:
    """The figures of a text in TOML.

    Raises:
        DataError: It does not keep the schema, or names a source that it does not have.
    """
    made = _parsed(text)
    sources = {key: Source(**said) for key, said in made["sources"].items()}
    figures = []
    for said in made["figures"]:
        if said["source"] not in sources:
            raise DataError(f"the published figures name no source {one_line(said['source'], 40)!r}: add it below [sources]")
        figures.append(Published(**{**said, "source": sources[said["source"]]}))
    if unused := set(sources) - {said["source"] for said in made["figures"]}:
        raise DataError(f"no published figure is of {min(unused)}: take it from [sources]")
    return figures


def _parsed(text: str) -> dict[str, Any]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    try:
        made = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"the published figures are no TOML ({one_line(str(error), 100)}): mend the file") from error
    fault = best_match(Draft202012Validator(json.loads(_resource("figures-1.json"))).iter_errors(made))
    if fault is not None:
        said = f"{one_line(fault.json_path, 80)}: {one_line(fault.message, 120)}"
        raise DataError(f"the published figures do not keep their format ({said}): mend the file")
    return made


def _resource(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
