"""Whether pools and episodes are what they say: the part of the audit that asks for sense, not for leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from faultbench.data.episodes import row_spans
from faultbench.data.recording import HEALTHY, Recording
from faultbench.data.split import Episode, EpisodeRequest, Pool, Signals, Split


def pool_findings(side: str, pool: Pool, rate_hz: float, signals: Signals | None) -> Iterable[str]:
    """What is wrong with a pool: columns, ids, channels, rates, labels, and signals that are not what the catalogue says.

    Without signals, these are taken to be what the catalogue says.
    """
    columns = (pool.channels, pool.labels, pool.conditions, pool.parts)
    if {len(column) for column in columns} != {len(pool.recordings)} or len(pool.spans) not in (0, len(pool.recordings)) or not columns[0]:
        yield f"the {side} pool is empty or its columns differ in length"
        return
    for (dataset, name), times in Counter((r.dataset, r.id) for r in pool.recordings).items():
        if times > 1:
            yield f"recording {dataset}/{name} stands {times} times in the {side}"
    if len({len(channels) for channels in pool.channels}) != 1 or not pool.channels[0]:
        yield f"recordings of the {side} are read by different numbers of channels, or by none"
        return
    label_of: dict[str, str] = {}
    for row, recording in enumerate(pool.recordings):
        channels, label, condition = pool.channels[row], pool.labels[row], pool.conditions[row]
        name = f"{recording.dataset}/{recording.id}"
        if label_of.setdefault(condition, label) != label:
            yield f"condition {condition} of the {side} is labelled {label_of[condition]} and {label}"
        if recording.healthy != (label == HEALTHY):
            yield f"{name} of the {side} is of element {recording.element} and labelled {label}"
        known = {c.name for c in recording.channels}.issuperset(channels)
        for place, channel in enumerate(channels):
            yield from _signal_findings(f"{name} of the {side}", recording, channel, rate_hz if not place else None, signals)
        if known and pool.spans:
            first, last = pool.spans[row]
            if not 0 <= first <= last <= (pool.samples(row) or 0):
                yield f"{name} of the {side} has no samples {first} to {last}"
    yield from _rate_findings(side, pool)


def _signal_findings(what: str, recording: Recording, channel: str, rate_hz: float | None, signals: Signals | None) -> Iterable[str]:
    """What is wrong with one channel of a recording; `rate_hz` is what the lead has to have."""
    known = next((c for c in recording.channels if c.name == channel), None)
    signal = signals.get((recording.dataset, recording.id, channel)) if signals is not None else None
    if known is None or (signals is not None and signal is None):
        yield f"{what} has no {'channel' if known is None else 'signal of channel'} {channel}"
    elif rate_hz is not None and known.rate_hz != rate_hz:
        yield f"{what} is at {known.rate_hz:g} Hz, the split at {rate_hz:g} Hz"
    elif signal is None:
        return
    elif len(signal) != known.samples:
        yield f"{what} has {len(signal)} samples, the catalogue says {known.samples}"
    elif not np.isfinite(signal).all():
        yield f"{what} holds samples that are not finite"


def _rate_findings(side: str, pool: Pool) -> Iterable[str]:
    """Whether each place in the order of channels has one rate, no higher than the lead's."""
    lead: set[float] = set()
    for place, names in enumerate(zip(*pool.channels, strict=True)):
        rates = {c.rate_hz for r, name in zip(pool.recordings, names, strict=True) for c in r.channels if c.name == name}
        lead = rates if not place else lead
        if len(rates) > 1 or max(rates, default=0) > max(lead, default=0):
            said = ", ".join(f"{rate:g}" for rate in sorted(rates))
            yield f"channel {place + 1} ({names[0]}) of the {side} is at {said} Hz: one rate is needed, no higher than the lead's"


def index_findings(split: Split) -> Iterable[str]:
    """Episodes whose windows name recordings that the target does not have."""
    for number, episode in enumerate(split.episodes):
        for windows in (episode.support, episode.query):
            if windows.ndim != 2 or windows.shape[1] != 2 or (windows[:, 0] < 0).any() or (windows[:, 0] >= len(split.target.labels)).any():
                yield f"episode {number}: its windows do not name recordings of the target"
                break


