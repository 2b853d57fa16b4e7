"""Scenarios in files: what they may say, what they then do, and what is refused with file and entry named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.data.audit import audit, require
from faultbench.data.origin import Origin
from faultbench.data.published import document, write_document
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.file import FileScenario
from faultbench.data.scenarios.form import parse
from faultbench.data.scenarios.new_dataset import NewDataset
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest, Signals, Split
from faultbench.errors import DataError, FaultbenchError, IsolationError, UsageError

ROOT = Path(__file__).resolve().parents[2]
REQUEST = EpisodeRequest(shots=3, shots_rare=2, queries=4, episodes=10)
Plant = Callable[..., Catalogue]
Noise = Callable[[Catalogue], Signals]

OWN = """
name = "mine"
level = "T2"
window = 64
[target]
include = [{machine = "beta"}]
[source]
include = [{machine = "alpha"}]
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], FileScenario]:
    """Writes a file, and makes the scenario of it."""

    def make(text: str) -> FileScenario:
        (tmp_path / "mine.toml").write_text(text)
        return FileScenario(str(tmp_path / "mine.toml"))

    return make


Made = Callable[[str], FileScenario]


def windows(split: Split) -> list[Any]:
    return [(e.classes, e.rare, e.support.tolist(), e.query.tolist()) for e in split.episodes]


# --- a built-in scenario with parameters


def test_what_extends_a_scenario_draws_what_it_draws(made: Made, plant: Plant) -> None:
    catalogue = plant(mountings=3)
    scenario = made('name = "mine"\nextends = "new-device"\nnote = "as ordered"\n[parameters]\ntarget = "alpha-1"\nwindow = 64')
    ours, theirs = scenario.split([catalogue], REQUEST, 1), NewDevice(target="alpha-1", window=64).split([catalogue], REQUEST, 1)
    assert (ours.scenario, ours.level, ours.note) == ("mine", "T2", "as ordered")
    assert (ours.source, ours.target, windows(ours)) == (theirs.source, theirs.target, windows(theirs))


def test_what_extends_new_dataset_has_its_base(made: Made) -> None:
    scenario = made('name = "mine"\nextends = "new-dataset"\n[parameters]\nbase = "orders"')
    assert (scenario.base, scenario.level) == ("orders", "T4/T2")
    assert not hasattr(made('name = "mine"\nextends = "window"'), "base")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('extends = "new-machine"', "extends is 'new-machine': give one of window, session, new-device, unseen-bearing, new-dataset"),
        ('extends = "file"', "extends is 'file'"),
        (
            'extends = "new-device"\n[parameters]\ntraget = "x"',
            r"\[parameters\]: new-device has no parameter 'traget': did you mean",
        ),
        ('extends = "new-device"\n[parameters]\nwindow = 10', "window cannot be '10': give a whole number >= 64"),
        (
            'extends = "new-device"\n[parameters]\ntarget = ["a"]',
            r"\[parameters\]: 'target' is .*: give a text, a number, or true",
        ),
        ('extends = "new-device"\nwindow = 64', "there is no key 'window'"),
        ("extends = 3", "extends is '3': give a text of one line"),
    ],
)
def test_what_does_not_extend_is_refused(text: str, says: str, made: Made) -> None:
    with pytest.raises(UsageError, match=rf"mine\.toml: .*{says}"):
        made(f'name = "mine"\n{text}')


# --- a scenario of one's own


def test_the_defaults_are_those_of_new_device(made: Made, plant: Plant, noise: Noise) -> None:
    catalogue = plant(mountings=2)
    split = made(OWN).split([catalogue], REQUEST, 0)
    like = NewDevice(window=64).split([catalogue], REQUEST, 0)
    assert (split.scenario, split.level, split.request) == ("mine", "T2", like.request)
    assert (split.source, split.target) == (like.source, like.target)
    require(audit(split, noise(catalogue)))


