"""From signals to what a split and its episodes share, be it clean or not."""

from __future__ import annotations

import contextlib
import dataclasses

from faultbench.data.split import EpisodeRequest
from faultbench.data.splitfile import save_split
from faultbench.matrix.graph import Work
from faultbench.matrix.stages import SPLIT_FOLDER
from faultbench.matrix.stages.drawing import audited, drawn, moved, write_audit


def audit(work: Work) -> None:
    """Makes the split as a run does, once for training and once with all episodes, and writes down all that the audit finds.

    What a run refuses is a finding here. Nothing may be trained on what this leaves.

    Raises:
        IsolationError: The scenario cannot keep its level on these data: there is no split to audit.
        UsageError: The request contradicts the scenario.
    """
    request = EpisodeRequest(**work.params["request"])
    made, trained = drawn(work, request), drawn(work, dataclasses.replace(request, episodes=1))
    found = audited(work, made)
    found = dataclasses.replace(found, findings=(*moved(made, trained), *found.findings))
    write_audit(found, work)
    with contextlib.suppress(ValueError):  # episodes of several sizes cannot be written down; the findings say so
        save_split(made, work.out / SPLIT_FOLDER)
