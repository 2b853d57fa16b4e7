"""`session` (T1): the same bearings on another day, or at another load. The bearing is recognised as well as the fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from faultbench.data.episodes import generator
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.channels import Reading, readable
from faultbench.data.scenarios.new_device import MOST_WAYS
from faultbench.data.scenarios.parting import LEAST_WAYS, Parting, hold_out, make_split, scenario_name, with_ways, without_lone
from faultbench.data.scenarios.rules import KNOWN_FAULT, Rule, Rules, load, mounting, parted, session, specimen
from faultbench.data.split import EpisodeRequest, Split
from faultbench.errors import IsolationError, UsageError

FEWEST = 4
"""Loads, or sessions of a load: two for the source's support and query, two for the target's."""

_DRAWS = 24
"""How often halves are drawn where one is too short for what is asked: four loads can be halved in six ways."""


class Session:
    """Trains and tests on the same bearings in other sessions.

    A class is an element and a severity, as at T2, and a way is one specimen at one clock position on one mounting.

    - Where every mounting of the target was measured at four loads or more, half of the loads, drawn by the seed, are the source's
      and the others the target's; support and query of a way are at different loads, the supports of all ways at one.
    - Halves of which one is too short for what is asked are drawn again. Only the lengths of recordings decide it.
    - Elsewhere each specimen's sessions of a load are halved (the minutes of a bearing that ran at one load to its end, say). A
      way then keeps to one load, and its support is one session. Sessions belong to one specimen, so the supports of an episode
      have none in common, and the loads of its ways can differ: a load of its own can give a class away.

    Args:
        target: The machine or mounting that is used, for source and target; empty takes the catalogue's first target.
        window: Samples per window.
        channels: The channels of a window, by name or number, joined by `+` (`vibration+temperature`, `1+2`); the first is the lead,
            what is slower is held. Empty takes the first of each recording. Recordings that lack one are left out.
    """

    level = "T1"

    def __init__(self, target: str = "", window: int = 2048, channels: str = "") -> None:
        self._target, self._window, self._channels = target, window, channels

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed; by default five ways, or as many classes as the target can part.

        Raises:
            IsolationError: There are fewer than four loads, and of each load fewer than four sessions; or several rates.
            UsageError: There is no such target, or the request asks for more than it holds.
        """
        name = scenario_name("session", target=(self._target, ""), window=(self._window, 2048))
        catalogues, reading = readable(catalogues, self._channels, self._window)
        held = hold_out(catalogues, self._target)
        loads, sessions = _groups(held.target, mounting, _load_name), _groups(held.target, _at_load, session)
        if min(map(len, loads.values())) >= FEWEST:
            rules, groups, member = KNOWN_FAULT, loads, _load_name
        elif max(map(len, sessions.values())) >= FEWEST:
            rules, groups, member = _WITHIN_A_LOAD, sessions, session
        else:
            most = max(map(len, loads.values())), max(map(len, sessions.values()))
            raise IsolationError(
                f"{name}: {held.name} was measured at {most[0]} loads at most, in {most[1]} sessions of one load at most; source and "
                f"target need two of their own: take window or new-device, or another data set"
            )
        refused: list[UsageError | IsolationError] = []
        for draw in range(_DRAWS):
            try:
                return self._parted(name, held, rules, member, _halves(groups, seed, draw), request, seed, reading)
            except (UsageError, IsolationError) as error:
                refused.append(error)
        raise refused[0]

    def _parted(
        self,
        name: str,
        held: Parting,
        rules: Rules,
        member: Rule,
        chosen: Collection[str],
        request: EpisodeRequest,
        seed: int,
        reading: Reading,
    ) -> Split:
        """The split whose target are the chosen loads or sessions."""
        target = tuple(r for r in held.target if member(r) in chosen)
        able = parted(target, rules)
        if len(able) < LEAST_WAYS:
            raise IsolationError(f"{name}: {len(able)} classes of {held.name} part support from query, two are needed: take another target")
        source = tuple(r for r in held.target if member(r) not in chosen)
        return make_split(
            name,
            self.level,
            without_lone(Parting(held.name, target, source, dropped=(*held.source, *held.dropped)), rules),
            rules,
            with_ways(request, min(MOST_WAYS, len(able))),
            window=self._window,
            seed=seed,
            reading=reading,
        )


def _load_name(recording: Recording) -> str:
    """The load by its name alone: a session that shows two mountings is on one side."""
    return f"{recording.dataset} | {recording.load}"


def _at_load(recording: Recording) -> str:
    return f"{specimen(recording)} | {load(recording)}"


_WITHIN_A_LOAD = dataclasses.replace(KNOWN_FAULT, condition=_at_load, part=session, together=False)


def _groups(recordings: Iterable[Recording], group: Rule, member: Rule) -> dict[str, list[str]]:
    """The members of each group, sorted."""
    found: dict[str, set[str]] = {}
    for recording in recordings:
        found.setdefault(group(recording), set()).add(member(recording))
    return {name: sorted(members) for name, members in sorted(found.items())}


def _halves(groups: Mapping[str, Sequence[str]], seed: int, draw: int) -> set[str]:
    """The target's half of each group's members, rounded down, drawn by the seed; a member of several groups is on one side in all."""
    side: dict[str, bool] = {}
    for name, members in groups.items():
        order = [members[i] for i in generator(seed, "session", name, str(draw)).permutation(len(members))]
        wanted = len(members) // 2 - sum(side.get(member, False) for member in members)
        for member in order:
            if member not in side:
                side[member] = wanted > 0
                wanted -= side[member]
    return {member for member, is_target in side.items() if is_target}