def test_includes_and_excludes_choose_recordings(made: Made, plant: Plant, noise: Noise) -> None:
    text = OWN.replace('{machine = "beta"}', '{mounting = "beta-0", element = ["inner", "ball"]}, {mounting = "beta-1", element = "outer"}')
    text = text.replace("window", "ways = 2\nwindow") + 'exclude = [{element = "healthy"}, {severity = "large", load = "0 hp"}]\n'
    catalogue = plant(mountings=2)
    split = made(text).split([catalogue], REQUEST, 0)
    assert {(r.mounting, r.element) for r in split.target.recordings} == {("beta-0", "inner"), ("beta-0", "ball"), ("beta-1", "outer")}
    assert not any(r.healthy or (r.severity == "large" and r.load == "0 hp") for r in split.source.recordings)
    assert {r.load for r in split.source.recordings if r.severity == "large"} == {"1 hp", "2 hp"}
    require(audit(split, noise(catalogue)))
    assert set(split.left_out) == {f"plant/{r.id}" for r in catalogue.recordings} - {
        f"plant/{r.id}" for pool in (split.source, split.target) for r in pool.recordings
    }


def test_the_audit_holds_a_file_to_the_level_that_it_claims(made: Made, plant: Plant, noise: Noise) -> None:
    catalogue = plant()
    claimed = made(OWN.replace("T2", "T3")).split([catalogue], REQUEST, 0)
    with pytest.raises(IsolationError, match="mine breaks its level T3, seed 0: support and query share a bearing in 10 of 10"):
        require(audit(claimed, noise(catalogue)))
    leaky = made(OWN.replace('{machine = "alpha"}', '{machine = "alpha"}, {bearing = "beta-0/ball/large/0"}')).split(
        [catalogue], REQUEST, 0
    )
    with pytest.raises(IsolationError, match="mine breaks its level T2, seed 0: source and target share 3 samples"):
        require(audit(leaky, noise(catalogue)))


def test_elements_on_bearings_never_seen_as_unseen_bearing_has_them(made: Made, plant: Plant, noise: Noise) -> None:
    text = OWN.replace("T2", "T3") + '[episodes]\nlabel = "element"\nway = ["element"]\napart = ["bearing"]\ntogether = false\n'
    catalogue = plant()
    split = made(text).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    like = UnseenBearing(window=64).split([catalogue], REQUEST, 0)
    assert (set(split.target.labels), split.request.ways) == (set(like.target.labels), like.request.ways)
    assert split.source.recordings == like.source.recordings


def test_without_anything_apart_recordings_of_both_sides_are_used_by_halves(made: Made, plant: Plant, noise: Noise) -> None:
    text = OWN.replace("T2", "T0").replace("alpha", "beta") + "[episodes]\napart = []\n"
    catalogue = plant()
    split = made(text).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    like = Window(window=64).split([catalogue], REQUEST, 0)
    assert (split.source, split.target) == (like.source, like.target)


def test_one_rig_is_said_and_believed_only_where_it_is_so(made: Made, plant: Plant, noise: Noise) -> None:
    catalogue = plant(machines=("rig",), bearings=4, healthy=4)
    sides = {"target": ("0", "1"), "source": ("2", "3")}
    text = 'name = "mine"\nlevel = "T2"\none_rig = true\nnote = "two and two"\nwindow = 64\n'
    for side, numbers in sides.items():
        names = [r.bearing for r in catalogue.recordings if r.bearing[-1] in numbers]
        text += f"[{side}]\ninclude = [{{bearing = {sorted(set(names))}}}]\n"
    split = made(text).split([catalogue], REQUEST, 0)
    assert split.note == "one rig; two and two"
    require(audit(split, noise(catalogue)))
    with pytest.raises(IsolationError, match="source and target share 1 mounting"):
        require(audit(made(text.replace("one_rig = true\n", "")).split([catalogue], REQUEST, 0), noise(catalogue)))
    several = plant()
    with pytest.raises(IsolationError, match="the note says one rig, the recordings have several mountings"):
        require(audit(made(OWN.replace("window", "one_rig = true\nwindow")).split([several], REQUEST, 0), noise(several)))


CLASSES = """
[classes]
healthy = {element = "healthy"}
"rolling elements" = [{element = "ball"}, {element = "outer", severity = "large"}]
rings = {element = "inner"}
"""


def test_classes_may_be_given_one_by_one_and_what_is_of_none_is_left_out(made: Made, plant: Plant, noise: Noise) -> None:
    catalogue = plant()
    split = made(OWN + CLASSES).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    assert set(split.target.labels) == {"healthy", "rolling elements", "rings"}
    assert not any(r.element == "outer" and r.severity == "small" for r in (*split.target.recordings, *split.source.recordings))
    assert split.request.ways == 3


