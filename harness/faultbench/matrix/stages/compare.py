"""From two measurements of the same episodes, of two learners or by other channels, to their paired difference."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from faultbench.data.split import Split
from faultbench.data.splitfile import load_split
from faultbench.errors import CellError
from faultbench.matrix.graph import Work
from faultbench.matrix.measurement import load_measurement
from faultbench.matrix.outcome import joined, outcome
from faultbench.matrix.stages import DIFFERENCES_FILE, SPLIT_FOLDER
from faultbench.results.outcome import Outcome
from faultbench.results.row import plain
from faultbench.results.statistics import difference


def compare(work: Work) -> None:
    """Computes the difference in accuracy of the first to the second, and of the second to the first.

    Raises:
        CellError: They were not asked the same episodes: one lacks recordings that the other has, say.
    """
    asked = [_splits(work, which) for which in ("first", "second")]
    if any(_windows(a) != _windows(b) for a, b in zip(*asked, strict=True)):
        raise CellError("the two were not asked the same windows: their difference would not be one of pairs")
    first, second = (_outcome(work, which, splits) for which, splits in zip(("first", "second"), asked, strict=True))
    said = {"first": difference(first, second), "second": difference(second, first)}
    (work.out / DIFFERENCES_FILE).write_text(json.dumps(plain(said), indent=1, sort_keys=True), encoding="utf-8")


def _splits(work: Work, which: str) -> list[Split]:
    return [load_split(work.inputs[f"{which}.episodes.{seed}"] / SPLIT_FOLDER) for seed in range(work.params["seeds"])]


def _windows(split: Split) -> list[tuple[str, str, int]]:
    """Every window of every episode, by data set, recording and first sample of the lead channel."""
    recordings = [(r.dataset, r.id) for r in split.target.recordings]
    places = [np.concatenate([episode.support, episode.query]).tolist() for episode in split.episodes]
    return [(*recordings[row], start) for windows in places for row, start in windows]


def _outcome(work: Work, which: str, splits: Sequence[Split]) -> Outcome:
    measured = [load_measurement(work.inputs[f"{which}.measure.{seed}"]) for seed in range(work.params["seeds"])]
    return joined([outcome(split, m.predictions) for split, m in zip(splits, measured, strict=True)])
