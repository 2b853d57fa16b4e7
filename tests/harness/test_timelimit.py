"""Plugins that never answer, really installed, in a fresh process: the command names them and goes on, or ends in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from faultbench import timelimit
from faultbench.errors import UsageError

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this platform has no alarm")

COMMAND = "import sys; from faultbench.cli import main; sys.exit(main())"
OFFERING = """
from faultbench.api import Offer, hookimpl

@hookimpl
def faultbench_learners():
    return [Offer("svm", "acme:Svm", "support vectors")]
"""
AT_IMPORT = "import time\ntime.sleep(1000)\n" + OFFERING
IN_A_HOOK = OFFERING + "\n@hookimpl\ndef faultbench_targets():\n    import time; time.sleep(1000)\n"
IN_A_GENERATOR = OFFERING.replace(
    'return [Offer("svm", "acme:Svm", "support vectors")]', 'yield Offer("svm", "acme:Svm", "")\n    while True: pass'
)
SWALLOWED = (
    """
import time
for _ in range(3):
    try:
        time.sleep(1000)
    except BaseException:
        pass
"""
    + OFFERING
)
ON_A_LOCK = "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n" + OFFERING
DEAF = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})\ntime.sleep(1000)\n"
"""It blocks the alarm, as library code that does not come back to Python does in effect."""


class Hanging:
    """A folder with one installed plugin, whose module is given."""

    def __init__(self, folder: Path, module: Path) -> None:
        self.folder, self.module = folder, module

    def install(self, source: str) -> None:
        self.module.write_text(source)

    def environment(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(self.folder / "modules"), os.environ.get("PYTHONPATH")]))
        places = {"FAULTBENCH_CACHE": str(self.folder / "cache"), "FAULTBENCH_RESULTS": str(self.folder), "PYTHONPATH": path}
        return {**os.environ, **places, timelimit.VARIABLE: "0.5", **more}

    def command(self, *words: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", f"{before}\n{COMMAND}", *words],
            cwd=self.folder, env=self.environment(**environment), capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip


@pytest.fixture
def hanging(tmp_path, acme) -> Hanging:
    return Hanging(tmp_path / "hanging", acme(tmp_path / "hanging" / "modules"))


def said(where: str) -> str:
    return f"acme 1.0 (entry point acme) hangs: it did not come back from {where} within 0.5 s (FAULTBENCH_PLUGIN_SECONDS): repair or"


HANGING = {
    "at import": (AT_IMPORT, "being imported"),
    "in a hook": (IN_A_HOOK, "faultbench_targets"),
    "in a generator": (IN_A_GENERATOR, "faultbench_learners"),
    "swallowing the interruption": (SWALLOWED, "being imported"),
    "on a lock": (ON_A_LOCK, "being imported"),
}


@pytest.mark.parametrize(("source", "where"), HANGING.values(), ids=HANGING)
def test_the_list_goes_on_without_a_plugin_that_hangs_and_names_it_once(hanging, source, where):
    hanging.install(source)
    listed = hanging.command("list")
    assert listed.returncode == 0, listed.stderr
    assert "maml" in listed.stdout
    assert "svm" not in listed.stdout, "half a plugin is a surprise: what it offered before it hung is left out, too"
    (warning,) = listed.stderr.splitlines()
    assert warning.startswith(f"warning: {said(where)}")
    assert "`faultbench --no-plugins ...`" in warning


@pytest.mark.parametrize("source", [AT_IMPORT, IN_A_HOOK], ids=["at import", "in a hook"])
def test_doctor_notes_a_plugin_that_hangs(hanging, source):
    hanging.install(source)
    checked = hanging.command("doctor")
    assert checked.returncode == 0
    assert "\nnote    acme 1.0 (entry point acme) hangs: " in checked.stdout
    assert "plugin acme of acme" not in checked.stdout


def test_doctor_notes_a_factory_whose_import_hangs(hanging):
    hanging.install(OFFERING.replace("acme:Svm", "acme_parts:Svm"))
    (hanging.folder / "modules" / "acme_parts.py").write_text("import time\ntime.sleep(1000)\n")
    checked = hanging.command("doctor")
    assert checked.returncode == 0
    assert "acme 1.0 offers the learner svm, which cannot be made: its factory acme_parts:Svm hangs when it is imported" in checked.stdout


def test_a_run_says_at_once_who_kept_it_waiting_and_ends_with_2_where_it_names_what_was_lost(hanging):
    hanging.install(AT_IMPORT)
    without = hanging.command("run", "-l", "centroid", "--dry-run")
    assert without.returncode == 0, without.stderr
    assert without.stderr.startswith(f"warning: {said('being imported')}")
    named = hanging.command("run", "-l", "svm", "--dry-run")
    assert named.returncode == 2
    assert named.stderr.splitlines()[-1].startswith("error: no learner is called 'svm'")
    strict = hanging.command("--strict-plugins", "list")
    assert strict.returncode == 2
    assert strict.stderr.startswith(f"error: {said('being imported')}")


def test_without_plugins_nothing_hangs(hanging):
    hanging.install(AT_IMPORT)
    done = hanging.command("--no-plugins", "list")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_cannot_be_interrupted_ends_the_command_in_one_line_that_names_it(hanging):
    hanging.install(DEAF)
    done = hanging.command("list", before="from faultbench import timelimit; timelimit.GRACE_S = 0.2")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {said('being imported')}")
    assert line.endswith("it cannot be interrupted")


def test_where_there_is_no_alarm_the_thread_ends_it(hanging):
    hanging.install(AT_IMPORT)
    done = hanging.command("list", before="import signal; del signal.setitimer")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {said('being imported')}")


def test_ctrl_c_ends_a_plugin_that_hangs(hanging):
    hanging.install("print('here', flush=True)\n" + AT_IMPORT)
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "list"], env=hanging.environment(FAULTBENCH_PLUGIN_SECONDS="50"), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    assert process.stderr.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 130
    process.stderr.close()


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1e9", "20 s"])
def test_a_limit_that_is_none_is_bad_usage(hanging, text):
    done = hanging.command("list", FAULTBENCH_PLUGIN_SECONDS=text)
    assert done.returncode == 2
    assert done.stderr == f"error: FAULTBENCH_PLUGIN_SECONDS is '{text}': write a number of seconds from 0, which is no limit, to 86400\n"


def test_the_limit_is_the_usual_one_unless_the_environment_says_another(monkeypatch):
    monkeypatch.delenv(timelimit.VARIABLE, raising=False)
    assert timelimit.limit_s(20.0) == 20.0
    for text, seconds in (("", 20.0), ("0", 0.0), (" 2.5 ", 2.5)):
        monkeypatch.setenv(timelimit.VARIABLE, text)
        assert timelimit.limit_s(20.0) == seconds
    monkeypatch.setenv(timelimit.VARIABLE, "ten")
    with pytest.raises(UsageError):
        timelimit.limit_s(20.0)


OBSERVER = """
import sys, time
from faultbench.api import hookimpl

