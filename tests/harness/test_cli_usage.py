"""The command as a user calls it: a process, its two streams, its exit code."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import faultbench
from faultbench.cli.ending import BROKEN, failed
from faultbench.cli.outputs import Outputs
from faultbench.cli.publishing import publish_rows
from faultbench.errors import CellError, DataError, UsageError

COMMAND = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]


def call(*words: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_console_script_is_the_command():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="faultbench")
    assert script.value == "faultbench.cli:main"


def test_version_is_printed_on_stdout():
    done = call("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"faultbench {faultbench.__version__}\n", "")


def test_without_a_command_help_comes_on_stderr_and_it_is_bad_usage():
    done = call()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: faultbench")


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("run", "--help"),
        ("list", "-h"),
        ("doctor", "--help"),
        ("data", "audit", "-h"),
        ("data", "plot", "-h"),
        ("compare", "--help"),
        ("results", "rm", "--help"),
    ],
)
def test_help_is_plain_and_fits_80_columns(words):
    done = call(*words)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: faultbench")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--sedes", "3"), "no such option --sedes: did you mean --seeds? See `faultbench run --help`"),
        (("lst",), "no such command 'lst'"),
        (("run", "--seeds", "x"), "--seeds"),
        (("run", "--seeds"), "--seeds"),
        (("run", "a.toml", "b.toml"), "extra argument"),
        (("run", "--debug"), "--debug stands behind the command: write it before, as in `faultbench --debug run`"),
        (("list", "larners"), "there is no kind 'larners': did you mean learners? See `faultbench list`"),
        (
            ("list", "foo"),
            "there is no kind 'foo': there are datasets, scenarios, frontends, backbones, learners, compressors, targets. See",
        ),
        (("list", "observers"), "a plugin that watches runs offers nothing to choose from, and has no template: see docs/howto/plugin.md"),
        (("new", "plugin", "observer", "x"), "has no template: see docs/howto/plugin.md"),
        (("published", "--level", "T9"), "there is no level 'T9': there are T0, T1, "),
        (("published", "--level", "t2"), "there is no level 't2': did you mean T2?"),
        (("schema", "picture"), "there is no schema 'picture': there are "),
        (("compare", "a", "b", "--across", "xyz"), "there is no axis 'xyz' to compare across: there are "),
        (("list", "learners", "mamal"), "no learner is called 'mamal': did you mean maml"),
        (("list", "learners", "maml", "now"), "'now' is too much"),
        (("run", "missing.toml"), "missing.toml cannot be read (No such file or directory): name a matrix file (TOML)"),
        (("run", "-l", "mamal"), "no learner is called 'mamal': did you mean maml"),
        (("run", "-l", "maml:inner_step=3"), "did you mean inner_steps?"),
        (("run", "-l", "maml,inner_steps=3"), "write maml:inner_steps=3"),
        (("run", "-c", "prune40+"), "is not a chain"),
        (("run", "-l", "\x1b[31mred"), "holds a character that cannot be printed"),
        (("run", "--shots", "3", "--shots-rare", "4"), "shots-rare 4 contradicts shots 3"),
        (("run", "--ways", "1"), "ways 1 leaves nothing to tell apart"),
        (("run", "--allow-unproven"), "--allow-unproven has no gate to loosen"),
        (("run", "--dry-run", "--json", "x.json"), "--dry-run has no results for --json"),
        (("run", "--dry-run", "--gate"), "--dry-run has no results for --gate"),
        (("run", "--criteria", "accuracy"), "criteria"),
        (("run", "--json", "no/such/folder/x.json"), "--json no/such/folder/x.json cannot be written (No such file or directory)"),
        (("run", "--junit", "no/such/folder/x.xml"), "--junit no/such/folder/x.xml cannot be written (No such file or directory)"),
        (("run", "--csv", ""), "--csv has no file name: write one behind it, or - for standard output"),
        (("run", "--json", "x", "--csv", "./x"), "--json and --csv both go to ./x: name a file for one of them"),
        (("run", "--json", "-", "--markdown", "-"), "--json and --markdown both go to standard output"),
        (("run", "--dry-run", "--html", "x.html"), "--dry-run has no results for --html"),
        (("run", "--json", "."), "--json . cannot be written (Is a directory)"),
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_exit_code_2(words, said, tmp_path):
    done = call(*words, folder=tmp_path, FAULTBENCH_CACHE=str(tmp_path / "cache"), FAULTBENCH_RESULTS=str(tmp_path / "results"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.removesuffix("\n").isprintable()
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_place_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    done = call("run", "--out", "file/results", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: --out file/results cannot be written (Not a directory): name a place that can be written\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("option", ["json", "out"])
def test_a_read_only_folder_is_found_before_any_work(tmp_path, option):
    tmp_path.chmod(0o500)
    script = (
        "import os, sys, tempfile; from pathlib import Path; from faultbench.cli.outputs import Outputs\n"
        "if os.geteuid() == 0:\n    os.setuid(65534)  # permissions do not bind root\n"
        "Outputs(**{sys.argv[1]: Path(sys.argv[2])}).check_writable()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, option, str(tmp_path / "x")], capture_output=True, text=True, timeout=60, check=False
    )
    assert "faultbench.errors.UsageError: --" in done.stderr
    assert "cannot be written (Permission denied): " in done.stderr


@pytest.mark.parametrize("given", [{"json": "{}/x.json"}, {"out": "{}"}])
def test_a_file_that_cannot_be_written_after_all_costs_the_file_and_not_the_table(given, tmp_path, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    places = {name: place.format(tmp_path) for name, place in given.items()}
    outputs = Outputs(**{name: Path(place) if name == "out" else place for name, place in places.items()})
    monkeypatch.setattr("faultbench.report.document._replace", full)
    with pytest.raises(UsageError, match=r"cannot write .*: No space left on device"):
        publish_rows([], ["faultbench", "run"], outputs)
    assert capsys.readouterr().out == "nothing was measured\n"


def test_debug_shows_where_an_error_comes_from():
    done = call("--debug", "run", "--ways", "1")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ways 1 leaves")


def test_a_reader_that_closes_the_pipe_is_no_error():
    with subprocess.Popen([*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, "")


def test_a_terminal_without_unicode_is_served():
    assert call("list", PYTHONIOENCODING="ascii").returncode == 0


@pytest.mark.parametrize(("error", "code"), [(DataError("no data: get some"), 2), (CellError("it broke: look"), 4)])
def test_our_errors_end_by_their_own_exit_code(error, code, capsys):
    assert failed(error, debug=False) == code
    assert capsys.readouterr().err == f"error: {error}\n"


@pytest.mark.parametrize("error", [ValueError("two\nlines \x1b[31m"), OSError(28, "No space left on device", "x"), AssertionError()])
def test_a_fault_of_the_program_is_one_line_and_never_the_code_of_a_failed_gate(error, capsys):
    assert failed(error, debug=False) == BROKEN == 4
    said = capsys.readouterr().err
    assert said.startswith(f"error: unexpected {type(error).__name__}")
    assert "faultbench --debug" in said
    assert said.removesuffix("\n").isprintable()
