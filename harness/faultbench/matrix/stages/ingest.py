"""From a data set to plain arrays, one recording at a time."""

from __future__ import annotations

import dataclasses

import numpy as np

from faultbench.data.recording import Channel, DataSet, Recording
from faultbench.errors import PluginError
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import save_catalogue, signal_path
from faultbench.registry import make


def ingest(work: Work) -> None:
    """Reads every signal of a data set once, checks it, and writes it down with the catalogue, which then knows all lengths.

    Raises:
        PluginError: The data set does not return what it promises.
        DataError: A file cannot be read.
    """
    dataset: DataSet = make(work.params["dataset"], data_dir=work.given["data_dir"])
    catalogue = dataset.catalogue()
    if catalogue.digest != work.params["catalogue"]:
        raise PluginError(f"{catalogue.dataset} changed while the run was planned: run again")
    recordings = []
    for i, recording in enumerate(catalogue.recordings):
        work.say(i, len(catalogue.recordings))
        channels = []
        for j, channel in enumerate(recording.channels):
            signal = dataset.read(recording, channel.name)
            _check(signal, recording, channel)
            np.save(signal_path(work.out, i, j), signal, allow_pickle=False)
            channels.append(dataclasses.replace(channel, samples=len(signal)))
        recordings.append(dataclasses.replace(recording, channels=tuple(channels)))
    save_catalogue(dataclasses.replace(catalogue, recordings=tuple(recordings)), work.out)
    work.say(len(recordings), len(recordings))


def _check(signal: object, recording: Recording, channel: Channel) -> None:
    what = f"{recording.dataset}: {recording.id}, channel {channel.name}"
    if not isinstance(signal, np.ndarray) or signal.dtype != np.float32 or signal.ndim != 1 or not len(signal):
        raise PluginError(f"{what}: read() returned no float32 array (sample,): mend the data set")
    if channel.samples is not None and len(signal) != channel.samples:
        raise PluginError(f"{what}: {len(signal)} samples, the catalogue says {channel.samples}: mend the data set")
    if not np.isfinite(signal).all():
        raise PluginError(f"{what}: holds values that are not finite: mend the data set")
