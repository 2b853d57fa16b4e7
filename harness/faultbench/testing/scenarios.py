"""The contract of a scenario: a split that keeps its level, the same for the same seed, and a refusal where it cannot."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Sequence

import numpy as np

from faultbench.data.audit import PROMISES, audit
from faultbench.data.recording import Catalogue
from faultbench.data.split import EpisodeRequest, Scenario, Split
from faultbench.data.splitfile import digest
from faultbench.discovery import cause
from faultbench.errors import FaultbenchError, IsolationError, UsageError
from faultbench.registry import make
from faultbench.testing import bench
from faultbench.testing.bench import once
from faultbench.testing.checks import BrokenPromise, Checks, NotAsked, broken, refusal, require, require_advice, returned
from faultbench.testing.plant import PlantSignals, on_base, plant

CHECKS = Checks()

REQUEST = EpisodeRequest(ways=0, shots=2, shots_rare=1, queries=2, episodes=4)
SEED, OTHER = 0, 1
SEEDS = 6
"""Seeds whose episodes are compared: more than a plant has machines, so that some of them have one target where it is drawn."""


class Bench(bench.Bench):
    """A scenario, and what it makes of a made-up plant."""

    part: Scenario

    @once
    def catalogues(self) -> list[Catalogue]:
        """The plant, and another where the scenario takes sources."""
        return self.fitting(plant())

    @once
    def split(self) -> Split:
        """The split of the plant."""
        return self.splitting()

    @once
    def by_seed(self) -> dict[int, Split]:
        """The splits of several seeds. A scenario may refuse one and take another, but not the first two."""
        made = {SEED: self.split, OTHER: self.splitting(seed=OTHER)}
        for seed in range(OTHER + 1, SEEDS):
            with contextlib.suppress(UsageError, IsolationError):
                made[seed] = self.splitting(seed=seed)
        return made

    @once
    def signals(self) -> PlantSignals:
        """The plant's signals."""
        return PlantSignals(*self.catalogues)

    def fitting(self, catalogue: Catalogue) -> list[Catalogue]:
        """A catalogue as a run would give it to the scenario, with another plant where it takes sources."""
        takes_sources = getattr(self.part, "base", None) is not None
        return on_base(self.part, [catalogue, plant("elsewhere", machines=("third", "fourth"))] if takes_sources else [catalogue])

    def splitting(self, catalogues: Sequence[Catalogue] | None = None, seed: int = SEED, **changed: int) -> Split:
        """A split by an instance of its own."""
        request = dataclasses.replace(REQUEST, **changed)
        split = self.another().split(self.catalogues if catalogues is None else catalogues, request, seed)
        return returned(split, Split, "split", "return a Split (make_split makes one)")


@CHECKS.promise("its level is one that the audit knows")
def _level(bench: Bench) -> None:
    level = getattr(bench.part, "level", None)
    require(level in PROMISES, f"its level is {level!r}", f"name one of {', '.join(PROMISES)}: each is a promise that is audited")


@CHECKS.promise("it splits a plant of two machines")
def _splits(bench: Bench) -> None:
    try:
        _ = bench.split
    except FaultbenchError as error:
        broken(
            f"it refuses a plant of two machines, three damaged elements, two bearings each, three loads ({error})",
            "take a smaller window by the name's parameters, or expect this failure with the reason",
        )


@CHECKS.promise("the leak audit finds nothing")
def _audited(bench: Bench) -> None:
    found = audit(bench.split, bench.signals).findings
    require(
        not found,
        f"the audit of its split finds {len(found)} faults, first: {found[0] if found else ''}",
        "keep source, support and query apart as the level says",
    )


@CHECKS.promise("the split is what was asked for")
def _asked_for(bench: Bench) -> None:
    split, name = bench.split, bench.choice.name
    require(
        split.scenario.startswith(name),
        f"the split says it is of {split.scenario!r}",
        f"name it {name}, with its parameters (scenario_name)",
    )
    require(
        split.level == bench.part.level, f"the split is of level {split.level}, the scenario of {bench.part.level}", "let both say the same"
    )
    for seed, made in bench.by_seed.items():
        require(
            made.seed == seed, f"the split is of seed {made.seed}, asked for {seed}", "give the split the seed that split() was called with"
        )
    asked = dataclasses.replace(REQUEST, ways=split.request.ways)
    require(
        split.request == asked and split.request.ways >= 2,
        f"the split's request is {split.request}",
        f"fill in the ways and leave the rest: {REQUEST}",
    )
    fixed = bench.splitting(ways=2)
    require(
        fixed.request.ways == 2, f"asked for 2 ways, the split has {fixed.request.ways}", "set the ways only where they are 0 (with_ways)"
    )


