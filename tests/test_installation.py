"""Nobody is told to take faultbench from a package index: the name there belongs to another project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOREIGN = re.compile(r"pip install[^\n&|;]*?[ '\"]faultbench(?!(?:\[\w+\])? @ )(?:\[\w+\])?(?=$|[ '\"<>=])", re.MULTILINE)
TEXTS = ("*.md", "docs", "examples", "harness/faultbench/scaffold/templates", "harness", "plugins", "action.yml")
WORKFLOWS = ("harness/faultbench/scaffold/templates/common/github/workflows/test.yml", "examples/ci-gate/.github/workflows/test.yml")


def texts() -> list[Path]:
    """All that is read or run by others."""
    found = [path for pattern in TEXTS for path in ROOT.glob(pattern)]
    files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*"))]
    return [file for file in dict.fromkeys(files) if file.suffix in {".md", ".py", ".yml", ".toml"}]


def test_nothing_says_to_install_the_name_from_an_index() -> None:
    told = {path.relative_to(ROOT).as_posix(): FOREIGN.findall(path.read_text("utf-8")) for path in texts()}
    assert len(told) > 100
    assert {path for path, found in told.items() if found} == set()


@pytest.mark.parametrize(
    "line",
    ["pip install faultbench", "pip install 'faultbench[plot]'", "- pip install -q faultbench>=0.1", "pip install faultbench '.[test]'"],
)
def test_a_planted_line_is_found(line: str) -> None:
    assert FOREIGN.search(line)


@pytest.mark.parametrize(
    "line", ["pip install git+https://HOST/OWNER/faultbench@v0.1.0", 'pip install "faultbench[test] @ $FAULTBENCH"', "pip install ."]
)
def test_a_line_that_names_a_place_is_not(line: str) -> None:
    assert not FOREIGN.search(line)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_installs_faultbench_from_a_place_before_what_requires_it(name: str) -> None:
    workflow = yaml.safe_load((ROOT / name).read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    assert job["env"]["FAULTBENCH"].startswith("git+https://")
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps[:2] == ['pip install "faultbench[test] @ $FAULTBENCH"', "pip install -e '.[test]'"]