@hookimpl
def faultbench_run_started(plan):
    print("saw the start", file=sys.stderr)

@hookimpl
def faultbench_cell_finished(row):
    {}

@hookimpl
def faultbench_run_finished(summary):
    print("saw the end", file=sys.stderr)
"""
TELL = (
    "from faultbench import timelimit\nfrom faultbench.registry import Registry\ntimelimit.GRACE_S = 0.2\nhook = Registry.discover().hook\n"
    "hook.faultbench_run_started({})\nhook.faultbench_cell_finished({})\nhook.faultbench_cell_finished({})\nhook.faultbench_run_finished({})"
)


def told(hanging: Hanging) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", TELL], env=hanging.environment(), capture_output=True, text=True, timeout=60, check=False)


def test_an_observer_that_hangs_is_named_and_told_no_more(hanging):
    hanging.install(OBSERVER.format("time.sleep(1000)"))
    done = told(hanging)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "saw the start",
        "warning: acme 1.0 (entry point acme) did not come back from faultbench_cell_finished within 0.5 s (FAULTBENCH_PLUGIN_SECONDS): "
        "the run goes on without it",
    ]


def test_an_observer_that_cannot_be_interrupted_is_named_and_ends_no_run(hanging):
    hanging.install(OBSERVER.format("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}); time.sleep(1.5)"))
    done = told(hanging)
    assert done.returncode == 0
    assert "is still in faultbench_cell_finished after 0.7 s and cannot be interrupted: end the run by Ctrl-C" in done.stderr
    assert "saw the end" not in done.stderr, "it was too late, and is told no more"


def test_a_stage_does_not_ask_again_what_did_not_answer(site, hanging):
    """Each stage of a learner looks its parts up, in a process of its own: it would wait for the limit every time."""
    asked = site.folder / "asked"
    hanging.install(f"open({str(asked)!r}, 'a').write('.')\n" + AT_IMPORT)
    for place in (hanging.folder / "modules").iterdir():
        place.rename(site.folder / "modules" / place.name)
    words = ("-d", "plant", "-s", "new-device:window=64", "-l", "toy", "--ways", "4", "--shots", "2", "--queries", "3", "--quick")
    done = site.command(
        "run", *words, "--episodes", "4", "--jobs", "2", "--json", "out.json", FAULTBENCH_PLUGIN_SECONDS="10"
    )  # enough to import torch
    assert done.returncode == 0, done.stderr
    assert json.loads((site.folder / "out.json").read_text())["rows"][0]["error"] is None
    assert asked.read_text() == "."


def test_what_is_in_time_is_not_touched_and_an_alarm_of_others_still_comes():
    came = []
    before = signal.signal(signal.SIGALRM, lambda *_: came.append(True))
    before_timer = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with timelimit.within(0.1, stuck=lambda: None):
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        deadline = time.monotonic() + 10
        while not came and time.monotonic() < deadline:
            time.sleep(0.02)
        assert came == [True]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *before_timer)


def test_a_body_that_takes_too_long_is_interrupted_and_leaves_no_alarm_behind():
    timer = signal.getitimer(signal.ITIMER_REAL)
    with pytest.raises(timelimit.Overdue), timelimit.within(0.05, stuck=lambda: None):
        time.sleep(30)
    assert (signal.getitimer(signal.ITIMER_REAL)[0] > 0) == (timer[0] > 0)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer) and not thread.finished.is_set()]


def test_no_limit_is_no_alarm_and_no_thread():
    threads = threading.active_count()
    with timelimit.within(0, stuck=lambda: None):
        assert threading.active_count() == threads


def test_another_thread_has_no_limit():
    outcome = []

    def work() -> None:
        with timelimit.within(0.01, stuck=lambda: outcome.append("stuck")):
            time.sleep(0.1)
        outcome.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert outcome == ["done"]
