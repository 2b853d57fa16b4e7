"""Shortcut probes: how well something that is no fault explains the labels of a split's own episodes.

A high score proves little where the loudness of a window, the recorder's converter or the mere identity of a bearing would have scored as
high. Each probe answers the target's queries from its one thing alone, learned from the support of the same episode: by the nearest class
mean (the rule of `centroid`) where it is a number, by what the support showed it with where it is a name. Equal answers are drawn, by the
split's seed. The interval is that of any rate: a bootstrap over bearings and seeds.

| probe | sees | a high figure means |
|---|---|---|
| `rms` | how loud a window is | classes differ in level; so may machines that have no fault |
| `impulsiveness` | kurtosis and crest factor | classes differ in how impulsive they are: a crude but honest sign of a fault |
| `extent` | rolloff and bandwidth of the spectrum | a resonance, or the rate or filter that a class was recorded with |
| `offset` | the mean of a window | the amplifier tells the class, nothing of the machine does |
| `step` | the step of the converter | as above, the converter |
| `band-edge` | the top of the band against what is below it | as above, the recorder's filter |
| `own-sensor` | a coarse spectrum without its level | what an untrained spectrum does: to compare the next with |
| `other-sensor` | the same of a sensor that the scenario does not read | session, background or a path through the machine is recognised |
| `bearing` | which bearing it is | the task can be solved by recognising specimens (T0 to T2: always) |
| `session` | which session it is | the task can be solved by recognising recordings (T0: always) |
| `load`, `speed`, `position` | the load, the speed, where in its recording a window lies | the plan of measurements tells the class |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.data.episodes import generator
from faultbench.data.recording import Recording
from faultbench.data.split import Pool, Signals, Split
from faultbench.data.windows import cut
from faultbench.inspection import features
from faultbench.matrix.outcome import joined, outcome
from faultbench.results.outcome import Outcome
from faultbench.results.statistics import rates

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Windows = NDArray[np.float32]

NEARLY, MUCH = 0.85, 0.4
"""From these shares of the way from chance to 1 on, a probe *nearly tells* the classes, or *tells much of* them."""

SURE = 0.95
"""From this recall on a class is told almost surely."""

_EQUAL = 1e-9
"""Distances that differ by less, against the features' size, are equal: rounding must not decide where nothing is known."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one probe scored.

    Args:
        name: Its name, as in the table above.
        sees: What it sees, in words.
        accuracy: As a row's accuracy, or None where the probe could not be asked.
        chance: What guessing scores.
        answered: The share of the queries that it could be asked; the recordings of the others lack what it sees.
        recall: By class, as far as it was asked.
        says: What the figure means, or why there is none, one line.
    """

    name: str
    sees: str
    accuracy: dict[str, Any] | None
    chance: float
    answered: float
    recall: dict[str, float]
    says: str


def probes(splits: Sequence[Split], signals: Callable[[Pool], Signals]) -> list[Probe]:
    """What every probe scores on the episodes of a scenario's splits, one for each seed.

    Args:
        splits: Audited: their episodes add up.
        signals: Gives the signals of a pool, of those channels that it names.
    """
    things: dict[str, _Thing] = {}
    told: dict[str, list[_Told]] = {}
    for seeds in _together(splits):
        for thing, answers in _look(seeds, signals):
            things.setdefault(thing.name, thing)
            told.setdefault(thing.name, []).extend(answers)
    return [_scored(things[name], found) for name, found in told.items()]


@dataclass(frozen=True, slots=True)
class _Thing:
    """What a probe sees, and what it means if that tells the classes.

    Args:
        name: The probe's name.
        sees: What it sees.
        subject: The subject of the sentence on what the figure means.
        so: What follows where it tells the classes.
    """

    name: str
    sees: str
    subject: str
    so: str


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a probe answers to the queries of one split.

    Args:
        predicted: (episode, query window): class numbers.
        answered: (episode, query window): whether it could be asked.
    """

    predicted: Ints
    answered: Bools


_Told = tuple[Split, _Answers | str]
"""What a probe answers to the queries of a split, or why it cannot be asked."""

