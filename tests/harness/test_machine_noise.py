"""Recorded noise: whose it is, how loud, and that nothing an episode shows is heard again in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from faultbench.data.machine_noise import MachineNoise, heard_from, noise_pool, refuse_machine_noise
from faultbench.data.noise import Noise, NoisyTarget
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest, Signals, Split
from faultbench.data.windows import cut
from faultbench.errors import UsageError

WINDOW = 64
REQUEST = EpisodeRequest(ways=3, shots=2, shots_rare=1, queries=3, episodes=12)
Plant = Callable[..., Catalogue]
SCENARIOS = [NewDevice, UnseenBearing, Window]


@pytest.fixture
def catalogue(plant: Plant) -> Catalogue:
    return plant(mountings=2)


@pytest.fixture
def signals(catalogue: Catalogue, noise: Callable[[Catalogue], Signals]) -> Signals:
    """Noise of each recording's own loudness, with a mean that is no power."""
    return {key: (signal * (1 + 3 * ("large" in key[1])) + 5).astype(np.float32) for key, signal in noise(catalogue).items()}


def split_of(scenario: Any, catalogue: Catalogue, **request: Any) -> Split:
    made: Split = scenario(window=WINDOW).split([catalogue], dataclasses.replace(REQUEST, **request), 3)
    return made


def shown(split: Split) -> list[tuple[int, int, int]]:
    """(episode, recording, first sample) of every window of every episode."""
    return [(i, *window) for i, e in enumerate(split.episodes) for window in np.concatenate([e.support, e.query]).tolist()]


