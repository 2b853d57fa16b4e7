"""The same measurement, repeated: how far the times of one artifact on one machine lie apart, statistic by statistic.

    python benchmarks/timing_noise.py [--repeats 15] [--json benchmarks/timing_noise.json]

`faultbench compare` calls no change of a time below a floor (`FLOORS` in results/comparison.py), and compares no tail of a time whose p99
is far from its median (`BUSY`). A floor has to be above what the medians of repeated measurements differ by, or every comparison would
find a change. The load of the machine stands in the result: on a busy one the tails tell of the other programs.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from faultbench.matrix.execute import execute
from faultbench.matrix.graph import Work
from faultbench.matrix.measurement import load_measurement
from faultbench.matrix.plan import plan
from faultbench.matrix.settings import RunSettings
from faultbench.matrix.stages.measure import measure
from faultbench.measuring.device import probe_host
from faultbench.measuring.summary import times
from faultbench.registry import Registry
from faultbench.report.progress import Lines
from faultbench.results.comparison import FLOORS

LEARNERS = ("maml", "cnn", "centroid")


def repeated(planned, repeats):
    """The statistics of every repeat, by learner: {learner: {figure: [value, ...]}}."""
    found = {}
    for cell in planned.cells:
        stage = planned.graph[planned.graph[cell.goal].inputs["measure.0"]]
        inputs = {role: planned.cache.get(key) for role, key in stage.inputs.items()}
        values = found.setdefault(cell.cell.learner.spelling, {})
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as out:
                measure(Work(Path(out), inputs, stage.params, stage.given, stage.key))
                one = load_measurement(Path(out))
            figures = {"load_s": one.load_s, "first_ms": 1e3 * one.first_s, "peak_rss_bytes": one.peak_rss_bytes}
            for name, seconds, unit in (
                ("finetune_s", one.finetune_s, "s"),
                ("latency_ms", one.latency_s, "ms"),
                ("network_ms", one.network_s, "ms"),
            ):
                figures |= {f"{name}.{part}": value for part, value in times(seconds, unit).items() if part != "n"}
            for name in ("finetune_s", "latency_ms", "network_ms"):
                figures[f"{name}.p99/p50"] = figures[f"{name}.p99"] / figures[f"{name}.p50"]
            for name, value in figures.items():
                values.setdefault(name, []).append(value)
    return found


def spread(values):
    """What any two of the repeats differ by: the 95th percentile and the largest, in the unit and as a ratio."""
    pairs = list(itertools.combinations(values, 2))
    apart = [abs(a - b) for a, b in pairs]
    ratios = [max(a, b) / min(a, b) for a, b in pairs]
    return {
        "median": float(np.median(values)),
        "apart_p95": float(np.percentile(apart, 95)),
        "apart_most": max(apart),
        "ratio_p95": float(np.percentile(ratios, 95)),
        "ratio_most": max(ratios),
    }


def main():
    """Prints and stores what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    settings = RunSettings(learners=LEARNERS, seeds=1, episodes=100, quick=True)
    planned = plan(settings, Registry.discover(plugins=False))
    with tempfile.TemporaryDirectory() as folder:
        execute(planned, Lines(sys.stderr), store=Path(folder) / "results.sqlite")
    found = {
        learner: {name: spread(values) for name, values in figures.items()} for learner, figures in repeated(planned, args.repeats).items()
    }
    device = probe_host()
    said = {
        "repeats": args.repeats,
        "cpu": device.cpu,
        "cores": device.cores,
        "load": os.getloadavg(),
        "floors": dict(FLOORS),
        "spread": found,
    }
    print(json.dumps(said, indent=1))
    if args.json:
        args.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
