"""The matrix as a graph of stages, and what has to be done of it.

Cells share stages: a stage is known by its key, the digest of everything that its result depends on, and stands in the
graph once. Nothing here runs anything; `running` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Say = Callable[[int, int], None]
"""Called with (done, in all)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a stage's function gets.

    Args:
        out: An empty folder, to be filled.
        inputs: The folders of the stages it needs, by role; never anything else of the cache.
        params: What the stage depends on; part of its key.
        given: What it needs to know and does not depend on (where the data lie); not part of its key.
        key: The stage's key, which stands for everything that the result is made of.
        say: Takes how far it is.
    """

    out: Path
    inputs: Mapping[str, Path]
    params: Mapping[str, Any]
    given: Mapping[str, Any]
    key: str
    say: Say = lambda _done, _total: None


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work, picklable.

    Args:
        key: Digest of everything that its result depends on.
        name: The kind of stage (`train`).
        title: What it does, for people (`train maml, seed 1`).
        function: `"package.module:function"` of a function of one `Work`, imported where it runs.
        params: See `Work`.
        inputs: Keys by role.
        given: See `Work`.
        alone: Whether nothing else of the run may run meanwhile: a measurement.
        like: What the time it took is a forecast for, a label that seeds share.
    """

    key: str
    name: str
    title: str
    function: str
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    inputs: Mapping[str, str] = field(default_factory=dict, hash=False)
    given: Mapping[str, Any] = field(default_factory=dict, hash=False)
    alone: bool = False
    like: str = ""


Graph = Mapping[str, Stage]
"""Stages by key. Every input of a stage stands in the graph."""


def ordered(graph: Graph, goals: Iterable[str]) -> tuple[str, ...]:
    """The keys that goals need, themselves included, each behind its inputs; what the first goal needs comes first."""
    found: dict[str, None] = {}
    for goal in goals:
        _visit(graph, goal, found)
    return tuple(found)


def _visit(graph: Graph, goal: str, found: dict[str, None]) -> None:
    waiting: list[tuple[str, Iterator[str]]] = [(goal, iter(graph[goal].inputs.values()))]
    while waiting:
        key, inputs = waiting[-1]
        following = next((i for i in inputs if i not in found), None)
        if key in found:
            waiting.pop()
        elif following is not None:
            waiting.append((following, iter(graph[following].inputs.values())))
        else:
            found[key] = None
            waiting.pop()


def shares(graph: Graph, goals: Iterable[str]) -> dict[str, int]:
    """How many of the goals need each stage."""
    counts: dict[str, int] = {}
    for goal in goals:
        for key in ordered(graph, [goal]):
            counts[key] = counts.get(key, 0) + 1
    return counts


def pending(graph: Graph, goals: Iterable[str], there: Callable[[str], bool]) -> tuple[str, ...]:
    """The stages that have to run, in order: a stage whose value is there needs none of its inputs.

    Args:
        graph: The stages.
        goals: What is wanted.
        there: Whether a stage's value can be had; asked at most once for each stage, and only of those whose value is used.
    """
    known: dict[str, bool] = {}
    missing: set[str] = set()
    waiting = list(goals)
    while waiting:
        key = waiting.pop()
        if key not in known:
            known[key] = there(key)
            if not known[key]:
                missing.add(key)
                waiting.extend(graph[key].inputs.values())
    return tuple(key for key in ordered(graph, goals) if key in missing)
