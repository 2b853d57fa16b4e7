"""The graph of stages: order, sharing, what has to run, and how the rest fares when a stage fails, declines or dies."""

import dataclasses
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.errors import DataError
from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Stage, ordered, pending, shares
from faultbench.matrix.running import Ended, Tally, outlook, run
from faultbench.matrix.workers import workers
from faultbench.registry import Choice

MADE_UP = '''
"""Stages that do little, each noting that it ran."""
import os
import time
from faultbench.errors import DataError, NotApplicable

def note(work, text):
    with open(work.given["log"], "a") as file:
        file.write(text + "\\n")

def add(work):
    note(work, f"add {work.params['number']}")
    total = work.params["number"] + sum(int((p / "sum").read_text()) for p in work.inputs.values())
    work.say(1, 1)
    (work.out / "sum").write_text(str(total))

def refuse(work):
    raise DataError("the file is foreign: take the official one")

def crash(work):
    raise ZeroDivisionError("x/0")

def leave(work):
    raise SystemExit(3)

def panic(work):
    raise BaseException("x")

def give_up(work):
    raise KeyboardInterrupt

def quit(work):
    os._exit(work.params.get("code", 0))

def fall(work):
    os.kill(os.getpid(), 11)

def decline(work):
    note(work, "decline")
    (work.out / "half").write_text("")
    raise NotApplicable("nothing to prune")

def die(work):
    os.kill(os.getpid(), 9)

def interrupt(work):
    raise KeyboardInterrupt

def slumber(work):
    time.sleep(0.5)
    (work.out / "sum").write_text("0")

def linger(work):
    note(work, f"begin {work.params['number']}")
    time.sleep(0.2)
    note(work, f"end {work.params['number']}")
    (work.out / "sum").write_text("0")

def meet(work):
    """Ends only when another stage is at work beside it."""
    note(work, "here")
    deadline = time.monotonic() + 60
    while len(open(work.given["log"]).readlines()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    (work.out / "sum").write_text(str(len(open(work.given["log"]).readlines())))

def gossip(work):
    print("this must not reach stdout")
    (work.out / "sum").write_text("0")
'''


class Seen:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.cached: list[str] = []
        self.advanced: list[tuple[str, int, int]] = []
        self.beats = 0

    def stage_started(self, key: str, title: str, total: int | None = None) -> None:
        self.started.append(key)

    def advance(self, key: str, done: int, total: int) -> None:
        self.advanced.append((key, done, total))

    def waiting(self, key: str) -> None:
        pass

    def beat(self) -> None:
        self.beats += 1

    def run_started(self, stages: int, reused: int) -> None:
        pass

    def stage_finished(self, key: str, cached: bool, seconds: float) -> None:
        if cached:
            self.cached.append(key)


class Bench:
    """A graph under construction, with a cache of its own and a log of what ran."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log = folder / "cache", folder / "log"
        self.graph: dict[str, Stage] = {}

    def stage(self, key: str, inputs: str = "", function: str = "add", alone: bool = False) -> None:
        """A stage whose key is one letter, repeated; so are its inputs' keys."""
        self.graph[key] = Stage(
            key=key,
            name=function,
            title=f"stage {key}",
            function=f"made_up_stages:{function}",
            params={"number": len(self.graph) + 1},
            inputs=dict(zip(inputs, inputs, strict=True)),
            given={"log": str(self.log)},
            alone=alone,
        )

    def run(self, goals: str, jobs: int = 1) -> tuple[dict[str, Ended], Tally, Seen]:
        ends: dict[str, Ended] = {}
        seen = Seen()
        tally = run(self.graph, goals, Cache(self.root), seen, jobs=jobs, ended=lambda end: ends.__setitem__(end.key, end))
        return ends, tally, seen

    def ran(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "made_up_stages.py").write_text(MADE_UP)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    sys.modules.pop("made_up_stages", None)
    return Bench(tmp_path)


