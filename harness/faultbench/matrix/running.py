"""Runs what a graph's goals still need, and says how each goal ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Graph, Stage, ordered, pending
from faultbench.matrix.leases import in_use
from faultbench.matrix.workers import DECLINED, Done, Failure, Listener, Workers, workers

_log = logging.getLogger(__name__)


class Progress(Listener, Protocol):
    """Who shows how the run goes."""

    def run_started(self, stages: int, reused: int) -> None:
        """So many stages are needed; so many of them are there already."""
        ...

    def stage_started(self, key: str, title: str, total: int | None = None) -> None:
        """A stage begins; `total` steps where that is known."""
        ...

    def stage_finished(self, key: str, cached: bool, seconds: float) -> None:
        """A stage has ended, or was there already."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a goal ended.

    Args:
        key: The goal.
        value: Its folder, or None.
        declined: Why it makes no sense, or empty.
        failure: Why it could not be computed, or None.
    """

    key: str
    value: Path | None
    declined: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many stages the goals have, and how many of them were there already."""

    stages: int
    reused: int


def run(
    graph: Graph, goals: Iterable[str], cache: Cache, progress: Progress, *, jobs: int = 1, ended: Callable[[Ended], None] = lambda _: None
) -> Tally:
    """Computes goals, each stage at most once, and only those whose result is needed and not there.

    A stage that fails costs the goals that need it, and no others. A stage that declines (`NotApplicable`) declines all that
    need it, and is remembered. Where a value turns out to be damaged, it is made again.

    Args:
        graph: The stages.
        goals: Keys.
        cache: Where results are.
        progress: Told what happens.
        jobs: How many stages run at a time. Results do not depend on it.
        ended: Told of every goal at once when it has ended, in the order in which they do.
    """
    goals = tuple(dict.fromkeys(goals))
    with in_use(cache.root, ordered(graph, goals)):  # before the first value is looked at: nothing may go between that and its use
        return _Run(graph, goals, cache, progress, ended).go(jobs)


class _Run:
    """The state of one run."""

    def __init__(self, graph: Graph, goals: tuple[str, ...], cache: Cache, progress: Progress, ended: Callable[[Ended], None]) -> None:
        self._graph, self._cache, self._progress, self._ended = graph, cache, progress, ended
        self._order = ordered(graph, goals)
        self._declined = declined(graph, self._order, cache)
        self._failed: dict[str, Failure] = {}
        self._todo = list(pending(graph, goals, lambda key: key in self._declined or cache.get(key) is not None))
        self._open = dict.fromkeys(goals)
        self._running: dict[str, Stage] = {}

    def go(self, jobs: int) -> Tally:
        tally = Tally(len(self._order), len(self._order) - len(self._todo))
        if self._todo:
            self._cache.prepare()
        self._progress.run_started(tally.stages, tally.reused)
        for key in self._order:
            if key not in self._todo:
                self._progress.stage_finished(key, cached=True, seconds=0.0)
        self._settle()
        if self._todo:
            with workers(min(jobs, len(self._todo)), self._cache, self._progress) as crew:
                while self._todo or self._running:
                    self._start(crew)
                    if self._running:
                        self._take(crew.wait())
            self._settle()
        return tally

    def _start(self, crew: Workers) -> None:
        """Gives out what can run now, and drops what can no longer."""
        while len(self._running) < crew.capacity:
            self._drop()
            stage = self._next(crew)
            if stage is None:
                return
            self._todo.remove(stage.key)
            inputs = {role: self._cache.get(key) for role, key in stage.inputs.items()}
            gone = [role for role, value in inputs.items() if value is None]
            if gone:  # it was there when the run began
                message = f"{stage.title}: {', '.join(gone)} went from the cache during the run: run again"
                self._fail(stage.key, Failure(message))
                continue
            self._running[stage.key] = stage
            self._progress.stage_started(stage.key, stage.title)
            crew.start(stage, {role: value for role, value in inputs.items() if value is not None})

    def _next(self, crew: Workers) -> Stage | None:
        """The next stage that can run. With several workers, what must run alone waits until the others have nothing to do."""
        if any(stage.alone for stage in self._running.values()):
            return None
        blocked = {*self._todo, *self._running}
        ready = [self._graph[key] for key in self._todo if blocked.isdisjoint(self._graph[key].inputs.values())]
        together = ready if crew.capacity == 1 else [stage for stage in ready if not stage.alone]
        if together:
            return together[0]
        return ready[0] if ready and not self._running else None

    def _take(self, done: Done) -> None:
        del self._running[done.key]
        self._progress.stage_finished(done.key, cached=False, seconds=done.seconds)
        if done.failure is not None:
            self._fail(done.key, done.failure)
        elif done.declined:
            self._declined[done.key] = done.declined
        self._drop()
        self._settle()

    def _fail(self, key: str, failure: Failure) -> None:
        self._failed[key] = failure
        if failure.trace:
            _log.debug("%s\n%s", failure.message, failure.trace)

    def _drop(self) -> None:
        """What needs a stage that failed has failed with it, what needs one that declined is declined."""
        for key in list(self._todo):
            inputs = self._graph[key].inputs.values()
            failure = next((self._failed[i] for i in inputs if i in self._failed), None)
            reason = next((self._declined[i] for i in inputs if i in self._declined), None)
            if failure is not None:
                self._failed[key] = failure
            elif reason is not None:
                self._declined[key] = reason
            else:
                continue
            self._todo.remove(key)

    def _settle(self) -> None:
        """Tells of the goals that have ended."""
        for key in list(self._open):
            if key in self._failed:
                end = Ended(key, None, failure=self._failed[key])
            elif key in self._declined:
                end = Ended(key, None, declined=self._declined[key])
            elif key in self._todo or key in self._running:
                continue
            else:
                end = Ended(key, self._cache.get(key))
            del self._open[key]
            self._ended(end)


def declined(graph: Graph, order: Iterable[str], cache: Cache) -> dict[str, str]:
    """Why stages make no sense, as far as the cache knows: those that declined, and those that need one that did.

    Args:
        graph: The stages.
        order: Keys, each behind its inputs.
        cache: Where results are.
    """
    reasons: dict[str, str] = {}
    for key in order:
        entry = cache.peek(key)
        own = str(entry.about.get(DECLINED, "")) if entry is not None else ""
        reason = own or next((reasons[i] for i in graph[key].inputs.values() if i in reasons), "")
        if reason:
            reasons[key] = reason
    return reasons


def outlook(graph: Graph, goals: Iterable[str], cache: Cache) -> dict[str, str]:
    """What a run would do with each stage, as far as manifests tell: `cached`, `to do`, `declined`, or `not needed`.

    A stage is not needed where nothing that has to run uses its value.
    """
    goals = tuple(goals)
    order = ordered(graph, goals)
    reasons = declined(graph, order, cache)
    there = {key: cache.peek(key) is not None for key in order}
    todo = set(pending(graph, goals, lambda key: key in reasons or there[key]))
    return {key: "declined" if key in reasons else "to do" if key in todo else "cached" if there[key] else "not needed" for key in order}
