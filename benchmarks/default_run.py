"""The default command from an empty cache, twice, then with a full cache, and `--quick`: wall times, and whether the metrics repeat.

    python benchmarks/default_run.py [--json benchmarks/default_run.json]

The two runs from empty caches must give the same rows to the last digit, apart from times and what follows from them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [str(Path(sys.executable).parent / "faultbench"), "run", "--learner", "maml", "--compressor", "prune40"]
REPEATED = ("accuracy", "accuracy_faults", "recall", "false_alarm", "missed_alarm", "bearings", "per_bearing", "classes", "confusion")
"""What of a row may not change between two runs."""


def run(folder, *options):
    """Seconds and the row of one run with its cache and store in `folder`."""
    out = folder / "out.json"
    environment = {**os.environ, "FAULTBENCH_CACHE": str(folder / "cache"), "FAULTBENCH_RESULTS": str(folder / "results")}
    began = time.perf_counter()
    subprocess.run([*COMMAND, *options, "--json", str(out)], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, json.loads(out.read_text())["rows"][0]


def main():
    """Prints and stores what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other, tempfile.TemporaryDirectory() as third:
        empty_s, first = run(Path(one))
        full_s, _ = run(Path(one))
        again_s, second = run(Path(other))
        quick_s, quick = run(Path(third), "--quick")
    differing = [name for name in REPEATED if first.get(name) != second.get(name)]
    found = {
        "empty_cache_s": [empty_s, again_s],
        "full_cache_s": full_s,
        "quick_s": quick_s,
        "differing": differing,
        "accuracy": first["accuracy"],
        "recall": first["recall"],
        "bearings": first["bearings"],
        "quick_accuracy": quick["accuracy"],
    }
    print(json.dumps(found, indent=1))
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
