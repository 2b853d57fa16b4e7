"""The child processes that read MATLAB files: kept, killed when they misbehave, and none left behind."""

from __future__ import annotations

import errno
import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import scipy.io

from faultbench.data import matfile_child, matfile_reader
from faultbench.data.matfile_reader import Reader, ReaderError
from faultbench.errors import DataError

MISBEHAVING = f"""
import importlib.util, os, sys, time
spec = importlib.util.spec_from_file_location("child", {str(Path(matfile_child.__file__))!r})
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
honest = child._answer
def answer(request, content):
    if content == b"sleep": time.sleep(600)
    if content == b"die": os._exit(3)
    if content == b"babble": return [b"no JSON"]
    if content == b"list": return [b"[]"]
    if content == b"objects": return [b'{{"arrays": [["x", "|O", [1]]]}}', bytes(8)]
    if content == b"short": return [b'{{"arrays": [["x", "<f8", [100]]]}}', bytes(8)]
    if content == b"huge":
        sys.stdout.buffer.write((1 << 60).to_bytes(8, "big")); sys.stdout.buffer.flush(); time.sleep(600)
    return honest(request, content)
child._answer = answer
child.main()
"""


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    program = tmp_path_factory.mktemp("child") / "misbehaving.py"
    program.write_text(MISBEHAVING)
    return Reader(program)


def content_of(x: float) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"x": x})
    return stream.getvalue()


@pytest.mark.parametrize("content", [b"die", b"babble", b"list", b"objects", b"short", b"huge"])
def test_a_child_that_dies_or_lies_is_an_error_and_the_next_request_gets_a_new_one(misbehaving: Reader, content: bytes) -> None:
    with pytest.raises(ReaderError, match="breaks the process"):
        misbehaving.load(content, ("x",), 60)
    assert misbehaving.load(content_of(5.0), ("x",), 60)["x"] == 5.0


def test_a_child_that_takes_too_long_is_killed_and_the_next_request_gets_a_new_one(misbehaving: Reader) -> None:
    assert misbehaving.load(content_of(1.0), ("x",), 600)["x"] == 1.0  # a later deadline before does not hide the earlier one
    with pytest.raises(ReaderError, match=r"longer than 0\.2 s"):
        misbehaving.load(b"sleep", ("x",), 0.2)
    assert misbehaving.load(content_of(5.0), ("x",), 60)["x"] == 5.0


def test_the_children_are_kept_between_requests() -> None:
    reader = Reader(children=2)
    reader.load(content_of(1.0), ("x",), 60)
    kept = set(reader._idle)
    reader.look(content_of(2.0), (), 60)
    assert kept
    assert set(reader._idle) == kept
    reader.close()


TWINS = pytest.mark.skipif(not matfile_reader._can_hold_processes(), reason="the system gives no descriptors of processes")


def number_of(child: matfile_reader._Child) -> int:
    """Of the process behind a child, which reads something first, so that it is there and held."""
    child.greet()
    child.ask(content_of(1.0), {"headers": []})
    held = child._process
    if isinstance(held, subprocess.Popen):
        return held.pid
    (line,) = (line for line in Path(f"/proc/self/fdinfo/{held._held}").read_text().splitlines() if line.startswith("Pid:"))
    return int(line.split()[1])


