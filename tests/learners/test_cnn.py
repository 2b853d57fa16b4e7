"""The traditional CNN."""

import onnx
import torch

from faultbench.api import cross_entropy
from faultbench_learners.cnn import Cnn


def test_it_learns_the_support_and_generalises_to_the_queries(source, episode):
    support, labels, query, query_labels = episode
    learner = Cnn(steps=40, width=8)
    net = learner.build(source.shape, source.parts, seed=0)
    state = learner.adapt(net, support, labels)
    assert (learner.predict(net, state, support).argmax(1) == labels.argmax(1)).all()
    assert (learner.predict(net, state, query).argmax(1) == query_labels).float().mean() > 0.6


def test_its_steps_are_adams(source, episode):
    support, labels, _, _ = episode
    learner = Cnn(steps=5, width=8)
    net = learner.build(source.shape, source.parts, seed=0).double()
    theta = {n: p.detach().clone().requires_grad_() for n, p in learner.initial(net, 3).items() if n.startswith(("body.", "head."))}
    optimizer = torch.optim.Adam(theta.values(), lr=learner.lr)
    features = net.features(support.double())
    for _ in range(learner.steps):
        optimizer.zero_grad()
        cross_entropy(learner.logits(net, theta, features), labels.double()).backward()
        optimizer.step()
    state = learner.initial(net, 3)
    for _ in range(learner.steps):
        state = learner.step(net, state, features, labels.double())
    for name, tensor in theta.items():
        torch.testing.assert_close(state[name], tensor.detach(), rtol=1e-9, atol=1e-9)


def test_the_seed_alone_decides_the_start(source):
    learner = Cnn(width=8)
    one, same, other = (learner.build(source.shape, source.parts, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_only_what_classifies_counts_as_parameters(source):
    learner = Cnn(steps=1, width=8)
    net = learner.build(source.shape, source.parts, seed=0)
    graphs = learner.export(net, source.shape)
    state = learner.initial(net, source.shape.ways)
    used = {name for name in state if name.startswith(("body.", "head."))}
    assert graphs.info["params"] == sum(state[name].numel() for name in used)
    assert {i.name for i in onnx.load_from_string(graphs.predict).graph.input} == used | {"features"}
