"""Recorded noise: stretches of the machine's own healthy recordings, as noise on what is measured there.

The noise of a window is a stretch of a healthy recording of the same machine, at the same mounting where there is one, from another
session than the window's own, without its mean, brought to unit power. What learners train on is not used. Nor is a sample of any
window that stands in one episode with this one, else a query would be heard again as noise on its support. Which stretch it is, is
drawn by seed, recording and place from all that are left, each as likely.

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
        self._shown: dict[tuple[int, int], set[int]] = {}
        self._windows: list[dict[tuple[str, str], list[int]]] = []
        for number, episode in enumerate(split.episodes):
            shown: dict[tuple[str, str], list[int]] = {}
            for row, start in np.concatenate([episode.support, episode.query]).tolist():
                recording = split.target.recordings[row]
                shown.setdefault((recording.dataset, recording.id), []).append(start)
                self._shown.setdefault((row, start), set()).add(number)
            self._windows.append(shown)

    def __call__(self, row: int, start: int) -> NDArray[np.float64]:
        """The noise of one window, (channel, sample), of unit power, without mean; all channels are of one stretch.

        Raises:
            UsageError: There is no stretch that its episodes do not show, or the one that was drawn is silent.
        """
        number, first = self.stretch(row, start)
        recording = self._pool.recordings[number]
        (signals,) = cut(self._signals, self._pool, np.array([[number, first]]), self._split.window).astype(np.float64)
        deviations = signals.std(axis=-1, keepdims=True)
        if not deviations[~self._slow].all():
            raise UsageError(f"{recording.dataset}/{recording.id} is silent from sample {first} on, it is no noise: take white noise (10)")
        unit: NDArray[np.float64] = (signals - signals.mean(axis=-1, keepdims=True)) / np.where(deviations, deviations, 1.0)
        return unit

    def stretch(self, row: int, start: int) -> tuple[int, int]:
        """Where the noise of a window lies: its recording's number in the pool, and the first sample.

        Raises:
            UsageError: There is no stretch that its episodes do not show.
        """
        window, recording = self._split.window, self._split.target.recordings[row]
        runs = [
            (number, first, count)
            for number in _candidates(self._pool, recording)
            for first, count in _free(self._pool.spans[number], self._shown_of(number, row, start), window)
        ]
        total = sum(count for _, _, count in runs)
        if not total:
            what = f"every healthy stretch of {window} samples is shown in the episodes of {recording.dataset}/{recording.id}"
            raise UsageError(f"noise of the machine itself cannot be had: {what}, give fewer --episodes")
        rng = generator(self._split.seed, "machine noise", recording.dataset, recording.id, self._split.target.leads[row], str(start))
        drawn = int(rng.integers(total))
        for number, first, count in runs:
            if drawn < count:
                return number, first + drawn
            drawn -= count
        raise AssertionError("unreachable")

    def _shown_of(self, number: int, row: int, start: int) -> list[int]:
        """The windows of a recording of the pool that stand in one episode with a window."""
        key = self._pool.recordings[number].dataset, self._pool.recordings[number].id
        return sorted({first for episode in self._shown.get((row, start), ()) for first in self._windows[episode].get(key, ())})


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