def episode_findings(split: Split) -> Iterable[str]:
    """What is wrong with the episodes: their number, and the first thing in each that breaks the rules of drawing."""
    if len(split.episodes) != split.request.episodes:
        yield f"there are {len(split.episodes)} episodes, {split.request.episodes} were asked for"
    spans = row_spans(split.target)
    for number, episode in enumerate(split.episodes):
        finding = next(iter(_findings(episode, split.target, spans, split.request, split.window)), None)
        if finding:
            yield f"episode {number}: {finding}"


def _findings(episode: Episode, pool: Pool, spans: NDArray[np.int64], request: EpisodeRequest, window: int) -> Iterable[str]:
    windows = np.concatenate([episode.support, episode.query])
    classes = np.concatenate([episode.support_labels, episode.query_labels])
    if len(set(episode.classes)) != request.ways or len(episode.classes) != request.ways:
        yield f"its classes {', '.join(episode.classes)} are not {request.ways} different ones"
        return
    if not 0 <= episode.rare < request.ways or episode.classes[episode.rare] == HEALTHY:
        yield f"the rare class is number {episode.rare}, which is no fault"
        return
    if windows.shape != (len(classes), 2) or not set(classes.tolist()) <= set(range(request.ways)):
        yield "its windows and labels do not fit together"
        return
    wanted = [request.shots_rare if way == episode.rare else request.shots for way in range(request.ways)]
    counts = np.bincount(episode.support_labels, minlength=request.ways).tolist()
    if counts != wanted:
        yield f"its classes have {counts} support windows, asked for {wanted}"
    counts = np.bincount(episode.query_labels, minlength=request.ways).tolist()
    if counts != [request.queries] * request.ways:
        yield f"its classes have {counts} query windows, asked for {request.queries} each"
    if HEALTHY in pool.labels and episode.classes[0] != HEALTHY:
        yield "class 0 is not healthy"
    yield from _window_findings(windows, classes, episode, pool, spans, window)
    yield from _rule_findings(episode, pool)


def _window_findings(
    windows: np.ndarray, classes: np.ndarray, episode: Episode, pool: Pool, spans: NDArray[np.int64], window: int
) -> Iterable[str]:
    rows, starts = windows[:, 0], windows[:, 1]
    for row, start, way in zip(rows.tolist(), starts.tolist(), classes.tolist(), strict=True):
        recording = pool.recordings[row]
        first, last = spans[row].tolist()
        if not first <= start <= last - window:
            yield f"its window at {start} lies outside {recording.id}, of which it may use samples {first} to {last}"
            return
        if pool.labels[row] != episode.classes[way]:
            yield f"a window of {recording.id} ({pool.labels[row]}) is given as {episode.classes[way]}"
            return
    order = np.lexsort((starts, rows))
    overlap = (np.diff(rows[order]) == 0) & (np.diff(starts[order]) < window)
    if overlap.any():
        row = int(rows[order][:-1][overlap][0])
        yield f"two of its windows overlap in {pool.recordings[row].id}"


def _rule_findings(episode: Episode, pool: Pool) -> Iterable[str]:
    """Ways keep to one condition each, support and query of a way share no part or one, and supports come together where they must."""
    stages = set()
    for way, label in enumerate(episode.classes):
        support = episode.support[episode.support_labels == way, 0].tolist()
        query = episode.query[episode.query_labels == way, 0].tolist()
        conditions = sorted({pool.conditions[row] for row in (*support, *query)})
        if len(conditions) > 1:
            yield f"way {label} mixes the conditions {conditions[0]} and {conditions[1]}"
        parts = {pool.parts[row] for row in support}
        stages |= parts
        both = sorted(parts & {pool.parts[row] for row in query})
        if not pool.apart and {pool.parts[row] for row in query} != parts:
            yield f"support and query of {label} come from different parts, not from one"
        elif pool.apart and both:
            yield f"support and query of {label} share the part {both[0]}"
        if len(parts) > 1:
            yield f"the support of {label} comes from {len(parts)} parts"
    if pool.together and len(stages) > 1:
        yield f"its supports come from {len(stages)} parts ({', '.join(sorted(stages)[:3])}), not from one"
