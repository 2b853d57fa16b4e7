"""What scenarios share: holding out a target, making pools, and the split with its episodes.

A scenario says how recordings are labelled, what a way keeps to and what support and query never share; the rest is here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from faultbench.data.episodes import EpisodeDrawer, draw_episodes, generator
from faultbench.data.recording import Catalogue, Channel, Recording
from faultbench.data.split import EpisodeRequest, Pool, Split
from faultbench.errors import IsolationError, UsageError

Rule = Callable[[Recording], str]
"""What a scenario says of a recording: its label, its condition or its part."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Recordings parted into a target and a source.

    Args:
        name: The target's name; empty where there is none.
        target: What is held out.
        source: What shares no bearing, session or mounting with it.
        dropped: What belongs to neither: other recordings of the target's bearings, sessions or mountings.
    """

    name: str
    target: tuple[Recording, ...]
    source: tuple[Recording, ...]
    dropped: tuple[Recording, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """How episodes are drawn of recordings.

    Args:
        label: The class.
        condition: What one way keeps to.
        part: What support and query of a way never share.
        together: Whether all supports of an episode come from one part.
    """

    label: Rule
    condition: Rule
    part: Rule
    together: bool


def hold_out(catalogues: Sequence[Catalogue], target: str, channels: str = "") -> Parting:
    """The recordings of one machine or mounting, and those that share no bearing, session or mounting with it.

    Args:
        catalogues: One or more; the target is looked for in all of them.
        target: A machine or a mounting; empty takes the first that the catalogues offer, or else the first machine.
        channels: The channels that a window has (`named_channels`). Recordings that lack one are dropped.

    Raises:
        UsageError: There is no such machine or mounting, or no recording has the channels.
    """
    everything = [r for c in catalogues for r in c.recordings]
    recordings = [r for r in everything if not channels or named_channels(r, channels) is not None]
    if everything and not recordings:
        raise UsageError(f"no recording of {everything[0].dataset} has the channels {channels}: {_held(everything[0])}")
    offered = [name for c in catalogues for name in c.targets] or [r.machine for r in recordings[:1]]
    name = target or (offered[0] if offered else "any")
    held = [r for r in recordings if name in (r.machine, r.mounting)]
    if not held:
        datasets = ", ".join(c.dataset for c in catalogues)
        known = dict.fromkeys([*offered, *(r.machine for r in recordings), *(r.mounting for r in recordings)])
        raise UsageError(f"no machine or mounting {name!r} in {datasets}: choose one of {', '.join(known) or 'none, it is empty'}")
    keys = {key for r in held for key in _kept_apart(r)}
    rest = [r for r in recordings if name not in (r.machine, r.mounting)]
    source = [r for r in rest if keys.isdisjoint(_kept_apart(r))]
    kept = set(map(id, source))
    kept.update(map(id, held))
    return Parting(name, tuple(held), tuple(source), tuple(r for r in everything if id(r) not in kept))


def named_channels(recording: Recording, wanted: str) -> tuple[str, ...] | None:
    """The names of the channels that are wanted of a recording, the lead first; None where it lacks one.

    Args:
        recording: Whose channels.
        wanted: Names, or numbers counted from 1 in the recording's own order, joined by `+`: `vibration+temperature`, `1+2`.

    Raises:
        UsageError: It is written otherwise, or names a channel twice.
    """
    names = [part.strip() for part in wanted.split("+")]
    if not all(names):
        raise UsageError(f"channels {wanted!a} names nothing at one place: write names or numbers joined by +, as 1+2")
    there = [channel.name for channel in recording.channels]
    numbered = {str(number): name for number, name in enumerate(there, start=1)}
    found = [name if name in there else numbered.get(name) for name in names]
    known = tuple(name for name in found if name is not None)
    if len(known) < len(found):
        return None
    if len(set(known)) < len(known):
        raise UsageError(f"channels {wanted!a} names {max(known, key=known.count)} of {recording.id} twice: name each channel once")
    return known


def common_rate(recordings: Sequence[Recording], channels: str = "") -> float:
    """The rate of the first recording's lead channel, at which every recording has one.

    Raises:
        IsolationError: Some have none; another rate would tell classes or machines apart.
    """
    rate = _leads(recordings[0], channels)[0].rate_hz
    strangers = [r for r in recordings if all(c.rate_hz != rate for c in _leads(r, channels))]
    if strangers:
        rates = sorted({c.rate_hz for r in strangers for c in r.channels})
        said = ", ".join(f"{x:g}" for x in rates)
        raise IsolationError(
            f"{strangers[0].dataset}: {len(strangers)} recordings ({_some(strangers)}) are at {said} Hz, the others at {rate:g} Hz: "
            "bring all to one rate"
        )
    return rate


def make_pool(
    recordings: Sequence[Recording], rules: Rules, rate_hz: float, labels: Collection[str] | None = None, channels: str = ""
) -> Pool:
    """A pool of the recordings (of those with one of `labels`, where given), each read by its first channel at the common rate.

    Where `channels` are named, by these.
    """
    used = tuple(r for r in recordings if labels is None or rules.label(r) in labels)
    return Pool(
        recordings=used,
        channels=tuple(
            (channels and named_channels(r, channels)) or (next(c.name for c in r.channels if c.rate_hz == rate_hz),) for r in used
        ),
        labels=tuple(map(rules.label, used)),
        conditions=tuple(map(rules.condition, used)),
        parts=tuple(map(rules.part, used)),
        together=rules.together,
    )


def make_split(
    name: str,
    level: str,
    parting: Parting,
    rules: Rules,
    request: EpisodeRequest,
    *,
    window: int,
    seed: int,
    labels: Collection[str] | None = None,
    source_labels: Collection[str] | None = None,
    note: str = "",
    channels: str = "",
) -> Split:
    """The split with its episodes, after checking that tasks of the same shape can be drawn from the source.

    Args:
        name: The scenario's canonical name, but for its channels: they are added here, and change no episode.
        level: The isolation level.
        parting: Who is target and who is source.
        rules: How episodes are drawn.
        request: With `ways` filled in.
        window: Samples per window.
        seed: What the episodes are derived from.
        labels: The classes used, on both sides; None uses all.
        source_labels: Those that the source can be trained on, where it has fewer; None takes `labels`.
        note: What has to be said beside the level.
        channels: The channels of a window, as in `hold_out`; empty takes the first of each recording.

    Raises:
        IsolationError: One side cannot keep support and query apart, or rates differ.
        UsageError: The request asks for more than there is.
    """
    if not parting.source:
        raise IsolationError(
            f"{name}: every other recording shares a bearing, session or mounting with {parting.name}, nothing is left to train on: "
            "choose another target or data set"
        )
    rate = common_rate((*parting.target, *parting.source), channels)
    target = make_pool(parting.target, rules, rate, labels, channels)
    source = make_pool(parting.source, rules, rate, labels if source_labels is None else source_labels, channels)
    EpisodeDrawer(target, window, request, side=f"{name}: the target ({parting.name})")
    # A source of fewer classes than the target has ways is trained on with as many ways as it has.
    source_ways = min(request.ways, len(set(source.labels)))
    EpisodeDrawer(source, window, dataclasses.replace(request, ways=source_ways), side=f"{name}: the source")
    datasets = sorted({r.dataset for r in target.recordings})
    rng = generator(seed, "episodes", name, *datasets)
    used = {id(r) for pool in (target, source) for r in pool.recordings}
    everything = (*parting.target, *parting.source, *parting.dropped)
    return Split(
        scenario=with_channels(name, channels),
        level=level,
        note=note,
        seed=seed,
        window=window,
        rate_hz=rate,
        request=request,
        source=source,
        target=target,
        episodes=draw_episodes(target, window, request, rng),
        left_out=tuple(f"{r.dataset}/{r.id}" for r in everything if id(r) not in used),
    )


def scenario_name(name: str, **params: tuple[str | int, str | int]) -> str:
    """A scenario's canonical name: its parameters, given as (value, default), sorted, defaults left out."""
    said = ",".join(f"{key}={value}" for key, (value, default) in sorted(params.items()) if value != default)
    return f"{name}:{said}" if said else name


