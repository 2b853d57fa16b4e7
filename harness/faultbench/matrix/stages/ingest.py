"""From a data set to plain arrays, one recording at a time."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from faultbench.data.recording import Channel, DataSet, Recording
from faultbench.errors import PluginError
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import save_catalogue, save_signal, signal_path
from faultbench.registry import make

MOST_READERS = 16
"""Threads that read at once, whatever a data set says."""


def ingest(work: Work) -> None:
    """Reads every signal of a data set once, checks it, and writes it down with the catalogue, which then knows all lengths.

    No more signals are held than are being read: those of one recording, or of as many as a data set lets be read at once (`readers`).

    Raises:
        PluginError: The data set does not return what it promises.
        DataError: A file cannot be read.
    """
    dataset: DataSet = make(work.params["dataset"], data_dir=work.given["data_dir"])
    catalogue = dataset.catalogue()
    if catalogue.digest != work.params["catalogue"]:
        raise PluginError(f"{catalogue.dataset} changed while the run was planned: run again")
    total = len(catalogue.recordings)
    recordings: list[Recording] = []
    with contextlib.closing(_each(dataset, catalogue.recordings, work.out)) as stored:
        for recording in stored:
            work.say(len(recordings), total)
            recordings.append(recording)
    save_catalogue(dataclasses.replace(catalogue, recordings=tuple(recordings)), work.out)
    work.say(total, total)


def _each(dataset: DataSet, recordings: Sequence[Recording], out: Path) -> Generator[Recording]:
    """The recordings in order, each when it is stored; several are read at once where the data set says that they may."""
    readers = min(max(int(getattr(dataset, "readers", 1)), 1), MOST_READERS)
    if readers == 1:
        for number, recording in enumerate(recordings):
            yield _stored(dataset, number, recording, out)
        return
    with ThreadPoolExecutor(readers) as pool:  # on a failure or an interruption, what waits is cancelled and what runs is waited for
        yield from pool.map(lambda number: _stored(dataset, number, recordings[number], out), range(len(recordings)))


def _stored(dataset: DataSet, number: int, recording: Recording, out: Path) -> Recording:
    """The recording with the lengths of its signals, which are written down."""
    channels = []
    for place, channel in enumerate(recording.channels):
        signal = dataset.read(recording, channel.name)
        _check(signal, recording, channel)
        save_signal(signal, signal_path(out, number, place))
        channels.append(dataclasses.replace(channel, samples=len(signal)))
    return dataclasses.replace(recording, channels=tuple(channels))


def _check(signal: object, recording: Recording, channel: Channel) -> None:
    what = f"{recording.dataset}: {recording.id}, channel {channel.name}"
    if not isinstance(signal, np.ndarray) or signal.dtype != np.float32 or signal.ndim != 1 or not len(signal):
        raise PluginError(f"{what}: read() returned no float32 array (sample,): mend the data set")
    if channel.samples is not None and len(signal) != channel.samples:
        raise PluginError(f"{what}: {len(signal)} samples, the catalogue says {channel.samples}: mend the data set")
    if not np.isfinite(signal).all():
        raise PluginError(f"{what}: holds values that are not finite: mend the data set")
