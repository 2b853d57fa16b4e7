"""Shortcut probes: each finds what is planted for it, and finds nothing where nothing is."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.signal import firwin, lfilter

from faultbench.data.recording import Channel
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest
from faultbench.inspection import features
from faultbench.inspection.probes import probes

WINDOW, SAMPLES = 1024, 1024 * 12
REQUEST = EpisodeRequest(shots=3, shots_rare=2, queries=4, episodes=12)


@pytest.fixture(scope="module")
def t2(plant):
    return NewDevice(window=WINDOW).split([plant(samples=SAMPLES)], REQUEST, 0)


@pytest.fixture(scope="module")
def t3(plant):
    return UnseenBearing(window=WINDOW).split([plant(samples=SAMPLES)], REQUEST, 0)


def signals_of(split, planted=lambda signal, label: signal, length=SAMPLES):
    """White noise for every channel of the target, changed by its class."""
    rng = np.random.default_rng(1)
    return {
        (r.dataset, r.id, c.name): planted(rng.normal(size=length), label).astype(np.float32)
        for r, label in zip(split.target.recordings, split.target.labels, strict=True)
        for c in r.channels
    }


def scores(split, signals):
    return {probe.name: probe for probe in probes([split], lambda _: signals)}


def number(label, split):
    return sorted(set(split.target.labels)).index(label)


def rolled_off(signal, top):
    """The signal with the top of its band at a share of its amplitude."""
    taps = (1 - top) * firwin(255, 0.95)
    taps[127] += top
    return lfilter(taps, 1, signal)


PLANTED = {
    "rms": lambda x, k: x * 3.0**k,
    "offset": lambda x, k: x + 2 * k,
    "step": lambda x, k: np.round(x / (0.01 * 2**k)) * 0.01 * 2**k,
    "impulsiveness": lambda x, k: 1e-3 * x + (np.arange(len(x)) % (WINDOW >> k) == 5),
    "own-sensor": lambda x, k: lfilter([1], [1, -1.8 * np.cos(0.3 + 0.4 * k), 0.81], x),
    "band-edge": lambda x, k: rolled_off(x, 0.3**k),
}


@pytest.mark.parametrize("thing", PLANTED)
def test_a_planted_shortcut_is_found_by_its_probe(thing, t2):
    planted = scores(t2, signals_of(t2, lambda x, label: PLANTED[thing](x, number(label, t2))))
    bare = scores(t2, signals_of(t2))
    assert bare[thing].accuracy["mean"] == pytest.approx(0.2, abs=0.1)
    assert planted[thing].accuracy["mean"] > 0.85
    assert "nearly tells the classes: " in planted[thing].says


def test_the_step_is_not_told_by_the_loudness(t2):
    """Where no signal has a step, all are alike to the probe, however loud they are."""
    found = scores(t2, signals_of(t2, lambda x, label: PLANTED["rms"](x, number(label, t2))))
    assert found["step"].accuracy["mean"] == pytest.approx(0.2, abs=0.1)
    assert found["step"].says.endswith("tells next to nothing")


def test_identities_tell_at_each_level_what_they_must(t2, t3):
    at_t2, at_t3 = scores(t2, signals_of(t2)), scores(t3, signals_of(t3))
    assert at_t2["bearing"].accuracy["mean"] == 1.0
    assert at_t2["bearing"].says == "the bearing's identity nearly tells the classes: recognising specimens solves the task"
    assert at_t2["session"].accuracy["mean"] == pytest.approx(at_t2["session"].chance, abs=0.1)
    assert at_t2["load"].accuracy["mean"] == pytest.approx(at_t2["load"].chance, abs=0.1)
    for name in ("bearing", "session"):
        assert at_t3[name].accuracy["mean"] == pytest.approx(at_t3[name].chance, abs=0.12)


def test_a_load_of_its_own_gives_a_class_away(t2):
    def load(recording, label):
        return replace(recording, load=label, speed_rpm=1000.0 + 100 * number(label, t2))

    pool = t2.target
    told = tuple(load(r, label) for r, label in zip(pool.recordings, pool.labels, strict=True))
    found = scores(replace(t2, target=replace(pool, recordings=told)), signals_of(t2))
    assert found["load"].accuracy["mean"] == found["speed"].accuracy["mean"] == 1.0


def test_a_place_of_its_own_gives_a_class_away(t2):
    """Class by class from the beginning to the end of the recordings."""

    def moved(windows, labels):
        return np.stack([windows[:, 0], WINDOW * (2 * labels + np.arange(len(labels)) % 2)], axis=1)

    episodes = tuple(replace(e, support=moved(e.support, e.support_labels), query=moved(e.query, e.query_labels)) for e in t2.episodes)
    by_class = {name: place for place, name in enumerate(sorted(set(t2.target.labels)))}
    assert len(by_class) > t2.request.ways  # class numbers mean nothing beyond an episode, the place does within one
    found = scores(replace(t2, episodes=episodes), signals_of(t2))
    assert found["position"].accuracy["mean"] == 1.0


def test_another_sensor_is_read_where_there_is_one(plant):
    def both(recording):
        return replace(recording, channels=(*recording.channels, Channel("b", 1000.0, SAMPLES), Channel("slow", 10.0, 30)))

    split = NewDevice(window=WINDOW).split([plant(samples=SAMPLES, change=both)], REQUEST, 0)
    signals = signals_of(split)
    heard = {
        (r.dataset, r.id, "b"): PLANTED["own-sensor"](signals[r.dataset, r.id, "b"], number(label, split)).astype(np.float32)
        for r, label in zip(split.target.recordings, split.target.labels, strict=True)
    }
    found = scores(split, {**signals, **heard})
    assert found["other-sensor"].accuracy["mean"] > 0.9
    assert found["other-sensor"].sees == "coarse spectrum of b"
    assert found["own-sensor"].accuracy["mean"] == pytest.approx(0.2, abs=0.1)
    assert "may be what is recognised" in found["other-sensor"].says


def test_only_queries_that_another_sensor_heard_are_asked_of_it(plant):
    def some(recording):
        heard = (Channel("b", 1000.0, SAMPLES),) if recording.load != "2 hp" else ()
        return replace(recording, channels=(*recording.channels, *heard))

    split = NewDevice(window=WINDOW).split([plant(samples=SAMPLES, change=some)], REQUEST, 0)
    found = scores(split, signals_of(split))["other-sensor"]
    supports = [split.target.parts[int(e.support[0, 0])] for e in split.episodes]
    assert 0 < found.answered < 1
    assert found.answered <= sum("2 hp" not in part for part in supports) / len(supports)
    assert found.accuracy["mean"] == pytest.approx(0.2, abs=0.15)


def test_what_cannot_be_asked_says_why(t2):
    found = scores(t2, signals_of(t2))
    assert (found["other-sensor"].accuracy, found["other-sensor"].says) == (None, "not asked: each recording has one sensor")
    assert (found["speed"].accuracy, found["speed"].says) == (None, "not asked: every recording has one speed")
    pool = t2.target
    silent = replace(t2, target=replace(pool, recordings=tuple(replace(r, speed_rpm=None) for r in pool.recordings)))
    assert scores(silent, signals_of(t2))["speed"].says == "not asked: the speed is not known"


@pytest.mark.parametrize("seed", range(4))
def test_of_one_fault_bearing_nothing_is_said_that_chance_could_have_done(plant, seed):
    """Noise, and no interval: about half of the probes lie above chance."""

    def two_classes(recording):
        return recording if recording.healthy or (recording.element, recording.severity) == ("inner", "large") else None

    catalogue = plant(machines=("rig",), bearings=1, healthy=1, samples=2 * SAMPLES, change=two_classes)
    split = Window(window=WINDOW).split([catalogue], replace(REQUEST, ways=2, episodes=30), seed)
    found = scores(split, signals_of(split, length=2 * SAMPLES))
    noisy = [found[name] for name in ("rms", "impulsiveness", "offset", "extent", "own-sensor", "band-edge", "load")]
    assert any(probe.accuracy["mean"] > probe.chance for probe in noisy)
    assert {probe.accuracy["ci_low"] for probe in noisy} == {None}
    for probe in noisy:
        assert probe.says.startswith("nothing can be said of "), probe.says
        assert probe.says.endswith(": one faulty specimen gives no interval")
    assert found["bearing"].says == (
        "the bearing's identity nearly tells the classes: recognising specimens solves the task (one faulty specimen gives no interval)"
    )


def test_probes_are_the_same_again_and_join_seeds(plant):
    splits = [NewDevice(window=WINDOW).split([plant(samples=SAMPLES)], REQUEST, seed) for seed in (0, 1)]
    signals = signals_of(splits[0])
    first, again = ([asdict(p) for p in probes(splits, lambda _: signals)] for _ in range(2))
    assert first == again
    alone = [asdict(p) for p in probes(splits[:1], lambda _: signals)]
    assert first != alone
    assert first[0]["accuracy"]["queries_per_unit"] > alone[0]["accuracy"]["queries_per_unit"]


def test_seeds_of_different_targets_are_told_together(plant):
    catalogue = plant(machines=("rig",), healthy=4, samples=SAMPLES)
    splits = [UnseenBearing(window=WINDOW).split([catalogue], REQUEST, seed) for seed in range(3)]
    assert splits[0].target != splits[1].target
    signals = {k: v for split in splits for k, v in signals_of(split).items()}
    found = {p.name: p for p in probes(splits, lambda _: signals)}
    assert found["rms"].accuracy["mean"] == pytest.approx(found["rms"].chance, abs=0.15)


def test_a_class_that_is_told_almost_surely_is_named(t2):
    loud = scores(t2, signals_of(t2, lambda x, label: x * (9 if label == "healthy" else 3 if label.startswith("inner") else 1)))["rms"]
    assert loud.recall["healthy"] == 1.0
    assert "much of the classes" in loud.says
    assert "healthy" in loud.says.partition("classes, ")[2]


def test_features_bear_windows_that_hold_nothing():
    silent = np.zeros((3, 64), dtype=np.float32)
    power = features.power_spectrum(silent)
    for found in (
        *(feature(silent) for feature in (features.loudness, features.offset, features.impulsiveness, features.step)),
        *(feature(power) for feature in (features.extent, features.band_edge, features.spectrum)),
    ):
        assert found.shape[0] == 3
        assert np.isfinite(found).all()


def test_the_spectrum_is_welchs():
    from scipy.signal import welch

    windows = np.random.default_rng(0).normal(size=(4, 2048)).astype(np.float32)
    _, expected = welch(windows - windows.mean(axis=1, keepdims=True), nperseg=256, noverlap=128, detrend=False, axis=1)
    found = features.power_spectrum(windows)
    ratio = found[:, :-1] / expected[:, 1:-1]
    assert np.ptp(ratio) / ratio.mean() < 1e-6


def test_kurtosis_and_crest_are_those_of_the_textbook():
    from scipy.stats import kurtosis

    windows = np.random.default_rng(0).standard_t(5, size=(4, 500)).astype(np.float32) + 3
    centred = windows - windows.mean(axis=1, keepdims=True)
    found = np.exp(features.impulsiveness(windows))
    assert found[:, 0] == pytest.approx(kurtosis(windows, axis=1, fisher=False), rel=1e-4)
    assert found[:, 1] == pytest.approx(np.abs(centred).max(axis=1) / centred.std(axis=1), rel=1e-4)
