"""`faultbench data check`: one pass over a data set, and everything that can be said of it before a run."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench.data.anchors import copies
from faultbench.data.audit import Pairs, SignalKey, linked
from faultbench.data.inspectable import Inspectable, Remark
from faultbench.data.recording import Catalogue, Channel, DataSet, Recording
from faultbench.data.scenarios.rules import element_severity as class_of
from faultbench.discovery import cause
from faultbench.errors import FaultbenchError
from faultbench.inspection.checks import check_catalogue, check_signals
from faultbench.inspection.heard import Heard, hear
from faultbench.inspection.levels import DEFAULT, LEAST, Level, levels
from faultbench.inspection.physics import Borne, bear_out, check_physics
from faultbench.interruptions import INTERRUPTIONS
from faultbench.registry import Registry

_log = logging.getLogger(__name__)

Said = Callable[[int, int], None]
"""Told how many recordings are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Count:
    """What there is of one class on one mounting."""

    machine: str
    mounting: str
    label: str
    bearings: int
    sessions: int
    recordings: int
    loads: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was found out about a data set.

    Args:
        dataset: Its name; empty where there is no catalogue.
        recordings: How many can be read.
        remarks: Errors, warnings and facts.
        counts: Machine by machine, class by class.
        levels: What the scenarios say.
    """

    dataset: str
    recordings: int
    remarks: tuple[Remark, ...]
    counts: tuple[Count, ...] = ()
    levels: tuple[Level, ...] = ()

    def of(self, grade: str) -> tuple[str, ...]:
        """The remarks of one grade."""
        return tuple(remark.text for remark in self.remarks if remark.grade == grade)


def check(dataset: DataSet, registry: Registry, source: Callable[[str], Catalogue | None], said: Said) -> Report:
    """Everything that can be said of a data set. Every signal of it is read once, those suspected to be copies once more.

    Args:
        dataset: Of any kind; one that can inspect itself is asked to.
        registry: Where the scenarios are.
        source: Given the data set's name, the catalogue of another that a scenario may train on.
        said: Told of progress.
    """
    catalogue, remarks = _listed(dataset)
    if catalogue is None or not catalogue.recordings:
        return Report("", 0, (*remarks, *([] if _stops(remarks) else [Remark("error", "it holds no recordings: check the folder")])))
    pass_ = _Pass(dataset, catalogue, said)
    alike = copies(pass_.signals(), pass_.again)
    remarks += [Remark("error", text) for text in pass_.errors]
    read = pass_.read_catalogue()
    if not read.recordings:
        return Report(catalogue.dataset, 0, tuple(remarks))
    other = source(catalogue.dataset)
    copied = _Copied(pass_, alike)
    asked = levels(read, registry, other, copied)
    unread = _stops(remarks)
    if unread:
        text = "levels are those of what could be read, and what classes lack is said once all can be: correct the errors first"
        remarks.append(Remark("fact", text))
    elif all(level.refusal and not level.copied for level in asked):
        remarks.append(Remark("error", _no_scenario(levels(read, registry, other, copied, LEAST))))
    remarks += check_catalogue(read, stated=isinstance(dataset, Inspectable), whole=not unread)
    remarks += check_signals(pass_.heard, alike, {level.scenario: level.copied for level in asked if level.copied})
    remarks += check_physics(pass_.borne)
    return Report(read.dataset, len(read.recordings), tuple(remarks), tuple(_counts(read)), asked)


def _no_scenario(least: Sequence[Level]) -> str:
    text = f"no scenario can be run with the default request (5 ways or fewer, {DEFAULT.shots} shots, {DEFAULT.queries} queries)"
    able = [level.scenario for level in least if not level.refusal]
    if able:
        return f"{text}: record longer, or ask for fewer, {able[0]} can be run with --shots {LEAST.shots} --queries {LEAST.queries}"
    return f"{text}, nor with any other: see below what each of them lacks"


def _listed(dataset: DataSet) -> tuple[Catalogue | None, list[Remark]]:
    if isinstance(dataset, Inspectable):
        catalogue, remarks = dataset.inspect()
        return catalogue, list(remarks)
    try:
        return dataset.catalogue(), []
    except FaultbenchError as error:
        return None, [Remark("error", str(error))]


def _stops(remarks: list[Remark]) -> bool:
    return any(remark.grade == "error" for remark in remarks)


class _Pass:
    """Every signal of a catalogue, read once; what is found on the way is gathered."""

    def __init__(self, dataset: DataSet, catalogue: Catalogue, said: Said) -> None:
        self._dataset, self._catalogue, self._said = dataset, catalogue, said
        self._lengths: dict[tuple[str, str], int] = {}
        self.heard: list[Heard] = []
        self.borne: list[Borne] = []
        self.errors: list[str] = []

    def signals(self) -> Iterator[NDArray[np.float32]]:
        """The signals, in the order of `heard`."""
        for number, recording in enumerate(self._catalogue.recordings):
            self._said(number, len(self._catalogue.recordings))
            for channel in recording.channels:
                signal = self._read(recording, channel)
                if signal is None:
                    continue
                self._lengths[recording.id, channel.name] = len(signal)
                self.heard.append(hear(recording, dataclasses.replace(channel, samples=len(signal)), signal))
                if channel is recording.channels[0]:
                    borne = bear_out(recording, channel, signal)
                    self.borne += [] if borne is None else [borne]
                yield signal

    def again(self, number: int) -> NDArray[np.float32]:
        """The signal of that number in `heard`, which could be read before."""
        heard = self.heard[number]
        return self._dataset.read(heard.recording, heard.channel.name)

    def read_catalogue(self) -> Catalogue:
        """The catalogue of the recordings of which all signals could be read; it knows their lengths."""
        recordings = []
        for recording in self._catalogue.recordings:
            if all((recording.id, channel.name) in self._lengths for channel in recording.channels):
                channels = tuple(dataclasses.replace(c, samples=self._lengths[recording.id, c.name]) for c in recording.channels)
                recordings.append(dataclasses.replace(recording, channels=channels))
        return dataclasses.replace(self._catalogue, recordings=tuple(recordings))

    def _read(self, recording: Recording, channel: Channel) -> NDArray[np.float32] | None:
        what = f"{recording.id}, channel {channel.name}"
        try:
            signal = self._dataset.read(recording, channel.name)
        except FaultbenchError as error:
            self.errors.append(f"{what}: {error}")
            return None
        except INTERRUPTIONS:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin's failure is a finding about its data set
            _log.debug("%s", what, exc_info=True)
            self.errors.append(f"{what}: the plugin broke ({cause(error)}): --debug shows where")
            return None
        if not isinstance(signal, np.ndarray) or signal.dtype != np.float32 or signal.ndim != 1 or not len(signal):
            self.errors.append(f"{what}: read() returned no float32 array (sample,): mend the data set")
            return None
        if not np.isfinite(signal).all():
            self.errors.append(f"{what}: holds values that are not finite: mend the data set")
            return None
        return signal


class _Copied:
    """The copies that a pass found, asked for by the signals of a split: found once, whatever is asked.

    `copies` gives no more pairs than link all that are alike. Where a split leaves out a signal that links two others, these two are
    compared again, for they may be two stretches of it that have nothing in common.
    """

    def __init__(self, pass_: _Pass, pairs: Sequence[tuple[int, int]]) -> None:
        self._pass = pass_
        self._number = {(h.recording.dataset, h.recording.id, h.channel.name): number for number, h in enumerate(pass_.heard)}
        keys = list(self._number)
        self._pairs = [(keys[a], keys[b]) for a, b in pairs]
        self._groups = linked(keys, self._pairs)
        self._again: dict[tuple[SignalKey, ...], Pairs] = {}

    def __call__(self, keys: Sequence[SignalKey]) -> Pairs:
        """The pairs among these signals."""
        asked = set(keys)
        found: list[tuple[SignalKey, SignalKey]] = []
        for group in self._groups:
            some = tuple(key for key in group if key in asked)
            if len(some) == len(group):
                found += [pair for pair in self._pairs if pair[0] in group]
            elif len(some) > 1:
                if some not in self._again:
                    self._again[some] = self._compared(some)
                found += self._again[some]
        return found

    def _compared(self, some: Sequence[SignalKey]) -> Pairs:
        def read(which: int) -> NDArray[np.float32]:
            return self._pass.again(self._number[some[which]])

        return [(some[a], some[b]) for a, b in copies(map(read, range(len(some))), read)]


def _counts(catalogue: Catalogue) -> Iterator[Count]:
    groups: dict[tuple[str, str, str], list[Recording]] = {}
    for recording in catalogue.recordings:
        groups.setdefault((recording.machine, recording.mounting, class_of(recording)), []).append(recording)
    for (machine, mounting, label), some in groups.items():
        yield Count(
            machine,
            mounting,
            label,
            bearings=len({r.bearing for r in some}),
            sessions=len({r.session for r in some}),
            recordings=len(some),
            loads=tuple(dict.fromkeys(r.load for r in some)),
            seconds=sum((r.channels[0].samples or 0) / r.channels[0].rate_hz for r in some),
        )
