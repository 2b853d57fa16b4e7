"""How long the light commands take beside `pytest --version`, interleaved: medians over runs, and their ratio.

python benchmarks/startup.py [--runs 15] [--json benchmarks/startup.json]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
COMMANDS = {
    "pytest --version": [BIN / "pytest", "--version"],
    "faultbench --help": [BIN / "faultbench", "--help"],
    "faultbench list": [BIN / "faultbench", "list"],
}


def main():
    """Prints and stores the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    seconds = {name: [] for name in COMMANDS}
    for _ in range(args.runs + 1):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    ratios = {name: median / medians["pytest --version"] for name, median in medians.items()}
    for name, median in medians.items():
        print(f"{name:20s} {1e3 * median:6.0f} ms   {ratios[name]:.2f} x")
    if args.json:
        args.json.write_text(json.dumps({"runs": args.runs, "median_s": medians, "ratio": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
