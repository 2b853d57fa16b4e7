"""Checks of a catalogue and of the signals behind it: what would stop a run, and what would let its figures mislead."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from faultbench.data.inspectable import Remark
from faultbench.data.recording import ELEMENTS, HEALTHY, Catalogue, Geometry, Recording
from faultbench.data.scenarios.rules import element_severity as class_of
from faultbench.data.spellings import names_alike
from faultbench.data.split import EpisodeRequest
from faultbench.inspection.heard import Heard

WINDOW = 2048
"""What the scenarios take where nobody says otherwise."""
_CHANCE = 0.01
"""A class is called told apart by a number where chance alone would part it so less often than this."""
_LOW_RATE_HZ = 200.0
_MOST_G = 500.0
_CLIPPED = 2
_STILL_S, _STILL_SAMPLES = 0.05, 64
_OFFSET = 20.0
_SEEN = 0.05
"""An offset below so much of the RMS is lost in the scatter of a window's mean."""
_SHOWN = 3

_Thing = TypeVar("_Thing")


def check_catalogue(catalogue: Catalogue, stated: bool = False, whole: bool = True) -> Iterator[Remark]:
    """What the catalogue alone tells.

    Args:
        catalogue: Its channels know how many samples they hold.
        stated: Whether the data set has looked for two spellings of one name itself, where it is stated.
        whole: Whether all recordings could be read: else nothing is said of what classes lack.
    """
    recordings = catalogue.recordings
    yield from (Remark("warning", text) for text in names_alike(catalogue, stated))
    if whole:
        yield from _classes(recordings)
    yield from _settings(recordings)
    yield from _specimens(recordings)
    yield from _lengths(recordings)
    yield from _unstated(recordings)
    yield from _geometries(recordings)
    if catalogue.missing:
        first = next(iter(catalogue.missing.values()))
        yield Remark(
            "fact", f"{len(catalogue.missing)} recordings of the source are not in this copy ({first}{_more(len(catalogue.missing), 1)})"
        )
    noted = [r for r in recordings if r.notes]
    if noted:
        yield Remark("fact", f"{len(noted)} recordings carry a note ({noted[0].id}: {noted[0].notes[0]}{_more(len(noted), 1)})")


def check_signals(
    heard: Sequence[Heard], copies: Iterable[tuple[int, int]], broken: Mapping[str, Sequence[Collection[str]]]
) -> Iterator[Remark]:
    """What the samples tell.

    Args:
        heard: The signals.
        copies: Pairs of them, by number, that hold the same samples.
        broken: By scenario, the groups of recordings, as `data set/id`, whose equal samples break its level.
    """
    dead = [h for h in heard if h.rms == 0]
    if dead:
        yield Remark("warning", f"{_signals(dead)} never change: check the sensor, and leave them out")
    alive = [h for h in heard if h.rms > 0]
    offset = [h for h in alive if abs(h.mean) > _OFFSET * h.rms]
    if offset:
        yield Remark("warning", f"{_signals(offset)} are an offset with hardly anything on it: check the sensor and its coupling")
    still = [h for h in alive if h.still_s >= _STILL_S and h.still_s * h.channel.rate_hz >= _STILL_SAMPLES]
    if still:
        longest = max(h.still_s for h in still)
        yield Remark("warning", f"{_signals(still)} stand still for up to {longest:.2g} s: samples were lost, cut the recordings there")
    clipped = [h for h in alive if h.clipped >= _CLIPPED]
    if clipped:
        yield Remark("warning", f"{_signals(clipped)} are clipped: measure them again with a larger range")
    strong = [h for h in alive if h.channel.unit == "g" and h.peak > _MOST_G]
    if strong:
        peak = max(h.peak for h in strong)
        yield Remark("warning", f"{_signals(strong)} reach {peak:.3g} g, which hardly is an acceleration: state the unit, or the scale")
    yield from _same_samples(heard, copies, broken)
    yield from _told_apart([h for h in alive if h.channel == h.recording.channels[0]])


def told_apart(values: Mapping[str, Sequence[float]]) -> list[str]:
    """The classes that one number tells from all others: no other class has a value between their least and their largest.

    A class of n among N values is so by chance in (N - n + 1) of the (N over n) ways in which ranks can fall; a class of which that is
    likely is not named.
    """
    total = sum(map(len, values.values()))
    found = []
    for label, own in values.items():
        others = [value for other, theirs in values.items() if other != label for value in theirs]
        chance = (total - len(own) + 1) / math.comb(total, len(own))
        if others and chance < _CHANCE and not any(min(own) <= value <= max(own) for value in others):
            found.append(label)
    return found


