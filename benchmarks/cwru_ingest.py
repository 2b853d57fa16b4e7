"""How long the first and the next reading of the CWRU records takes, beside `scipy.io.loadmat` in a loop.

    python benchmarks/cwru_ingest.py --data DIR [--as-published] [--rounds 9] [--json benchmarks/cwru_ingest.json]

In alternating rounds, each in a fresh process:

- *bare*: `scipy.io.loadmat` of every file that the data set reads at 12 kHz, one after the other. Nothing is checked or kept.
- *cold*: the product with an empty cache: the catalogue (every file hashed, its headers checked), then the stage `ingest` (every file
  hashed and parsed, unknown ones in the child process; healthy records decimated; every signal checked, written and flushed to the
  disk, with digests).
- *cold, known*: the same, as if all files were official ones, which are known by their digests and parsed in the process.
- *warm*: the same again with a filled cache: catalogue, key, look-up, mapping, and a window of 2,048 samples read from every recording.

A round's *process* time runs from the start of the process to its end, so that it holds Python's start and the imports on both sides, and
the child's start on one; *inside* runs from behind the imports; *busy* is the time of all processors that the process and its children
used, which other work on the machine changes less. The files are in the system's page cache on all sides. Prints medians over rounds,
and the ratios of cold to bare.

The caches of all rounds (100 MB and 215 files each) are removed at the end. Ext4 without a journal does not use a deleted file's inode
again for one minute or more (`recently_deleted` in the kernel's fs/ext4/ialloc.c), and steps over each of them whenever a file is created.
Were caches removed after each round, as this benchmark once did, a later round would pay for an earlier one. Where creating a file takes
far more than 50 us, which is printed, thousands were deleted shortly before: wait some minutes, and begin again.

With `--as-published`, the files are first saved again in the way in which the source publishes most of them: not compressed, three signals
a file. `loadmat` then does little but copy, and what is left of a cold start is what it does not do: digests, checks, a durable copy.
"""

import argparse
import hashlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WINDOW = 2048


def bare(files):
    """Everybody's loop."""
    import scipy.io

    began = time.perf_counter()
    for file in files:
        scipy.io.loadmat(file)
    return {"inside": time.perf_counter() - began}


def product(data, known=frozenset()):
    """Catalogue and stage; where the cache is filled, catalogue and a window of every recording."""
    import faultbench_datasets.cwru
    from faultbench.data.split import Pool
    from faultbench.matrix import stages
    from faultbench.matrix.cache import Cache
    from faultbench.matrix.graph import Stage
    from faultbench.matrix.keys import key_of
    from faultbench.matrix.signals import PoolSignals
    from faultbench.matrix.stages import ingest  # noqa: F401 - imported as the run imports it
    from faultbench.matrix.workers import perform
    from faultbench.registry import Registry, make

    if known:
        faultbench_datasets.cwru.known_digests = lambda: known
    chosen = Registry.discover(plugins=False).choose("datasets", "cwru")
    cache = Cache()
    began = time.perf_counter()
    catalogue = make(chosen, data_dir=data).catalogue()
    catalogued = time.perf_counter()
    params = {"dataset": chosen, "catalogue": catalogue.digest}
    key = key_of(stages.INGEST, params, {})
    value = cache.get(key)
    if value is None:
        done = perform(Stage(key, "ingest", "ingest", stages.INGEST.function, params, {}, {"data_dir": data}), {}, cache, lambda *_: None)
        assert done.failure is None, done.failure
        return {"inside": time.perf_counter() - began, "catalogue": catalogued - began}
    recordings = catalogue.recordings
    none = ("",) * len(recordings)
    signals = PoolSignals(value, Pool(recordings, tuple((r.channels[0].name,) for r in recordings), none, none, none, together=False))
    total = sum(float(signal[:WINDOW].sum()) for signal in signals.values())
    assert len(signals) == len(recordings), (len(signals), len(recordings))
    inside = time.perf_counter() - began
    return {"inside": inside, "catalogue": catalogued - began, "recordings": len(signals), "sum": total}


