"""Filter pruning."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from faultbench.api import Budget, NotApplicable
from faultbench.learning.compressing import Context
from faultbench.learning.net import load_net, save_net
from faultbench_compressors.none import Unchanged
from faultbench_compressors.prune import Prune, filter_layers, filters, importance, kept
from faultbench_learners.centroid import Centroid
from faultbench_learners.cnn import Cnn
from faultbench_learners.maml import Maml


@pytest.fixture
def trained(source):
    """A learner, its net, and the context of a compressor."""
    learner = Maml(inner_steps=1, meta_steps=5, width=16)
    net = learner.fit(learner.build(source.shape, source.parts, 0), source.tasks, Budget())
    return learner, net, Context(source.shape, learner, source.tasks, Budget(scale=0.2))


def sizes(net):
    return [filters(layer) for layer in filter_layers(net).values()]


@given(count=st.integers(4, 512), percent=st.floats(0, 95))
def test_at_least_the_percentage_goes_in_steps_of_four(count, percent):
    stay = kept(count, percent)
    assert 1 <= stay <= count
    assert stay % 4 == 0 or stay == count
    assert stay == 4 or stay <= count * (1 - percent / 100) + 1e-6


def test_the_design_s_example():
    assert (kept(64, 40), kept(40, 40)) == (36, 24)


def test_the_net_really_shrinks_and_still_trains(trained):
    _, net, ctx = trained
    before = sum(p.numel() for p in net.body.parameters())
    pruned, achieved = Prune(40, tasks=2).compress(copy.deepcopy(net), ctx)
    assert sizes(net) == [16, 16, 16, 16]
    assert sizes(pruned) == [8, 8, 8, 8]
    assert sum(p.numel() for p in pruned.body.parameters()) < 0.5 * before
    assert achieved == {"removed": 0.5, "filters": [8, 8, 8, 8]}


def test_a_pruned_net_comes_back_from_disk_as_it_was(trained, source, tmp_path):
    learner, net, ctx = trained
    pruned, _ = Prune(40, tasks=2).compress(net, ctx)
    save_net(pruned, tmp_path)
    back = load_net(learner.build(source.shape, source.parts, seed=9), tmp_path)
    windows = next(source.tasks.batches(1)).support[0]
    assert torch.equal(back(windows), pruned(windows))
    assert [m.out_channels for m in filter_layers(back).values()] == [8, 8, 8, 8]


def test_a_filter_whose_output_cannot_matter_goes_first(trained):
    _, net, ctx = trained
    layers = filter_layers(net)
    name, second = list(layers)[1], list(layers.values())[2]
    dead = [3, 7, 8]
    with torch.no_grad():
        second.weight[:] = (
            second.weight.mean((1, 2), keepdim=True)
            + second.weight * torch.isin(torch.arange(16), torch.tensor(dead)).logical_not()[:, None]
        )
        layers[name].bias[dead] = -1e6  # nothing passes the ReLU
    assert set(importance(net, layers, ctx, 2)[name].argsort()[:3].tolist()) == set(dead)


def test_an_untrained_net_is_labelled_structure_only(source):
    learner = Cnn(width=16)
    net = learner.build(source.shape, source.parts, seed=0)
    pruned, achieved = Prune(40).compress(net, Context(source.shape, learner, source.tasks, Budget()))
    assert achieved["label"] == "structure only"
    assert sizes(pruned) == [8, 8, 8, 8]


def test_a_learner_without_filters_is_not_applicable(source):
    learner = Centroid()
    net = learner.build(source.shape, source.parts, seed=0)
    with pytest.raises(NotApplicable, match="no filters"):
        Prune(40).compress(net, Context(source.shape, learner, source.tasks, Budget()))


def test_nothing_to_spare_is_not_applicable_rather_than_a_row_that_says_pruned(trained):
    _, net, ctx = trained
    with pytest.raises(NotApplicable, match="cannot spare"):
        Prune(0).compress(net, ctx)


def test_none_changes_nothing(trained):
    _, net, ctx = trained
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    same, achieved = Unchanged().compress(net, ctx)
    assert achieved == {}
    assert all(torch.equal(before[name], tensor) for name, tensor in same.state_dict().items())