_OF_THE_RECORDER = "nothing of the machine is needed"
_OF_THE_PLAN = "the plan of the measurements gives classes away"

_OF_SAMPLES: dict[_Thing, Callable[[Windows], Floats]] = {
    _Thing("rms", "loudness", "loudness", "a learner may have learned how loud a machine is"): features.loudness,
    _Thing("impulsiveness", "kurtosis, crest factor", "how impulsive a window is", "one threshold may do"): features.impulsiveness,
    _Thing("offset", "mean", "the offset", _OF_THE_RECORDER): features.offset,
    _Thing("step", "converter's step", "the converter's step", _OF_THE_RECORDER): features.step,
}
_OF_SPECTRUM: dict[_Thing, Callable[[Floats], Floats]] = {
    _Thing("band-edge", "top of the band", "the filter at the top of the band", _OF_THE_RECORDER): features.band_edge,
    _Thing("extent", "rolloff, bandwidth", "the spectrum's extent", "a resonance is enough, or a recorder's rate"): features.extent,
    _Thing("own-sensor", "coarse spectrum", "an untrained spectrum", "what is trained has to beat that"): features.spectrum,
}
_OTHER = _Thing(
    "other-sensor",
    "coarse spectrum",
    "the sensor that is not read",
    "the session, the background or a path through the machine may be what is recognised",
)
_OF_NAME: dict[_Thing, Callable[[Recording], Hashable]] = {
    _Thing("bearing", "which bearing", "the bearing's identity", "recognising specimens solves the task"): lambda r: (r.dataset, r.bearing),
    _Thing("session", "which session", "the session's identity", "recognising recordings solves the task"): lambda r: (
        r.dataset,
        r.session,
    ),
    _Thing("load", "which load", "the load", _OF_THE_PLAN): lambda r: (r.dataset, r.load),
}
_SPEED = _Thing("speed", "speed", "the speed", _OF_THE_PLAN)
_POSITION = _Thing("position", "place in the recording", "the place in the recording", "a drift within recordings gives classes away")


@dataclass(frozen=True, slots=True)
class _Seeds:
    """The episodes of splits that have one target, with each of their windows once.

    Args:
        splits: The splits, one a seed.
        rows: (window, 2): row of the target, first sample.
        support: Per split and episode, the numbers of its support windows.
        query: Likewise of its query windows.
    """

    splits: tuple[Split, ...]
    rows: Ints
    support: tuple[tuple[Ints, ...], ...]
    query: tuple[tuple[Ints, ...], ...]

    @property
    def target(self) -> Pool:
        """The target of all of them."""
        return self.splits[0].target

    @property
    def window(self) -> int:
        """Samples per window."""
        return self.splits[0].window


def _together(splits: Sequence[Split]) -> Iterator[_Seeds]:
    """The splits by their target: what seeds have in common is looked at once."""
    targets: list[list[Split]] = []
    for split in splits:
        alike = next((group for group in targets if (group[0].target, group[0].window) == (split.target, split.window)), None)
        if alike is None:
            targets.append([split])
        else:
            alike.append(split)
    for group in targets:
        halves = [half for split in group for episode in split.episodes for half in (episode.support, episode.query)]
        rows, index = np.unique(np.concatenate(halves), axis=0, return_inverse=True)
        numbers = iter(np.split(index.reshape(-1), np.cumsum([len(half) for half in halves])[:-1]))
        pairs = [[(next(numbers), next(numbers)) for _ in split.episodes] for split in group]
        support, query = (tuple(tuple(pair[half] for pair in one) for one in pairs) for half in (0, 1))
        yield _Seeds(tuple(group), rows, support, query)


