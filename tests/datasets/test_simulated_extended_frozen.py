"""Gears and the other sensors of `simulated` stay what they are; whoever changes one raises its version, and then these figures.

Print them anew with `python tests/datasets/test_simulated_extended_frozen.py`.
"""

import numpy as np
import pytest

from faultbench_datasets.simulated import Simulated, gearset, heat, motor, streams, structure

GEARS_VERSION, SENSORS_VERSION = "gears-1", "sensors-1"
DIGESTS = {
    "bearings one": "da75be72d3073da8c5409c4ed692f9121ce60647039054eefe547e602574e351",
    "bearings all": "aa86ddd0854e407751badde270fbfcedc64301b2734203d7d5c351b9baa8878f",
    "gears one": "779b854856aed864d1af1785cfa38d8eebdd4eb98bee8a5ba4cb3297904143e7",
    "gears all": "63f02e964eaabb1340ea57287ad68c23f644106fc449f816b7cd0283927de508",
}
# RMS, peak, RMS of the first difference, samples 0, 20,000 and 53,247, in the channel's unit, rounded to 1e-4
GEARS = {
    "alpha-gear-healthy-2@none": (0.0885, 0.3848, 0.1209, 0.0374, 0.1003, 0.0266),
    "alpha-gear-tooth-chipped-1@light": (0.0562, 0.2456, 0.0618, 0.0752, -0.0554, 0.0308),
    "alpha-gear-tooth-broken-3@full": (0.1054, 0.6912, 0.1478, 0.1506, -0.2524, -0.123),
    "alpha-gear-wear-medium-2@medium": (0.1483, 0.615, 0.1872, 0.0459, 0.1062, 0.0945),
    "alpha-gear-eccentric-large-1@full": (0.1112, 0.5508, 0.1097, 0.2793, -0.0251, -0.0105),
    "beta-gear-healthy-6@full": (0.077, 0.3353, 0.1006, -0.0317, 0.0588, 0.0648),
    "beta-gear-tooth-half-broken-2@none": (0.0445, 0.201, 0.0678, 0.0139, 0.0339, -0.0245),
    "beta-gear-wear-large-3@light": (0.1668, 0.6411, 0.2595, 0.069, 0.0339, 0.0141),
    "beta-gear-eccentric-medium-2@medium": (0.0692, 0.6552, 0.1026, -0.032, -0.0842, 0.0872),
    "beta-gear-misaligned-small-1@full": (0.0836, 0.3312, 0.1126, 0.074, 0.0787, -0.0533),
}
SENSORS = {
    "alpha-inner-large-2@full accelerometer-across": (1.4245, 8.0, 1.6876, -0.1873, -0.4434, -2.3157),
    "alpha-inner-large-2@full current": (5.6757, 8.1219, 0.1793, 4.1071, 4.2346, -6.1023),
    "beta-healthy-4@light accelerometer-across": (0.0536, 0.2314, 0.0705, -0.0613, -0.0967, -0.0108),
    "beta-healthy-4@light current": (1.2576, 1.7927, 0.0333, -1.6199, 0.3884, -1.0793),
    "beta-gear-tooth-broken-1@medium accelerometer-across": (0.0764, 0.373, 0.1005, 0.0302, 0.0, -0.0425),
    "beta-gear-tooth-broken-1@medium current": (1.6152, 2.2935, 0.0426, -2.0696, 0.2637, -0.8477),
    "alpha-gear-misaligned-large-3@full accelerometer-across": (0.8221, 2.5164, 0.7141, 0.5486, 1.272, -0.967),
    "alpha-gear-misaligned-large-3@full current": (5.6822, 8.1195, 0.1795, -7.2864, -7.5293, 1.3239),
}
# more than a step of the recorders, which for alpha's current is 6.1e-4 A: another libm may round a sample to the neighbouring one
TOLERANCE_G, TOLERANCE_A = 4e-4, 1.5e-3
CELSIUS = {
    "alpha-ball-medium-1@none": [29.5, 29.5, 29.5625, 29.5, 29.5625],
    "beta-outer-distributed-3@full": [40.625, 40.625, 40.5625, 40.625, 40.625],
    "alpha-gear-wear-large-1@medium": [33.8125, 33.875, 33.8125, 33.8125, 33.875],
    "beta-gear-healthy-1@light": [36.9375, 36.9375, 36.9375, 36.9375, 36.875],
}


