"""Every plugin that comes with faultbench passes the contract suite of its kind, as anybody's has to."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from faultbench.discovery import KINDS
from faultbench.registry import Registry
from faultbench.testing import contract
from faultbench.testing.suite import SOMETHING_ASKED

DATA = Path(os.environ.get("FAULTBENCH_DATA") or "no data")
TEMPORARY = tempfile.TemporaryDirectory(prefix="faultbench-layouts-")


def layout(name: str) -> ModuleType:
    """The module that writes files in an official layout."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "datasets" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def paderborn() -> Path:
    """Bearings enough for one rig to be parted."""
    root = Path(TEMPORARY.name)
    layout("paderborn_layout").write_set(root / "paderborn", "K001 K002 KA01 KA04 KI01 KI04", range(1, 3))
    return root


def xjtu_sy() -> Path:
    """Bearings enough for one rig to be parted: four healthy ones, four outer and three inner rings."""
    root = Path(TEMPORARY.name)
    layout("xjtu_layout").write_tree(
        root / "xjtu_sy", bearings=("1_1", "1_2", "1_3", "2_2", "2_1", "3_3", "3_4", "1_4", "1_5", "2_3", "3_2")
    )
    return root


def folder() -> Path:
    """A plant's own recordings, in files of every kind."""
    return layout("plant_on_disk").write_plant(Path(TEMPORARY.name) / "folder")


def scenario_file() -> str:
    """A scenario that stands in a file."""
    path = Path(TEMPORARY.name) / "mine.toml"
    path.write_text('name = "file-mine"\nextends = "new-device"\n[parameters]\nwindow = 512\n')
    return f"file:path={path}"


def real(folder: str) -> dict[str, Any]:
    """For data that nobody can make: where they are not, that is said, and nothing else is excused."""
    if (DATA / folder).is_dir():
        return {"data_dir": DATA}
    return {"expected_failures": {SOMETHING_ASKED: f"no real {folder} data: set FAULTBENCH_DATA to the folder that holds {folder}/"}}


SPECIAL: dict[tuple[str, str], dict[str, Any]] = {
    ("datasets", "cwru"): real("cwru"),
    ("datasets", "uestc"): real("uestc"),
    ("datasets", "paderborn"): {"data_dir": paderborn},
    ("datasets", "xjtu_sy"): {"data_dir": xjtu_sy},
    ("datasets", "folder"): {"data_dir": folder},
    ("scenarios", "file"): {"name": scenario_file()},
}
"""What a suite is told beside the plugin's name; `name` where the bare one needs a number or parameters."""

for kind in KINDS:
    for registered in Registry.discover(plugins=False).offers(kind):
        special = dict(SPECIAL.get((kind, registered.offer.name), {}))
        name = special.pop("name", registered.offer.name)
        globals()[f"test_{kind}_{registered.offer.name}".replace("-", "_")] = contract(kind, name, **special)


def test_every_kind_is_here():
    assert {name.split("_")[1] for name in globals() if name.startswith("test_")} >= set(KINDS)
