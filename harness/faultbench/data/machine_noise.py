"""Recorded noise: stretches of the machine's own healthy recordings, as noise on what is measured there.

The noise of a window is a stretch of a healthy recording of the same machine, at the same mounting where there is one, from another
session than the window's own, without its mean, brought to unit power. What learners train on is not used. Nor is, in an episode, a
sample of any window of that episode, else a query would be heard again as noise on its support. Which stretch it is, is drawn by seed,
recording and place: the first drawn that the episode leaves free.

A healthy recording holds what a healthy machine does, its shaft and its gears: such noise is not white, and it looks like one of the
classes. Below 0 dB a fault in it is in part a healthy machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from faultbench.data.episodes import generator, row_spans
from faultbench.data.recording import HEALTHY, Catalogue, Recording
from faultbench.data.split import Pool, Signals, Split
from faultbench.data.windows import cut, slow_channels
from faultbench.errors import UsageError

_DRAWS = 100
"""Draws from all stretches before one is drawn from those alone that an episode leaves free."""


def noise_pool(split: Split, catalogues: Sequence[Catalogue]) -> Pool:
    """The healthy recordings of the target's machines that no training sees, whatever session they are of.

    Args:
        split: Whose target is to have noise.
        catalogues: Those that the split was made of; healthy recordings that are on neither side are used too.

    Raises:
        UsageError: There is none of a machine.
    """
    target = split.target
    halves = dict(zip(((r.dataset, r.id) for r in target.recordings), row_spans(target).tolist(), strict=True))
    trained = {(r.dataset, r.id) for r in split.source.recordings} - set(halves)
    machines = {(r.dataset, r.machine) for r in target.recordings}
    read = tuple(dict.fromkeys(target.channels))
    found: list[tuple[Recording, tuple[str, ...], tuple[int, int]]] = []
    for recording in (r for c in catalogues for r in c.recordings):
        key = recording.dataset, recording.id
        channels = _channels(recording, split.rate_hz, read)
        if recording.healthy and (recording.dataset, recording.machine) in machines and key not in trained and channels:
            first, last = halves.get(key, (0, recording.channel(channels[0]).samples or 0))
            found.append((recording, channels, (first, last)))
    for dataset, machine in sorted(machines - {(r.dataset, r.machine) for r, _, _ in found}):
        what = f"{dataset} has no healthy recording of {machine} that is not trained on"
        raise UsageError(f"noise of the machine itself cannot be had: {what}, take white noise (10 or floor:10)")
    recordings = tuple(recording for recording, _, _ in found)
    return Pool(
        recordings=recordings,
        channels=tuple(channels for _, channels, _ in found),
        labels=(HEALTHY,) * len(recordings),
        conditions=tuple(r.mounting for r in recordings),
        parts=tuple(r.session for r in recordings),
        together=False,
        spans=tuple(span for _, _, span in found),
    )


def refuse_machine_noise(split: Split, catalogues: Sequence[Catalogue]) -> None:
    """Lets pass what has noise of the machine for every recording of the target.

    Raises:
        UsageError: A recording has none; the message says why.
    """
    pool = noise_pool(split, catalogues)
    for recording in split.target.recordings:
        _candidates(pool, recording)


def heard_from(split: Split, pool: Pool) -> tuple[Recording, ...]:
    """The recordings of a pool of noise that can be drawn for some window of a split's episodes.

    The pool holds more: recordings of the machine's other mountings are drawn only where the window's own has none.
    """
    shown = {row for episode in split.episodes for windows in (episode.support, episode.query) for row in windows[:, 0].tolist()}
    drawn = {number for row in shown for number in _candidates(pool, split.target.recordings[row])}
    return tuple(pool.recordings[number] for number in sorted(drawn) if pool.spans[number][1] - pool.spans[number][0] >= split.window)


class MachineNoise:
    """Noise for the windows of a split's target.

    Args:
        split: Whose windows.
        pool: What noise is taken from, of `noise_pool`.
        signals: The signals of that pool.
    """

    def __init__(self, split: Split, pool: Pool, signals: Signals) -> None:
        self._split, self._pool, self._signals = split, pool, signals
        self._slow = np.array(slow_channels(split))
        self._shown: list[dict[tuple[str, str], list[int]]] = []
        for episode in split.episodes:
            shown: dict[tuple[str, str], list[int]] = {}
            for row, start in sorted(np.concatenate([episode.support, episode.query]).tolist()):
                recording = split.target.recordings[row]
                shown.setdefault((recording.dataset, recording.id), []).append(start)
            self._shown.append(shown)

    def stretch(self, episode: int, row: int, start: int) -> tuple[int, int]:
        """Where the noise of a window lies in an episode: its recording's number in the pool, and the first sample.

        Raises:
            UsageError: The episode leaves no stretch free.
        """
        window, recording = self._split.window, self._split.target.recordings[row]
        candidates = _candidates(self._pool, recording)
        free = {number: list(_free(self._pool.spans[number], self._shown_of(episode, number), window)) for number in candidates}
        if not any(free.values()):
            what = f"an episode of {recording.dataset}/{recording.id} shows every healthy stretch of {window} samples in other sessions"
            raise UsageError(f"noise of the machine itself cannot be had: {what}, give fewer --shots or --queries")
        places = [(number, first, last - window - first + 1) for number in candidates for first, last in [self._pool.spans[number]]]
        rng = generator(self._split.seed, "machine noise", recording.dataset, recording.id, self._split.target.leads[row], str(start))
        for _ in range(_DRAWS):
            number, first = _at(places, rng)
            if any(run <= first < run + count for run, count in free[number]):
                return number, first
        return _at([(number, first, count) for number, runs in free.items() for first, count in runs], rng)

    def unit(self, number: int, first: int) -> NDArray[np.float64]:
        """A stretch of a recording of the pool, (channel, sample), without its mean, of unit power.

        Raises:
            UsageError: It is silent.
        """
        recording = self._pool.recordings[number]
        (signals,) = cut(self._signals, self._pool, np.array([[number, first]]), self._split.window).astype(np.float64)
        deviations = signals.std(axis=-1, keepdims=True)
        if not deviations[~self._slow].all():
            raise UsageError(f"{recording.dataset}/{recording.id} is silent from sample {first} on, it is no noise: take white noise (10)")
        unit: NDArray[np.float64] = (signals - signals.mean(axis=-1, keepdims=True)) / np.where(deviations, deviations, 1.0)
        return unit

    def _shown_of(self, episode: int, number: int) -> list[int]:
        """The first samples of an episode's windows in a recording of the pool, in order."""
        recording = self._pool.recordings[number]
        return self._shown[episode].get((recording.dataset, recording.id), [])


