"""Fault lines: they stand where speed and geometry put them, through resonances, in the exported graph as in torch."""

import dataclasses

import numpy as np
import pytest
import torch

from faultbench.api import NetShape, NotApplicable, Physics, UsageError
from faultbench.learning.parity import Task, parity
from faultbench_learners.centroid import Centroid
from faultbench_learners.frontends.fault_lines import FaultLines

RATE, WINDOW = 12_000.0, 8192
SHAPE = NetShape(window=WINDOW, rate_hz=RATE, channels=1, ways=3, support_rows=6, physics=True)
BPFO, BPFI, BSF, FTF = 3.585, 5.415, 2.357, 0.398
ORDERS = {"inner": BPFI, "ball": 2 * BSF, "outer": BPFO}


def strikes(order, speed_rpm, seed, resonance_hz=3_100.0):
    """An impulse train at an order, heard through a resonance, in noise: (sample,)."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, WINDOW / RATE + 0.1, 60 / speed_rpm / order)
    times = times + rng.uniform(0, 60 / speed_rpm / order) + 1e-4 * rng.standard_normal(len(times))
    train = np.histogram(times, np.arange(WINDOW + 1) / RATE)[0].astype(float)
    t = np.arange(256) / RATE
    ring = np.exp(-t * 700) * np.sin(2 * np.pi * resonance_hz * t)
    return np.convolve(train, ring)[:WINDOW] + 0.1 * rng.standard_normal(WINDOW)


def features(windows, speeds, shape=SHAPE):
    count = len(windows)
    orders = torch.tensor([[BPFO, BPFI, BSF, FTF]]).expand(count, 4)
    x = torch.from_numpy(np.stack(windows)[:, None].astype(np.float32)).expand(count, shape.channels, -1)
    return FaultLines().module(shape)(x, torch.tensor(speeds), orders)


@pytest.mark.parametrize("speed_rpm", [900.0, 1797.0])
def test_the_line_of_the_damaged_element_stands_highest(speed_rpm):
    for number, order in enumerate(ORDERS.values()):
        lines = features([strikes(order, speed_rpm, seed) for seed in range(4)], [speed_rpm] * 4)
        assert lines.shape == (4, 3, 6)
        assert lines[:, :, :3].mean(-1).argmax(1).tolist() == [number] * 4


def test_a_wrong_speed_loses_the_lines():
    heard = [strikes(BPFO, 1797.0, seed) for seed in range(4)]
    right, wrong = features(heard, [1797.0] * 4), features(heard, [1690.0] * 4)
    assert (right[:, 2, :3].mean(-1) - wrong[:, 2, :3].mean(-1)).min() > 1.0


def test_a_resonance_does_not_matter():
    """Pre-whitening takes the path away: the same strikes through two resonances look alike, unlike noise."""
    one, other = (features([strikes(BPFI, 1797.0, 3, hz)], [1797.0]) for hz in (2_200.0, 4_300.0))
    nothing = features([np.random.default_rng(0).standard_normal(WINDOW)], [1797.0])
    assert (one - other).abs().mean() < 0.5 * (one - nothing).abs().mean()


def test_each_channel_has_its_lines():
    two = dataclasses.replace(SHAPE, channels=2)
    lines = features([strikes(BPFO, 1797.0, 0)], [1797.0], two)
    assert lines.shape == (1, 6, 6)
    torch.testing.assert_close(lines[:, :3], lines[:, 3:])


@pytest.mark.parametrize("window", [np.zeros(WINDOW), np.full(WINDOW, 2.0), 1e-20 * np.ones(WINDOW), 1e12 * np.sin(np.arange(WINDOW))])
def test_odd_windows_give_finite_features(window):
    assert torch.isfinite(features([window], [1797.0])).all()


def test_without_speed_and_geometry_or_with_a_slow_channel_it_makes_no_sense():
    with pytest.raises(NotApplicable, match="speed and the geometry"):
        FaultLines().module(dataclasses.replace(SHAPE, physics=False))
    with pytest.raises(NotApplicable, match="slow"):
        FaultLines().module(dataclasses.replace(SHAPE, channels=2, slow=(False, True)))
    with pytest.raises(UsageError, match="even"):
        FaultLines().module(dataclasses.replace(SHAPE, window=2047))


class Parts:
    """Gives the front end."""

    def frontend(self, name):
        return FaultLines()


def test_physics_goes_to_the_device(artifact_of, source):
    """The exported graph takes speeds and orders, and computes with them what torch does."""
    learner = Centroid("fault-lines")
    shape = dataclasses.replace(source.shape, window=512, physics=True)
    net = learner.build(shape, Parts(), seed=0)
    rng = torch.Generator().manual_seed(1)
    rows = shape.support_rows
    windows = torch.randn(rows, 1, 512, generator=rng)
    physics = Physics(torch.linspace(900, 1800, rows), torch.tensor([[BPFO, BPFI, BSF, FTF]]).expand(rows, 4))
    labels = torch.eye(shape.ways)[torch.arange(rows) % shape.ways]
    found = parity(learner, net, artifact_of(learner, net), [Task(windows, labels, windows, physics, physics)] * 10)
    assert found.holds
    slower = dataclasses.replace(physics, speed_rpm=physics.speed_rpm * 0.7)
    assert not torch.allclose(net.features(windows, physics), net.features(windows, slower))
    with pytest.raises(ValueError, match="speeds and orders"):
        net.features(windows)
