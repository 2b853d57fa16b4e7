"""Source tasks as another machine would have shown them: each channel by a path of its own, a slow one as it is."""

from dataclasses import replace

import torch

from faultbench.api import Augmentation, TaskBatch


def batch_of(channels):
    rng = torch.Generator().manual_seed(3)
    support, query = torch.randn(2, 4, channels, 256, generator=rng), torch.randn(2, 6, channels, 256, generator=rng)
    return TaskBatch(support, torch.zeros(2, 4, dtype=torch.long), query, torch.zeros(2, 6, dtype=torch.long))


def test_the_same_seed_hears_the_same_and_another_another():
    batch = batch_of(1)
    assert torch.equal(Augmentation(1)(batch).query, Augmentation(1)(batch).query)
    assert not torch.equal(Augmentation(1)(batch).query, Augmentation(2)(batch).query)


def test_a_slow_channel_stays_as_it_is_and_the_others_do_not():
    batch = batch_of(3)
    heard = Augmentation(0, slow=(False, True, False))(batch)
    for before, after in ((batch.support, heard.support), (batch.query, heard.query)):
        assert torch.equal(after[:, :, 1], before[:, :, 1])
        assert not torch.allclose(after[:, :, 0], before[:, :, 0])
        assert not torch.allclose(after[:, :, 2], before[:, :, 2])


def test_two_channels_go_two_ways():
    one = batch_of(1)
    twice = replace(one, support=one.support.expand(-1, -1, 2, -1), query=one.query.expand(-1, -1, 2, -1))
    heard = Augmentation(0)(twice)
    assert not torch.allclose(heard.query[:, :, 0], heard.query[:, :, 1])