def _at(places: Sequence[tuple[int, int, int]], rng: np.random.Generator) -> tuple[int, int]:
    """A place at random among runs of (recording, first sample, how many), each place as likely."""
    ends = np.cumsum([max(count, 0) for _, _, count in places])
    drawn = int(rng.integers(ends[-1]))
    run = int(np.searchsorted(ends, drawn, side="right"))
    number, first, count = places[run]
    return number, first + drawn - int(ends[run] - count)


def _candidates(pool: Pool, recording: Recording) -> list[int]:
    """The recordings of a pool that can be noise on a recording: of its machine, in another session; at its mounting, where one is."""
    others = [
        number
        for number, r in enumerate(pool.recordings)
        if (r.dataset, r.machine) == (recording.dataset, recording.machine) and r.session != recording.session
    ]
    if not others:
        what = f"{recording.dataset} has healthy recordings of {recording.machine} in the session of {recording.id} alone"
        raise UsageError(f"noise of the machine itself cannot be had: {what}, take white noise (10 or floor:10)")
    return [number for number in others if pool.recordings[number].mounting == recording.mounting] or others


def _free(span: tuple[int, int], shown: Sequence[int], window: int) -> Iterator[tuple[int, int]]:
    """Runs of places (first, how many) at which a stretch of a recording meets none of its windows that are shown, in order."""
    first, last = span
    for start in (*shown, last):
        if start - window >= first:
            yield first, start - window - first + 1
        first = max(first, start + window)


def _channels(recording: Recording, rate_hz: float, read: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The channels that noise is taken from: those that the target reads, or where it reads one, else the first at its rate; or none."""
    rates = {channel.name: channel.rate_hz for channel in recording.channels}
    alike = next((names for names in read if rates.get(names[0]) == rate_hz and set(names) <= set(rates)), ())
    if alike or len(read[0]) > 1:
        return alike
    return next(((name,) for name, rate in rates.items() if rate == rate_hz), ())
