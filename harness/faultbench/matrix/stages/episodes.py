"""From a split to all episodes of its target."""

from __future__ import annotations

from faultbench.data.splitfile import load_split
from faultbench.errors import IsolationError
from faultbench.matrix.graph import Work
from faultbench.matrix.stages import SPLIT_FOLDER
from faultbench.matrix.stages.drawing import draw, moved


def episodes(work: Work) -> None:
    """Draws as many episodes as were asked for, from the target that the training was kept away from.

    Raises:
        IsolationError: The scenario parts source from target by the number of episodes: what is trained on could be in the target.
        UsageError: The request contradicts the scenario.
    """
    for finding in moved(draw(work), load_split(work.inputs["split"] / SPLIT_FOLDER)):
        raise IsolationError(f"{finding}: mend the scenario, the number of episodes may not change them")
