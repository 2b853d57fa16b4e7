"""What scenarios share: holding out a target, making pools, and the split with its episodes.

A scenario says how recordings are labelled, what a way keeps to and what support and query never share; the rest is here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from faultbench.data.episodes import draw_episodes, generator, row_spans, stages
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.channels import Reading
from faultbench.data.scenarios.rules import Rules, parted
from faultbench.data.split import EpisodeRequest, Pool, Split
from faultbench.errors import IsolationError, UsageError

_FIRST = Reading()

LEAST_WAYS = 2
"""Of one class there is nothing to tell apart."""


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


def hold_out(catalogues: Sequence[Catalogue], target: str, also: Sequence[str] = ()) -> Parting:
    """The recordings of one machine or mounting, and those that share no bearing, session or mounting with it.

    Args:
        catalogues: One or more; the target is looked for in all of them.
        target: A machine or a mounting; empty takes the first that the catalogues offer, or else the first machine.
        also: What else could have been named, for the error.

    Raises:
        UsageError: There is no such machine or mounting.
    """
    recordings = [r for c in catalogues for r in c.recordings]
    offered = [name for c in catalogues for name in c.targets] or [r.machine for r in recordings[:1]]
    name = target or (offered[0] if offered else "any")
    held = [r for r in recordings if name in (r.machine, r.mounting)]
    if not held:
        datasets = ", ".join(c.dataset for c in catalogues)
        known = dict.fromkeys([*offered, *(r.machine for r in recordings), *(r.mounting for r in recordings), *also])
        kinds = "machine, mounting or severity" if also else "machine or mounting"
        raise UsageError(f"no {kinds} {name!r} in {datasets}: choose one of {', '.join(known) or 'none, it is empty'}")
    keys = {key for r in held for key in _kept_apart(r)}
    rest = [r for r in recordings if name not in (r.machine, r.mounting)]
    source = [r for r in rest if keys.isdisjoint(_kept_apart(r))]
    kept = set(map(id, source))
    return Parting(name, tuple(held), tuple(source), tuple(r for r in rest if id(r) not in kept))


def without_lone(parting: Parting, rules: Rules) -> Parting:
    """Without the source's classes that cannot part support from query (at T3 Case Western's healthy one): they can be no way."""
    able = parted(parting.source, rules)
    kept = tuple(recording for recording in parting.source if rules.label(recording) in able)
    lone = tuple(recording for recording in parting.source if rules.label(recording) not in able)
    return dataclasses.replace(parting, source=kept, dropped=(*parting.dropped, *lone))


def common_rate(recordings: Sequence[Recording], reading: Reading = _FIRST) -> float:
    """The rate of the first recording's lead channel, at which every recording has one.

    Raises:
        IsolationError: Some have none; another rate would tell classes or machines apart.
    """
    rate = reading.leads(recordings[0])[0].rate_hz
    strangers = [r for r in recordings if all(c.rate_hz != rate for c in reading.leads(r))]
    if strangers:
        rates = sorted({c.rate_hz for r in strangers for c in r.channels})
        said = ", ".join(f"{x:g}" for x in rates)
        raise IsolationError(
            f"{strangers[0].dataset}: {len(strangers)} recordings ({_some(strangers)}) are at {said} Hz, the others at {rate:g} Hz: "
            "bring all to one rate"
        )
    return rate


def make_pool(
    recordings: Sequence[Recording],
    rules: Rules,
    rate_hz: float,
    labels: Collection[str] | None = None,
    reading: Reading = _FIRST,
) -> Pool:
    """A pool of the recordings (of those with one of `labels`, where given), each read by its first channel at the common rate.

    Where a reading names channels, by these.
    """
    used = tuple(r for r in recordings if labels is None or rules.label(r) in labels)
    return Pool(
        recordings=used,
        channels=tuple(reading.names(r, rate_hz) for r in used),
        labels=tuple(map(rules.label, used)),
        conditions=tuple(map(rules.condition, used)),
        parts=tuple(map(rules.part, used)),
        together=rules.together,
        apart=rules.apart,
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
    reading: Reading = _FIRST,
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
        reading: By which channels recordings are read, and which lack them.

    Raises:
        IsolationError: One side cannot keep support and query apart, the source has fewer than two classes, or rates differ.
        UsageError: The request asks for more than there is.
    """
    if not parting.source:
        raise IsolationError(
            f"{name}: every other recording shares a bearing, session or mounting with {parting.name}, nothing is left to train on: "
            "choose another target or data set"
        )
    rate = common_rate((*parting.target, *parting.source), reading)
    target = make_pool(parting.target, rules, rate, labels, reading)
    source = make_pool(parting.source, rules, rate, labels if source_labels is None else source_labels, reading)
    if not rules.apart:
        source, target = _by_halves(source, target, seed)
    # A source of fewer classes than the target has ways is trained on with as many ways as it has.
    classes = sorted(set(source.labels))
    of_source = dataclasses.replace(request, ways=min(request.ways, len(classes)))
    stages(target, window, request, f"{name}: the target ({parting.name})", beside=[(source, of_source)])
    if len(classes) < LEAST_WAYS:
        held = " and ".join(classes) or "nothing"
        raise IsolationError(f"{name}: the source holds {held}, two classes are needed to train on: choose another target or data set")
    stages(source, window, of_source, f"{name}: the source")
    datasets = sorted({r.dataset for r in target.recordings})
    rng = generator(seed, "episodes", name, *datasets)
    used = {id(r) for pool in (target, source) for r in pool.recordings}
    everything = (*parting.target, *parting.source, *parting.dropped, *reading.lacking)
    return Split(
        scenario=reading.said(name),
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


def with_ways(request: EpisodeRequest, default: int) -> EpisodeRequest:
    """The request with the scenario's default number of ways where none is given, which is two at least."""
    return request if request.ways else dataclasses.replace(request, ways=max(LEAST_WAYS, default))


def _by_halves(source: Pool, target: Pool, seed: int) -> tuple[Pool, Pool]:
    """Both pools, of a recording that both hold the first half in one and the second in the other, which in which by the seed."""
    lengths = {(r.dataset, r.id): last for pool in (source, target) for r, (_, last) in zip(pool.recordings, row_spans(pool), strict=True)}
    both = {(r.dataset, r.id) for r in source.recordings} & {(r.dataset, r.id) for r in target.recordings}
    halved = []
    for pool, mine in ((source, 0), (target, 1)):
        spans = []
        for recording in pool.recordings:
            key = recording.dataset, recording.id
            samples = int(lengths[key])
            half = (int(generator(seed, "halves", *key).integers(2)) + mine) % 2
            cuts = (0, samples // 2, samples)
            spans.append((cuts[half], cuts[half + 1]) if key in both else (0, samples))
        halved.append(dataclasses.replace(pool, spans=tuple(spans)))
    return halved[0], halved[1]


def _kept_apart(recording: Recording) -> set[tuple[str, str, str]]:
    """What a target and its source never share."""
    return {
        (recording.dataset, "bearing", recording.bearing),
        (recording.dataset, "session", recording.session),
        (recording.dataset, "mounting", recording.mounting),
    }


def _some(recordings: Sequence[Recording]) -> str:
    shown = ", ".join(r.id for r in recordings[:3])
    return shown if len(recordings) <= 3 else f"{shown}, ..."