def diamond(bench: Bench) -> None:
    """a feeds b and c, which feed d; e stands alone."""
    bench.stage("a")
    bench.stage("b", "a")
    bench.stage("c", "a")
    bench.stage("d", "bc")
    bench.stage("e")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_shared_runs_once_and_the_sum_is_right(bench: Bench, jobs: int) -> None:
    diamond(bench)
    ends, tally, seen = bench.run("de", jobs)
    assert sorted(bench.ran()) == ["add 1", "add 2", "add 3", "add 4", "add 5"]
    assert (ends["d"].value / "sum").read_text() == str(4 + (2 + 1) + (3 + 1))
    assert tally == Tally(5, 0)
    assert {key for key, _, _ in seen.advanced} == set("abcde")


def test_a_second_run_computes_nothing_and_says_so(bench: Bench) -> None:
    diamond(bench)
    bench.run("de")
    bench.ran()
    ends, tally, seen = bench.run("de")
    assert bench.ran() == []
    assert tally == Tally(5, 5)
    assert sorted(seen.cached) == list("abcde")
    assert seen.started == []
    assert all(end.value is not None for end in ends.values())


def test_a_value_that_is_there_needs_none_of_its_inputs(bench: Bench) -> None:
    diamond(bench)
    bench.run("d")
    for key in "abc":
        (bench.root / "values" / key / key / "manifest.json").unlink()
    bench.ran()
    _, tally, _ = bench.run("d")
    assert bench.ran() == []
    assert tally == Tally(4, 4)


def test_a_damaged_value_is_made_again_when_it_is_needed_and_with_it_what_that_takes(bench: Bench) -> None:
    diamond(bench)
    bench.run("d")
    bench.ran()
    values = bench.root / "values"
    (values / "d" / "d" / "value" / "sum").write_text("0")  # the goal
    (values / "b" / "b" / "value" / "sum").write_text("0")  # what it is made of
    ends, tally, _ = bench.run("d")
    assert bench.ran() == ["add 2", "add 4"]
    assert tally == Tally(4, 2)
    assert (ends["d"].value / "sum").read_text() == "11"


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("refuse", "the file is foreign: take the official one"),
        ("crash", "stage b broke (ZeroDivisionError: x/0): --debug shows where"),
        ("leave", "stage b broke (SystemExit: 3): --debug shows where"),
        ("panic", "stage b broke (BaseException: x): --debug shows where"),
    ],
)
def test_a_stage_that_fails_costs_only_what_needs_it(bench: Bench, function: str, message: str, jobs: int) -> None:
    bench.stage("a")
    bench.stage("b", "a", function=function)
    bench.stage("c", "b")
    bench.stage("d", "a")
    ends, _, _ = bench.run("cd", jobs)
    assert ends["c"].failure is not None
    assert ends["c"].failure.message == message
    assert ends["c"].value is None
    assert ends["d"].value is not None
    assert ends["d"].failure is None


def test_a_failure_keeps_the_class_of_its_error(bench: Bench) -> None:
    bench.stage("a", function="refuse")
    ends, _, _ = bench.run("a")
    assert ends["a"].failure is not None
    assert ends["a"].failure.error is DataError


@pytest.mark.parametrize("jobs", [1, 2])
def test_where_a_plugin_broke_can_be_seen(bench: Bench, jobs: int, caplog: pytest.LogCaptureFixture) -> None:
    bench.stage("a", function="crash")
    bench.stage("b", function="crash")
    with caplog.at_level("DEBUG", logger="faultbench"):
        bench.run("ab", jobs)
    assert "made_up_stages.py" in caplog.text
    assert "ZeroDivisionError: x/0" in caplog.text


def test_a_failure_is_not_remembered(bench: Bench) -> None:
    bench.stage("a", function="crash")
    bench.run("a")
    bench.stage("a")
    ends, _, _ = bench.run("a")
    assert ends["a"].value is not None


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stage_that_declines_declines_what_needs_it_and_is_remembered(bench: Bench, jobs: int) -> None:
    bench.stage("a", function="decline")
    bench.stage("b", "a")
    bench.stage("c", "b")
    bench.stage("d")
    ends, _, _ = bench.run("cd", jobs)
    assert ends["c"].declined == "nothing to prune"
    assert ends["c"].failure is None
    assert ends["d"].value is not None
    assert sorted(bench.ran()) == ["add 4", "decline"]
    ends, tally, _ = bench.run("cd", jobs)
    assert ends["c"].declined == "nothing to prune"
    assert bench.ran() == []
    assert tally.stages == tally.reused