def test_a_way_may_keep_to_a_class(made: Made, plant: Plant, noise: Noise) -> None:
    text = OWN.replace("T2", "T3") + CLASSES + '[episodes]\nway = ["class"]\napart = ["bearing"]\ntogether = false\n'
    catalogue = plant()
    split = made(text).split([catalogue], REQUEST, 0)
    require(audit(split, noise(catalogue)))
    assert set(split.target.conditions) == {"plant | healthy", "plant | rolling elements", "plant | rings"}


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ('a = {element = "ball"}\nb = {severity = "large"}', "beta-0/ball/large/0 at 0 hp is of a and of b: let each be of one class"),
        ('a = {element = "healthy"}\nb = {element = "ball"}', "is of element healthy and of a: call the class of the healthy ones healthy"),
        ('healthy = {element = "ball"}\nb = {element = "inner"}', "is of element ball and of healthy"),
        ('a = {element = "bal"}\nb = {element = "inner"}', r"\[classes.a\[0\]\]: no recording has element 'bal': nearest are 'ball'"),
    ],
)
def test_classes_that_contradict_are_refused(classes: str, says: str, made: Made, plant: Plant) -> None:
    with pytest.raises(UsageError, match=says):
        made(f"{OWN}[classes]\n{classes}").split([plant()], REQUEST, 0)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('machine = "beta"', 'machine = "bta"', r"\[target.include\[0\]\]: no recording has machine 'bta': nearest are 'beta', 'alpha'"),
        ('machine = "alpha"', 'load = ["0 hp", "9 hp"]', r"\[source.include\[0\]\]: no recording has load '9 hp'"),
        ("[source]", 'exclude = {machine = "beta"}\n[source]', r"\[target\]: everything that it includes is excluded too"),
    ],
)
def test_a_slip_of_the_pen_chooses_nothing_silently(old: str, new: str, says: str, made: Made, plant: Plant) -> None:
    with pytest.raises(UsageError, match=says):
        made(OWN.replace(old, new)).split([plant()], REQUEST, 0)


def test_what_a_copy_lacks_may_be_named(made: Made, plant: Plant) -> None:
    incomplete = replace(plant(), missing={"lost": "lost.mat is not there"})
    split = made(OWN + 'exclude = {id = ["lost"]}\n').split([incomplete], REQUEST, 0)
    assert split.source == made(OWN).split([incomplete], REQUEST, 0).source


def test_too_few_classes_are_refused_with_what_keeps_them_apart(made: Made, plant: Plant) -> None:
    with pytest.raises(
        IsolationError, match="0 classes of the target keep to one bearing, position, mounting and differ in mounting and load"
    ):
        made(OWN).split([plant(loads=("0 hp",))], REQUEST, 0)
    with pytest.raises(IsolationError, match="the source holds inner small, two classes are needed"):
        made(OWN.replace('"alpha"', '"alpha", element = "inner", severity = "small"')).split([plant()], REQUEST, 0)


def test_it_may_train_on_other_data_sets(made: Made, plant: Plant, noise: Noise) -> None:
    def moved(r: Recording) -> Recording:
        return replace(r, dataset="away", **{name: f"away {getattr(r, name)}" for name in ("machine", "mounting", "bearing", "session")})

    home, away = plant(), replace(plant(change=moved), dataset="away")
    text = OWN.replace("T2", "T4/T2").replace('machine = "alpha"', 'dataset = "away"')
    scenario = made(text)
    assert (scenario.base, scenario.level) == ("hz", "T4/T2")
    split = scenario.split([home, away], REQUEST, 0)
    other = {key: signal[::-1] for key, signal in noise(away).items()}
    require(audit(split, {**noise(home), **other}))
    assert split.source.recordings == NewDataset(window=64).split([home, away], REQUEST, 0).source.recordings


# --- published splits


@pytest.fixture
def files(plant: Plant, tmp_path: Path) -> list[Split]:
    splits = [NewDevice(window=64).split([plant()], REQUEST, seed) for seed in range(2)]
    for seed, split in enumerate(splits):
        write_document(document(split, [plant()], lambda _r, _c: Origin()), tmp_path / f"theirs.{seed}.json.gz")
    return splits


PUBLISHED = 'name = "theirs"\nsplit = ["theirs.0.json.gz", "theirs.1.json.gz"]'


