"""What plugins write to file descriptor 1, from a plugin that is really installed: it never stands in what the command prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = "import sys; from faultbench.cli import main; sys.exit(main())"
PLUGIN = """
import os, subprocess, sys
from faultbench.api import Offer, hookimpl

def say():
    {say}

{at_import}

@hookimpl
def faultbench_scenarios():
    {in_hook}
    return [Offer("chatty", "acme:Chatty", "prints")]

@hookimpl
def faultbench_run_finished(summary):
    {in_observer}

class Chatty:
    level = "T2"

    def __init__(self):
        from faultbench.data.scenarios.new_device import NewDevice
        self.like = NewDevice(window=64)

    def split(self, catalogues, request, seed):
        {in_split}
        return self.like.split(catalogues, request, seed)
"""
WAYS_TO_SAY = {
    "a program": 'subprocess.run(["echo", "NOISE"], check=True)',
    "the descriptor": 'os.write(1, b"NOISE")',
    "print": 'print("NOISE", flush=True)',
    "Python's first stdout": 'print("NOISE", file=sys.__stdout__, flush=True)',
    "a program at the end": 'import atexit; atexit.register(subprocess.run, ["echo", "NOISE"])',
}


class Place:
    """A folder with one installed plugin, whose module is given."""

    def __init__(self, folder: Path, module: Path) -> None:
        self.folder, self.module = folder, module

    def install(self, say: str, where: str) -> None:
        places = {name: "say()" if name in where.split() else "pass" for name in ("at_import", "in_hook", "in_observer", "in_split")}
        self.module.write_text(PLUGIN.format(say=say, **places))

    def command(self, *words: str, redirected: str = "", **given: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [str(self.folder / "modules"), os.environ.get("PYTHONPATH")]))
        places = {"FAULTBENCH_CACHE": str(self.folder / "cache"), "FAULTBENCH_RESULTS": str(self.folder), "PYTHONPATH": path}
        python = [sys.executable, "-c", COMMAND, *words]
        return subprocess.run(
            ["sh", "-c", f'"$@" {redirected}', "sh", *python] if redirected else python,
            cwd=self.folder, env={**os.environ, **places, **given}, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path, acme):
    return Place(tmp_path, acme(tmp_path / "modules"))


@pytest.mark.parametrize("where", ["at_import", "in_hook"])
@pytest.mark.parametrize("say", WAYS_TO_SAY.values(), ids=WAYS_TO_SAY)
def test_what_a_plugin_writes_to_stdout_while_it_is_discovered_goes_to_stderr(place, say, where):
    place.install(say, where)
    done = place.command("list", "scenarios")
    assert done.returncode == 0
    assert "NOISE" not in done.stdout
    assert "chatty" in done.stdout
    assert "NOISE" in done.stderr


SMALL = ("--ways", "4", "--shots", "2", "--queries", "3", "--seeds", "1")
AUDIT = ("data", "audit", "-d", "plant:mood=measured", "-s", "chatty", *SMALL, "--json", "-")
MADE_UP = str(Path(__file__).parent / "made_up")


def made_up(place: Place) -> str:
    """A path with the plugin and the made-up parts."""
    return os.pathsep.join([str(place.folder / "modules"), MADE_UP, os.environ.get("PYTHONPATH", "")])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_prints_nothing_but_its_json_whatever_a_plugin_writes_in_stages_and_when_told(place, jobs):
    place.install(WAYS_TO_SAY["a program"], "in_split in_observer")
    words = ("run", "-d", "plant:mood=measured", "-s", "chatty", "-l", "toy", *SMALL, "--quick", "--jobs", jobs, "--json", "-")
    done = place.command(*words, PYTHONPATH=made_up(place))
    assert json.loads(done.stdout)["rows"], done.stderr
    assert done.stderr.count("NOISE") >= 4  # planning, two stages, and the run's end


@pytest.mark.parametrize("where", ["at_import", "in_split"])
@pytest.mark.parametrize("say", list(WAYS_TO_SAY.values())[:3], ids=list(WAYS_TO_SAY)[:3])
def test_json_on_stdout_is_json_whatever_a_plugin_writes(place, say, where):
    place.install(say, where)
    done = place.command(*AUDIT, PYTHONPATH=made_up(place))
    assert json.loads(done.stdout)["audits"], done.stderr
    assert "NOISE" in done.stderr


def test_a_plugin_that_closes_descriptor_1_closes_nothing_of_the_command(place):
    place.install("os.close(1)", "at_import")
    done = place.command("list", "scenarios")
    assert (done.returncode, "chatty" in done.stdout) == (0, True)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_end_no_command_and_mix_nothing(place, closed):
    place.install(WAYS_TO_SAY["the descriptor"], "in_hook")
    done = place.command("list", "scenarios", redirected=closed)
    assert done.returncode == 0
    assert "NOISE" not in done.stdout
    assert ("chatty" in done.stdout) == (">&-" not in closed.split())


def test_unbuffered_output_stays_so(place):
    place.install("pass", "at_import")
    said = place.command("list", "scenarios").stdout
    assert place.command("list", "scenarios", PYTHONUNBUFFERED="1").stdout == said


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
CANNOT = "error: standard output cannot be written (No space left on device): free room, or write to another place\n"


@FULL
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("list", "learners"), ("schema",), ("published",), ("doctor",), ("--help",), ("--version",)])
def test_a_full_disk_below_stdout_is_one_line_and_the_code_of_a_file_that_cannot_be_written(place, words, unbuffered):
    place.install("pass", "at_import")
    done = place.command(*words, redirected=">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (2, CANNOT)


@FULL
def test_a_run_whose_stdout_is_full_keeps_its_rows_and_its_files(place):
    place.install("pass", "at_import")
    words = ("run", "-d", "plant:mood=measured", "-s", "chatty", "-l", "toy", *SMALL, "--quick", "--out", "out")
    done = place.command(*words, redirected=">/dev/full", PYTHONPATH=made_up(place))
    assert done.returncode == 2
    assert done.stderr.endswith("\n" + CANNOT)
    assert (place.folder / "out" / "table.txt").read_text()
    for command in (("show", "last"), ("show", "last", "--json", "-"), ("compare", "last", "last"), ("results", "list")):
        done = place.command(*command, redirected=">/dev/full", PYTHONPATH=made_up(place))
        assert (done.returncode, CANNOT in done.stderr) == (2, True), command
    assert "toy" in place.command("show", "last", PYTHONPATH=made_up(place)).stdout


@FULL
def test_a_full_disk_below_stderr_fails_no_command(place):
    place.install("pass", "at_import")
    assert place.command("list", "learners", redirected="2>/dev/full").returncode == 0
    assert place.command("show", "no-such-run", redirected="2>/dev/full").returncode == 2


def test_a_reader_that_has_gone_is_no_error():
    for words in (("--help",), ("list", "learners"), ("schema",)):
        gone, pipe = os.pipe()
        os.close(gone)
        with os.fdopen(pipe, "w") as stdout:
            done = subprocess.run([sys.executable, "-c", COMMAND, *words], stdout=stdout, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stderr) == (0, b""), words