def test_a_worker_that_is_killed_costs_its_stage_and_the_others_go_on(bench: Bench) -> None:
    bench.stage("a", function="die")
    bench.stage("b", "a")
    bench.stage("c")
    bench.stage("d", "c")
    ends, _, _ = bench.run("bd", jobs=2)
    assert ends["b"].failure is not None
    assert ends["b"].failure.message == "stage a died (exit code -9): free memory, or run with fewer --jobs"
    assert ends["d"].value is not None


CHOSEN = {kind: Choice(kind, name, f"{of}/{name}", of, "1.0", "m:C", {}, name) for kind, name, of in (
    ("learners", "evil", "acme"), ("compressors", "int8", "faultbench"))}  # fmt: skip


@pytest.mark.parametrize(
    ("function", "params", "message"),
    [
        ("quit", {}, "stage a ended its process by itself (exit code 0): repair, update or leave out what takes part in it"),
        (
            "quit",
            {"code": 3, "learner": CHOSEN["learners"], "chain": (CHOSEN["compressors"],)},
            "stage a ended its process by itself (exit code 3): repair, update or leave out learner evil of acme 1.0",
        ),
        (
            "fall",
            {"chain": (CHOSEN["compressors"],)},
            "stage a was ended by SIGSEGV: repair, update or leave out compressor int8 of faultbench 1.0",
        ),
        ("give_up", {}, "stage a broke (KeyboardInterrupt): --debug shows where"),
    ],
)
def test_a_stage_that_ends_its_worker_is_not_taken_for_want_of_memory(bench: Bench, function: str, params: dict, message: str) -> None:
    bench.stage("a", function=function)
    bench.graph["a"] = dataclasses.replace(bench.graph["a"], params={**bench.graph["a"].params, **params})
    bench.stage("b")
    ends, _, _ = bench.run("ab", jobs=2)
    assert ends["a"].failure is not None
    assert ends["a"].failure.message == message
    assert ends["b"].value is not None


def test_an_idle_worker_that_was_killed_is_replaced(tmp_path: Path) -> None:
    class Unmoved:
        def __getattr__(self, name: str):
            return lambda *_: None

    (tmp_path / "cache").mkdir()
    stages = [Stage(key, "s", key, "builtins:repr", {}, {}, {}) for key in "ab"]  # any function of one argument will do
    cache = Cache(tmp_path / "cache")
    cache.prepare()
    with workers(2, cache, Unmoved()) as crew:
        crew.start(stages[0], {})
        assert crew.wait().failure is None
        (idle,) = crew._idle
        idle._process.kill()
        idle._process.join()
        crew.start(stages[1], {})
        assert crew.wait().failure is None


def test_what_must_run_alone_overlaps_with_nothing(bench: Bench) -> None:
    for key in "abc":
        bench.stage(key, function="linger")
    bench.stage("m", "a", function="linger", alone=True)
    bench.stage("n", function="linger", alone=True)
    bench.run("mnbc", jobs=3)
    lines = bench.ran()
    for number in (4, 5):
        assert lines.index(f"end {number}") == lines.index(f"begin {number}") + 1


