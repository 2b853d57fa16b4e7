"""Which isolation levels recordings can support, by the scenarios' own word: each is asked for a split, and its refusal is the answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultbench.data.recording import Catalogue
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import EpisodeRequest, Scenario, Split
from faultbench.discovery import cause
from faultbench.errors import FaultbenchError, UsageError
from faultbench.registry import Choice, Registry, make

DEFAULT = EpisodeRequest()
LEAST = EpisodeRequest(shots=1, shots_rare=1, queries=1)
"""Where this is refused, anything larger is."""

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
        refusal: Why it refuses; empty where it does not.
    """

    level: str
    scenario: str
    ways: int
    target: str = ""
    asked: bool = False
    refusal: str = ""


def levels(catalogue: Catalogue, registry: Registry, source: Catalogue | None, request: EpisodeRequest = DEFAULT) -> tuple[Level, ...]:
    """What every scenario says, in the order of the levels; a refused one for each target that the data set offers.

    Args:
        catalogue: Its channels know how many samples they hold.
        registry: Where the scenarios are.
        source: What a scenario that trains on other data sets is given; None leaves such scenarios out.
        request: Shots and queries.
    """
    found: list[Level] = []
    for registered in registry.offers("scenarios"):
        if any(param.default is None for param in registered.offer.params.values()):
            continue  # one that must be told more than the data set, as a file
        name = registry.shown_name("scenarios", registered)
        inside = registered.offer.params.get("inside")
        variants = [f"{name}:inside={choice}" for choice in inside.choices] if inside else [name]
        for variant in variants:
            found += _asked(variant, catalogue, registry, source, request)
    return tuple(sorted(found, key=lambda one: one.level))


def _asked(name: str, catalogue: Catalogue, registry: Registry, source: Catalogue | None, request: EpisodeRequest) -> list[Level]:
    first = _level(registry.choose("scenarios", name), catalogue, source, request)
    if first is None:
        return []
    if not first.refusal or "target" not in registry.find("scenarios", name).offer.params:
        return [first]
    others = []
    for target in catalogue.targets[1:]:
        joint = "," if ":" in name else ":"
        if not _spellable(target):
            continue
        other = _level(registry.choose("scenarios", f"{name}{joint}target={target}"), catalogue, source, request)
        if other is not None and not other.refusal:
            others.append(other)
    return [first, *others]


def _spellable(target: str) -> bool:
    return "," not in target and target.isprintable()


def _level(chosen: Choice, catalogue: Catalogue, source: Catalogue | None, request: EpisodeRequest) -> Level | None:
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
        return _split(chosen.spelling, scenario, catalogues, request)
    except FaultbenchError as error:
        return Level(level, chosen.spelling, 0, refusal=str(error))
    except Exception as error:  # noqa: BLE001 - a plugin's failure costs its line, not the report
        _log.debug("%s", chosen.spelling, exc_info=True)
        return Level(level, chosen.spelling, 0, refusal=f"scenario {chosen.spelling} broke ({cause(error)}): --debug shows where")


def _split(name: str, scenario: Scenario, catalogues: Sequence[Catalogue], request: EpisodeRequest = DEFAULT) -> Level:
    """With the scenario's own number of ways, or else the largest below it.

    Raises:
        FaultbenchError: What the scenario says first.
    """
    asked: UsageError | None = None
    for ways in (0, 4, 3, 2):
        try:
            split = scenario.split(catalogues, replace(request, ways=ways, episodes=1), 0)
        except UsageError as error:
            asked = asked or error
        except FaultbenchError:
            if asked is None:
                raise
        else:
            level = f"{split.level} ({split.note})" if split.note else split.level
            return Level(level, name, split.request.ways, _target(split), ways > 0)
    assert asked is not None  # noqa: S101 - the first turn raised it
    raise asked


def _target(split: Split) -> str:
    mountings = {recording.mounting for recording in split.target.recordings}
    return next(iter(mountings)) if len(mountings) == 1 else split.target.recordings[0].machine
