"""What a signal says of its own speed and of its bearing, on signals whose speed and bearing are known because they are made here."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from faultbench.data.recording import Channel, Geometry, Recording
from faultbench.inspection.comb import fault_combs, shaft_speed
from faultbench.inspection.physics import Borne, bear_out, check_physics

RATE, RPM = 12_000.0, 1772.0
RIGHT = Geometry.from_dimensions("right", 9, 7.94, 39.04)
WRONG = Geometry.from_dimensions("wrong", 7, 8.73, 39.04)


def turning(rpm: float, seconds: float = 8.0, rate: float = RATE, seed: int = 0) -> np.ndarray:
    """Harmonics of a shaft in noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    lines = sum(np.cos(2 * np.pi * n * rpm / 60 * time + rng.uniform(0, 6)) for n in range(1, 11))
    return (0.02 * lines + 0.3 * rng.standard_normal(len(time))).astype(np.float32)


def damaged(order: float, rpm: float = RPM, seconds: float = 8.0, rate: float = RATE, seed: int = 0, strength: float = 2.0) -> np.ndarray:
    """Shocks at an order of the shaft, each a little early or late, that ring at 3 kHz; in noise, with the shaft."""
    rng = np.random.default_rng(seed)
    signal = turning(rpm, seconds, rate, seed).astype(np.float64)
    times = np.cumsum(rng.normal(1, 0.01, int(seconds * order * rpm / 60)) / (order * rpm / 60))
    ring = np.exp(-np.arange(60) / 12) * np.cos(2 * np.pi * 3000 / rate * np.arange(60))
    for at in (times * rate).astype(int):
        end = min(at + len(ring), len(signal))
        if at < end:
            signal[at:end] += strength * ring[: end - at]
    return signal.astype(np.float32)


@pytest.mark.parametrize("true_rpm", [RPM, RPM * 1.013, RPM * 0.98])
def test_the_speed_is_read_off_the_shafts_harmonics(true_rpm: float) -> None:
    found = shaft_speed(turning(true_rpm), RATE, RPM)
    assert found == pytest.approx(true_rpm, rel=1e-3)


def test_lines_of_the_mains_are_no_shaft() -> None:
    """Multiples of 60 Hz stand where harmonics of 1800 rev/min do; alone they show no speed."""
    time = np.arange(int(8 * RATE)) / RATE
    mains = sum(np.cos(2 * np.pi * 60 * n * time) for n in range(1, 8))
    noise = 0.3 * np.random.default_rng(0).standard_normal(len(time))
    assert shaft_speed((noise + 0.1 * mains).astype(np.float32), RATE, RPM) is None
    both = turning(RPM) + (0.1 * mains).astype(np.float32)
    assert shaft_speed(both, RATE, RPM) == pytest.approx(RPM, rel=1e-3)


@pytest.mark.parametrize("order", [RIGHT.bpfo, RIGHT.bpfi, 2 * RIGHT.bsf])
def test_the_right_geometry_fits_and_another_is_contradicted(order: float) -> None:
    signal = damaged(order * 1.004)
    right, wrong = (fault_combs(signal, RATE, RPM, geometry) for geometry in (RIGHT, WRONG))
    assert right is not None
    assert wrong is not None
    assert right.fits
    assert not right.contradicts
    assert not wrong.fits
    assert wrong.contradicts
    assert wrong.order == pytest.approx(order, rel=0.01)


@pytest.mark.parametrize("seconds", [4.5, 8.0, 15.0])
def test_noise_shows_no_speed_and_contradicts_nothing(seconds: float) -> None:
    for seed in range(10):
        noise = np.random.default_rng(seed).standard_normal(int(seconds * RATE)).astype(np.float32)
        assert shaft_speed(noise, RATE, RPM) is None
        combs = fault_combs(noise, RATE, RPM, RIGHT)
        assert combs is not None
        assert not combs.contradicts
        assert not combs.fits


