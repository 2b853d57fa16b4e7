"""The example of a gate: its workflow, run step by step, passes its main branch and refuses its pull request."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
import yaml

from faultbench.report.compared import wording
from faultbench.report.schema import schema_text
from faultbench.results import conditions
from faultbench.results.row import PROTOCOL

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ci-gate"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOW = yaml.safe_load((EXAMPLE / ".github" / "workflows" / "faultbench.yml").read_text("utf-8"))
STEPS = WORKFLOW["jobs"]["gate"]["steps"]
(GATE,) = [step for step in STEPS if step["name" if "name" in step else "uses"] == "faultbench"]
README = (EXAMPLE / "README.md").read_text("utf-8")


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Acme", "-c", "user.email=ci@acme.example")
    return subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path) -> Path:
    """The example as a team would have it: a repository whose main branch is checked out."""
    if shutil.which("git") is None:
        pytest.skip("no git on this machine")
    folder = tmp_path / "acme"
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", ".pytest_cache", "build", "dist", "faultbench-results")
    shutil.copytree(EXAMPLE, folder, ignore=left_out)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Acme's classifier")
    return folder


def test_the_pull_request_applies_and_changes_the_compressor_alone(repository):
    git(repository, "checkout", "-q", "-b", "slim-harder")
    git(repository, "am", "-q", "pull-request.patch")
    assert git(repository, "diff", "--name-only", "main").split() == ["src/acme_slim/slim.py"]
    assert git(repository, "diff", "--numstat", "main").split()[:2] == ["1", "1"]


def test_the_plugin_uses_what_a_third_party_has():
    for path in (EXAMPLE / "src").rglob("*.py"):
        assert set(re.findall(r"faultbench[.\w]*(?= import)", path.read_text("utf-8"))) == {"faultbench.api"}


def test_the_baseline_is_a_result_of_the_matrix_by_the_command_that_the_readme_says():
    document = json.loads((EXAMPLE / "baseline" / "results.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(schema_text("run")))
    assert document["protocol"] == PROTOCOL, "make it again: see the README"
    assert f"\n{shlex.join(document['command'])}\n" in README
    matrix = tomllib.loads((EXAMPLE / "matrix.toml").read_text("utf-8"))
    assert [row["cell"]["compressor"] for row in document["rows"]] == matrix["compressor"]
    for row in document["rows"]:
        assert row["verdict"]["overall"] == "pass"
        assert row["watermark"] is None
        assert row["cell"]["episodes"] == matrix["episodes"]


def test_what_the_readme_shows_of_the_refusal_stands_in_the_comparison():
    document = json.loads((EXAMPLE / "pull-request.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(schema_text("comparison")))
    assert document["verdict"]["overall"] == "fail"
    (slim,) = [pair for pair in document["pairs"] if pair["cell"]["compressor"] == "slim"]
    told = [*wording.conditions(slim), *wording.changes(slim)]
    (shown,) = [block for block in re.findall(r"```text\n(.*?)```", README, re.DOTALL) if " fires: " in block]
    assert set(shown.splitlines()) <= set(told)


def test_the_readme_asks_what_the_workflow_asks():
    given = GATE["with"]
    assert set(given) <= set(ACTION["inputs"])
    assert len(conditions.parse(given["fail-on"])) == 2
    assert README.count(f'--fail-on "{given["fail-on"]}"') == 2
    assert README.count(f"faultbench run {given['arguments']} --gate --out faultbench-results\n") == 2
    assert README.count(f"faultbench compare {given['base']} faultbench-results/results.json ") == 2


def test_no_expression_becomes_part_of_a_script():
    for name in ("faultbench.yml", "test.yml"):
        text = (EXAMPLE / ".github" / "workflows" / name).read_text("utf-8")
        (job,) = yaml.safe_load(text)["jobs"].values()
        assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


# What follows runs the workflow as GitHub would: each step's own shell, its expressions filled in.

PYTHON = """#!{python}
# Python of the job: pip installs into its environment what the action says, but for what is there already (torch) or what it depends on.
import os, sys
words = sys.argv[1:]
if words[:3] == ["-m", "pip", "install"]:
    if words[-1] == "torch":
        sys.exit(0)
    words = ["-m", "pip", "--python", "{inner}", *words[2:], "--no-deps", "--force-reinstall"]
    os.execv("{python}", ["{python}", *words])
