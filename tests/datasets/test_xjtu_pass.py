"""The pass over the XJTU-SY files: it goes on where it was interrupted, and the size of the set does not tell in its memory."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("xjtu_layout", Path(__file__).with_name("xjtu_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "xjtu_ingest.py"

WITH_PAUSES = """
import sys, time
import faultbench_datasets.xjtu_sy as xjtu
look = xjtu._looked_at
def slow(path):
    found = look(path)
    sys.stdout.write(path.name + "\\n")
    sys.stdout.flush()
    time.sleep(0.03)
    return found
xjtu._looked_at = slow
print(xjtu.XjtuSy(data_dir=sys.argv[1]).catalogue().digest)
"""


def start(folder: Path, cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "FAULTBENCH_CACHE": str(cache)}
    command = [sys.executable, "-c", WITH_PAUSES, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_a_pass_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    layout.write_tree(tmp_path / "xjtu_sy", bearings=("1_1", "1_4"))
    first = start(tmp_path, tmp_path / "cache")
    assert first.stdout is not None
    for _ in range(12):
        first.stdout.readline()
    first.send_signal(signal.SIGINT)
    said, error = first.communicate(timeout=60)
    assert "KeyboardInterrupt" in error
    begun = 12 + len(said.split())
    assert begun < 38
    *looked_at, digest = start(tmp_path, tmp_path / "cache").communicate(timeout=60)[0].split()
    # what ran when the signal came may be read again: no more than there are threads, and two for each in waiting
    assert 38 - begun <= len(looked_at) <= 38 - begun + 12
    *looked_at, again = start(tmp_path, tmp_path / "cache").communicate(timeout=60)[0].split()
    assert (looked_at, again) == ([], digest)
    *looked_at, fresh = start(tmp_path, tmp_path / "another").communicate(timeout=60)[0].split()
    assert (len(looked_at), fresh) == (38, digest)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is known from /proc")
def test_a_set_far_larger_than_the_memory_it_may_take_is_taken_in(tmp_path: Path) -> None:
    layout.write_tree(tmp_path / "xjtu_sy", minutes=60, onset=30)
    command = [sys.executable, str(BENCHMARK), "--child", "ingest", str(tmp_path)]
    environment = {**os.environ, "FAULTBENCH_CACHE": str(tmp_path / "cache")}
    said = json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=280).stdout)
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.csv")) > 1_000_000_000
    assert said["peak"] < 300_000_000  # a third of what is allowed: the bound is that of pieces and some files, whatever the set
