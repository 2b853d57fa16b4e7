"""The catalogue of `simulated`: enough of everything for the scenarios, and nothing heavy."""

import subprocess
import sys
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from faultbench.api import ELEMENTS, DataError
from faultbench_datasets.simulated import Simulated
from faultbench_datasets.simulated.measurement import turning_shaft
from faultbench_datasets.simulated.rig import ALPHA, BETA, MACHINES, SAMPLES, specimens
from faultbench_datasets.simulated.streams import stream


@pytest.fixture(scope="module")
def data():
    return Simulated()


@pytest.fixture(scope="module")
def catalogue(data):
    return data.catalogue()


def test_there_are_at_least_ten_fault_scenarios_and_healthy_on_each_machine(catalogue):
    for machine in ("alpha", "beta"):
        classes = {(r.element, r.severity) for r in catalogue.recordings if r.machine == machine}
        assert ("healthy", "") in classes
        assert len(classes) >= 11


def test_every_class_has_several_bearings_each_on_a_mounting_of_its_own(catalogue):
    bearings = defaultdict(set)
    for r in catalogue.recordings:
        bearings[r.machine, r.element, r.severity].add((r.bearing, r.mounting))
    for (_, element, _), members in bearings.items():
        mountings = {mounting for _, mounting in members}
        assert len(mountings) == 3
        assert len(members) == (6 if element == "healthy" else 3)


def test_a_bearing_stays_where_it_is_and_is_measured_at_four_loads(catalogue):
    sessions = defaultdict(list)
    for r in catalogue.recordings:
        sessions[r.bearing].append(r)
    for recordings in sessions.values():
        assert len({(r.machine, r.mounting, r.element, r.severity) for r in recordings}) == 1
        assert len({r.load for r in recordings}) == len({r.session for r in recordings}) == len({r.speed_rpm for r in recordings}) == 4


def test_mountings_are_unique_across_machines_and_machines_differ_in_geometry(catalogue):
    owners = defaultdict(set)
    for r in catalogue.recordings:
        owners[r.mounting].add(r.machine)
    assert all(len(machines) == 1 for machines in owners.values())
    assert ALPHA.dimensions.geometry.orders != BETA.dimensions.geometry.orders


def test_alpha_has_the_orders_of_a_6205(catalogue):
    geometry = next(r.geometry for r in catalogue.recordings if r.machine == "alpha")
    assert geometry.orders == pytest.approx((3.5848, 5.4152, 4.7135 / 2, 0.39828), rel=1e-3)


def test_the_default_target_is_beta_and_every_target_is_a_machine(catalogue):
    assert catalogue.targets == ("beta", "alpha")
    assert {r.machine for r in catalogue.recordings} == set(catalogue.targets)


def test_elements_and_ids_are_those_of_the_contract(catalogue):
    assert {r.element for r in catalogue.recordings} <= set(ELEMENTS)
    assert len({r.id for r in catalogue.recordings}) == len(catalogue.recordings)
    assert all(r.dataset == "simulated" and len(r.channels) == 1 for r in catalogue.recordings)


def test_a_session_holds_twenty_five_windows_that_do_not_overlap(catalogue):
    assert all(r.channels[0].samples >= 25 * 2048 for r in catalogue.recordings)


def test_the_mean_speed_is_within_half_a_percent_of_the_nominal_one():
    errors = []
    for specimen in specimens():
        for load in specimen.machine.loads:
            shaft = turning_shaft(specimen, load)
            mean_rpm = 60 * (shaft.turns[-1] - shaft.turns[0]) / shaft.times_s[-1]
            errors.append(mean_rpm / load.speed_rpm - 1)
    assert np.abs(errors).max() < 0.005
    assert np.std(errors) > 0.0005  # it does wander


def test_a_signal_is_what_its_channel_says(data, catalogue):
    recording = catalogue.recordings[-1]
    x = data.read(recording, "accelerometer")
    assert x.shape == (SAMPLES,) == (recording.channels[0].samples,)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()


def test_reading_twice_and_in_another_order_gives_the_same_bits(data, catalogue):
    first, second = catalogue.recordings[3], catalogue.recordings[200]
    once = [data.read(first, "accelerometer"), data.read(second, "accelerometer")]
    again = [Simulated().read(second, "accelerometer"), Simulated().read(first, "accelerometer")]
    assert np.array_equal(once[0], again[1])
    assert np.array_equal(once[1], again[0])


def test_streams_depend_on_their_whole_name_and_on_nothing_else():
    assert stream("damage", "x-1").random() == stream("damage", "x-1").random()
    draws = {stream(*name).random() for name in (("damage", "x-1"), ("damage", "x-2"), ("seat", "x-1"), ("damagex", "-1"), ("damage",))}
    assert len(draws) == 5


def test_no_two_sessions_share_a_sample_block(data, catalogue):
    blocks = {data.read(r, "accelerometer")[:2048].tobytes() for r in catalogue.recordings[:24]}
    assert len(blocks) == 24


def test_a_foreign_recording_and_an_unknown_channel_are_refused(data, catalogue):
    recording = catalogue.recordings[0]
    with pytest.raises(DataError, match="no recording of simulated: take"):
        data.read(replace(recording, id="alpha-inner-huge-1@none"), "accelerometer")
    with pytest.raises(DataError, match="cwru"):
        data.read(replace(recording, dataset="cwru"), "accelerometer")
    with pytest.raises(DataError, match="only channel is accelerometer"):
        data.read(recording, "microphone")


def test_the_catalogue_imports_nothing_heavy():
    code = (
        "import sys; from faultbench_datasets.simulated import Simulated; c = Simulated().catalogue();"
        "assert len(c.recordings) == 336; print([m for m in ('scipy', 'torch', 'pandas', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_machines_run_on_different_mains_and_gears():
    assert len({(m.mains_hz, m.gear_teeth) for m in MACHINES}) == len(MACHINES)
