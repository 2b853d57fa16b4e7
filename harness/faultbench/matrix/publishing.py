"""Publishing splits: each is drawn and audited as a run does it, and written as one portable file."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultbench.data.origin import Origin
from faultbench.data.published import Origins, document, write_document
from faultbench.data.recording import Catalogue, DataSet, Recording
from faultbench.data.resampling import Base, common_base
from faultbench.data.splitfile import load_split
from faultbench.errors import CellError, FaultbenchError, UsageError
from faultbench.matrix import running
from faultbench.matrix.cache import Cache
from faultbench.matrix.running import Ended
from faultbench.matrix.settings import RunSettings
from faultbench.matrix.splits import Splits
from faultbench.matrix.stages import SPLIT_FOLDER
from faultbench.registry import Choice, Registry, make

ENDING = ".json.gz"
_Known = dict[tuple[str, str, str], Origin]
"""By data set, recording and channel."""
_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9=._-]+")


@dataclass(frozen=True, slots=True)
class Written:
    """A split that was published.

    Args:
        path: The file.
        level: The level that it keeps, with its note.
        digest: The digest that stands in the file.
    """

    path: Path
    level: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file to be written: of what, and the stage that draws it."""

    dataset: Choice
    scenario: Choice
    sources: tuple[str, ...]
    seed: int
    stage: str

    @property
    def name(self) -> str:
        """`cwru.new-device.0.json.gz`; what cannot stand in a file's name is a dash."""
        scenario = self.scenario.spelling.removesuffix(".toml").rpartition("/")[2]
        trained = [f"from-{'-'.join(self.sources)}"] if self.sources else []
        said = (_IN_FILE_NAMES.sub("-", part) for part in (self.dataset.spelling, scenario, *trained))
        return f"{'.'.join(said)}.{self.seed}{ENDING}"


def publish(
    settings: RunSettings, registry: Registry, folder: Path, progress: running.Progress, cache: Cache | None = None
) -> tuple[list[Written], list[FaultbenchError]]:
    """Writes a file for every data set, scenario and seed of some settings.

    Args:
        settings: Of a run; learners, compressors and targets do not matter.
        registry: What there is to choose from.
        folder: Where files go; it is made if need be.
        progress: Told what happens.
        cache: Where signals and splits are kept; None takes the usual one.

    Returns:
        What was written, and why the rest was not.

    Raises:
        UsageError: A name does not fit, two files would have one name, or the folder cannot be written.
        DataError: A data set is not there.
    """
    splits = Splits(settings, registry)
    refused: list[FaultbenchError] = []
    wanted: dict[str, _Wanted] = {}
    pairs = itertools.product(_choices(registry, "datasets", settings.datasets), _choices(registry, "scenarios", settings.scenarios))
    for dataset, scenario in pairs:
        error = splits.refusal(dataset, scenario)
        if error is not None:
            refused.append(error)
            continue
        for seed in range(settings.seeds):
            trained = tuple(splits.trained_on(scenario) or ())
            one = _Wanted(dataset, scenario, trained, seed, splits.episodes(dataset, scenario, seed))
            if one.name in {other.name for other in wanted.values()}:
                raise UsageError(f"two splits would be written to {one.name}: publish them one at a time, to folders of their own")
            wanted[one.stage] = one
    written: list[Written] = []
    known: _Known = {}

    def ended(end: Ended) -> None:
        if end.failure is not None:
            refused.append(end.failure.error(end.failure.message))
        elif end.value is None:
            refused.append(CellError(f"{wanted[end.key].name} went from the cache meanwhile: run again"))
        else:
            written.append(_write(wanted[end.key], end.value, splits, settings.data_dir, known, folder))

    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    running.run(splits.graph, wanted, cache or Cache(), progress, jobs=settings.jobs, ended=ended)
    return sorted(written, key=lambda one: str(one.path)), list({str(error): error for error in refused}.values())


def _choices(registry: Registry, kind: str, names: tuple[str, ...]) -> tuple[Choice, ...]:
    return tuple({choice.spelling: choice for choice in (registry.choose(kind, name) for name in names)}.values())


@contextlib.contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Says in one line why something cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{place} cannot be written ({error.strerror}): name a folder that can be written with -o") from error


def _write(wanted: _Wanted, value: Path, splits: Splits, data_dir: Path | None, known: _Known, folder: Path) -> Written:
    split = load_split(value / SPLIT_FOLDER)
    datasets = splits.datasets(wanted.dataset, wanted.scenario)
    catalogues = [splits.catalogue(each) for each in datasets]
    kind = splits.base(wanted.scenario)
    base = None if kind is None else common_base(catalogues, kind)
    made = {splits.catalogue(each).dataset: make(each, data_dir=data_dir) for each in datasets}
    said = document(split, catalogues, origins(catalogues, made, base, known), base)
    path = folder / wanted.name
    with _writing(path):
        write_document(said, path)
    return Written(path, f"{split.level}{f' ({split.note})' if split.note else ''}", said["digest"])


def origins(catalogues: Sequence[Catalogue], datasets: Mapping[str, DataSet], base: Base | None, known: _Known) -> Origins:
    """Where signals come from, as far as their data sets say it, and how they were brought to one base.

    Args:
        catalogues: What there is, before it was brought to a base.
        datasets: By name.
        base: What signals were brought to, or None.
        known: What was asked already; a data set may hash a file to answer.
    """
    listed = {(r.dataset, r.id): r for catalogue in catalogues for r in catalogue.recordings}

    def origin(recording: Recording, channel: str) -> Origin:
        key = recording.dataset, recording.id, channel
        dataset, before = datasets[recording.dataset], listed[recording.dataset, recording.id]
        if key not in known:
            known[key] = dataset.origin(before, channel) if hasattr(dataset, "origin") else Origin()
        step = None if base is None else base.step(before)
        return known[key] if step is None else dataclasses.replace(known[key], steps=(*known[key].steps, step))

    return origin
