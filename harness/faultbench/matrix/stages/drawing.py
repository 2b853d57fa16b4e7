"""What the stages `split`, `episodes` and `audit` have in common: a split that is drawn, audited and written down."""

from __future__ import annotations

import dataclasses
import json

from faultbench.data.audit import Audit, audit, require
from faultbench.data.split import EpisodeRequest, Scenario, Split, as_asked
from faultbench.data.splitfile import save_split
from faultbench.errors import UsageError
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import PoolSignals, load_catalogues
from faultbench.matrix.stages import AUDIT_FILE, SPLIT_FOLDER
from faultbench.registry import make


def draw(work: Work) -> Split:
    """The split that the scenario makes of the stage's request, audited on the samples themselves, and written down.

    Raises:
        IsolationError: The scenario cannot keep its level on these data, or does not.
        UsageError: The request contradicts the scenario, or the scenario's file was changed since the run was planned.
    """
    made = drawn(work, EpisodeRequest(**work.params["request"]))
    found = audited(work, made)
    require(found)
    save_split(made, work.out / SPLIT_FOLDER)
    write_audit(found, work)
    return made


def drawn(work: Work, request: EpisodeRequest) -> Split:
    """What the stage's scenario makes of the signals' catalogues.

    Raises:
        IsolationError: The scenario cannot keep its level on these data.
        PluginError: It returns no split, or one of another seed.
        UsageError: The request contradicts the scenario.
    """
    scenario: Scenario = make(work.params["scenario"])
    if getattr(scenario, "content", None) != work.params.get("content"):
        raise UsageError(f"{work.params['scenario'].spelling} changed while the run was planned: run again")
    seed = work.params["seed"]
    return as_asked(scenario.split(load_catalogues(work.inputs["ingest"]), request, seed), work.params["scenario"].spelling, seed)


def audited(work: Work, made: Split) -> Audit:
    """What the audit finds of a split and the signals that the stage got."""
    return audit(made, PoolSignals(work.inputs["ingest"], made.source, made.target), load_catalogues(work.inputs["ingest"]))


def moved(made: Split, trained: Split) -> tuple[str, ...]:
    """What is to be said where a scenario parts source from target by the number of episodes: what is trained on could be in the target."""
    if (made.source, made.target) == (trained.source, trained.target):
        return ()
    return (f"{made.scenario} has another source or target for {made.request.episodes} episodes than for 1",)


def write_audit(found: Audit, work: Work) -> None:
    """Writes down what the audit found."""
    (work.out / AUDIT_FILE).write_text(json.dumps(dataclasses.asdict(found), indent=1, sort_keys=True, default=dict), encoding="utf-8")
