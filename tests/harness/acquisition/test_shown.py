"""What whoever watches sees of a pass over files."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress, TextColumn

from faultbench.acquisition import shown
from faultbench.acquisition.shown import Lines, Live, on_stderr
from faultbench.acquisition.space import count_text, size_text


def test_a_log_gets_a_line_for_the_first_and_the_last_file_and_few_between():
    stream = io.StringIO()
    with on_stderr(stream) as lines:
        lines.began("getting", 500)
        for number in range(500):
            lines.file(f"{number}.mat", 1_500_000)
            lines.done()
    said = stream.getvalue().splitlines()
    assert said[0] == "getting 0.mat (1 of 500, 1.5 MB)"
    assert said[-1] == "getting 499.mat (500 of 500, 1.5 MB)"
    assert len(said) < 50


def test_a_log_says_now_and_then_how_far_a_long_file_is(monkeypatch):
    stream, now = io.StringIO(), [0.0]
    monkeypatch.setattr(shown.time, "monotonic", lambda: now[0])
    lines = Lines(stream)
    lines.began("getting", 1)
    lines.file("a.rar", None)
    for second in range(25):
        now[0] = float(second)
        lines.advance(second * 1_000_000, 25_000_000)
    assert stream.getvalue().splitlines() == ["getting a.rar (1 of 1)", "a.rar: 11.0 MB of 25.0 MB", "a.rar: 22.0 MB of 25.0 MB"]


def test_a_name_from_outside_does_nothing_to_a_terminal():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    with Progress(TextColumn("{task.fields[of]}", markup=False), console=console) as bars:
        live = Live(bars)
        live.began("getting", 1)
        live.file("[red]a\x1b[2J.mat", 10)
        live.advance(5, 10)
        live.note("[bold]a note\x07")
        live.done()
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x07" not in stream.getvalue()
    assert "[red]a" in stream.getvalue()
    assert "[bold]a note" in stream.getvalue()


def test_sizes_and_counts_read_as_people_write_them():
    assert [size_text(n) for n in (0, 999, 1000, 3_903_344, 99_900_000, 5_400_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "3.9 MB",
        "100 MB",
        "5.4 GB",
    ]
    assert [count_text(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
