"""A measurement on this machine: the child process, what is read back, the lock, the device, the summary of times."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faultbench.artifact.writer import write_artifact
from faultbench.errors import CellError, DataError
from faultbench.measuring import device, host
from faultbench.measuring.device import probe_host
from faultbench.measuring.host import read_result, run_on_host
from faultbench.measuring.lock import lock_path, machine_lock
from faultbench.measuring.summary import times
from faultbench.measuring.target import EpisodeWindows, Timing
from faultbench.testing.artifacts import centroid_graphs

WAYS, WINDOW = 3, 64
QUICK = Timing(warmup=2, queries=25, audit_rounds=3)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    write_artifact(
        tmp_path / "artifact",
        centroid_graphs(WAYS, WINDOW),
        ways=WAYS,
        window=WINDOW,
        channels=1,
        rate_hz=12000,
        learner="centroid",
        compressor="none",
        provenance="p",
    )
    return tmp_path / "artifact"


@pytest.fixture(scope="module")
def episodes() -> EpisodeWindows:
    """Two episodes of noise whose loudness is the class."""
    rng = np.random.default_rng(1)
    labels = np.arange(30) % WAYS
    windows = (rng.standard_normal((30, 1, WINDOW)) * 10.0 ** labels[:, None, None]).astype(np.float32)
    support = np.array([np.arange(6), np.arange(6, 12)])
    return EpisodeWindows(windows, support, labels[support], np.array([np.arange(12, 27), np.arange(15, 30)]))


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of the test's own, so that tests don't wait for a real measurement."""
    path = tmp_path / "measuring.lock"
    monkeypatch.setattr("faultbench.measuring.lock.lock_path", lambda: path)
    return path


# the child process


def test_a_measurement_holds_what_the_runner_returned(artifact: Path, episodes: EpisodeWindows) -> None:
    found = run_on_host(artifact, episodes, QUICK)
    assert found.kind == "measured"
    np.testing.assert_array_equal(found.predictions, episodes.query % WAYS)
    assert found.predictions.dtype == np.int64
    assert found.logits.shape == (2, 15, WAYS)
    assert (len(found.finetune_s), len(found.latency_s), len(found.network_s)) == (2, 25, 25)
    assert found.peak_rss_bytes is None or found.peak_rss_bytes > 10e6
    assert found.device == probe_host()


def test_predictions_are_the_same_every_time(artifact: Path, episodes: EpisodeWindows) -> None:
    one, two = run_on_host(artifact, episodes, QUICK), run_on_host(artifact, episodes, QUICK)
    np.testing.assert_array_equal(one.logits, two.logits)


