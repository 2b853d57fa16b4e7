"""The contract of a data set: a catalogue that is known without reading, and signals that are what it says."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import ELEMENTS, Catalogue, DataSet, Recording
from faultbench.data.split import EpisodeRequest
from faultbench.errors import DataError, FaultbenchError
from faultbench.registry import make
from faultbench.testing import bench
from faultbench.testing.bench import once
from faultbench.testing.checks import Checks, NotAsked, broken, refusal, require, returned
from faultbench.testing.elsewhere import read_elsewhere, signal_digest
from faultbench.testing.plant import on_base, plant

CHECKS = Checks()

READ = 4
"""Recordings that are read: the first, and others evenly spread over the catalogue."""
FASTEST_RPM = 200_000
"""Dental drills turn faster, nothing that this is for does."""
GEOMETRY_TOLERANCE = 0.02
"""How far published orders may be from what their bearing's number of balls makes of them."""

_OTHER_ELEMENT = re.compile(r"[a-z]+(-[a-z0-9]+)+")
"""An element of something else than a bearing: `gear-tooth`."""
_SMALL = EpisodeRequest(ways=2, shots=1, shots_rare=1, queries=1, episodes=2)


class Bench(bench.Bench):
    """A data set, its catalogue, and some recordings of it."""

    part: DataSet

    @once
    def catalogue(self) -> Catalogue:
        """Its catalogue."""
        try:
            return returned(self.part.catalogue(), Catalogue, "catalogue", "return a Catalogue")
        except DataError as error:
            raise NotAsked(f"the data are not here: {error}") from error

    @once
    def recordings(self) -> tuple[Recording, ...]:
        """Some recordings, evenly spread over the catalogue."""
        every = self.catalogue.recordings
        if not every:
            raise NotAsked("its catalogue is empty")
        return tuple(every[i] for i in sorted({round(n * (len(every) - 1) / (READ - 1)) for n in range(READ)}))

    @once
    def signals(self) -> dict[tuple[str, str], NDArray[np.float32]]:
        """Their signals, by id and channel."""
        return {(r.id, c.name): self.part.read(r, c.name) for r in self.recordings for c in r.channels}

    @once
    def elsewhere(self) -> Mapping[str, Any]:
        """What another process finds."""
        return read_elsewhere(self.choice, self.data_dir, self.recordings)


@CHECKS.promise("the catalogue is known without reading a signal")
def _unread(bench: Bench) -> None:
    if not bench.catalogue.recordings:
        raise NotAsked("its catalogue is empty")
    with mock.patch.object(type(bench.part), "read", autospec=True) as read:
        bench.another().catalogue()
    require(
        not read.called,
        "catalogue() reads signals",
        "say what there is from names, tables and headers: a run asks for it before anything else",
    )


@CHECKS.promise("the catalogue names its recordings once each")
def _ids(bench: Bench) -> None:
    catalogue = bench.catalogue
    require(catalogue.recordings, "the catalogue is empty", "raise DataError where there are no data, with how to get them")
    require(
        catalogue.dataset and catalogue.version, "the catalogue has no name or no version", "give both: the version changes with any signal"
    )
    foreign = next((r for r in catalogue.recordings if r.dataset != catalogue.dataset), None)
    require(
        foreign is None,
        f"{foreign and foreign.id} says it is of {foreign and foreign.dataset}",
        f"let every recording's dataset be {catalogue.dataset}",
    )
    twice = [name for name, count in Counter(r.id for r in catalogue.recordings).items() if count > 1]
    require(not twice, f"{len(twice)} ids stand more than once ({', '.join(twice[:3])})", "give each recording an id of its own")
    both = sorted({r.id for r in catalogue.recordings} & set(catalogue.missing))
    require(not both, f"{both[0] if both else ''} is there and missing", "list as missing what this copy has not")


@CHECKS.promise("the catalogue is the same every time")
def _same_catalogue(bench: Bench) -> None:
    digests = {bench.catalogue.digest, bench.part.catalogue().digest, bench.another().catalogue().digest}
    require(len(digests) == 1, "asked twice, the catalogue is another", "sort what folders and sets give, and name no time and no place")
    require(
        bench.elsewhere["digest"] in digests,
        "another process gets another catalogue",
        "sort what sets give, and let the order of recordings depend on the files alone",
    )


