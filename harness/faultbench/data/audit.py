"""The leak audit: whether a split keeps what its isolation level promises, by ids and by the samples themselves.

It runs on every split before anything is trained, and trusts nothing that made the split.

| level | support and query share no | source and target share no |
|---|---|---|
| T0 | sample | sample |
| T1 | sample, recording, session | sample, recording, session |
| T2 | as T1 | sample, recording, session, bearing, mounting |
| T3 | as T1, and bearing | as T2 |
| T4/T2, T4/T3 | as T2, as T3 | as T2, and data set |

T2 and T3 (one rig) leave the mounting out: such data cannot part it. `T4` without a second part promises T4/T3.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from faultbench.data.anchors import copies
from faultbench.data.episode_checks import episode_findings, index_findings, pool_findings
from faultbench.data.episodes import row_spans
from faultbench.data.facts import facts
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.split import Pool, Signals, Split, on_one_rig
from faultbench.errors import IsolationError

THINGS = ("sample", "recording", "session", "bearing", "mounting", "dataset")
"""What two sides can share."""

SignalKey = tuple[str, str, str]
"""Data set, recording id, channel."""

_Thing = TypeVar("_Thing", bound=Hashable)

Pairs = Sequence[tuple[SignalKey, SignalKey]]
"""Signals that hold the same stretch."""

Content = Mapping[tuple[str, str], int]
"""Which recordings, by data set and id, hold the same samples: one number for all of them."""

SUPPORT_QUERY = "support/query"
SOURCE_TARGET = "source/target"

_DAY = ("sample", "recording", "session")
_DEVICE = (*_DAY, "bearing", "mounting")
_PLANT = (*_DEVICE, "dataset")
PROMISES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "T0": {SUPPORT_QUERY: ("sample",), SOURCE_TARGET: ("sample",)},
    "T1": {SUPPORT_QUERY: _DAY, SOURCE_TARGET: _DAY},
    "T2": {SUPPORT_QUERY: _DAY, SOURCE_TARGET: _DEVICE},
    "T3": {SUPPORT_QUERY: (*_DAY, "bearing"), SOURCE_TARGET: _DEVICE},
    "T4/T2": {SUPPORT_QUERY: _DAY, SOURCE_TARGET: _PLANT},
    "T4/T3": {SUPPORT_QUERY: (*_DAY, "bearing"), SOURCE_TARGET: _PLANT},
    "T4": {SUPPORT_QUERY: (*_DAY, "bearing"), SOURCE_TARGET: _PLANT},
}
"""What each level promises not to share, per relation."""

STANDS_FOR: Mapping[str, str] = {
    "T0": "windows of the same recordings: the literature's usual random split",
    "T1": "the same bearings, measured another day or at another load",
    "T2": "a machine never seen, whose faults are in the catalogue: commissioning at a new device",
    "T3": "the fault of a bearing that nobody has seen fail",
    "T4/T2": "another plant altogether, whose bearings are known there",
    "T4/T3": "another plant altogether, and a bearing that nobody has seen fail",
    "T4": "another plant altogether, and a bearing that nobody has seen fail",
}
"""What a figure of each level stands for."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit of a split found.

    Args:
        scenario: The scenario's canonical name.
        level: The level promised.
        note: What is said beside it.
        seed: The split's seed.
        shared: How many of each thing source and target have in common, and in how many episodes support and query have
            something in common; what the level allows is counted too.
        findings: What breaks the promise, or the split; a line each. None: the split may be used.
        facts: What is no leak and yet worth knowing, as JSON takes it: see `data.facts.facts`. Empty where the split does not add up.
        copied: Groups of recordings, as `data set/id`, that hold the same samples, each under a name of its own, and so break the promise.
    """

    scenario: str
    level: str
    note: str
    seed: int
    shared: Mapping[str, Mapping[str, int]]
    findings: tuple[str, ...]
    facts: Mapping[str, object]
    copied: tuple[tuple[str, ...], ...] = ()


def audit(split: Split, signals: Signals, catalogues: Sequence[Catalogue] = ()) -> Audit:
    """Looks for whatever a split shares, and for whatever in it does not add up.

    Args:
        split: The split.
        signals: The signals of all its recordings.
        catalogues: What the scenario was given, so that it can be said why recordings were left out.
    """
    found, alike = _looked_at(split, lambda keys: _found(keys, signals), signals)
    return found if alike is None else dataclasses.replace(found, facts=facts(split, signals, alike, catalogues))


def audit_known(split: Split, copied: Callable[[Sequence[SignalKey]], Pairs]) -> Audit:
    """What `audit` finds, without its facts, where the signals were read before: they are as long as the catalogue says, and finite.

    Args:
        split: The split.
        copied: Given the names of its signals, the pairs of them that hold the same stretch.
    """
    return _looked_at(split, copied, None)[0]


def _looked_at(
    split: Split, copied: Callable[[Sequence[SignalKey]], Pairs], signals: Signals | None
) -> tuple[Audit, list[list[SignalKey]] | None]:
    """The audit without facts, and the groups of copied signals; None where the split does not add up."""
    findings = [*_frame_findings(split)]
    for side, pool in _pools(split):
        findings += pool_findings(side, pool, split.rate_hz, signals)
    findings += index_findings(split)
    if findings:
        # What does not add up cannot be compared; what is wrong is known already.
        return Audit(split.scenario, split.level, split.note, split.seed, {}, tuple(findings), {}), None
    findings += episode_findings(split)
    content, alike = _content(split, copied)
    mislabelled = list(_mislabelled(split, alike))
    findings += [text for text, _ in mislabelled]
    broken: set[Hashable] = {content[key[:2]] for _, key in mislabelled}
    promised = promises(split.level, split.note)
    shared: dict[str, dict[str, int]] = {SUPPORT_QUERY: {}, SOURCE_TARGET: {}}
    for thing in THINGS:
        count, text, common = _across_sides(split, thing, content)
        shared[SOURCE_TARGET][thing] = count
        if count and thing in promised[SOURCE_TARGET]:
            findings.append(f"source and target share {count} {thing}{'s' * (count > 1)} ({text})")
            broken |= common if thing == "sample" else set()
        count, text, common = _within_episodes(split, thing, content)
        shared[SUPPORT_QUERY][thing] = count
        if count and thing in promised[SUPPORT_QUERY]:
            findings.append(f"support and query share a {thing} in {count} of {len(split.episodes)} episodes ({text})")
            broken |= common if thing == "sample" else set()
    copies_of = _copies_of(content, broken)
    return Audit(split.scenario, split.level, split.note, split.seed, shared, tuple(findings), {}, copies_of), alike


def promises(level: str, note: str) -> Mapping[str, tuple[str, ...]]:
    """What a level promises not to share, per relation; on one rig without the mounting, which cannot be parted there."""
    promised = PROMISES[level]
    if level in ("T2", "T3") and on_one_rig(note):
        return {**promised, SOURCE_TARGET: tuple(thing for thing in promised[SOURCE_TARGET] if thing != "mounting")}
    return promised


def require(audit: Audit) -> None:
    """Lets only a clean split pass.

    Raises:
        IsolationError: There are findings; the message says the first.
    """
    if audit.findings:
        more = f", and {len(audit.findings) - 1} more" if len(audit.findings) > 1 else ""
        advice = "mend the scenario, or what the data set says of its recordings (of a folder, its table)"
        if audit.copied:
            advice = "the same samples stand under several names, keep one of each in the data set (of a folder, in its table)"
        raise IsolationError(f"{audit.scenario} breaks its level {audit.level}, seed {audit.seed}: {audit.findings[0]}{more}: {advice}")


def _pools(split: Split) -> tuple[tuple[str, Pool], tuple[str, Pool]]:
    return ("source", split.source), ("target", split.target)


def _frame_findings(split: Split) -> Iterable[str]:
    if split.level not in PROMISES:
        yield f"level {split.level!r} is none of {', '.join(PROMISES)}"
    if on_one_rig(split.note) and len({(r.dataset, r.mounting) for _, pool in _pools(split) for r in pool.recordings}) != 1:
        yield "the note says one rig, the recordings have several mountings"


def _found(keys: Sequence[SignalKey], signals: Signals) -> Pairs:
    pairs = copies((signals[key] for key in keys), lambda number: signals[keys[number]])
    return [(keys[a], keys[b]) for a, b in pairs]


def _content(split: Split, copied: Callable[[Sequence[SignalKey]], Pairs]) -> tuple[Content, list[list[SignalKey]]]:
    """Each recording's content group (recordings of which any channels are copies are one group), and the groups of copied signals."""
    keys = sorted({key for _, pool in _pools(split) for row in range(len(pool.recordings)) for key in _keys(pool, row)})
    pairs = copied(keys)
    content = _grouped(dict.fromkeys(key[:2] for key in keys), [(a[:2], b[:2]) for a, b in pairs])
    return content, linked(keys, pairs)


