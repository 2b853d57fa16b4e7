"""How fast XJTU-like csv files are read beside `pandas.read_csv` in a loop, a process each, and in how much memory.

    python benchmarks/xjtu_ingest.py [--files 64] [--rounds 5] [--json benchmarks/xjtu_ingest.json]

Makes files of the official layout (32,768 rows of two float32 printed with up to 17 digits, CR LF, 1.3 MB each) in a temporary
folder. In alternating rounds, each way reads all of them in a fresh process, after one file to warm up: pandas in a loop;
`read_csv` in a loop, one thread; and the pass that the data set makes over new files (up to four threads; RMS, digest and notes
included). Prints medians over rounds, their ratios to pandas, and the peak memory of the whole process, imports included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from faultbench.api import noted, read_csv
from faultbench_datasets.xjtu_sy import HEADER, SAMPLES, _looked_at

SEED = 35_012


def by_pandas(files):
    """What everybody does."""
    return [pd.read_csv(file).shape for file in files]


def by_read_csv(files):
    """The reader alone."""
    return [read_csv(file, HEADER, SAMPLES).shape for file in files]


def by_pass(files):
    """What the data set does with files that it has not seen."""
    return noted("bench", str(len(files)), files, _looked_at)


WAYS = {"pandas.read_csv": by_pandas, "read_csv": by_read_csv, "the data set's pass": by_pass}


def main():
    """Prints and stores the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measured(WAYS[args.child[0]], Path(args.child[1]))))
        return
    found = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        size = sum(write(Path(folder) / f"{number}.csv", number) for number in range(args.files))
        for turn in range(args.rounds):
            for name in WAYS:
                environment = {**os.environ, "FAULTBENCH_CACHE": str(Path(folder) / f"cache{turn}")}
                command = [sys.executable, __file__, "--child", name, folder]
                found[name].append(json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout))
    medians = {name: statistics.median(seconds for seconds, _ in runs) for name, runs in found.items()}
    memory = {name: max(peak for _, peak in runs) for name, runs in found.items()}
    ratios = {name: medians["pandas.read_csv"] / median for name, median in medians.items()}
    for name, median in medians.items():
        speed = f"{1e3 * median / args.files:6.2f} ms a file   {size / median / 1e6:5.0f} MB/s   {ratios[name]:.2f} x pandas"
        print(f"{name:20s} {speed}   {memory[name] / 2**20:4.0f} MiB")
    if args.json:
        said = {"files": args.files, "rounds": args.rounds, "cores": os.cpu_count(), "pandas": pd.__version__, "numpy": np.__version__}
        said |= {"bytes": size, "median_s": medians, "times_as_fast_as_pandas": ratios, "peak_memory_bytes": memory}
        args.json.write_text(json.dumps(said, indent=1) + "\n")


def measured(way, folder):
    """Seconds, and the peak of the whole process's memory, in bytes."""
    files = sorted(folder.glob("*.csv"))
    way(files[:1])
    began = time.perf_counter()
    way(files)
    return time.perf_counter() - began, peak_bytes()


def write(path, number):
    """A file of noise in the official layout; its bytes."""
    values = 0.5 * np.random.default_rng([SEED, number]).standard_normal((SAMPLES, len(HEADER)))
    rows = values.astype(np.float32).astype(np.float64).tolist()
    return path.write_bytes(("\r\n".join([",".join(HEADER), *(f"{h!r},{v!r}" for h, v in rows)]) + "\r\n").encode())


def peak_bytes():
    """The most memory that this process had so far (Linux; `ru_maxrss` would count what the parent had)."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
