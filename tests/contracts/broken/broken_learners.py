"""Learners, each broken in one way."""

import dataclasses
import random

import torch
from torch import nn

from faultbench.api import HostOnly, UsageError, meta_train, standardise
from faultbench.testing.reference import Reference

FULL = 200
"""Steps of a full training."""


def small(features_shape):
    return nn.Sequential(nn.Flatten(), nn.Linear(features_shape[0] * features_shape[1], 8), nn.ReLU())


class Good(Reference):
    """A small body, meta-trained."""

    meta_trained = True

    def __init__(self):
        super().__init__(body=small)
        self.meta_trained = type(self).meta_trained

    def fit(self, net, tasks, budget, extra_loss=None):
        standardise(net, tasks)
        self.train(net, tasks, budget, extra_loss, budget.steps(FULL))
        return net

    def train(self, net, tasks, budget, extra_loss, steps):
        def loss(batch):
            mine = self.loss(net, batch)
            return mine if extra_loss is None else mine + extra_loss(net, batch)

        meta_train(net, loss, tasks.batches(1), steps=steps, learning_rate=1e-3, progress=budget.progress)


class SaysNothing(Good):
    meta_trained = None


class Unseeded(Good):
    def build(self, shape, parts=None, seed=0):
        net = super().build(shape, parts, seed)
        with torch.no_grad():
            net.body[1].bias.add_(torch.rand(8))
        return net


class ThreeWays(Good):
    def predict(self, net, state, query, physics=None):
        logits = super().predict(net, state, query, physics)
        return torch.cat([logits, logits[:, :1].repeat(1, 3)], 1)[:, :3]


class RefusesTwoWays(Good):
    def build(self, shape, parts=None, seed=0):
        if shape.ways < 3:
            raise UsageError("refuses: two ways are too few: take three")
        return super().build(shape, parts, seed)


class NoPhysics(Good):
    def adapt(self, net, support, labels):
        return super().adapt(net, support, labels)


class TrainedByChance(Good):
    def fit(self, net, tasks, budget, extra_loss=None):
        net = super().fit(net, tasks, budget, extra_loss)
        with torch.no_grad():
            net.mean.add_(random.SystemRandom().random())
        return net


class DoesNotTrain(Good):
    def fit(self, net, tasks, budget, extra_loss=None):
        return net


class TrainsInSecret(Good):
    meta_trained = False


class Diverges(Good):
    def fit(self, net, tasks, budget, extra_loss=None):
        net = super().fit(net, tasks, budget, extra_loss)
        with torch.no_grad():
            net.body[1].bias.fill_(torch.inf)
        return net


class NoBudget(Good):
    def train(self, net, tasks, budget, extra_loss, steps):
        super().train(net, tasks, budget, extra_loss, 6)


class Silent(Good):
    def train(self, net, tasks, budget, extra_loss, steps):
        super().train(net, tasks, dataclasses.replace(budget, progress=lambda done, total: None), extra_loss, steps)


class NeverDone(Good):
    def train(self, net, tasks, budget, extra_loss, steps):
        super().train(net, tasks, dataclasses.replace(budget, progress=lambda done, total: budget.progress(done, FULL)), extra_loss, steps)


class DeafToExtraLoss(Good):
    def train(self, net, tasks, budget, extra_loss, steps):
        super().train(net, tasks, budget, None, steps)


class HearsButDoesNotListen(Good):
    def train(self, net, tasks, budget, extra_loss, steps):
        super().train(net, tasks, budget, extra_loss and (lambda net, batch: 0 * extra_loss(net, batch).detach()), steps)


class InAnAttribute(Good):
    def fit(self, net, tasks, budget, extra_loss=None):
        net = super().fit(net, tasks, budget, extra_loss)
        self.offset = torch.tensor([0.0, 0.1, 0.2])
        return net

    def logits(self, net, state, features):
        return super().logits(net, state, features) + getattr(self, "offset", 0)


class InAnAttributeOfTheNet(Good):
    def fit(self, net, tasks, budget, extra_loss=None):
        net = super().fit(net, tasks, budget, extra_loss)
        net.shift = 5.0
        return net

    def logits(self, net, state, features):
        return super().logits(net, state, features + getattr(net, "shift", 0.0))


class LossPerQuery(Good):
    def loss(self, net, batch):
        return super().loss(net, batch)[None]

    def train(self, net, tasks, budget, extra_loss, steps):
        budget.progress(1, 1)


