"""From signals to source and target, before anything is trained."""

from __future__ import annotations

from faultbench.matrix.graph import Work
from faultbench.matrix.stages.drawing import draw


def split(work: Work) -> None:
    """Parts source from target for one seed, and draws one episode. What is trained is trained on this.

    Raises:
        IsolationError: The scenario cannot keep its level on these data, or does not.
        UsageError: The request contradicts the scenario.
    """
    draw(work)
