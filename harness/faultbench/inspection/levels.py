"""Which isolation levels recordings can support: each scenario is asked for the splits of a run, which are audited as a run's are.

A scenario's refusal, or what the audit finds, is the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from faultbench.data.audit import Pairs, SignalKey, audit_known, require
from faultbench.data.recording import Catalogue
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import EpisodeRequest, Scenario, Split, as_asked
from faultbench.discovery import cause
from faultbench.errors import FaultbenchError, UsageError
from faultbench.interruptions import INTERRUPTIONS
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Choice, Registry, make

DEFAULT = EpisodeRequest()
LEAST = EpisodeRequest(shots=1, shots_rare=1, queries=1)
"""Where this is refused, anything larger is."""

SEEDS = RunSettings().seeds
"""Those of a run that says nothing else."""

Copied = Callable[[Sequence[SignalKey]], Pairs]
"""Given the names of signals, the pairs of them that hold the same stretch."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Level:
    """What a scenario makes of a catalogue.

    Args:
        level: `T3`, with the note where the split has one.
        scenario: The scenario's name as a run takes it.
        ways: Classes per episode; 0 where it refuses.
        target: The machine or mounting that would be the new one.
        asked: Whether that number has to be asked for, since the scenario's default is too large.
        refusal: Why it refuses, or what the audit finds; empty where a run would not stop.
        copied: Groups of recordings, as `data set/id`, whose equal samples the audit does not let pass.
    """

    level: str
    scenario: str
    ways: int
    target: str = ""
    asked: bool = False
    refusal: str = ""
    copied: tuple[tuple[str, ...], ...] = ()


def levels(
    catalogue: Catalogue, registry: Registry, source: Catalogue | None, copied: Copied, request: EpisodeRequest = DEFAULT
) -> tuple[Level, ...]:
    """What every scenario says, in the order of the levels; a refused one for each target that the data set offers.

    Args:
        catalogue: Its channels know how many samples they hold.
        registry: Where the scenarios are.
        source: What a scenario that trains on other data sets is given; None leaves such scenarios out.
        copied: Which signals of the catalogue are copies, for the audit. What a source holds is not compared.
        request: Shots, queries and episodes.
    """
    found: list[Level] = []
    for registered in registry.offers("scenarios"):
        if any(param.default is None for param in registered.offer.params.values()):
            continue  # one that must be told more than the data set, as a file
        name = registry.shown_name("scenarios", registered)
        inside = registered.offer.params.get("inside")
        variants = [f"{name}:inside={choice}" for choice in inside.choices] if inside else [name]
        for variant in variants:
            found += _asked(variant, catalogue, registry, source, copied, request)
    return tuple(sorted(found, key=lambda one: one.level))


def _asked(
    name: str, catalogue: Catalogue, registry: Registry, source: Catalogue | None, copied: Copied, request: EpisodeRequest
) -> list[Level]:
    first = _level(registry.choose("scenarios", name), catalogue, source, copied, request)
    if first is None:
        return []
    if not first.refusal or "target" not in registry.find("scenarios", name).offer.params:
        return [first]
    others = []
    for target in catalogue.targets[1:]:
        joint = "," if ":" in name else ":"
        if not _spellable(target):
            continue
        other = _level(registry.choose("scenarios", f"{name}{joint}target={target}"), catalogue, source, copied, request)
        if other is not None and not other.refusal:
            others.append(other)
    return [first, *others]


def _spellable(target: str) -> bool:
    return "," not in target and target.isprintable()


def _level(chosen: Choice, catalogue: Catalogue, source: Catalogue | None, copied: Copied, request: EpisodeRequest) -> Level | None:
    level = "?"
    try:
        scenario: Scenario = make(chosen)
        level = scenario.level
        catalogues: Sequence[Catalogue] = [catalogue]
        base = getattr(scenario, "base", None)
        if base is not None:
            if source is None:
                return None
            common = common_base([catalogue, source], base)
            catalogues = [rebased(one, common) for one in (catalogue, source)]
        return _split(chosen.spelling, scenario, catalogues, copied, request)
    except FaultbenchError as error:
        return Level(level, chosen.spelling, 0, refusal=str(error))
    except INTERRUPTIONS:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin's failure costs its line, not the report
        _log.debug("%s", chosen.spelling, exc_info=True)
        return Level(level, chosen.spelling, 0, refusal=f"scenario {chosen.spelling} broke ({cause(error)}): --debug shows where")


def _split(name: str, scenario: Scenario, catalogues: Sequence[Catalogue], copied: Copied, request: EpisodeRequest = DEFAULT) -> Level:
    """With the scenario's own number of ways, or else the largest below it, for each of the seeds.

    Raises:
        FaultbenchError: What the scenario says first.
    """
    asked: UsageError | None = None
    for ways in (0, 4, 3, 2):
        try:
            splits = [as_asked(scenario.split(catalogues, replace(request, ways=ways), seed), name, seed) for seed in range(SEEDS)]
        except UsageError as error:
            asked = asked or error
        except FaultbenchError:
            if asked is None:
                raise
        else:
            return _audited(name, splits, copied, asked=ways > 0)
    assert asked is not None  # noqa: S101 - the first turn raised it
    raise asked


def _audited(name: str, splits: Sequence[Split], copied: Copied, *, asked: bool) -> Level:
    """The level that splits have, one for each seed, if the audit lets them pass."""
    audits = [audit_known(split, copied) for split in splits]
    groups = tuple(dict.fromkeys(group for audit in audits for group in audit.copied))
    try:
        for audit in audits:
            require(audit)
    except FaultbenchError as error:
        return Level(splits[0].level, name, 0, refusal=str(error), copied=groups)
    first = splits[0]
    level = f"{first.level} ({first.note})" if first.note else first.level
    return Level(level, name, first.request.ways, _target(first), asked)


def _target(split: Split) -> str:
    mountings = {recording.mounting for recording in split.target.recordings}
    return next(iter(mountings)) if len(mountings) == 1 else split.target.recordings[0].machine
