"""The built-in scenarios: who is target, who is source, what a way is, and what they refuse."""

import inspect
import subprocess
import sys
from dataclasses import replace

import pytest

from faultbench.data import scenarios
from faultbench.data.audit import audit, require
from faultbench.data.recording import Channel
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import EpisodeRequest
from faultbench.errors import IsolationError, UsageError

REQUEST = EpisodeRequest(shots=3, shots_rare=2, queries=4, episodes=20)
SCENARIOS = [NewDevice, UnseenBearing]


def one_healthy_specimen(recording):
    """As at Case Western: one healthy bearing, measured at both machines in one session per load."""
    return replace(recording, bearing="healthy", session=f"healthy {recording.load}") if recording.healthy else recording


def names(recordings):
    return {r.id for r in recordings}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_source_and_target_are_the_two_machines_and_the_audit_agrees(scenario, plant, noise):
    catalogue = plant()
    split = scenario(window=64).split([catalogue], REQUEST, 0)
    assert {r.machine for r in split.target.recordings} == {"beta"}
    assert {r.machine for r in split.source.recordings} == {"alpha"}
    assert split.level == scenario.level
    assert len(split.episodes) == 20
    require(audit(split, noise(catalogue)))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_target_may_be_a_machine_or_a_mounting(scenario, plant):
    split = scenario(target="alpha-1", window=64).split([plant(mountings=3)], REQUEST, 0)
    assert {r.mounting for r in split.target.recordings} == {"alpha-1"}
    assert {r.mounting for r in split.source.recordings} == {"alpha-0", "alpha-2", "beta-0", "beta-1", "beta-2"}
    assert split.scenario.endswith(":target=alpha-1,window=64")


def test_the_canonical_name_leaves_defaults_out(plant):
    assert NewDevice().split([plant(samples=40_960)], REQUEST, 0).scenario == "new-device"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_seed_alone_decides_the_episodes(scenario, plant):
    def windows(seed):
        return [e.query.tolist() for e in scenario(window=64).split([plant()], REQUEST, seed).episodes]

    assert windows(1) == windows(1) != windows(2)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_healthy_specimen_seen_by_both_machines_is_no_source(scenario, plant):
    split = scenario(window=64).split([plant(change=one_healthy_specimen, healthy=1)], REQUEST, 0)
    assert not any(r.healthy for r in split.source.recordings)
    assert {f"plant/{r.id}" for r in plant(healthy=1).recordings if r.healthy and r.machine == "alpha"} <= set(split.left_out)


