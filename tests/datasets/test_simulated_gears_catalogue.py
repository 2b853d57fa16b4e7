"""The catalogue of `simulated:equipment=gears`: the bearings' machines with other specimens, enough of them for the scenarios."""

from collections import defaultdict
from dataclasses import replace

import pytest

from faultbench.api import UsageError
from faultbench.data.audit import audit
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import EpisodeRequest
from faultbench.registry import Registry, make
from faultbench_datasets.simulated import Simulated

FAULTS = {"gear-tooth", "gear-wear", "gear-eccentric", "gear-misaligned"}
BEARINGS_DIGEST = "da75be72d3073da8c5409c4ed692f9121ce60647039054eefe547e602574e351"


@pytest.fixture(scope="module")
def catalogue():
    return Simulated(equipment="gears").catalogue()


def test_bearings_with_one_sensor_are_the_catalogue_that_they_always_were():
    assert Simulated().catalogue() == Simulated(equipment="bearings", sensors="one").catalogue()
    assert Simulated().catalogue().digest == BEARINGS_DIGEST


def test_each_choice_has_a_version_and_a_digest_of_its_own():
    found = [Simulated(e, s).catalogue() for e in ("bearings", "gears") for s in ("one", "all")]
    assert [c.version for c in found] == ["1", "1+sensors-1", "gears-1", "gears-1+sensors-1"]
    assert len({c.digest for c in found}) == 4
    assert {c.dataset for c in found} == {"simulated"}  # the machines are the same: none is another plant to the others


def test_the_machines_are_those_of_the_bearings(catalogue):
    def places(c):
        return {(r.machine, r.mounting, r.load, r.speed_rpm) for r in c.recordings}

    bearings = Simulated().catalogue()
    assert places(catalogue) == places(bearings)
    assert catalogue.targets == bearings.targets
    assert {r.id for r in catalogue.recordings}.isdisjoint(r.id for r in bearings.recordings)
    assert {r.bearing for r in catalogue.recordings}.isdisjoint(r.bearing for r in bearings.recordings)


def test_elements_carry_the_equipments_name_and_gears_their_teeth(catalogue):
    assert {r.element for r in catalogue.recordings} == {"healthy", *FAULTS}
    teeth = {(r.machine, r.gearing.teeth, r.gearing.mating_teeth) for r in catalogue.recordings}
    assert teeth == {("alpha", 29, 67), ("beta", 21, 58)}
    assert all(r.geometry is None for r in catalogue.recordings)
    assert all(r.gearing is None for r in Simulated().catalogue().recordings)


def test_every_class_has_several_sets_each_on_a_mounting_of_its_own(catalogue):
    sets = defaultdict(set)
    for r in catalogue.recordings:
        sets[r.machine, r.element, r.severity].add((r.bearing, r.mounting))
    assert len(sets) == 2 * 13
    for (_, element, _), members in sets.items():
        assert len({mounting for _, mounting in members}) == 3
        assert len(members) == (6 if element == "healthy" else 3)


def test_a_set_stays_where_it_is_and_is_measured_at_four_loads(catalogue):
    sessions = defaultdict(list)
    for r in catalogue.recordings:
        sessions[r.bearing].append(r)
    for recordings in sessions.values():
        assert len({(r.machine, r.mounting, r.element, r.severity, r.position) for r in recordings}) == 1
        assert len({r.load for r in recordings}) == len({r.session for r in recordings}) == 4


def test_faults_of_one_gear_are_on_the_pinion_twice_and_on_the_wheel_once(catalogue):
    gears = defaultdict(dict)
    for r in catalogue.recordings:
        gears[r.machine, r.element, r.severity][r.bearing] = r.position
    for (_, element, _), found in gears.items():
        expected = ["pinion", "pinion", "wheel"] if element in ("gear-tooth", "gear-eccentric") else [""] * len(found)
        assert sorted(found.values()) == expected
    wheels = {r.mounting for r in catalogue.recordings if r.element == "gear-tooth" and r.position == "wheel" and r.machine == "beta"}
    assert len(wheels) == 3  # else the mounting would tell the gear


@pytest.mark.parametrize("sensors", ["one", "all"])
@pytest.mark.parametrize("target", ["", "alpha", "beta/motor"])
@pytest.mark.parametrize("scenario", [NewDevice, UnseenBearing])
def test_the_scenarios_split_it_five_ways(scenario, target, sensors):
    catalogue = Simulated(equipment="gears", sensors=sensors).catalogue()
    if (scenario, target) == (UnseenBearing, "beta/motor"):
        target = "beta"
    split = scenario(target=target).split([catalogue], EpisodeRequest(episodes=10), 0)
    assert split.request.ways == 5
    assert set(split.target.leads) == set(split.source.leads) == {"accelerometer"}
    assert {r.mounting for r in split.source.recordings}.isdisjoint(r.mounting for r in split.target.recordings)
    assert all(episode.classes[0] == "healthy" for episode in split.episodes)


def test_the_audit_finds_nothing_in_the_signals():
    data = Simulated(equipment="gears")
    whole = data.catalogue()
    two = replace(whole, recordings=tuple(r for r in whole.recordings if r.mounting in ("alpha/pedestal", "beta/motor")))
    split = UnseenBearing().split([two], EpisodeRequest(episodes=10), 0)
    pools = (split.source, split.target)
    signals = {(r.dataset, r.id, c): data.read(r, c) for pool in pools for r, c in zip(pool.recordings, pool.leads, strict=True)}
    found = audit(split, signals)
    assert found.findings == ()
    assert found.facts["copies"] == []


@pytest.mark.parametrize(("choice", "message"), [({"equipment": "pumps"}, "bearings or gears"), ({"sensors": "two"}, "one or all")])
def test_what_there_is_not_is_refused(choice, message):
    with pytest.raises(UsageError, match=message):
        Simulated(**choice)


def test_the_command_line_names_it():
    registry = Registry.discover(plugins=False)
    chosen = registry.choose("datasets", "simulated:sensors=all,equipment=gears")
    assert make(chosen).catalogue().version == "gears-1+sensors-1"
    assert chosen.spelling == "simulated:equipment=gears,sensors=all"
    with pytest.raises(UsageError, match="equipment"):
        registry.choose("datasets", "simulated:equipment=pumps")
