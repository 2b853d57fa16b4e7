"""The contract of a learner: built from a seed, trained on the source within a budget, adapted to a support, exported with one meaning."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from faultbench.artifact.format import Graphs
from faultbench.artifact.runner import Artifact, RunError
from faultbench.errors import FaultbenchError, NotApplicable, UsageError
from faultbench.learning import parity
from faultbench.learning.contracts import HostOnly, TaskBatch
from faultbench.learning.net import Net, load_net, save_net
from faultbench.learning.repeatable import repeatable
from faultbench.learning.stepwise import StepwiseLearner
from faultbench.testing.checks import Checks, NotAsked, broken, require
from faultbench.testing.episodes import SHAPE, WAYS, rows_of, source_tasks, target_task
from faultbench.testing.learner_bench import LITTLE, MORE, Bench, agreement, close, on_device, same, tensors

__all__ = ["CHECKS", "Bench"]

CHECKS = Checks()

ALIKE = 0.9
"""The share of queries that must keep their answer where rounding or a random head may change some."""
EPISODES = 4
"""Episodes of the question whether it learns anything."""


@CHECKS.promise("it says whether it is meta-trained")
def _says_meta_trained(bench: Bench) -> None:
    said = getattr(bench.part, "meta_trained", None)
    require(isinstance(said, bool), f"meta_trained is {said!r}", "set it to True if `fit` learns anything from the source, else to False")


@CHECKS.promise("it is built from its seed alone")
def _seeded(bench: Bench) -> None:
    nets = []
    for state in (1, 2):
        with repeatable(state):
            nets.append(tensors(bench.build(7, learner=bench.another())))
    require(
        same(*nets), "built twice from one seed, it is two nets", "draw weights under torch.random.fork_rng with torch.manual_seed(seed)"
    )


@CHECKS.promise("it can be built for any number of ways and channels")
def _shapes(bench: Bench) -> None:
    task = bench.task
    first_two = task.of(task.labels[:, :2].sum(1) > 0)
    two = dataclasses.replace(first_two, labels=first_two.labels[:, :2])
    several = dataclasses.replace(task, support=task.support.repeat(1, 2, 1), query=task.query.repeat(1, 2, 1))
    for what, changed, given in (
        ("2 ways", dataclasses.replace(SHAPE, ways=2, support_rows=len(two.support)), two),
        ("2 channels", dataclasses.replace(SHAPE, channels=2, slow=(False, False)), several),
    ):
        try:
            net = bench.build(1, changed)
        except (UsageError, NotApplicable) as error:
            if changed.channels == 1:
                broken(f"built for {what}, it refuses ({error})", "take the ways from the shape")
            continue  # its front end may want one channel
        logits = bench.answer(given, net)
        require(
            logits.shape == (len(task.query), changed.ways),
            f"built for {what}, its logits are {tuple(logits.shape)}",
            "take ways and channels from the shape",
        )


@CHECKS.promise("training twice gives the same net")
def _same_training(bench: Bench) -> None:
    require(
        same(tensors(bench.trained), tensors(bench.train(LITTLE)[0])),
        "trained twice from one seed, it is two nets",
        "draw by `budget.seed` and by torch's global generator, and by nothing else",
    )


@CHECKS.promise("training changes something, or it says that it is not meta-trained")
def _trains(bench: Bench) -> None:
    changed = not same(tensors(bench.built), tensors(bench.trained))
    if bench.part.meta_trained:
        require(changed, "it is meta_trained, and `fit` changes no tensor of the net", "set meta_trained to False, or train")
    else:
        require(not changed, "it is not meta_trained, and `fit` changes the net", "set meta_trained to True: rows and compressors go by it")
    for name, tensor in tensors(bench.trained).items():
        require(torch.isfinite(tensor).all(), f"after training, {name} is not finite", "clip the gradient, or take a smaller step")


@CHECKS.promise("training keeps to its budget")
def _budget(bench: Bench) -> None:
    _, little, said = bench.train(LITTLE)
    _, more, _ = bench.train(MORE)
    if not more.taken:
        raise NotAsked("its training draws no tasks")
    require(
        more.taken > little.taken or more.taken <= 2,
        f"it draws {little.taken} batches for {LITTLE} of the budget and {more.taken} for {MORE}",
        "take budget.steps(full) optimiser steps",
    )
    require(said, "its training never says where it is", "call budget.progress(done, total) after every step")
    steps = [done for done, _ in said]
    require(
        steps == sorted(steps) and said[-1][0] == said[-1][1],
        f"its training says it is at {said[-1][0]} of {said[-1][1]} at the end",
        "count the steps done, up to the total",
    )


@CHECKS.promise("training hears an extra loss")
def _extra_loss(bench: Bench) -> None:
    heard = []

    def extra(net: Net, batch: TaskBatch) -> Tensor:
        heard.append(batch)
        return sum(((p * p).sum() for p in net.parameters()), torch.zeros(()))

    net, tasks, _ = bench.train(LITTLE, extra)
    if not tasks.taken:
        raise NotAsked("its training draws no tasks")
    require(heard, "`fit` never calls extra_loss", "add extra_loss(net, batch) to the meta-loss: a distillation says what it wants by it")
    require(
        not same(tensors(net), tensors(bench.trained)),
        "extra_loss does not change the training",
        "add it to the meta-loss before the backward pass",
    )


@CHECKS.promise("training keeps everything in the net")
def _stored(bench: Bench) -> None:
    folder = bench.folder("net")
    save_net(bench.trained, folder)
    other = bench.another()
    loaded = load_net(bench.build(1, learner=other), folder)
    require(
        close(bench.answer(bench.task, loaded, other), bench.logits),
        "stored, and loaded by another instance, its net gives other answers",
        "keep what training finds in the net's parameters and buffers (net.learn), never in attributes",
    )


@CHECKS.promise("its loss is a number that training can follow")
def _loss(bench: Bench) -> None:
    net = bench.trained
    batch = next(source_tasks().batches(2))
    learned = [p for p in net.parameters() if p.requires_grad] if bench.part.meta_trained else []
    loss = bench.part.loss(net, batch)
    require(
        isinstance(loss, Tensor) and loss.shape == () and bool(torch.isfinite(loss)),
        f"loss(net, batch) is {loss}",
        "return the mean over queries, a finite scalar",
    )
    if not learned:
        return
    found = torch.autograd.grad(loss, learned, allow_unused=True)
    reached = any(gradient is not None and bool(gradient.abs().max() > 0) for gradient in found)
    require(reached, "the gradient of its loss reaches no parameter", "adapt without detaching: compressors weigh filters by this gradient")
    finite = all(gradient is None or bool(torch.isfinite(gradient).all()) for gradient in found)
    require(finite, "the gradient of its loss is not finite", "add a small constant before a division or a root")


@CHECKS.promise("adapting gives finite tensors by name")
def _state(bench: Bench) -> None:
    state = bench.state
    named = isinstance(state, Mapping) and all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items())
    require(named, f"adapt returns {type(state).__name__}", "return a mapping of names to tensors")
    for name, tensor in state.items():
        require(
            torch.isfinite(tensor).all(),
            f"after adapting, {name} is not finite",
            "take smaller steps, or add a small constant before a division",
        )


@CHECKS.promise("logits are float32, (query, way), and finite")
def _logits(bench: Bench) -> None:
    logits = bench.logits
    expected = (len(bench.task.query), WAYS)
    require(
        isinstance(logits, Tensor) and logits.dtype == torch.float32 and logits.shape == expected,
        f"predict returns {logits.dtype if isinstance(logits, Tensor) else type(logits).__name__} {tuple(getattr(logits, 'shape', ()))}",
        f"return float32 {expected}",
    )
    require(torch.isfinite(logits).all(), "its logits are not finite", "leave out logarithms of zero")


@CHECKS.promise("adapting twice gives the same state")
def _same_state(bench: Bench) -> None:
    again = bench.adapt(bench.task)
    require(
        same(dict(bench.state), dict(again)),
        "adapted twice to one support, it has two states",
        "draw nothing, and keep nothing, when adapting",
    )


@CHECKS.promise("adapting leaves the net as it was")
def _net_stays(bench: Bench) -> None:
    net = bench.trained
    before = {name: tensor.clone() for name, tensor in tensors(net).items()}
    bench.answer(bench.task)
    require(same(before, tensors(net)), "adapting or predicting changes the net", "change copies: one episode must know nothing of another")


@CHECKS.promise("a query's answer depends on that query alone")
def _alone(bench: Bench) -> None:
    rows = [slice(row, row + 1) for row in range(len(bench.task.query))]
    ones = [
        dataclasses.replace(bench.task, query=bench.task.query[row], query_physics=rows_of(bench.task.query_physics, row)) for row in rows
    ]
    alone = torch.cat([bench.predict(bench.state, one) for one in ones])
    require(
        close(alone, bench.logits),
        "a query alone has other logits than among others",
        "take no statistics over queries: a device gets them one by one",
    )


@CHECKS.promise("a row of zeros among the labels is padding")
def _padding(bench: Bench) -> None:
    task = bench.task
    generator = torch.Generator().manual_seed(5)
    for what, rows in (
        ("noise", torch.randn(3, *task.support.shape[1:], generator=generator)),
        ("silence", torch.zeros(3, *task.support.shape[1:])),
    ):
        require(
            close(bench.answer(task.padded(rows)), bench.logits),
            f"rows of {what} whose labels are zeros change its answers",
            "weigh every row of the support by its label: labels.sum(1) is 0 for padding",
        )


@CHECKS.promise("a class may have a single sample")
def _single(bench: Bench) -> None:
    task = bench.task
    last = torch.nonzero(task.labels[:, WAYS - 1])[:, 0]
    keep = torch.ones(len(task.labels), dtype=torch.bool)
    keep[last[1:]] = False
    logits = bench.answer(task.of(keep))
    require(
        torch.isfinite(logits).all(), "with a single sample of a class, its logits are not finite", "divide by no deviation within a class"
    )


@CHECKS.promise("the order of the support changes nothing")
def _order(bench: Bench) -> None:
    task = bench.task
    turned, mixed = torch.arange(len(task.support)).flip(0), torch.randperm(len(task.support), generator=torch.Generator().manual_seed(2))
    for order in (turned, mixed):
        share = agreement(bench.answer(task.of(order)), bench.logits)
        require(share >= ALIKE, f"with the support in another order, {1 - share:.0%} of the answers change", "let no row know its place")


@CHECKS.promise("other class numbers mean the same classes")
def _renamed(bench: Bench) -> None:
    task = bench.task
    turned = torch.roll(torch.arange(1, WAYS), 1)
    numbers = torch.cat([torch.zeros(1, dtype=torch.int64), turned])  # class 0 stays: it is healthy wherever the data have healthy
    renamed = bench.answer(dataclasses.replace(task, labels=task.labels[:, numbers]))
    share = agreement(renamed, bench.logits[:, numbers])
    require(
        share >= ALIKE,
        f"with the classes numbered otherwise, {1 - share:.0%} of the answers change",
        "learn nothing about class numbers: they mean nothing from one episode to the next",
    )


@CHECKS.promise("it learns from the support")
def _learns(bench: Bench) -> None:
    found = []
    for seed in range(EPISODES):
        task = target_task(seed)
        found.append(float((bench.answer(task).argmax(1) == task.truth).float().mean()))
    chance, accuracy = 1 / WAYS, float(np.mean(found))
    require(
        accuracy > (1 + chance) / 2,
        f"on classes that an untrained class mean tells apart, it is right in {accuracy:.0%} (chance is {chance:.0%})",
        "look at the size of its steps, at the scale of its features, and at which logit belongs to which class",
    )


@CHECKS.promise("it can be exported, or says in one line why not")
def _exports(bench: Bench) -> None:
    _, graphs = bench.exported
    if isinstance(graphs, HostOnly):
        reason = graphs.reason
        require(reason.strip() and reason.isprintable(), f"HostOnly says {reason!r}", "say in one line why it cannot be exported")
    else:
        require(isinstance(graphs, Graphs), f"export returns {type(graphs).__name__}", "return Graphs, or HostOnly with the reason")


@CHECKS.promise("its graphs are an artifact")
def _artifact(bench: Bench) -> None:
    try:
        Artifact(bench.artifact)
    except (FaultbenchError, RunError) as error:
        broken(
            f"no artifact comes of its graphs ({error})",
            "keep to the format: `faultbench.artifact.format` says what each graph takes and gives",
        )


@CHECKS.promise("exporting twice gives the same graphs")
def _same_graphs(bench: Bench) -> None:
    first = bench.graphs
    with repeatable(1):
        again = bench.part.export(copy.deepcopy(bench.trained), SHAPE)
    require(
        isinstance(again, Graphs) and _bytes(first) == _bytes(again),
        "exported twice, it has other graphs",
        "draw nothing when exporting, and name nothing by a counter",
    )


@CHECKS.promise("exporting leaves the net as it was")
def _export_leaves(bench: Bench) -> None:
    exported, _ = bench.exported
    require(same(tensors(exported), tensors(bench.trained)), "exporting changes the net", "export a copy of what has to be changed for it")


@CHECKS.promise("the device answers as torch does")
def _parity(bench: Bench) -> None:
    share = agreement(on_device(Artifact(bench.artifact), bench.task), bench.logits)
    require(
        share >= ALIKE,
        f"{1 - share:.0%} of the device's answers are not torch's",
        "export the functions that adapt and predict use, and no others",
    )
    if isinstance(bench.part, StepwiseLearner):
        tasks = [target_task(seed).compared for seed in range(parity.tasks_wanted(bench.part.steps))]
        measured = parity.parity(bench.part, bench.exported[0], bench.artifact, tasks)
        require(
            measured.holds,
            f"its graphs differ from torch ({measured})",
            "let step and logits be functions of what they are given, in float32",
        )


@CHECKS.promise("the device takes a smaller support")
def _smaller(bench: Bench) -> None:
    smaller = bench.task.of(torch.arange(len(bench.task.support)) % 2 == 0)
    share = agreement(on_device(Artifact(bench.artifact), smaller), bench.answer(smaller))
    require(
        share >= ALIKE,
        f"with half of the support, {1 - share:.0%} of the device's answers are not torch's",
        "let rows of zeros among the labels change nothing",
    )


def _bytes(graphs: Graphs) -> list[object]:
    states = {name: value.tobytes() for name, value in sorted(graphs.state.items())}
    return [graphs.adapt, graphs.predict, graphs.features, graphs.finalize, states, graphs.steps, graphs.support_rows]
