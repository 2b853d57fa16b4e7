"""The contracts of what learns and of what compresses it.

Arrays are tensors, (batch, channel, sample), float32. A *state* is what adaptation changes: tensors by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

if TYPE_CHECKING:
    from faultbench.artifact.format import Graphs
    from faultbench.learning.net import Net
    from faultbench.learning.tasks import Tasks

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class NetShape:
    """What a net is built for.

    Args:
        window: Samples per window.
        rate_hz: Samples per second.
        channels: Channels per window.
        ways: Classes.
        support_rows: Support windows of an episode at most.
        slow: (channel,) which channels have a level in a window and no spectrum: a temperature that is held. Empty: none.
        physics: Whether speed and geometry of every recording are known, so that a front end can ask for them.
    """

    window: int
    rate_hz: float
    channels: int
    ways: int
    support_rows: int
    slow: tuple[bool, ...] = ()
    physics: bool = False


@dataclass(frozen=True, slots=True)
class Physics:
    """What is known of the machine at each window. Any axes may stand before those given.

    Args:
        speed_rpm: (window,) shaft speed, rev/min.
        orders: (window, 4) BPFO, BPFI, BSF and FTF per turn of the shaft.
    """

    speed_rpm: Tensor
    orders: Tensor

    def flatten(self) -> Physics:
        """With all axes before the orders' as one."""
        return Physics(self.speed_rpm.flatten(), self.orders.flatten(0, -2))


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """Source tasks, equally shaped.

    Args:
        support: (task, support window, channel, sample).
        support_labels: (task, support window), class numbers.
        query: (task, query window, channel, sample).
        query_labels: (task, query window).
        support_physics: (task, support window), or None where it is not known of every recording.
        query_physics: (task, query window), likewise.
    """

    support: Tensor
    support_labels: Tensor
    query: Tensor
    query_labels: Tensor
    support_physics: Physics | None = None
    query_physics: Physics | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a learner may train, and how it says where it is.

    Args:
        scale: 1 for a full run; a quick run and the training after a compression have less.
        seed: What all randomness of the training is derived from.
        progress: Called with (steps done, steps in all).
    """

    scale: float = 1.0
    seed: int = 0
    progress: Callable[[int, int], None] = lambda _done, _total: None

    def steps(self, full: int) -> int:
        """`full` optimiser steps scaled to this budget, at least one."""
        return max(1, round(full * self.scale))


@dataclass(frozen=True, slots=True)
class HostOnly:
    """A learner's answer when it cannot be exported."""

    reason: str


class FrontEnd(Protocol):
    """From raw windows to features, inside the graph."""

    def module(self, shape: NetShape) -> nn.Module:
        """A module from (n, channel, sample) to features, exportable to ONNX, without trainable parameters unless it says so.

        A module with an attribute `physics` that is true is called with `speed_rpm` (n,) and `orders` (n, 4) beside the windows.

        Raises:
            NotApplicable: The windows do not have what it needs (`shape.physics`, channels that are not slow).
            UsageError: Its parameters do not fit the windows.
        """
        ...


class Backbone(Protocol):
    """From features to an embedding."""

    def module(self, features_shape: tuple[int, ...], width: int) -> nn.Module:
        """A module from (n, *features_shape) to (n, d). Each row's result depends on that row alone."""
        ...


class Parts(Protocol):
    """Where a learner gets the parts that it names in its parameters."""

    def frontend(self, name: str) -> FrontEnd:
        """The front end of that name (`welch`, `welch:segment=128`).

        Raises:
            UsageError: There is none.
        """
        ...

    def backbone(self, name: str) -> Backbone:
        """The backbone of that name.

        Raises:
            UsageError: There is none.
        """
        ...


class Learner(Protocol):
    """A few-shot learner. Its reference semantics are in torch; what is scored is what its exported graphs return.

    `meta_trained` says whether `fit` learns anything from the source.
    """

    meta_trained: bool

    def build(self, shape: NetShape, parts: Parts, seed: int) -> Net:
        """An untrained net, initialised from `seed` alone."""
        ...

    def fit(self, net: Net, tasks: Tasks, budget: Budget, extra_loss: ExtraLoss | None = None) -> Net:
        """Meta-training, on source tasks only. A learner without meta-training returns the net as it is."""
        ...

    def loss(self, net: Net, batch: TaskBatch) -> Tensor:
        """The mean loss on the queries of source tasks after adapting to their support, differentiable to the net."""
        ...

    def adapt(self, net: Net, support: Tensor, labels: Tensor, physics: Physics | None = None) -> State:
        """The state after adapting to raw support windows (k, channel, sample) with one-hot labels (k, way)."""
        ...

    def predict(self, net: Net, state: State, query: Tensor, physics: Physics | None = None) -> Tensor:
        """Logits (n, way) of raw query windows (n, channel, sample)."""
        ...

    def export(self, net: Net, shape: NetShape) -> Graphs | HostOnly:
        """The graphs of an artifact, with the same semantics as `adapt` and `predict`."""
        ...


ExtraLoss = Callable[["Net", TaskBatch], Tensor]
"""A further term of the meta-loss: a distillation, say."""


class CompressContext(Protocol):
    """What the harness gives to a compressor of a model."""

    shape: NetShape
    learner: Learner

    def fit(self, net: Net, extra_loss: ExtraLoss | None = None) -> Net:
        """Continues the meta-training of a net on the source tasks, for part of the budget."""
        ...

    def batches(self, tasks: int) -> Iterator[TaskBatch]:
        """Batches of `tasks` source tasks, endlessly, seeded: to weigh filters on."""
        ...


class ModelCompressor(Protocol):
    """A compressor of a trained model."""

    def compress(self, net: Net, ctx: CompressContext) -> tuple[Net, Mapping[str, object]]:
        """A smaller net, and what was achieved, by name (`removed`: the fraction of filters; `label`: what the row must say).

        Raises:
            NotApplicable: The learner has nothing that this compresses.
        """
        ...