class DetachedLoss(Good):
    def loss(self, net, batch):
        return super().loss(net, batch).detach() + sum((0 * p).sum() for p in net.parameters())

    def train(self, net, tasks, budget, extra_loss, steps):
        budget.progress(1, 1)


class ListOfTensors(Good):
    def adapt(self, net, support, labels, physics=None):
        return list(super().adapt(net, support, labels, physics).values())


class OverflowingSteps(Good):
    RATE = 1e38

    def step(self, net, state, features, labels):
        return {name: tensor + torch.inf for name, tensor in super().step(net, state, features, labels).items()}


class Probabilities(Good):
    def predict(self, net, state, query, physics=None):
        return super().predict(net, state, query, physics).argmax(1)


class LogOfZero(Good):
    def predict(self, net, state, query, physics=None):
        return torch.log(torch.softmax(1e6 * super().predict(net, state, query, physics), 1))


class DrawsWhenAdapting(Good):
    def adapt(self, net, support, labels, physics=None):
        noise = random.SystemRandom().random()
        return {name: tensor + 1e-3 * noise for name, tensor in super().adapt(net, support, labels, physics).items()}


class ChangesTheNet(Good):
    def adapt(self, net, support, labels, physics=None):
        state = super().adapt(net, support, labels, physics)
        with torch.no_grad():
            net.body[1].bias.add_(0.1)
        return state


class CentresQueries(Good):
    def predict(self, net, state, query, physics=None):
        logits = super().predict(net, state, query, physics)
        return logits - logits.mean(0)


class CountsPadding(Good):
    def step(self, net, state, features, labels):
        return super().step(net, state, features - features.mean(0), labels)


class WithinClassDeviation(Good):
    def adapt(self, net, support, labels, physics=None):
        state = super().adapt(net, support, labels, physics)
        spread = torch.stack([support[labels[:, c] == 1].std(0).mean() for c in range(labels.shape[1])])
        return {**state, "head": state["head"] / spread[:, None]}


class LastComesFirst(Good):
    """The classes of the first rows are what it goes by."""

    def adapt(self, net, support, labels, physics=None):
        first = labels[0].argmax()
        state = dict(super().adapt(net, support, labels, physics))
        state["head"] = state["head"].clone()
        state["head"][first] += 100
        return state


class FavouriteClass(Good):
    def adapt(self, net, support, labels, physics=None):
        state = dict(super().adapt(net, support, labels, physics))
        state["head"] = state["head"] + torch.tensor([0.0, 0.0, 100.0])[: len(state["head"]), None]
        return state


class LearnsNothing(Good):
    def step(self, net, state, features, labels):
        return {name: tensor + 0 for name, tensor in state.items()}


class NoReason(Good):
    def export(self, net, shape):
        return HostOnly("")


class Forest(Good):
    def export(self, net, shape):
        return HostOnly("it is a forest")


class NoGraphs(Good):
    def export(self, net, shape):
        return {"adapt": b""}


class ReservedName(Good):
    def initial(self, net, ways):
        return {"windows": torch.zeros(1), **super().initial(net, ways)}

    def step(self, net, state, features, labels):
        return {"windows": state["windows"] + 1, **super().step(net, {n: t for n, t in state.items() if n != "windows"}, features, labels)}


class DrawnGraphs(Good):
    def export(self, net, shape):
        graphs = super().export(net, shape)
        return dataclasses.replace(graphs, state={name: value + random.SystemRandom().random() for name, value in graphs.state.items()})


class ExportsItsNet(Good):
    def export(self, net, shape):
        graphs = super().export(net, shape)
        net.body[1].bias.add_(1)
        return graphs


class OtherGraphs(Good):
    def logits(self, net, state, features):
        logits = super().logits(net, state, features)
        return logits.roll(1, 1) if torch.compiler.is_exporting() else logits


class SlightlyOtherGraphs(Good):
    def logits(self, net, state, features):
        return super().logits(net, state, features) * (1.01 if torch.compiler.is_exporting() else 1.0)


class TracedSupport(Good):
    """Divides by the number of rows, padding and all."""

    def step(self, net, state, features, labels):
        after = super().step(net, state, features, labels)
        return {**after, "head": after["head"] + (features.shape[0] - labels.sum()) * torch.arange(3.0)[:, None] * 10}


class ReturnsNothing(Good):
    def build(self, shape, parts, seed):
        return None


class Exits(Good):
    def build(self, shape, parts, seed):
        raise SystemExit(1)