os.execv("{inner}", ["{inner}", *words])
"""
GH = """#!{python}
# Keeps the comment that would be posted.
import shutil, sys
words = sys.argv[1:]
assert words[:3] == ["pr", "comment", "7"] and "--edit-last" in words, words
shutil.copy(words[words.index("--body-file") + 1], {posted!r})
"""


@dataclass
class Outcome:
    """How a job ended.

    Args:
        codes: The exit codes of the shell steps that ran, by name.
        said: All that they wrote.
        files: What stands in the files by which steps speak to GitHub.
    """

    codes: dict[str, int] = field(default_factory=dict)
    said: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """Of the first step that failed, or 0."""
        return next((code for code in self.codes.values() if code), 0)


class Runner:
    """A machine of a job: a virtual environment that sees this Python's packages, and stand-ins for `gh` and for pip's index."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder, self.repository, self.posted = folder, repository, folder / "posted.md"
        self.temp, self.bin = folder / "temp", folder / "bin"
        for place in (self.temp, self.bin, folder / "home"):
            place.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        site = next((folder / "venv" / "lib").glob("python*/site-packages"))
        stdlib = sysconfig.get_paths()["stdlib"]
        beside = [p for p in sys.path if Path(p).is_dir() and (not p.startswith(stdlib) or "site-packages" in p) and "lib-dynload" not in p]
        (site / "zz_beside.pth").write_text("\n".join(beside) + "\n")
        inner = folder / "venv" / "bin" / "python"
        for name, text in (("python", PYTHON), ("gh", GH)):
            (self.bin / name).write_text(text.format(python=sys.executable, inner=inner, posted=str(self.posted)))
            (self.bin / name).chmod(0o755)

    def job(self, event: str) -> Outcome:
        """Runs the gate's job for an event: `push` or `pull_request`."""
        github = {
            "github.event_name": event,
            "github.token": "none",
            "github.repository": "acme/acme",
            "github.event.pull_request.number": "7",
        }
        context = github | {"github.event.pull_request.head.repo.full_name": "acme/acme", "github.action_path": str(ROOT)}
        outcome, environment = Outcome(), {}
        for step in STEPS:
            if step is GATE:
                given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | step["with"]
                inner = context | {f"inputs.{name}": value for name, value in given.items()} | {"runner.temp": str(self.temp)}
                for one in ACTION["runs"]["steps"]:
                    self._step(one, inner, environment, outcome)
                for name, one in ACTION["outputs"].items():
                    context[f"steps.{step['id']}.outputs.{name}"] = filled(one["value"], inner)
            else:
                self._step(step, context, environment, outcome)
        return outcome

    def _step(self, step: dict, context: dict[str, str], environment: dict[str, str], outcome: Outcome) -> None:
        if "run" not in step or not holds(step.get("if", ""), context, failed=bool(outcome.code)):
            return
        files = {name: self.temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        own = {name: filled(str(text), context) for name, text in step.get("env", {}).items()}
        path = os.pathsep.join([str(self.bin), str(self.folder / "venv" / "bin"), os.environ["PATH"]])
        general = {"PATH": path, "HOME": str(self.folder / "home"), "GITHUB_ACTIONS": "true", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=self.repository, capture_output=True, text=True,
            env=general | environment | own | {name: str(file) for name, file in files.items()}, timeout=900, check=False,
        )  # fmt: skip
        outcome.codes[step["name"]] = done.returncode
        outcome.said += f"== {step['name']}\n{done.stdout}{done.stderr}"
        outcome.files["GITHUB_STEP_SUMMARY"] = outcome.files.get("GITHUB_STEP_SUMMARY", "") + files["GITHUB_STEP_SUMMARY"].read_text()
        environment |= lines_of(files["GITHUB_ENV"])
        context |= {
            f"steps.{step.get('id', step['name'])}.outputs.{name}": value for name, value in lines_of(files["GITHUB_OUTPUT"]).items()
        }


def lines_of(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def filled(text: str, context: dict[str, str]) -> str:
    """A text with its expressions' values put in; one that is not known is empty, as on GitHub."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: context.get(found[1], ""), text)


def holds(condition: str, context: dict[str, str], *, failed: bool) -> bool:
    """Whether a step is run. Conditions of another form than the example and the action have are an error."""
    terms = [term.strip() for term in condition.split("&&") if term.strip()]
    if failed and "always()" not in terms:
        return False
    for term in terms:
        if term == "always()":
            continue
        left, op, right = re.fullmatch(r"([\w.-]+) (==|!=) ('[^']*'|[\w.-]+)", term).groups()
        value = right[1:-1] if right.startswith("'") else context.get(right, "")
        if (context.get(left, "") == value) != (op == "=="):
            return False
    return True


def test_conditions_are_read_as_github_reads_them():
    known = {"inputs.base": "b.json", "github.event_name": "push"}
    assert holds("inputs.base != ''", known, failed=False)
    assert not holds("inputs.base != ''", known, failed=True)
    assert holds("always() && inputs.base == 'b.json'", known, failed=True)
    assert not holds("always() && github.event_name == 'pull_request'", known, failed=False)
    with pytest.raises(AttributeError):
        holds("contains(inputs.base, 'b')", known, failed=False)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_workflow_passes_the_main_branch_and_refuses_the_pull_request(tmp_path, repository):
    if shutil.which("bash") is None:
        pytest.skip("no bash on this machine")
    runner = Runner(tmp_path, repository)

    main = runner.job("push")
    assert main.code == 0, main.said
    assert list(main.codes) == ["Install", "Places", "Run", "Compare", "Comment", "Trim the cache", "Verdict"]
    assert not runner.posted.exists(), "there is no pull request to comment on"
    assert "compare: pass (exit code 0)" in main.said

    git(repository, "checkout", "-q", "-b", "slim-harder")
    git(repository, "am", "-q", "pull-request.patch")
    refused = runner.job("pull_request")
    assert refused.code == 1, refused.said
    assert refused.codes["Verdict"] == 1
    assert "run ended with 1, compare with 1" in refused.said
    condition = conditions.parse(GATE["with"]["fail-on"])[0]
    comparison = json.loads((repository / "faultbench-results" / "compare.json").read_text())
    jsonschema.validate(comparison, json.loads(schema_text("comparison")))
    verdicts = {pair["cell"]["compressor"]: pair["verdict"] for pair in comparison["pairs"]}
    assert verdicts == {"none": "pass", "slim": "fail"}, "the compressor is to blame, and nothing else"
    (slim,) = [pair for pair in comparison["pairs"] if pair["cell"]["compressor"] == "slim"]
    assert slim["rates"]["recall.rare"]["diff"]["ci_high"] < condition.number
    assert slim["ratios"]["params"]["ratio"] < 0.6, "it is smaller, which is what was wanted"

    comment = runner.posted.read_text()
    plain = comment.replace("\\", "")
    assert comment.startswith("## faultbench compare: fail")
    assert f"{condition.spelling} fires: " in plain
    assert f"recall.rare is worse: {wording.rate(slim['rates']['recall.rare']['base'])}" in plain
    assert wording.difference(slim["rates"]["recall.rare"]) in plain, "the difference with its interval"
    assert "recall.rare.ci_low>=0.8 **fail**" in plain.replace("`", ""), "the gate says so, too"
    assert "## faultbench compare: fail" in refused.files["GITHUB_STEP_SUMMARY"]
    assert re.search(r"^::error.*recall\.rare", refused.said, re.MULTILINE)

    tested = subprocess.run(
        [str(runner.bin / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=repository, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": "", "FAULTBENCH_CACHE": str(tmp_path / "temp" / "faultbench-cache")}, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, f"the unit tests see nothing wrong: that is why there is a gate\n{tested.stdout}"
