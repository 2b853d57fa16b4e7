"""What a second accelerometer, the motor current and the temperature add: rows with and without a channel, compared in pairs.

    python benchmarks/channels.py [--seeds 3] [--episodes 100] [--json benchmarks/channels.json]

`simulated:sensors=all` has four channels; each scenario is run with the first alone and with one more, on the same episodes, for a learner
that is not trained and one that is. Then Paderborn's vibration with and without the temperature of the bearing module, on files of the
official layout, bearings and conditions as `benchmarks/levels.py` makes them. Their vibration tells the damaged element and nothing of the
severity; once the temperature is the same for all, once damage from fatigue warms the bearing. That shows that this channel of the real set
becomes part of the decision where it tells something. It says nothing about what it is worth there: every number in these files is made up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import levels

SIMULATED = {"1+2": "a second accelerometer", "1+3": "the motor current", "1+4": "the temperature"}
PADERBORN = {"vibration_1+temp_2_bearing_module": "the temperature"}
FIGURES = ("mean", "ci_low", "ci_high")
WARM, WARMER = ("KA04", "KA15", "KA16", "KI04", "KI14", "KI16"), 15.0
"""The bearings with damage from fatigue, and by how many degrees it is made to warm them."""


def rows(dataset, added, scenarios, learners, args, *options):
    """A row for each scenario, learner and added channel (first none), with the difference that the channel makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = ["faultbench", "run", "-d", dataset, "--seeds", str(args.seeds), "--episodes", str(args.episodes), "--json", str(path)]
        for scenario in scenarios:
            command += ["-s", scenario, *(word for name in added for word in ("-s", f"{scenario}:channels={name}"))]
        command += [word for learner in learners for word in ("-l", learner)]
        subprocess.run([*command, *options], check=True, stdout=sys.stderr)
        measured = json.loads(path.read_text())["rows"]
    found = []
    for row in measured:
        scenario, _, channels = row["cell"]["scenario"].partition(":channels=")
        made = row["differences"][scenario] if channels else None
        found.append(
            {
                "dataset": row["cell"]["dataset"],
                "scenario": scenario,
                "learner": row["cell"]["learner"],
                "added": added[channels] if channels else "nothing",
                "accuracy": {name: row["accuracy"][name] for name in FIGURES},
                "difference": made and {name: made[name] for name in FIGURES},
            }
        )
    return found


def write_paderborn(folder, warmer):
    """Made-up measurements in the official layout; with `warmer`, the temperature tells damage from fatigue."""
    made = levels.layout("paderborn_layout")
    for code in levels.PADERBORN.split():
        for condition in levels.PADERBORN_CONDITIONS:
            channels = made.series(code, condition, 1, 4.0)
            if warmer and code in WARM:
                channels["temp_2_bearing_module"] += WARMER
            made.write_measurement(folder / "paderborn", code, condition, channels=channels)


def table(found):
    """Lines of Markdown."""
    yield "| data set | scenario | learner | added | accuracy | difference it makes |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        accuracy = "{mean:.3f} ({ci_low:.3f} to {ci_high:.3f})".format(**one["accuracy"])
        made = "{mean:+.3f} ({ci_low:+.3f} to {ci_high:+.3f})".format(**one["difference"]) if one["difference"] else "-"
        yield f"| `{one['dataset']}` | `{one['scenario']}` | `{one['learner']}` | {one['added']} | {accuracy} | {made} |"


def main():
    """Runs, prints and keeps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = rows("simulated:sensors=all", SIMULATED, ("new-device", "unseen-bearing"), ("centroid", "maml"), args)
    for warmer, said in ((False, "paderborn, made up"), (True, "paderborn, made up, fatigue warms")):
        with tempfile.TemporaryDirectory() as folder:
            write_paderborn(Path(folder), warmer)
            made_up = rows("paderborn", PADERBORN, ("new-device",), ("centroid",), args, "--data-dir", folder)
        found += [{**one, "dataset": said} for one in made_up]
    print("\n".join(table(found)))
    if args.json:
        said = {"seeds": args.seeds, "episodes": args.episodes, "cores": os.cpu_count(), "rows": found}
        args.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
