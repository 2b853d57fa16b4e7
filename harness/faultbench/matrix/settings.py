"""What a run is asked to do: from the command line, from a matrix file, or from Python."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultbench import names
from faultbench.defaults import DEFAULTS
from faultbench.errors import UsageError
from faultbench.matrix.cores import default_jobs
from faultbench.regularfile import read_regular

if TYPE_CHECKING:
    from faultbench.data.split import EpisodeRequest
    from faultbench.registry import Registry
    from faultbench.results.criteria import Criterion

SHOTS_RARE = 5
"""The most support windows that the rare class gets unless it is said."""

QUICK = {"seeds": 1, "episodes": 20}
"""What a quick run takes instead of the defaults; the executor also trains it for less, and its rows are watermarked."""

AXES = {"dataset": "datasets", "scenario": "scenarios", "learner": "learners", "compressor": "compressors", "target": "targets"}
"""The options that name an axis, and the axis."""

_MOST_BYTES = 1024 * 1024
"""Of a matrix file."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """A run's settings, free of contradictions.

    Args:
        datasets: Names; likewise the other axes. A compressor may be a chain.
        scenarios: Names.
        learners: Names, the baselines among them.
        compressors: Names.
        targets: Names.
        baseline: The learners that are shown and compared with, never gated.
        source: The data sets that a scenario trains on, where it takes others than the one it tests on (`new-dataset`).
        snr: Levels of noise on the target's windows, each a cell beside the clean one: `10`, `floor:10`, `machine:10`.
        ways: Classes per episode; 0 takes the scenario's default.
        shots: Support windows per class.
        shots_rare: Support windows of the class whose turn it is to be rare; None takes `min(shots, 5)`.
        queries: Query windows per class.
        episodes: Episodes per seed.
        seeds: How many seeds.
        quick: Whether training is short and rows are watermarked. It changes no other field: see `settings`.
        data_dir: The folder that holds a folder per data set, or None.
        criteria: The criteria's expression, or None for the default.
        criteria_for: By axis and name, the criteria that hold for that name alone.
        jobs: Stages computed at a time, each in a process of its own.

    Raises:
        UsageError: A value is out of range, or two contradict each other.
    """

    datasets: tuple[str, ...] = DEFAULTS["datasets"]
    scenarios: tuple[str, ...] = DEFAULTS["scenarios"]
    learners: tuple[str, ...] = DEFAULTS["learners"]
    compressors: tuple[str, ...] = DEFAULTS["compressors"]
    targets: tuple[str, ...] = DEFAULTS["targets"]
    baseline: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    snr: tuple[str, ...] = ()
    ways: int = 0
    shots: int = 5
    shots_rare: int | None = None
    queries: int = 15
    episodes: int = 100
    seeds: int = 3
    quick: bool = False
    data_dir: Path | None = None
    criteria: str | None = None
    criteria_for: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    jobs: int = field(default_factory=default_jobs)

    def __post_init__(self) -> None:
        for option, axis in AXES.items():
            if not getattr(self, axis):
                raise UsageError(f"{option} names nothing: name one, or leave the option away")
        if self.ways < 0 or self.ways == 1:
            raise UsageError(f"ways {self.ways} leaves nothing to tell apart: give 2 or more, or 0 for the scenario's default")
        for name in ("shots", "queries", "episodes", "seeds", "jobs"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} {getattr(self, name)} is too few: give 1 or more")
        if self.snr:
            from faultbench.data.noise import parse_noise

            for level in self.snr:
                parse_noise(level)
        if self.shots_rare is not None and not 1 <= self.shots_rare <= self.shots:
            raise UsageError(f"shots-rare {self.shots_rare} contradicts shots {self.shots}: give 1 to {self.shots}")

    def request(self) -> EpisodeRequest:
        """The shape of the episodes that these settings ask for."""
        from faultbench.data.split import EpisodeRequest

        rare = min(self.shots, SHOTS_RARE) if self.shots_rare is None else self.shots_rare
        return EpisodeRequest(ways=self.ways, shots=self.shots, shots_rare=rare, queries=self.queries, episodes=self.episodes)

    def cell_criteria(self, cell: Mapping[str, str]) -> tuple[Criterion, ...]:
        """The criteria of one cell: the general ones, and those of the cell's names.

        A name's criterion replaces a general one of the same figure and direction, so that it can be looser as well as
        stricter; a name with parameters (`x86:threads=2`) wins over the bare name (`x86`).

        Args:
            cell: The canonical name by axis (`targets`).

        Raises:
            UsageError: A criterion does not parse.
        """
        from faultbench.results.criteria import DEFAULT_CRITERIA, parse

        holding = parse(DEFAULT_CRITERIA if self.criteria is None else self.criteria)
        for axis, by_name in self.criteria_for.items():
            for name in sorted(by_name, key=len):
                if name in (cell.get(axis), cell.get(axis, "").partition(":")[0]):
                    own = parse(by_name[name])
                    replaced = {(criterion.figure, criterion.op[0]) for criterion in own}
                    holding = (*(c for c in holding if (c.figure, c.op[0]) not in replaced), *own)
        return holding


def settings(file: Path | None, options: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> RunSettings:
    """The settings from a matrix file and from options; an option wins over the file, the file over the default.

    A quick run takes 1 seed and 20 episodes, unless the place that asks for it says otherwise beside it: `--quick
    --seeds 2` runs 2 seeds, while `--quick` cuts down the seeds and episodes that a file asks for. Baselines that are
    not among the learners are added to them.

    Args:
        file: A matrix file (TOML), or None.
        options: Values by the names of `RunSettings`; None means not given.
        environment: Where `FAULTBENCH_DATA` is looked for when nothing else names the data folder.

    Raises:
        UsageError: The file or an option does not fit.
    """
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    filed = read_matrix(file) if file else {}
    if given.get("quick"):
        filed = {name: value for name, value in filed.items() if name not in QUICK}
    merged = {**filed, **given}
    if merged.get("quick"):
        merged = {**QUICK, **merged}
    if "data_dir" not in merged and environment.get("FAULTBENCH_DATA"):
        merged["data_dir"] = Path(environment["FAULTBENCH_DATA"]).expanduser()
    learners = (*merged.get("learners", DEFAULTS["learners"]), *merged.get("baseline", ()))
    merged["learners"] = tuple(dict.fromkeys(learners))
    return RunSettings(**merged)


def read_matrix(file: Path) -> dict[str, Any]:
    """What a matrix file says, by the names of `RunSettings`. Its keys are the options' names; folders and files are relative to it.

    Raises:
        UsageError: It cannot be read, is no TOML, or holds a key or a value that does not fit.
    """
    try:
        table = tomllib.loads(read_regular(file, _MOST_BYTES, "name a matrix file (TOML)", UsageError).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is not TOML ({error}): correct it there") from error
    said: dict[str, Any] = {}
    for key, value in table.items():
        option = key.replace("_", "-")
        if option not in _READERS:
            raise UsageError(f"{file}: there is no key {names.shown(key)}: {_advice(option)}")
        name = AXES.get(option, option.replace("-", "_"))
        if name in said:
            raise UsageError(f"{file}: {option} stands there twice, with - and with _: keep one")
        said[name] = _READERS[option](value, f"{file}: {option}")
    if "data_dir" in said:
        said["data_dir"] = file.parent / said["data_dir"]
    if "scenarios" in said:
        said["scenarios"] = tuple(str(file.parent / name) if names.is_file(name) else name for name in said["scenarios"])
    return said


def check_criteria(run: RunSettings, registry: Registry) -> None:
    """Checks before any work that every criterion parses, and that every name with criteria of its own exists.

    Raises:
        UsageError: One does not; a slip of the pen must not silently loosen a gate.
    """
    from faultbench.results import criteria

    if run.criteria is not None:
        criteria.parse(run.criteria)
    for axis, by_name in run.criteria_for.items():
        for name, expression in by_name.items():
            criteria.parse(expression)
            links = registry.chain(axis, name) if axis == "compressors" else (registry.choose(axis, name),)
            spelling = "+".join(link.spelling for link in links)
            if spelling != name:
                raise UsageError(f"criteria-for has {names.shown(name)}: write its canonical name, {spelling}")


def _names(value: object, what: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f'{what} must be a name or a list of names: write ["one", "other"]')
    return tuple(name for text in texts for name in names.split_list(text))


def _levels(value: object, what: str) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(level, str | int | float) and not isinstance(level, bool) for level in given):
        raise UsageError(f'{what} must be levels of noise in dB: write [10, 0, "floor:10"]')
    return tuple(part for level in given for part in (level.split(",") if isinstance(level, str) else [f"{level:g}"]))


def _whole(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{what} must be a whole number, not {names.shown(str(value))}: write it without quotes")
    return value


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{what} must be true or false, not {names.shown(str(value))}: write it without quotes")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{what} must be a text, not {names.shown(str(value))}: write it in quotes")
    return value


def _folder(value: object, what: str) -> Path:
    return Path(_text(value, what)).expanduser()


def _criteria_for(value: object, what: str) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        raise UsageError(f"{what} must be a table per axis: write [criteria-for.target]")
    said: dict[str, dict[str, str]] = {}
    for option, by_name in value.items():
        if option not in AXES:
            raise UsageError(f"{what} has no axis {names.shown(option)}: {names.instead(option, AXES)}")
        if not isinstance(by_name, dict):
            raise UsageError(f'{what}.{option} must be a table: write [criteria-for.{option}] with lines name = "criteria"')
        said[AXES[option]] = {name: _text(expression, f"{what}.{option}.{name}") for name, expression in by_name.items()}
    return said


def _advice(option: str) -> str:
    if option in _OF_THE_COMMAND:
        return f"--{option} belongs to the command line"
    return names.instead(option, _READERS, listing=f"a file may say {', '.join(_READERS)}")


_READERS = {
    **dict.fromkeys((*AXES, "baseline", "source"), _names),
    "snr": _levels,
    **dict.fromkeys(("ways", "shots", "shots-rare", "queries", "episodes", "seeds"), _whole),
    "quick": _flag,
    "data-dir": _folder,
    "criteria": _text,
    "criteria-for": _criteria_for,
    "jobs": _whole,
}
_OF_THE_COMMAND = ("gate", "allow-unproven", "dry-run", "json", "csv", "markdown", "junit", "html", "out")