def linked(keys: Iterable[_Thing], pairs: Iterable[tuple[_Thing, _Thing]]) -> list[list[_Thing]]:
    """The groups of two and more that pairs link, each in the order of the keys."""
    members: dict[int, list[_Thing]] = {}
    for key, group in _grouped(keys, pairs).items():
        members.setdefault(group, []).append(key)
    return [names for names in members.values() if len(names) > 1]


def _copies_of(content: Content, groups: Collection[Hashable]) -> tuple[tuple[str, ...], ...]:
    """The recordings of each group of contents that has several."""
    names = {group: tuple("/".join(key) for key, number in content.items() if number == group) for group in groups}
    return tuple(sorted(some for some in names.values() if len(some) > 1))


def _grouped(things: Iterable[_Thing], pairs: Iterable[tuple[_Thing, _Thing]]) -> dict[_Thing, int]:
    """The number of each thing's group, where both of a pair are in one."""
    group = {thing: number for number, thing in enumerate(things)}
    for a, b in pairs:
        low, high = sorted((group[a], group[b]))
        group = {thing: low if number == high else number for thing, number in group.items()}
    return group


def _mislabelled(split: Split, alike: Sequence[Sequence[SignalKey]]) -> Iterable[tuple[str, SignalKey]]:
    """Copies that are said to show different things: what is to be said of them, and one of them."""
    for side, pool in _pools(split):
        labels = {key: label for row, label in enumerate(pool.labels) for key in _keys(pool, row)}
        for names in alike:
            said = sorted({labels[key] for key in names if key in labels})
            if len(said) > 1:
                yield f"{_named(names)} of the {side} hold the same samples and are labelled {' and '.join(said)}", names[0]


