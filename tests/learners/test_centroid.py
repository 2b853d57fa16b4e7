"""The nearest class mean."""

import torch

from faultbench_learners.centroid import Centroid


def test_a_query_goes_to_the_nearest_mean(source, episode):
    support, labels, query, _ = episode
    learner = Centroid()
    net = learner.build(source.shape, source.parts, seed=0)
    state = learner.adapt(net, support, labels)
    features, query_features = net.features(support).flatten(1), net.features(query).flatten(1)
    means = torch.stack([features[labels[:, c] == 1].mean(0) for c in range(source.shape.ways)])
    torch.testing.assert_close(state["means"], means)
    nearest = torch.cdist(query_features, means).argmin(1)
    assert torch.equal(learner.predict(net, state, query).argmax(1), nearest)


def test_padding_changes_nothing(source, episode):
    support, labels, _query, _ = episode
    learner = Centroid()
    net = learner.build(source.shape, source.parts, seed=0)
    padded = torch.cat([support, torch.ones_like(support[:2])]), torch.cat([labels, torch.zeros_like(labels[:2])])
    torch.testing.assert_close(learner.adapt(net, *padded)["means"], learner.adapt(net, support, labels)["means"])
