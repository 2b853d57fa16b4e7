"""Bad usage and bad input end to end: exit code 2, nothing on stdout, one error line on stderr that says what to do, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PLANT = ("run", "-d", "plant", "--ways", "4", "--shots", "2", "--queries", "3", "--episodes", "2", "--seeds", "1")
SMALL = (*PLANT, "-s", "new-device:window=64", "-l", "toy")


UNPRIVILEGED = "import ctypes; ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())"
"""What a command does first so that permissions bind it, even where root runs the tests: see capset(2)."""


def refusal(done: subprocess.CompletedProcess[str], *, at_once: bool = True) -> str:
    """The error line. What can be known before any work is said at once, without a line of progress before it."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[-1].startswith("error: ")
    assert lines[-1].isprintable()
    assert not at_once or len(lines) == 1, done.stderr
    for line in lines[:-1]:
        assert not line.startswith((" ", "error", "Traceback")), "the rest is warnings and progress"
        assert "could not be computed" not in line, "one line is enough"
    return lines[-1]


def left_behind(site) -> set[str]:
    return {entry.name for entry in site.folder.iterdir()} - {"modules", "data"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-l", "mamal"), "no learner is called 'mamal': did you mean maml"),
        (("-c", "prine40"), "no compressor is called 'prine40': did you mean prune"),
        (("-d", "cwur"), "no data set is called 'cwur': did you mean cwru"),
        (("-s", "new-devise"), "no scenario is called 'new-devise': did you mean new-device"),
        (("-t", "x68"), "no target is called 'x68': did you mean x86"),
        (("-l", "prune40"), "'prune40' is a compressor, not a learner: see `faultbench list learners`"),
        (("-l", "maml:inner_step=3"), "did you mean inner_steps?"),
        (("-l", "maml:inner_steps=none"), "inner_steps cannot be 'none': give a whole number >= 1"),
        (("-l", "maml:inner_steps=0"), "give a whole number >= 1"),
        (("-c", "prune140"), "percent cannot be '140': give a number from 0 to 95"),
        (("-d", "cwru:rate=24"), "rate cannot be '24': give one of 12, 48"),
        (("-s", "new-device:target=gamma"), "no machine or mounting 'gamma' in simulated: choose one of beta, alpha"),
        (("--ways", "40"), "40 ways"),
        (("-s", "unseen-bearing", "--ways", "5"), "5 ways"),
        (("--shots", "2", "--shots-rare", "3"), "shots-rare 3 contradicts shots 2: give 1 to 2"),
        (("--dry-run", "--gate"), "--dry-run has no results for --gate"),
        (("--allow-unproven",), "--allow-unproven has no gate to loosen"),
        (("--criteria", "accuracy>>0.9"), "criteria, column 9: '>>' is no comparison"),
        (("--criteria", "acuracy>=0.9"), "did you mean accuracy"),
        (("--criteria", "accuracy.p99>=0.9"), "accuracy has no statistic 'p99'"),
        (("--criteria", "accuracy>=95"), "write a number from 0 to 1, as 0.95 for 95 %"),
        (("--criteria", ""), "criteria, column 1: there is nothing"),
        (("-d", "cwru"), "no data folder is given: `faultbench data get cwru --data-dir DIR` gets it"),
        (("-d", "cwru", "--data-dir", "nowhere"), "neither nowhere/cwru nor nowhere holds a record: `faultbench data get cwru"),
    ],
)
def test_what_can_be_known_before_any_work_is_said_before_any_work(site, words, said):
    line = refusal(site.command("run", *words, FAULTBENCH_DATA=""))
    assert said in line
    assert ": " in line.removeprefix("error: "), "what is wrong: what to do"
    assert left_behind(site) == set()


def test_in_a_job_of_github_actions_an_error_is_an_annotation_too(site):
    place = {"GITHUB_ACTIONS": "true"}
    for words in (("run", "-l", "nonsuch"), ("compare", "50%.json", "none.json"), ("run", "--sedes", "3")):
        done = site.command(*words, **place)
        error, annotation = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (2, "")
        assert annotation == "::error title=faultbench::" + error.removeprefix("error: ").replace("%", "%25")
    assert "::error" not in site.command("run", "-l", "nonsuch").stderr


def test_a_dry_run_refuses_what_a_run_would(site):
    assert "40 ways" in refusal(site.command("run", "--dry-run", "--ways", "40"))


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-l", "centroid,late"), ("learner late of faultbench-made-up 1 cannot be imported (ImportError: no library",)),
        (
            ("-l", "toy,narrow"),
            ("learner narrow of faultbench-made-up 1 cannot be made (TypeError: got an unexpected keyword argument 'width'",),
        ),
        (("-l", "late,narrow"), ("late of faultbench-made-up 1 cannot be imported", "narrow of faultbench-made-up 1 cannot be made")),
        (("-l", "cnn:backbone=gone"), ("backbone gone of faultbench-made-up 1 cannot be imported",)),
        (("-l", "maml:frontend=nonsuch"), ("no front end is called 'nonsuch'",)),
    ],
)
def test_a_part_that_cannot_be_made_is_found_before_any_stage(site, words, said, dry):
    done = site.command(*PLANT, "-s", "new-device:window=64", *words, *dry)
    lines = [line for line in done.stderr.splitlines() if line != "looking for what is missing"]
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 1), done.stderr
    assert lines[0].startswith("error: ")
    for text in said:
        assert text in lines[0]
    assert left_behind(site) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="gives up the capabilities of root, whom permissions do not bind")
