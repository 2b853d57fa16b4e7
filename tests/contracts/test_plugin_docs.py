"""What docs/howto/plugin.md says beside the blocks that tests/docs runs."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest

from faultbench import hookspecs
from faultbench.discovery import KINDS
from faultbench.offers import Param
from faultbench.scaffold.naming import Names
from faultbench.scaffold.writing import files_of
from faultbench.testing import Suite

TEXT = (Path(__file__).parents[2] / "docs" / "howto" / "plugin.md").read_text("utf-8")
BLOCKS = re.findall(r"^ *```python(?: title=[^\n]*)?\n(.*?)^ *```", TEXT, re.MULTILINE | re.DOTALL)


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


@pytest.fixture
def cosine(tmp_path, monkeypatch) -> Suite:
    """The suite that the page puts to its learner of one step."""
    (learner,) = [block for block in BLOCKS if "class Cosine" in block]
    (asked,) = [block for block in BLOCKS if "cosine:Cosine" in block]
    (tmp_path / "cosine.py").write_text(learner)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cosine", raising=False)
    return run("".join(line + "\n" for line in asked.splitlines() if not line.startswith("suite.ask")))["suite"]


@pytest.mark.parametrize(
    "promise",
    [
        "its parameters are those of its factory",
        "it learns from the support",
        "a row of zeros among the labels is padding",
        "a class may have a single sample",
        "training changes something, or it says that it is not meta-trained",
    ],
)
def test_the_learner_of_one_step_keeps_its_promises(cosine, promise):
    cosine.ask(promise)


@pytest.mark.slow
def test_the_learner_of_one_step_keeps_all_promises(cosine):
    assert cosine.failures() == {}


def test_the_fields_of_a_parameter_are_those_that_it_names():
    (named,) = re.findall(r"`Param\((.*?)\)`", TEXT)
    assert [word.strip().rstrip("=") for word in named.split(",")] == [field.name for field in dataclasses.fields(Param)]


def test_the_line_of_the_test_file_is_the_one_that_is_written():
    (block,) = [block for block in BLOCKS if 'contract("learner", "my-learner")' in block]
    assert callable(run(block)["test_contract"])
    assert block.strip() in files_of("learners", Names("my-learner", "my_learner", "MyLearner"))["tests/test_contract.py"]


def test_the_expected_failure_names_a_promise_that_there_is():
    (block,) = [block for block in BLOCKS if "expected_failures" in block]
    assert callable(run(block)["test_contract"])


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
