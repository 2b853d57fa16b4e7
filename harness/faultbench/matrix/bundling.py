"""From settings to the artifact of one cell and seed, by way of the stages that a run shares: what a bundle is made of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbench import __version__
from faultbench.data.splitfile import load_split
from faultbench.errors import UsageError
from faultbench.matrix import running
from faultbench.matrix.cache import Cache
from faultbench.matrix.leases import in_use
from faultbench.matrix.plan import plan
from faultbench.matrix.running import Ended
from faultbench.matrix.settings import RunSettings
from faultbench.matrix.stages import ARTIFACT_FOLDER, SPLIT_FOLDER
from faultbench.registry import Registry


@dataclass(frozen=True, slots=True)
class Exported:
    """A cell's artifact.

    Args:
        artifact: Its folder, in the cache.
        about: What it was made from.
        channels: The channels of a window in their order, each with its unit.
    """

    artifact: Path
    about: Mapping[str, Any]
    channels: Mapping[str, str]


@contextlib.contextmanager
def exported(
    settings: RunSettings, registry: Registry, seed: int, progress: running.Progress, cache: Cache | None = None
) -> Iterator[Exported]:
    """The artifact of the one cell that settings name, computed as far as it is not there; no trim takes it while the body lasts.

    Args:
        settings: One name on every axis.
        registry: What there is to choose from.
        seed: Which seed's: it fixes the training.
        progress: Told what happens.
        cache: Where results are looked for and kept.

    Raises:
        UsageError: The settings name several cells, or the learner cannot be exported.
        FaultbenchError: It could not be computed.
    """
    planned = plan(settings, registry, cache)
    if len(planned.cells) != 1:
        raise UsageError(f"a bundle is made of one cell, {len(planned.cells)} are named: give one name on every axis")
    (cell,) = planned.cells
    key = cell.exports[seed]
    split = planned.graph[key].inputs["split"]
    with in_use(planned.cache.root, planned.graph):
        ended: dict[str, Ended] = {}
        running.run(
            planned.graph, [key, split], planned.cache, progress, jobs=settings.jobs, ended=lambda end: ended.__setitem__(end.key, end)
        )
        end = ended[key]
        if end.failure is not None:
            raise end.failure.error(end.failure.message)
        if end.value is None:
            raise UsageError(f"{cell.cell.title} has no artifact ({end.declined}): choose another learner or compressor")
        folder = planned.cache.get(split)
        if folder is None:
            raise UsageError("the split went from the cache while it was used: run it again")
        drawn = load_split(folder / SPLIT_FOLDER)
        recording = drawn.target.recordings[0]
        yield Exported(
            artifact=end.value / ARTIFACT_FOLDER,
            about={"faultbench": __version__, "cell": dict(cell.fields), "seed": seed, "key": key},
            channels={name: recording.channel(name).unit for name in drawn.target.channels[0]},
        )
