"""What docs/howto/plugin.md shows works as it is shown."""

from __future__ import annotations

import importlib
import json
import re
import sys
import textwrap
from pathlib import Path

import pytest

from faultbench import hookspecs
from faultbench.discovery import KINDS
from faultbench.scaffold.naming import Names
from faultbench.scaffold.writing import files_of, write
from faultbench.testing import Suite

TEXT = (Path(__file__).parents[2] / "docs" / "howto" / "plugin.md").read_text("utf-8")
BLOCKS = re.findall(r"^ *```python\n(.*?)^ *```", TEXT, re.MULTILINE | re.DOTALL)


def run(block: str) -> dict[str, object]:
    names: dict[str, object] = {}
    indent = len(block) - len(block.lstrip())
    exec("\n".join(line[indent:] for line in block.splitlines()), names)  # noqa: S102 - our own document
    return names


def test_the_module_of_hooks_offers_what_it_says():
    (block,) = [block for block in BLOCKS if "hookimpl" in block]
    names = run(block)
    (offer,) = names["faultbench_learners"]()
    assert offer.name == "my-learner"
    assert names["FAULTBENCH_API"] == 1


def test_the_line_of_the_test_file_is_the_one_that_is_written():
    (block,) = [block for block in BLOCKS if 'contract("learner", "my-learner")' in block]
    assert callable(run(block)["test_contract"])
    assert block.strip() in files_of("learners", Names("my-learner", "my_learner", "MyLearner"))["tests/test_contract.py"]


def test_the_expected_failure_names_a_promise_that_there_is():
    (block,) = [block for block in BLOCKS if "expected_failures" in block]
    assert callable(run(block)["test_contract"])


@pytest.mark.slow
def test_the_first_change_breaks_the_promise_that_it_says_and_is_mended_as_it_says(tmp_path, monkeypatch):
    write(files_of("learners", Names("my-learner", "my_learner", "MyLearner")), tmp_path / "my-learner")
    info = tmp_path / "site" / "my_learner-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-learner\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[faultbench]\nmy-learner = my_learner\n")
    package = tmp_path / "my-learner" / "src" / "my_learner"
    for name in [name for name in sys.modules if name.split(".")[0] == "my_learner"]:
        monkeypatch.delitem(sys.modules, name)
    for place in (info.parent, package.parent):
        monkeypatch.syspath_prepend(place)

    functions = [block for block in BLOCKS if block.startswith(("def __init__(self, steps", "def step(self"))]
    assert len(functions) == 2
    learner = (package / "learner.py").read_text()
    for function in functions:
        name = function.split("(")[0]
        learner, times = re.subn(rf"^    {name}\(.*?(?=^    def |\Z)", textwrap.indent(function, "    ") + "\n", learner, flags=re.M | re.S)
        assert times == 1
    (package / "learner.py").write_text(learner)
    ((promise, said),) = Suite("learner", "my-learner").failures().items()
    assert promise == "its parameters are those of its factory"
    assert f"```text\n{said}\n```" in TEXT

    (entry,) = re.findall(r'^ +"decay": Param\(.*\),\n', TEXT, re.MULTILINE)
    offer = (package / "__init__.py").read_text()
    assert offer.count("params={\n") == 1
    (package / "__init__.py").write_text(offer.replace("params={\n", "params={\n" + entry))
    importlib.reload(sys.modules["my_learner"])
    assert Suite("learner", "my-learner").failures() == {}


def test_the_time_that_it_says_is_the_one_that_was_measured():
    measured = json.loads((Path(__file__).parents[2] / "benchmarks" / "new_plugin.json").read_text("utf-8"))
    assert set(measured["kinds"]) == {kind.removesuffix("s") for kind in KINDS}
    assert measured["slowest_s"] == max(one["total_s"] for one in measured["kinds"].values()) < measured["limit_s"]
    assert f"The slowest kind took {measured['slowest_s']:.0f} s" in TEXT


def test_every_observer_and_every_kind_is_named():
    observers = [
        name for name, hook in vars(hookspecs).items() if name.startswith("faultbench_") and name.removeprefix("faultbench_") not in KINDS
    ]
    assert len(observers) == 3
    for name in (*observers, *(f"`{kind.removesuffix('s')}`" for kind in KINDS)):
        assert name in TEXT
