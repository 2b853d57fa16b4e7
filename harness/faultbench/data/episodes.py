"""Drawing episodes from a pool: one mechanism for a target's episodes and for the source tasks of meta-training."""

from __future__ import annotations

import bisect
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import HEALTHY
from faultbench.data.split import Episode, EpisodeRequest, Pool
from faultbench.errors import DataError, IsolationError, UsageError

_Key = tuple[str, ...]
Coverage = Counter[_Key]
"""How often a label, a condition, a support part was drawn, a label was rare: what balanced drawing keeps level."""

_Uniforms = Iterator[float]
_Piece = tuple[int, int, int]
"""A recording of a way: its row in the pool, the first sample that may be used, and how many."""


_SHORTEST = 64
"""Samples of the shortest window that is worth proposing: the built-in scenarios take no shorter one."""


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A random generator for one purpose: the same for the same seed and names, independent of all others."""
    words = np.frombuffer(hashlib.sha256("\0".join(purpose).encode()).digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(int(w) for w in words)))


def draw_episodes(pool: Pool, window: int, request: EpisodeRequest, rng: np.random.Generator) -> tuple[Episode, ...]:
    """The `request.episodes` episodes of a target, with its labels, conditions and parts covered evenly.

    Each choice takes what was taken least often so far, and among equals one at random: shuffled rounds, in which what an
    episode cannot take is left for the next. An interval over bearings needs every bearing; plain chance would give some
    twice the queries of others.

    Raises:
        IsolationError: Too few labels are there that part support from query.
        UsageError: The request asks for more than the recordings hold.
    """
    drawer = EpisodeDrawer(pool, window, request)
    coverage: Coverage = Counter()
    return tuple(drawer.draw(rng, turn, coverage) for turn in range(request.episodes))


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition of a pool. `parts` holds every part's recordings; `support` those from which support may come, part by part."""

    name: str
    label: str
    parts: dict[str, tuple[_Piece, ...]]
    support: dict[str, tuple[_Piece, ...]]