def test_exactly_the_published_windows_are_run(files: list[Split], made: Made, plant: Plant, noise: Noise) -> None:
    scenario = made(PUBLISHED)
    for seed, split in enumerate(files):
        ours = scenario.split([plant()], REQUEST, seed)
        assert (ours.scenario, ours.level, ours.seed, windows(ours)) == ("theirs", "T2", seed, windows(split))
        assert (ours.source, ours.target) == (split.source, split.target)
        require(audit(ours, noise(plant())))
    with pytest.raises(UsageError, match="names 2 split files, none for seed 2: give --seeds 2, or name more"):
        scenario.split([plant()], REQUEST, 2)


def test_a_published_split_that_is_not_there_or_was_changed_is_refused(files: list[Split], made: Made, tmp_path: Path) -> None:
    assert files
    with pytest.raises(DataError, match=r"other\.json\.gz cannot be read"):
        made('name = "theirs"\nsplit = "other.json.gz"')
    (tmp_path / "theirs.0.json.gz").write_bytes((tmp_path / "theirs.0.json.gz").read_bytes()[:-40])
    with pytest.raises(DataError, match=r"theirs\.0\.json\.gz is no published split"):
        made(PUBLISHED)


def test_published_splits_of_two_levels_are_not_one_scenario(files: list[Split], made: Made, plant: Plant, tmp_path: Path) -> None:
    assert files
    other = UnseenBearing(window=64).split([plant()], REQUEST, 1)
    write_document(document(other, [plant()], lambda _r, _c: Origin()), tmp_path / "theirs.1.json.gz")
    with pytest.raises(DataError, match=r"theirs\.0\.json\.gz and .*theirs\.1\.json\.gz are of 'T2 and T3': name the splits of one"):
        made(PUBLISHED)


# --- the digest


def test_all_that_was_read_enters_the_digest_and_nothing_else(files: list[Split], made: Made, plant: Plant, tmp_path: Path) -> None:
    assert files
    digests = {made(text).content for text in (OWN, OWN + "# a remark\n", PUBLISHED)}
    assert made(OWN).content in digests
    changed = NewDevice(window=64).split([plant()], replace(REQUEST, episodes=3), 0)
    write_document(document(changed, [plant()], lambda _r, _c: Origin()), tmp_path / "theirs.0.json.gz")
    digests.add(made(PUBLISHED).content)
    assert len(digests) == 4


# --- the form


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "one of extends, split and level is needed, and there is none of them"),
        ('name = "x"\nlevel = "T2"\nsplit = "a"', "there is split and level"),
        ('level = "T2"', "target is missing"),
        (OWN.replace('name = "mine"', ""), "name is missing: give a text of one line"),
        (OWN.replace('"mine"', '""'), "name is ''"),
        (OWN.replace('"mine"', '"a\\nb"'), r"name is 'a\\nb': give a text of one line"),
        (OWN.replace('"mine"', f'"{"a" * 65}"'), "at most 64 characters"),
        (OWN.replace('"T2"', '"T5"'), "level is 'T5': give one of T0, T1, T2, T3, T4/T2, T4/T3"),
        (OWN.replace('"T2"', "2"), "level is '2'"),
        (OWN.replace("window = 64", "window = 63"), "window is '63': give a whole number >= 64"),
        (OWN.replace("window = 64", 'window = "64"'), "window is '64'"),
        (OWN.replace("window = 64", "window = true"), "window is 'True'"),
        (OWN.replace("window = 64", "ways = 1"), "ways is '1': give a whole number >= 2"),
        (OWN.replace("window = 64", "widow = 64"), "there is no key 'widow': did you mean window"),
        (OWN.replace("window = 64", 'base = "hz"'), "base stands there at T2"),
        (OWN.replace('"T2"', '"T4/T2"').replace("window = 64", 'base = "rpm"'), "base is 'rpm': give one of hz, orders"),
        (OWN.replace('"T2"', '"T1"').replace("window = 64", "one_rig = true"), "one_rig is true at T1: it belongs to T2 and T3"),
        (OWN.replace("window = 64", 'one_rig = "yes"'), "one_rig is 'yes': give true or false"),
        (OWN.replace('[{machine = "beta"}]', "[]"), r"\[target\]: include is '\[\]': give a list of tables"),
        (OWN.replace('[{machine = "beta"}]', "[{}]"), r"\[target\]: include is"),
        (OWN.replace('[{machine = "beta"}]', '["beta"]'), r"\[target\]: include is"),
        (OWN.replace('machine = "beta"', 'machin = "beta"'), r"\[target.include\[0\]\]: there is no key 'machin': did you mean machine\?"),
        (OWN.replace('machine = "beta"', "machine = 3"), r"\[target.include\[0\]\]: machine is '3': give a text or a list of texts"),
        (OWN.replace('machine = "beta"', "machine = []"), "give a text or a list of texts"),
        (OWN + "[episodes]\nlabel = 'severity'", r"\[episodes\]: label is 'severity': give one of element\+severity, element"),
        (OWN + "[episodes]\nway = ['bering']", r"\[episodes\]: way is .*: give a list of different ones of dataset, id"),
        (OWN + "[episodes]\napart = ['load', 'load']", "apart is .*: give a list of different ones of"),
        (OWN + "[episodes]\napart = ['class']", "apart is"),
        (OWN + "[episodes]\ntogether = 1", "together is '1': give true or false"),
        (OWN + "[classes]\na = {element = 'ball'}", r"\[classes\]: it has 1 class: two at least are needed"),
        (OWN + "[classes]\na = {}\nb = {element = 'x'}", r"\[classes\]: a is"),
        (OWN + "[episodes]\nlabel = 'element'\n[classes]\na = {element = 'ball'}", "keep one of them"),
        ('name = "x"\nsplit = []', "split is"),
        ('name = "x"\nsplit = [1]', "split is"),
        ('name = "x"\nsplit = "a"\nwindow = 64', "there is no key 'window'"),
        ("name = ", "is not TOML"),
        ('name = "\x00"', "is not TOML"),
    ],
)
def test_an_entry_that_does_not_fit_is_named_with_what_would(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse(text.encode(), "mine.toml")
    assert str(caught.value).startswith("mine.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", ".", "nowhere.toml", "\x00.toml"])
