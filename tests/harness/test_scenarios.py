"""The built-in scenarios: who is target, who is source, what a way is, and what they refuse."""

import inspect
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from faultbench.data import scenarios
from faultbench.data.audit import audit, require
from faultbench.data.recording import Channel
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.session import Session
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.scenarios.window import Window
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
    with pytest.raises(IsolationError, match="each specimen of beta was measured at one load only, support and query need two"):
        NewDevice(window=64).split([plant(loads=("0 hp",))], REQUEST, 0)


def test_new_device_refuses_a_healthy_machine_of_one_load(plant):
    catalogue = plant(change=lambda r: None if r.healthy and r.load != "0 hp" else r)
    with pytest.raises(IsolationError, match="each healthy specimen is of one part only"):
        NewDevice(window=64).split([catalogue], REQUEST, 0)


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


@pytest.mark.parametrize(("bearings", "said"), [(2, "healthy 2, ball 2, inner 2, outer 2"), (3, "healthy 3, ball 3, inner 3, outer 3")])
def test_one_rig_of_fewer_than_four_bearings_says_how_many_there_are_and_how_many_it_takes(plant, bearings, said):
    def one_severity(recording):
        return recording if recording.healthy or recording.severity == "small" else None

    catalogue = plant(machines=("rig",), bearings=bearings, healthy=bearings, change=one_severity)
    with pytest.raises(IsolationError) as caught:
        UnseenBearing(window=64).split([catalogue], REQUEST, 0)
    assert str(caught.value) == (
        "unseen-bearing:window=64: rig is one mounting, so the bearings of each element are dealt to source and target, and two elements "
        f"need four bearings each (there are: {said}): measure more bearings, or others at a second mounting"
    )
    for able in (
        plant(machines=("rig",), bearings=4, healthy=4, change=one_severity),
        plant(machines=("rig", "other"), bearings=2, healthy=2, change=one_severity),
    ):
        assert UnseenBearing(window=64).split([able], REQUEST, 0).request.ways == 4


def test_on_one_rig_two_elements_of_four_bearings_are_enough(plant, noise):
    def some(recording):
        number = int(recording.bearing.rpartition("/")[2])
        return recording if recording.severity != "large" and (recording.element in {"inner", "ball"} or not number) else None

    split = UnseenBearing(window=64).split([plant(machines=("rig",), bearings=4, healthy=4, change=some)], REQUEST, 0)
    assert set(split.target.labels) == {"inner", "ball"}


def test_on_one_rig_a_severity_of_too_few_bearings_is_refused_as_it_is(plant):
    """Its bearings are not dealt: another severity may do."""
    catalogue = plant(machines=("rig",), bearings=2, healthy=1, change=lambda r: None if (r.element, r.severity) in GONE else r)
    with pytest.raises(IsolationError, match="large has two bearings of 1 elements, two elements are needed: choose another target"):
        UnseenBearing(target="large", window=64).split([catalogue], REQUEST, 0)
    with pytest.raises(IsolationError, match="the source has two bearings of 1 of the target's 3 elements, two are needed: choose another"):
        UnseenBearing(target="small", window=64).split([catalogue], REQUEST, 0)


@pytest.mark.parametrize("scenario", [Window, Session, NewDevice, UnseenBearing])
def test_a_window_longer_than_every_recording_is_the_reason_and_the_one_that_is_proposed_fits(scenario, plant):
    catalogue = plant(loads=("0 hp", "1 hp", "2 hp", "3 hp"))
    with pytest.raises(UsageError, match="a window of 999999 samples is longer than all that a recording gives") as caught:
        scenario(window=999999).split([catalogue], REQUEST, 0)
    said = re.search(r"(\d+) at most: give a window of (\d+) at most$", str(caught.value))
    assert int(said[1]) == (960 if scenario is Window else 1920)
    assert scenario(window=int(said[2])).split([catalogue], REQUEST, 0).episodes
    with pytest.raises(UsageError, match="or a shorter window"):
        scenario(window=int(said[2]) + 1).split([catalogue], REQUEST, 0)


