"""What no training is needed for: class means of plain spectra at T2, and the bearing's own fault orders at T3, on the real records.

    python benchmarks/untrained.py [--seeds 3] [--episodes 100] [--json benchmarks/untrained.json]

Runs `faultbench run` for both machine ends of the Case Western records, at 1 and 5 shots, clean and in white noise, and prints a
table. Then, without any support: the element whose line stands highest on average, window by window, for each bearing. FAULTBENCH_DATA
names the folder that holds cwru/.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from faultbench.api import NetShape
from faultbench.registry import Registry, make

ENDS = ("drive-end", "fan-end")
SPECTRA = ("spectrum", "welch:segment=128", "welch:segment=256")
WINDOWS = (2048, 8192)
ELEMENTS = ("inner", "ball", "outer")


def run(scenarios, frontends, shots, args, *options):
    """The rows of a run, a figure each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = ["faultbench", "run", "-d", "cwru", "--shots", str(shots), "--seeds", str(args.seeds), "--episodes", str(args.episodes)]
        command += [word for scenario in scenarios for word in ("-s", scenario)]
        command += [word for frontend in frontends for word in ("-l", f"centroid:frontend={frontend}")]
        subprocess.run([*command, *options, "--json", str(path)], check=True, stdout=sys.stderr)
        rows = json.loads(path.read_text())["rows"]
    return [
        {
            "scenario": row["cell"]["scenario"],
            "frontend": row["cell"]["learner"].removeprefix("centroid:frontend=").removeprefix("centroid") or "welch:segment=256",
            "shots": shots,
            "snr": row["cell"]["snr"],
            **{name: {key: row[name][key] for key in ("mean", "ci_low", "ci_high")} for name in ("accuracy", "accuracy_faults")},
            "bearings": row["bearings"]["recall"],
        }
        for row in rows
    ]


def no_support(window):
    """By end and bearing: the share of windows whose highest mean line is that of the damaged element."""
    data_dir = Path(os.environ["FAULTBENCH_DATA"])
    registry = Registry.discover(plugins=False)
    data = make(registry.choose("datasets", "cwru"), data_dir=data_dir)
    lines = make(registry.choose("frontends", "fault-lines"))
    module = lines.module(NetShape(window, 12_000.0, 1, 3, 15, (), physics=True))
    found = {end: {} for end in ENDS}
    for recording in data.catalogue().recordings:
        if recording.healthy:
            continue
        signal = data.read(recording, recording.channels[0].name)
        windows = torch.from_numpy(signal[: len(signal) // window * window].reshape(-1, 1, window))
        count = len(windows)
        orders = torch.tensor([recording.geometry.orders]).expand(count, 4)
        with torch.no_grad():
            highest = module(windows, torch.full((count,), recording.speed_rpm), orders).mean(-1).argmax(1)
        hits = (highest == ELEMENTS.index(recording.element)).numpy()
        found[recording.mounting].setdefault((recording.element, recording.bearing), []).append(hits)
    return {
        end: {
            "bearings": {bearing: float(np.concatenate(hits).mean()) for (_, bearing), hits in sorted(by_bearing.items())},
            "mean_over_elements_and_bearings": float(
                np.mean([np.mean([np.concatenate(h).mean() for (e, _), h in by_bearing.items() if e == element]) for element in ELEMENTS])
            ),
        }
        for end, by_bearing in found.items()
    }


def shown(found):
    """A rate with its interval."""
    return f"{found['mean']:.3f} ({found['ci_low']:.3f} to {found['ci_high']:.3f})"


def main():
    """Prints and stores the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    t2 = [row for shots in (1, 5) for row in run([f"new-device:target={end}" for end in ENDS], SPECTRA, shots, args, "--snr", "0,-5")]
    t3 = [
        row
        for shots in (1, 5)
        for row in run(
            [f"unseen-bearing:target={end},window={window}" for end in ENDS for window in WINDOWS], ("spectrum", "fault-lines"), shots, args
        )
    ]
    without = {window: no_support(window) for window in WINDOWS}
    print("\nT2, 5-way with healthy: accuracy (95 % interval), and of the faults alone")
    for row in t2:
        name = f"{row['scenario']:28s} K={row['shots']} {row['snr']:>5s} {row['frontend']:18s}"
        print(f"{name} {shown(row['accuracy'])}   {row['accuracy_faults']['mean']:.3f}")
    print("\nT3, 3-way by damaged element: accuracy (95 % interval)")
    for row in t3:
        print(f"{row['scenario']:46s} K={row['shots']} {row['frontend']:12s} {shown(row['accuracy'])}")
    print("\nNo support at all, the element whose mean line stands highest: share of windows, mean over elements of the mean over bearings")
    for window, ends in without.items():
        for end, found in ends.items():
            worst = ", ".join(f"{bearing} {share:.2f}" for bearing, share in found["bearings"].items() if share < 0.5)
            print(f"{end}, {window} samples: {found['mean_over_elements_and_bearings']:.3f}; below half: {worst or 'none'}")
    if args.json:
        said = {"seeds": args.seeds, "episodes": args.episodes, "t2": t2, "t3": t3, "no_support": without}
        args.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
