"""MAML against its formulas."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from faultbench.api import Budget, TaskBatch, cross_entropy
from faultbench.learning import export
from faultbench.learning.export import convolution_backward
from faultbench.learning.parity import Parity, Task, parity, tasks_wanted
from faultbench_learners.maml import Maml


@pytest.fixture
def learner():
    return Maml(inner_steps=2, meta_steps=15, width=8)


def by_hand(learner, net, features, labels, query, query_labels):
    """The meta-loss of one task, step by step with autograd alone; the head is a variable of its own from the first step on."""
    start = {n: p.detach() for n, p in learner.initial(net, labels.shape[1]).items()}
    fixed = {"centre": features.mean(0)}
    theta = {n: p for n, p in start.items() if n.startswith("body.")}
    theta |= {n: p.detach() for n, p in learner.prototypes(net, {**theta, **fixed}, features, labels).items()}
    for _ in range(learner.steps):
        theta = {n: p.detach().requires_grad_() for n, p in theta.items()}
        loss = cross_entropy(learner.logits(net, {**theta, **fixed}, features), labels)
        gradients = torch.autograd.grad(loss, list(theta.values()))
        theta = {n: (p - learner.alpha(net, n) * g).detach() for (n, p), g in zip(theta.items(), gradients, strict=True)}
    return cross_entropy(learner.logits(net, {**theta, **fixed}, query), query_labels)


@pytest.fixture
def double_task(source, learner):
    """A net and one task in float64."""
    net = learner.build(source.shape, source.parts, seed=0).double()
    batch = next(source.tasks.batches(1))
    return net, TaskBatch(batch.support.double(), batch.support_labels, batch.query.double(), batch.query_labels)


def test_the_meta_loss_is_the_queries_loss_after_the_inner_steps(learner, double_task):
    net, batch = double_task
    with torch.no_grad():
        features, query = net.features(batch.support[0]), net.features(batch.query[0])
    labels, query_labels = (F.one_hot(y[0], 3).double() for y in (batch.support_labels, batch.query_labels))
    torch.testing.assert_close(learner.loss(net, batch), by_hand(learner, net, features, labels, query, query_labels))


def test_the_meta_gradient_is_of_second_order(learner, double_task):
    net, batch = double_task
    learned = list(net.parameters())
    gradient = torch.autograd.grad(learner.loss(net, batch), learned)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        direction = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in learned]
        losses = []
        for sign in (1, -1):
            with torch.no_grad():
                for p, d in zip(learned, direction, strict=True):
                    p.add_(d, alpha=sign * 1e-6)
            losses.append(learner.loss(net, batch).item())
            with torch.no_grad():
                for p, d in zip(learned, direction, strict=True):
                    p.sub_(d, alpha=sign * 1e-6)
        slope = (losses[0] - losses[1]) / 2e-6
        along = sum((g * d).sum().item() for g, d in zip(gradient, direction, strict=True))
        assert along == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_meta_training_lowers_the_loss_on_tasks_it_has_not_seen(source):
    learner = Maml(inner_steps=2, meta_steps=40, width=8, augment=False)
    net = learner.build(source.shape, source.parts, seed=0)
    batches = source.tasks.batches(8)
    unseen = next(batches)
    before = learner.loss(net, unseen).item()
    trained = learner.fit(net, source.tasks, Budget(seed=1))
    assert learner.loss(trained, unseen).item() < 0.5 * before


def test_training_twice_gives_the_same_bits(source, learner):
    nets = [learner.fit(learner.build(source.shape, source.parts, 3), source.tasks, Budget(seed=3)).state_dict() for _ in range(2)]
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])


def test_without_gradient_steps_the_head_is_the_prototypes(source, episode):
    support, labels, query, _ = episode
    learner = Maml(inner_steps=1, inner_lr=1e-12, width=8)
    net = learner.build(source.shape, source.parts, seed=0)
    logits = learner.predict(net, learner.adapt(net, support, labels), query)
    with torch.no_grad():
        centre = net.features(support).mean(0)
        embedded, query_embedded = (net.body(net.features(x) - centre) for x in (support, query))
    means = torch.stack([embedded[labels[:, c] == 1].mean(0) for c in range(3)])
    assert torch.equal(logits.argmax(1), torch.cdist(query_embedded, means).argmin(1))


def test_all_steps_at_once_are_the_steps_one_by_one(source, episode, learner):
    support, labels, _, _ = episode
    net = learner.build(source.shape, source.parts, seed=0)
    at_once = learner.adapted(net, learner.initial(net, 3), net.features(support), labels)
    one_by_one = learner.adapt(net, support, labels)
    for name, tensor in at_once.items():
        torch.testing.assert_close(tensor, one_by_one[name])


def test_another_transfer_path_changes_nothing(source, episode, learner):
    support, labels, query, _ = episode
    net = learner.build(source.shape, source.parts, seed=0)
    features, query_features = net.features(support), net.features(query)
    path = torch.randn(net.features_shape, generator=torch.Generator().manual_seed(1))
    start = learner.initial(net, 3)
    here = learner.logits(net, learner.adapted(net, start, features, labels), query_features)
    there = learner.logits(net, learner.adapted(net, start, features + path, labels), query_features + path)
    torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-3)


def test_padding_changes_nothing(source, episode, learner):
    support, labels, _, _ = episode
    net = learner.build(source.shape, source.parts, seed=0)
    padded = torch.cat([support, torch.ones_like(support[:2])]), torch.cat([labels, torch.zeros_like(labels[:2])])
    plain, with_padding = learner.adapt(net, support, labels), learner.adapt(net, *padded)
    for name in plain:
        torch.testing.assert_close(with_padding[name], plain[name], rtol=1e-4, atol=1e-5)


def test_the_artifact_computes_what_torch_computes(source, episode, learner, artifact_of):
    support, labels, query, _ = episode
    net = learner.fit(learner.build(source.shape, source.parts, 0), source.tasks, Budget())
    found = parity(learner, net, artifact_of(learner, net), [Task(support, labels, query)])
    assert found.holds, found
    assert found.formulas < 1e-10
    assert found.steps == 3


def test_an_artifact_of_other_weights_has_no_parity(source, episode, learner, artifact_of):
    support, labels, query, _ = episode
    net = learner.build(source.shape, source.parts, seed=0)
    folder = artifact_of(learner, net)
    with torch.no_grad():
        net.learned("alpha.weight").add_(0.05)  # other step sizes than were exported
    assert not parity(learner, net, folder, [Task(support, labels, query)]).holds


def test_formulas_are_compared_where_there_is_a_gradient(source, episode, learner, artifact_of, monkeypatch):
    support, labels, query, _ = episode
    net = learner.build(source.shape, source.parts, seed=0)
    folder = artifact_of(learner, net)
    monkeypatch.setattr(export, "convolution_backward", lambda *args: tuple(g if g is None else g * 1.001 for g in exact(*args)))
    exact = convolution_backward
    assert not parity(learner, net, folder, [Task(support, labels, query)]).holds


def test_a_graph_that_gives_no_number_has_no_parity(source, episode, learner, artifact_of):
    support, labels, query, _ = episode
    net = learner.build(source.shape, source.parts, seed=0)
    folder = artifact_of(learner, net)
    found = parity(learner, net, folder, [Task(support, torch.zeros_like(labels), query)])  # prototypes of nothing
    assert not found.holds
    assert found.turned_error == float("inf")


def test_one_step_in_ten_may_have_a_decision_turned_over():
    calm = Parity(formulas=0.0, steps=20, step=1e-7, turned=2, turned_error=0.02, features=0.0, logits=0.0)
    assert calm.holds
    assert not replace(calm, turned=3).holds
    assert not replace(calm, turned_error=0.06).holds
    assert not replace(calm, steps=1, turned=1).holds
    assert [tasks_wanted(steps) for steps in (1, 4, 20, 100)] == [10, 4, 1, 1]
