"""The figures of benchmarks/uestc_transfer.sh as the tables of docs/explanation/transfer.md.

Accuracy with its 95 % interval, a learner per column.

python benchmarks/transfer_table.py
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("uestc_session", "uestc_transfer", "uestc_noise", "cwru_from_uestc")
LEARNERS = ("maml", "cnn", "centroid")


def figure(row):
    """An accuracy with its interval."""
    found = row["accuracy"]
    return f"{found['mean']:.3f} ({found['ci_low']:.3f} to {found['ci_high']:.3f})"


def table(name):
    """The lines of one file's table: a line per scenario and level of noise."""
    rows = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    lines = {}
    for row in rows:
        cell = row["cell"]
        lines.setdefault((cell["dataset"], cell["scenario"], cell["snr"]), {})[cell["learner"]] = row
    for (dataset, scenario, snr), found in lines.items():
        level = f"{found[LEARNERS[0]]['cell']['level']}"
        yield f"| `{dataset}` | `{scenario}` ({level}) | {snr} | {' | '.join(figure(found[learner]) for learner in LEARNERS)} |"


def main():
    """Prints the tables."""
    for name in FILES:
        print(f"{name}.json")
        print("\n".join(table(name)))


if __name__ == "__main__":
    main()
