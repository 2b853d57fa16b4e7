"""What makes `simulated` a rolling bearing: every claim can fail, and is seen to fail where the physics is taken away."""

from dataclasses import replace

import numpy as np
import pytest

from faultbench_datasets.simulated import Simulated, forces, measurement
from faultbench_datasets.simulated.damage import damage, surfaces
from faultbench_datasets.simulated.kinematics import load_zone, passages, rotation
from faultbench_datasets.simulated.rig import ALPHA, BETA, RATE_HZ, specimens
from faultbench_datasets.simulated.sensor import digitise
from faultbench_datasets.simulated.streams import stream
from faultbench_datasets.simulated.structure import bearing_path, mounting_path

CLEAR = 6.0  # times the floor: from here on a peak is a line and no accident
HZ = np.fft.rfftfreq(8192, 1 / RATE_HZ)


def envelope_spectrum(x):
    """Pre-whitened squared-envelope spectrum of a whole recording, and its bin width."""
    n = len(x)
    f = np.fft.fft(x - x.mean())
    f /= np.abs(f) + 1e-9 * np.abs(f).max()
    f[n // 2 + 1 :] = 0
    envelope = np.abs(np.fft.ifft(2 * f)) ** 2
    return np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(n), 2 * n)), RATE_HZ / (2 * n)


def peak(spectrum, bin_hz, hz, tolerance):
    """Frequency and height of the highest line within a relative tolerance."""
    low, high = int(hz * (1 - tolerance) / bin_hz), int(hz * (1 + tolerance) / bin_hz) + 2
    at = low + int(np.argmax(spectrum[low:high]))
    return at * bin_hz, spectrum[at]


def event_order(element, geometry):
    return {"inner": geometry.bpfi, "ball": 2 * geometry.bsf, "outer": geometry.bpfo}[element]


def lines(recordings, signals, geometry_of=lambda r: r.geometry):
    """Per recording: line over floor, its relative offset from where it should be, side bands over line."""
    out = []
    for r in recordings:
        geometry, shaft = geometry_of(r), r.speed_rpm / 60
        spectrum, bin_hz = envelope_spectrum(signals[r.id])
        expected = event_order(r.element, geometry) * shaft
        floor = np.median(spectrum[: int(40 * shaft / bin_hz)])
        hz, height = peak(spectrum, bin_hz, expected, 0.03)
        spacing = geometry.ftf * shaft if r.element == "ball" else shaft
        side = np.mean([peak(spectrum, bin_hz, hz + sign * spacing, 0.004)[1] for sign in (-1, 1)])
        out.append((height / floor, hz / expected - 1, side / height))
    return np.array(out)


@pytest.fixture(scope="module")
def recordings():
    """All bearings at one load."""
    return [r for r in Simulated().catalogue().recordings if r.load == "medium"]


@pytest.fixture(scope="module")
def signals(recordings):
    data = Simulated()
    return {r.id: data.read(r, "accelerometer").astype(float) for r in recordings}


@pytest.fixture(scope="module")
def spalls(recordings):
    return {e: [r for r in recordings if r.element == e and r.severity != "distributed"] for e in ("inner", "ball", "outer")}


def kurtosis(x):
    return np.mean((x - x.mean()) ** 4) / np.var(x) ** 2


def test_clear_fault_lines_are_within_one_percent_of_geometry_and_speed(spalls, signals):
    found = np.concatenate([lines(members, signals) for members in spalls.values()])
    clear = np.abs(found[found[:, 0] > 2 * CLEAR, 1])
    assert len(clear) > 0.5 * len(found)
    assert clear.max() < 0.01


def test_with_the_other_machines_geometry_most_lines_are_not_there(spalls, signals):
    other = {"alpha": BETA.dimensions.geometry, "beta": ALPHA.dimensions.geometry}
    members = spalls["inner"] + spalls["outer"]
    own, foreign = lines(members, signals), lines(members, signals, lambda r: other[r.machine])

    def within(found):
        return np.mean((found[:, 0] > CLEAR) & (np.abs(found[:, 1]) < 0.01))

    assert within(own) > 0.8
    assert within(foreign) < 0.25