def _classes(recordings: Sequence[Recording]) -> Iterator[Remark]:
    by_element = _grouped(recordings, lambda r: r.element)
    lone = [f"{element} ({some[0].bearing})" for element, some in by_element.items() if len({r.bearing for r in some}) == 1]
    if lone:
        yield Remark("warning", f"of {_listed(lone)} there is one bearing only: who knows the bearing knows the class, measure another one")
    single = [label for label, some in _grouped(recordings, class_of).items() if len({r.session for r in some}) == 1]
    if single:
        yield Remark("warning", f"of {_listed(single)} there is one session only: support and query need two, measure it again")
    if HEALTHY not in by_element:
        yield Remark("warning", "no recording is healthy, so nothing can be said of false alarms: add healthy recordings")
    if len(by_element) < 2:
        yield Remark("warning", f"there is one class only ({', '.join(by_element)}): nothing can be told apart")


def _settings(recordings: Sequence[Recording]) -> Iterator[Remark]:
    """What the recorder or the operator was set to, where that differs between classes."""
    settings: tuple[tuple[str, Callable[[Recording], str], str], ...] = (
        ("sampling rate", lambda r: f"{r.channels[0].rate_hz:g} Hz", "bring all to one rate"),
        ("unit", lambda r: r.channels[0].unit, "state unit and scale of all"),
    )
    for what, of, advice in settings:
        found = _grouped(recordings, of)
        if len(found) > 1:
            said = ", ".join(f"{len(some)} at {value}" for value, some in found.items())
            yield Remark("warning", f"the {what} is not the same everywhere ({said}){_alone(recordings, of)}: {advice}")
    slow = [r for r in recordings if r.channels[0].rate_hz < _LOW_RATE_HZ]
    if slow:
        yield Remark("warning", f"{_recordings(slow)} are sampled at {slow[0].channels[0].rate_hz:g} Hz: if that is in kHz, write it in Hz")
    for mounting, some in _grouped(recordings, lambda r: r.mounting).items():
        told = _given_away(some, lambda r: r.load)
        if told:
            text = f"on mounting {mounting} no other class was measured at the loads of {_listed(told)}, so the load tells the class"
            yield Remark("warning", f"{text}: measure all classes at the same loads")


def _alone(recordings: Sequence[Recording], of: Callable[[Recording], str]) -> str:
    """For a message, which classes a setting gives away."""
    told = _given_away(recordings, of)
    return f", and tells {_listed(told)} from the other classes" if told else ""


def _given_away(recordings: Sequence[Recording], of: Callable[[Recording], str]) -> list[str]:
    """The classes that a setting gives away, since no other class has it."""
    by_class = {label: {of(r) for r in some} for label, some in _grouped(recordings, class_of).items()}
    return [
        label
        for label, own in by_class.items()
        if len(by_class) > 1 and own.isdisjoint({value for other, theirs in by_class.items() if other != label for value in theirs})
    ]


def _specimens(recordings: Sequence[Recording]) -> Iterator[Remark]:
    changed, moved = [], []
    for bearing, some in _grouped(recordings, lambda r: r.bearing).items():
        if len({r.element for r in some}) > 1:
            changed.append(f"{bearing} ({', '.join(dict.fromkeys(r.element for r in some))})")
        if len({r.machine for r in some}) > 1:
            moved.append(f"{bearing} ({', '.join(dict.fromkeys(r.machine for r in some))})")
    if changed:
        yield Remark("warning", f"one bearing is said to be of several classes, {_listed(changed)}: give each specimen a name of its own")
    if moved:
        yield Remark(
            "warning",
            f"one bearing is said to be in several machines, {_listed(moved)}, and parts none of them: if they are several specimens, "
            "give each a name of its own",
        )
    torn = [
        session
        for session, some in _grouped(recordings, lambda r: r.session).items()
        if len({r.load for r in some}) > 1 or len({(r.mounting, r.bearing) for r in some}) > len({r.mounting for r in some})
    ]
    if torn:
        yield Remark("warning", f"one session is said to show several loads, or several bearings in one place, {_listed(torn)}: part it")


