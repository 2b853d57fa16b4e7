"""From a trained net to a smaller one."""

from __future__ import annotations

import json

from faultbench.learning.compressing import Context
from faultbench.learning.contracts import Budget, ModelCompressor
from faultbench.learning.net import save_net
from faultbench.matrix.graph import Work
from faultbench.matrix.stages import ACHIEVED_FILE
from faultbench.matrix.stages.learners import bench, repeatable, seed_of
from faultbench.registry import make
from faultbench.results.row import plain


def compress(work: Work) -> None:
    """Applies one compressor of a chain; what it achieved is kept beside the net.

    Raises:
        NotApplicable: The learner has nothing that this compresses.
    """
    at = bench(work)
    compressor: ModelCompressor = make(work.params["compressor"])
    link = str(work.params["link"])
    budget = Budget(scale=work.params["scale"], seed=seed_of(at.split, "compress", link), progress=work.say)
    with repeatable(work, at.split):
        context = Context(at.shape, at.learner, at.tasks(work, "compress", link, "tasks"), budget)
        net, achieved = compressor.compress(at.stored(work), context)
    save_net(net, work.out)
    (work.out / ACHIEVED_FILE).write_text(json.dumps(plain(achieved), indent=1, sort_keys=True), encoding="utf-8")