def test_some_faults_hardly_show_and_some_dominate(spalls, signals):
    for element in ("ball", "outer"):
        height = lines(spalls[element], signals)[:, 0]
        assert height.min() < 8
        assert height.max() > 16
    levels = [np.std(signals[r.id]) for members in spalls.values() for r in members]
    assert np.percentile(levels, 95) > 5 * np.percentile(levels, 5)


def test_inner_lines_have_shaft_side_bands_and_outer_lines_hardly(spalls, signals):
    inner, outer = lines(spalls["inner"], signals), lines(spalls["outer"], signals)
    assert np.median(inner[inner[:, 0] > CLEAR, 2]) > 0.4
    assert np.median(outer[outer[:, 0] > CLEAR, 2]) < 0.3


def test_ball_lines_at_twice_the_spin_have_cage_side_bands(spalls, signals):
    found = lines(spalls["ball"], signals)
    clear = found[found[:, 0] > CLEAR]
    assert len(clear) > 5
    assert np.median(clear[:, 2]) > 0.3


def test_without_a_load_zone_the_inner_side_bands_are_gone(spalls, monkeypatch):
    monkeypatch.setattr(forces, "load_zone", lambda angle, extent: np.ones_like(angle))
    data = Simulated()
    members = spalls["inner"][::3]
    found = lines(members, {r.id: data.read(r, "accelerometer").astype(float) for r in members})
    assert np.median(found[:, 2]) < 0.3


def test_a_healthy_bearing_shows_no_clear_line_of_any_element(recordings, signals):
    healthy = [r for r in recordings if r.healthy]
    heights = np.array([lines([replace(r, element=e)], {r.id: signals[r.id]})[0, 0] for r in healthy for e in ("inner", "ball", "outer")])
    assert np.median(heights) < CLEAR
    faulty = lines([r for r in recordings if r.element == "inner"], signals)[:, 0]
    assert np.median(faulty) > 3 * np.median(heights)


def test_healthy_vibration_is_nearly_gaussian_and_spalls_are_impulsive(recordings, spalls, signals):
    assert 2.6 < np.median([kurtosis(signals[r.id]) for r in recordings if r.healthy]) < 3.5
    for members in spalls.values():
        values = [kurtosis(signals[r.id]) for r in members]
        assert np.median(values) > 3.5
        assert max(values) > 10


def test_distributed_faults_have_their_line_without_sharp_impulses(recordings, spalls, signals):
    worn = [r for r in recordings if r.element in ("inner", "outer") and r.severity == "distributed"]
    found = lines(worn, signals)
    assert np.median(found[:, 0]) > CLEAR
    assert np.abs(found[found[:, 0] > 2 * CLEAR, 1]).max() < 0.01
    local = [kurtosis(signals[r.id]) for r in spalls["inner"] + spalls["outer"]]
    assert np.median([kurtosis(signals[r.id]) for r in worn]) < 0.75 * np.median(local)


def width(slip, harmonic):
    """RMS half-width, in harmonics of the passage, of one line of an impulse train: the mean over many short trains."""
    rng = np.random.default_rng(5)
    order, spread = 4.0, np.linspace(-0.12, 0.12, 241)
    power = np.zeros(len(spread))
    for _ in range(20):
        at = passages(order, rotation(25.0, 4.0, 0.0, rng), slip, rng)
        at = at[:380] - at[0]
        power += np.abs(np.exp(-2j * np.pi * np.outer(harmonic * order * (1 + spread / harmonic), at)) @ np.hanning(len(at))) ** 2
    power /= power.sum()
    return np.sqrt(power @ spread**2)


def test_slip_widens_the_higher_harmonics_and_its_absence_does_not():
    assert width(0.01, 6) > 3 * width(0.01, 1)
    assert width(0.0, 6) == pytest.approx(width(0.0, 1), rel=0.05)


def test_the_phase_of_the_passages_is_a_random_walk_and_no_jitter():
    rng = np.random.default_rng(11)
    shaft = rotation(25.0, 4.0, 0.0, rng)
    trains = [passages(4.0, shaft, 0.01, rng) for _ in range(200)]
    deviation = [np.std([4 * (t[k] - t[0]) - k for t in trains]) for k in (25, 100, 350)]
    assert deviation == pytest.approx([0.01 * np.sqrt(k) for k in (25, 100, 350)], rel=0.2)


