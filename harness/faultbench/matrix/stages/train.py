"""From source tasks to a trained net."""

from __future__ import annotations

from faultbench.learning.contracts import Budget
from faultbench.learning.net import save_net
from faultbench.matrix.graph import Work
from faultbench.matrix.stages.learners import bench, repeatable, seed_of


def train(work: Work) -> None:
    """Meta-trains a learner. It is handed source tasks, whose signals are the source's alone."""
    at = bench(work)
    budget = Budget(scale=work.params["scale"], seed=seed_of(at.split, "train"), progress=work.say)
    with repeatable(work, at.split):
        net = at.learner.fit(at.untrained(), at.tasks(work, "train", "tasks"), budget)
    save_net(net, work.out)
