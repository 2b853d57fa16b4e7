"""From a split to what a device gets, and from what it returns to what the statistics take."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import EpisodeRequest
from faultbench.data.windows import cut
from faultbench.errors import CellError
from faultbench.matrix.episodes import episode_windows
from faultbench.matrix.outcome import joined, outcome

REQUEST = EpisodeRequest(shots=3, shots_rare=2, queries=4, episodes=8)


@pytest.fixture
def split(plant):
    return NewDevice(window=64).split([plant()], REQUEST, 3)


@pytest.fixture
def signals(plant, noise):
    return noise(plant())


def truth(split):
    return np.stack([e.query_labels for e in split.episodes])


def test_a_window_is_cut_where_its_row_says(split, signals):
    rows = np.array([[0, 128], [3, 7]])
    windows = cut(signals, split.target, rows, 64)
    assert windows.shape == (2, 1, 64)
    assert windows.dtype == np.float32
    third = split.target.recordings[3]
    np.testing.assert_array_equal(windows[1, 0], signals["plant", third.id, "a"][7:71])


@pytest.mark.parametrize("start", [-1, 1857])
def test_a_window_beyond_its_recording_cannot_be_cut(start, split, signals):
    with pytest.raises(IndexError, match="no window of 64 samples"):
        cut(signals, split.target, np.array([[0, start]]), 64)


def test_a_device_gets_each_window_once_and_episodes_as_indices(split, signals):
    episodes = episode_windows(split, signals)
    rows = {tuple(w) for e in split.episodes for w in (*e.support.tolist(), *e.query.tolist())}
    assert len(episodes.windows) == len(rows)
    for number, episode in enumerate(split.episodes):
        for name in ("support", "query"):
            there = episodes.windows[getattr(episodes, name)[number]]
            np.testing.assert_array_equal(there, cut(signals, split.target, getattr(episode, name), 64))
        np.testing.assert_array_equal(episodes.support_labels[number], episode.support_labels)
    assert episodes.support.shape == (8, 14)
    assert episodes.query.shape == (8, 20)


def test_speeds_and_orders_go_along_where_all_are_known(plant, signals):
    episodes = episode_windows(NewDevice(window=64).split([plant()], REQUEST, 0), signals)
    assert episodes.speed_rpm.tolist() == [1800.0] * len(episodes.windows)
    np.testing.assert_allclose(episodes.orders[0], [3.0, 5.0, 2.0, 0.4])
    assert episodes.orders.dtype == np.float32
    catalogue = plant(change=lambda r: replace(r, speed_rpm=None, geometry=None) if r.healthy else r)
    unknown = episode_windows(NewDevice(window=64).split([catalogue], REQUEST, 0), signals)
    assert unknown.speed_rpm is None
    assert unknown.orders is None


def test_an_outcome_has_a_line_per_query_with_truth_and_answer(split):
    answers = (truth(split) + 1) % 5
    result = outcome(split, answers)
    lines = list(itertools.product(range(8), range(20)))
    assert len(result.label) == len(lines)
    for line, (number, query) in enumerate(lines):
        episode = split.episodes[number]
        recording = split.target.recordings[episode.query[query, 0]]
        assert result.seed[line] == 3
        assert result.episode[line] == number
        assert result.bearing[line] == result.unit[line] == f"plant/{recording.bearing}"
        assert result.label[line] == episode.classes[episode.query_labels[query]]
        assert result.predicted[line] == episode.classes[answers[number, query]]
        assert result.healthy[line] == recording.healthy
        assert result.predicted_healthy[line] == (result.predicted[line] == "healthy")
        assert result.rare[line] == (episode.query_labels[query] == episode.rare)
    assert result.ways == 5


def test_the_units_of_one_healthy_specimen_are_its_sessions(plant):
    catalogue = plant(healthy=1)
    split = NewDevice(window=64).split([catalogue], replace(REQUEST, episodes=30), 0)
    result = outcome(split, truth(split))
    assert len(set(result.unit[result.healthy])) == 3
    assert len(set(result.bearing[result.healthy])) == 1
    assert set(result.unit[~result.healthy]) == set(result.bearing[~result.healthy])


def test_without_healthy_no_line_is_healthy(plant):
    split = UnseenBearing(window=64).split([plant(healthy=1)], REQUEST, 0)
    result = outcome(split, truth(split))
    assert not result.healthy.any()
    assert not result.predicted_healthy.any()


def test_the_outcomes_of_seeds_are_joined_in_order(plant):
    splits = [NewDevice(window=64).split([plant()], REQUEST, seed) for seed in range(2)]
    both = joined([outcome(s, truth(s)) for s in splits])
    assert both.seed.tolist() == [0] * 160 + [1] * 160
    with pytest.raises(CellError, match="cannot be joined"):
        joined([both, replace(both, ways=3)])


@pytest.mark.parametrize(
    ("change", "says"), [(lambda p: p[:, 1:], "shape"), (lambda p: p + 1, "outside 0 to 4"), (lambda p: p - 1, "outside")]
)
def test_predictions_that_do_not_fit_are_refused(change, says, split):
    with pytest.raises(CellError, match=says):
        outcome(split, change(truth(split)))