def _look(seeds: _Seeds, signals: Callable[[Pool], Signals]) -> Iterator[tuple[_Thing, list[_Told]]]:
    """What each probe answers."""
    windows = cut(signals(seeds.target), seeds.target, seeds.rows, seeds.window)[:, 0]
    for thing, feature in _OF_SAMPLES.items():
        yield thing, _nearest_mean(seeds, thing, feature(windows))
    power = features.power_spectrum(windows)
    for thing, of_spectrum in _OF_SPECTRUM.items():
        yield thing, _nearest_mean(seeds, thing, of_spectrum(power))
    yield from _other_sensors(seeds, signals)
    recordings = [seeds.target.recordings[row] for row in seeds.rows[:, 0].tolist()]
    for thing, name in _OF_NAME.items():
        yield thing, _as_shown(seeds, thing, [(recording.dataset, name(recording)) for recording in recordings])
    speeds = [recording.speed_rpm for recording in recordings]
    known = [speed for speed in speeds if speed is not None]
    if len(known) < len(speeds) or len(set(known)) < 2:
        yield _SPEED, [(split, "every recording has one speed" if known else "the speed is not known") for split in seeds.splits]
    else:
        yield _SPEED, _nearest_mean(seeds, _SPEED, np.array(known)[:, None])
    yield _POSITION, _nearest_mean(seeds, _POSITION, seeds.rows[:, 1:].astype(np.float64))


def _other_sensors(seeds: _Seeds, signals: Callable[[Pool], Signals]) -> Iterator[tuple[_Thing, list[_Told]]]:
    """The same windows as other sensors saw them: the second channel of each recording, the third, and so on."""
    others = {row: _others(seeds.target, row) for row in sorted(set(seeds.rows[:, 0].tolist()))}
    most = max(map(len, others.values()))
    if not most:
        yield _OTHER, [(split, "each recording has one sensor") for split in seeds.splits]
    for number in range(most):
        names = {row: found[number] for row, found in others.items() if len(found) > number}
        sees = f"{_OTHER.sees} of {' and '.join(sorted(set(names.values())))}"
        thing = dataclasses.replace(_OTHER, name=_OTHER.name + f"-{number + 1}" * (most > 1), sees=sees)
        known = np.isin(seeds.rows[:, 0], list(names))
        other = _reading(seeds.target, names)
        found = features.spectrum(features.power_spectrum(cut(signals(other), other, seeds.rows[known], seeds.window)[:, 0]))
        values = np.zeros((len(seeds.rows), found.shape[1]))
        values[known] = found
        yield thing, _nearest_mean(seeds, thing, values, known)


def _others(pool: Pool, row: int) -> list[str]:
    """The channels of a recording that were sampled along with the one that is read."""
    recording = pool.recordings[row]
    read = recording.channel(_read(pool, row))
    alike = [c for c in recording.channels if (c.rate_hz, c.samples) == (read.rate_hz, read.samples)]
    return [channel.name for channel in alike if channel.name != read.name]


def _read(pool: Pool, row: int) -> str:
    """The channel that a pool lays its windows on."""
    return pool.channels[row][0]


def _reading(pool: Pool, names: dict[int, str]) -> Pool:
    """The pool, reading other channels of the rows that are named."""
    return dataclasses.replace(pool, channels=tuple((names.get(row, name),) for row, name in enumerate(pool.leads)))


def _nearest_mean(seeds: _Seeds, thing: _Thing, values: Floats, known: Bools | None = None) -> list[_Told]:
    """Answers by the nearest class mean of the support.

    Args:
        seeds: The episodes.
        thing: What is seen.
        values: (window, feature).
        known: (window,): which windows have it; None, all.
    """
    known = np.ones(len(values), dtype=bool) if known is None else known

    def scores(support: Ints, labels: Ints, query: Ints, ways: int) -> Floats | None:
        shown = [support[(labels == way) & known[support]] for way in range(ways)]
        if not all(map(len, shown)):
            return None
        means = np.stack([values[numbers].mean(axis=0) for numbers in shown])
        size = float((means**2).sum(axis=1).max()) + 1e-30
        nearness: Floats = -((values[query][:, None] - means) ** 2).sum(axis=2) / (_EQUAL * size)
        return nearness

    return _answers(seeds, thing, scores, known)


def _as_shown(seeds: _Seeds, thing: _Thing, names: Sequence[Hashable]) -> list[_Told]:
    """Answers by what the support showed under the same name: the class most of whose support has it; drawn, where none has.

    Args:
        seeds: The episodes.
        thing: What is seen.
        names: Of each window.
    """
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in names])

    def scores(support: Ints, labels: Ints, query: Ints, ways: int) -> Floats:
        shown = np.zeros((len(numbers), ways))
        np.add.at(shown, (codes[support], labels), 1)
        share: Floats = shown[codes[query]] / np.maximum(np.bincount(labels, minlength=ways), 1)
        return share / _EQUAL

    return _answers(seeds, thing, scores, np.ones(len(codes), dtype=bool))


