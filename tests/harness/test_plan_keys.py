"""Keys of stages: whatever a result depends on changes its key, and nothing else does."""

from pathlib import Path

import pytest

from faultbench.errors import PluginError
from faultbench.matrix import keys
from faultbench.matrix.keys import Kind, key_of, plugin_digest, source_digest
from faultbench.measuring.device import arithmetic
from faultbench.registry import Choice

KIND = Kind("train", 1, (), ("numpy",))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    for cached in (keys.plugin_digest, keys.source_digest, keys._version, keys._requirements):
        cached.cache_clear()


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def choice(factory: str = "faultbench_learners.maml:Maml", **params: int) -> Choice:
    return Choice("learners", "maml", "faultbench/maml", "faultbench", "0.1.0", factory, params, "maml")


def test_the_same_stage_has_the_same_key() -> None:
    assert key_of(KIND, {"a": 1, "b": 2}, {"x": "k"}) == key_of(KIND, {"b": 2, "a": 1}, {"x": "k"})


def test_everything_that_a_result_depends_on_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(kind: Kind = KIND, params: object = 3, inputs: str = "k") -> str:
        return key_of(kind, {"learner": choice(inner_steps=params)}, {"split": inputs})

    found = {
        key(),
        key(params=4),
        key(inputs="l"),
        key(Kind("train", 2, (), ("numpy",))),
        key(Kind("measure", 1, (), ("numpy",))),
        key(Kind("train", 1, ("results",), ("numpy",))),
        key(Kind("train", 1, (), ("scipy",))),
    }
    monkeypatch.setattr(keys, "_version", lambda _name: "99")
    found.add(key())
    monkeypatch.undo()
    monkeypatch.setattr(keys, "_arithmetic", lambda: "another processor")
    found.add(key())
    assert len(found) == 9


def test_what_picks_other_kernels_is_part_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = arithmetic()
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert arithmetic() != here
    assert "processor" in here


def test_a_spelling_does_not_change_the_key_its_parameters_do() -> None:
    same = Choice("learners", "maml", "faultbench/maml", "faultbench", "0.1.0", "faultbench_learners.maml:Maml", {}, "another spelling")
    assert key_of(KIND, {"l": choice()}, {}) == key_of(KIND, {"l": same}, {})
    assert key_of(KIND, {"l": choice()}, {}) != key_of(KIND, {"l": choice(inner_steps=5)}, {})


def test_any_file_of_a_plugins_package_belongs_to_it(modules: Path) -> None:
    package = modules / "third_party"
    (package / "deep").mkdir(parents=True)
    for name in ("__init__.py", "learner.py", "deep/__init__.py", "deep/table.csv"):
        (package / name).write_text("")
    digests = {plugin_digest("third_party.learner:Learner")}
    for name in ("learner.py", "deep/table.csv", "new.py"):
        (package / name).write_text("# changed")
        _forget()
        digests.add(plugin_digest("third_party.learner:Learner"))
    assert len(digests) == 4


def test_what_python_writes_into_a_package_does_not_belong_to_it(modules: Path) -> None:
    package = modules / "third_party_cached"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    before = plugin_digest("third_party_cached:x")
    (package / "__pycache__" / "x.cpython-311.pyc").write_text("compiled")
    _forget()
    assert plugin_digest("third_party_cached:x") == before


def test_a_plugin_that_is_one_file_is_that_file(modules: Path) -> None:
    (modules / "single_module_plugin.py").write_text("x = 1")
    (modules / "neighbour.py").write_text("")
    assert plugin_digest("single_module_plugin:x") == source_digest(modules / "single_module_plugin.py")


def test_a_namespace_package_is_gone_into(modules: Path) -> None:
    package = modules / "shared_namespace" / "mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("x = 1")
    assert plugin_digest("shared_namespace.mine:x") == source_digest(package)


@pytest.mark.parametrize("factory", ["not_installed_anywhere:x", "not_installed_anywhere.deeper:x"])
def test_a_plugin_that_cannot_be_found_is_said_in_one_line(factory: str) -> None:
    with pytest.raises(PluginError, match="cannot be found: repair or reinstall"):
        plugin_digest(factory)


def test_a_scenario_of_the_harness_belongs_to_its_room() -> None:
    root = Path(keys.__file__).parent.parent
    assert plugin_digest("faultbench.data.scenarios.new_device:NewDevice") == source_digest(root / "data")


def test_what_a_foreign_plugin_requires_belongs_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    monkeypatch.setattr(importlib.metadata, "requires", lambda _name: ["scikit-learn>=1.4; python_version > '3.8'", "numpy"])
    assert keys._requirements("somebody-else") == ("numpy", "scikit-learn")
    assert keys._requirements("faultbench") == ()


def test_a_rooms_source_is_in_the_key_of_its_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    from faultbench.matrix import stages

    before = {kind.name: key_of(kind, {}, {}) for kind in vars(stages).values() if isinstance(kind, Kind)}
    real = keys.source_digest
    monkeypatch.setattr(keys, "source_digest", lambda path: "changed" if path.name == "learning" else real(path))
    after = {kind.name: key_of(kind, {}, {}) for kind in vars(stages).values() if isinstance(kind, Kind)}
    assert {name for name in before if before[name] != after[name]} == {"train", "compress", "export"}


def test_every_room_that_a_kind_names_is_there() -> None:
    from faultbench.matrix import stages

    root = Path(keys.__file__).parent.parent
    for kind in vars(stages).values():
        if isinstance(kind, Kind):
            for room in kind.rooms:
                assert (root / room).exists(), room
            assert all(version is not None for version in keys.versions(kind.libraries).values())


def _forget() -> None:
    keys.plugin_digest.cache_clear()
    keys.source_digest.cache_clear()
