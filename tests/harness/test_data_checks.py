"""The checks of `faultbench data check`: each has a fault planted that it finds, and says nothing where nothing is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data.anchors import copies
from faultbench.data.audit import audit, require
from faultbench.data.inspectable import Remark
from faultbench.data.recording import Catalogue, Channel, Geometry, Recording
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.rules import element_severity as class_of
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import EpisodeRequest, Split
from faultbench.errors import DataError, IsolationError
from faultbench.inspection import checking, levels
from faultbench.inspection.checking import Report, check
from faultbench.inspection.checks import check_catalogue, contradiction, told_apart
from faultbench.inspection.heard import hear
from faultbench.registry import Registry

SAMPLES = 4096 * 4
RIGHT = Geometry.from_dimensions("right", 9, 7.94, 39.04)


@pytest.fixture
def clean(plant: Callable[..., Catalogue]) -> Callable[..., Catalogue]:
    """A plant of which nothing is to be said: two machines, two bearings of each class, three loads."""

    def make(**changed: Any) -> Catalogue:
        change = changed.pop("change", lambda recording: recording)

        def right(recording: Recording) -> Recording | None:
            return change(dataclasses.replace(recording, geometry=RIGHT))

        return plant(samples=SAMPLES, rate_hz=12_000.0, change=right, **changed)

    return make


class Given:
    """A data set of a catalogue and of what `signal` makes of each recording."""

    def __init__(self, catalogue: Catalogue, signal: Callable[[Recording], np.ndarray] | None = None) -> None:
        self._catalogue, self._signal = catalogue, signal
        self._rng = np.random.default_rng(11)

    def catalogue(self) -> Catalogue:
        return self._catalogue

    def read(self, recording: Recording, channel: str) -> np.ndarray:
        if self._signal is not None:
            return self._signal(recording)
        return noise(self._rng, recording.channel(channel).samples or 0)


def noise(rng: np.random.Generator, samples: int = SAMPLES) -> np.ndarray:
    return (0.3 * rng.standard_normal(samples)).astype(np.float32)


def report(dataset: Any, source: Catalogue | None = None) -> Report:
    return check(dataset, Registry.discover(plugins=False), lambda name: source, lambda done, total: None)


def warnings(catalogue: Catalogue) -> list[str]:
    return [remark.text for remark in check_catalogue(catalogue) if remark.grade == "warning"]


# --- what the catalogue tells


def test_a_clean_plant_has_no_warning_and_supports_its_levels(clean: Callable[..., Catalogue]) -> None:
    found = report(Given(clean()))
    (remark,) = found.remarks
    assert remark.grade == "fact"
    assert remark.text.startswith(
        "physics: a comb of the shaft shows the speed of 0 of 96 recordings; a comb of the stated geometry stands in 0"
    )
    assert remark.text.endswith("of 84 recordings of damaged bearings (84 are too short to tell)")
    assert [(level.level, level.scenario, bool(level.ways)) for level in found.levels if level.level in ("T2", "T3")] == [
        ("T2", "new-device", True),
        ("T3", "unseen-bearing", True),
    ]
    assert {(c.machine, c.label, c.bearings, c.recordings, c.loads) for c in found.counts if c.label == "healthy"} == {
        ("beta", "healthy", 2, 6, ("0 hp", "1 hp", "2 hp")),
        ("alpha", "healthy", 2, 6, ("0 hp", "1 hp", "2 hp")),
    }


def small(recording: Recording) -> bool:
    return recording.element == "inner" and recording.severity == "small"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: dataclasses.replace(r, bearing="one") if r.element == "ball" else r, "of ball (one) there is one bearing only"),
        (lambda r: dataclasses.replace(r, session="one") if small(r) else r, "of inner small there is one session only"),
        (lambda r: None if r.healthy else r, "no recording is healthy"),
        (
            lambda r: dataclasses.replace(r, channels=(Channel("a", 48_000.0, SAMPLES),)) if r.healthy else r,
            "the sampling rate is not the same everywhere (84 at 12000 Hz, 12 at 48000 Hz), and tells healthy from the other classes",
        ),
        (
            lambda r: dataclasses.replace(r, channels=(Channel("a", 12_000.0, SAMPLES, "V"),)) if r.machine == "beta" else r,
            "the unit is not the same everywhere (48 at V, 48 at g): state",
        ),
        (
            lambda r: dataclasses.replace(r, load="idle") if r.healthy and r.machine == "beta" else r,
            "on mounting beta-0 no other class was measured at the loads of healthy, so the load tells the class: measure all",
        ),
        (lambda r: dataclasses.replace(r, bearing="B") if r.healthy or small(r) else r, "to be of several classes, B (inner, healthy)"),
        (
            lambda r: dataclasses.replace(r, bearing=r.bearing.partition("/")[2]),
            "is said to be in several machines, inner/small/0 (beta, alpha)",
        ),
        (lambda r: dataclasses.replace(r, session=r.bearing), "one session is said to show several loads"),
        (lambda r: dataclasses.replace(r, session=f"{r.machine} {r.load}"), "several bearings in one place"),
        (
            lambda r: dataclasses.replace(r, channels=(Channel("a", 12_000.0, 2000),)) if small(r) else r,
            "at 1 hp, beta-0/inner/small/0 at 2 hp, ...) are shorter than a window of 2048 samples",
        ),
        (
            lambda r: dataclasses.replace(r, channels=(Channel("a", 12_000.0, 2048 * 4),)) if small(r) else r,
            "12 sessions hold fewer than 5 windows of 2048 samples",
        ),
        (lambda r: dataclasses.replace(r, speed_rpm=None) if small(r) else r, "no speed is stated of 12 recordings"),
        (lambda r: dataclasses.replace(r, speed_rpm=29.9) if small(r) else r, "turn at 29.9 rev/min: if that is in Hz, multiply it by 60"),
        (lambda r: dataclasses.replace(r, geometry=None) if small(r) else r, "no geometry is stated of 12 recordings"),
        (lambda r: dataclasses.replace(r, channels=(Channel("a", 12.0, SAMPLES),)), "are sampled at 12 Hz: if that is in kHz"),
        (
            lambda r: dataclasses.replace(r, geometry=dataclasses.replace(RIGHT, name="twice", bsf=2 * RIGHT.bsf)),
            "the geometry twice contradict one another, BSF is 4.71 where about 2.36 belongs to that FTF, it must be the ball's spin",
        ),
    ],
)
def test_a_planted_fault_of_the_table_is_found(
    clean: Callable[..., Catalogue], change: Callable[[Recording], Recording], said: str
) -> None:
    assert warnings(clean()) == []
    found = warnings(clean(change=change))
    assert any(said in text for text in found), found
    assert all(text.isprintable() for text in found)


def test_nothing_is_said_of_geometries_where_none_is_stated(clean: Callable[..., Catalogue]) -> None:
    (text,) = report(Given(clean(change=lambda r: dataclasses.replace(r, geometry=None)))).of("fact")
    assert text == "physics: a comb of the shaft shows the speed of 0 of 96 recordings"


def test_what_a_copy_lacks_and_what_recordings_note_are_facts(clean: Callable[..., Catalogue]) -> None:
    catalogue = clean(change=lambda r: dataclasses.replace(r, notes=("odd",)) if r.healthy else r)
    catalogue = dataclasses.replace(catalogue, missing={"x": "x.mat is not there"})
    facts = [remark.text for remark in check_catalogue(catalogue) if remark.grade == "fact"]
    assert facts == [
        "1 recordings of the source are not in this copy (x.mat is not there)",
        "12 recordings carry a note (beta-0/healthy//0 at 0 hp: odd, ...)",
    ]


@given(st.integers(3, 40), st.floats(0.06, 0.4), st.floats(0, 40))
def test_orders_that_dimensions_give_never_contradict_one_another(balls: int, ratio: float, contact: float) -> None:
    assert contradiction(Geometry.from_dimensions("x", balls, 100 * ratio, 100, contact)) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bpfi": RIGHT.bpfi + 0.3}, "add up to 9.3, no number of balls"),
        ({"ftf": 0.35}, "FTF is 0.35, BPFO over 9 balls 0.398"),
        ({"bsf": RIGHT.bsf * 0.6}, "BSF is 1.41 where about 2.36 belongs"),
    ],
)
def test_orders_that_cannot_be_together_are_seen(changed: dict[str, float], said: str) -> None:
    assert said in contradiction(dataclasses.replace(RIGHT, **changed))


# --- what the samples tell


def only(recording: Recording) -> bool:
    return recording.id == "alpha-0/outer/large/1 at 2 hp"


def planted(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Recording], np.ndarray]:
    """Noise everywhere, and one signal changed."""
    rng = np.random.default_rng(2)
    return lambda recording: change(noise(rng)).astype(np.float32) if only(recording) else noise(rng)


def still(signal: np.ndarray) -> np.ndarray:
    signal[3000:4000] = signal[3000]
    return signal


NAMED = "1 signals (alpha-0/outer/large/1 at 2 hp)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: 0 * x + 3, f"{NAMED} never change"),
        (lambda x: 1e-3 * x + 3, f"{NAMED} are an offset"),
        (still, f"{NAMED} stand still for up to 0.083 s"),
        (lambda x: np.clip(np.convolve(x, np.ones(8), "same"), -0.8, 0.8), f"{NAMED} are clipped"),
        (lambda x: 3000 * x, f"{NAMED} reach "),
    ],
)
def test_a_planted_fault_of_a_signal_is_found(
    clean: Callable[..., Catalogue], change: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    found = report(Given(clean(), planted(change)))
    assert any(said in text for text in found.of("warning")), found.of("warning")
    assert report(Given(clean(), planted(lambda x: x))).of("warning") == ()


def test_a_signal_of_few_steps_is_not_called_clipped(clean: Callable[..., Catalogue]) -> None:
    """An old recorder of eight bits stays at its largest value for some samples without being at its end."""
    coarse = np.round(np.convolve(noise(np.random.default_rng(1)), np.ones(30), "same")).astype(np.float32)
    one = clean().recordings[0]
    assert hear(one, one.channels[0], coarse).clipped == 0


def test_copies_are_found_and_those_of_two_classes_are_an_error(clean: Callable[..., Catalogue]) -> None:
    rng = np.random.default_rng(4)
    copied = noise(rng)
    ids = {"alpha-0/inner/small/0 at 0 hp": copied, "alpha-0/inner/small/1 at 0 hp": copied[500:]}

    def signal(recording: Recording) -> np.ndarray:
        return ids.get(recording.id, noise(rng))

    lengths = {name: (Channel("a", 12_000.0, len(x)),) for name, x in ids.items()}
    catalogue = clean(change=lambda r: dataclasses.replace(r, channels=lengths.get(r.id, r.channels)))
    found = report(Given(catalogue, signal))
    (text,) = found.of("warning")
    assert text.startswith("the same samples stand there twice, alpha-0/inner/small/0 at 0 hp and alpha-0/inner/small/1 at 0 hp")
    assert found.of("error") == ()

    def mislabel(recording: Recording) -> Recording:
        wrong = "ball" if recording.id == "alpha-0/inner/small/1 at 0 hp" else recording.element
        return dataclasses.replace(recording, element=wrong, channels=lengths.get(recording.id, recording.channels))

    mislabelled = clean(change=mislabel)
    (text,) = report(Given(mislabelled, signal)).of("error")
    assert text.startswith("the same samples are said to be of two classes")


def whole(signal: np.ndarray) -> np.ndarray:
    return signal


def turned_shifted_and_offset(signal: np.ndarray) -> np.ndarray:
    return (-2.5 * np.roll(signal, -700) + 0.3).astype(np.float32)


COPY, ORIGINAL = "alpha-0/inner/small/0 at 0 hp", "beta-0/inner/small/1 at 1 hp"


def with_copy(catalogue: Catalogue, change: Callable[[np.ndarray], np.ndarray], copy: str = COPY, original: str = ORIGINAL) -> Given:
    """Noise everywhere, one recording laid over another."""
    signals = {r.id: noise(np.random.default_rng([12, number])) for number, r in enumerate(catalogue.recordings)}
    signals[copy] = change(signals[original])
    return Given(catalogue, lambda recording: signals[recording.id])


@pytest.mark.parametrize("change", [whole, turned_shifted_and_offset])
@pytest.mark.parametrize(("name", "scenario"), [("new-device", NewDevice), ("unseen-bearing", UnseenBearing)])
def test_a_copy_in_another_machine_is_refused_by_the_check_in_the_words_of_the_run(
    clean: Callable[..., Catalogue], change: Callable[[np.ndarray], np.ndarray], name: str, scenario: Any
) -> None:
    catalogue = clean()
    dataset = with_copy(catalogue, change)
    found = report(dataset)
    (level,) = (level for level in found.levels if level.scenario == name)
    signals = {(r.dataset, r.id, "a"): dataset.read(r, "a") for r in catalogue.recordings}
    with pytest.raises(IsolationError) as run:
        require(audit(scenario().split([catalogue], EpisodeRequest(), 0), signals, [catalogue]))
    assert level.refusal == str(run.value)
    assert level.ways == 0
    assert level.refusal.endswith(
        "the same samples stand under several names, keep one of each in the data set (of a folder, in its table)"
    )
    (text,) = found.of("error")
    assert text == (
        f"the same samples stand there twice, {ORIGINAL} and {COPY}, which breaks the level of new-device, unseen-bearing: keep one of each"
    )
    assert not any("stand there twice" in said for said in found.of("warning"))


def test_a_copy_that_only_some_episodes_show_is_found_as_a_run_finds_it(clean: Callable[..., Catalogue]) -> None:
    """Two bearings of the target: support and query of an episode seldom meet just there."""
    found = report(with_copy(clean(), whole, "beta-0/ball/large/0 at 2 hp", "beta-0/ball/small/1 at 0 hp"))
    refusal = next(level.refusal for level in found.levels if level.scenario == "unseen-bearing")
    assert "support and query share a sample in" in refusal
    assert "of 100 episodes" in refusal


def test_copies_are_looked_for_once_whatever_the_scenarios_and_seeds(
    clean: Callable[..., Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def counted(signals: Any, again: Any) -> list[tuple[int, int]]:
        heard = list(signals)
        looked.append(len(heard))
        return copies(heard, again)

    monkeypatch.setattr(checking, "copies", counted)
    assert report(with_copy(clean(), whole)).of("error")
    assert looked == [96]


def test_two_signals_that_only_a_third_one_links_are_compared_themselves_where_a_split_leaves_it_out(
    clean: Callable[..., Catalogue],
) -> None:
    """The third is the first half of one and the second of the other, which have nothing in common: nothing breaks without it."""
    rng = np.random.default_rng(13)
    signals = [noise(rng) for _ in range(4)]
    half = SAMPLES // 2
    signals[2] = np.concatenate([signals[0][:half], signals[1][half:]])
    signals[3] = signals[0].copy()
    some = clean().recordings[:4]
    pass_ = checking._Pass(Given(None, lambda r: signals[some.index(r)]), dataclasses.replace(clean(), recordings=some), lambda *_: None)
    copied = checking._Copied(pass_, copies(pass_.signals(), pass_.again))
    keys = [(r.dataset, r.id, "a") for r in some]
    assert {frozenset(pair) for pair in copied(keys)} >= {frozenset((keys[1], keys[2]))}
    assert copied(keys[:2]) == []
    assert copied([keys[0], keys[1], keys[3]]) == [(keys[0], keys[3])]


def test_a_level_that_gives_a_class_away_is_named_per_mounting(clean: Callable[..., Catalogue]) -> None:
    rng = np.random.default_rng(6)

    def signal(recording: Recording) -> np.ndarray:
        return noise(rng) * np.float32((0.1 if recording.healthy and recording.machine == "alpha" else 1) * rng.uniform(0.5, 2))

    (text,) = report(Given(clean(), signal)).of("warning")
    assert text.startswith("the level (RMS) alone tells some classes from all others (healthy on alpha-0): a threshold would do as well")


def test_a_step_of_quantisation_that_gives_a_class_away_is_named(clean: Callable[..., Catalogue]) -> None:
    rng = np.random.default_rng(6)

    def signal(recording: Recording) -> np.ndarray:
        step = 2.0**-6 if recording.element == "ball" and recording.severity == "large" else 2.0**-9
        return (np.round(noise(rng) / step) * step).astype(np.float32)

    (text,) = report(Given(clean(), signal)).of("warning")
    assert text.startswith(
        "the step of quantisation alone tells some classes from all others (ball large on beta-0; ball large on alpha-0)"
    )


def test_an_offset_that_gives_a_class_away_is_named_unless_it_is_too_small_to_see(clean: Callable[..., Catalogue]) -> None:
    rng = np.random.default_rng(6)

    def with_offset(size: float) -> Callable[[Recording], np.ndarray]:
        return lambda r: noise(rng) + np.float32(size * (3 if class_of(r) == "ball large" else rng.uniform(-1, 1)))

    (text,) = report(Given(clean(), with_offset(0.1))).of("warning")
    assert text.startswith("the offset (mean) alone tells some classes from all others (")
    assert "ball large" in text
    assert report(Given(clean(), with_offset(1e-3))).of("warning") == ()


def test_told_apart_needs_more_than_chance() -> None:
    assert told_apart({"a": [1, 2, 3, 4, 5], "b": [6, 7, 8, 9, 10, 11, 12, 13, 14]}) == ["a", "b"]
    assert told_apart({"a": [1, 2], "b": [5, 6, 7]}) == []  # by chance in two of five
    assert told_apart({"a": [1, 2, 3, 9], "b": [5, 6, 7, 8, 10, 11, 12, 13, 14, 15]}) == []
    assert told_apart({"a": [1, 2, 3, 4, 5, 6]}) == []
    assert told_apart({}) == []


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_told_apart_seldom_names_a_class_of_nothing_but_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    named = sum(
        bool(told_apart({"a": rng.random(4).tolist(), "b": rng.random(4).tolist(), "c": rng.random(8).tolist()})) for _ in range(40)
    )
    assert named <= 6  # each class has a hundredth at most: forty draws of three classes make six hardly ever


# --- data sets that break


def test_what_cannot_be_read_is_an_error_and_the_rest_is_checked(clean: Callable[..., Catalogue]) -> None:
    rng = np.random.default_rng(8)

    def signal(recording: Recording) -> Any:
        if recording.id.endswith("ball/small/0 at 0 hp"):
            raise DataError("the disk is gone: get it back")
        if recording.id.endswith("ball/small/1 at 0 hp"):
            raise ZeroDivisionError
        if recording.id.endswith("ball/large/0 at 0 hp"):
            return noise(rng).astype(np.float64)
        if recording.id.endswith("ball/large/1 at 0 hp"):
            return np.full(SAMPLES, np.nan, np.float32)
        return noise(rng)

    found = report(Given(clean(), signal))
    assert found.recordings == 96 - 8
    said = "\n".join(found.of("error"))
    for text in ("the disk is gone", "the plugin broke (ZeroDivisionError", "no float32 array", "not finite"):
        assert said.count(text) == 2
    assert any(level.ways for level in found.levels)


def test_what_could_not_be_read_is_not_said_to_be_missing(clean: Callable[..., Catalogue]) -> None:
    def signal(recording: Recording) -> Any:
        if recording.element != "ball":
            raise DataError("the disk is gone: get it back")
        return noise(np.random.default_rng(8))

    found = report(Given(clean(), signal))
    said = " ".join(remark.text for remark in found.remarks)
    for text in ("no recording is healthy", "one class only", "no scenario can be run"):
        assert text not in said
    assert "levels are those of what could be read" in said
    assert "no recording is healthy" in " ".join(report(Given(clean(change=lambda r: r if r.element == "ball" else None))).of("warning"))


def test_a_catalogue_that_cannot_be_had_is_one_error() -> None:
    class Gone:
        def catalogue(self) -> Catalogue:
            raise DataError("no data: download them")

        def read(self, recording: Recording, channel: str) -> np.ndarray:
            raise AssertionError

    assert report(Gone()).remarks == (Remark("error", "no data: download them"),)


# --- levels


def test_a_refusal_is_the_scenarios_own_and_no_scenario_at_all_is_an_error(clean: Callable[..., Catalogue]) -> None:
    catalogue = clean(machines=("alpha",), bearings=1, healthy=1, loads=("0 hp",))
    found = report(Given(catalogue))
    by_name = {level.scenario: level for level in found.levels}
    assert "was measured at one load only, support and query need two" in by_name["new-device"].refusal
    assert "alpha is one mounting, so the bearings of each element are dealt to source and target" in by_name["unseen-bearing"].refusal
    only_healthy = report(Given(clean(change=lambda r: r if r.healthy else None)))
    assert all(level.refusal for level in only_healthy.levels)
    (text,) = only_healthy.of("error")
    assert text.startswith("no scenario can be run with the default request (5 ways or fewer, 5 shots, 15 queries), nor with any other")
    assert not any("give at most 1" in level.refusal for level in only_healthy.levels)


def test_recordings_that_are_too_short_for_the_default_request_are_said_to_do_for_a_smaller_one(clean: Callable[..., Catalogue]) -> None:
    def short(recording: Recording) -> Recording:
        return dataclasses.replace(recording, channels=(Channel("a", 12_000.0, 2 * 2048),))

    (text,) = report(Given(clean(change=short))).of("error")
    assert "can be run with --shots 1 --queries 1" in text
    assert "nor with any other" not in text


def test_fewer_classes_than_a_scenarios_default_ways_are_supported_when_asked_for(clean: Callable[..., Catalogue]) -> None:
    class Demanding:
        """Takes five ways where nobody says otherwise, whatever there is."""

        level = "T2"

        def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
            return NewDevice().split(catalogues, dataclasses.replace(request, ways=request.ways or 5), seed)

    catalogue = clean(change=lambda r: r if r.healthy or (r.severity == "small" and r.element != "outer") else None)
    level = levels._split("demanding", Demanding(), [catalogue], lambda keys: [])
    assert (level.ways, level.asked, level.target) == (3, True, "beta-0")


def test_a_refused_target_does_not_hide_those_that_are_not(clean: Callable[..., Catalogue]) -> None:
    catalogue = clean(machines=("beta", "alpha", "gamma"), change=lambda r: None if r.machine == "beta" and r.load != "0 hp" else r)
    found = [level for level in report(Given(catalogue)).levels if level.level == "T2"]
    assert [(level.scenario, level.ways) for level in found] == [
        ("new-device", 0),
        ("new-device:target=alpha", 5),
        ("new-device:target=gamma", 5),
    ]


def test_another_data_set_to_train_on_opens_the_last_level(clean: Callable[..., Catalogue], plant: Callable[..., Catalogue]) -> None:
    source = dataclasses.replace(plant(samples=SAMPLES, rate_hz=12_000.0), dataset="other")
    source = dataclasses.replace(source, recordings=tuple(dataclasses.replace(r, dataset="other") for r in source.recordings))
    found = report(Given(clean()), source).levels
    assert [(level.level, level.ways) for level in found if level.level.startswith("T4")] == [
        ("T4/T2 (from other)", 5),
        ("T4/T3 (from other)", 4),
    ]
