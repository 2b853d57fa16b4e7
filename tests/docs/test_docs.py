"""The documents say what the program does: every block of code runs, and no hook, option or public name is missing.

A page's blocks run in their order in one folder: `sh` and `python` as programs, a block with a title as the file of that name, which a
program must use. Anything else fails, but `text`, which is no code. A mark on the line before a block says what it is:

- `<!-- needs: cwru -->`: a program that runs where that data set is at hand, or where there can be a `gateway`; else the test skips it, and
  says so,
- `<!-- printed -->`: lines that the last program printed,
- `<!-- stands in: FILE -->`: a part of a file that is there by then,
- `<!-- a step of a workflow -->`: a use of the repository's action,
- `<!-- a job of GitLab -->`: its script runs, with this repository in the place of the address, and has to leave its artifacts,
- `<!-- synopsis -->`: every command with its options, as `docs/reference.py` writes it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
SLOW_PAGES = {"tutorial.md", "howto/audit.md", "howto/ci.md", "howto/gateway.md", "howto/own-data.md", "howto/plugin.md", "howto/splits.md"}
"""They train, build packages, or read real data."""
INSTALLING_PAGES = {"howto/ci.md", "howto/plugin.md"}
"""They install something, so they run in an environment of their own."""
ADDRESS = "git+https://HOST/OWNER/faultbench@v0.1.0"
"""Where pages say that faultbench is installed from."""
DATA = os.environ.get("FAULTBENCH_DATA", "")

Variables = dict[str, str]
"""Variables of the environment."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>.*)$")
_TITLE = re.compile(r'title="([^"]+)"')
_MARK = re.compile(r"<!-- (?P<name>[A-Za-z ]+?)(?:: (?P<value>.+))? -->")
_MARKS = {"needs", "printed", "stands in", "a step of a workflow", "a job of GitLab", "synopsis"}
_COMMAND = re.compile(r"^(\$ )?(FAULTBENCH_\w+=\S+ )?(faultbench|pip|pytest|python3?) ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    line: int
    language: str
    title: str
    text: str
    mark: str = ""
    value: str = ""


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        opened = _FENCE.match(lines[number])
        if not opened:
            number += 1
            continue
        before = next((line.strip() for line in reversed(lines[:number]) if line.strip()), "")
        end = next((i for i in range(number + 1, len(lines)) if lines[i].strip() == "```"), None)
        assert end is not None, f"{page}, line {number + 1}: a block that ends with no ``` of its own"
        body = "\n".join(line.removeprefix(opened["indent"]) for line in lines[number + 1 : end]) + "\n"
        title, mark = _TITLE.search(opened["rest"]), _MARK.fullmatch(before)
        said = (mark["name"], mark["value"] or "") if mark else ("", "")
        found.append(Block(number + 1, opened["language"], title[1] if title else "", body, *said))
        number = end + 1
    return found


def pages(*, slow: bool) -> list[str]:
    names = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    return [name for name in names if (name in SLOW_PAGES) == slow]


def no_gateway() -> Variables:
    pytest.skip("this test has no gateway")


@dataclass
class Page:
    """A page that is run in a folder.

    Attributes:
        name: Its path below `DOCS`.
        folder: Where its blocks run.
        given: Variables for all of its programs.
        gateway: Sets one up, and returns the variables for it.
        printed: What the last program wrote.
        left_out: Blocks that could not run here, with the reason.
    """

    name: str
    folder: Path
    given: Variables = field(default_factory=dict)
    gateway: Callable[[], Variables] = no_gateway
    printed: str = ""
    left_out: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Runs the blocks; the first that fails fails the test, with its line. What could not run skips it at the end."""
        all_blocks = blocks(DOCS / self.name)
        for block in all_blocks:
            self.run_block(block, f"{self.name}, line {block.line}")
        programs = "".join(block.text for block in all_blocks if block.language in ("sh", "python", "yaml"))
        for block in all_blocks:
            used = not block.title or any(part in programs.replace(block.text, "") for part in Path(block.title).parts)
            assert used, f"{self.name}, line {block.line}: no program of the page uses {block.title}"
        if self.left_out:
            pytest.skip("; ".join(self.left_out))

    def run_block(self, block: Block, where: str) -> None:
        """Does with a block what its language and its mark say."""
        assert block.mark in {"", *_MARKS}, f"{where}: no block is marked `{block.mark}`"
        check_syntax(block, where)
        if block.title:
            path = self.folder / block.title
            assert path.resolve().is_relative_to(self.folder.resolve()), where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.mark == "printed":
            said = [line.strip() for line in block.text.splitlines()]
            missing = [line for line in said if not re.search(rf"(?<!\w){re.escape(line)}(?!\w)", self.printed)]
            assert not missing, f"{where}: this was not printed: {missing}\n{self.printed}"
        elif block.mark == "stands in":
            assert block.text in (self.folder / block.value).read_text(encoding="utf-8"), f"{where}: this does not stand in {block.value}"
        elif block.mark == "synopsis":
            assert block.text == synopsis(), f"{where}: the commands have other options: python docs/reference.py"
        elif block.mark == "a step of a workflow":
            self.run_step(block, where)
        elif block.mark == "a job of GitLab":
            self.run_job(block, where)
        elif block.language in ("sh", "python"):
            try:
                needed = self.needed(block.value.split() if block.mark == "needs" else [])
            except pytest.skip.Exception as missing:
                self.left_out.append(f"{where} is not run: {missing}")
                return
            program = ["python", "-c", block.text] if block.language == "python" else ["bash", "-euo", "pipefail", "-c", block.text]
            self.ran(program, where, block.text, needed)
        else:
            assert block.language == "text", f"{where}: a block of {block.language or 'no language'} that nobody runs: give it a title"
            command = _COMMAND.search(block.text)
            assert not command, f"{where}: {command and command[0]}is a command, and stands in a block that nobody runs: write ```sh"

    def needed(self, names: list[str]) -> Variables:
        """The variables for what a block needs; skips where something is not here."""
        found: Variables = {}
        for name in names:
            if name == "gateway":
                found |= self.gateway()
            elif DATA and (Path(DATA) / name).is_dir():
                found["FAULTBENCH_DATA"] = DATA
            else:
                pytest.skip(f"{name} is not in the folder FAULTBENCH_DATA")
        return found

    def ran(self, program: list[str], where: str, text: str, needed: Variables) -> None:
        """A program that must succeed."""
        environment = {
            **os.environ,
            "FAULTBENCH_CACHE": str(self.folder.parent / "cache"),
            "FAULTBENCH_RESULTS": str(self.folder.parent / "results"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "100",
            "OMP_NUM_THREADS": "1",
            **self.given,
            **needed,
        }
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(self.folder), environment.get("PYTHONPATH", "")]))
        if "FAULTBENCH_DATA" not in needed:
            environment.pop("FAULTBENCH_DATA", None)
        done = subprocess.run(program, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=900, check=False)
        self.printed = done.stdout + done.stderr
        assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{text}\n{self.printed}"

    def run_step(self, block: Block, where: str) -> None:
        """Whether the action takes what a step gives it, and its command and condition are right ones."""
        (step,) = yaml.safe_load(block.text)
        given = step["with"]
        unknown = set(given) - set(yaml.safe_load((DOCS.parent / "action.yml").read_text("utf-8"))["inputs"])
        assert not unknown, f"{where}: the action has no input {unknown}"
        text = f"faultbench run {given['arguments']} --dry-run"
        if given.get("fail-on"):
            text += f"\nfaultbench compare {given['base']} {given['base']} --fail-on '{given['fail-on']}' --allow-unproven"
        self.ran(["bash", "-euo", "pipefail", "-c", text], where, text, {})

    def run_job(self, block: Block, where: str) -> None:
        """Runs the script of a job, and looks for what it should leave."""
        (job,) = yaml.safe_load(block.text).values()
        text = "\n".join(job["script"]).replace(ADDRESS, str(DOCS.parent))
        self.ran(["bash", "-euo", "pipefail", "-c", text], where, text, {})
        for path in (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()):
            assert (self.folder / path).exists(), f"{where}: the job leaves no {path}"


def check_syntax(block: Block, where: str) -> None:
    """Whether a block is what its language says."""
    if block.language == "python":
        compile(block.text, where, "exec")
    elif block.language == "sh":
        done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{where}: {done.stderr}"
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "yaml":
        yaml.safe_load(block.text)


def synopsis() -> str:
    """What the program says of its commands."""
    return script("reference").synopsis()


def script(name: str):
    """One of the programs that make the documents."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def one_cache(tmp_path_factory) -> Variables:
    """All pages have one cache, as on their reader's machine; what two pages need is made once."""
    return {"FAULTBENCH_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.mark.parametrize("name", pages(slow=False))
def test_every_block_of_a_page_runs(name, tmp_path, one_cache):
    (tmp_path / "here").mkdir()
    Page(name, tmp_path / "here", one_cache).run()


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", pages(slow=True))
def test_every_block_of_a_long_page_runs(name, tmp_path, one_cache, request):
    (tmp_path / "here").mkdir()
    given = request.getfixturevalue("own_environment") if name in INSTALLING_PAGES else {}
    Page(name, tmp_path / "here", given | one_cache, lambda: request.getfixturevalue("gateway")).run()


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Runs a page of this text."""
    monkeypatch.setitem(globals(), "DOCS", tmp_path)

    def run(text: str, **further: object) -> Page:
        (tmp_path / "page.md").write_text(text)
        page = Page("page.md", tmp_path, **further)
        page.run()
        return page

    return run


def test_a_block_that_fails_is_seen(made_up):
    with pytest.raises(AssertionError, match=r"page.md, line 3: exit code 1"):
        made_up("Text.\n\n```sh\nfalse\n```\n")


@pytest.mark.parametrize("language", ["", "toml", "json", "yaml", "csv", "diff", "console"])
def test_a_block_that_nobody_runs_is_seen(made_up, language):
    with pytest.raises(AssertionError, match=r"page.md, line 1: a block of [a-z ]+ that nobody runs: give it a title"):
        made_up(f"```{language}\n\n```\n" if language != "json" else "```json\n{}\n```\n")


def test_a_file_that_no_program_uses_is_seen(made_up):
    page = '```toml title="plant/a.toml"\nb = 1\n```\n\n'
    with pytest.raises(AssertionError, match=r"page.md, line 1: no program of the page uses plant/a.toml"):
        made_up(page)
    made_up(page + "```sh\nls plant\n```\n")


def test_nothing_can_be_marked_as_not_run(made_up):
    with pytest.raises(AssertionError, match="no block is marked `not run`"):
        made_up("<!-- not run: it takes minutes -->\n```sh\ntrue\n```\n")


def test_a_command_that_nobody_would_run_is_seen(made_up):
    with pytest.raises(AssertionError, match="stands in a block that nobody runs"):
        made_up("```text\nfaultbench list\n```\n")


def test_what_is_said_to_be_printed_has_to_be(made_up):
    page = "```sh\necho one; echo two >&2\n```\n\n<!-- printed -->\n```text\n{}\n```\n"
    made_up(page.format("one\ntwo"))
    with pytest.raises(AssertionError, match=r"line 6: this was not printed: \['three'\]"):
        made_up(page.format("one\nthree"))


def test_what_is_said_to_stand_in_a_file_has_to(made_up):
    page = "```sh\nprintf 'a = 1\\nb = 2\\n' > c.toml\n```\n\n<!-- stands in: c.toml -->\n```toml\n{}\n```\n"
    made_up(page.format("b = 2"))
    with pytest.raises(AssertionError, match=r"line 6: this does not stand in c.toml"):
        made_up(page.format("b = 3"))


@pytest.mark.parametrize(("old", "new"), [(" [--shots-rare K]", ""), ("[--jobs N]", "[--jobs N] [--speed N]"), ("-o DIR", "[-o DIR]")])
def test_an_option_too_few_or_too_many_in_the_synopsis_is_seen(made_up, old, new):
    page = "<!-- synopsis -->\n```text\n{}```\n"
    made_up(page.format(synopsis()))
    assert old in synopsis()
    with pytest.raises(AssertionError, match="line 2: the commands have other options"):
        made_up(page.format(synopsis().replace(old, new)))


STEP = "- uses: A/faultbench@v1\n  with:\n    arguments: -l centroid\n    base: base.json\n    fail-on: accuracy.diff.ci_high<0\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ""),
        ("fail-on", "fail-if", "the action has no input {'fail-if'}"),
        ("-l centroid", "-l centroids", "no learner is called 'centroids'"),
        ("accuracy.diff", "accuracy.dif", "exit code 2"),
    ],
)
def test_a_step_of_a_workflow_that_would_fail_is_seen(tmp_path, monkeypatch, old, new, said):
    shutil.copy(Path(__file__).parents[2] / "examples" / "ci-gate" / "baseline" / "results.json", tmp_path / "base.json")
    (tmp_path / "docs").mkdir()
    (tmp_path / "action.yml").write_text("inputs: {arguments: {}, base: {}, fail-on: {}}")
    monkeypatch.setitem(globals(), "DOCS", tmp_path / "docs")
    text = STEP.replace(old, new) if old else STEP
    (tmp_path / "docs" / "page.md").write_text(f"<!-- a step of a workflow -->\n```yaml\n{text}```\n")
    page = Page("page.md", tmp_path)
    if not said:
        page.run()
        return
    with pytest.raises(AssertionError, match=re.escape(said)):
        page.run()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("ls {}/docs > junit.xml", ""),
        ("ls {}/elsewhere > junit.xml", "exit code 2"),
        ("ls {}", "the job leaves no junit.xml"),
    ],
)
def test_a_job_that_would_fail_is_seen(tmp_path, monkeypatch, script, said):
    (tmp_path / "docs").mkdir()
    monkeypatch.setitem(globals(), "DOCS", tmp_path / "docs")
    artifacts = "artifacts: {paths: [junit.xml], reports: {junit: junit.xml}}"
    text = f"a:\n  script:\n    - {script.format(ADDRESS)}\n  {artifacts}\n"
    (tmp_path / "docs" / "page.md").write_text(f"<!-- a job of GitLab -->\n```yaml\n{text}```\n")
    page = Page("page.md", tmp_path)
    if not said:
        page.run()
        return
    with pytest.raises(AssertionError, match=said):
        page.run()


def test_a_block_that_needs_data_runs_where_they_are_and_is_skipped_with_the_reason_elsewhere(made_up, tmp_path, monkeypatch):
    page = "<!-- needs: some_set -->\n```sh\nls $FAULTBENCH_DATA/some_set > seen\n```\n\n```sh\ntouch after\n```\n"
    monkeypatch.setitem(globals(), "DATA", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"page.md, line 2 is not run: some_set is not in the folder FAULTBENCH_DATA"):
        made_up(page)
    assert not (tmp_path / "seen").exists()
    assert (tmp_path / "after").exists()
    (tmp_path / "some_set").mkdir()
    made_up(page)
    assert (tmp_path / "seen").exists()


def test_a_block_that_needs_a_gateway_gets_it(made_up):
    page = "<!-- needs: gateway -->\n```sh\necho $HOST\n```\n"
    with pytest.raises(pytest.skip.Exception, match=r"line 2 is not run: this test has no gateway"):
        made_up(page)
    assert made_up(page, gateway=lambda: {"HOST": "there"}).printed == "there\n"


def test_the_reference_is_what_the_program_says():
    done = subprocess.run([sys.executable, str(DOCS / "reference.py"), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_hook_and_every_option_stands_in_the_reference():
    """By names alone, apart from how the pages are made."""
    import typer.main

    from faultbench import api, hookspecs
    from faultbench.cli.app import app

    written = {page.name: page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md")}
    hooks = [name for name in vars(hookspecs) if name.startswith("faultbench_")]
    assert hooks
    assert [name for name in hooks if f"`{name}`" not in written["hooks.md"]] == []
    assert [name for name in api._HOME_OF if f"`{name}`" not in written["api.md"]] == []
    missing = []
    todo = [("faultbench", typer.main.get_command(app))]
    while todo:
        path, command = todo.pop()
        text = written["commands.md"].partition(f"## `{path}`\n")[2].partition("\n## ")[0]
        missing += [
            f"{path} {option}" for param in command.params for option in param.opts if option.startswith("--") and option not in text
        ]
        todo += [(f"{path} {name}", inner) for name, inner in getattr(command, "commands", {}).items()]
    assert missing == []


def test_a_missing_option_is_seen(tmp_path, monkeypatch):
    reference = tmp_path / "reference"
    reference.mkdir()
    for page in (DOCS / "reference").glob("*.md"):
        (reference / page.name).write_text(page.read_text(encoding="utf-8").replace("--shots-rare", "--shots"), encoding="utf-8")
    monkeypatch.setitem(globals(), "DOCS", tmp_path)
    with pytest.raises(AssertionError, match="shots-rare"):
        test_every_hook_and_every_option_stands_in_the_reference()


def test_every_figure_and_table_is_made_from_the_benchmarks_as_they_are(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="the figures are drawn by matplotlib: pip install 'faultbench[plot]'")
    figures = script("figures")
    monkeypatch.setattr(figures, "FIGURES", tmp_path)
    figures.main()
    kept = {path.name for path in (DOCS / "figures").iterdir()}
    assert kept == {path.name for path in tmp_path.iterdir()}
    source = re.compile(r"<dc:source>\s*(.*?)\s*</dc:source>")  # matplotlib's versions draw alike, not the same
    for path in tmp_path.iterdir():
        kept_text, text = (one.read_text(encoding="utf-8") for one in (DOCS / "figures" / path.name, path))
        assert source.findall(kept_text) == source.findall(text), (
            f"{path.name} is not drawn from the figures of today: python docs/figures.py"
        )
    for page in figures.TABLES:
        assert figures.with_table(page) == (DOCS / page).read_text(encoding="utf-8"), f"{page}: python docs/figures.py"


def unseen(docs: Path, site: Path) -> list[str]:
    """The pages that show other blocks of code than `blocks` finds: `~~~`, indented ones and `<pre>` are shown, too."""
    shown = {page: (site / page.relative_to(docs)).with_suffix(".html").read_text(encoding="utf-8") for page in docs.rglob("*.md")}
    return sorted(page.relative_to(docs).as_posix() for page, html in shown.items() if html.count("<pre") != len(blocks(page)))


def build(project: Path, site: Path) -> None:
    pytest.importorskip("material", reason="the site is built by mkdocs-material: pip install 'faultbench[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_site_builds_in_strict_mode_and_shows_no_block_that_the_tests_do_not_see(tmp_path):
    build(DOCS.parent, tmp_path / "site")
    assert (tmp_path / "site" / "explanation" / "levels.html").is_file()
    assert unseen(DOCS, tmp_path / "site") == []


@pytest.mark.slow
@pytest.mark.parametrize("block", ["~~~sh\nfaultbench nope\n~~~", "    faultbench nope", "<pre>faultbench nope</pre>"])
def test_a_block_that_is_written_in_another_way_is_found(tmp_path, block):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Page\n\n```sh\nfaultbench list\n```\n\nText.\n\n{block}\n")
    site = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[0]
    (tmp_path / "mkdocs.yml").write_text(site)
    build(tmp_path, tmp_path / "site")
    assert unseen(tmp_path / "docs", tmp_path / "site") == ["index.md"]


def test_a_fence_that_is_not_closed_is_named(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("````sh\nfaultbench list\n````\n")
    with pytest.raises(AssertionError, match="line 1: a block that ends with no"):
        blocks(page)
