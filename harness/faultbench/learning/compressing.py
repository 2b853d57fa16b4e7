"""What the harness gives to a compressor of a model."""

from __future__ import annotations

from collections.abc import Iterator

from faultbench.learning.contracts import Budget, ExtraLoss, Learner, NetShape, TaskBatch
from faultbench.learning.net import Net
from faultbench.learning.tasks import Tasks


class Context:
    """The learner, its source tasks and a share of its training budget.

    Args:
        shape: What the net was built for.
        learner: The learner that trained it.
        tasks: The source tasks, on a seed of their own.
        budget: For `fit`.
    """

    def __init__(self, shape: NetShape, learner: Learner, tasks: Tasks, budget: Budget) -> None:
        self.shape, self.learner = shape, learner
        self._tasks, self._budget = tasks, budget

    def fit(self, net: Net, extra_loss: ExtraLoss | None = None) -> Net:
        """Continues the meta-training of a net on the source tasks."""
        return self.learner.fit(net, self._tasks, self._budget, extra_loss)

    def batches(self, tasks: int) -> Iterator[TaskBatch]:
        """Batches of `tasks` source tasks, endlessly."""
        return self._tasks.batches(tasks)
