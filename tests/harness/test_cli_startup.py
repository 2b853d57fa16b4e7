"""The command answers at once because it imports little. Wall times are for benchmarks; what is imported is a claim."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "pytorch_lightning",
    "lightning",
    "torchmetrics",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "pandas",
    "scipy",
    "numpy",
    "sklearn",
    "matplotlib",
}
SLOW = {"rich", "pydantic", "platformdirs", "sqlite3", "asyncio", "jsonschema"}

REPORT = """
import sys
from faultbench.cli import main
{before}
code = main(sys.argv[1:])
print("MODULES", *sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
sys.exit(code)
"""


def imported(*words: str, before: str = "") -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(before=before), *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("run", "--help"),
        ("data", "check", "--help"),
        ("show", "--help"),
        ("compare", "--help"),
        ("explain", "--help"),
        ("results", "list", "--help"),
        ("cache", "trim", "--help"),
        ("schema", "--help"),
        ("data", "--help"),
        ("data", "get", "--help"),
        ("data", "audit", "--help"),
        ("data", "plot", "--help"),
        ("list",),
        ("list", "learners"),
        ("list", "compressors", "prune40"),
        ("new", "plugin", "--help"),
    ],
)
def test_what_answers_at_once_imports_nothing_heavy(words):
    modules = imported(*words)
    assert "faultbench" in modules
    assert not modules & (HEAVY | SLOW)


def test_the_list_of_data_sets_imports_neither_what_learns_nor_what_downloads():
    assert not imported("data", "list") & (HEAVY - {"numpy"} | {"pooch", "requests", "rich"})


def test_the_guard_sees_a_heavy_import():
    assert "numpy" in imported("--version", before="import numpy")


def test_completion_imports_nothing_heavy():
    script = REPORT.format(before="import atexit; atexit.register(lambda: print('MODULES', *sys.modules, file=sys.stderr))")
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"_FAULTBENCH_COMPLETE": "complete_bash", "COMP_WORDS": "faultbench run -l maml,c", "COMP_CWORD": "3"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["maml,cnn", "maml,centroid"]
    assert not set(done.stderr.rpartition("MODULES ")[2].split()) & HEAVY
