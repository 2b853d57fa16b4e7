"""From the measurements of two learners on the same episodes to their paired difference."""

from __future__ import annotations

import json

from faultbench.data.splitfile import load_split
from faultbench.matrix.graph import Work
from faultbench.matrix.measurement import load_measurement
from faultbench.matrix.outcome import joined, outcome
from faultbench.matrix.stages import DIFFERENCES_FILE, SPLIT_FOLDER
from faultbench.results.outcome import Outcome
from faultbench.results.row import plain
from faultbench.results.statistics import difference


def compare(work: Work) -> None:
    """Computes the difference in accuracy of the first to the second, and of the second to the first."""
    first, second = _outcome(work, "first"), _outcome(work, "second")
    said = {"first": difference(first, second), "second": difference(second, first)}
    (work.out / DIFFERENCES_FILE).write_text(json.dumps(plain(said), indent=1, sort_keys=True), encoding="utf-8")


def _outcome(work: Work, which: str) -> Outcome:
    splits = [load_split(work.inputs[f"episodes.{seed}"] / SPLIT_FOLDER) for seed in range(work.params["seeds"])]
    measured = [load_measurement(work.inputs[f"{which}.{seed}"]) for seed in range(work.params["seeds"])]
    return joined([outcome(split, m.predictions) for split, m in zip(splits, measured, strict=True)])
