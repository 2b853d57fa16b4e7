"""The checks of speed and geometry on the real records: what is right is not called wrong, and what is planted wrong is found."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from faultbench.data.recording import Recording
from faultbench.inspection.comb import SPEED_DIFFERS, fault_combs, shaft_speed
from faultbench_datasets.cwru import Cwru
from faultbench_datasets.cwru.records import NTN_6205, SKF_6203, SKF_6205

_said = os.environ.get("FAULTBENCH_DATA")
DATA = Path(_said) if _said else None
pytestmark = pytest.mark.skipif(
    DATA is None or not (DATA / "cwru" / "97.mat").exists(), reason="the Case Western records are not in FAULTBENCH_DATA"
)

Signals = dict[str, tuple[Recording, np.ndarray]]
OTHER_END = {"drive-end": SKF_6203, "fan-end": SKF_6205}


@pytest.fixture(scope="module")
def signals() -> Signals:
    dataset = Cwru(data_dir=DATA)
    return {r.id: (r, dataset.read(r, r.channels[0].name)) for r in dataset.catalogue().recordings}


@pytest.fixture(scope="module")
def speeds(signals: Signals) -> dict[str, float | None]:
    return {name: shaft_speed(signal, 12_000.0, float(r.speed_rpm or 0)) for name, (r, signal) in signals.items()}


def test_no_stated_speed_is_called_wrong_and_most_are_seen(signals: Signals, speeds: dict[str, float | None]) -> None:
    off = {
        name: rpm
        for name, rpm in speeds.items()
        if rpm is not None and abs(rpm / float(signals[name][0].speed_rpm or 0) - 1) > SPEED_DIFFERS
    }
    assert off == {}
    assert sum(rpm is not None for rpm in speeds.values()) > 0.9 * len(speeds)


@pytest.mark.parametrize(("name", "planted", "true"), [("158", 1773.0, 1795.0), ("279", 1732.0, 1774.0), ("97:drive-end", 1772.0, 1796.0)])
def test_a_speed_of_another_load_is_found(signals: Signals, name: str, planted: float, true: float) -> None:
    """158 and 279 state these speeds in their files; the catalogue knows better."""
    found = shaft_speed(signals[name][1], 12_000.0, planted)
    assert found == pytest.approx(true, rel=2e-3)


def test_no_stated_geometry_is_contradicted_and_most_others_are(signals: Signals, speeds: dict[str, float | None]) -> None:
    false, fitting, planted, checked = [], 0, 0, 0
    for name, (r, signal) in signals.items():
        if r.healthy or r.geometry is None:
            continue
        rpm = speeds[name] or float(r.speed_rpm or 0)
        combs, other = (fault_combs(signal, 12_000.0, rpm, geometry) for geometry in (r.geometry, OTHER_END[r.mounting]))
        assert combs is not None
        assert other is not None
        checked += 1
        fitting += combs.fits
        planted += other.contradicts
        if combs.contradicts:
            false.append(name)
    assert false == []
    assert fitting > 0.6 * checked
    assert planted > 0.8 * fitting  # what shows no comb can contradict nothing


@pytest.mark.parametrize("names", [("3001", "3002", "3003", "3004"), ("270",)])
def test_the_records_that_are_known_to_be_no_6205_are_found(signals: Signals, names: tuple[str, ...]) -> None:
    for name in names:
        r, signal = signals[name]
        combs = fault_combs(signal, 12_000.0, float(r.speed_rpm or 0), SKF_6205)
        assert combs is not None
        assert combs.contradicts
    combs = fault_combs(signals["3001"][1], 12_000.0, 1797.0, SKF_6205)
    assert combs is not None
    assert combs.order == pytest.approx(NTN_6205.bpfi, rel=2e-3)


def test_the_28_mil_ball_fault_is_in_the_skf_bearing(signals: Signals) -> None:
    for name in ("3005", "3006", "3007", "3008"):
        r, signal = signals[name]
        ntn, skf = (fault_combs(signal, 12_000.0, float(r.speed_rpm or 0), geometry) for geometry in (NTN_6205, SKF_6205))
        assert ntn is not None
        assert skf is not None
        assert ntn.contradicts
        assert skf.fits
        assert not skf.contradicts
