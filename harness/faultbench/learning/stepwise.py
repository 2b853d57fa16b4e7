"""A learner that adapts in steps of one function: reference semantics and export follow from three functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import onnx
import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from faultbench.artifact.format import PHYSICS, Graphs
from faultbench.learning.contracts import HostOnly, NetShape, Physics, State, TaskBatch
from faultbench.learning.export import to_onnx, trace
from faultbench.learning.loss import cross_entropy
from faultbench.learning.net import Net


class StepwiseLearner(ABC):
    """A learner whose adaptation applies one function `steps` times.

    A subclass says where adaptation begins, what one step does, and how a query is classified; all three see features, not
    raw windows, and may hold gradients (`torch.func.grad`). What is run in torch and what is exported is then the same.
    """

    steps: int
    meta_trained: bool = False

    @abstractmethod
    def initial(self, net: Net, ways: int) -> State:
        """The state that adaptation begins from."""

    @abstractmethod
    def step(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """The state after one step. Labels are one-hot (k, way); a row of zeros is padding and changes nothing."""

    @abstractmethod
    def logits(self, net: Net, state: State, features: Tensor) -> Tensor:
        """(n, way), each row from that row's features alone."""

    def adapted(self, net: Net, state: State, features: Tensor, labels: Tensor) -> State:
        """The state after all steps, for training. A subclass may come to the same more cheaply."""
        for _ in range(self.steps):
            state = self.step(net, state, features, labels)
        return state

    def loss(self, net: Net, batch: TaskBatch) -> Tensor:
        """The mean loss on the queries after adapting to the support, differentiable through every step: a meta-loss."""
        ways = int(batch.support_labels.max()) + 1
        with torch.no_grad():
            support, query = (
                net.features(x.flatten(0, 1), physics and physics.flatten()).reshape(*x.shape[:2], *net.features_shape)
                for x, physics in ((batch.support, batch.support_physics), (batch.query, batch.query_physics))
            )

        def task_loss(support: Tensor, support_labels: Tensor, query: Tensor, query_labels: Tensor) -> Tensor:
            state = self.adapted(net, self.initial(net, ways), support, support_labels)
            return cross_entropy(self.logits(net, state, query), query_labels)

        support_labels, query_labels = (F.one_hot(y, ways).to(support.dtype) for y in (batch.support_labels, batch.query_labels))
        losses: Tensor = vmap(task_loss)(support, support_labels, query, query_labels)
        return losses.mean()

    def adapt(self, net: Net, support: Tensor, labels: Tensor, physics: Physics | None = None) -> State:
        """The state after adapting to raw support windows (k, channel, sample) with one-hot labels (k, way)."""
        with torch.no_grad():
            features = net.features(support, physics)
        state = {name: tensor.detach() for name, tensor in self.initial(net, labels.shape[1]).items()}
        for _ in range(self.steps):
            state = {name: tensor.detach() for name, tensor in self.step(net, state, features, labels).items()}
        return state

    def predict(self, net: Net, state: State, query: Tensor, physics: Physics | None = None) -> Tensor:
        """Logits (n, way) of raw query windows (n, channel, sample)."""
        with torch.no_grad():
            return self.logits(net, state, net.features(query, physics))

    def export(self, net: Net, shape: NetShape) -> Graphs | HostOnly:
        """The graphs of an artifact."""
        net = net.eval().requires_grad_(False)
        state = {name: tensor.detach().clone() for name, tensor in self.initial(net, shape.ways).items()}
        names, tensors = list(state), list(state.values())
        windows = torch.randn(shape.support_rows, shape.channels, shape.window, generator=torch.Generator().manual_seed(0))
        known = Physics(torch.full((shape.support_rows,), 1800.0), torch.tensor([[3.6, 5.4, 2.4, 0.4]]).expand(shape.support_rows, 4))
        features = net.features(windows, known)
        raw = [windows, *((known.speed_rpm, known.orders) if net.physical else ())]
        labels = torch.eye(shape.ways)[torch.arange(shape.support_rows) % shape.ways]

        def step(features: Tensor, labels: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
            after = self.step(net, dict(zip(names, tensors, strict=True)), features, labels)
            # Every output is a tensor of its own: a name that is input and output at once is no ONNX graph.
            return tuple(after[name] if after[name] is not before else before + 0 for name, before in zip(names, tensors, strict=True))

        predict = to_onnx(_Logits(self, net, names), [features[:2], tensors], ["features", *names], ["logits"], batched=1)
        deployed = {i.name for i in onnx.load_from_string(predict).graph.input}
        return Graphs(
            features=to_onnx(
                _Features(net), [x[:2].clone() for x in raw], ["windows", *PHYSICS][: len(raw)], ["features"], batched=len(raw)
            ),
            adapt=to_onnx(
                trace(step, [features, labels, *tensors]),
                [features, labels, *tensors],
                ["features", "labels", *names],
                [f"new.{name}" for name in names],
                batched=0,
            ),
            predict=predict,
            state={name: tensor.numpy() for name, tensor in state.items()},
            steps=self.steps,
            support_rows=shape.support_rows,
            info={
                "params": sum(tensor.numel() for name, tensor in state.items() if name in deployed),
                "macs": _macs(_Logits(self, net, names), features[:1], tensors),
                "features_macs": _macs(_Features(net), *(x[:1] for x in raw)),
            },
        )


class _Features(nn.Module):
    """Raw windows to features, as a module that the exporter takes."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, windows: Tensor, speed_rpm: Tensor | None = None, orders: Tensor | None = None) -> Tensor:
        return self.net.features(windows, None if speed_rpm is None or orders is None else Physics(speed_rpm, orders))


class _Logits(nn.Module):
    """Features and state to logits, as a module that the exporter takes."""

    def __init__(self, learner: StepwiseLearner, net: Net, names: Sequence[str]) -> None:
        super().__init__()
        self.learner, self.net, self.names = learner, net, names

    def forward(self, features: Tensor, state: list[Tensor]) -> Tensor:
        return self.learner.logits(self.net, dict(zip(self.names, state, strict=True)), features)


def _macs(module: nn.Module, *inputs: object) -> int:
    """Multiply-accumulates of one call, as torch counts them in matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return int(counter.get_total_flops()) // 2