def _across_sides(split: Split, thing: str, content: Content) -> tuple[int, str, set[Hashable]]:
    """How many of a thing both sides have, an example, and which they are."""
    both = [_things(pool, thing, content) for _, pool in _pools(split)]
    common = sorted(set(both[0]) & set(both[1]), key=str)
    if thing == "sample":
        rows = [[[row for row, x in enumerate(side) if x == group] for side in both] for group in common]
        common = [group for group, (source, target) in zip(common, rows, strict=True) if _samples_met(split, source, target)]
    if not common:
        return 0, "", set()
    examples = [f"{_named_row(split.source, both[0].index(x))} and {_named_row(split.target, both[1].index(x))}" for x in common[:2]]
    return len(common), f"{'; '.join(examples)}{', ...' if len(common) > 2 else ''}", set(common)


def _samples_met(split: Split, source: Sequence[int], target: Sequence[int]) -> bool:
    """Whether recordings of one content meet; only of one and the same recording can both sides use different stretches."""
    spans = row_spans(split.source), row_spans(split.target)
    for i, j in itertools.product(source, target):
        (first, last), (other, end) = spans[0][i].tolist(), spans[1][j].tolist()
        one, two = split.source.recordings[i], split.target.recordings[j]
        if (one.dataset, one.id) != (two.dataset, two.id) or (first < end and other < last):
            return True
    return False


def _within_episodes(split: Split, thing: str, content: Content) -> tuple[int, str, set[Hashable]]:
    """In how many episodes support and query have a thing in common, an example, and which things they are."""
    things = _things(split.target, thing, content)
    codes = _coded(things)
    recordings = _coded(_things(split.target, "recording", content))
    count, text = 0, ""
    rows: set[int] = set()
    for number, episode in enumerate(split.episodes):
        support, query = episode.support[:, 0], episode.query[:, 0]
        pairs = codes[support][:, None] == codes[query][None]
        if thing == "sample":
            # Within one recording only windows that overlap share samples; a copy's windows count as they stand.
            near = np.abs(episode.support[:, None, 1] - episode.query[None, :, 1]) < split.window
            pairs &= near | (recordings[support][:, None] != recordings[query][None])
        if pairs.any():
            if not count:
                a, b = (int(x) for x in np.argwhere(pairs)[0])
                text = f"episode {number}: {_named_row(split.target, int(support[a]))} and {_named_row(split.target, int(query[b]))}"
            count += 1
            rows.update(support[pairs.any(axis=1)].tolist())
    return count, text, {things[row] for row in rows}


def _things(pool: Pool, thing: str, content: Content) -> list[Hashable]:
    """(recording): which bearing, session, ... it is, distinct across data sets; for samples the content group."""
    if thing == "sample":
        return [content[r.dataset, r.id] for r in pool.recordings]
    if thing == "dataset":
        return [r.dataset for r in pool.recordings]
    field = "id" if thing == "recording" else thing
    return [(r.dataset, getattr(r, field)) for r in pool.recordings]


def _coded(things: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(thing, len(numbers)) for thing in things], dtype=np.int64)


def _keys(pool: Pool, row: int) -> list[SignalKey]:
    """The signals of a recording that are used, the lead first."""
    recording = pool.recordings[row]
    return [(recording.dataset, recording.id, name) for name in pool.channels[row]]


def _named_row(pool: Pool, row: int) -> str:
    recording: Recording = pool.recordings[row]
    return f"{recording.dataset}/{recording.id} of {recording.bearing}"


def _named(keys: Sequence[SignalKey]) -> str:
    return ", ".join("/".join(key) for key in keys[:3]) + (", ..." if len(keys) > 3 else "")
