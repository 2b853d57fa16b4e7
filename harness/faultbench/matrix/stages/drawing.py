"""What the stages `split` and `episodes` have in common: a split that is drawn, audited and written down."""

from __future__ import annotations

import dataclasses
import json

from faultbench.data.audit import audit, require
from faultbench.data.split import EpisodeRequest, Scenario, Split
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
    scenario: Scenario = make(work.params["scenario"])
    if getattr(scenario, "content", None) != work.params.get("content"):
        raise UsageError(f"{work.params['scenario'].spelling} changed while the run was planned: run again")
    request = EpisodeRequest(**work.params["request"])
    made = scenario.split(load_catalogues(work.inputs["ingest"]), request, work.params["seed"])
    found = audit(made, PoolSignals(work.inputs["ingest"], made.source, made.target))
    require(found)
    save_split(made, work.out / SPLIT_FOLDER)
    (work.out / AUDIT_FILE).write_text(json.dumps(dataclasses.asdict(found), indent=1, sort_keys=True, default=dict), encoding="utf-8")
    return made