@CHECKS.promise("recordings say who was measured, where and when")
def _named(bench: Bench) -> None:
    for recording in bench.catalogue.recordings:
        for field in ("id", "machine", "mounting", "bearing", "element", "session", "load"):
            text = getattr(recording, field)
            require(
                isinstance(text, str) and text.strip() and text.isprintable(),
                f"{recording.id!r} has the {field} {text!r}",
                f"say its {field} in printable text; where the source does not, give all the same word",
            )
        require(
            recording.element in ELEMENTS or _OTHER_ELEMENT.fullmatch(recording.element),
            f"{recording.id} has the element {recording.element!r}",
            f"name one of {', '.join(ELEMENTS)}; what is no bearing's has a prefix, as in gear-tooth",
        )
        require(
            not recording.healthy or not recording.severity,
            f"{recording.id} is healthy and of severity {recording.severity!r}",
            "leave it empty",
        )


@CHECKS.promise("a bearing is one specimen, a session one measurement, a mounting on one machine")
def _specimens(bench: Bench) -> None:
    for owner, things, todo in (
        ("bearing", ("element", "machine"), "give every specimen a name of its own, and leave out what is between healthy and damaged"),
        ("session", ("machine", "load"), "let a session be what was recorded together, at one load"),
        ("mounting", ("machine",), "name mountings so that no two machines have the same"),
    ):
        for thing in things:
            said: dict[str, set[str]] = defaultdict(set)
            for recording in bench.catalogue.recordings:
                said[getattr(recording, owner)].add(getattr(recording, thing))
            several = next(((name, values) for name, values in said.items() if len(values) > 1), None)
            if several:
                broken(f"the {owner} {several[0]} has the {thing}s {' and '.join(sorted(several[1])[:2])}", todo)


@CHECKS.promise("channels have names, rates and lengths")
def _channels(bench: Bench) -> None:
    for recording in bench.catalogue.recordings:
        names = [channel.name for channel in recording.channels]
        require(names, f"{recording.id} has no channels", "list what can be read of it")
        require(len(set(names)) == len(names) and all(names), f"{recording.id} has the channels {names}", "give each a name of its own")
        for channel in recording.channels:
            require(
                math.isfinite(channel.rate_hz) and channel.rate_hz > 0 and channel.unit,
                f"channel {channel.name} of {recording.id} is at {channel.rate_hz} Hz, in {channel.unit!r}",
                "say samples per second as read() gives them, and the unit, or `not stated`",
            )
            known = channel.samples is None or (isinstance(channel.samples, int) and channel.samples > 0)
            require(
                known,
                f"channel {channel.name} of {recording.id} has {channel.samples!r} samples",
                "say a number from 1, or None where nobody knows yet",
            )


@CHECKS.promise("speeds and geometries are possible ones")
def _physics(bench: Bench) -> None:
    for recording in bench.catalogue.recordings:
        speed = recording.speed_rpm
        require(
            speed is None or (math.isfinite(speed) and 0 < speed < FASTEST_RPM),
            f"{recording.id} turns at {speed} rev/min",
            "say rev/min, not Hz, or None where it is unknown",
        )
        gearing, geometry = recording.gearing, recording.geometry
        require(
            gearing is None or min(gearing.teeth, gearing.mating_teeth) > 1,
            f"{recording.id}: no gears have {gearing and gearing.teeth} and {gearing and gearing.mating_teeth} teeth",
            "give the teeth of the gear on the shaft, and those of the one that it drives",
        )
        if geometry is None:
            continue
        balls = round(geometry.bpfo + geometry.bpfi)
        expected = (balls * geometry.ftf, balls * (1 - geometry.ftf))
        possible = min(geometry.orders) > 0 and all(
            abs(found / wanted - 1) < GEOMETRY_TOLERANCE for found, wanted in zip((geometry.bpfo, geometry.bpfi), expected, strict=True)
        )
        require(
            possible,
            f"{recording.id}: no bearing has BPFO {geometry.bpfo:g}, BPFI {geometry.bpfi:g} and FTF {geometry.ftf:g}",
            "give events per turn of the shaft: BPFO + BPFI is the number of balls, BPFO is that times FTF",
        )


@CHECKS.promise("its targets can be held out")
def _targets(bench: Bench) -> None:
    known = {name for r in bench.catalogue.recordings for name in (r.machine, r.mounting)}
    require(
        bench.catalogue.targets,
        "the catalogue names no targets",
        "name the machines or mountings that can be the new device, the usual one first",
    )
    unknown = [name for name in bench.catalogue.targets if name not in known]
    require(
        not unknown,
        f"the target {unknown and unknown[0]} is no machine and no mounting of a recording",
        f"name one of {', '.join(sorted(known)[:5])}",
    )