@pytest.mark.parametrize("shared", ["bearing", "session", "mounting"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_shares_a_bearing_session_or_mounting_with_the_target_is_no_source(scenario, shared, plant):
    theirs = next(r for r in plant().recordings if r.machine == "beta" and r.element == "ball")
    ours = next(r for r in plant().recordings if r.machine == "alpha" and r.element == "ball")
    catalogue = plant(change=lambda r: replace(r, **{shared: getattr(theirs, shared)}) if r.id == ours.id else r)
    split = scenario(window=64).split([catalogue], REQUEST, 0)
    assert ours.id not in names(split.source.recordings)
    assert f"plant/{ours.id}" in split.left_out


def test_new_device_labels_element_and_severity_and_takes_five_ways(plant):
    split = NewDevice(window=64).split([plant()], REQUEST, 0)
    assert split.request.ways == 5
    assert set(split.target.labels) == {"healthy", *(f"{e} {s}" for e in ("inner", "ball", "outer") for s in ("small", "large"))}
    assert all(e.classes[0] == "healthy" for e in split.episodes)


def test_new_device_takes_all_supports_of_an_episode_from_one_load_on_one_mounting(plant):
    split = NewDevice(window=64).split([plant(mountings=3)], REQUEST, 0)
    seen = set()
    for episode in split.episodes:
        support = {(split.target.recordings[i].mounting, split.target.recordings[i].load) for i in episode.support[:, 0]}
        query = {(split.target.recordings[i].mounting, split.target.recordings[i].load) for i in episode.query[:, 0]}
        assert len(support) == 1
        assert {mounting for mounting, _ in query} == {mounting for mounting, _ in support}
        assert not query & support
        seen |= support
    assert len(seen) == 9


def test_new_device_never_mixes_clock_positions_or_specimens_in_a_way(plant):
    split = NewDevice(window=64).split([plant()], REQUEST, 0)
    positions = set()
    for episode in split.episodes:
        for way in range(5):
            rows = [*episode.support[episode.support_labels == way, 0], *episode.query[episode.query_labels == way, 0]]
            (specimen,) = {(split.target.recordings[i].bearing, split.target.recordings[i].position) for i in rows}
            positions.add(specimen[1])
    assert positions == {"", "@3", "@6"}


def test_new_device_leaves_a_fault_of_one_load_out_of_its_ways(plant):
    def once(recording):
        single = recording.element == "ball" and recording.severity == "large" and recording.machine == "beta"
        return None if single and recording.load != "0 hp" else recording

    split = NewDevice(window=64).split([plant(change=once)], REQUEST, 0)
    assert not any("ball large" in e.classes for e in split.episodes)


def test_new_device_refuses_data_of_one_load(plant):
    with pytest.raises(IsolationError, match="each healthy specimen is of one part only"):
        NewDevice(window=64).split([plant(loads=("0 hp",))], REQUEST, 0)


def test_new_device_trains_with_fewer_ways_where_the_source_has_fewer_classes(plant, noise):
    catalogue = plant(change=lambda r: None if r.machine == "alpha" and r.element not in {"inner", "ball"} else r)
    split = NewDevice(window=64).split([catalogue], replace(REQUEST, ways=6), 0)
    assert len(set(split.source.labels)) == 4
    require(audit(split, noise(catalogue)))


def test_unseen_bearing_labels_the_element_and_takes_all_that_have_two_bearings(plant):
    split = UnseenBearing(window=64).split([plant()], REQUEST, 0)
    assert split.request.ways == 4
    assert set(split.target.labels) == {"healthy", "inner", "ball", "outer"}


def test_unseen_bearing_leaves_healthy_out_where_there_is_one_specimen(plant):
    split = UnseenBearing(window=64).split([plant(change=one_healthy_specimen, healthy=1)], REQUEST, 0)
    assert split.request.ways == 3
    assert "healthy" not in split.target.labels


def test_unseen_bearing_leaves_healthy_out_of_the_source_where_the_target_has_one_specimen(plant):
    catalogue = plant(change=lambda r: one_healthy_specimen(r) if r.machine == "beta" else r)
    split = UnseenBearing(window=64).split([catalogue], REQUEST, 0)
    assert "healthy" not in split.source.labels


def test_unseen_bearing_parts_support_and_query_by_bearing(plant):
    split = UnseenBearing(window=64).split([plant()], REQUEST, 0)
    for episode in split.episodes:
        support = {split.target.recordings[i].bearing for i in episode.support[:, 0]}
        assert len(support) == 4
        assert not support & {split.target.recordings[i].bearing for i in episode.query[:, 0]}


def test_unseen_bearing_refuses_a_target_of_one_bearing_per_element(plant):
    catalogue = plant(change=lambda r: replace(r, bearing=f"{r.machine}/{r.element}"))
    with pytest.raises(IsolationError, match="two bearings of 0 elements"):
        UnseenBearing(window=64).split([catalogue], REQUEST, 0)


def test_unseen_bearing_refuses_a_source_of_one_bearing_per_element(plant):
    catalogue = plant(change=lambda r: replace(r, bearing=f"{r.machine}/{r.element}") if r.machine == "alpha" else r)
    with pytest.raises(IsolationError, match="the source has two bearings of 0 of the target's 4 elements"):
        UnseenBearing(window=64).split([catalogue], REQUEST, 0)


def test_one_rig_is_parted_by_bearing_and_says_so(plant, noise):
    catalogue = plant(machines=("rig",), healthy=5)
    split = UnseenBearing(window=64).split([catalogue], REQUEST, 0)
    assert split.note == "one rig"
    require(audit(split, noise(catalogue)))
    sides = [{r.bearing for r in pool.recordings} for pool in (split.source, split.target)]
    assert not sides[0] & sides[1]
    assert [sum("healthy" in b for b in side) for side in sides] == [3, 2]
    other = UnseenBearing(window=64).split([catalogue], REQUEST, 1)
    assert {r.bearing for r in other.target.recordings} != sides[1]


def test_a_catalogue_that_offers_no_target_holds_out_its_first_machine(plant):
    split = NewDevice(window=64).split([replace(plant(), targets=())], REQUEST, 0)
    assert {r.machine for r in split.target.recordings} == {"beta"}


def test_an_empty_catalogue_is_refused(plant):
    with pytest.raises(UsageError, match="no machine or mounting 'any' in plant"):
        NewDevice(window=64).split([plant(machines=())], REQUEST, 0)


def test_one_rig_leaves_out_a_class_of_too_few_bearings(plant):
    split = UnseenBearing(window=64).split([plant(machines=("rig",), healthy=2)], REQUEST, 0)
    assert set(split.target.labels) == set(split.source.labels) == {"inner", "ball", "outer"}
    assert sum("healthy" in name for name in split.left_out) == 6


def test_one_rig_tests_a_class_of_three_bearings_that_it_cannot_be_trained_on(plant, noise):
    catalogue = plant(machines=("rig",), healthy=3)
    split = UnseenBearing(window=64).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    assert set(split.target.labels) - set(split.source.labels) == {"healthy"}
    assert len({r.bearing for r in split.target.recordings if r.healthy}) == 2
    assert sum("healthy" in name for name in split.left_out) == 3


def test_new_device_refuses_one_rig(plant):
    with pytest.raises(IsolationError, match="every other recording shares a bearing, session or mounting with rig, nothing is left"):
        NewDevice(window=64).split([plant(machines=("rig",))], REQUEST, 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_unknown_target_is_refused_with_those_there_are(scenario, plant):
    with pytest.raises(UsageError, match="no machine or mounting 'gamma' in plant: choose one of beta, alpha, beta-0, alpha-0"):
        scenario(target="gamma", window=64).split([plant()], REQUEST, 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_more_ways_than_classes_is_bad_usage(scenario, plant):
    with pytest.raises(UsageError, match=r"9 ways asked for: give at most \d"):
        scenario(window=64).split([plant()], replace(REQUEST, ways=9), 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_recordings_at_another_rate_are_refused_by_name(scenario, plant):
    def fast_healthy(recording):
        return replace(recording, channels=(Channel("a", 4000.0, 1920),)) if recording.healthy else recording

    with pytest.raises(IsolationError, match=r"are at 4000 Hz, the others at 1000 Hz"):
        scenario(window=64).split([plant(change=fast_healthy)], REQUEST, 0)


def test_a_recordings_first_channel_at_the_common_rate_is_read(plant):
    def also_fast(recording):
        fast = Channel("fast", 4000.0, 7680)
        return replace(recording, channels=(fast, *recording.channels)) if recording.machine == "alpha" else recording

    split = NewDevice(window=64).split([plant(change=also_fast)], REQUEST, 0)
    assert set(split.source.channels) == {("a",)}


def test_offers_and_factories_agree():
    for offer in scenarios.faultbench_scenarios():
        module, _, name = offer.factory.partition(":")
        factory = getattr(__import__(module, fromlist=[name]), name)
        signature = inspect.signature(factory)
        assert {n: p.default for n, p in signature.parameters.items()} == {n: p.default for n, p in offer.params.items()}


def test_offering_scenarios_imports_no_numpy():
    code = "import sys, faultbench.data.scenarios as s; s.faultbench_scenarios(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
