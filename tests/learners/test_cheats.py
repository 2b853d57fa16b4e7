"""Learners that would look right without looking at the window: what the harness does about them."""

import numpy as np
import pytest
import torch

from faultbench.api import EpisodeWindows, StepwiseLearner, Timing, run_on_host
from faultbench_learners.centroid import Centroid


class ByPlace(Centroid):
    """Answers by a query's place in the batch, knowing that queries come class by class."""

    def logits(self, net, state, features):
        place = torch.ones_like(features[:, 0, 0]).cumsum(0) - 1
        ways = state["means"].shape[0]
        guess = torch.floor(place / 5)[:, None] - torch.arange(ways, dtype=features.dtype)
        return -(guess * guess) + 0 * super().logits(net, state, features)


class ByBatchMean(Centroid):
    """Centres the queries on their own mean: what one answer is depends on the others."""

    def logits(self, net, state, features):
        return super().logits(net, state, features - features.mean(0))


@pytest.fixture
def episodes(source):
    batch = next(source.tasks.batches(1, queries=5))
    support, query = batch.support[0].numpy(), batch.query[0].numpy()
    return batch.query_labels.numpy(), EpisodeWindows(
        windows=np.concatenate([support, query]),
        support=np.arange(len(support))[None],
        support_labels=batch.support_labels.numpy(),
        query=len(support) + np.arange(len(query))[None],
    )


def answers(learner: StepwiseLearner, source, artifact_of, episodes):
    net = learner.build(source.shape, source.parts, seed=0)
    return run_on_host(artifact_of(learner, net), episodes, Timing(warmup=1, queries=15, audit_rounds=1)).predictions


def test_a_place_in_the_batch_tells_nothing(source, artifact_of, episodes):
    labels, windows = episodes
    found = answers(ByPlace(), source, artifact_of, windows)
    assert (found == 0).all()
    assert (found == labels).mean() == pytest.approx(1 / source.shape.ways)


def test_the_other_queries_tell_nothing(source, artifact_of, episodes):
    _, windows = episodes
    found = answers(ByBatchMean(), source, artifact_of, windows)
    assert len(np.unique(found)) == 1  # a query less its own mean is nothing
