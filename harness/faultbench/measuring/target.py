"""The contract of a target: something that runs an artifact on episodes, and says what came out and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Kind = Literal["measured", "emulated", "estimated"]
"""The kind of evidence: the named device ran it; its instruction set ran it elsewhere; a model of the device gave it."""


@dataclass(frozen=True, slots=True)
class EpisodeWindows:
    """Episodes as they go to a device: each window once, episodes as indices into them.

    Args:
        windows: (window, channel, sample), float32.
        support: (episode, support window): indices into `windows`.
        support_labels: (episode, support window): class numbers.
        query: (episode, query window): indices into `windows`.
        speed_rpm: (window,), or None where a speed is unknown.
        orders: (window, 4): BPFO, BPFI, BSF, FTF, or None where a geometry is unknown.
    """

    windows: NDArray[np.float32]
    support: NDArray[np.int64]
    support_labels: NDArray[np.int64]
    query: NDArray[np.int64]
    speed_rpm: NDArray[np.float32] | None = None
    orders: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long is measured.

    Args:
        warmup: Queries that are run first and not counted.
        queries: Queries timed one by one, taken across episodes.
        audit_rounds: Interleaved rounds of the repeat audit (one query repeated against different ones).
        threads: Threads of the runtime.
    """

    warmup: int = 50
    queries: int = 1000
    audit_rounds: int = 20
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Device:
    """What ran it. `fingerprint` is a digest of everything here that can change a time."""

    name: str
    arch: str
    cpu: str
    cores: int
    memory_bytes: int
    os: str
    versions: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a target returns. Times are in seconds.

    Args:
        kind: The kind of evidence.
        device: What ran it.
        predictions: (episode, query window): class numbers; what every accuracy is computed from.
        logits: (episode, query window, way), float32; what parity is checked on.
        finetune_s: (episode,): raw support windows to deployed state.
        latency_s: (timed query,): raw window to class, one by one.
        network_s: (timed query,): features to class, one by one.
        load_s: From nothing to loaded sessions.
        first_s: The first query after loading.
        peak_rss_bytes: The peak resident memory of the process that ran it, the episodes' windows included, or None.
        void: Why the times cannot be trusted, or empty.
        notes: What else the target wants said.
    """

    kind: Kind
    device: Device
    predictions: NDArray[np.int64]
    logits: NDArray[np.float32]
    finetune_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    network_s: NDArray[np.float64]
    load_s: float
    first_s: float
    peak_rss_bytes: int | None
    void: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


class Target(Protocol):
    """The contract of a target."""

    def probe(self) -> Device:
        """What would run an artifact.

        Raises:
            CellError: It cannot be reached; the message says what to do.
        """
        ...

    def run(self, artifact: Path, episodes: EpisodeWindows, timing: Timing) -> Measurement:
        """Adapts to each episode's support, predicts its queries, and times both.

        Raises:
            CellError: The artifact did not run; the message holds what the runner said last.
        """
        ...