def added(split: Split, catalogue: Catalogue, signals: Signals, snr_db: float, episode: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The clean windows of an episode, and what was added to them, in float64."""
    noisy = NoisyTarget(Noise("machine", snr_db), split, signals, noise_pool(split, [catalogue]))
    rows = np.concatenate([split.episodes[episode].support, split.episodes[episode].query])
    clean = cut(signals, split.target, rows, WINDOW)
    return clean, noisy(clean, noisy.placed(episode, rows)).astype(np.float64) - clean


@pytest.mark.parametrize("snr_db", [20.0, 0.0, -5.0])
def test_the_noise_lies_so_far_below_each_window(snr_db: float, catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(NewDevice, catalogue)
    clean, noise = added(split, catalogue, signals, snr_db)
    ratios = 10 * np.log10(clean.astype(np.float64).var(-1) / noise.var(-1))
    np.testing.assert_allclose(ratios, snr_db, atol=1e-3)
    np.testing.assert_allclose(noise.mean(-1), 0, atol=1e-5)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_noise_is_a_stretch_of_a_healthy_recording_of_the_mounting_in_another_session(
    scenario: Any, catalogue: Catalogue, signals: Signals
) -> None:
    split = split_of(scenario, catalogue)
    pool = noise_pool(split, [catalogue])
    machine = MachineNoise(split, pool, signals)
    for episode, row, start in shown(split):
        number, first = machine.stretch(episode, row, start)
        heard, window = pool.recordings[number], split.target.recordings[row]
        assert heard.healthy
        assert (heard.machine, heard.mounting) == (window.machine, window.mounting)
        assert heard.session != window.session
        stretch = signals[heard.dataset, heard.id, "a"][first : first + WINDOW].astype(np.float64)
        np.testing.assert_allclose(machine.unit(number, first)[0], (stretch - stretch.mean()) / stretch.std(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_sample_of_an_episodes_windows_is_noise_in_that_episode(scenario: Any, catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(scenario, catalogue, episodes=30, queries=6)
    pool = noise_pool(split, [catalogue])
    machine = MachineNoise(split, pool, signals)
    met = healthy = 0
    for i, episode in enumerate(split.episodes):
        windows = np.concatenate([episode.support, episode.query]).tolist()
        places = {(split.target.recordings[row].id, start) for row, start in windows}
        healthy += sum(split.target.recordings[row].healthy for row, _ in windows)
        for row, start in windows:
            number, first = machine.stretch(i, row, start)
            met += sum(name == pool.recordings[number].id and abs(first - shown_) < WINDOW for name, shown_ in places)
    assert met == 0
    assert healthy, "the episodes show healthy windows, so there is something to stay clear of"


def test_without_that_rule_the_episodes_windows_would_be_heard_again(
    catalogue: Catalogue, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the rule is switched off, and the count of the test above is no longer 0."""
    split = split_of(NewDevice, catalogue, episodes=30, queries=6)
    pool = noise_pool(split, [catalogue])
    machine = MachineNoise(split, pool, signals)
    monkeypatch.setattr(MachineNoise, "_shown_of", lambda *_: [])
    met = 0
    for i, episode in enumerate(split.episodes):
        windows = np.concatenate([episode.support, episode.query]).tolist()
        for number, first in (machine.stretch(i, row, start) for row, start in windows):
            name = pool.recordings[number].id
            met += any(split.target.recordings[row].id == name and abs(first - start) < WINDOW for row, start in windows)
    assert met > 10


def test_a_source_that_has_the_machine_too_is_never_heard(plant: Plant, noise: Callable[[Catalogue], Signals]) -> None:
    catalogue = plant(machines=("rig",), healthy=5)
    split = split_of(NewDevice, catalogue)
    trained = {r.id for r in split.source.recordings if r.healthy}
    assert trained
    assert not trained & {r.id for r in noise_pool(split, [catalogue]).recordings}


def test_at_t0_the_half_that_is_trained_on_is_never_heard(catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(Window, catalogue)
    pool = noise_pool(split, [catalogue])
    machine = MachineNoise(split, pool, signals)
    spans = {r.id: span for r, span in zip(split.target.recordings, split.target.spans, strict=True)}
    for episode, row, start in shown(split):
        number, first = machine.stretch(episode, row, start)
        low, high = spans[pool.recordings[number].id]
        assert low <= first <= high - WINDOW


def test_healthy_recordings_of_neither_side_are_heard_where_healthy_is_no_class(
    plant: Plant, noise: Callable[[Catalogue], Signals]
) -> None:
    """As at Case Western at T3: the one healthy bearing is no way, and still what the machine sounds like."""

    def one_specimen(r: Recording) -> Recording:
        return dataclasses.replace(r, bearing="healthy") if r.healthy else r

    catalogue = plant(healthy=1, change=one_specimen)
    split = split_of(UnseenBearing, catalogue)
    assert not any(r.healthy for r in split.target.recordings)
    pool = noise_pool(split, [catalogue])
    assert {r.machine for r in pool.recordings} == {"beta"}
    clean, heard = added(split, catalogue, noise(catalogue), 0.0)
    np.testing.assert_allclose(clean.astype(np.float64).var(-1), heard.var(-1), rtol=1e-4)


def test_another_mounting_of_the_machine_serves_where_the_own_one_has_no_healthy_recording(plant: Plant) -> None:
    catalogue = plant(mountings=2, change=lambda r: None if r.healthy and r.mounting == "beta-1" else r)
    split = NewDevice(target="beta-1", window=WINDOW).split([catalogue], dataclasses.replace(REQUEST, ways=2), 0)
    with pytest.raises(UsageError, match="plant has no healthy recording of beta that is not trained on"):
        noise_pool(split, [catalogue])
    alone = dataclasses.replace(split, source=split.source.only([i for i, r in enumerate(split.source.recordings) if r.machine == "alpha"]))
    pool = noise_pool(alone, [catalogue])
    assert {r.mounting for r in pool.recordings} == {"beta-0"}
    refuse_machine_noise(alone, [catalogue])


def test_a_window_has_the_same_noise_in_every_episode_that_leaves_it_free(catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(NewDevice, catalogue, episodes=60)
    machine = MachineNoise(split, noise_pool(split, [catalogue]), signals)
    found: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for episode, row, start in shown(split):
        found.setdefault((row, start), set()).add(machine.stretch(episode, row, start))
    several = [len(places) for window, places in found.items() if sum(w[1:] == window for w in shown(split)) > 1]
    assert len(several) > 30
    assert np.mean([n == 1 for n in several]) > 0.6
    assert max(several) > 1, "an episode that shows the stretch gets another"


def test_noise_does_not_depend_on_who_asks_and_beside_whatever_else(catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(NewDevice, catalogue)
    noisy = NoisyTarget(Noise("machine", 0), split, signals, noise_pool(split, [catalogue]))
    rows = noisy.placed(2, split.episodes[2].query)
    windows = cut(signals, split.target, rows[:, :2], WINDOW)
    all_at_once = noisy(windows, rows)
    np.testing.assert_array_equal(all_at_once, noisy(windows[::-1], rows[::-1])[::-1])
    np.testing.assert_array_equal(noisy(windows[3:4], rows[3:4])[0], all_at_once[3])


def test_two_levels_differ_by_a_factor_and_two_seeds_by_the_stretch(catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(NewDevice, catalogue)
    _, loud = added(split, catalogue, signals, 0)
    _, quiet = added(split, catalogue, signals, 20)
    np.testing.assert_allclose(loud, 10 * quiet, atol=2e-4)
    pool = noise_pool(split, [catalogue])
    one, other = (MachineNoise(dataclasses.replace(split, seed=seed), pool, signals) for seed in (3, 4))
    same = [one.stretch(*window) == other.stretch(*window) for window in shown(split)]
    assert np.mean(same) < 0.05


def test_every_stretch_that_is_left_can_be_drawn(catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(NewDevice, catalogue)
    pool = noise_pool(split, [catalogue])
    machine = MachineNoise(split, pool, signals)
    places = [machine.stretch(*window) for window in shown(split)]
    assert len({number for number, _ in places}) == len(pool.recordings)
    assert len({first % WINDOW for _, first in places}) > 30, "it begins anywhere"


def test_what_is_said_to_be_heard_is_what_can_be_drawn_and_no_other_mounting_of_the_machine(plant: Plant, catalogue: Catalogue) -> None:
    """As at Case Western: healthy recordings of the fan end are in the pool, and never noise on the drive end."""
    split = NewDevice(target="beta-0", window=WINDOW).split([catalogue], dataclasses.replace(REQUEST, episodes=60), 0)
    target = [number for number, r in enumerate(split.source.recordings) if r.machine != "beta"]
    split = dataclasses.replace(split, source=split.source.only(target))
    pool = noise_pool(split, [catalogue])
    machine = MachineNoise(split, pool, {})
    drawn = {machine.stretch(*window)[0] for window in shown(split)}
    assert {r.mounting for r in pool.recordings} == {"beta-0", "beta-1"}
    assert heard_from(split, pool) == tuple(pool.recordings[number] for number in sorted(drawn))
    assert len(heard_from(split, pool)) == 6


def test_a_healthy_recording_shorter_than_a_window_is_not_said_to_be_heard(plant: Plant) -> None:
    first = "beta-0/healthy//0 at 0 hp"

    def cut_short(r: Recording) -> Recording:
        return dataclasses.replace(r, channels=(dataclasses.replace(r.channels[0], samples=WINDOW - 1),)) if r.id == first else r

    catalogue = plant(change=cut_short)
    split = split_of(NewDevice, catalogue)
    pool = noise_pool(split, [catalogue])
    assert first in {r.id for r in pool.recordings}
    assert first not in {r.id for r in heard_from(split, pool)}


def short(windows: int) -> Callable[[Recording], Recording]:
    """Healthy recordings of so many windows."""

    def changed(r: Recording) -> Recording:
        return dataclasses.replace(r, channels=(dataclasses.replace(r.channels[0], samples=windows * WINDOW),)) if r.healthy else r

    return changed


def test_the_one_place_that_an_episode_leaves_is_found(plant: Plant, noise: Callable[[Catalogue], Signals]) -> None:
    """Healthy recordings of three windows each, of which an episode shows all but a few: chance alone would hardly find them."""
    catalogue = plant(healthy=1, change=short(3))
    split = split_of(NewDevice, catalogue, episodes=30, queries=5)
    machine = MachineNoise(split, noise_pool(split, [catalogue]), noise(catalogue))
    grid = [first % WINDOW == 0 for _, first in (machine.stretch(*window) for window in shown(split))]
    assert all(grid), "between windows that are shown only a whole one is free"


def test_where_an_episode_shows_everything_it_is_refused(plant: Plant, noise: Callable[[Catalogue], Signals]) -> None:
    """Planted: healthy recordings of three windows each, of which the episodes leave nothing in other sessions."""
    catalogue = plant(healthy=1, change=short(3))
    split = split_of(NewDevice, catalogue, queries=6, shots=3)
    says = r"an episode of plant/.* shows every healthy stretch of 64 samples in other sessions, give fewer --shots or --queries"
    with pytest.raises(UsageError, match=says):
        added(split, catalogue, noise(catalogue), 0)


def test_a_silent_recording_is_no_noise(catalogue: Catalogue, signals: Signals) -> None:
    split = split_of(NewDevice, catalogue)
    silent = {key: np.zeros_like(signal) if "healthy" in key[1] else signal for key, signal in signals.items()}
    with pytest.raises(UsageError, match=r"is silent from sample .* on, it is no noise"):
        added(split, catalogue, silent, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: None if r.healthy else r, "plant has no healthy recording of beta that is not trained on, take white noise"),
        (
            lambda r: dataclasses.replace(r, session=f"{r.machine} on one day") if r.healthy or r.load == "0 hp" else r,
            "plant has healthy recordings of beta in the session of .* alone, take white noise",
        ),
    ],
)
def test_without_a_healthy_recording_of_another_session_it_is_refused_with_the_reason(
    change: Callable[[Recording], Recording | None], says: str, plant: Plant
) -> None:
    catalogue = plant(change=change)
    split = split_of(UnseenBearing, catalogue)
    with pytest.raises(UsageError, match=says) as caught:
        refuse_machine_noise(split, [catalogue])
    assert "\n" not in str(caught.value)


# --- in a run


def test_a_run_says_what_the_noise_is_made_of(site: Any) -> None:
    clean, noisy = site.run(snr=("machine:-10",), seeds=1)[0]
    assert (noisy["cell"]["snr"], noisy["error"]) == ("machine:-10", None)
    assert noisy["notes"]["noise"] == "recorded, stretches of 2 healthy recordings of the machine, each from another session"
    assert "noise" not in clean["notes"]


def test_what_cannot_be_had_is_said_before_any_work(site: Any) -> None:
    (clean, noisy) = site.plan(datasets=("plant:mood=faulty-measured",), snr=("machine:0",), seeds=1).cells
    assert clean.error is None
    assert str(noisy.error).startswith("noise of the machine itself cannot be had: plant has no healthy recording of near")
    assert noisy.goal is None


def test_of_unknown_lengths_it_is_said_at_the_measurement(site: Any) -> None:
    (clean, noisy), _ = site.run(datasets=("plant:mood=faulty",), snr=("machine:0",), seeds=1)
    assert clean["error"] is None
    assert "no healthy recording" in noisy["error"]
    assert noisy["error_code"] == 2