def parent_of(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


def gone(number: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@TWINS
def test_the_second_child_is_forked_by_the_first_and_ends_without_it() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    reader = Reader(children=2)
    with reader._conversation(60) as one, reader._conversation(60) as other:
        first, second = number_of(one), number_of(other)
    assert parent_of(first) == os.getpid()
    assert parent_of(second) == first
    for name in ("FSIZE", "NOFILE"):
        limit = getattr(resource, f"RLIMIT_{name}")
        assert resource.prlimit(second, limit) == resource.prlimit(first, limit) == (0, 0), name
    assert resource.prlimit(second, resource.RLIMIT_AS)[0] < 8 << 30
    reader.close()
    assert gone(first)
    assert gone(second)
    assert set(Path("/proc/self/fd").iterdir()) == before, "descriptors are left open"


@TWINS
@pytest.mark.parametrize("victim", [0, 1], ids=["first", "twin"])
@pytest.mark.parametrize("content", [b"die", b"sleep"])
def test_what_a_file_does_to_one_child_leaves_its_twin_alone(misbehaving: Reader, victim: int, content: bytes) -> None:
    reader = Reader(misbehaving._program, children=2)
    with reader._conversation(60) as one, reader._conversation(60) as other:
        numbers = number_of(one), number_of(other)
    bad, good = (one, other) if victim == 0 else (other, one)
    reader._idle = [good, bad]
    with pytest.raises(ReaderError, match="longer than" if content == b"sleep" else "breaks the process"):
        reader.load(content, ("x",), 0.2 if content == b"sleep" else 60)
    assert gone(numbers[victim])
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    assert reader._idle == [good], "the next request went to the one that is left"
    with reader._conversation(60) as left, reader._conversation(60) as new:
        assert number_of(left) == numbers[1 - victim]
        assert parent_of(number_of(new)) == os.getpid()
    reader.close()


@TWINS
def test_a_twin_that_died_while_nobody_asked_it_costs_no_file() -> None:
    reader = Reader(children=2)
    reader.start()
    first, twin = reader._idle
    with first.deadline(60):
        number = number_of(first)
    (forked,) = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    os.kill(int(forked), signal.SIGKILL)
    while not gone(int(forked)):
        time.sleep(0.01)
    assert not twin.alive
    reader._idle = [twin]
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    first.end()
    reader.close()


def test_a_child_that_died_while_nobody_asked_it_costs_no_file() -> None:
    reader = Reader(children=1)
    reader.load(content_of(1.0), ("x",), 60)
    (child,) = reader._idle
    child._process.kill()
    child._process.wait()
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    reader.close()


@TWINS
def test_a_number_whose_owner_has_died_since_it_said_it_is_not_taken_hold_of() -> None:
    """It may be another's by now."""
    before = set(Path("/proc/self/fd").iterdir())
    replies, given = os.pipe()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with os.fdopen(replies, "rb") as heard:
        os.close(given)
        twin = matfile_reader._Twin(other, heard)
        assert not twin.hold(other.pid)
        twin.kill()
        assert other.poll() is None
    other.kill()
    other.wait()
    assert set(Path("/proc/self/fd").iterdir()) == before, "descriptors are left open"


@TWINS
def test_a_twin_that_cannot_be_held_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pipe may look open, for another process of the user can have been forked while both were made."""
    numbers: list[int] = []

    def hold(_: object, number: int) -> bool:
        numbers.append(number)
        assert len(numbers) == 1
        return False

    monkeypatch.setattr(matfile_reader._Twin, "hold", hold)
    reader = Reader(children=2)
    reader.start()
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    assert len(numbers) == 1, "the twin was asked first"
    reader.close()


@TWINS
def test_a_twin_that_says_who_it_is_when_it_is_late_is_ended() -> None:
    twin = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (replies, said), (taken, requests) = os.pipe(), os.pipe()
    with os.fdopen(said, "wb") as says:
        matfile_child.write_frames(says, b'{"process": %d}' % twin.pid)
        heard = os.fdopen(replies, "rb")
        child = matfile_reader._Child(matfile_reader._Twin(twin, heard), os.fdopen(requests, "wb"), heard)
        child.late = True
        with pytest.raises(ValueError, match="too late"):
            child.greet()
        child.end()
    assert twin.wait(60) == -signal.SIGKILL
    os.close(taken)


@TWINS
def test_a_twin_that_died_is_not_taken_out_on_the_first_which_reads_another_file() -> None:
    reader = Reader(children=2)
    with reader._conversation(60) as first:
        number = number_of(first)
        (forked,) = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        os.kill(int(forked), signal.SIGKILL)
        while reader._idle[0].alive:
            time.sleep(0.01)
        assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
        assert number_of(first) == number
    reader.close()


@TWINS
def test_a_twin_that_is_let_go_unasked_ends_without_the_first_which_reads_a_file() -> None:
    reader = Reader(children=2)
    with reader._conversation(60) as first:
        number = number_of(first)
        (forked,) = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        reader.close()
        assert number_of(first) == number
        deadline = time.monotonic() + 60
        while not gone(int(forked)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert gone(int(forked))
    reader.close()


@TWINS
def test_where_no_further_process_is_allowed_the_first_child_reads_alone_and_no_file_is_blamed(tmp_path: Path) -> None:
    program = tmp_path / "alone.py"
    program.write_text(
        MISBEHAVING.replace("child.main()", "def refused(): time.sleep(0.3); raise BlockingIOError\nos.fork = refused\nchild.main()")
    )
    reader = Reader(program, children=2)
    reader.start()
    first, twin = reader._idle
    assert twin.alive, "it is still to be forked"
    assert reader._idle[-1] is twin, "it is asked first"
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    assert not twin.alive
    assert reader._idle == [first]
    reader.close()


@TWINS
@pytest.mark.parametrize("asked", [0, 1], ids=["first", "twin"])
def test_of_a_child_that_dies_behind_its_reply_nothing_is_left(asked: int) -> None:
    before = set(Path("/proc/self/fd").iterdir()), threading.active_count()
    reader = Reader(children=2)
    reader.start()
    if asked == 0:
        reader._idle.reverse()
    with reader._conversation(60) as child:
        number = number_of(child)
        os.kill(number, signal.SIGKILL)
        while not gone(number):
            time.sleep(0.01)
    reader.close()
    del child
    for thread in threading.enumerate():
        if thread.name == "faultbench-matfile-deadline":
            thread.join(0.5)  # those of other readers go on
    assert set(Path("/proc/self/fd").iterdir()) == before[0], "descriptors are left open"
    assert threading.active_count() <= before[1]


def test_a_child_is_not_let_go_while_another_thread_looks_at_it() -> None:
    looks, ended = threading.Event(), threading.Event()

    class Process:
        def poll(self) -> int | None:
            looks.set()
            assert not ended.wait(0.3), "its pipes were closed meanwhile"
            return None

        def kill(self) -> None:
            pass

        def wait(self) -> int:
            return 0

    child = matfile_reader._Child(Process(), io.BytesIO(), io.BytesIO())

    def end() -> None:
        looks.wait(60)
        child.end()
        ended.set()

    thread = threading.Thread(target=end)
    thread.start()
    assert child.alive
    thread.join()
    assert not child.alive


@TWINS
@pytest.mark.parametrize("closed", ["0", "01", "012"])
def test_files_are_read_where_standard_streams_are_closed(tmp_path: Path, closed: str) -> None:
    path = tmp_path / "x.mat"
    path.write_bytes(content_of(5.0))
    code = (
        "import os, sys; from pathlib import Path; from faultbench.data.matfile_reader import Reader\n"
        "content = Path(sys.argv[1]).read_bytes(); reader = Reader(children=2)\n"
        "for number in sys.argv[2]: os.close(int(number))\n"
        "with reader._conversation(60) as one, reader._conversation(60) as other:\n"
        "    for child in (one, other): assert child.ask(content, {'headers': []})['variables'][0][0] == 'x'\n"
        "reader.close(); os._exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path), closed], check=False, timeout=300).returncode == 7


@TWINS
@pytest.mark.parametrize("asked", [0, 1], ids=["first", "twin"])
def test_children_that_never_get_ready_are_too_late(tmp_path: Path, asked: int) -> None:
    program = tmp_path / "never.py"
    program.write_text("import time; time.sleep(600)")
    reader = Reader(program, children=2)
    reader.start()
    number = reader._idle[0]._process.pid  # type: ignore[attr-defined]
    if asked == 0:
        reader._idle.reverse()
    with pytest.raises(ReaderError, match=r"longer than 0\.2 s"):
        reader.load(content_of(1.0), ("x",), 0.2)
    reader.close()
    assert gone(number)


@TWINS
@pytest.mark.parametrize("call", ["pidfd_open", "pidfd_send_signal"])
def test_a_sandbox_that_refuses_either_call_has_no_twins(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os if call == "pidfd_open" else signal, call, refused)
    assert not matfile_reader._can_hold_processes.__wrapped__()


@TWINS
def test_where_there_is_no_descriptor_for_a_second_pipe_the_first_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    pipes = iter([os.pipe()])

    def pipe() -> tuple[int, int]:
        for made in pipes:
            return made
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pipe", pipe)
    with pytest.raises(DataError, match="cannot be started, Too many open files"):
        Reader(children=2).load(content_of(5.0), ("x",), 60)
    assert set(Path("/proc/self/fd").iterdir()) == before, "descriptors are left open"


def test_where_processes_cannot_be_held_each_child_is_started_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matfile_reader, "_can_hold_processes", lambda: False)
    reader = Reader(children=2)
    with reader._conversation(60) as one, reader._conversation(60) as other:
        assert isinstance(one._process, subprocess.Popen)
        assert isinstance(other._process, subprocess.Popen)
        assert number_of(one) != number_of(other)
    reader.close()


@pytest.mark.parametrize("together", [True, False])
def test_a_child_that_cannot_be_started_is_one_line(monkeypatch: pytest.MonkeyPatch, together: bool) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(matfile_reader, "_can_hold_processes", lambda: together)
    descriptors = Path("/proc/self/fd")
    before = set(descriptors.iterdir()) if descriptors.exists() else set()
    reader = Reader(children=2)
    with monkeypatch.context() as patch:
        patch.setattr(matfile_reader.subprocess, "Popen", refused)
        reader.start()
        with pytest.raises(DataError, match=r"MATLAB files cannot be started, Cannot allocate memory: free memory"):
            reader.load(content_of(5.0), ("x",), 60)
    assert before == (set(descriptors.iterdir()) if descriptors.exists() else set()), "descriptors are left open"
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    reader.close()


def test_a_child_can_be_started_before_it_is_asked() -> None:
    reader = Reader(children=2)
    reader.start()
    started = set(reader._idle)
    reader.start()
    assert set(reader._idle) == started
    assert reader.running
    assert reader.load(content_of(5.0), ("x",), 60)["x"] == 5.0
    assert set(reader._idle) == started
    reader.close()


def test_threads_that_ask_at_once_ask_different_children() -> None:
    reader = Reader(children=2)
    with reader._conversation(60) as one, reader._conversation(60) as other:
        assert one is not other
        assert reader.running
        assert not reader._turn.acquire(blocking=False), "a third would have to wait"
    assert set(reader._idle) == {one, other}
    reader.close()
    assert not reader.running
    assert not one.alive


def test_the_child_can_open_no_file(tmp_path: Path) -> None:
    program = tmp_path / "opening.py"
    program.write_text(MISBEHAVING.replace('if content == b"die": os._exit(3)', 'if content == b"open": open(sys.executable, "rb")'))
    reader = Reader(program)
    if sys.platform == "linux":
        with pytest.raises(ReaderError, match="breaks the process"):
            reader.load(b"open", ("x",), 60)
    reader.close()