def _lengths(recordings: Sequence[Recording]) -> Iterator[Remark]:
    request = EpisodeRequest()
    lengths = {r.id: r.channels[0].samples or 0 for r in recordings}
    short = [r for r in recordings if lengths[r.id] < WINDOW]
    if short:
        yield Remark("warning", f"{_recordings(short)} are shorter than a window of {WINDOW} samples and never used: take a smaller window")
    sessions = _grouped([r for r in recordings if lengths[r.id] >= WINDOW], lambda r: f"{r.session}, {class_of(r)}")
    few = [name for name, some in sessions.items() if sum(lengths[r.id] // WINDOW for r in some) < request.shots]
    if few:
        yield Remark(
            "warning",
            f"{len(few)} sessions hold fewer than {request.shots} windows of {WINDOW} samples ({few[0]}{_more(len(few), 1)}) "
            "and give queries only: measure longer, or take a smaller window or fewer shots",
        )


def _unstated(recordings: Sequence[Recording]) -> Iterator[Remark]:
    speedless = [r for r in recordings if r.speed_rpm is None]
    if speedless:
        yield Remark("warning", f"no speed is stated of {_recordings(speedless)}: base=orders and every check of the physics need it")
    slow = [r for r in recordings if r.speed_rpm is not None and r.speed_rpm < 120]
    if slow:
        yield Remark("warning", f"{_recordings(slow)} turn at {slow[0].speed_rpm:g} rev/min: if that is in Hz, multiply it by 60")
    bare = [r for r in recordings if r.geometry is None and r.element in ELEMENTS and not r.healthy]
    if bare:
        yield Remark("warning", f"no geometry is stated of {_recordings(bare)}, whose bearing is damaged: state the bearing's type")


def _geometries(recordings: Sequence[Recording]) -> Iterator[Remark]:
    for geometry in dict.fromkeys(r.geometry for r in recordings if r.geometry is not None):
        problem = contradiction(geometry)
        if problem:
            yield Remark("warning", f"the orders of the geometry {geometry.name} contradict one another, {problem}: correct them")


def contradiction(geometry: Geometry) -> str:
    """What in four orders cannot be together, or an empty text (McFadden & Smith 1984; a contact angle up to 40 degrees)."""
    balls = geometry.bpfo + geometry.bpfi
    if abs(balls - round(balls)) > 0.05:
        return f"BPFO and BPFI add up to {balls:.3g}, no number of balls"
    if abs(geometry.ftf * balls / geometry.bpfo - 1) > 0.02:
        return f"FTF is {geometry.ftf:.3g}, BPFO over {round(balls)} balls {geometry.bpfo / balls:.3g}"
    ratio = 1 - 2 * geometry.ftf
    spin = (1 - ratio**2) / (2 * ratio)
    if not 0.74 * spin <= geometry.bsf <= 1.03 * spin:
        twice = ", it must be the ball's spin, not twice it" if 1.5 < geometry.bsf / spin < 2.1 else ""
        return f"BSF is {geometry.bsf:.3g} where about {spin:.3g} belongs to that FTF{twice}"
    return ""


def _same_samples(
    heard: Sequence[Heard], copies: Iterable[tuple[int, int]], broken: Mapping[str, Sequence[Collection[str]]]
) -> Iterator[Remark]:
    alike: list[str] = []
    torn: list[str] = []
    stopping: list[str] = []
    stopped: set[str] = set()
    for a, b in copies:
        pair = f"{heard[a].name} and {heard[b].name}"
        names = {f"{heard[n].recording.dataset}/{heard[n].recording.id}" for n in (a, b)}
        scenarios = {name for name, groups in broken.items() if any(names.issubset(group) for group in groups)}
        if heard[a].label != heard[b].label:
            torn.append(pair)
        elif scenarios:
            stopping.append(pair)
            stopped |= scenarios
        else:
            alike.append(pair)
    if torn:
        yield Remark("error", f"the same samples are said to be of two classes, {_listed(torn)}: one of each is mislabelled")
    if stopping:
        said = ", ".join(name for name in broken if name in stopped)
        yield Remark(
            "error", f"the same samples stand there twice, {_listed(stopping)}, which breaks the level of {said}: keep one of each"
        )
    if alike:
        yield Remark("warning", f"the same samples stand there twice, {_listed(alike)}: keep one of each")


def _told_apart(heard: Sequence[Heard]) -> Iterator[Remark]:
    """Numbers that give classes away where nothing of the vibration's pattern is looked at."""
    numbers: tuple[tuple[str, Callable[[Heard], float], str], ...] = (
        ("the level (RMS)", lambda h: h.rms, "a threshold would do as well, and a high accuracy says little"),
        ("the offset (mean)", lambda h: h.mean if abs(h.mean) > _SEEN * h.rms else 0.0, "a model can see the sensor instead of the fault"),
        ("the step of quantisation", lambda h: h.step or 0.0, "a model can see the recorder instead of the fault"),
        ("the length of the recordings", lambda h: float(h.channel.samples or 0), "they may stem from another campaign"),
        ("the stated speed", lambda h: h.recording.speed_rpm or 0.0, "a model can see the speed instead of the fault"),
    )
    for what, of, advice in numbers:
        told = []
        for mounting, some in _grouped(heard, lambda h: h.recording.mounting).items():
            labels = told_apart({label: [of(h) for h in own] for label, own in _grouped(some, lambda h: h.label).items()})
            if labels:
                told.append(f"{_listed(labels)} on {mounting}")
        if told:
            where = "; ".join(told[:_SHOWN]) + ("; ..." if len(told) > _SHOWN else "")
            yield Remark("warning", f"{what} alone tells some classes from all others ({where}): {advice}")


def _grouped(things: Iterable[_Thing], of: Callable[[_Thing], str]) -> dict[str, list[_Thing]]:
    found: dict[str, list[_Thing]] = defaultdict(list)
    for thing in things:
        found[of(thing)].append(thing)
    return dict(found)


def _recordings(some: Sequence[Recording]) -> str:
    return f"{len(some)} recordings ({', '.join(r.id for r in some[:_SHOWN])}{_more(len(some), _SHOWN)})"


def _signals(some: Sequence[Heard]) -> str:
    return f"{len(some)} signals ({', '.join(h.name for h in some[:_SHOWN])}{_more(len(some), _SHOWN)})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _more(count: int, shown: int) -> str:
    return ", ..." if count > shown else ""
