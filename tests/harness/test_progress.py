"""Progress: plain lines without noise, live bars on a terminal, nothing on stdout, and no markup from outside."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from faultbench.report.progress import Lines, Live, cell_line, gate_line, progress, reuse_line


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def row(**said: Any) -> dict[str, Any]:
    cell = {"dataset": "cwru", "scenario": "new-device", "learner": "maml", "compressor": "none", "target": "x86"}
    accuracy = {"mean": 0.9731, "ci_low": 0.9512, "ci_high": 0.9894}
    return {"cell": cell, "accuracy": accuracy, "verdict": {"overall": "pass", "sentence": "passes"}, **said}


def play(shown: Any) -> None:
    """A run of two stages, one of them there already, and a cell."""
    shown.run_started(2, 1)
    shown.stage_finished("a", cached=True, seconds=0.0)
    shown.stage_started("b", "train maml [red], seed 0")
    for step in range(1, 101):
        shown.advance("b", step, 100)
    shown.waiting("b")
    shown.stage_finished("b", cached=False, seconds=12.34)
    shown.cell_finished(row())
    shown.run_finished(2, 1)


def test_plain_lines_say_what_begins_what_took_long_and_what_came_out() -> None:
    stream = io.StringIO()
    play(Lines(stream, Clock()))
    assert stream.getvalue().splitlines() == [
        "2 stages, 1 to do",
        "train maml [red], seed 0",
        "train maml [red], seed 0: another run is making it, waiting",
        "train maml [red], seed 0: 12.3 s",
        "cwru new-device maml none x86: accuracy 0.973 (0.951 to 0.989), pass",
        "reused 1 of 2 stages",
    ]


def test_a_long_stage_says_how_far_it_is_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.stage_started("a", "train")
    for second in range(1, 31):
        clock.now = second
        lines.advance("a", second, 30)
    assert stream.getvalue().splitlines() == ["train", "train: 10 of 30", "train: 20 of 30", "train: 30 of 30"]


def test_a_stage_that_tells_nothing_is_not_silent() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.stage_started("a", "export")
    for second in range(1, 26):
        clock.now = second
        lines.beat()
    assert stream.getvalue().splitlines() == ["export", "export: 10 s so far", "export: 20 s so far"]


def test_a_terminal_says_how_long_a_stage_that_tells_nothing_is_at_work() -> None:
    stream = io.StringIO()
    live = Live(Console(file=stream, force_terminal=True, width=100, color_system=None))
    with live.bars:
        live.run_started(3, 1)
        live.stage_started("a", "export")
        live.beat()
        live.stage_finished("a", cached=False, seconds=0.1)
        live.stage_started("b", "judge")
    text = stream.getvalue()
    assert "0:00 so far" in text
    assert "0/?" not in text
    assert "1/2" in text, "one of the two stages to do is done"


def test_a_run_that_has_nothing_to_do_does_not_announce_it() -> None:
    stream = io.StringIO()
    Lines(stream).run_started(7, 7)
    assert stream.getvalue() == ""


def test_a_short_stage_gets_no_second_line() -> None:
    stream = io.StringIO()
    lines = Lines(stream, Clock())
    lines.stage_started("a", "split")
    lines.stage_finished("a", cached=False, seconds=0.2)
    assert stream.getvalue() == "split\n"


def test_a_stream_that_is_no_terminal_gets_plain_lines() -> None:
    with progress(io.StringIO()) as shown:
        assert isinstance(shown, Lines)


def test_a_terminal_gets_bars_and_lines_that_stay_and_no_markup_from_outside() -> None:
    stream = io.StringIO()
    live = Live(Console(file=stream, force_terminal=True, width=100, color_system=None))
    with live.bars:
        play(live)
        assert live.bars.tasks == []
    text = stream.getvalue()
    assert "train maml [red], seed 0" in text
    assert "100/100" in text
    assert "accuracy 0.973" in text
    assert "reused 1 of 2 stages" in text


def test_a_terminal_is_redrawn_by_no_thread_of_its_own() -> None:
    live = Live(Console(file=io.StringIO(), force_terminal=True))
    with live.bars:
        assert live.bars.live._refresh_thread is None


def test_a_run_of_which_all_was_there_says_that_nothing_was_computed() -> None:
    assert reuse_line(7, 7) == "reused 7 of 7 stages: nothing was computed"
    assert reuse_line(7, 6) == "reused 6 of 7 stages"


def test_a_failed_cell_says_why_on_one_line() -> None:
    failed = row(accuracy=None, verdict={"overall": "error", "sentence": "could not be computed: a\nb"})
    stream = io.StringIO()
    Lines(stream).cell_finished(failed)
    assert stream.getvalue() == "cwru new-device maml none x86: could not be computed: a b\n"


def test_a_gate_says_what_it_found() -> None:
    def judged(overall: str, *, baseline: bool = False) -> dict[str, Any]:
        return {"baseline": baseline, "verdict": {"overall": overall, "gated": not baseline and overall in ("pass", "fail", "unproven")}}

    rows = [judged("pass"), judged("fail"), judged("pass"), judged("fail", baseline=True), judged("not applicable")]
    assert gate_line(rows, 1) == "gate: fails (exit code 1): 2 pass, 1 fail, 1 baseline, 1 not applicable"
    assert gate_line(rows[:1], 0) == "gate: passes (exit code 0): 1 pass"
    assert gate_line([judged("unproven")], 3) == "gate: is not proven (exit code 3): 1 unproven"
    assert gate_line([judged("error")], 4) == "gate: could not be judged (exit code 4): 1 error"


def test_an_accuracy_without_interval_is_printed_alone() -> None:
    alone = row(accuracy={"mean": 0.5, "ci_low": None, "ci_high": None})
    assert cell_line(alone) == "cwru new-device maml none x86: accuracy 0.500, pass"


@pytest.mark.parametrize("width", ["40", "200"])
def test_nothing_goes_to_stdout(tmp_path: Path, width: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from faultbench.report.progress import progress\n"
        "with progress() as shown:\n"
        "    shown.stage_started('a', 'train')\n"
        "    shown.advance('a', 1, 2)\n"
        "    shown.stage_finished('a', cached=False, seconds=2.0)\n"
        "    shown.run_finished(1, 0)\n"
    )
    env = {**os.environ, "COLUMNS": width}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=env, check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["train", "train: 2.0 s", "reused 0 of 1 stages"]