@pytest.mark.parametrize("order", [2.0, 3.0, 5 * RIGHT.ftf])
def test_what_the_shaft_and_the_cage_do_contradicts_no_geometry(order: float) -> None:
    combs = fault_combs(damaged(order), RATE, RPM, RIGHT)
    assert combs is not None
    assert not combs.contradicts


def test_a_signal_too_short_or_too_slow_to_tell_is_not_judged() -> None:
    assert shaft_speed(turning(RPM, seconds=2.0), RATE, RPM) is None
    assert fault_combs(damaged(RIGHT.bpfi, seconds=3.0), RATE, RPM, RIGHT) is None
    assert shaft_speed(turning(RPM)[::40], RATE / 40, RPM) is None
    assert fault_combs(damaged(RIGHT.bpfi)[::40], RATE / 40, RPM, RIGHT) is None
    assert shaft_speed(np.ones(100_000, np.float32), RATE, RPM) is None
    for few in (0, 1, 2, 3):
        assert shaft_speed(np.zeros(few, np.float32), RATE, RPM) is None
        assert fault_combs(np.zeros(few, np.float32), RATE, RPM, RIGHT) is None


def recording(name: str = "r", **changed: object) -> Recording:
    one = Recording(
        dataset="made-up", id=name, machine="m", mounting="m", bearing="B1", element="inner", severity="", session=name, load="1",
        speed_rpm=RPM, channels=(Channel("a", RATE),), geometry=RIGHT,
    )  # fmt: skip
    return dataclasses.replace(one, **changed)  # type: ignore[arg-type]


def said(*borne: Borne | None) -> list[str]:
    return [remark.text for remark in check_physics([b for b in borne if b is not None]) if remark.grade == "warning"]


def test_a_wrong_speed_is_a_warning_and_the_geometry_is_judged_at_the_right_one() -> None:
    signal = damaged(RIGHT.bpfi, rpm=RPM * 1.0125)
    one = recording()
    borne = bear_out(one, one.channels[0], signal)
    assert borne is not None
    assert borne.combs is not None
    assert borne.combs.fits
    assert said(borne) == [f"1 recordings turn at another speed than stated (r: {RPM * 1.0125:.0f}, stated 1772 rev/min): correct it"]


def test_a_speed_in_hertz_is_noticed() -> None:
    one = recording(speed_rpm=RPM / 60)
    (text,) = said(bear_out(one, one.channels[0], turning(RPM)))
    assert "(r: 1772, stated 30 rev/min)" in text


def test_a_wrong_geometry_is_a_warning_that_names_the_specimen() -> None:
    ones = [recording(f"r{number}", geometry=WRONG) for number in range(3)]
    signals = [damaged(RIGHT.bpfi, seed=1), damaged(RIGHT.bpfi, seed=2), damaged(RIGHT.bpfi, seed=3, strength=0.01)]
    (text,) = said(*(bear_out(one, one.channels[0], signal) for one, signal in zip(ones, signals, strict=True)))
    assert text.startswith("B1: 2 of 3 recordings (r0, r1) show a comb at 5.4")
    assert "check the bearing's type, or what else turns at that order" in text


def test_a_speed_that_is_too_far_off_to_be_found_is_named_beside_the_geometry() -> None:
    """4 % off: every order of the bearing is, while its geometry is right."""
    one = recording(speed_rpm=RPM * 0.96)
    (text,) = said(bear_out(one, one.channels[0], damaged(RIGHT.bpfi)))
    assert text.endswith(
        "check the bearing's type, the stated speed (no comb of the shaft shows one within 3 % of 1701 rev/min), "
        "or what else turns at that order"
    )


def test_what_states_nothing_or_is_no_vibration_is_not_judged() -> None:
    signal = damaged(RIGHT.bpfi)
    for one in (recording(speed_rpm=None), recording(channels=(Channel("a", RATE, unit="A"),))):
        assert bear_out(one, one.channels[0], signal) is None
    for one in (recording(geometry=None), recording(element="healthy"), recording(element="imbalance")):
        borne = bear_out(one, one.channels[0], signal)
        assert borne is not None
        assert borne.combs is None
