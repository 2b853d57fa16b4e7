"""How large reports may get: the page of 1,000 cells (size, making, sorting in Chromium), and the list of a store of 10,000 rows.

The cells are those of a real result (`cwru_new_device.json`: 11 fault bearings, 4 criteria), under the names of 5 scenarios, 10 learners,
5 compressors and 4 noises, their figures moved at random. Every time is a median, of a page that was just made and a store that was just
written; the slowest heading counts for sorting. All rows are sorted, and the time holds the layout that follows, of the 100 that the page
has on the screen and within a scroll.

python benchmarks/report_scale.py [--runs 5] [--json benchmarks/report_scale.json]
"""

import argparse
import copy
import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from chromium import browser
from rich.console import Console

from faultbench.report.page import as_html
from faultbench.report.runs import print_runs, summaries
from faultbench.results.selection import filtered
from faultbench.results.store import open_store, read_store

REAL = Path(__file__).with_name("cwru_new_device.json")
LIMITS = {"html_bytes": 3e6, "html_s": 5.0, "sort_ms": 200.0, "filter_ms": 200.0, "store_list_s": 0.5}
"""What was asked for; filtering is held to what sorting is. The whole command, which starts Python first, is noted beside them."""

SCENARIOS = [("window", "T0"), ("session", "T1"), ("new-device", "T2"), ("unseen-bearing", "T3"), ("new-dataset", "T4/T2")]
RATES = ("accuracy", "accuracy_faults", "false_alarm", "missed_alarm")
STORED = 10_000

SORT = """(async () => {
  const found = {};
  for (const button of document.querySelectorAll('#matrix thead button')) {
    const began = performance.now();
    button.click();
    document.getElementById('matrix').offsetHeight;
    const sorted = performance.now() - began;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    found[button.textContent] = sorted;
  }
  return found;
})()"""

FILTER = """(() => {
  const select = document.querySelector('.filters select:last-of-type');
  const began = performance.now();
  select.selectedIndex = 1;
  select.dispatchEvent(new Event('input', {bubbles: true}));
  document.getElementById('matrix').offsetHeight;
  const taken = performance.now() - began;
  document.querySelector('.filters').reset();
  return taken;
})()"""


def cells():
    """A thousand rows, no two alike."""
    real = [row for row in json.loads(REAL.read_text(encoding="utf-8"))["rows"] if row["accuracy"]]
    rng = np.random.default_rng(0)
    noises = ("clean", "10", "0", "-10")
    made = []
    for (scenario, level), learner, compressor, snr in itertools.product(SCENARIOS, range(10), range(5), noises):
        row = copy.deepcopy(real[len(made) % len(real)])
        row["cell"] |= {
            "scenario": scenario,
            "level": level,
            "snr": snr,
            "learner": f"learner{learner}",
            "compressor": f"prune{10 * compressor}",
        }
        drop = rng.uniform(0, 0.3)
        for rate in (*(row[name] for name in RATES), *row["recall"].values()):
            for name in ("mean", "ci_low", "ci_high"):
                rate[name] = max(0.0, rate[name] - drop)
        row["bearings"]["recall"] = {name: max(0.0, value - rng.uniform(0, 0.3)) for name, value in row["bearings"]["recall"].items()}
        factor = rng.lognormal(0, 1)
        for times in ("finetune_s", "latency_ms", "network_ms"):
            if row[times]:
                row[times] = {name: value if name == "n" else value * factor for name, value in row[times].items()}
        row["artifact_bytes"] = int(row["artifact_bytes"] * factor)
        row["digest"] = rng.bytes(32).hex()
        made.append(row)
    return made


def median_of(runs, work):
    """The median of the seconds that some work takes, the first time left out."""
    taken = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def page(rows, runs, folder):
    """The size of the page in bytes, the seconds to make it, and what a browser says of it."""
    command = ["faultbench", "run", "--everything"]
    seconds = median_of(runs, lambda: as_html(rows, command))
    file = folder / "page.html"
    file.write_text(as_html(rows, command), encoding="utf-8")
    sorts, filters, loads = [], [], []
    with browser() as opened:
        for _ in range(runs):
            loads.append(opened.open(file))
            sorts.append(opened.evaluate(SORT))
            filters.append(opened.evaluate(FILTER))
        if opened.complaints:
            raise SystemExit(f"the page complains: {opened.complaints[0]}")
    slowest = {name: statistics.median(one[name] for one in sorts) for name in sorts[0]}
    return {
        "html_bytes": file.stat().st_size,
        "html_s": seconds,
        "load_s": statistics.median(loads),
        "sort_ms": max(slowest.values()),
        "slowest_heading": max(slowest, key=slowest.get),
        "filter_ms": statistics.median(filters),
    }


def store(rows, runs, folder):
    """The seconds to list a store of many rows, within this process and as a command."""
    path = folder / "results.sqlite"
    with open_store(path) as kept:
        for number in range(STORED // len(rows) * 10):
            run = kept.begin(["faultbench", "run", "--number", str(number)])
            for row in rows[: len(rows) // 10]:
                kept.add(run, row | {"digest": f"{number:08x}{row['digest'][8:]}"})
            kept.finish(run)

    def listed():
        with read_store(path) as kept:
            found = filtered(kept, ())
            print_runs(summaries(kept, found), Console(file=io.StringIO(), width=100), more=0)

    command = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())", "results", "list", "--limit", "1000"]
    environment = {**os.environ, "FAULTBENCH_RESULTS": str(folder)}

    def called():
        subprocess.run(command, env=environment, check=True, capture_output=True)

    with read_store(path) as kept:
        counted = len(kept.names())
    return {
        "store_rows": counted,
        "store_bytes": path.stat().st_size,
        "store_list_s": median_of(runs, listed),
        "command_list_s": median_of(runs, called),
    }


def main():
    """Prints and stores the figures; ends with 1 where one is beyond its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = cells()
    with tempfile.TemporaryDirectory() as folder:
        found = {"cells": len(rows), "runs": args.runs, **page(rows, args.runs, Path(folder)), **store(rows, args.runs, Path(folder))}
    for name, value in found.items():
        limit = f"  (at most {LIMITS[name]:g})" if name in LIMITS else ""
        print(f"{name:16} {value:>14.4g}{limit}" if isinstance(value, float) else f"{name:16} {value!s:>14}{limit}")
    if args.json:
        args.json.write_text(json.dumps({**found, "limits": LIMITS}, indent=1) + "\n", encoding="utf-8")
    beyond = [name for name, limit in LIMITS.items() if found[name] >= limit]
    if beyond:
        sys.exit(f"beyond the limit: {', '.join(beyond)}")


if __name__ == "__main__":
    main()