def test_the_cage_lag_slows_outer_and_hurries_inner_passages():
    specimen = next(s for s in specimens() if s.element == "inner")
    own = replace(surfaces(specimen), slip=0.0, cage_lag=0.004)
    geometry, shaft = ALPHA.dimensions.geometry, rotation(30.0, 4.0, 0.0, np.random.default_rng(1))
    wrong = damage(specimen)

    def order(kind):
        at = forces.PASSAGES[kind](wrong, own, ALPHA.dimensions, shaft, 0.5, np.random.default_rng(2)).times_s
        return 1 / np.mean(np.diff(at)) / 30.0

    assert order("outer") == pytest.approx(geometry.bpfo * (1 - 0.004), rel=1e-4)
    assert order("inner") == pytest.approx(geometry.bpfi + geometry.bpfo * 0.004, rel=1e-4)
    assert order("ball") == pytest.approx(2 * geometry.bsf * (1 - 0.004), rel=1e-4)


def test_a_ball_strikes_the_rings_in_turn():
    specimen = next(s for s in specimens() if s.element == "ball")
    wrong = replace(damage(specimen), far_side=0.5, wobble=0.0, steady=1.0)
    shaft = rotation(30.0, 2.0, 0.0, np.random.default_rng(1))
    load = forces.ball_passages(wrong, surfaces(specimen), ALPHA.dimensions, shaft, 0.5, np.random.default_rng(2)).load
    assert load[1::2] / load[: len(load[1::2]) * 2 : 2] == pytest.approx(0.5)


def test_the_load_zone_follows_stribeck():
    angles = np.array([0.0, np.pi / 3, np.pi / 2, np.pi])
    assert load_zone(angles, 0.5) == pytest.approx([1, 0.5**1.5, 0, 0])
    assert load_zone(angles, 1e9) == pytest.approx(1)


@pytest.mark.parametrize("width_mm", [0.5, 2.0])
def test_the_impact_follows_the_entry_by_half_the_width(width_mm):
    specimen = next(s for s in specimens() if s.severity == "large")
    wrong = replace(damage(specimen), width_mm=width_mm, entry=0.8)
    samples, rate_hz, rolling_mm_s = 1 << 14, 1e6, 1_700.0
    hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    impact = forces.spall_shape(replace(wrong, entry=0.0), rolling_mm_s, hz)
    entry = forces.spall_shape(wrong, rolling_mm_s, hz) - impact
    centre = samples // 2  # where the impact is put
    onset, blow = (np.argmax(np.abs(np.roll(np.fft.irfft(part, samples), centre))) for part in (entry, impact))
    assert blow == pytest.approx(centre, abs=wrong.contact_s * rate_hz / 2)
    assert (centre - onset) / rate_hz == pytest.approx(width_mm / (2 * rolling_mm_s), rel=0.03)


def test_the_entry_is_low_and_the_impact_broad():
    wrong = damage(next(s for s in specimens() if s.severity == "large"))
    without = forces.spall_shape(replace(wrong, entry=0.0), 1_700.0, HZ)
    entry = np.abs(forces.spall_shape(wrong, 1_700.0, HZ) - without)
    assert entry[HZ < 300].mean() > 4 * entry[HZ > 3_000].mean()
    assert np.abs(without[HZ < 300]).mean() < 2 * np.abs(without[(HZ > 3_000) & (HZ < 4_000)]).mean()


def test_impulses_between_samples_keep_their_place_and_area():
    for time_s in (0.01, 0.01 + 0.3 / RATE_HZ, 0.01 + 0.77 / RATE_HZ):
        spectrum = np.fft.rfft(forces.impulses(np.array([time_s]), np.array([2.0]), 1024, RATE_HZ))
        hz = np.fft.rfftfreq(1024, 1 / RATE_HZ)
        ideal = 2.0 * np.exp(-2j * np.pi * hz * time_s)
        band = hz < 4_500
        assert np.abs(spectrum - ideal)[band].max() < 0.05


