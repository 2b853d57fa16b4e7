"""Runs an artifact on this machine, in a process of its own, and reads back what came out."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.artifact.reader import read_manifest
from faultbench.errors import CellError
from faultbench.measuring.device import probe_host
from faultbench.measuring.lock import machine_lock
from faultbench.measuring.target import EpisodeWindows, Measurement, Timing

RUNNER = Path(__file__).parent.parent / "artifact" / "runner.py"
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Libraries that start as many threads as there are cores unless told otherwise."""


def run_on_host(
    artifact: Path, episodes: EpisodeWindows, timing: Timing, *, env: Mapping[str, str] | None = None, time_limit_s: float = 3600.0
) -> Measurement:
    """A measurement by `runner.py` in a child process, kept to one core per thread, while this process holds the machine's lock.

    Args:
        artifact: The artifact's folder.
        episodes: What to adapt to and predict.
        timing: How long to measure.
        env: Environment variables beyond this process's own.
        time_limit_s: After which the child is stopped, its waiting for the lock not counted.

    Raises:
        CellError: It did not run, or returned something else than it should; the message holds what the runner said last.
        DataError: The artifact cannot be read.
    """
    ways = read_manifest(artifact).ways
    with tempfile.TemporaryDirectory(prefix="faultbench-") as folder:
        given, out = Path(folder) / "episodes.npz", Path(folder) / "out.npz"
        save_episodes(given, episodes)
        command = [sys.executable, "-P", str(RUNNER), str(artifact), str(given), "--out", str(out), "--threads", str(timing.threads)]
        command += ["--warmup", str(timing.warmup), "--queries", str(timing.queries), "--audit-rounds", str(timing.audit_rounds)]
        if cores := _cores(timing.threads):
            command += ["--cpu", ",".join(map(str, cores))]
        pools = dict.fromkeys(_POOLS, str(timing.threads))
        with machine_lock():
            stdout = _run(command, {**os.environ, **pools, **(env or {})}, time_limit_s)
        return read_result(stdout, out, episodes, timing, ways)


def save_episodes(path: Path, episodes: EpisodeWindows) -> None:
    """Episodes as the runner reads them."""
    arrays = {
        "windows": np.asarray(episodes.windows, np.float32),
        "support": episodes.support,
        "support_labels": episodes.support_labels,
        "query": episodes.query,
    }
    for name, value in (("speed_rpm", episodes.speed_rpm), ("orders", episodes.orders)):
        if value is not None:
            arrays[name] = np.asarray(value, np.float32)
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's own signature


def read_result(stdout: str, out: Path, episodes: EpisodeWindows, timing: Timing, ways: int) -> Measurement:
    """What a runner printed and wrote, checked: a device may be broken, or lie.

    Raises:
        CellError: Something is missing, of another shape, out of range or not finite.
    """
    try:
        said = json.loads(stdout.strip().splitlines()[-1])
        with np.load(out, allow_pickle=False) as found:
            arrays = {name: found[name] for name in ("predictions", "logits", "finetune_s", "latency_s", "network_s")}
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise CellError(f"the runner returned no result that can be read ({error}): run it by hand to see why") from error
    count = episodes.query.shape
    _require(isinstance(said, dict), "a summary that is no table")
    for name, kind, shape in (
        ("predictions", "i", count),
        ("logits", "f", (*count, ways)),
        ("finetune_s", "f", count[:1]),
        ("latency_s", "f", (timing.queries,)),
        ("network_s", "f", (timing.queries,)),
    ):
        value = arrays[name]
        _require(value.dtype.kind == kind and value.shape == shape, f"{name} as {value.dtype} {value.shape} instead of {shape}")
        _require(bool(np.isfinite(value).all()), f"{name} that are not finite")
        _require(not name.endswith("_s") or bool((value > 0).all()), f"{name} that are not positive")
    predictions, logits = arrays["predictions"].astype(np.int64), arrays["logits"].astype(np.float32)
    _require(np.array_equal(predictions, logits.argmax(2)), "predictions that are not its own logits' largest")
    return Measurement(
        kind="measured",
        device=probe_host(),
        predictions=predictions,
        logits=logits,
        finetune_s=_seconds(arrays["finetune_s"]),
        latency_s=_seconds(arrays["latency_s"]),
        network_s=_seconds(arrays["network_s"]),
        load_s=_positive(said, "load_s"),
        first_s=_positive(said, "first_s"),
        peak_rss_bytes=int(_positive(said, "peak_rss_bytes")) if said.get("peak_rss_bytes") is not None else None,
        void=str(said.get("void", "no audit was reported")),
        notes={str(name): str(value) for name, value in dict(said.get("notes", {})).items()},
    )


def _run(command: list[str], env: Mapping[str, str], time_limit_s: float) -> str:
    """What the child printed.

    Raises:
        CellError: It took too long, was killed, or ended with an error.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(env),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=time_limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CellError(f"the runner did not end within {time_limit_s:g} s: measure fewer episodes or queries") from error
    except OSError as error:
        raise CellError(f"the runner did not start ({error.strerror}): check {command[0]}") from error
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name if -done.returncode in set(signal.Signals) else str(-done.returncode)
        raise CellError(f"the runner was killed by {name}: often the system, for want of memory")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with exit code {done.returncode} and said nothing"])[-1]
        raise CellError(f"the runner failed: {last.removeprefix('error: ')}")
    return done.stdout


def _cores(threads: int) -> list[int]:
    """The cores to keep to, one per thread: the highest allowed ones, since interrupts and other programs crowd the first.

    Empty where the system cannot pin a process.

    Raises:
        CellError: There are fewer cores than threads, so that times would be of threads waiting for one another.
    """
    pinnable = hasattr(os, "sched_getaffinity")
    allowed = sorted(os.sched_getaffinity(0)) if pinnable else list(range(os.cpu_count() or 1))
    if threads > len(allowed):
        raise CellError(f"{threads} threads on {len(allowed)} cores cannot be timed: ask for at most {len(allowed)}")
    return allowed[-threads:] if pinnable else []


def _require(fine: bool, what: str) -> None:
    if not fine:
        raise CellError(f"the runner returned {what}: check the artifact and the runner's version")


def _positive(said: Mapping[str, Any], name: str) -> float:
    value = said.get(name)
    _require(isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0, f"{name} as {value!r}")
    return float(said[name])


def _seconds(values: NDArray[Any]) -> NDArray[np.float64]:
    return values.astype(np.float64)