@CHECKS.promise("a signal is float32, (sample,), finite, and as long as the catalogue says")
def _signals(bench: Bench) -> None:
    for recording in bench.recordings:
        for channel in recording.channels:
            signal, what = bench.signals[recording.id, channel.name], f"channel {channel.name} of {recording.id}"
            plain = isinstance(signal, np.ndarray) and signal.dtype == np.float32 and signal.ndim == 1 and signal.size
            found = f"{signal.dtype} {signal.shape}" if isinstance(signal, np.ndarray) else type(signal).__name__
            require(plain, f"{what} is read as {found}", "return a float32 array (sample,)")
            fits = channel.samples is None or len(signal) == channel.samples
            require(
                fits, f"{what} has {len(signal)} samples, the catalogue says {channel.samples}", "count them after decimation and trimming"
            )
            require(
                np.isfinite(signal).all(),
                f"{what} holds values that are not finite",
                "raise DataError for such a file, or leave the recording out",
            )
        first = bench.signals[recording.id, recording.channels[0].name]
        require(
            float(first.std()) > 0,
            f"the first channel of {recording.id} never changes",
            "put a channel that vibrates first: scenarios read it",
        )


@CHECKS.promise("reading twice gives the same samples")
def _same_signals(bench: Bench) -> None:
    other = bench.another()
    for recording in reversed(bench.recordings):
        for channel in recording.channels:
            again = other.read(recording, channel.name)
            require(
                np.array_equal(again, bench.signals[recording.id, channel.name]),
                f"channel {channel.name} of {recording.id}, read twice, has other samples",
                "draw what is drawn from a seed made of the recording's id",
            )
        require(
            bench.elsewhere["signals"][recording.id] == signal_digest(bench.part, recording),
            f"another process reads other samples of {recording.id}",
            "let them depend on the recording and on the files alone; `hash()` of a text differs from process to process",
        )


@CHECKS.promise("nothing is unpickled")
def _no_pickles(bench: Bench) -> None:
    found = bench.elsewhere["unpickled"]
    require(
        not found,
        f"reading it unpickles {', '.join(found[:3])}",
        "read formats that hold no code: npy without pickles, csv, wav, HDF5, the safe .mat reader",
    )


@CHECKS.promise("what is not there is refused")
def _refuses(bench: Bench) -> None:
    recording = bench.recordings[0]
    with refusal(DataError, of="a channel that is not there", todo="and name those that are"):
        bench.part.read(recording, "no such channel")
    with refusal(DataError, of="a recording that is not there", todo="and point to the catalogue"):
        bench.part.read(dataclasses.replace(recording, id="no such recording"), recording.channels[0].name)


@CHECKS.promise("where the data are missing, it says how to get them", telling=False)
def _missing(bench: Bench) -> None:
    if "data_dir" not in inspect.signature(bench.factory).parameters:
        raise NotAsked("it needs no files")
    with _here():
        for what, folder in (("an empty folder", bench.folder("empty")), ("no folder", None)):
            with refusal(DataError, of=f"{what} instead of the data", todo="and say how to get them"):
                make(bench.choice, **({} if folder is None else {"data_dir": folder})).catalogue()


@CHECKS.promise("a scenario can split it")
def _splittable(bench: Bench) -> None:
    catalogue = bench.catalogue
    if any(channel.samples is None for recording in catalogue.recordings for channel in recording.channels):
        raise NotAsked("it says no lengths before it is read, so that a scenario cannot be asked yet")
    refusals = []
    for registered in bench.registry.offers("scenarios"):
        if not registered.builtin or any(param.default is None for param in registered.offer.params.values()):
            continue  # one that stands in a file, say
        name = bench.registry.shown_name("scenarios", registered)
        scenario = make(bench.registry.choose("scenarios", name))
        # A scenario that takes sources may have these data on either side.
        for catalogues in [[catalogue]] if getattr(scenario, "base", None) is None else [[catalogue, plant()], [plant(), catalogue]]:
            try:
                scenario.split(on_base(scenario, catalogues), _SMALL, 0)
            except FaultbenchError as error:
                refusals.append(f"{name}: {error}")
            else:
                return
    broken(
        f"no scenario can split it ({'; '.join(dict.fromkeys(refusals))})",
        "say of machines, mountings, bearings, sessions and loads what tells them apart",
    )


@contextlib.contextmanager
def _here() -> Iterator[None]:
    """Without a folder of data that the environment names."""
    said = os.environ.pop("FAULTBENCH_DATA", None)
    try:
        yield
    finally:
        if said is not None:
            os.environ["FAULTBENCH_DATA"] = said