def test_the_child_is_kept_to_one_core_per_thread_and_its_pools_to_as_many_threads(
    artifact: Path, episodes: EpisodeWindows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    run = subprocess.run

    def noted(command: list[str], **options: Any) -> Any:
        told.update(command=command, env=options["env"])
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", noted)
    run_on_host(artifact, episodes, QUICK, env={"FAULTBENCH_SAYS": "hello"})
    assert told["env"]["OMP_NUM_THREADS"] == told["env"]["OPENBLAS_NUM_THREADS"] == "1"
    assert told["env"]["FAULTBENCH_SAYS"] == "hello"
    if hasattr(os, "sched_getaffinity"):
        assert told["command"][told["command"].index("--cpu") + 1] == str(max(os.sched_getaffinity(0)))


def test_more_threads_than_cores_are_refused(artifact: Path, episodes: EpisodeWindows) -> None:
    with pytest.raises(CellError, match="10000 threads on"):
        run_on_host(artifact, episodes, Timing(threads=10000))


def test_a_system_that_cannot_pin_still_measures(artifact: Path, episodes: EpisodeWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert run_on_host(artifact, episodes, QUICK).predictions.shape == (2, 15)


def test_what_the_runner_said_last_is_in_the_error(artifact: Path, episodes: EpisodeWindows) -> None:
    (artifact / "predict.onnx").write_bytes(b"damaged")
    with pytest.raises(CellError, match=r"the runner failed: .*predict\.onnx is not the file that the manifest names") as error:
        run_on_host(artifact, episodes, QUICK)
    assert "\n" not in str(error.value)


def test_an_artifact_that_is_not_there_is_bad_input(tmp_path: Path, episodes: EpisodeWindows) -> None:
    with pytest.raises(DataError, match="cannot read"):
        run_on_host(tmp_path / "nothing", episodes, QUICK)


def fake_runner(path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    path.write_text(program)
    monkeypatch.setattr(host, "RUNNER", path)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(30)", "did not end within 0.5 s"),
        ("import sys; sys.exit(7)", "ended with exit code 7 and said nothing"),
        ("print('{}')", "no result that can be read"),
        ("", "no result that can be read"),
        ("raise SystemError('strange')", "the runner failed: SystemError: strange"),
    ],
)
def test_a_runner_that_breaks_is_an_error_of_the_cell(
    artifact: Path, episodes: EpisodeWindows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    fake_runner(tmp_path / "fake.py", monkeypatch, program)
    with pytest.raises(CellError, match=message):
        run_on_host(artifact, episodes, QUICK, time_limit_s=0.5 if "sleep" in program else 30)


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_runner_that_is_killed_is_said_to_be(
    artifact: Path, episodes: EpisodeWindows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_runner(tmp_path / "fake.py", monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(CellError, match="killed by SIGKILL"):
        run_on_host(artifact, episodes, QUICK)


# what is read back


SAID = {"void": "", "notes": {}, "load_s": 0.1, "first_s": 0.1, "peak_rss_bytes": 1000}


def result(**changed: object) -> dict[str, Any]:
    logits = np.tile(np.array([0, 2, 1], np.float32), (2, 15, 1))
    return {
        "predictions": np.ones((2, 15), np.int64),
        "logits": logits,
        "finetune_s": np.ones(2),
        "latency_s": np.ones(25),
        "network_s": np.ones(25),
        **changed,
    }


def test_a_result_in_order_is_taken(tmp_path: Path, episodes: EpisodeWindows) -> None:
    np.savez(tmp_path / "out.npz", **result())
    found = read_result(
        "a warning\n" + json.dumps({**SAID, "void": "cached", "peak_rss_bytes": None}), tmp_path / "out.npz", episodes, QUICK, WAYS
    )
    assert found.void == "cached"
    assert found.peak_rss_bytes is None


@pytest.mark.parametrize(
    ("arrays", "said", "message"),
    [
        ({"predictions": np.ones((2, 14), np.int64)}, {}, r"predictions as int64 \(2, 14\) instead of \(2, 15\)"),
        ({"predictions": np.ones((2, 15))}, {}, "predictions as float64"),
        ({"predictions": np.full((2, 15), 7)}, {}, "not its own logits' largest"),
        ({"logits": np.ones((2, 15, 4), np.float32)}, {}, "logits as float32"),
        ({"logits": np.full((2, 15, 3), np.nan, np.float32)}, {}, "logits that are not finite"),
        ({"latency_s": np.ones(24)}, {}, "latency_s as"),
        ({"latency_s": np.full(25, -1.0)}, {}, "latency_s that are not positive"),
        ({"finetune_s": np.array([1.0, np.inf])}, {}, "finetune_s that are not finite"),
        ({"network_s": np.array([{}] * 25, dtype=object)}, {}, "no result that can be read"),
        ({}, {"load_s": None}, "load_s as None"),
        ({}, {"first_s": float("nan")}, "first_s as nan"),
    ],
)
def test_a_result_that_cannot_be_true_is_refused(
    tmp_path: Path, episodes: EpisodeWindows, arrays: dict[str, Any], said: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "out.npz", **result(**arrays))
    with pytest.raises(CellError, match=message):
        read_result(json.dumps({**SAID, **said}), tmp_path / "out.npz", episodes, QUICK, WAYS)


def test_a_result_without_an_audit_is_void(tmp_path: Path, episodes: EpisodeWindows) -> None:
    np.savez(tmp_path / "out.npz", **result())
    said = {name: value for name, value in SAID.items() if name != "void"}
    assert read_result(json.dumps(said), tmp_path / "out.npz", episodes, QUICK, WAYS).void == "no audit was reported"


# the lock


@contextmanager
def another_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until a line comes on its standard input."""
    program = "import sys, pathlib; from faultbench.measuring.lock import machine_lock\n"
    program += "with machine_lock(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.kill()


def test_two_processes_measure_one_after_the_other_and_waiting_says_so(own_lock: Path) -> None:
    said: list[str] = []
    with another_holder(own_lock) as other:

        def tell_and_let_go(line: str) -> None:
            said.append(line)
            assert other.stdin
            other.stdin.write("go\n")
            other.stdin.flush()

        with machine_lock(own_lock, tell_and_let_go):
            pass
    assert len(said) == 1
    assert "another measurement holds this machine" in said[0]


def test_a_lock_that_is_free_says_nothing_and_may_be_taken_twice_by_one_thread() -> None:
    said: list[str] = []
    with machine_lock(say=said.append), machine_lock(say=said.append):
        pass
    assert said == []


def test_another_thread_of_the_same_process_waits(own_lock: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with machine_lock(own_lock, lambda _: waiting.set()):
            order.append("second")

    with machine_lock(own_lock):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_a_holder_that_was_killed_holds_nothing(own_lock: Path) -> None:
    said: list[str] = []
    with another_holder(own_lock) as other:
        other.kill()
        other.wait()
        with machine_lock(own_lock, said.append):
            assert said == []


@pytest.mark.skipif(os.name == "nt", reason="needs file modes")
def test_every_user_may_open_the_lock(own_lock: Path) -> None:
    before = os.umask(0o077)
    try:
        with machine_lock(own_lock):
            assert own_lock.stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)


def test_a_lock_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CellError, match="cannot lock"), machine_lock(tmp_path / "file" / "lock"):
        pass


def test_the_lock_does_not_follow_one_users_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tmp_path not in lock_path().parents


# the device


def test_the_host_is_named_counted_and_fingerprinted() -> None:
    found = probe_host()
    assert found.cpu
    assert found.cores >= 1
    assert found.memory_bytes > 2**28
    assert set(found.versions) == {"python", "numpy", "onnxruntime"}
    assert re.fullmatch("[0-9a-f]{64}", found.fingerprint)
    assert found == probe_host()


def test_whatever_can_change_a_time_changes_the_fingerprint_and_the_name_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    before = probe_host().fingerprint
    monkeypatch.setattr(device.platform, "node", lambda: "another")
    assert probe_host().fingerprint == before
    for module, name, value in (
        (device.platform, "machine", "m68k"),
        (device.os, "cpu_count", 77),
        (device.platform, "platform", "Plan 9"),
        (device.importlib.metadata, "version", "99.0"),
        (device, "_cpuinfo", {"model name": "AMD EPYC", "flags": "fewer"}),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, lambda *_, value=value: value)
            assert probe_host().fingerprint != before, name


@pytest.mark.parametrize(
    ("text", "cpu"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu\n\nprocessor\t: 1\nmodel name\t: other\n", "AMD EPYC"),
        ("processor\t: 0\nBogoMIPS\t: 38.40\nCPU part\t: 0xd03\n\nModel\t\t: Raspberry Pi 3 Model B\n", "Raspberry Pi 3 Model B"),
    ],
)
def test_a_processor_is_called_what_proc_calls_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cpu: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(device, "_CPUINFO", tmp_path / "cpuinfo")
    assert probe_host().cpu == cpu


def test_a_system_without_proc_is_still_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_CPUINFO", tmp_path / "none")
    assert probe_host().cpu


# the summary of times


def test_a_summary_of_times_is_of_observed_times_in_the_unit_asked_for() -> None:
    seconds = np.arange(1, 101) / 1000
    assert times(seconds, "ms") == pytest.approx({"min": 1, "p50": 51, "p90": 91, "p99": 100, "n": 100})
    assert times(seconds) == pytest.approx({"min": 0.001, "p50": 0.051, "p90": 0.091, "p99": 0.1, "n": 100})


def test_no_times_have_no_summary() -> None:
    assert times(np.empty(0)) is None


def test_describing_the_machine_imports_neither_torch_nor_onnxruntime() -> None:
    program = "import sys; from faultbench.api import probe_host, run_on_host; probe_host()\n"
    program += "print({'torch', 'onnxruntime', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