@CHECKS.promise("the same seed gives the same split")
def _same(bench: Bench) -> None:
    random.seed(1)
    np.random.seed(1)
    again = bench.splitting()
    require(
        digest(again) == digest(bench.split),
        "split twice with one seed, it is two splits",
        "draw by generator(seed, ...), and sort what sets give",
    )


@CHECKS.promise("another seed gives other episodes")
def _other(bench: Bench) -> None:
    # By rows of the target beside by recordings: a fixed draw out of a target that goes by the seed is the same rows of other recordings.
    for windows in (_windows, _rows):
        found: dict[bytes, int] = {}
        for seed, split in bench.by_seed.items():
            first = found.setdefault(windows(split), seed)
            require(
                first == seed,
                f"two seeds give the same episodes ({first} and {seed})",
                "draw episodes by generator(seed, ...), with the seed that split() was called with",
            )


@CHECKS.promise("more episodes change neither source nor target")
def _more(bench: Bench) -> None:
    one = bench.splitting(episodes=1)
    require(
        (one.source, one.target) == (bench.split.source, bench.split.target),
        "for another number of episodes the source or the target is another",
        "part them by the seed and the catalogue alone: what is trained would depend on it",
    )


@CHECKS.promise("every recording is on one side, or listed as left out")
def _accounted(bench: Bench) -> None:
    split = bench.split
    sides = [{f"{r.dataset}/{r.id}" for r in side.recordings} for side in (split.source, split.target)]
    every = {f"{r.dataset}/{r.id}" for catalogue in bench.catalogues for r in catalogue.recordings}
    lost = sorted(every - sides[0] - sides[1] - set(split.left_out))
    require(not lost, f"{len(lost)} recordings are nowhere ({', '.join(lost[:2])})", "list what belongs to neither side in left_out")
    both = sorted(set(split.left_out) & (sides[0] | sides[1]))
    require(not both, f"{len(both)} recordings are used and left out ({', '.join(both[:2])})", "leave out what is used nowhere")


@CHECKS.promise("more ways than there are classes are refused")
def _too_many(bench: Bench) -> None:
    with refusal(UsageError, IsolationError, of="a request for 99 ways", todo="and say how many there are"):
        bench.splitting(ways=99)


@CHECKS.promise("more windows than there are are refused")
def _too_long(bench: Bench) -> None:
    with refusal(UsageError, IsolationError, of="a request for a million shots", todo="and say what the recordings hold"):
        bench.splitting(shots=1_000_000)


@CHECKS.promise("what it cannot part it refuses")
def _refuses(bench: Bench) -> None:
    for what, catalogue in (
        ("one bearing of each class, at one load, on one machine", plant(machines=("near",), bearings=1, loads=("0 hp",))),
        ("an empty catalogue", Catalogue("plant", "1", (), ("near",))),
    ):
        try:
            catalogues = bench.fitting(catalogue)
            split = bench.splitting(catalogues)
        except (UsageError, IsolationError) as error:
            require_advice(error, f"of {what} it")
            continue
        except BrokenPromise:
            raise
        except (Exception, SystemExit) as error:
            raise BrokenPromise(f"{what}: it ends in {cause(error)}: raise IsolationError, and say why") from error
        findings = audit(split, PlantSignals(*catalogues)).findings
        require(
            not findings,
            f"{what} it splits, and breaks its level ({findings[0] if findings else ''})",
            "raise IsolationError where the level cannot be kept",
        )


@CHECKS.promise("a target that is not there is refused")
def _no_target(bench: Bench) -> None:
    if "target" not in bench.offer.params:
        raise NotAsked("it has no parameter `target`")
    scenario = make(dataclasses.replace(bench.choice, params={**bench.choice.params, "target": "nowhere at all"}))
    with refusal(UsageError, of="a target that is not there", todo="and name those that are (hold_out does)"):
        scenario.split(bench.catalogues, REQUEST, SEED)


def _windows(split: Split) -> bytes:
    """The windows of all episodes, by recording."""
    ids = [(recording.dataset, recording.id) for recording in split.target.recordings]
    return repr([[(ids[row], start) for row, start in rows.tolist()] for e in split.episodes for rows in (e.support, e.query)]).encode()


def _rows(split: Split) -> bytes:
    """The windows of all episodes, by row of the target."""
    return repr([rows.tolist() for e in split.episodes for rows in (e.support, e.query)]).encode()