@pytest.mark.parametrize(
    ("words", "moved", "said"),
    [
        (("--out", "shut/out"), {}, "--out shut/out cannot be written (Permission denied): name a place that can be written"),
        (("--json", "shut/x.json"), {}, "--json shut/x.json cannot be written (Permission denied): name a place that can be written"),
        ((), {"FAULTBENCH_CACHE": "shut/cache"}, "cannot be written (Permission denied): set FAULTBENCH_CACHE to a folder that can"),
        ((), {"FAULTBENCH_RESULTS": "shut/results"}, "mend its permissions, or set FAULTBENCH_RESULTS to another folder"),
    ],
)
def test_a_read_only_folder_is_found_before_any_work(site, words, moved, said):
    (site.folder / "shut").mkdir(mode=0o500)
    assert said in refusal(site.command(*SMALL, *words, before=UNPRIVILEGED, **moved))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc, and how long a name may be")
@pytest.mark.parametrize(("place", "reason"), [("/proc/nope", "No such file or directory"), ("x" * 300, "File name too long")])
def test_a_cache_that_cannot_be_made_is_one_line_and_the_run_is_not_kept_as_interrupted(site, place, reason):
    line = refusal(site.command(*SMALL, FAULTBENCH_CACHE=place))
    assert f"cannot be written ({reason}): set FAULTBENCH_CACHE to a folder that can" in line
    assert "interrupted" not in site.command("results", "list").stdout


@pytest.fixture
def record(site) -> Path:
    """One of the made-up records, laid out as the source has them, of which a run would do."""
    from scipy.io import savemat

    from faultbench_datasets.cwru.records import records

    folder = site.folder / "data" / "cwru"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for found in records():
        small = found.mil in (None, 7) and found.position in ("", "@6") and found.load_hp < 2
        if small and (found.rate_khz == 12 or found.element == "healthy"):
            noise = {found.variable(sensor): rng.normal(size=(found.rate_khz * 2000, 1)) for sensor in ("DE", "FE")}
            savemat(folder / f"{found.number}.mat", noise)
    return folder / "105.mat"


def on_records(site) -> subprocess.CompletedProcess[str]:
    words = ("--ways", "4", "--shots", "2", "--queries", "2", "--episodes", "2", "--seeds", "1")
    return site.command("run", "-d", "cwru", "--data-dir", "data", "-s", "new-device:window=256", "-l", "toy", *words)


def test_the_made_up_records_can_be_run(site, record):
    done = on_records(site)
    assert done.returncode == 0, done.stderr
    assert "warning: cwru lacks" in done.stderr
    assert "recordings missing" in done.stdout


@pytest.mark.parametrize("kept", [0, 100, 200, 100_000])
def test_a_truncated_mat_file_is_refused(site, record, kept):
    record.write_bytes(record.read_bytes()[:kept])
    line = refusal(on_records(site), at_once=False)
    assert "data/cwru/105.mat" in line
    assert "get it again" in line or "get the file again" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>404 Not Found</html>" * 100, "is a web page, not a MATLAB file"),
        (bytes(range(256)) * 100, "105.mat"),
        ({"X106_DE_time": np.zeros((24000, 1))}, "has no variable X105_DE_time, it holds X106_DE_time"),
        ({"X105_DE_time": np.zeros((10, 1))}, "holds 10 samples, less than 1 s: get the file again"),
        ({"X105_DE_time": np.full((24000, 1), np.nan)}, "holds values that are not finite"),
        ({"X105_DE_time": np.array([["text"]], dtype=object)}, "not one column of numbers: get the file again"),
    ],
)
def test_a_foreign_mat_file_is_refused(site, record, content, said):
    from scipy.io import savemat

    if isinstance(content, bytes):
        record.write_bytes(content)
    else:
        savemat(record, content)
    line = refusal(on_records(site), at_once=False)
    assert said in line
    assert "105.mat" in line


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("leaky", "breaks its level T2, seed 0: source and target share"),
        ("counting", "has another source or target for 2 episodes than for 1"),
    ],
)
def test_a_third_partys_scenario_that_breaks_its_isolation_level_is_refused(site, scenario, said):
    line = refusal(site.command(*PLANT, "-s", scenario, "-l", "toy"), at_once=False)
    assert said in line
    assert "mend the scenario" in line


def test_a_broken_third_partys_plugin_stops_only_who_names_it_and_debug_shows_where(site):
    (site.folder / "modules" / "made_up_plugin.py").write_text("raise ZeroDivisionError('on purpose')\n")
    assert site.command("run", "--dry-run").returncode == 0
    line = refusal(site.command("run", "-l", "toy"))
    assert "no learner is called 'toy'" in line
    assert "A plugin that may offer it is broken: faultbench-made-up" in line
    assert "(ZeroDivisionError: on purpose): repair, update or uninstall" in line
    seen = site.command("--debug", "list", "learners")
    assert seen.returncode == 0
    assert "made_up_plugin.py" in seen.stderr
    assert "ZeroDivisionError: on purpose" in seen.stderr
    assert "made_up_plugin.py" not in site.command("list", "learners").stderr.replace("entry point", "")


def test_debug_shows_where_a_stage_broke(site):
    words = (*PLANT, "-s", "new-device:window=64", "-l", "toy:mood=broken")
    done = site.command("--debug", *words)
    assert done.returncode == 4
    assert "Traceback" in done.stderr
    assert "made_up_parts.py" in done.stderr
    assert "Traceback" not in site.command(*words).stderr


def test_one_bad_cell_of_several_is_the_runs_exit_code_and_a_line_of_its_table(site):
    done = site.command(*SMALL, "-l", "toy:mood=refused", "--gate")
    assert done.returncode == 2
    assert "toy:mood=refused: could not be computed: toy: the mood is bad: choose another" in done.stdout
    assert "gate: could not be judged (exit code 2)" in done.stderr
