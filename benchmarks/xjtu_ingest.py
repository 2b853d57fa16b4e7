"""How fast XJTU-like csv files are read beside `pandas.read_csv` in a loop and beside other libraries, and in how much memory.

    python benchmarks/xjtu_ingest.py [--files 512] [--rounds 9] [--minutes 60] [--json benchmarks/xjtu_ingest.json]

Makes files of the official layout (32,768 rows of two float32 printed with up to 17 digits, CR LF, 1.3 MB each) in a temporary
folder. In alternating rounds, each way reads all of them in a fresh process, after one file to warm up: pandas in a loop; pyarrow and
polars, where they are installed, each with one thread and with as many as they take; `read_csv` in a loop, and in the threads that a
data set's pass takes; and that pass over new files (RMS, digest and notes included). Of the libraries nothing is asked but the table as
float64; `read_csv` checks every character and gives float32. Prints medians over rounds, their ratios to pandas, the time that the
processor was busy (which other work on the machine changes less), and the peak memory of the whole process, imports included. The
set has 9,216 files; with 64 of them, what threads cost to begin with is a fifth of a pass.

With `--minutes`, fifteen bearings of so many minutes are then written in the official tree (a file takes 1.3 MB) and taken in by the
data set: the pass of the catalogue, the stage `ingest`, and the catalogue again in a process that finds the notes.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np

SEED = 35_012
AT_ONCE = 16
"""Files that polars gets at a time: with all of them, its memory would not be bounded."""


def by_pandas(files):
    """What everybody does."""
    import pandas as pd

    return [pd.read_csv(file).shape for file in files]


def by_pyarrow(files, threads):
    """Its csv reader, told what the columns are."""
    import pyarrow as pa
    from pyarrow import csv

    from faultbench_datasets.xjtu_sy import HEADER

    read = csv.ReadOptions(use_threads=False, block_size=1 << 18)
    parse = csv.ParseOptions(quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=False)
    convert = csv.ConvertOptions(column_types={name: pa.float64() for name in HEADER}, null_values=[], strings_can_be_null=False)

    def one(file):
        return csv.read_csv(file, read, parse, convert).shape

    if threads == 1:
        return list(map(one, files))
    with ThreadPoolExecutor(threads) as pool:  # more than threads within a file of 1.3 MB give
        return list(pool.map(one, files))


def by_polars(files, _):
    """Its lazy reader, told what the columns are; the environment says how many threads it may take."""
    import polars as pl

    from faultbench_datasets.xjtu_sy import HEADER

    schema = dict.fromkeys(HEADER, pl.Float64)
    batches = [files[at : at + AT_ONCE] for at in range(0, len(files), AT_ONCE)]
    return [pl.scan_csv(batch, schema=schema, quote_char=None).collect().shape for batch in batches]


def by_read_csv(files, threads):
    """The reader alone."""
    from faultbench.api import read_csv
    from faultbench_datasets.xjtu_sy import HEADER, SAMPLES

    if threads == 1:
        return [read_csv(file, HEADER, SAMPLES).shape for file in files]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda file: read_csv(file, HEADER, SAMPLES).shape, files))


def by_pass(files):
    """What the data set does with files that it has not seen."""
    from faultbench.api import noted
    from faultbench_datasets.xjtu_sy import _looked_at

    return noted("bench", str(len(files)), files, _looked_at)


THREADS = min(4, os.cpu_count() or 1)
WAYS = {
    "pandas.read_csv": by_pandas,
    "pyarrow, 1 thread": lambda files: by_pyarrow(files, 1),
    "pyarrow, threads": lambda files: by_pyarrow(files, THREADS),
    "polars, 1 thread": lambda files: by_polars(files, 1),
    "polars, threads": lambda files: by_polars(files, None),
    "read_csv, 1 thread": lambda files: by_read_csv(files, 1),
    "read_csv, threads": lambda files: by_read_csv(files, THREADS),
    "the data set's pass": by_pass,
}


def main():
    """Prints and stores the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--minutes", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        name, folder = args.child
        print(
            json.dumps(
                {"catalogue": catalogued, "ingest": ingested}[name](Path(folder)) if name not in WAYS else measured(WAYS[name], folder)
            )
        )
        return
    said = {"files": args.files, "rounds": args.rounds, "cores": os.cpu_count(), "threads": THREADS, "versions": versions()}
    said["load_average"] = os.getloadavg()[0]
    said |= compared(args.files, args.rounds)
    if args.minutes:
        said["whole_set"] = whole_set(args.minutes)
    if args.json:
        args.json.write_text(json.dumps(said, indent=1) + "\n")