def with_channels(name: str, channels: str) -> str:
    """A scenario's canonical name with the channels of its windows."""
    if not channels:
        return name
    head, _, rest = name.partition(":")
    return f"{head}:{','.join(sorted([*filter(None, rest.split(',')), f'channels={channels}']))}"


def with_ways(request: EpisodeRequest, default: int) -> EpisodeRequest:
    """The request with the scenario's default number of ways where none is given."""
    return request if request.ways else dataclasses.replace(request, ways=default)


def _kept_apart(recording: Recording) -> set[tuple[str, str, str]]:
    """What a target and its source never share."""
    return {
        (recording.dataset, "bearing", recording.bearing),
        (recording.dataset, "session", recording.session),
        (recording.dataset, "mounting", recording.mounting),
    }


def _leads(recording: Recording, channels: str) -> Sequence[Channel]:
    """The channels that can be the lead: the one that is named, or any."""
    named = named_channels(recording, channels) if channels else None
    return [recording.channel(named[0])] if named else recording.channels


def _held(recording: Recording) -> str:
    return f"{recording.id} holds {', '.join(channel.name for channel in recording.channels)}"


def _some(recordings: Sequence[Recording]) -> str:
    shown = ", ".join(r.id for r in recordings[:3])
    return shown if len(recordings) <= 3 else f"{shown}, ..."
