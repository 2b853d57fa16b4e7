"""`faultbench new plugin`: what is written, and what is refused."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from faultbench import __version__
from faultbench.api import API_VERSION
from faultbench.cli import main
from faultbench.discovery import KINDS
from faultbench.errors import UsageError
from faultbench.registry import Registry
from faultbench.scaffold import writing
from faultbench.scaffold.naming import names_of
from faultbench.scaffold.writing import files_of, version_range, write
from faultbench.testing.suite import Suite

QUICK = ("datasets", "scenarios", "targets", "frontends")
"""Kinds whose contract takes seconds; tests/contracts/test_new_plugin_installed.py puts them all."""


def written(kind: str, folder: Path, name: str = "") -> Path:
    assert main(["new", "plugin", kind, name or f"my-{kind}", "--out", str(folder)]) == 0
    return folder / (name or f"my-{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_whole_distribution(tmp_path, kind, capsys):
    folder = written(kind, tmp_path)
    files = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    package = f"my_{kind}"
    expected = {"README.md", "pyproject.toml", ".gitignore", ".github/workflows/test.yml", "tests/test_contract.py"}
    assert expected | {f"src/{package}/__init__.py", f"src/{package}/py.typed"} <= set(files)
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["name"] == f"my-{kind}"
    assert project["project"]["dependencies"] == [f"faultbench{version_range(__version__)}"]
    assert project["project"]["entry-points"]["faultbench"] == {f"my-{kind}": package}
    assert f"pip install -e '{folder}[test]'" in capsys.readouterr().out
    for path, text in files.items():
        assert "new-plugin" not in text.lower().replace("_", "-"), path
        assert "NewPlugin" not in text, path
        if path.endswith(".py"):
            ast.parse(text)
    assert f"FAULTBENCH_API = {API_VERSION}\n" in files[f"src/{package}/__init__.py"]
    assert "contract(" in files["tests/test_contract.py"]


@pytest.mark.parametrize("kind", QUICK)
def test_what_it_writes_keeps_its_contract(tmp_path, kind, monkeypatch):
    name = f"brand-new-{kind}"
    folder = written(kind, tmp_path, name)
    info = tmp_path / "site" / f"brand_new_{kind}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[faultbench]\n{name} = brand_new_{kind}\n")
    for place in (info.parent, folder / "src", folder / "tests"):
        monkeypatch.syspath_prepend(place)
    data = {}
    if kind == "datasets":
        subprocess.run([sys.executable, str(folder / "tests" / "made_up.py"), str(tmp_path / "data")], env=_path(), check=True)
        data = {"data_dir": tmp_path / "data"}
    assert Suite(kind, name, **data).failures() == {}


def _path() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_a_kind_may_be_written_as_people_do(tmp_path):
    for kind in ("learner", "front-end", "data-set"):
        assert written(kind, tmp_path, f"a-{kind}").is_dir()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-Learner", "'My-Learner' cannot be a plugin's name: take lower case"),
        ("my learner", "cannot be a plugin's name"),
        ("../mine", "cannot be a plugin's name"),
        ("mine-", "cannot be a plugin's name"),
        ("1st", "cannot be a plugin's name"),
        ("m" * 51, "cannot be a plugin's name"),
        ("maml", "maml is a learner that comes with faultbench: choose another name"),
        ("maml2", "maml2 reads as maml with the number 2: choose another name"),
        ("torch", "there is a Python module torch already, which 'torch' would hide"),
        ("json", "there is a Python module json already"),
        ("faultbench", "there is a Python module faultbench already"),
        ("class", "'class' is a word of Python's own, which no package can be called: choose another name"),
        ("tests", "there is a Python module tests already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(tmp_path, capsys, name, said):
    assert main(["new", "plugin", "learner", "--out", str(tmp_path), "--", name]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_class_is_named_so_that_it_hides_none_that_the_plugin_uses():
    registry = Registry.discover(plugins=False)
    assert names_of("learners", "my-few_shot-learner2", registry).factory == "MyFewShotLearner2"
    assert names_of("learners", "net", registry).factory == "NetLearner"
    assert names_of("frontends", "tensor", registry).factory == "TensorFrontEnd"
    assert names_of("compressors", "value-error", registry).factory == "ValueErrorCompressor"


def test_what_is_there_is_not_overwritten(tmp_path, capsys):
    folder = written("learner", tmp_path, "mine")
    (folder / "src" / "mine" / "learner.py").write_text("precious")
    assert main(["new", "plugin", "target", "mine", "--out", str(tmp_path)]) == 2
    assert f"{folder} is there already: choose another name or another --out, nothing was written" in capsys.readouterr().err
    assert (folder / "src" / "mine" / "learner.py").read_text() == "precious"
    (tmp_path / "empty").mkdir()
    assert main(["new", "plugin", "target", "empty", "--out", str(tmp_path)]) == 2
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert main(["new", "plugin", "target", "gone", "--out", str(tmp_path)]) == 2


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["new", "plugin", "target", "mine", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written (Not a directory): choose a folder that can, with --out" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    files = {
        **files_of("learners", names_of("learners", "mine", Registry.discover(plugins=False))),
        "z" * 300: "no file has such a long name",
    }
    with pytest.raises(UsageError, match="cannot be written"):
        write(files, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing_half_written(tmp_path, monkeypatch):
    texts = iter(range(3))

    def interrupted(path, text, **_):
        if next(texts) == 2:
            raise KeyboardInterrupt
        return original(path, text, encoding="utf-8")

    original = Path.write_text
    monkeypatch.setattr(Path, "write_text", interrupted)
    assert main(["new", "plugin", "learner", "mine", "--out", str(tmp_path)]) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_range_of_versions_ends_with_the_next_minor_one():
    assert version_range("0.1.0") == ">=0.1,<0.2"
    assert version_range("2.13.0rc1") == ">=2.13,<2.14"


def test_what_tools_leave_among_the_templates_is_no_template(tmp_path, monkeypatch):
    shutil.copytree(Path(writing.__file__).parent / "templates", tmp_path / "templates")
    for leftover in ("learners/.ruff_cache/x", "common/src/new_plugin/__pycache__/y.pyc"):
        (tmp_path / "templates" / leftover).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "templates" / leftover).write_bytes(b"\x90\x00")
    names = names_of("learners", "mine", Registry.discover(plugins=False))
    expected = files_of("learners", names)
    monkeypatch.setattr(writing.importlib.resources, "files", lambda _: tmp_path)
    assert files_of("learners", names) == expected
