"""The other sensors of `simulated:sensors=all`: a second accelerometer, the motor's current, the housing's temperature."""

from dataclasses import replace

import numpy as np
import pytest

from faultbench.api import DataError
from faultbench_datasets.simulated import Simulated
from faultbench_datasets.simulated.catalogue import measured
from faultbench_datasets.simulated.heat import friction_c, warming
from faultbench_datasets.simulated.kinematics import rotation
from faultbench_datasets.simulated.measurement import _LEAD, scene, turning_shaft
from faultbench_datasets.simulated.motor import current
from faultbench_datasets.simulated.rig import ALPHA, BETA, RATE_HZ, SAMPLES, gear_sets, specimens
from faultbench_datasets.simulated.sensor import mains
from faultbench_datasets.simulated.structure import across, bearing_path, mounting_path

CHANNELS = ("accelerometer", "accelerometer-across", "current", "temperature")


@pytest.fixture(scope="module", params=["bearings", "gears"])
def data(request):
    return Simulated(equipment=request.param, sensors="all")


def some(data, keep, count=6):
    """Recordings of both machines."""
    found = [r for r in data.catalogue().recordings if keep(r)]
    return [r for m in ("alpha", "beta") for r in [x for x in found if x.machine == m][:: max(1, len(found) // 2 // count)]]


def coherence(a, b):
    from scipy.signal import coherence

    return coherence(a, b, RATE_HZ, nperseg=4096)


def amplitude(x, hz):
    """Of the line nearest to a frequency, within half a Hertz."""
    weights = np.hanning(len(x))
    spectrum = 2 * np.abs(np.fft.rfft((x - x.mean()) * weights)) / weights.sum()
    at = hz * len(x) / RATE_HZ
    return spectrum[int(at - 2) : int(at + 4)].max()


def test_channels_have_names_units_rates_and_lengths(data):
    for r in data.catalogue().recordings:
        assert tuple(c.name for c in r.channels) == CHANNELS
        assert tuple(c.unit for c in r.channels) == ("g", "g", "A", "degC")
        assert tuple(c.rate_hz for c in r.channels) == (RATE_HZ, RATE_HZ, RATE_HZ, 1.0)
    recording = data.catalogue().recordings[5]
    for channel in recording.channels:
        x = data.read(recording, channel.name)
        assert (x.shape, x.dtype) == ((channel.samples,), np.float32)
        assert np.isfinite(x).all()
    assert recording.channels[0].samples == SAMPLES
    assert recording.channels[3].samples == 5 == np.ceil(SAMPLES / RATE_HZ)


def test_the_first_accelerometer_says_what_it_says_alone(data):
    equipment = "gears" if data.catalogue().recordings[0].gearing else "bearings"
    alone = Simulated(equipment=equipment)
    assert [r.id for r in alone.catalogue().recordings] == [r.id for r in data.catalogue().recordings]
    for r in data.catalogue().recordings[::67]:
        data.read(r, "current")  # whatever was read before
        assert np.array_equal(data.read(r, "accelerometer"), alone.read(r, "accelerometer"))


def test_channels_can_be_read_in_any_order(data):
    first, second = data.catalogue().recordings[3], data.catalogue().recordings[100]
    forth = [data.read(r, c) for r in (first, second) for c in CHANNELS]
    back = [data.read(r, c) for r in (second, first) for c in CHANNELS[::-1]][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forth, back, strict=True))


def test_an_unknown_channel_is_refused_with_those_there_are(data):
    with pytest.raises(DataError, match="accelerometer, accelerometer-across, current, temperature"):
        data.read(data.catalogue().recordings[0], "microphone")


def test_the_second_accelerometer_hears_the_same_lines_and_is_not_the_first():
    data = Simulated(equipment="gears", sensors="all")
    at_mesh, elsewhere, alike = [], [], []
    for r in some(data, lambda r: r.healthy and r.load == "full"):
        a, b = (data.read(r, name).astype(float) for name in CHANNELS[:2])
        hz, c = coherence(a, b)
        mesh = r.gearing.mesh * r.speed_rpm / 60
        at_mesh.append(max(c[np.abs(hz - k * mesh) < 6].max() for k in (1, 2, 3)))
        elsewhere.append(np.median(c))
        alike.append(abs(np.corrcoef(a, b)[0, 1]))
    assert min(at_mesh) > 0.95
    assert 0.2 < np.median(elsewhere) < 0.8
    assert np.median(alike) < 0.8


def test_a_spall_makes_the_two_accelerometers_coherent_over_the_band():
    data = Simulated(sensors="all")

    def median_coherence(element):
        rows = some(data, lambda r: r.element == element and r.severity in ("", "large") and r.load == "full")
        return np.median([np.median(coherence(*(data.read(r, n).astype(float) for n in CHANNELS[:2]))[1]) for r in rows])

    assert median_coherence("inner") > median_coherence("healthy") + 0.15


def test_accelerometers_of_two_sessions_are_not_coherent():
    data = Simulated(sensors="all")
    first, other = (r for r in data.catalogue().recordings if r.bearing == "beta-inner-large-1" and r.load in ("medium", "full"))
    _, c = coherence(data.read(first, CHANNELS[0]).astype(float), data.read(other, CHANNELS[1]).astype(float))
    assert np.median(c) < 0.1


def test_both_directions_share_frequencies_and_dampings_and_nothing_else():
    path = mounting_path(BETA, BETA.mountings[1])
    turned = across(path, BETA.mountings[1])
    assert np.array_equal(turned.hz, path.hz)
    assert np.array_equal(turned.damping, path.damping)
    assert not np.allclose(turned.gain, path.gain)
    assert not np.allclose(turned.delay_s, path.delay_s)
    name = "beta-outer-small-2"
    own, own_turned = (bearing_path(p, name, 1.0) for p in (path, turned))
    assert np.array_equal(own.hz, own_turned.hz)
    assert own.gain / path.gain == pytest.approx(own_turned.gain / turned.gain)  # where the force acts is the same for both


def test_the_current_is_mains_with_odd_harmonics_and_no_third(data):
    for r in some(data, lambda r: r.load == "full", 3):
        x = data.read(r, "current").astype(float)
        specimen, _ = measured("gears" if r.gearing else "bearings")[r.id]
        mains_hz = mains(specimen.machine, r.session).hz
        first, second, third, fifth, seventh = (amplitude(x, k * mains_hz) for k in (1, 2, 3, 5, 7))
        assert 0.9 < np.sqrt(2) * x.std() / first < 1.1
        assert 0.005 < fifth / first < 0.03
        assert 0.003 < seventh / first < 0.02
        assert max(second, third) < 0.001 * first


def test_the_current_grows_with_the_load(data):
    for r in some(data, lambda r: r.load == "none", 3):
        loads = [x for x in data.catalogue().recordings if x.bearing == r.bearing]
        levels = [data.read(x, "current").astype(float).std() for x in loads]
        assert levels == sorted(levels)
        assert levels[-1] > 1.5 * levels[0]


def test_the_rotor_has_side_bands_at_twice_the_slip_and_at_the_shafts_speed():
    data = Simulated(sensors="all")
    for r in some(data, lambda r: r.healthy and r.load == "full", 3):
        specimen, load = measured("bearings")[r.id]
        x = data.read(r, "current").astype(float)
        turns = turning_shaft(specimen, load).turns_at((np.arange(SAMPLES) + _LEAD) / RATE_HZ)
        shaft_hz = (turns[-1] - turns[0]) * RATE_HZ / (SAMPLES - 1)
        mains_hz = mains(specimen.machine, r.session).hz
        slip_hz = mains_hz - specimen.machine.motor.pole_pairs * shaft_hz
        assert 1.5 < slip_hz < 3
        floor = np.median([amplitude(x, mains_hz + d) for d in np.linspace(7, 20, 27)])
        for sign in (-1, 1):
            assert amplitude(x, mains_hz + sign * 2 * slip_hz) > 8 * floor
            assert amplitude(x, mains_hz + sign * shaft_hz) > 8 * floor


def test_a_torque_ripple_modulates_the_mains_and_inertia_keeps_the_fast_ones_out():
    samples = 48_000
    times, hz = np.arange(samples) / RATE_HZ, np.fft.rfftfreq(samples, 1 / RATE_HZ)
    shaft = rotation(24.0, samples / RATE_HZ, 0.0, np.random.default_rng(1))
    quiet = np.zeros(len(hz), complex)

    def heard(force_hz, amplitude_g):
        force = np.fft.rfft(amplitude_g * np.cos(2 * np.pi * force_hz * times))
        return current(BETA, BETA.loads[3], shaft, force, 0.0, times, hz, "a session")

    still = current(BETA, BETA.loads[3], shaft, quiet, 0.0, times, hz, "a session")
    mains_hz = mains(BETA, "a session").hz

    def added(force_hz, amplitude_g):
        return amplitude(heard(force_hz, amplitude_g) - still, mains_hz + force_hz)

    slow, fast = added(77.0, 1.0), added(770.0, 1.0)
    assert slow > 1e-4 * BETA.motor.torque_a
    assert slow == pytest.approx(0.5 * added(77.0, 2.0), rel=0.02)
    assert slow > 30 * fast
    assert amplitude(heard(77.0, 1.0) - still, mains_hz + 50.0) < 0.01 * slow


def test_an_eccentric_wheel_shows_in_the_current_at_its_own_speed():
    data = Simulated(equipment="gears", sensors="all")

    def side(r):
        x = data.read(r, "current").astype(float)
        mains_hz = mains(measured("gears")[r.id][0].machine, r.session).hz
        specimen, load = measured("gears")[r.id]
        turns = turning_shaft(specimen, load).turns_at((np.arange(SAMPLES) + _LEAD) / RATE_HZ)
        wheel_hz = r.gearing.wheel * (turns[-1] - turns[0]) * RATE_HZ / (SAMPLES - 1)
        return np.mean([amplitude(x, mains_hz + sign * wheel_hz) for sign in (-1, 1)]) / amplitude(x, mains_hz)

    at_full = [r for r in data.catalogue().recordings if r.load == "full"]
    eccentric = [side(r) for r in at_full if r.element == "gear-eccentric" and r.position == "wheel" and r.severity != "small"]
    sound = [side(r) for r in at_full if r.healthy]
    assert np.median(eccentric) > 2 * np.median(sound)


def test_damage_is_in_the_current_in_small_amounts():
    """Some spalls show at mains + their passages, most do not."""
    data = Simulated(sensors="all")
    above = []
    for r in (x for x in data.catalogue().recordings if x.element == "outer" and x.load == "full"):
        x = data.read(r, "current").astype(float)
        line = mains(measured("bearings")[r.id][0].machine, r.session).hz + r.geometry.bpfo * r.speed_rpm / 60
        near = [amplitude(x, line + d) for d in np.linspace(-1.2, 1.2, 9)]
        floor = np.median([amplitude(x, line + d) for d in (*np.linspace(-12, -6, 9), *np.linspace(6, 12, 9))])
        above.append(max(near) / floor)
    assert max(above) > 8
    assert np.median(above) < 5


def test_a_housing_goes_to_what_its_load_gives_it():
    for specimen in (specimens()[0], specimens()[-1], gear_sets()[7]):
        ways = [warming(specimen, load) for load in specimen.machine.loads]
        rises = [w.equilibrium_c - w.ambient_c for w in ways]
        assert rises == sorted(rises)
        assert rises[-1] > 1.5 * rises[0]
        for w in ways:
            course = w.at(np.array([-w.since_s, 0.0, w.tau_s - w.since_s, 20 * w.tau_s]))
            assert course[0] == pytest.approx(w.start_c)
            assert course[2] - course[0] == pytest.approx((1 - np.exp(-1)) * (w.equilibrium_c - w.start_c))
            assert course[3] == pytest.approx(w.equilibrium_c, abs=1e-3)


def test_temperature_is_slow_and_of_one_thermometer(data):
    for r in data.catalogue().recordings[::41]:
        celsius = data.read(r, "temperature").astype(float)
        assert np.ptp(celsius) < 0.4
        assert celsius * 16 == pytest.approx(np.round(celsius * 16))
        assert 10 < celsius.mean() < 75


def test_every_session_has_an_ambient_of_its_own():
    ambients = [warming(s, load).ambient_c for s in specimens() for load in s.machine.loads]
    assert len(set(ambients)) == len(ambients)
    assert 2.5 < np.std(ambients) < 4.5
    within = [np.std([warming(s, load).ambient_c for load in s.machine.loads]) for s in specimens()]
    assert np.median(within) > 2  # sessions of one specimen differ as those of any two do


def auc(positive, negative):
    return np.mean([np.mean((p > negative) + 0.5 * (p == negative)) for p in positive])


@pytest.mark.parametrize("plan", [specimens, gear_sets])
def test_temperature_is_a_weak_feature(plan):
    heats = [friction_c(s) for s in plan() if not s.healthy]
    assert min(heats) > 0
    assert max(heats) < 12
    assert all(friction_c(s) == 0 for s in plan() if s.healthy)
    said = {True: [], False: []}
    for s in plan():
        for load in s.machine.loads[1:2]:
            said[s.healthy].append(float(warming(s, load).at(np.zeros(1))[0]))
    assert 0.4 < auc(np.array(said[False]), np.array(said[True])) < 0.75


def test_a_scene_without_damage_has_only_slow_forces_in_the_current():
    """A sound bearing sways no torque; a set of gears does, and by little."""
    bearing, gears = specimens()[0], gear_sets()[0]
    assert not np.any(scene(bearing, ALPHA.loads[3]).sway)
    sway = scene(gears, ALPHA.loads[3]).sway
    assert 0 < np.std(sway) < 0.5


def test_a_foreign_session_has_no_channel_either(data):
    recording = data.catalogue().recordings[0]
    with pytest.raises(DataError, match="no recording of simulated"):
        data.read(replace(recording, id="alpha-inner-huge-1@none"), "current")