def test_a_file_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        FileScenario(name)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(UsageError, match="is larger than 1 MB"):
        FileScenario(str(tmp_path / "large.toml"))


def test_the_examples_of_the_docs_are_scenario_files() -> None:
    page = (ROOT / "docs" / "howto" / "scenario-files.md").read_text(encoding="utf-8")
    examples = re.findall(r'```toml title="(.*?).toml"\n(.*?)```', page, re.DOTALL)
    assert len(examples) == 5
    for name, text in examples:
        assert parse(text.encode(), "docs").name == name


def refusal(ask: Callable[[], object], kind: type[FaultbenchError]) -> str:
    """What an error of a kind says, empty where there is none; any other error is one of the test."""
    try:
        ask()
    except kind as error:
        return str(error)
    return ""


@given(st.binary(max_size=200))
def test_any_bytes_are_a_scenario_or_bad_usage(content: bytes) -> None:
    assert "\n" not in refusal(lambda: parse(content, "mine.toml"), UsageError)


WORDS = ["T2", "T0", "T4/T2", "hz", "element", "load", "class", "beta", "", "\n", "new-device", "healthy", "a.json", 0, 1, 64, -1, 2**70]
INNER = ["include", "exclude", "label", "way", "apart", "together", "machine", "element", "a", "healthy"]
OUTER = ["name", "note", "level", "extends", "parameters", "split", "window", "ways", "base", "one_rig", "target", "source", "episodes"]
KEYS = st.sampled_from([*OUTER, "classes", "x"])
VALUES = st.recursive(
    st.sampled_from(WORDS) | st.booleans() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3),
    max_leaves=8,
)


def as_toml(value: Any) -> str:
    """A value as TOML writes it inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {as_toml(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\n", "\\n") + '"'
    return str(value)


GOOD = {
    "name": "mine",
    "level": "T2",
    "window": 64,
    "target": {"include": [{"machine": "beta"}]},
    "source": {"include": [{"machine": "alpha"}], "exclude": [{"element": "healthy"}]},
    "episodes": {"label": "element+severity", "way": ["bearing", "position", "mounting"], "apart": ["mounting", "load"], "together": True},
}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(KEYS, VALUES, max_size=3), dropped=st.sets(KEYS, max_size=2))
def test_any_entries_give_a_split_or_an_error_of_one_line(
    changes: dict[str, Any], dropped: set[str], made: Made, plant: Plant, noise: Noise
) -> None:
    table = {key: value for key, value in {**GOOD, **changes}.items() if key not in dropped}
    text = "\n".join(f"{key} = {as_toml(value)}" for key, value in table.items())
    said = refusal(lambda: require(audit(made(text).split([plant()], REQUEST, 0), noise(plant()))), FaultbenchError)
    assert "\n" not in said