def test_the_window_that_is_proposed_fits_the_source_too(plant):
    def shorter(recording):
        length = 960 if recording.machine == "alpha" else 1920
        return replace(recording, channels=(replace(recording.channels[0], samples=length),))

    with pytest.raises(UsageError, match=r"the target .* 1920 at most: give a window of 320 at most"):
        NewDevice(window=2048).split([plant(change=shorter)], REQUEST, 0)
    assert NewDevice(window=320).split([plant(change=shorter)], REQUEST, 0).episodes


GONE = {("ball", "large"), ("outer", "large")}


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


def test_new_device_parts_one_rig_by_bearing_and_says_so(plant, noise):
    catalogue = plant(machines=("rig",), healthy=5, bearings=3)
    split = NewDevice(window=64).split([catalogue], REQUEST, 0)
    assert (split.level, split.note) == ("T2", "one rig")
    require(audit(split, noise(catalogue)))
    sides = [{r.bearing for r in pool.recordings} for pool in (split.source, split.target)]
    assert not sides[0] & sides[1]
    assert [sum("healthy" in b for b in side) for side in sides] == [3, 2]
    assert [sum("inner/large" in b for b in side) for side in sides] == [2, 1]
    other = NewDevice(window=64).split([catalogue], REQUEST, 1)
    assert {r.bearing for r in other.target.recordings} != sides[1]


def test_on_one_rig_the_only_bearing_of_a_class_is_the_targets(plant, noise):
    catalogue = plant(machines=("rig",), healthy=1)
    split = NewDevice(window=64).split([catalogue], REQUEST, 0)
    assert "healthy" in split.target.labels
    assert "healthy" not in split.source.labels
    require(audit(split, noise(catalogue)))


def test_new_device_refuses_one_rig_of_one_bearing_per_class(plant):
    with pytest.raises(IsolationError, match="one rig and one bearing of each class, so no class can be on both sides"):
        NewDevice(window=64).split([plant(machines=("rig",), bearings=1, healthy=1)], REQUEST, 0)


