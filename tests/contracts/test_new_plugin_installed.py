"""A new plugin of each kind, as its author and its users have it: built, installed beside faultbench, run, and broken. Slow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbench.discovery import KINDS
from faultbench.registry import NOUNS

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SMALL = ("--quick", "--episodes", "4", "--queries", "3", "--json", "out.json")
RUNS = {
    "datasets": ("-d", "{name}", "--data-dir", "data", "-l", "centroid", "--ways", "4"),
    "scenarios": ("-s", "{name}", "-l", "centroid"),
    "frontends": ("-l", "centroid:frontend={name}"),
    "backbones": ("-l", "maml:backbone={name},inner_steps=2,meta_steps=20"),
    "learners": ("-l", "{name}"),
    "compressors": ("-l", "maml:inner_steps=2,meta_steps=20", "-c", "{name}6"),
    "targets": ("-l", "centroid", "-t", "{name}"),
}
BUILT_IN = {
    "datasets": "cwru",
    "scenarios": "new-device",
    "frontends": "welch",
    "backbones": "conv4",
    "learners": "maml",
    "compressors": "none",
    "targets": "x86",
}


class Place:
    """A fresh virtual environment with faultbench's wheel, and beside it whatever this Python has: torch is not installed again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "venv" / "bin"
        environment = {
            "FAULTBENCH_CACHE": str(folder / "cache"),
            "FAULTBENCH_RESULTS": str(folder / "results"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "120",
        }
        self.environment = {**os.environ, **environment}
        self.environment.pop("PYTHONPATH", None)
        self.ran(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
        stdlib = sysconfig.get_paths()["stdlib"]
        beside = [p for p in sys.path if Path(p).is_dir() and (not p.startswith(stdlib) or "site-packages" in p) and "lib-dynload" not in p]
        (self.site / "zz_beside.pth").write_text("\n".join(beside) + "\n")

    @property
    def site(self) -> Path:
        """Where packages are installed."""
        return next((self.folder / "venv" / "lib").glob("python*/site-packages"))

    def run(self, *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A command, whatever it ends with."""
        command = [str(word) for word in words]
        return subprocess.run(
            command, cwd=cwd or self.folder, env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )

    def ran(self, *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A command that must succeed."""
        done = self.run(*words, cwd=cwd)
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done

    def faultbench(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command."""
        return self.run(self.bin / "faultbench", *words)

    def wheel(self, source: Path) -> Path:
        """A wheel built of a source tree."""
        out = self.folder / "wheels" / source.name
        self.ran(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", out, source)
        return next(out.glob("*.whl"))

    def install(self, wheel: Path) -> None:
        """Installs a wheel; what it depends on has to be there."""
        self.pip("install", "--no-index", "--force-reinstall", "--no-deps", wheel)
        self.pip("install", "--no-index", wheel)

    def pip(self, *words: object) -> None:
        """pip, on the virtual environment."""
        self.ran(sys.executable, "-m", "pip", "--python", self.bin / "python", "--quiet", *words)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    made = Place(tmp_path_factory.mktemp("place"))
    made.install(made.wheel(ROOT))
    return made


@pytest.fixture(scope="module", params=KINDS)
def plugin(place, request) -> Iterator[tuple[str, str]]:
    """A new plugin of a kind, installed; gone again for the next."""
    kind, name = request.param, f"acme-{request.param}"
    place.ran(place.bin / "faultbench", "new", "plugin", kind, name)
    place.install(place.wheel(place.folder / name))
    if kind == "datasets":
        place.ran(place.bin / "python", f"{name}/tests/made_up.py", "data")
    yield kind, name
    place.pip("uninstall", "-y", name)


def words(kind: str, name: str) -> tuple[str, ...]:
    return ("run", *(word.format(name=name) for word in RUNS[kind]), *SMALL)


def test_it_is_found_and_passes_its_contract(place, plugin):
    kind, name = plugin
    listed = place.faultbench("--strict-plugins", "list", kind)
    assert listed.returncode == 0, listed.stderr
    assert re.search(rf"^{name} +{name} 0.1.0", listed.stdout, re.MULTILINE)
    tested = place.ran(place.bin / "python", "-m", "pytest", "-v", "-p", "no:cacheprovider", name, cwd=place.folder)
    assert "test_contract[it is found under its name] PASSED" in tested.stdout
    assert "test_contract[importing its package is light] PASSED" in tested.stdout
    assert "failed" not in tested.stdout.splitlines()[-1]


def test_it_runs_in_the_matrix(place, plugin):
    kind, name = plugin
    done = place.faultbench(*words(kind, name))
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((place.folder / "out.json").read_text())["rows"]
    assert name in " ".join(str(value) for value in row["cell"].values())
    assert row["accuracy"]["mean"] > 1.5 / row["cell"]["ways"]  # it works: well above chance
    assert row["parity"]["holds"]


@pytest.fixture
def source(place, plugin) -> Iterator[Path]:
    """The installed package, which a test may break."""
    package = place.site / plugin[1].replace("-", "_")
    kept = {path: path.read_text() for path in package.glob("*.py")}
    yield package
    for path, text in kept.items():
        path.write_text(text)


def change(package: Path, old: str, new: str) -> None:
    """Replaces what stands first in one of the package's files."""
    path = next(path for path in sorted(package.glob("*.py")) if old in path.read_text())
    path.write_text(path.read_text().replace(old, new, 1))


def one_line(text: str) -> str:
    """The only line of an error."""
    (line,) = [line for line in text.splitlines() if line.startswith("error: ")]
    return line


def test_an_import_error_costs_the_plugin_alone(place, plugin, source):
    kind, name = plugin
    change(source, "from faultbench.api", "import no_such_module\nfrom faultbench.api")
    said = f"{name} 0.1.0 (entry point {name}) cannot be loaded (ModuleNotFoundError: No module named 'no_such_module'): repair"
    listed, checked, run = place.faultbench("list", kind), place.faultbench("doctor"), place.faultbench(*words(kind, name))
    assert listed.returncode == 0
    assert f"warning: {said}" in listed.stderr
    assert BUILT_IN[kind] in listed.stdout
    assert checked.returncode == 0
    assert f"note    {said}" in checked.stdout
    assert run.returncode == 2
    assert f"no {NOUNS[kind]} is called '{name}" in one_line(run.stderr)
    assert f". A plugin that may offer it is broken: {said}" in one_line(run.stderr)
    strict = place.faultbench("--strict-plugins", "list")
    assert strict.returncode == 2
    assert said in one_line(strict.stderr)


def test_a_wrong_signature_is_seen_by_doctor_and_named_by_run(place, plugin, source):
    kind, name = plugin
    change(source, "def __init__(self, ", "def __init__(self, no_such: int, ")
    listed, checked, run = place.faultbench("list", kind), place.faultbench("doctor"), place.faultbench(*words(kind, name))
    assert listed.returncode == 0
    assert listed.stderr == ""
    assert checked.returncode == 0
    assert f"note    {name} 0.1.0 offers the {NOUNS[kind]} {name}, which cannot be made: its factory" in checked.stdout
    assert "needs no_such, which the offer does not have: offer it, or give it a default" in checked.stdout
    assert run.returncode == 2
    assert f"{NOUNS[kind]} {name} of {name} 0.1.0 cannot be made (TypeError: " in one_line(run.stderr)
    assert f"repair or update {name}, or leave it out" in one_line(run.stderr)


def test_a_hook_of_a_wrong_signature_is_one_line(place, plugin, source):
    kind, name = plugin
    change(source, f"def faultbench_{kind}()", f"def faultbench_{kind}(harness)")
    listed, checked, run = place.faultbench("list", kind), place.faultbench("doctor"), place.faultbench(*words(kind, name))
    assert f"warning: {name} 0.1.0 (entry point {name}) cannot be loaded (PluginValidationError: " in listed.stderr
    assert f"note    {name} 0.1.0 (entry point {name}) cannot be loaded (PluginValidationError: " in checked.stdout
    assert run.returncode == 2
    assert f"no {NOUNS[kind]} is called '{name}" in one_line(run.stderr)


def test_a_name_that_clashes_is_qualified(place, plugin, source):
    kind, name = plugin
    built_in = BUILT_IN[kind]
    change(source, f'name="{name}"', f'name="{built_in}"')
    said = f"offers the built-in name {built_in}, which cannot be taken: write {name}/{built_in} for this one"
    listed, checked, run = place.faultbench("list", kind), place.faultbench("doctor"), place.faultbench(*words(kind, name))
    assert listed.returncode == 0
    assert said in listed.stderr
    assert f"\n{name}/" in listed.stdout
    assert checked.returncode == 0
    assert said in checked.stdout
    assert run.returncode == 2
    assert f"no {NOUNS[kind]} is called '{name}" in one_line(run.stderr)
    shown = place.faultbench("list", kind, f"{name}/{built_in}")
    assert shown.returncode == 0
    assert re.search(rf"from +{name} 0.1.0", shown.stdout)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (0, "is written for plugin API 0, this is 1, which takes those from 1: update {name}, or install an older faultbench"),
        (99, "is written for plugin API 99, this is 1: update faultbench, or install an older {name}"),
    ],
)
def test_another_api_is_refused_in_one_line(place, plugin, source, version, said):
    kind, name = plugin
    change(source, "FAULTBENCH_API = 1", f"FAULTBENCH_API = {version}")
    listed, checked, run = place.faultbench("list", kind), place.faultbench("doctor"), place.faultbench(*words(kind, name))
    assert listed.returncode == 0
    assert f"warning: {name} 0.1.0 (entry point {name}) {said.format(name=name)}" in listed.stderr
    assert checked.returncode == 0
    assert said.format(name=name) in checked.stdout
    assert run.returncode == 2
    assert f"no {NOUNS[kind]} is called '{name}" in one_line(run.stderr)
