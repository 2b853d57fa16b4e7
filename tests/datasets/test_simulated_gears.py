"""What makes `simulated:equipment=gears` gears: every claim can fail, and is seen to fail where the physics is taken away."""

from dataclasses import replace

import numpy as np
import pytest

from faultbench_datasets.simulated import Simulated, gearset, meshing
from faultbench_datasets.simulated.catalogue import measured
from faultbench_datasets.simulated.gearset import Tooth, base_pitch_mm, contact_ratio, gear_set
from faultbench_datasets.simulated.kinematics import rotation
from faultbench_datasets.simulated.machinery import background, over_turns
from faultbench_datasets.simulated.measurement import _LEAD, turning_shaft
from faultbench_datasets.simulated.rig import ALPHA, BETA, GEAR_FAULTS, MACHINES, PINION, RATE_HZ, WHEEL, gear_sets

CLEAR = 12.0  # times the floor


class Heard:
    """A recording, and its spectrum by the angle of the shaft, as a tachometer gives it."""

    def __init__(self, recording, signal):
        self.specimen, load = measured("gears")[recording.id]
        self.gearing, self.signal = recording.gearing, signal
        self.turns = turning_shaft(self.specimen, load).turns_at((np.arange(len(signal)) + _LEAD) / RATE_HZ)
        per_turn = int(RATE_HZ * 60 / recording.speed_rpm)
        count = int((self.turns[-1] - self.turns[0]) * per_turn)
        even = np.interp(self.turns[0] + np.arange(count) / per_turn, self.turns, signal)
        weights = np.hanning(count)
        self.spectrum = 2 * np.abs(np.fft.rfft((even - even.mean()) * weights)) / weights.sum()
        self.bin = per_turn / count
        self.floor = np.median(self.spectrum[int(5 / self.bin) : int(100 / self.bin)])

    def line(self, order):
        at = order / self.bin
        return self.spectrum[int(at - 2.5) : int(at + 3.5)].max()

    def sides(self, order):
        """Side bands of that order around the first three mesh lines, over these lines."""
        around = [k * self.gearing.mesh + sign * n * order for k in (1, 2, 3) for n in (1, 2, 3) for sign in (-1, 1)]
        mesh = [self.line(k * self.gearing.mesh) for k in (1, 2, 3)]
        return np.sqrt(sum(self.line(o) ** 2 for o in around) / sum(m**2 for m in mesh))

    def average(self, gear):
        """The time-synchronous average of a gear over its turn, without its mesh lines: (2,048,)."""
        order, teeth = (1.0, self.gearing.teeth) if gear == PINION else (self.gearing.wheel, self.gearing.mating_teeth)
        own = self.turns * order
        first, last = int(np.ceil(own[0])), int(np.floor(own[-1]))
        average = np.interp(first + np.arange((last - first) * 2048) / 2048, own, self.signal).reshape(-1, 2048).mean(0)
        spectrum = np.fft.rfft(average)
        spectrum[:4] = 0
        for k in range(1, 1024 // teeth + 1):
            spectrum[k * teeth - 1 : k * teeth + 2] = 0
        return np.fft.irfft(spectrum, 2048)


def kurtosis(x):
    return np.mean((x - x.mean()) ** 4) / np.var(x) ** 2


def order_of(gear, gearing):
    return gearing.pinion if gear == PINION else gearing.wheel


@pytest.fixture(scope="module")
def recordings():
    """All sets of gears at full load."""
    return [r for r in Simulated(equipment="gears").catalogue().recordings if r.load == "full"]


@pytest.fixture(scope="module")
def all_heard(recordings):
    data = Simulated(equipment="gears")
    return {r.id: Heard(r, data.read(r, "accelerometer").astype(float)) for r in recordings}


@pytest.fixture(scope="module")
def by_class(recordings, all_heard):
    found = {}
    for r in recordings:
        found.setdefault((r.element, r.severity), []).append(all_heard[r.id])
    return found


def one(element, severity, gear=PINION):
    return next(s for s in gear_sets() if (s.element, s.severity, s.gear) == (element, severity, gear))


def listen(recording):
    return Heard(recording, Simulated(equipment="gears").read(recording, "accelerometer").astype(float))


def test_mesh_lines_stand_at_teeth_times_speed(all_heard):
    for h in all_heard.values():
        heights = [h.line(k * h.gearing.mesh) / h.floor for k in (1, 2, 3)]
        strongest = int(np.argmax(heights)) + 1
        assert heights[strongest - 1] > CLEAR
        low, high = (int((strongest * h.gearing.mesh + d) / h.bin) for d in (-0.3, 0.3))
        at = (low + np.argmax(h.spectrum[low:high])) * h.bin
        assert at == pytest.approx(strongest * h.gearing.mesh, abs=0.03)


def test_where_the_other_machines_teeth_would_mesh_there_is_next_to_nothing(by_class):
    for h in by_class["healthy", ""]:
        other = (BETA if h.specimen.machine is ALPHA else ALPHA).gear_teeth
        own = max(h.line(k * h.gearing.mesh) for k in (1, 2, 3))
        assert max(h.line(k * other) for k in (1, 2)) < 0.2 * own


def test_a_mesh_line_is_near_the_nominal_frequency(recordings, all_heard):
    offsets = []
    for r in recordings:
        x = all_heard[r.id].signal
        spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
        nominal = r.gearing.mesh * r.speed_rpm / 60
        bins = [int(k * nominal * len(x) / RATE_HZ) for k in (1, 2, 3)]
        found = [c - 60 * k + int(np.argmax(spectrum[c - 60 * k : c + 60 * k])) for k, c in zip((1, 2, 3), bins, strict=True)]
        best = int(np.argmax([spectrum[i] for i in found]))
        offsets.append(found[best] / bins[best] - 1)
    assert np.median(np.abs(offsets)) < 0.005


@pytest.mark.parametrize("gear", [PINION, WHEEL])
def test_an_eccentric_gear_has_side_bands_at_its_own_speed(by_class, gear):
    large = [h for h in by_class["gear-eccentric", "large"] if h.specimen.gear == gear]
    own = [h.sides(order_of(gear, h.gearing)) for h in large]
    other = [h.sides(order_of(WHEEL if gear == PINION else PINION, h.gearing)) for h in large]
    assert min(own) > 0.2
    assert np.median(own) > 2.5 * np.median(other)
    between = [h.sides(0.37 * order_of(gear, h.gearing)) for h in large]
    assert np.median(own) > 5 * np.median(between)


def test_side_bands_grow_with_the_eccentricity_and_sound_gears_have_some(by_class):
    def depth(element, severity):
        return np.median([h.sides(order_of(h.specimen.gear or PINION, h.gearing)) for h in by_class[element, severity]])

    sizes = [depth("gear-eccentric", size) for size in ("small", "medium", "large")]
    assert sizes == sorted(sizes)
    assert 0.03 < depth("healthy", "") < sizes[0]


def test_without_eccentricity_the_side_bands_are_a_sound_gears(recordings, monkeypatch):
    monkeypatch.setattr(gearset, "_ECCENTRIC", dict.fromkeys(("small", "medium", "large"), 0.0))
    monkeypatch.setattr(gearset, "_ECCENTRIC_MM", dict.fromkeys(("small", "medium", "large"), 0.0))
    large = [r for r in recordings if (r.element, r.severity) == ("gear-eccentric", "large")]
    assert max(listen(r).sides(order_of(r.position, r.gearing)) for r in large) < 0.2


def test_a_broken_tooth_stands_out_of_the_synchronous_average_and_a_chipped_one_hardly(by_class):
    def sharpness(severity):
        return [kurtosis(h.average(h.specimen.gear)) for h in by_class["gear-tooth", severity]]

    chipped, half, broken = (sharpness(s) for s in GEAR_FAULTS["gear-tooth"])
    sound = [kurtosis(h.average(gear)) for h in by_class["healthy", ""] for gear in (PINION, WHEEL)]
    assert np.median(broken) > 9
    assert np.median(chipped) < 6
    assert np.median(sound) < 4
    assert np.median(sound) < np.median(chipped) < np.median(half)
    assert max(chipped) > min(broken)  # a class spreads, and severities overlap


def test_the_broken_tooth_is_where_the_gear_was_damaged(by_class):
    """Only the angle of the pinion is known from outside: the wheel starts anywhere."""
    misses = []
    for h in by_class["gear-tooth", "broken"]:
        if h.specimen.gear == PINION:
            power = h.average(PINION) ** 2
            power = np.convolve(np.concatenate([power, power[:64]]), np.ones(64), "valid")[:2048]
            misses.append((np.argmax(power) / 2048 - gear_set(h.specimen).tooth.angle + 0.5) % 1 - 0.5)
    assert len(misses) > 3
    assert np.median(np.abs(misses)) < 2 / 29
    assert np.max(np.abs(misses)) < 4 / 21


def test_of_the_other_gear_the_average_shows_no_broken_tooth(by_class):
    other = [kurtosis(h.average(WHEEL if h.specimen.gear == PINION else PINION)) for h in by_class["gear-tooth", "broken"]]
    assert np.median(other) < 4


def test_without_its_tooth_damage_a_broken_set_is_sound(recordings, monkeypatch):
    monkeypatch.setattr(gearset, "_broken", lambda gears, specimen, rng: gears)
    monkeypatch.setitem(gearset._DAMAGED, "gear-tooth", gearset._broken)
    broken = [r for r in recordings if (r.element, r.severity) == ("gear-tooth", "broken")]
    assert np.median([kurtosis(listen(r).average(r.position)) for r in broken]) < 4


def test_a_broken_tooth_gives_many_side_bands_where_an_eccentric_gear_gives_few(by_class):
    def far_over_near(h):
        order = order_of(h.specimen.gear, h.gearing)
        heights = {n: [h.line(k * h.gearing.mesh + s * n * order) for k in (1, 2, 3) for s in (-1, 1)] for n in (1, 2, 6, 7, 8)}
        return np.mean([heights[n] for n in (6, 7, 8)]) / np.mean([heights[n] for n in (1, 2)])

    broken = np.median([far_over_near(h) for h in by_class["gear-tooth", "broken"]])
    eccentric = np.median([far_over_near(h) for h in by_class["gear-eccentric", "large"]])
    assert broken > 0.5
    assert broken > 4 * eccentric


def test_wear_raises_the_higher_harmonics_and_the_noise(by_class):
    def shares(severity):
        out = []
        for s in gear_sets():
            if (s.element, s.severity) == ("gear-wear", severity):
                worn, sound = gear_set(s), gearset._sound(s)
                gain = np.abs(worn.profile_g) / np.abs(sound.profile_g)
                out.append((gain[1:].mean() / gain[0], worn.friction_g / sound.friction_g))
        return np.median(out, axis=0)

    higher, hiss = np.array([shares(s) for s in GEAR_FAULTS["gear-wear"]]).T
    assert np.all(np.diff([1, *higher]) > 0)
    assert np.all(np.diff([1, *hiss]) > 0)
    floors = {s: np.median([h.floor for h in by_class["gear-wear", s]]) for s in ("small", "large")}
    sound = np.median([h.floor for h in by_class["healthy", ""]])
    assert floors["large"] > 1.4 * sound
    assert floors["small"] < floors["large"]


def test_misaligned_gears_have_a_strong_second_harmonic(by_class):
    def second(members):
        return np.median([h.line(2 * h.gearing.mesh) / h.line(h.gearing.mesh) for h in members])

    assert second(by_class["gear-misaligned", "large"]) > 2 * second(by_class["healthy", ""])
    for s in gear_sets():
        if s.element == "gear-misaligned":
            gain = np.abs(gear_set(s).profile_g) / np.abs(gearset._sound(s).profile_g)
            assert np.argmax(gain) == 1


def test_the_mesh_is_louder_under_load_on_the_whole_but_not_every_harmonic():
    ratio = []
    for s in gear_sets():
        if s.healthy:
            g = gear_set(s)
            ratio.extend(np.abs(g.profile_g + g.bending_g) / np.abs(g.profile_g))
    assert np.median(ratio) > 1.5
    assert 0.02 < np.mean(np.array(ratio) < 1) < 0.4


def test_levels_and_shape_are_plausible_and_spread(by_class):
    sound = [kurtosis(h.signal) for h in by_class["healthy", ""]]
    assert 1.5 < min(sound) < np.median(sound) < 3.3  # sine-like lines in noise
    assert np.median([kurtosis(h.signal) for h in by_class["gear-tooth", "broken"]]) > 4
    levels = {}
    for (element, _), members in by_class.items():
        levels.setdefault(element, []).extend(np.std(h.signal) for h in members)
    for element, rms in levels.items():
        assert np.percentile(rms, 95) > 2.5 * np.percentile(rms, 5), element
        assert 0.03 < np.median(rms) < 1
    quiet = np.percentile([v for element, rms in levels.items() if element != "healthy" for v in rms], 10)
    assert quiet < np.median(levels["healthy"])  # some faults are no louder than a sound set


def test_the_blows_come_once_a_turn_of_the_damaged_gear():
    shaft = rotation(25.0, 4.0, 2e-3, np.random.default_rng(3))
    tooth = Tooth(PINION, angle=0.3, loss=0.5, lag_rad=0.1, blow_g=1.0, contact_s=1e-4, scatter=0.1)
    at = meshing.blows_at(tooth, 1.0, 0.0, shaft)
    assert shaft.turns_at(at) % 1 == pytest.approx(0.3)
    assert np.diff(shaft.turns_at(at)) == pytest.approx(1.0)
    slow = meshing.blows_at(tooth, 0.4, 0.77, shaft)
    assert (0.4 * shaft.turns_at(slow) + 0.77) % 1 == pytest.approx(0.3)
    assert np.diff(shaft.turns_at(slow)) == pytest.approx(2.5)


def test_the_mesh_gives_way_for_a_contact_ratio_of_teeth():
    gear = gear_set(one("healthy", "", "")).pinion
    tooth = Tooth(PINION, angle=0.25, loss=0.6, lag_rad=0.2, blow_g=0.0, contact_s=1e-4, scatter=0.1)
    lost = meshing._turn(gear, None, 1.0, 1.6) - meshing._turn(gear, tooth, 1.0, 1.6)
    phase = np.arange(len(lost)) / len(lost)
    assert phase[np.argmax(lost.real)] == pytest.approx(0.25, abs=1e-3)
    assert lost.real.max() == pytest.approx(0.6, rel=1e-3)
    assert lost.imag.max() == pytest.approx(0.2, rel=1e-3)
    assert np.mean(lost.real > 0.3) * gear.teeth == pytest.approx(1.6, rel=0.02)


def test_the_teeth_are_those_of_real_spur_gears():
    for machine in MACHINES:
        assert 1.5 < contact_ratio(machine) < 1.8
        assert np.gcd(machine.gear_teeth, machine.wheel_teeth) == 1
        assert base_pitch_mm(machine) == pytest.approx(np.pi * machine.module_mm * np.cos(np.pi / 9))


def test_mesh_harmonics_stay_within_the_recorders_band():
    for s in gear_sets():
        fastest_hz = max(load.speed_rpm for load in s.machine.loads) / 60 * s.machine.gear_teeth
        highest_hz = len(gear_set(s).profile_g) * fastest_hz
        assert highest_hz < 5_000 < highest_hz + fastest_hz


def test_damage_is_the_sets_and_leaves_its_making_alone():
    specimen = one("gear-eccentric", "large")
    first, again = gear_set(specimen), gear_set(specimen)
    assert np.array_equal(first.pinion.swing, again.pinion.swing)
    sound = gearset._sound(specimen)
    assert np.array_equal(first.profile_g, sound.profile_g)
    assert np.array_equal(first.wheel.swing, sound.wheel.swing)
    assert not np.array_equal(first.pinion.swing, sound.pinion.swing)
    blows = [gear_set(s).tooth.blow_g for s in gear_sets() if s.element == "gear-tooth"]
    assert len(set(blows)) == len(blows)


def test_each_start_brings_other_teeth_together():
    specimen, shaft = one("healthy", "", ""), rotation(25.0, 1.0, 0.0, np.random.default_rng(1))
    times = np.arange(12_000) / RATE_HZ
    hz = np.fft.rfftfreq(len(times), 1 / RATE_HZ)
    loads = specimen.machine.loads
    first, again, other = (meshing.gear_force(specimen, load, shaft, times, hz)[1] for load in (loads[3], loads[3], loads[2]))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=0.01)