def test_new_device_refuses_a_source_of_one_class(plant):
    with pytest.raises(IsolationError, match="the source holds healthy, two classes are needed to train on"):
        NewDevice(window=64).split([plant(machines=("rig",), bearings=1, healthy=2)], REQUEST, 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_on_one_rig_the_target_may_be_a_severity_and_healthy_is_halved(scenario, plant, noise):
    """As at Paderborn: trained on damage made by hand, tested on damage from fatigue."""
    catalogue = plant(machines=("rig",), healthy=4)
    split = scenario(target="large", window=64).split([catalogue], REQUEST, 0)
    assert (split.level, split.note) == (scenario.level, "one rig")
    assert split.scenario.endswith(":target=large,window=64")
    require(audit(split, noise(catalogue)))
    assert {r.severity for r in split.target.recordings} == {"", "large"}
    assert {r.severity for r in split.source.recordings} == {"", "small"}
    sides = [{r.bearing for r in pool.recordings if r.healthy} for pool in (split.source, split.target)]
    assert [len(side) for side in sides] == [2, 2]
    assert not sides[0] & sides[1]
    assert sides[1] != {
        r.bearing for r in scenario(target="large", window=64).split([catalogue], REQUEST, 2).target.recordings if r.healthy
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_on_one_rig_an_unknown_target_is_refused_with_the_severities_too(scenario, plant):
    with pytest.raises(UsageError, match="no machine, mounting or severity 'huge' in plant: choose one of rig, rig-0, large, small"):
        scenario(target="huge", window=64).split([plant(machines=("rig",))], REQUEST, 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_where_there_are_several_mountings_a_severity_is_no_target(scenario, plant):
    with pytest.raises(UsageError, match=r"no machine or mounting 'large' in plant: choose one of beta, alpha, beta-0, alpha-0$"):
        scenario(target="large", window=64).split([plant()], REQUEST, 0)


def test_window_shares_recordings_by_halves_and_no_sample(plant, noise):
    catalogue = plant(mountings=2)
    split = Window(window=64).split([catalogue], REQUEST, 0)
    found = audit(split, noise(catalogue))
    require(found)
    assert (split.level, split.request.ways) == ("T0", 5)
    assert names(split.source.recordings) == names(split.target.recordings) == {r.id for r in catalogue.recordings if r.machine == "beta"}
    assert found.shared["source/target"]["recording"] == len(split.target.recordings)
    assert found.shared["source/target"]["sample"] == 0
    spans = list(zip(split.source.spans, split.target.spans, strict=True))
    assert {tuple(sorted(pair)) for pair in spans} == {((0, 960), (960, 1920))}
    assert 0.3 < sum(source[0] == 0 for source, _ in spans) / len(spans) < 0.7, "the seed decides which half"


def test_window_asks_for_what_it_shows_in_the_support(plant):
    split = Window(window=64).split([plant(mountings=2)], REQUEST, 0)
    pool = split.target
    sharing = 0
    for episode in split.episodes:
        assert len({pool.recordings[i].mounting for i in (*episode.support[:, 0], *episode.query[:, 0])}) == 1
        for way in range(5):
            rows = [set(w[n == way, 0]) for w, n in ((episode.support, episode.support_labels), (episode.query, episode.query_labels))]
            assert len({pool.recordings[i].bearing for i in rows[0] | rows[1]}) == 1
            sharing += bool(rows[0] & rows[1])
    assert sharing > 50


def test_window_takes_as_many_ways_as_there_are_classes_up_to_five(plant):
    catalogue = plant(change=lambda r: r if r.element in {"healthy", "inner"} else None)
    assert Window(window=64).split([catalogue], REQUEST, 0).request.ways == 3


def test_window_refuses_a_recording_whose_half_is_too_short(plant):
    with pytest.raises(UsageError, match=r"hold 3 support and 25 query windows of 64 samples, 5 ways asked for \(not: ball large, "):
        Window(window=64).split([plant(loads=("0 hp",))], replace(REQUEST, queries=25), 0)


LOADS = ("0 hp", "1 hp", "2 hp", "3 hp")


def test_session_halves_four_loads_by_the_seed(plant, noise):
    catalogue = plant(loads=LOADS, mountings=2)
    halves = set()
    for seed in range(8):
        split = Session(window=64).split([catalogue], REQUEST, seed)
        require(audit(split, noise(catalogue)))
        source, target = ({r.load for r in pool.recordings} for pool in (split.source, split.target))
        assert sorted(source | target) == list(LOADS)
        assert len(source) == len(target) == 2
        assert {r.bearing for r in split.source.recordings} == {r.bearing for r in split.target.recordings}
        halves.add(tuple(sorted(target)))
    assert len(halves) > 2


def test_session_draws_again_where_a_half_is_too_short(plant, noise):
    """As in a copy of Case Western whose healthy records of two loads are cut short: these two must not be one half."""

    def cut(recording):
        short = recording.healthy and recording.load in ("1 hp", "2 hp")
        return replace(recording, channels=(replace(recording.channels[0], samples=64 * 5),)) if short else recording

    catalogue = plant(loads=LOADS, change=cut)
    request = replace(REQUEST, queries=6)
    for seed in range(8):
        split = Session(window=64).split([catalogue], request, seed)
        require(audit(split, noise(catalogue)))
        assert {r.load for r in split.target.recordings} not in ({"1 hp", "2 hp"}, {"0 hp", "3 hp"})
        assert Session(window=64).split([catalogue], replace(request, episodes=1), seed).target == split.target


def test_session_keeps_support_and_query_at_different_loads_and_supports_at_one(plant):
    split = Session(window=64).split([plant(loads=LOADS)], REQUEST, 0)
    for episode in split.episodes:
        support, query = ({split.target.recordings[i].load for i in w[:, 0]} for w in (episode.support, episode.query))
        assert len(support) == len(query) == 1
        assert support != query


def test_session_keeps_a_session_of_two_mountings_on_one_side(plant, noise):
    """As at Case Western, where healthy records show both machine ends, and one end lacks some of them."""

    def shared(recording):
        changed = replace(recording, session=f"healthy {recording.load}", bearing="healthy") if recording.healthy else recording
        return None if recording.healthy and recording.mounting == "beta-1" and recording.load == "3 hp" else changed

    catalogue = plant(loads=LOADS, mountings=2, healthy=1, change=shared)
    for seed in range(4):
        require(audit(Session(window=64).split([catalogue], REQUEST, seed), noise(catalogue)))


def minutes(recording):
    """A run at one load, four sessions long."""
    return replace(recording, load="12 kN")


def test_session_takes_sessions_where_there_is_one_load(plant, noise):
    catalogue = plant(loads=LOADS, change=minutes)
    split = Session(window=64).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    for pool in (split.source, split.target):
        per_specimen = [sum(c == name for c in pool.conditions) for name in set(pool.conditions)]
        assert set(per_specimen) == {2}
    for episode in split.episodes:
        rows = [{split.target.recordings[i].session for i in w[:, 0]} for w in (episode.support, episode.query)]
        assert len(rows[0]) == 5
        assert not rows[0] & rows[1]


def test_session_leaves_classes_of_few_sessions_out_of_the_source(plant, noise):
    def short(recording):
        lost = recording.element == "ball" and recording.load in ("2 hp", "3 hp")
        return None if lost else replace(recording, load="12 kN")

    catalogue = plant(loads=LOADS, change=short)
    split = Session(window=64).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    assert not any(label.startswith("ball") for label in split.source.labels)
    assert not any(label.startswith("ball") for e in split.episodes for label in e.classes)


def test_session_refuses_three_loads_of_one_session_each(plant):
    says = "beta was measured at 3 loads at most, in 1 sessions of one load at most; source and target need two of their own"
    with pytest.raises(IsolationError, match=says):
        Session(window=64).split([plant()], REQUEST, 0)


def test_session_refuses_a_target_of_one_class(plant):
    catalogue = plant(loads=LOADS, change=lambda r: r if r.healthy or r.load == "0 hp" else None)
    with pytest.raises(IsolationError, match="1 classes of beta part support from query, two are needed"):
        Session(window=64).split([catalogue], REQUEST, 0)


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
        defaults = {n: None if p.default is p.empty else p.default for n, p in signature.parameters.items()}
        assert defaults == {n: p.default for n, p in offer.params.items()}


@pytest.mark.parametrize("name", ["window", "session", "new-device", "unseen-bearing"])
def test_imbalance_is_a_matter_of_the_request_on_every_scenario(name, plant, noise):
    offer = next(offer for offer in scenarios.builtin() if offer.name == name)
    module, _, factory = offer.factory.partition(":")
    catalogue = plant(loads=LOADS, samples=64 * 40)
    request = EpisodeRequest(shots=15, shots_rare=5, queries=15, episodes=6)
    split = getattr(__import__(module, fromlist=[factory]), factory)(window=64).split([catalogue], request, 0)
    require(audit(split, noise(catalogue)))
    for episode in split.episodes:
        counts = [int((episode.support_labels == way).sum()) for way in range(len(episode.classes))]
        assert sorted(counts) == [5] + [15] * (len(counts) - 1)
        assert counts[episode.rare] == 5


def test_offering_scenarios_imports_no_numpy():
    code = "import sys, faultbench.data.scenarios as s; s.faultbench_scenarios(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