def compared(count, rounds):
    """Every way, in alternating rounds; prints."""
    ways = [name for name in WAYS if not name.startswith(("pyarrow", "polars")) or importlib.util.find_spec(name.split(",")[0])]
    found = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        size = sum(write(Path(folder) / f"{number}.csv", number) for number in range(count))
        for turn in range(rounds):
            for name in ways:
                one = {"POLARS_MAX_THREADS": "1"} if name.endswith("1 thread") else {}
                found[name].append(child(name, folder, FAULTBENCH_CACHE=str(Path(folder) / f"cache{turn}"), **one))
    wall, busy, memory = ({name: [run[part] for run in runs] for name, runs in found.items()} for part in ("wall", "busy", "peak"))
    wall, busy = ({name: statistics.median(runs) for name, runs in part.items()} for part in (wall, busy))
    memory = {name: max(runs) for name, runs in memory.items()}
    ratios = {part: {name: times["pandas.read_csv"] / times[name] for name in ways} for part, times in (("wall", wall), ("busy", busy))}
    for name in ways:
        speed = f"{1e3 * wall[name] / count:6.2f} ms a file   {size / wall[name] / 1e6:5.0f} MB/s   {ratios['wall'][name]:.2f} x pandas"
        print(
            f"{name:20s} {speed}   busy {1e3 * busy[name] / count:5.2f} ms, {ratios['busy'][name]:.2f} x   {memory[name] / 2**20:4.0f} MiB"
        )
    return {"bytes": size, "median_s": wall, "busy_s": busy, "times_as_fast_as_pandas": ratios["wall"], "peak_memory_bytes": memory}


def whole_set(minutes):
    """Fifteen bearings, from csv to mapped arrays; prints."""
    layout = Path(__file__).parents[1] / "tests" / "datasets" / "xjtu_layout.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, layout, Path(folder) / "xjtu_sy", str(minutes)], check=True)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.csv"))
        runs = {
            name: child(name.split()[0], folder, FAULTBENCH_CACHE=str(Path(folder) / "cache")) for name in ("ingest", "catalogue again")
        }
    for name, run in runs.items():
        parts = "  ".join(f"{part} {seconds:.2f} s" for part, seconds in run.items() if part != "peak")
        print(f"{size / 1e9:.2f} GB, {name}: {parts}   {run['peak'] / 2**20:.0f} MiB at most")
    return {"minutes": minutes, "bytes": size, **runs}


def child(name, folder, **environment):
    """What a process of its own says of one way."""
    command = [sys.executable, __file__, "--child", name, folder]
    return json.loads(subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True).stdout)


def measured(way, folder):
    """Seconds, those in which the processor was busy, and the peak of the whole process's memory, in bytes."""
    files = sorted(Path(folder).glob("*.csv"))
    way(files[:1])
    wall, busy = time.perf_counter(), time.process_time()
    way(files)
    return {"wall": time.perf_counter() - wall, "busy": time.process_time() - busy, "peak": peak_bytes()}


def catalogued(folder):
    """The catalogue of a set."""
    from faultbench_datasets.xjtu_sy import XjtuSy

    began = time.perf_counter()
    XjtuSy(data_dir=folder).catalogue()
    return {"catalogue": time.perf_counter() - began, "peak": peak_bytes()}


def ingested(folder):
    """The catalogue of a set, and the stage behind it."""
    from faultbench.matrix import stages
    from faultbench.matrix.cache import Cache
    from faultbench.matrix.graph import Stage
    from faultbench.matrix.keys import key_of
    from faultbench.matrix.workers import perform
    from faultbench.registry import Registry, make

    chosen = Registry.discover(plugins=False).choose("datasets", "xjtu_sy")
    began = time.perf_counter()
    params = {"dataset": chosen, "catalogue": make(chosen, data_dir=folder).catalogue().digest}
    middle = time.perf_counter()
    key = key_of(stages.INGEST, params, {})
    done = perform(Stage(key, "ingest", "ingest", stages.INGEST.function, params, {}, {"data_dir": folder}), {}, Cache(), lambda *_: None)
    assert done.failure is None, done.failure
    return {"catalogue": middle - began, "ingest": time.perf_counter() - middle, "peak": peak_bytes()}


def write(path, number):
    """A file of noise in the official layout; its bytes."""
    from faultbench_datasets.xjtu_sy import HEADER, SAMPLES

    values = 0.5 * np.random.default_rng([SEED, number]).standard_normal((SAMPLES, len(HEADER)))
    rows = values.astype(np.float32).astype(np.float64).tolist()
    return path.write_bytes(("\r\n".join([",".join(HEADER), *(f"{h!r},{v!r}" for h, v in rows)]) + "\r\n").encode())


def peak_bytes():
    """The most memory that this process had so far (Linux; `ru_maxrss` would count what the parent had)."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def versions():
    """What was compared."""
    return {name: version(name) for name in ("numpy", "pandas", "pyarrow", "polars") if importlib.util.find_spec(name)}


if __name__ == "__main__":
    main()
