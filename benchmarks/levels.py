"""What every built-in data set allows: for each scenario the split that passes the audit, or the reason why there is none.

    python benchmarks/levels.py [-d cwru -d uestc ...] [--json benchmarks/levels.json]

Each pair is split with the default request, and again with 15 shots and 5 of the rare fault; every split is audited on the samples.
`cwru` and `uestc` are read from FAULTBENCH_DATA where they are there, `simulated` is made. `paderborn` and `xjtu_sy` are files in the
official layout made here (tests/datasets), of fewer minutes and measurements than the real sets: what they show is the
structure of those sets, which decides what can be parted.
"""

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from faultbench.data.audit import audit, require
from faultbench.data.resampling import common_base, rebased
from faultbench.data.split import EpisodeRequest
from faultbench.errors import FaultbenchError
from faultbench.registry import Registry, make

ROOT = Path(__file__).resolve().parents[1]
DATASETS = ("cwru", "uestc", "simulated", "paderborn", "xjtu_sy", "cwru:rate=48", "simulated:equipment=gears")
SCENARIOS = ("window", "session", "new-device", "unseen-bearing", "new-dataset", "new-dataset:inside=T3")
ONE_RIG = tuple(f"{name}:target={origin}" for name in ("new-device", "unseen-bearing") for origin in ("real", "artificial"))
REQUESTS = {"5 shots": EpisodeRequest(episodes=20), "15 shots, 5 rare": EpisodeRequest(shots=15, episodes=20)}
SOURCES = {"uestc": ("cwru", "simulated"), "cwru": ("uestc", "simulated")}
"""What `new-dataset` trains on; `simulated`'s target trains on the first that is there, the others on `simulated`."""
MADE = {"paderborn": "files of the official layout", "xjtu_sy": "files of the official layout", "simulated": "the data set itself"}
PADERBORN = "K001 K002 K003 K004 K005 K006 KA01 KA03 KA05 KA04 KA15 KA16 KI01 KI03 KI05 KI04 KI14 KI16"
XJTU = ()
"""The bearings that are made; none means all fifteen."""
PADERBORN_CONDITIONS = ("N15_M07_F10", "N09_M07_F10", "N15_M01_F10", "N15_M07_F04")


def layout(name):
    """The module of the tests that writes a data set's official layout."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "datasets" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_paderborn(folder):
    """Eighteen bearings at all four operating conditions, a measurement of four seconds each."""
    made = layout("paderborn_layout")
    for code in PADERBORN.split():
        for condition in PADERBORN_CONDITIONS:
            made.write_measurement(folder / "paderborn", code, condition, seconds=4.0)


def write_xjtu(folder):
    """All fifteen bearings, twenty minutes each, the last nine damaged."""
    made = layout("xjtu_layout")
    made.write_tree(folder / "xjtu_sy", minutes=20, onset=11, bearings=XJTU or tuple(made.ORDERS), repeating=False)


@contextmanager
def place_of(name):
    """A folder in which a data set is found, made and removed again where need be."""
    writers = {"paderborn": write_paderborn, "xjtu_sy": write_xjtu}
    if name not in writers:
        yield Path(os.environ["FAULTBENCH_DATA"]) if os.environ.get("FAULTBENCH_DATA") else None
        return
    with tempfile.TemporaryDirectory() as folder:
        writers[name](Path(folder))
        yield Path(folder)


def read(name, place):
    """The catalogue with all lengths, and the signal of each recording's first channel."""
    dataset = make(Registry.discover(plugins=False).choose("datasets", name), data_dir=place)
    catalogue, signals, recordings = dataset.catalogue(), {}, []
    for recording in catalogue.recordings:
        channel = recording.channels[0]
        signal = dataset.read(recording, channel.name)
        signals[recording.dataset, recording.id, channel.name] = signal
        recordings.append(replace(recording, channels=(replace(channel, samples=len(signal)),)))
    return replace(catalogue, recordings=tuple(recordings)), signals


def on_one_base(data):
    """Several data sets as `gather` brings them to one base."""
    base = common_base([catalogue for catalogue, _ in data], "hz")
    signals = {
        (r.dataset, r.id, r.channels[0].name): base.apply(found[r.dataset, r.id, r.channels[0].name], r)
        for catalogue, found in data
        for r in catalogue.recordings
    }
    return [rebased(catalogue, base) for catalogue, _ in data], signals


def outcome(name, catalogues, signals, request):
    """What a scenario makes of it: the split in numbers, or the reason why there is none."""
    try:
        scenario = make(Registry.discover(plugins=False).choose("scenarios", name))
        split = scenario.split(catalogues, request, 0)
        require(audit(split, signals))
    except FaultbenchError as error:
        return {"refused": str(error)}
    sides = {
        side: {
            "classes": len(set(pool.labels)),
            "bearings": len({(r.dataset, r.bearing) for r in pool.recordings}),
            "recordings": len(pool.recordings),
        }
        for side, pool in (("source", split.source), ("target", split.target))
    }
    return {"level": split.level, "note": split.note, "ways": split.request.ways, **sides}


def rows_of(name, data, sources):
    """One row per scenario of a data set."""
    gathered = on_one_base([data, *sources]) if sources else None
    for scenario in (*SCENARIOS, *(ONE_RIG if name == "paderborn" else ())):
        catalogues, signals = gathered if scenario.startswith("new-dataset") and gathered else ([data[0]], data[1])
        found = {said: outcome(scenario, catalogues, signals, request) for said, request in REQUESTS.items()}
        yield {"dataset": name, "scenario": scenario, "data": MADE.get(name.partition(":")[0], "the recordings at hand"), **found}


def levels(names):
    """The rows of some data sets."""
    held = {}
    for name in dict.fromkeys([*names, "simulated"]):
        with place_of(name) as place:
            try:
                held[name] = read(name, place)
            except FaultbenchError as error:
                print(f"{name} left out: {error}", file=sys.stderr)
                if name == "simulated":
                    raise
    for name in names:
        if name in held:
            own = name.partition(":")[0]
            sources = [held[source] for source in SOURCES.get(own, ("simulated",)) if source in held and source != own]
            others = sources or [held[other] for other in held if other.partition(":")[0] != own][:1]
            yield from rows_of(name, held[name], others)


def said(found):
    """An outcome in a few words."""
    if "refused" in found:
        return f"refused: {found['refused']}"
    note = f" ({found['note']})" if found["note"] else ""
    source, target = found["source"], found["target"]
    of = ", ".join(f"{side} {x['bearings']} bearings in {x['classes']} classes" for side, x in (("source", source), ("target", target)))
    return f"{found['level']}{note}, {found['ways']} ways; {of}"


def line(row):
    """A row as a line of the table in docs/reference/levels.md."""
    usual, imbalanced = (said(row[request]) for request in REQUESTS)
    same = usual.partition(";")[0] == imbalanced.partition(";")[0]
    return f"| `{row['dataset']}` | `{row['scenario']}` | {usual} | {'the same' if same else imbalanced} |"


def main():
    """Prints the table, and stores it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", "--dataset", action="append", choices=DATASETS)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = list(levels(args.dataset or DATASETS))
    print("\n".join(map(line, rows)))
    if args.json:
        args.json.write_text(json.dumps({"requests": list(REQUESTS), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
