"""How many changed copies of real signals the leak audit's search misses, what it finds among untouched ones, and how long it takes.

    python benchmarks/audit_copies.py [--datasets cwru,uestc] [--seed 0] [--json benchmarks/audit_copies.json]

Every channel of every recording is searched for copies as it is (`untouched`: what is found there are copies within the source, or
false alarms). Then a stretch of each (4,096 samples or more, from a random place) is added once for each of the changes: as it is, at
another gain, turned round, with an offset, in m/s2 for g, and rounded to 16 bits of twice the signal's range. A changed copy that is not
linked to its original is a miss.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from faultbench.data.anchors import copies
from faultbench.registry import Registry, make

LEAST = 4096
STANDARD_GRAVITY = 9.80665


def rounded(signal):
    """To 16 bits, as a recorder with twice the signal's range does."""
    step = 4 * np.abs(signal).max() / 2**16
    return (np.round(signal / step) * step).astype(np.float32)


CHANGES = {
    "as it is": lambda signal: signal,
    "gain 0.37": lambda signal: signal * np.float32(0.37),
    "turned round": lambda signal: -signal,
    "offset": lambda signal: signal + np.float32(0.3) * np.abs(signal).max(),
    "m/s2": lambda signal: signal * np.float32(STANDARD_GRAVITY),
    "16 bits": rounded,
}


def main():
    """Prints and stores the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", default="cwru,uestc")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    said = {}
    for name in args.datasets.split(","):
        said[name] = one = counted(name, np.random.default_rng(args.seed))
        print(f"{name}: {one['signals']} signals, {one['samples'] / 1e6:.1f} million samples, searched in {one['seconds']:.1f} s")
        print(f"  untouched: {len(one['found_untouched'])} pairs of different recordings found {one['found_untouched'] or ''}")
        for change, missed in one["missed"].items():
            print(f"  {change}: {missed} of {one['signals']} copies missed")
    if args.json:
        args.json.write_text(json.dumps({"seed": args.seed, "least_samples": LEAST, "datasets": said}, indent=1) + "\n")


def counted(name, random):
    """What is found and missed in one data set."""
    dataset = make(Registry.discover(plugins=False).choose("datasets", name), data_dir=None)
    owners, signals = [], []
    for recording in dataset.catalogue().recordings:
        for channel in recording.channels:
            signals.append(dataset.read(recording, channel.name))
            owners.append(recording.id)
    began = time.perf_counter()
    found = copies(signals, signals.__getitem__)
    seconds = time.perf_counter() - began
    missed = {}
    for change, changed in CHANGES.items():
        added = []
        for signal in signals:
            start = int(random.integers(0, max(len(signal) - LEAST, 0) + 1))
            added.append(changed(signal[start : start + int(random.integers(LEAST, len(signal) + 1))]).astype(np.float32))
        both = signals + added
        group = linked(len(both), copies(both, both.__getitem__))
        missed[change] = sum(group[i] != group[len(signals) + i] for i in range(len(signals)))
    return {
        "signals": len(signals),
        "samples": sum(map(len, signals)),
        "seconds": seconds,
        "found_untouched": sorted({(owners[a], owners[b]) for a, b in found if owners[a] != owners[b]}),
        "missed": missed,
    }


def linked(count, pairs):
    """The group of each signal, where pairs are of one."""
    group = list(range(count))
    for a, b in pairs:
        old, new = group[b], group[a]
        group = [new if one == old else one for one in group]
    return group


if __name__ == "__main__":
    main()
