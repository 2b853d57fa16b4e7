"""`faultbench run` as a user calls it, on the embedded data set: one small run, and what can be asked of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]
RUN = ("run", "-l", "centroid", "--quick", "--episodes", "4")


def environment(folder: Path) -> dict[str, str]:
    places = {"FAULTBENCH_CACHE": str(folder / "cache"), "FAULTBENCH_RESULTS": str(folder / "results"), "COLUMNS": "80"}
    return {**os.environ, **places, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return call(folder, *RUN, "--json", "-", "--out", "out")


def call(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    there = environment(folder) | more
    return subprocess.run([*COMMAND, *words], cwd=folder, env=there, capture_output=True, text=True, timeout=280, check=False)


def test_json_on_stdout_stands_there_alone_and_can_be_repeated(first):
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert (document["schema"], document["command"]) == (1, ["faultbench", *RUN, "--json", "-", "--out", "out"])
    (row,) = document["rows"]
    assert (row["cell"]["learner"], row["cell"]["compressor"], row["cell"]["target"]) == ("centroid", "none", "x86")
    assert row["cell"]["episodes"] == 4


def test_progress_comes_on_stderr_line_by_line(first):
    assert "centroid" in first.stderr
    assert "\x1b" not in first.stderr
    assert "\r" not in first.stderr


def test_the_folder_holds_every_format(first, folder):
    names = {"results.json", "table.txt", "results.csv", "report.md", "junit.xml", "report.html"}
    assert {file.name for file in (folder / "out").iterdir()} == names
    assert all("centroid" in (folder / "out" / name).read_text() for name in names)


def test_the_folder_holds_the_same_rows_and_a_table(first, folder):
    assert json.loads((folder / "out" / "results.json").read_text())["rows"] == json.loads(first.stdout)["rows"]
    assert "accuracy" in (folder / "out" / "table.txt").read_text()


@pytest.mark.usefixtures("first")
def test_the_table_is_plain_and_fits_the_terminal(folder):
    done = call(folder, *RUN)
    assert done.returncode == 0
    assert "centroid" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("closed", ["stdout", "stderr"])
@pytest.mark.parametrize("words", [(), ("--gate",), ("--dry-run",), ("--json", "-"), ("-l", "mamal")])
def test_a_reader_that_has_seen_enough_changes_no_exit_code(folder, closed, words):
    code = call(folder, *RUN, *words).returncode
    with subprocess.Popen(
        [*COMMAND, *RUN, *words], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        getattr(process, closed).close()
        other = (process.stderr if closed == "stdout" else process.stdout).read()
    assert process.returncode == code
    assert "Traceback" not in other
    assert "Exception ignored" not in other


@pytest.mark.usefixtures("first")
def test_a_gate_passes_nothing_that_is_quick_unless_it_may(folder):
    assert call(folder, *RUN, "--gate").returncode == 3
    assert call(folder, *RUN, "--gate", "--allow-unproven").returncode == 0


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("option", "begins"), [("--csv", "protocol,cell.dataset,"), ("--junit", "<?xml"), ("--markdown", "## faultbench: 1")]
)
def test_any_format_can_be_piped(folder, option, begins):
    done = call(folder, *RUN, option, "-")
    assert done.returncode == 0
    assert done.stdout.startswith(begins)


@pytest.mark.usefixtures("first")
def test_in_a_job_of_github_actions_what_did_not_pass_is_noted_on_stderr(folder):
    there = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    done = call(folder, *RUN, "--gate", "--json", "-", **there)
    assert done.returncode == 3
    json.loads(done.stdout)
    assert "\n::warning title=simulated new-device centroid none x86::unproven (quick)" in done.stderr
    assert (folder / "summary.md").read_text().startswith("## faultbench: 1 unproven\n")


@pytest.mark.usefixtures("first")
def test_a_summary_that_cannot_be_written_costs_nothing_else(folder):
    done = call(folder, *RUN, "--json", "-", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(folder))
    assert done.returncode == 0
    json.loads(done.stdout)
    assert "warning: GITHUB_STEP_SUMMARY" in done.stderr


@pytest.mark.usefixtures("first")
def test_a_dry_run_shows_the_plan_and_leaves_nothing(folder):
    done = call(folder, *RUN, "-c", "none,prune40", "--dry-run")
    assert done.returncode == 0
    assert "prune40" in done.stdout
    assert done.stderr == ""


@pytest.mark.usefixtures("first")
def test_a_matrix_file_says_the_same_as_the_options(folder):
    (folder / "matrix.toml").write_text('learner = "centroid"\nquick = true\nepisodes = 4\n')
    done = call(folder, "run", "matrix.toml", "--json", "filed.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "filed.json").read_text())["rows"][0]["cell"]["learner"] == "centroid"
    assert "centroid" in done.stdout, "the table is there beside the file"


@pytest.mark.parametrize("words", [("-d", "cwru", "--data-dir", "no/such/folder"), ("-s", "unseen-bearing", "--ways", "40")])
@pytest.mark.usefixtures("first")
def test_what_cannot_be_done_at_all_is_one_line_and_bad_usage(folder, words):
    done = call(folder, "run", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_run_ends_with_130_and_says_what_is_kept(tmp_path, name):
    with subprocess.Popen(
        [*COMMAND, *RUN], env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stderr.readline(), "it has begun"
        process.send_signal(getattr(signal, name))
        said, printed = process.stderr.read(), process.stdout.read()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "interrupted: what is finished is kept, the same command goes on from there"
    assert "Traceback" not in said
    assert printed == ""
