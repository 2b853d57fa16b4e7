"""The composite action: whole, free of injection, and its shell steps do what they say, in bash with stand-ins for what they call."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
EXAMPLE = ROOT / "docs" / "examples" / "faultbench.yml"
STEPS = {step.get("id", step["name"]): step for step in ACTION["runs"]["steps"]}

STAND_IN = """#!{python}
# Notes how it was called, leaves what the real one would, and ends as it is told.
import json, os, sys
from pathlib import Path
words = sys.argv[1:]
name = Path(sys.argv[0]).name
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps([name, *words]) + "\\n")
if "--out" in words:
    folder = Path(words[words.index("--out") + 1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text("{{}}")
    (folder / "report.md").write_text("report" * int(os.environ.get("LONG", "1")))
if "--markdown" in words:
    Path(words[words.index("--markdown") + 1]).write_text("comparison")
sys.exit(int(os.environ.get("EXIT", "0")))
"""


class Job:
    """A job's folder, with stand-ins on its path."""

    def __init__(self, folder: Path):
        self.folder, self.temp = folder, folder / "temp"
        self.temp.mkdir()
        (folder / "bin").mkdir()
        for name in ("faultbench", "pip"):
            place = folder / "bin" / name
            place.write_text(STAND_IN.format(python=sys.executable))
            place.chmod(0o755)
        # `python -m pip` is the stand-in; any other Python is Python.
        place = folder / "bin" / "python"
        place.write_text(f'#!/bin/bash\nif [ "$1" = -m ] && [ "$2" = pip ]; then shift 2; exec pip "$@"; fi\nexec {sys.executable} "$@"\n')
        place.chmod(0o755)

    def run(self, step: str, inputs: dict[str, str] | None = None, steps: dict[str, str] | None = None, **environment: str):
        """Runs the shell of a step as GitHub does, its expressions filled in."""
        given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | (inputs or {})
        filled = {f"inputs.{name}": value for name, value in given.items()}
        filled |= {"runner.temp": str(self.temp), "github.action_path": "/the/action"} | (steps or {})
        said = STEPS[step]
        own = {name: re.sub(r"\$\{\{ (.+?) \}\}", lambda found: filled.get(found[1], ""), str(text)) for name, text in said["env"].items()}
        script = self.temp / "step.sh"
        script.write_text(said["run"])
        files = {name: str(self.folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "CALLS")}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.folder,
            env={"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "HOME": str(self.folder), **files, **own, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def told(self, name: str = "github_output") -> dict[str, str]:
        file = self.folder / name
        return dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}


@pytest.fixture
def job(tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("no bash on this machine")
    return Job(tmp_path)


def test_the_action_is_whole():
    assert ACTION["runs"]["using"] == "composite"
    assert all(one["description"] and one["required"] is False and "default" in one for one in ACTION["inputs"].values())
    assert all(one["description"] and one["value"] for one in ACTION["outputs"].values())
    for step in ACTION["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step), step["name"]
        if "run" in step:
            assert step["shell"] == "bash", "a composite step needs its shell said"
        else:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_every_input_is_used_and_every_expression_names_something_there():
    text = (ROOT / "action.yml").read_text("utf-8")
    used = set(re.findall(r"inputs\.([a-z-]+)", text))
    assert used == set(ACTION["inputs"])
    for step, output in re.findall(r"steps\.([a-z]+)\.outputs\.([a-z-]+)", text):
        assert f"{output}=" in STEPS[step]["run"], (step, output)


def expressions_in_scripts(steps):
    return [step["name"] for step in steps if "${{" in step.get("run", "")]


def test_no_input_becomes_part_of_a_script():
    """An expression within a script is text before it is shell: a pull request's title could run. They go through the environment."""
    assert expressions_in_scripts(ACTION["runs"]["steps"]) == []
    example = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    assert expressions_in_scripts(example["jobs"]["faultbench"]["steps"]) == []
    assert expressions_in_scripts([{"name": "planted", "run": "echo ${{ inputs.arguments }}"}]) == ["planted"]


def test_torch_for_the_cpu_is_installed_first(job):
    done = job.run("install", {"plugins": "./acme 'other >= 1'", "torch-index": "https://index.example/cpu"})
    assert done.returncode == 0, done.stderr
    first, second, third = job.calls
    assert first == ["pip", "install", "--quiet", "--index-url", "https://index.example/cpu", "torch"]
    assert second == ["pip", "install", "--quiet", "/the/action", "./acme", "other >= 1"]
    assert third == ["faultbench", "--version"]


def test_torch_comes_from_pips_own_index_where_none_is_named(job):
    assert job.run("install", {}).returncode == 0
    assert job.calls[0] == ["pip", "install", "--quiet", "torch"]


def test_torch_can_be_left_to_the_requirements(job):
    assert job.run("install", {"torch": ""}).returncode == 0
    assert job.calls[0] == ["pip", "install", "--quiet", "/the/action"]


def test_arguments_are_split_as_in_a_shell_and_run_nothing(job):
    hostile = "-l \"a b\" --criteria 'accuracy>=0.9' $(touch owned) `touch owned` ; touch owned && *"
    done = job.run("run", {"arguments": hostile})
    assert done.returncode == 0, done.stderr
    (call,) = job.calls
    expected = ["-l", "a b", "--criteria", "accuracy>=0.9", "$(touch", "owned)", "`touch", "owned`", ";", "touch", "owned", "&&", "*"]
    assert call == ["faultbench", "run", *expected, "--gate", "--out", "faultbench-results"]
    assert not (job.folder / "owned").exists()


def test_arguments_that_cannot_be_split_end_the_job_before_anything_runs(job):
    done = job.run("run", {"arguments": "-l 'maml"})
    assert done.returncode != 0
    assert job.calls == []


@pytest.mark.parametrize(("given", "words"), [({"gate": "false"}, []), ({"allow-unproven": "true"}, ["--gate", "--allow-unproven"])])
def test_the_gate_is_as_it_is_asked_for(job, given, words):
    job.run("run", given)
    assert job.calls[0] == ["faultbench", "run", *words, "--out", "faultbench-results"]


def test_a_run_that_fails_goes_on_to_its_reports_and_its_code_is_kept(job):
    done = job.run("run", EXIT="1")
    assert done.returncode == 0
    assert job.told() == {"exit-code": "1", "json": "faultbench-results/results.json"}


def test_the_comparison_gets_its_conditions_and_keeps_its_code(job):
    inputs = {"base": "-base.json", "fail-on": "accuracy.diff<-0.01", "across-machines": "true"}
    done = job.run("compare", inputs, EXIT="3")
    assert done.returncode == 0, done.stderr
    (call,) = job.calls
    out = "faultbench-results"
    reports = ["--markdown", f"{out}/compare.md", "--junit", f"{out}/compare.xml", "--json", f"{out}/compare.json"]
    expected = ["faultbench", "compare", "--fail-on", "accuracy.diff<-0.01", "--across-machines", *reports]
    assert call == [*expected, "--", "-base.json", f"{out}/results.json"]
    assert job.told() == {"exit-code": "3"}


def test_the_words_that_the_action_says_are_words_that_the_command_knows(job):
    """The stand-in takes anything; the real command is asked for its help with every option that the scripts say."""
    for command in ("run", "compare", "cache trim"):
        script = "\n".join(step["run"] for step in ACTION["runs"]["steps"] if f"faultbench {command}" in step.get("run", ""))
        code = "import sys; from faultbench.cli import main; sys.exit(main())"
        helped = subprocess.run([sys.executable, "-c", code, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", script))
        assert options
        assert {option for option in options if option not in helped} == set()


def test_the_comment_holds_the_comparison_first_and_both_where_they_fit(job):
    job.run("run")
    job.run("compare", {"base": "base.json"})
    assert job.run("comment").returncode == 0
    comment = job.folder / "faultbench-results" / "comment.md"
    assert comment.read_text() == "comparison\nreport\n"
    job.run("run", LONG="20000")
    job.run("comment")
    assert comment.read_text() == "comparison\n"
    assert job.told()["file"] == "faultbench-results/comment.md"


def test_a_comment_of_nothing_says_so(job):
    job.run("comment")
    assert "came to no result" in (job.folder / "faultbench-results" / "comment.md").read_text()


@pytest.mark.parametrize(
    ("run", "compare", "code"),
    [
        ("0", "", 0),
        ("0", "0", 0),
        ("1", "", 1),
        ("0", "1", 1),
        ("3", "1", 1),
        ("1", "4", 4),
        ("2", "2", 2),
        ("130", "1", 130),
        ("3", "0", 3),
    ],
)
def test_the_job_ends_as_the_command_would(job, run, compare, code):
    done = job.run("verdict", steps={"steps.run.outputs.exit-code": run, "steps.compare.outputs.exit-code": compare})
    assert done.returncode == code


@pytest.mark.parametrize(("run", "compare"), [("", ""), ("139", ""), ("0", "139")])
def test_a_run_that_never_ended_is_no_pass(job, run, compare):
    done = job.run("verdict", steps={"steps.run.outputs.exit-code": run, "steps.compare.outputs.exit-code": compare})
    assert done.returncode == 4


def test_places_are_set_for_the_steps_that_follow(job):
    assert job.run("places", {"data-dir": "data"}).returncode == 0
    told = job.told("github_env")
    assert told["FAULTBENCH_DATA"] == "data"
    assert told["FAULTBENCH_CACHE"].startswith(str(job.temp))
    cached = next(step for step in ACTION["runs"]["steps"] if step["name"] == "Cache")
    assert cached["with"]["path"] == "${{ runner.temp }}/faultbench-cache"
    assert job.run("places", {"data-dir": "data\nPATH=/tmp"}).returncode == 2, "a line break would set another variable"


def test_the_example_uses_inputs_and_outputs_that_are_there():
    example = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    job_ = example["jobs"]["faultbench"]
    (step,) = [one for one in job_["steps"] if one.get("id") == "faultbench"]
    assert set(step["with"]) <= set(ACTION["inputs"])
    text = EXAMPLE.read_text("utf-8")
    assert set(re.findall(r"steps\.faultbench\.outputs\.([a-z-]+)", text)) <= set(ACTION["outputs"])
    assert job_["permissions"]["contents"] == "read"
    for one in job_["steps"]:
        if "run" in one:
            done = subprocess.run(["bash", "-n"], input=one["run"], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_what_the_example_asks_for_parses():
    from faultbench.results.conditions import parse

    example = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    (step,) = [one for one in example["jobs"]["faultbench"]["steps"] if one.get("id") == "faultbench"]
    assert len(parse(step["with"]["fail-on"])) == 3