def statistics(x):
    figures = (np.std(x), np.abs(x).max(), np.std(np.diff(x)), x[0], x[20_000], x[-1])
    return tuple(round(float(figure), 4) for figure in figures)


def equipment_of(name):
    return "gears" if "-gear-" in name else "bearings"


def signal(name, channel):
    data = Simulated(equipment_of(name), "all")
    recording = next(r for r in data.catalogue().recordings if r.id == name)
    return data.read(recording, channel).astype(float)


def differing_gears():
    return [name for name, kept in GEARS.items() if statistics(signal(name, "accelerometer")) != pytest.approx(kept, abs=TOLERANCE_G)]


def differing_sensors():
    tolerance = {"accelerometer-across": TOLERANCE_G, "current": TOLERANCE_A}
    keys = {key: tuple(key.split(" ")) for key in SENSORS}
    return [key for key, kept in SENSORS.items() if statistics(signal(*keys[key])) != pytest.approx(kept, abs=tolerance[keys[key][1]])]


def differing_temperatures():
    return [name for name, kept in CELSIUS.items() if signal(name, "temperature").tolist() != kept]


def digests():
    choices = [("bearings", "one"), ("bearings", "all"), ("gears", "one"), ("gears", "all")]
    return {" ".join(choice): Simulated(*choice).catalogue().digest for choice in choices}


def test_the_catalogues_are_those_of_this_version():
    assert Simulated("gears").catalogue().version == GEARS_VERSION
    assert Simulated("gears", "all").catalogue().version == f"{GEARS_VERSION}+{SENSORS_VERSION}"
    assert digests() == DIGESTS


def test_the_signals_are_those_of_this_version():
    assert differing_gears() == []
    assert differing_sensors() == []
    assert differing_temperatures() == []


def test_another_stream_is_noticed_everywhere(monkeypatch):
    monkeypatch.setattr(streams, "_ENTROPY", 1985)
    assert differing_gears() == list(GEARS)
    assert differing_sensors() == list(SENSORS)
    assert differing_temperatures() == list(CELSIUS)


def test_a_slightly_louder_mesh_is_noticed(monkeypatch):
    monkeypatch.setattr(gearset, "_MESH", gearset._MESH * 1.02)
    assert differing_gears() == list(GEARS)


def test_a_slightly_different_motor_is_noticed(monkeypatch):
    monkeypatch.setattr(motor, "_IDLE_TORQUE", 0.081)
    assert differing_sensors() == [key for key in SENSORS if key.endswith("current")]


def test_a_slightly_stiffer_frame_is_noticed_across(monkeypatch):
    monkeypatch.setattr(structure, "_STIFFENING", 0.009)
    assert {"alpha-inner-large-2@full accelerometer-across", "alpha-gear-misaligned-large-3@full accelerometer-across"} <= set(
        differing_sensors()
    )


def test_a_warmer_hall_is_noticed(monkeypatch):
    monkeypatch.setattr(heat, "_AMBIENT_C", 22.1)
    assert differing_temperatures() == list(CELSIUS)


if __name__ == "__main__":
    for choice, digest in digests().items():
        print(f'    "{choice}": "{digest}",')
    for name in GEARS:
        print(f'    "{name}": {statistics(signal(name, "accelerometer"))},')
    for key in SENSORS:
        print(f'    "{key}": {statistics(signal(*key.split(" ")))},')
    for name in CELSIUS:
        print(f'    "{name}": {signal(name, "temperature").tolist()},')