class EpisodeDrawer:
    """An index of a pool, from which episodes are drawn quickly.

    A way is one condition, no two ways have one label, and a healthy way is class 0 wherever the pool has healthy
    recordings. Support and query of a way share no part; where the pool is not `apart`, their windows are drawn together from one
    part and then dealt at random. With `pool.together` all supports come from one part, drawn first; else each way's from a part
    of its own. Labels are drawn uniformly without replacement, then a condition of each label
    uniformly (a label with three clock positions is as likely as one with one), in random class order. Windows spread
    over parts, and over the recordings of a part, as evenly as these go, the remainder at random; they never overlap.

    Args:
        pool: What episodes are drawn from.
        window: Samples per window.
        request: The shape of an episode; `ways` is filled in.
        jitter: Whether windows start anywhere (source tasks), or at multiples of `window` (target episodes).
        side: What the pool is called in errors.

    Raises:
        IsolationError: Too few labels have the parts that keep support and query apart.
        UsageError: The request contradicts itself, or asks for more labels or windows than there are.
        DataError: A recording's length is not known.
    """

    def __init__(self, pool: Pool, window: int, request: EpisodeRequest, *, jitter: bool = False, side: str = "pool") -> None:
        self._stages = stages(pool, window, request, side)
        self._window, self._request, self._jitter = window, request, jitter
        self._healthy_way = HEALTHY in pool.labels
        self._together = pool.together
        self._apart = pool.apart
        faults = request.ways - self._healthy_way
        self._counts = {
            rare: [request.shots_rare if way == rare else request.shots for way in range(request.ways)]
            for rare in range(request.ways - faults, request.ways)
        }
        self._support_labels = {rare: np.repeat(np.arange(request.ways), counts) for rare, counts in self._counts.items()}
        self._query_labels = np.repeat(np.arange(request.ways), request.queries)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that can be a way of an episode, sorted."""
        return tuple(sorted({c.name for able in self._stages.values() for ways in able.values() for c in ways}))

    def draw(self, rng: np.random.Generator, turn: int | None = None, coverage: Coverage | None = None) -> Episode:
        """One episode.

        Args:
            rng: Where all chance comes from.
            turn: Which fault way is rare, counted modulo the fault ways; None takes one at random.
            coverage: What was drawn so far; given, it is kept level (also of rare labels, whatever `turn`) and updated.
        """
        uniforms = _uniforms(rng)
        ways, stage = self._ways(uniforms, coverage)
        rare = self._rare(ways, uniforms, turn, coverage)
        support: list[int] = []
        query: list[int] = []
        for condition, count in zip(ways, self._counts[rare], strict=True):
            part = stage if self._together else _choose([("part", condition.name, p) for p in condition.support], uniforms, coverage)[-1]
            if not self._apart:
                dealt = self._deal(condition.support[part], count, uniforms)
                support += dealt[0]
                query += dealt[1]
                continue
            support += self._place(condition.support[part], count, uniforms)
            others = [pieces for name, pieces in condition.parts.items() if name != part]
            room = [sum(samples // self._window for _, _, samples in pieces) for pieces in others]
            for pieces, windows in zip(others, _spread(self._request.queries, room, uniforms), strict=True):
                query += self._place(pieces, windows, uniforms)
        return Episode(
            classes=tuple(c.label for c in ways),
            rare=rare,
            support=np.array(support, dtype=np.int64).reshape(-1, 2),
            support_labels=self._support_labels[rare].copy(),
            query=np.array(query, dtype=np.int64).reshape(-1, 2),
            query_labels=self._query_labels.copy(),
        )

    def _ways(self, uniforms: _Uniforms, coverage: Coverage | None) -> tuple[list[_Condition], str]:
        """The conditions in class order, and the part that all supports come from (empty where each has its own)."""
        stage = _choose(list(self._stages), uniforms, coverage)
        able = self._stages[stage]
        faults = [(coverage["label", label] if coverage else 0, next(uniforms), label) for label in able if label != HEALTHY]
        faults.sort()
        drawn = [label for _, _, label in faults[: self._request.ways - self._healthy_way]]
        if coverage is not None:
            drawn = [label for _, label in sorted((next(uniforms), label) for label in drawn)]
            coverage.update(("label", label) for label in drawn)
        labels = [HEALTHY, *drawn] if self._healthy_way else drawn
        ways = []
        for label in labels:
            by_key: dict[_Key, _Condition] = {("condition", c.name): c for c in able[label]}
            ways.append(by_key[_choose(list(by_key), uniforms, coverage)])
        return ways, stage[1]

    def _rare(self, ways: list[_Condition], uniforms: _Uniforms, turn: int | None, coverage: Coverage | None) -> int:
        first = int(self._healthy_way)
        if coverage is not None:
            keys: list[_Key] = [("rare", c.label) for c in ways[first:]]
            return first + keys.index(_choose(keys, uniforms, coverage))
        faults = len(ways) - first
        return first + (int(next(uniforms) * faults) if turn is None else turn % faults)

    def _place(self, pieces: Sequence[_Piece], count: int, uniforms: _Uniforms) -> list[int]:
        """`count` windows of these recordings, flat: row, first sample, row, first sample, ..."""
        window = self._window
        flat: list[int] = []
        shares = _spread(count, [samples // window for _, _, samples in pieces], uniforms) if len(pieces) > 1 else [count]
        for (row, first, samples), share in zip(pieces, shares, strict=True):
            if self._jitter:
                # Uniform over all placements that do not overlap: sorted offsets into the slack, each moved behind the one before.
                slack = samples - share * window + 1
                offsets = sorted(int(next(uniforms) * slack) for _ in range(share))
                for i, offset in enumerate(offsets):
                    flat += (row, first + offset + i * window)
            else:
                for slot in _sample(samples // window, share, uniforms):
                    flat += (row, first + slot * window)
        return flat

    def _deal(self, pieces: Sequence[_Piece], shots: int, uniforms: _Uniforms) -> tuple[list[int], list[int]]:
        """Support and query of a way from the same recordings, each flat: a random split of windows drawn together."""
        flat = self._place(pieces, shots + self._request.queries, uniforms)
        chosen = set(_sample(len(flat) // 2, shots, uniforms))
        dealt: tuple[list[int], list[int]] = [], []
        for window in range(len(flat) // 2):
            dealt[window not in chosen].extend(flat[2 * window : 2 * window + 2])
        return dealt


def row_spans(pool: Pool) -> NDArray[np.int64]:
    """(recording, 2): the first sample that the pool may use of each recording, and the one behind the last (`Pool.samples`).

    Raises:
        DataError: A length is not known.
    """
    spans = []
    for row, (recording, channels) in enumerate(zip(pool.recordings, pool.channels, strict=True)):
        samples = pool.samples(row)
        if samples is None:
            raise DataError(f"{recording.dataset}: length of {recording.id} ({', '.join(channels)}) is not known: read its signals first")
        spans.append((0, samples))
    return np.array(pool.spans or spans, dtype=np.int64).reshape(-1, 2)


def _check_request(request: EpisodeRequest) -> None:
    if request.ways < 2:
        raise UsageError(f"ways is {request.ways}: an episode takes at least 2")
    for name in ("shots", "shots_rare", "queries", "episodes"):
        if getattr(request, name) < 1:
            raise UsageError(f"{name} is {getattr(request, name)}: give at least 1")
    if request.shots_rare > request.shots:
        raise UsageError(f"shots_rare is {request.shots_rare} and shots {request.shots}: the rare class has at most as many as the others")


def stages(
    pool: Pool, window: int, request: EpisodeRequest, side: str, beside: Sequence[tuple[Pool, EpisodeRequest]] = ()
) -> dict[_Key, dict[str, list[_Condition]]]:
    """What episodes of a pool are drawn from, at least one: by where all supports come from, the conditions of each label.

    Args:
        pool: The pool.
        window: Samples per window.
        request: The shape of an episode; `ways` is filled in.
        side: What the pool is called in errors.
        beside: Other pools, with what is asked of them: a shorter window that an error proposes does for these too.

    Raises:
        IsolationError, UsageError, DataError: As `EpisodeDrawer` does.
    """
    _check_request(request)
    spans = row_spans(pool)
    conditions = _conditions(pool, spans, window, request)
    found = _stages(pool, conditions, request)
    if not found:
        _refuse(pool, spans, conditions, window, request, side, beside)
    return found


def _stages(pool: Pool, conditions: Sequence[_Condition], request: EpisodeRequest) -> dict[_Key, dict[str, list[_Condition]]]:
    """By where all supports of an episode can come from, the conditions of each label that can be a way; without those of too few."""
    found: dict[_Key, dict[str, list[_Condition]]] = {}
    healthy_way = HEALTHY in pool.labels
    for stage in sorted({part for c in conditions for part in c.support}) if pool.together else [""]:
        able: dict[str, list[_Condition]] = {}
        for condition in conditions:
            if stage in condition.support or (not pool.together and condition.support):
                able.setdefault(condition.label, []).append(condition)
        if len(able) >= request.ways and (HEALTHY in able or not healthy_way):
            found["stage", stage] = able
    return found


def _conditions(pool: Pool, spans: NDArray[np.int64], window: int, request: EpisodeRequest) -> list[_Condition]:
    """The pool's conditions, each with the parts that can be its support while the others hold its queries."""
    labels: dict[str, str] = {}
    parts: dict[str, dict[str, list[_Piece]]] = {}
    sessions: Counter[tuple[str, str, str]] = Counter()
    for row, (recording, label, condition, part) in enumerate(zip(pool.recordings, pool.labels, pool.conditions, pool.parts, strict=True)):
        if labels.setdefault(condition, label) != label:
            raise IsolationError(f"condition {condition} is labelled {labels[condition]} and {label}: a condition has one label")
        first, last = (int(x) for x in spans[row])
        windows = (last - first) // window
        if windows:
            parts.setdefault(condition, {}).setdefault(part, []).append((row, first, last - first))
            sessions[condition, part, recording.session] += windows

    result = []
    for condition, by_part in sorted(parts.items()):
        room = {part: sum(samples // window for _, _, samples in pieces) for part, pieces in by_part.items()}
        support = {}
        for part, pieces in by_part.items():
            if not pool.apart:
                if room[part] >= request.shots + request.queries:
                    support[part] = tuple(pieces)
                continue
            # A session too short for a whole support gives queries only.
            long = tuple(p for p in pieces if sessions[condition, part, pool.recordings[p[0]].session] >= request.shots)
            if long and sum(room.values()) - room[part] >= request.queries:
                support[part] = long
        result.append(_Condition(condition, labels[condition], {p: tuple(pieces) for p, pieces in by_part.items()}, support))
    return result


def _refuse(
    pool: Pool,
    spans: NDArray[np.int64],
    conditions: list[_Condition],
    window: int,
    request: EpisodeRequest,
    side: str,
    beside: Sequence[tuple[Pool, EpisodeRequest]],
) -> None:
    """Says why no episode can be drawn."""
    ways = request.ways
    known = sorted(set(pool.labels))
    if len(known) < ways:
        advice = f"give at most {len(known)}" if len(known) > 1 else "there is nothing to tell apart, another class is needed"
        raise UsageError(f"{side} has {len(known)} classes ({', '.join(known)}), {ways} ways asked for: {advice}")
    # Whatever the recordings' lengths: one too short for a window is there all the same.
    parts: dict[str, set[str]] = {}
    for condition, part in zip(pool.conditions, pool.parts, strict=True):
        parts.setdefault(condition, set()).add(part)
    parted = {label for label, condition in zip(pool.labels, pool.conditions, strict=True) if len(parts[condition]) > 1 or not pool.apart}
    if HEALTHY in known and HEALTHY not in parted:
        only = ", ".join(sorted({p for label, p in zip(pool.labels, pool.parts, strict=True) if label == HEALTHY}))
        raise IsolationError(
            f"{side}: each healthy specimen is of one part only ({only}), support and query need two: choose another target or data set"
        )
    if len(parted) < ways:
        lacking = ", ".join(sorted(set(known) - parted))
        raise IsolationError(
            f"{side}: only {len(parted)} classes have two parts, {ways} ways asked for (not: {lacking}): give fewer ways or another target"
        )
    longest = int((spans[:, 1] - spans[:, 0]).max())
    if longest < window:
        fits = _longest_window(pool, longest, request)
        others = [_longest_window(other, longest, asked) for other, asked in beside] if fits else []
        advice = f"give a window of {min([fits, *filter(None, others)])} at most" if fits else "measure longer"
        raise UsageError(f"{side}: a window of {window} samples is longer than all that a recording gives, {longest} at most: {advice}")
    able = {c.label for c in conditions if c.support}
    if len(able) < ways or (HEALTHY in known and HEALTHY not in able):
        lacking = ", ".join(sorted(set(known) - able))
        raise UsageError(
            f"{side}: only {len(able)} classes hold {request.shots} support and {request.queries} query windows of {window} samples"
            f"{' in different parts' * pool.apart}, {ways} ways asked for (not: {lacking}): "
            "give fewer shots, queries or ways, or a shorter window"
        )
    raise IsolationError(f"{side}: no part is shared by the supports of {ways} classes: give fewer ways or shots, or another target")


def _longest_window(pool: Pool, longest: int, request: EpisodeRequest) -> int:
    """The longest window of which the pool can fill an episode, `longest` at most; 0 where none can. What fits is as good when shorter."""
    spans = row_spans(pool)

    def fits(window: int) -> bool:
        return bool(_stages(pool, _conditions(pool, spans, window, request), request))

    found = bisect.bisect_left(range(1, longest + 1), True, key=lambda window: not fits(window))
    return found if found >= _SHORTEST else 0


def _uniforms(rng: np.random.Generator) -> _Uniforms:
    """Uniform numbers below 1, fetched in blocks: numpy's calls one by one would take most of a draw's time."""
    while True:
        yield from rng.random(128).tolist()


def _choose(keys: list[_Key], uniforms: _Uniforms, coverage: Coverage | None) -> _Key:
    """One of `keys` at random; with `coverage`, of those drawn least often, and counted there."""
    if coverage is None:
        return keys[int(next(uniforms) * len(keys))] if len(keys) > 1 else keys[0]
    fewest = min(coverage[key] for key in keys)
    least = [key for key in keys if coverage[key] == fewest]
    key = least[int(next(uniforms) * len(least))]
    coverage[key] += 1
    return key


def _sample(n: int, k: int, uniforms: _Uniforms) -> list[int]:
    """`k` different numbers below `n` (Floyd's algorithm: Bentley & Floyd 1987, Commun. ACM 30(9), 754)."""
    seen: set[int] = set()
    for top in range(n - k, n):
        number = int(next(uniforms) * (top + 1))
        seen.add(top if number in seen else number)
    return list(seen)


def _spread(count: int, room: list[int], uniforms: _Uniforms) -> list[int]:
    """`count` over places of limited room: evenly as far as these go, the remainder one each at random."""
    shares = [0] * len(room)
    open_ = [i for i, r in enumerate(room) if r]
    while count:
        even = min(count // len(open_), min(room[i] - shares[i] for i in open_))
        if not even:
            for i in _sample(len(open_), count, uniforms):
                shares[open_[i]] += 1
            return shares
        for i in open_:
            shares[i] += even
        count -= even * len(open_)
        open_ = [i for i in open_ if shares[i] < room[i]]
    return shares