def test_teeth_that_lose_contact_do_not_pull(monkeypatch):
    """With a modulation far beyond one the force is zero for a part of the turn, not reversed."""
    specimen = one("healthy", "", "")
    sound = gear_set(specimen)
    deep = replace(sound, pinion=replace(sound.pinion, swing=np.array([3.0 + 0j])), friction_g=0.0)
    for gear in ("pinion", "wheel"):
        deep = replace(deep, **{gear: replace(getattr(deep, gear), line_g=np.zeros(3, complex))})
    monkeypatch.setattr(meshing, "gear_set", lambda s: deep)
    shaft, times = rotation(25.0, 1.0, 0.0, np.random.default_rng(1)), np.arange(12_000) / RATE_HZ
    spectrum, sway = meshing.gear_force(specimen, specimen.machine.loads[3], shaft, times, np.fft.rfftfreq(len(times), 1 / RATE_HZ))
    force = np.fft.irfft(spectrum, len(times))
    assert np.mean(sway < -1) > 0.2
    assert np.abs(force[sway < -1]).max() < 1e-12
    assert np.abs(force[sway > 0]).max() > 0


def test_where_gears_are_measured_the_background_keeps_all_but_its_gears():
    for machine in MACHINES:
        whole = background(machine, machine.mountings[0])
        rest = whole.without_gears()
        assert (rest.noise_g, rest.broad, rest.corner_hz) == (whole.noise_g, whole.broad, whole.corner_hz)
        orders = np.abs(np.fft.rfft(whole.turn)), np.abs(np.fft.rfft(rest.turn))
        assert orders[1][1:6] == pytest.approx(orders[0][1:6])
        assert orders[0][machine.gear_teeth] > 1e6 * orders[1][machine.gear_teeth]
        assert not rest.gear_turn.any()


def test_what_is_kept_over_a_turn_is_read_at_any_angle():
    turn = np.exp(2j * np.pi * np.arange(4096) / 4096)
    turns = np.array([0.0, 0.25, 0.5001, 3.75, -0.25])
    assert over_turns(turn, turns) == pytest.approx(np.exp(2j * np.pi * turns), abs=1e-5)