def log_spectrum(x):
    windows = x[: len(x) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    level = np.log((np.abs(np.fft.rfft(windows)) ** 2).mean(0)[8:-8])
    return level - level.mean()


def test_a_specimen_is_recognised_by_its_path_at_another_load():
    data = Simulated()
    records = [r for r in data.catalogue().recordings if r.machine == "beta" and r.element == "outer" and r.load in ("none", "full")]
    seen = {(r.bearing, r.load): log_spectrum(data.read(r, "accelerometer").astype(float)) for r in records}
    bearings = sorted({r.bearing for r in records})
    found = [min(bearings, key=lambda b: np.sum((seen[b, "full"] - seen[bearing, "none"]) ** 2)) for bearing in bearings]
    assert np.mean([a == b for a, b in zip(found, bearings, strict=True)]) > 0.8


def test_a_path_stiffens_under_load_and_differs_between_mountings():
    first, second = (mounting_path(BETA, m) for m in BETA.mountings[:2])
    idle, loaded = (bearing_path(first, "beta-outer-small-1", share) for share in (0.0, 1.0))
    assert np.all(loaded.hz > idle.hz)
    assert np.all(loaded.hz < 1.02 * idle.hz)

    def alike(a, b):
        return np.corrcoef(np.log(np.abs(a.response(HZ)) + 1e-3), np.log(np.abs(b.response(HZ)) + 1e-3))[0, 1]

    assert alike(idle, loaded) > 0.97
    assert alike(first, second) < 0.9


def test_a_path_has_unit_power_and_no_answer_before_the_blow():
    path = mounting_path(ALPHA, ALPHA.mountings[0])
    response = path.response(HZ)
    assert np.mean(np.abs(response) ** 2) == pytest.approx(1)
    blow = np.fft.irfft(response, 8192)
    assert np.sum(blow[-4096:] ** 2) < 0.02 * np.sum(blow**2)


def test_shaft_and_gear_lines_and_hum_stand_where_they_belong(recordings, signals):
    for machine in (ALPHA, BETA):
        healthy = [r for r in recordings if r.healthy and r.machine == machine.name]
        gear, mains = [], []
        for r in healthy:
            x = signals[r.id]
            spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
            bin_hz = RATE_HZ / len(x)
            for hz, found in ((machine.gear_teeth * r.speed_rpm / 60, gear), (machine.mains_hz, mains)):
                _, height = peak(spectrum, bin_hz, hz, 0.006)
                found.append(height / np.median(spectrum[int(0.9 * hz / bin_hz) : int(1.1 * hz / bin_hz)]))
        assert np.median(gear) > 5
        assert np.median(mains) > 5


def test_the_recorder_clips_and_quantises():
    x = np.array([-20.0, -0.1, 0.00011, 7.99, 20.0])
    seen = digitise(x, 8.0)
    step = 16.0 / 65_536
    assert seen[0] == -8.0
    assert seen[-1] == pytest.approx(8.0 - step)
    assert np.array_equal(seen / np.float32(step), np.round(seen / np.float32(step)))


def test_a_violent_fault_reaches_the_sensors_range():
    data = Simulated()
    ranges = {m.name: m.range_g for m in (ALPHA, BETA)}
    inner = [r for r in data.catalogue().recordings if r.element == "inner" and r.load == "full"]
    peaks = np.array([np.abs(data.read(r, "accelerometer")).max() / ranges[r.machine] for r in inner])
    assert np.all(peaks <= 1)
    assert 0 < np.sum(peaks > 0.999) < len(peaks) / 3


def test_a_longer_lead_would_change_nothing_that_is_recorded():
    """The FFT wraps the end of the signal onto its beginning; the lead must be longer than any ringing."""
    least = min(
        float(np.min(bearing_path(mounting_path(s.machine, s.mounting), s.bearing, 0.0).damping * mounting_path(s.machine, s.mounting).hz))
        for s in specimens()
    )
    decay = np.exp(-2 * np.pi * least * measurement._LEAD / RATE_HZ)
    assert decay < 1e-4


def test_damage_is_the_specimens_and_not_the_sessions():
    specimen = next(s for s in specimens() if s.severity == "small")
    assert damage(specimen) == damage(specimen)
    sizes = [damage(s).strike_g for s in specimens() if s.severity == "small"]
    assert len(set(sizes)) == len(sizes)
    assert stream("damage", specimen.bearing).random() != stream("surfaces", specimen.bearing).random()