def main():
    """Prints and stores the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("FAULTBENCH_DATA"), help="the folder that holds cwru/97.mat")
    parser.add_argument("--as-published", action="store_true", help="not compressed, with a third signal")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.data is None:
        parser.error("give --data, or set FAULTBENCH_DATA")
    if args.child:
        given = json.load(sys.stdin)
        print(json.dumps(WAYS[args.child](args.data, list(map(Path, given["files"])), frozenset(given["digests"]))))
        return
    with tempfile.TemporaryDirectory() as published:
        if args.as_published:
            save_as_published(files_of(args.data), Path(published) / "cwru")
            args.data = Path(published)
        said = compared(args.data, args.rounds) | {"as_published": args.as_published}
    if args.json:
        args.json.write_text(json.dumps(said, indent=1) + "\n")


def compared(data, rounds):
    """Every way, in alternating rounds; prints."""
    files = files_of(data)
    found = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.json"
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        given.write_text(json.dumps({"files": list(map(str, files)), "digests": digests}))
        create_us = [creation_us(Path(folder) / "before")]
        run("cold", data, given, Path(folder) / "kept")
        for turn in range(rounds):
            for name, runs in found.items():
                cache = Path(folder) / ("kept" if name == "warm" else f"{name}-{turn}")
                runs.append(run(name, data, given, cache))
        create_us.append(creation_us(Path(folder) / "after"))
    parts = ("process", "inside", "catalogue", "busy")
    medians = {
        name: {part: statistics.median(one[part] for one in runs) for part in parts if part in runs[0]} for name, runs in found.items()
    }
    ratios = {
        name: {part: medians[name][part] / medians["bare"][part] for part in ("process", "inside", "busy")}
        for name in ("cold", "cold, known")
    }
    for name, times in medians.items():
        print(f"{name:11s}", "  ".join(f"{part} {seconds:.3f} s" for part, seconds in times.items()))
    for name, by in ratios.items():
        print(f"{name} / bare:", "  ".join(f"{part} {ratio:.2f}" for part, ratio in by.items()))
    print("creating a file:", ", ".join(f"{us:.0f} us {when}" for us, when in zip(create_us, ("before", "after"), strict=True)))
    said = {"files": len(files), "bytes": sum(file.stat().st_size for file in files), "recordings": found["warm"][0]["recordings"]}
    said |= {"rounds": rounds, "cores": os.cpu_count(), "load_average": os.getloadavg()[0], "versions": versions(), "create_us": create_us}
    return said | {"median_s": medians, "to_bare": ratios}


def creation_us(folder, files=200):
    """How long creating an empty file takes there, microseconds."""
    folder.mkdir()
    began = time.perf_counter()
    for number in range(files):
        (folder / str(number)).touch()
    return (time.perf_counter() - began) / files * 1e6


def save_as_published(files, folder):
    """Copies that are not compressed, each with a third signal where it has two, as the source's have."""
    import scipy.io

    folder.mkdir()
    for file in files:
        held = {name: value for name, value in scipy.io.loadmat(file).items() if not name.startswith("__")}
        signals = [name for name, value in held.items() if value.size > 1]
        if len(signals) > 1:
            held["third"] = held[signals[0]]
        scipy.io.savemat(folder / file.name, held, do_compression=False)


WAYS = {
    "bare": lambda _, files, __: bare(files),
    "cold": lambda data, _, __: product(data),
    "cold, known": lambda data, _, digests: product(data, digests),
    "warm": lambda data, _, __: product(data),
}


def run(name, data, given, cache):
    """One round of one way, in a process of its own; `busy` is what it and its children used of the processors."""
    command = [sys.executable, __file__, "--child", name, "--data", str(data)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with given.open("rb") as stdin:
        began = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, "FAULTBENCH_CACHE": str(cache)}, stdin=stdin, stdout=subprocess.PIPE, check=True)
        process = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {"process": process, "busy": busy, **json.loads(done.stdout)}


def files_of(data):
    """The files that the data set reads at 12 kHz."""
    from faultbench_datasets.cwru.records import records

    wanted = [record.number for record in records() if record.rate_khz == 12 or record.element == "healthy"]
    return [path for number in wanted if (path := data / "cwru" / f"{number}.mat").exists()]


def versions():
    """What was compared."""
    from importlib.metadata import version

    return {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy", "deflate")}}


if __name__ == "__main__":
    main()