@pytest.mark.parametrize("alone", [False, True])
def test_who_shows_progress_hears_of_long_stages_but_never_during_a_measurement(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    monkeypatch.setattr("faultbench.matrix.workers.BEAT_S", 0.05)
    bench.stage("a", function="slumber", alone=alone)
    bench.stage("b", "a", alone=alone)
    _, _, seen = bench.run("b", jobs=2)
    assert (seen.beats == 0) == alone


def test_others_do_overlap(bench: Bench) -> None:
    for key in "ab":
        bench.stage(key, function="meet")
    ends, _, _ = bench.run("ab", jobs=2)
    assert [(ends[key].value / "sum").read_text() for key in "ab"] == ["2", "2"]


def test_an_interruption_keeps_what_is_finished(bench: Bench) -> None:
    bench.stage("a")
    bench.stage("b", function="interrupt")
    ends: list[Ended] = []
    with pytest.raises(KeyboardInterrupt):
        run(bench.graph, "ab", Cache(bench.root), Seen(), ended=ends.append)
    assert [end.key for end in ends] == ["a"]
    assert Cache(bench.root).get("a") is not None
    assert not list((bench.root / "partial").iterdir())


def alive(pid: str) -> bool:
    """Whether a process runs. One that was killed and that nobody has waited for yet does not."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


INTERRUPTED = """
import sys
from pathlib import Path
from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Stage
from faultbench.matrix.running import run
sys.path.insert(0, sys.argv[1])
class Silent:
    def __getattr__(self, name):
        return lambda *args, **kwargs: print(name, flush=True) if name == "stage_started" else None
if __name__ == "__main__":
    graph = {k: Stage(k, "wait", k, "waiting_stages:wait", {}, {}, {}) for k in "ab"}
    run(graph, "ab", Cache(Path(sys.argv[2])), Silent(), jobs=2)
"""


def test_an_interruption_ends_the_workers_and_what_they_started(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    pids = tmp_path / "pids"
    (tmp_path / "modules" / "waiting_stages.py").write_text(
        textwrap.dedent(f"""
        import os, subprocess, sys
        def wait(work):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            with open({str(pids)!r}, "a") as file:
                file.write(f"{{os.getpid()}} {{child.pid}}\\n")
            child.wait()
        """)
    )
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, str(script), str(tmp_path / "modules"), str(tmp_path / "cache")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not pids.exists() or len(pids.read_text().splitlines()) < 2:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=30)
    assert b"KeyboardInterrupt" in stderr
    for pid in pids.read_text().split():
        assert not alive(pid)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_stage_prints_does_not_reach_stdout(bench: Bench, jobs: int, capfd: pytest.CaptureFixture[str]) -> None:
    bench.stage("a", function="gossip")
    bench.stage("b", function="gossip")
    bench.run("ab", jobs)
    assert capfd.readouterr().out == ""


def test_an_outlook_tells_what_a_run_would_do(bench: Bench) -> None:
    diamond(bench)
    bench.stage("f", "d", function="decline")
    bench.stage("g", "f")
    bench.run("dg")
    values = bench.root / "values"
    for key in "ac":
        (values / key / key / "manifest.json").unlink()
    bench.graph["h"] = Stage("h", "add", "h", "made_up_stages:add", {}, {"d": "d", "c": "c"}, {})
    states = outlook(bench.graph, "gdh", Cache(bench.root))
    assert states == {"a": "to do", "b": "cached", "c": "to do", "d": "cached", "f": "declined", "g": "declined", "h": "to do"}
    assert outlook(bench.graph, "d", Cache(bench.root)) == {"a": "not needed", "b": "cached", "c": "not needed", "d": "cached"}


def test_how_many_goals_need_a_stage_is_counted(bench: Bench) -> None:
    diamond(bench)
    assert shares(bench.graph, "bcd") == {"a": 3, "b": 2, "c": 2, "d": 1}


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Stage]:
    """Acyclic graphs of up to ten stages."""
    graph: dict[str, Stage] = {}
    for number in range(draw(st.integers(1, 10))):
        inputs = draw(st.sets(st.sampled_from(sorted(graph)), max_size=3)) if graph else set()
        graph[str(number)] = Stage(str(number), "s", "s", "m:f", {}, {i: i for i in sorted(inputs)})
    return graph


@given(graphs(), st.data())
def test_every_stage_comes_behind_its_inputs_and_once(graph: dict[str, Stage], data: st.DataObject) -> None:
    goals = data.draw(st.lists(st.sampled_from(sorted(graph)), min_size=1, max_size=4))
    order = ordered(graph, goals)
    assert len(set(order)) == len(order)
    for place, key in enumerate(order):
        assert set(graph[key].inputs.values()) <= set(order[:place])
    assert set(goals) <= set(order)


@given(graphs(), st.data())
def test_what_is_pending_is_what_is_missing_and_used(graph: dict[str, Stage], data: st.DataObject) -> None:
    goals = data.draw(st.lists(st.sampled_from(sorted(graph)), min_size=1, max_size=4))
    there = data.draw(st.sets(st.sampled_from(sorted(graph))))
    asked: list[str] = []
    todo = pending(graph, goals, lambda key: asked.append(key) or key in there)
    assert len(set(asked)) == len(asked)
    for key in ordered(graph, graph):
        users = [u for u in todo if key in graph[u].inputs.values()]
        assert (key in todo) == (key not in there and (key in goals or bool(users)))
