"""Scenarios that name channels: who is read by what, what is left out, what is refused, and runs with and without a thermometer."""

from dataclasses import replace

import numpy as np
import pytest

from faultbench.data.audit import audit, require
from faultbench.data.recording import Channel
from faultbench.data.scenarios.channels import named_channels
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.session import Session
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest
from faultbench.data.windows import cut, slow_channels
from faultbench.errors import IsolationError, UsageError

REQUEST = EpisodeRequest(ways=3, shots=3, shots_rare=2, queries=4, episodes=10)
SENSORS = (Channel("a", 1000.0, 1920), Channel("b", 1000.0, 1920), Channel("t", 1.0, 2, "degC"))


def with_sensors(recording):
    return replace(recording, channels=SENSORS)


@pytest.mark.parametrize("scenario", [NewDevice, UnseenBearing])
def test_a_window_has_the_channels_that_are_named_the_lead_first(scenario, plant, noise):
    catalogue = plant(change=with_sensors)
    split = scenario(window=64, channels="b+t").split([catalogue], REQUEST, 0)
    assert set(split.target.channels) == set(split.source.channels) == {("b", "t")}
    assert slow_channels(split) == (False, True)
    assert "channels=b+t" in split.scenario
    signals = noise(catalogue)
    require(audit(split, signals))
    assert cut(signals, split.target, split.episodes[0].query, 64).shape == (12, 2, 64)


@pytest.mark.parametrize("scenario", [NewDevice, UnseenBearing, Session, Window])
@pytest.mark.parametrize("channels", ["t", "t+1", "3+b"])
def test_a_slow_channel_is_no_lead_and_that_is_said(scenario, channels, plant):
    with pytest.raises(UsageError, match=r"the first is the lead, .* t has 1 Hz, .*: name a fast channel first, as a\+t$"):
        scenario(window=64, channels=channels).split([plant(change=with_sensors)], REQUEST, 0)


def test_channels_change_no_episode(plant):
    episodes = [
        [e.query.tolist() for e in NewDevice(window=64, channels=channels).split([plant(change=with_sensors)], REQUEST, 0).episodes]
        for channels in ("", "a+t", "1+2+3")
    ]
    assert episodes[0] == episodes[1] == episodes[2]


def test_a_number_means_a_place_in_the_recordings_own_order(plant):
    def turned(recording):
        return replace(recording, channels=SENSORS[:2] if recording.machine == "beta" else SENSORS[1::-1])

    split = NewDevice(window=64, channels="1+2").split([plant(change=turned)], REQUEST, 0)
    assert set(split.target.channels) == {("a", "b")}
    assert set(split.source.channels) == {("b", "a")}


def test_recordings_that_lack_a_channel_are_left_out_and_listed(plant):
    def one_lacks(recording):
        return with_sensors(recording) if "large/1" not in recording.id else recording

    split = NewDevice(window=64, channels="a+b").split([plant(change=one_lacks)], REQUEST, 0)
    assert not [r for r in (*split.target.recordings, *split.source.recordings) if "large/1" in r.id]
    assert len([name for name in split.left_out if "large/1" in name]) == 2 * 3 * 3


def test_channels_that_nobody_has_are_refused_with_what_there_is(plant):
    with pytest.raises(UsageError, match=r"no recording of plant has the channels a\+x: .* holds a, b, t"):
        NewDevice(window=64, channels="a+x").split([plant(change=with_sensors)], REQUEST, 0)


@pytest.mark.parametrize(("said", "why"), [("a+", "names nothing"), ("a+a", "twice"), ("a+1", "twice")])
def test_channels_that_are_written_wrongly_are_refused(said, why, plant):
    with pytest.raises(UsageError, match=why):
        named_channels(plant(change=with_sensors).recordings[0], said)


def test_a_lead_of_several_rates_is_refused(plant):
    def faster(recording):
        return (
            replace(recording, channels=(Channel("a", 2000.0, 1920), *SENSORS[1:]))
            if recording.machine == "alpha"
            else with_sensors(recording)
        )

    with pytest.raises(IsolationError, match="2000 Hz"):
        NewDevice(window=64, channels="a+t").split([plant(change=faster)], REQUEST, 0)


def test_a_channel_faster_than_the_lead_is_found_by_the_audit(plant, noise):
    catalogue = plant(change=lambda r: replace(r, channels=(Channel("a", 1000.0, 1920), Channel("c", 3000.0, 5760))))
    split = NewDevice(window=64, channels="a+c").split([catalogue], REQUEST, 0)
    found = audit(split, noise(catalogue))
    assert any("no higher than the lead's" in finding for finding in found.findings)


