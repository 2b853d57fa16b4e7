"""What a scenario makes of catalogues: a pool of source recordings, a pool of target recordings, and the target's episodes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import Catalogue, Recording
from faultbench.errors import PluginError
from faultbench.names import shown

ONE_RIG = "one rig"
"""The note of a T2 or T3 split of data that have a single mounting, which therefore cannot be parted by mounting."""

COLUMNS = ("recordings", "channels", "labels", "conditions", "parts")
"""The columns of a pool that every pool has, one entry per recording."""

Signals = Mapping[tuple[str, str, str], NDArray[np.float32]]
"""The signals by (data set, recording id, channel name); reading one is cheap (a memory map)."""


@dataclass(frozen=True, slots=True)
class EpisodeRequest:
    """The shape of the episodes.

    Args:
        ways: Classes per episode; 0 takes the scenario's default.
        shots: Support windows per class.
        shots_rare: Support windows of the one fault class whose turn it is to be rare.
        queries: Query windows per class.
        episodes: Episodes per seed.
    """

    ways: int = 0
    shots: int = 5
    shots_rare: int = 5
    queries: int = 15
    episodes: int = 100


@dataclass(frozen=True, slots=True)
class Pool:
    """Recordings of one side of a split, with the rule by which an episode is drawn from them. Equal length throughout.

    Args:
        recordings: The recordings.
        channels: The channels that are read of each, the lead first: a window is laid on the lead's samples, and what is slower is
            held (`windows.cut`). As many for every recording, and at one rate for each place in the order.
        labels: The class of each, as the scenario names it.
        conditions: What one way of an episode keeps to: a way is one condition, and no two ways of an episode have one label.
        parts: What support and query of one way never share: the load at T2, the bearing at T3. Where `apart` is false: what they
            share.
        together: Whether the supports of all ways come from the same part (at T2 one load, else the load gives the class away).
        apart: Whether support and query of a way come from different parts. At T0 they come from one and the same.
        spans: The samples that may be used of each recording, as (first, behind the last); empty where that is all of every one.
            At T0 source and target share recordings, by halves.
    """

    recordings: tuple[Recording, ...]
    channels: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    conditions: tuple[str, ...]
    parts: tuple[str, ...]
    together: bool
    apart: bool = True
    spans: tuple[tuple[int, int], ...] = ()

    def only(self, rows: Sequence[int]) -> Pool:
        """The pool of some of its recordings, by their numbers."""
        named = (*COLUMNS, "spans") if self.spans else COLUMNS
        columns: dict[str, Any] = {name: tuple(getattr(self, name)[row] for row in rows) for name in named}
        return dataclasses.replace(self, **columns)

    @property
    def leads(self) -> tuple[str, ...]:
        """The lead channel of each recording."""
        return tuple(channels[0] for channels in self.channels)

    def samples(self, row: int) -> int | None:
        """The samples of a recording's lead channel for which all its channels are known; None where a length is not known.

        A slower channel's sample stands until the next one would be due.
        """
        lead, *beside = (self.recordings[row].channel(name) for name in self.channels[row])
        lengths = [lead.samples, *(c.samples and math.ceil(c.samples * lead.rate_hz / c.rate_hz) for c in beside)]
        known = [length for length in lengths if length is not None]
        return min(known) if len(known) == len(lengths) else None


@dataclass(frozen=True, slots=True)
class Episode:
    """One few-shot task.

    Args:
        classes: The labels of the ways, in the order of the class numbers below.
        rare: The number of the class whose turn it is to be rare.
        support: (support window, 2): index into the pool's recordings, first sample. Ordered by class.
        support_labels: (support window,): class numbers.
        query: (query window, 2), likewise.
        query_labels: (query window,).
    """

    classes: tuple[str, ...]
    rare: int
    support: NDArray[np.int64]
    support_labels: NDArray[np.int64]
    query: NDArray[np.int64]
    query_labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """The source tasks' material and the target's episodes of one seed.

    Args:
        scenario: The scenario's canonical name.
        level: A level that the audit knows (`audit.PROMISES`).
        note: What has to be said beside the level (`one rig`), else empty.
        seed: The seed it was drawn with.
        window: Samples per window.
        rate_hz: The common rate of the lead channels.
        request: With `ways` filled in.
        source: What learners may train on.
        target: What episodes are made of; learners never see it.
        episodes: The target's episodes.
        left_out: What belongs to neither side, as `data set/recording id`: what would have carried something of the target
            over to the source, and classes that cannot be a way.
    """

    scenario: str
    level: str
    note: str
    seed: int
    window: int
    rate_hz: float
    request: EpisodeRequest
    source: Pool
    target: Pool
    episodes: tuple[Episode, ...]
    left_out: tuple[str, ...] = ()


def as_asked(made: object, scenario: str, seed: int) -> Split:
    """What a scenario made, where it is a split of the seed that was asked for.

    Training, the intervals' seeds and the rows of a run go by `Split.seed`: under another one a seed would be counted twice.

    Args:
        made: What `split` returned.
        scenario: The scenario's name, for the message.
        seed: What `split` was called with.

    Raises:
        PluginError: It is no split, or says another seed.
    """
    if not isinstance(made, Split):
        raise PluginError(f"scenario {scenario}: split returns {type(made).__name__}: return a Split (make_split makes one)")
    if made.seed != seed:
        raise PluginError(
            f"scenario {scenario} says seed {shown(str(made.seed))} where {seed} was asked: "
            "give the split the seed that split() was called with"
        )
    return made


def on_one_rig(note: str) -> bool:
    """Whether a split's note says that its data have a single mounting; more may be said behind it."""
    return note.partition("; ")[0] == ONE_RIG


class Scenario(Protocol):
    """The contract of a scenario: a policy of splitting, with the labels and the isolation level that go with it.

    A scenario that trains on other data sets than the one it tests on has an attribute `base` beside: what the signals of all are brought
    to (`data.resampling`). It then gets several catalogues, the target's first; any other gets one. A scenario that reads something beside
    its parameters, a file say, has an attribute `content`: a digest of what it read.
    """

    level: str

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed. The channels of the catalogues know how many samples they hold.

        Raises:
            IsolationError: The data cannot keep the level; the message says why.
            UsageError: The request contradicts the scenario (too many ways, say).
        """
        ...
