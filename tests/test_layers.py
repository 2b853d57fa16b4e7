"""The arrows between the rooms, and what plugins may import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HARNESS = ROOT / "harness" / "faultbench"
PLUGINS = sorted((ROOT / "plugins").glob("*/faultbench_*"))
TEMPLATES = sorted(path.parent for path in (HARNESS / "scaffold" / "templates").glob("*/src/new_plugin/__init__.py"))

ROOMS = [
    "data",
    "learning",
    "artifact",
    "measuring",
    "matrix",
    "results",
    "report",
    "acquisition",
    "inspection",
    "testing",
    "scaffold",
    "cli",
]
MAY_IMPORT = {
    "data": {"data", "measuring"},
    "learning": {"learning", "data", "artifact"},
    "artifact": {"artifact"},
    "measuring": {"measuring", "artifact"},
    "results": {"results"},
    "report": {"report", "results", "matrix", "data"},
    "acquisition": {"acquisition", "data"},
    "inspection": {"inspection", "data", "matrix", "results"},
    "matrix": {"matrix", "data", "learning", "artifact", "measuring", "results"},
    "testing": {"testing", "data", "learning", "artifact", "measuring", "results"},
    "scaffold": {"scaffold", "testing"},
}


def imports(path):
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def intruders(path, own):
    """What a plugin's file imports of the harness beside its public names."""
    return [m for m in imports(path) if m.split(".")[0] == "faultbench" and m != "faultbench.api" and not m.startswith(own)]


@pytest.mark.parametrize("package", [*PLUGINS, *TEMPLATES], ids=lambda p: p.name if p in PLUGINS else p.parents[1].name)
def test_a_built_in_plugin_has_what_a_third_party_has(package):
    files = list(package.rglob("*.py"))
    assert files
    assert {str(f): intruders(f, package.name) for f in files if intruders(f, package.name)} == {}


def test_a_back_door_is_seen(tmp_path):
    planted = tmp_path / "plugin.py"
    planted.write_text("def late():\n    from faultbench.matrix import cache\n")
    assert intruders(planted, "faultbench_x") == ["faultbench.matrix"]


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_no_arrow_goes_back(room):
    wrong = {}
    for path in (HARNESS / room).rglob("*.py"):
        rooms = {m.split(".")[1] for m in imports(path) if m.startswith("faultbench.") and m.split(".")[1] in ROOMS}
        if rooms - MAY_IMPORT[room]:
            wrong[path.name] = sorted(rooms - MAY_IMPORT[room])
    assert wrong == {}


def test_the_harness_knows_no_part_by_name():
    """The defaults' table is the one place where a built-in part is named."""
    for path in HARNESS.rglob("*.py"):
        assert not [m for m in imports(path) if m.startswith("faultbench_")], path


def test_importing_the_api_costs_nothing():
    code = "import sys, faultbench.api; print(sorted(m for m in ('torch', 'numpy', 'scipy', 'pandas', 'onnxruntime') if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_type_checkers_see_the_public_names_too():
    """The names that resolve lazily stand a second time, as imports, for those who read without running."""
    import faultbench.api

    tree = ast.parse((HARNESS / "api.py").read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {(node.module, alias.asname) for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {(home, name) for home, names in faultbench.api._HOMES.items() for name in names}


def test_every_public_name_resolves():
    import faultbench.api

    for name in faultbench.api.__all__:
        assert getattr(faultbench.api, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        faultbench.api.nonsense  # noqa: B018


def test_the_package_knows_nothing_of_the_place_it_was_made_in():
    for path in [*HARNESS.rglob("*.py"), *(f for p in PLUGINS for f in p.rglob("*.py"))]:
        assert "shared/" not in path.read_text("utf-8"), path