def test_a_copy_in_the_second_channel_is_found(plant, noise):
    """A target recording's samples stand in the second channel of a source recording."""
    catalogue = plant(change=with_sensors)
    split = NewDevice(window=64, channels="a+b").split([catalogue], REQUEST, 0)
    signals = dict(noise(catalogue))
    stolen, receiver = split.target.recordings[0], split.source.recordings[0]
    signals["plant", receiver.id, "b"] = signals["plant", stolen.id, "a"]
    assert audit(split, noise(catalogue)).findings == ()
    assert any("source and target share 1 sample" in finding for finding in audit(split, signals).findings)


def test_with_and_without_the_thermometer_is_a_paired_difference(site):
    scenarios = ("new-device:window=64", "new-device:channels=a+t,window=64")
    rows, _ = site.run(datasets=("plant:mood=sensors",), scenarios=scenarios, learners=("centroid:frontend=warmth",))
    without, with_it = rows
    assert (without["cell"]["channels"], with_it["cell"]["channels"]) == (["a"], ["a", "t"])
    assert without["accuracy"]["mean"] < 0.6 < 0.85 < with_it["accuracy"]["mean"]
    name = "new-device:channels=a+t,window=64"
    assert without["differences"][name]["mean"] == pytest.approx(without["accuracy"]["mean"] - with_it["accuracy"]["mean"])
    assert with_it["differences"]["new-device:window=64"]["mean"] == pytest.approx(-without["differences"][name]["mean"])


def test_the_noise_of_a_target_leaves_slow_channels_alone(plant, noise):
    from faultbench.data.noise import NoisyTarget, parse_noise

    catalogue = plant(change=with_sensors)
    split = NewDevice(window=64, channels="a+b+t").split([catalogue], REQUEST, 0)
    signals = noise(catalogue)
    rows = split.episodes[0].query
    clean = cut(signals, split.target, rows, 64)
    for rule in ("10", "floor:10"):
        level = parse_noise(rule)
        assert level is not None
        noisy = NoisyTarget(level, split, signals)(clean, rows)
        np.testing.assert_array_equal(noisy[:, 2], clean[:, 2])
        for channel in (0, 1):
            ratio = clean[:, channel].var() / (noisy - clean)[:, channel].var()
            assert 10 * np.log10(ratio) == pytest.approx(10, abs=1)
        assert abs(np.corrcoef((noisy - clean)[:, 0].ravel(), (noisy - clean)[:, 1].ravel())[0, 1]) < 0.2


def test_a_front_end_that_takes_physics_runs_on_the_device(site):
    (row,), _ = site.run(learners=("centroid:frontend=fault-lines",), scenarios=("new-device:window=64",))
    assert row["accuracy"] is not None
    assert row["parity"]["holds"]


def test_a_front_end_that_takes_physics_is_not_applicable_where_none_is_known(site):
    (row,), _ = site.run(datasets=("plant:mood=unnamed",), learners=("centroid:frontend=fault-lines",))
    assert row["verdict"]["overall"] == "not applicable"
    assert "speed and the geometry" in row["not_applicable"]


def test_recorded_noise_of_all_channels_is_of_one_stretch(plant, noise):
    from faultbench.data.machine_noise import noise_pool
    from faultbench.data.noise import NoisyTarget, parse_noise

    catalogue = plant(change=with_sensors)
    split = NewDevice(window=64, channels="a+b+t").split([catalogue], REQUEST, 0)
    signals = noise(catalogue)
    recorded = noise_pool(split, [catalogue])
    level = parse_noise("machine:10")
    assert level is not None
    noisy = NoisyTarget(level, split, signals, recorded)
    rows = split.episodes[0].query
    placed = noisy.placed(0, rows)
    clean = cut(signals, split.target, rows, 64)
    added = noisy(clean, placed).astype(np.float64) - clean
    assert not added[:, 2].any()
    stretches = cut(signals, recorded, placed[:, 2:], 64)
    for channel in (0, 1):
        for heard, stretch, window in zip(added[:, channel], stretches[:, channel], clean[:, channel], strict=True):
            assert np.corrcoef(heard, stretch)[0, 1] == pytest.approx(1, abs=1e-4)
            assert 10 * np.log10(window.var() / heard.var()) == pytest.approx(10, abs=0.01)