def _answers(seeds: _Seeds, thing: _Thing, scores: Callable[[Ints, Ints, Ints, int], Floats | None], known: Bools) -> list[_Told]:
    """The best way of each query; of several that are equal (within 1 of the best score) one at random.

    Args:
        seeds: The episodes.
        thing: What is seen: its name is what chance is drawn for.
        scores: From the numbers of the support, their labels, the numbers of the queries and the ways to (query, way), or None where the
            support lacks what is seen.
        known: (window,): which windows have what is seen.
    """
    told: list[_Told] = []
    for split, supports, queries in zip(seeds.splits, seeds.support, seeds.query, strict=True):
        rng = generator(split.seed, "probe", split.scenario, thing.name)
        predicted = np.zeros((len(queries), len(queries[0])), dtype=np.int64)
        answered = np.zeros(predicted.shape, dtype=bool)
        for number, (episode, support, query) in enumerate(zip(split.episodes, supports, queries, strict=True)):
            found = scores(support, episode.support_labels, query, split.request.ways)
            if found is not None:
                equal = found >= found.max(axis=1, keepdims=True) - 1
                predicted[number] = np.argmax(rng.random(found.shape) * equal, axis=1)
                answered[number] = known[query]
        told.append((split, _Answers(predicted, answered)))
    return told


def _scored(thing: _Thing, told: Sequence[_Told]) -> Probe:
    chance = float(np.mean([1 / split.request.ways for split, _ in told]))
    asked = [(split, answers) for split, answers in told if not isinstance(answers, str)]
    share = float(np.mean([answers.answered.mean() for _, answers in asked])) if asked else 0.0
    if not share:
        reason = next((answers for _, answers in told if isinstance(answers, str)), "no episode has it in the support of every class")
        return Probe(thing.name, thing.sees, None, chance, 0.0, {}, f"not asked: {reason}")
    together = joined([_asked(outcome(split, answers.predicted), answers.answered) for split, answers in asked])
    right = together.label == together.predicted
    recall = {str(label): float(right[together.label == label].mean()) for label in np.unique(together.label)}
    accuracy = rates(together)["accuracy"]
    says = "" if accuracy is None else _meaning(thing, accuracy, chance, recall)
    return Probe(thing.name, thing.sees, accuracy, chance, share, recall, says)


def _asked(answered: Outcome, which: Bools) -> Outcome:
    """The queries that a probe could be asked."""
    columns = {f.name: getattr(answered, f.name) for f in dataclasses.fields(answered) if f.name != "ways"}
    return Outcome(**{name: column[which.reshape(-1)] for name, column in columns.items()}, ways=answered.ways)


def _meaning(thing: _Thing, accuracy: dict[str, Any], chance: float, recall: dict[str, float]) -> str:
    mean, low = accuracy["mean"], accuracy["ci_low"]
    share = (mean - chance) / (1 - chance)
    # A bootstrap over bearings has no interval where one alone is asked for: how far a mean is from chance by chance, nobody knows.
    alone = (
        f"one {'faulty specimen' if accuracy['fault_units'] else 'healthy specimen or session'} gives no interval" if low is None else ""
    )
    beside = f" ({alone})" if alone else ""
    if share >= NEARLY:
        return f"{thing.subject} nearly tells the classes: {thing.so}{beside}"
    if share >= MUCH:
        sure = [label for label, value in recall.items() if value >= SURE]
        return f"{thing.subject} tells much of the classes{f', {_some(sure)} almost surely' if sure else ''}{beside}"
    if alone:
        return f"nothing can be said of {thing.subject}: {alone}"
    if low > chance:
        return f"{thing.subject} tells a little of the classes"
    return f"{thing.subject} tells next to nothing"


def _some(labels: Sequence[str], most: int = 3) -> str:
    shown = [*labels[:most], *([f"{len(labels) - most} more"] if len(labels) > most else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
