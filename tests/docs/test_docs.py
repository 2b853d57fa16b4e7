"""The documents say what the program does: every block of code runs, and no hook, option or public name is missing.

A page's blocks run in their order in one folder. A block with a title is a file of that name. A mark on the line before says what a block
needs or why it cannot run: `<!-- needs: cwru -->` where real data must be at hand, `<!-- not run: why -->`. The syntax of either is checked
nevertheless. Commands stand in blocks of `sh`, so that none escapes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SLOW_PAGES = {"tutorial.md", "howto/audit.md", "howto/gateway.md", "howto/own-data.md", "howto/plugin.md", "howto/splits.md"}
"""They train, build packages, or read real data."""
DATA = os.environ.get("FAULTBENCH_DATA", "")

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>.*)$")
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
_NEEDS = re.compile(r"<!-- needs: ([a-z_ ]+) -->")
_COMMAND = re.compile(r"^(\$ )?(FAULTBENCH_\w+=\S+ )?(faultbench|pip|pytest|python3?) ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    line: int
    language: str
    title: str
    text: str
    not_run: str
    needs: tuple[str, ...]

    @property
    def runs(self) -> bool:
        """Whether it is a program that can run here."""
        return self.language in ("sh", "python") and not self.not_run and all(DATA and (Path(DATA) / name).is_dir() for name in self.needs)


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
        end = next(i for i in range(number + 1, len(lines)) if lines[i].strip() == "```")
        body = "\n".join(line.removeprefix(opened["indent"]) for line in lines[number + 1 : end]) + "\n"
        title, marked, needs = _TITLE.search(opened["rest"]), _NOT_RUN.fullmatch(before), _NEEDS.fullmatch(before)
        said = (title[1] if title else "", body, marked[1] if marked else "", tuple(needs[1].split()) if needs else ())
        found.append(Block(number + 1, opened["language"], *said))
        number = end + 1
    return found


def pages(*, slow: bool) -> list[str]:
    names = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    return [name for name in names if (name in SLOW_PAGES) == slow]


def run_page(name: str, folder: Path) -> None:
    """Runs a page's blocks; the first that fails fails the test, with its line."""
    environment = {
        **os.environ,
        "FAULTBENCH_CACHE": str(folder.parent / "cache"),
        "FAULTBENCH_RESULTS": str(folder.parent / "results"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")])),
        "COLUMNS": "100",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("FAULTBENCH_DATA", None)
    for block in blocks(DOCS / name):
        where = f"{name}, line {block.line}"
        check_syntax(block, where)
        if block.title:
            path = folder / block.title
            assert path.resolve().is_relative_to(folder.resolve()), where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.runs:
            program = [sys.executable, "-c", block.text] if block.language == "python" else ["bash", "-euo", "pipefail", "-c", block.text]
            data = {"FAULTBENCH_DATA": DATA} if block.needs else {}
            done = subprocess.run(program, cwd=folder, env=environment | data, capture_output=True, text=True, timeout=900, check=False)
            assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{block.text}\n{done.stdout}\n{done.stderr}"


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
    else:
        assert block.language in ("text", "csv", "yaml"), f"{where}: a block of {block.language or 'no language'} is checked by nobody"
        command = _COMMAND.search(block.text)
        assert block.not_run or not command, (
            f"{where}: {command and command[0]}is a command, and stands in a block that nobody runs: write ```sh"
        )


@pytest.mark.parametrize("name", pages(slow=False))
def test_every_block_of_a_page_runs(name, tmp_path):
    (tmp_path / "here").mkdir()
    run_page(name, tmp_path / "here")


@pytest.mark.slow
@pytest.mark.parametrize("name", pages(slow=True))
def test_every_block_of_a_long_page_runs(name, tmp_path):
    (tmp_path / "here").mkdir()
    run_page(name, tmp_path / "here")


def test_a_block_that_fails_is_seen(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("Text.\n\n```sh\nfalse\n```\n")
    monkeypatch.setitem(globals(), "DOCS", tmp_path)
    with pytest.raises(AssertionError, match=r"page.md, line 3: exit code 1"):
        run_page("page.md", tmp_path)


def test_a_block_that_is_marked_is_not_run_but_read(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    monkeypatch.setitem(globals(), "DOCS", tmp_path)
    page.write_text("<!-- not run: it fails -->\n\n```sh\nfalse\n```\n")
    run_page("page.md", tmp_path)
    page.write_text("<!-- not run: it fails -->\n```python\nif\n```\n")
    with pytest.raises(SyntaxError):
        run_page("page.md", tmp_path)


def test_a_command_that_nobody_would_run_is_seen(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("```text\nfaultbench list\n```\n")
    monkeypatch.setitem(globals(), "DOCS", tmp_path)
    with pytest.raises(AssertionError, match="stands in a block that nobody runs"):
        run_page("page.md", tmp_path)


def test_a_block_that_needs_data_runs_where_they_are(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("<!-- needs: some_set -->\n```sh\nls $FAULTBENCH_DATA/some_set > seen\n```\n")
    monkeypatch.setitem(globals(), "DOCS", tmp_path)
    monkeypatch.setitem(globals(), "DATA", str(tmp_path))
    run_page("page.md", tmp_path)
    assert not (tmp_path / "seen").exists()
    (tmp_path / "some_set").mkdir()
    run_page("page.md", tmp_path)
    assert (tmp_path / "seen").exists()


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
    import importlib.util

    spec = importlib.util.spec_from_file_location("figures", DOCS / "figures.py")
    assert spec
    assert spec.loader
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
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


@pytest.mark.slow
def test_the_site_builds_in_strict_mode(tmp_path):
    pytest.importorskip("material", reason="the site is built by mkdocs-material: pip install 'faultbench[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "explanation" / "levels.html").is_file()
