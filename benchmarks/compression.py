"""What filter pruning costs and gains: each degree beside the same learner without it, compared in pairs.

    python benchmarks/compression.py [--json benchmarks/compression.json]

Two learners, three degrees, two seeds of 100 episodes at T2, on `simulated` and on the Case Western records (FAULTBENCH_DATA names the
folder that holds cwru/). Rates are compared by their paired difference, times and sizes by their ratio, as `faultbench compare --across
compressor` does it. `docs/figures.py` draws the result. Times want a quiet machine: `faultbench cache trim --kind measure` lets a
repeated run measure again and train nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DATASETS, LEARNERS, DEGREES = ("simulated", "cwru"), ("maml", "cnn"), ("prune20", "prune40", "prune60")
FIGURES = ("mean", "ci_low", "ci_high")
RATES = ("accuracy", "recall.rare", "recall.worst")
TIMES = ("finetune_s", "latency_ms")
SIZES = ("params", "macs", "artifact_bytes")


def measured(path):
    """The document of the run."""
    command = ["faultbench", "run", "-s", "new-device", "--seeds", "2", "-c", "none", "--json", str(path)]
    for option, names in (("-d", DATASETS), ("-l", LEARNERS), ("-c", DEGREES)):
        command += [word for name in names for word in (option, name)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return json.loads(path.read_text())


def compared(document, degree, folder):
    """The pairs of no compressor and one degree, by data set and learner."""
    sides = []
    for compressor in ("none", degree):
        rows = [row for row in document["rows"] if row["cell"]["compressor"] == compressor]
        sides.append(folder / f"{compressor}.json")
        sides[-1].write_text(json.dumps({**document, "rows": rows}))
    command = ["faultbench", "compare", *map(str, sides), "--across", "compressor", "--json", str(folder / "pairs.json")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    pairs = json.loads((folder / "pairs.json").read_text())["pairs"]
    return {(pair["cell"]["dataset"], pair["cell"]["learner"]): pair for pair in pairs}


def what_it_cost(row, pair):
    """A row's figures, and what they differ by from those without a compressor."""
    found = {name: row["cell"][name] for name in ("dataset", "learner", "compressor")}
    found |= {"labels": row["labels"], "achieved": row["achieved"], "fault_bearings": row["accuracy"]["fault_units"]}
    found["accuracy"] = {name: row["accuracy"][name] for name in FIGURES}
    found |= {name: {"p50": row[name]["p50"], "p99": row[name]["p99"]} for name in TIMES}
    found |= {name: row[name] for name in SIZES}
    if pair:
        found["difference"] = {name: {key: pair["rates"][name]["diff"][key] for key in FIGURES} for name in RATES}
        ratios = [f"{name}.p50" for name in TIMES] + list(SIZES)
        found["ratio"] = {name: pair["ratios"][name]["ratio"] for name in ratios}
    return found


def main():
    """Runs, compares and keeps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        document = measured(Path(folder) / "rows.json")
        pairs = {degree: compared(document, degree, Path(folder)) for degree in DEGREES}
    found = []
    for row in document["rows"]:
        cell = row["cell"]
        found.append(what_it_cost(row, pairs.get(cell["compressor"], {}).get((cell["dataset"], cell["learner"]))))
        print(json.dumps(found[-1]))
    if args.json:
        said = {"cores": os.cpu_count(), "load_average": os.getloadavg()[0], "rows": found}
        args.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
