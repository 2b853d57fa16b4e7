"""From settings to rows: real stages on a made-up plant, a made-up learner and a real runner."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from faultbench.discovery import Registered, discover
from faultbench.errors import DataError, IsolationError, UsageError
from faultbench.matrix.cache import Cache
from faultbench.matrix.execute import execute
from faultbench.matrix.plan import Plan, plan
from faultbench.matrix.settings import RunSettings
from faultbench.offers import Offer, Param
from faultbench.registry import Registry
from faultbench.results.store import open_store

MADE_UP = '''
"""A plant of two machines whose faults differ in loudness, and parts that are good, odd or broken."""
import dataclasses
import numpy as np
import torch
from faultbench.api import Catalogue, CellError, Channel, DataError, Geometry, HostOnly, Net, NotApplicable, Recording, UsageError
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.testing.artifacts import centroid_graphs
from faultbench_targets.x86 import X86

ELEMENTS = {"healthy": 1.0, "inner": 2.0, "ball": 4.0, "outer": 8.0}

class Plant:
    def __init__(self, spoilt=False):
        self.spoilt = spoilt

    def catalogue(self):
        recordings = []
        for machine in ("near", "far"):
            for element in ELEMENTS:
                for number in range(1 if element == "healthy" else 2):
                    for load in ("0 hp", "1 hp"):
                        name = f"{machine} {element} {number} {load}"
                        recordings.append(Recording(
                            "plant", name, machine, machine, f"{machine} {element} {number}", element,
                            "" if element == "healthy" else f"size {number}", name, load, 1800.0,
                            (Channel("a", 1000.0),), Geometry("g", 3.0, 5.0, 2.0, 0.4)))
        return Catalogue("plant", "1", tuple(recordings), ("near", "far"))

    def read(self, recording, channel):
        if self.spoilt:
            raise DataError("plant: a file is foreign: take the official one")
        seed = [ord(c) for c in recording.id]
        return (ELEMENTS[recording.element] * np.random.default_rng(seed).normal(size=64 * 40)).astype(np.float32)

class Toy:
    """A learner whose graphs are class means of log energies."""
    meta_trained = False

    def __init__(self, mood="good"):
        self.mood = mood

    def build(self, shape, parts, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Net(torch.nn.Identity(), torch.nn.Linear(shape.window, 2), (shape.channels, shape.window))

    def fit(self, net, tasks, budget, extra_loss=None):
        if self.mood == "broken":
            raise ZeroDivisionError("on purpose")
        if self.mood == "interrupted":
            raise KeyboardInterrupt
        if self.mood == "refused":
            raise UsageError("toy: the mood is bad: choose another")
        batch = next(tasks.batches(1))
        noise = torch.randn(2) if self.mood == "random" else torch.zeros(2)
        with torch.no_grad():
            net.body.bias.copy_(batch.support.mean() + noise)
        budget.progress(1, 1)
        return net

    def export(self, net, shape):
        if self.mood == "host-only":
            return HostOnly("it is a forest")
        return centroid_graphs(shape.ways, shape.window, shape.channels, shape.support_rows)

class Leaky(NewDevice):
    """Says T2, and lets a target session into the source."""
    def split(self, catalogues, request, seed):
        made = super().split(catalogues, request, seed)
        s, t = made.source, made.target
        mixed = {f.name: getattr(s, f.name) + getattr(t, f.name)[:1] for f in dataclasses.fields(s) if f.name != "together"}
        return dataclasses.replace(made, source=dataclasses.replace(s, **mixed))

class Away(X86):
    def probe(self):
        raise CellError("away: the gateway does not answer: switch it on")

class Shrink:
    def compress(self, net, ctx):
        return ctx.fit(net), {"removed": 0.5, "label": "structure only"}

class Never:
    def compress(self, net, ctx):
        raise NotApplicable("nothing to remove")
'''

OFFERS = {
    "datasets": [Offer("plant", "made_up_parts:Plant", "a plant", {"spoilt": Param(bool, False, "whether reading fails")})],
    "scenarios": [
        Offer(
            "leaky", "made_up_parts:Leaky", "a leak", {"target": Param(str, "", "the target"), "window": Param(int, 64, "samples", ge=16)}
        )
    ],
    "learners": [Offer("toy", "made_up_parts:Toy", "a toy", {"mood": Param(str, "good", "how it behaves")})],
    "compressors": [Offer("shrink", "made_up_parts:Shrink", "shrinks"), Offer("never", "made_up_parts:Never", "declines")],
    "targets": [Offer("away", "made_up_parts:Away", "a target that is off")],
}


class Notes:
    """Progress and observer that remembers."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.started: list[str] = []
        self.reused: tuple[int, int] | None = None
        self.observed: list[str] = []

    def stage_started(self, key: str, title: str, total: int | None = None) -> None:
        self.started.append(title)

    def advance(self, key: str, done: int, total: int) -> None:
        pass

    def waiting(self, key: str) -> None:
        pass

    def stage_finished(self, key: str, cached: bool, seconds: float) -> None:
        pass

    def cell_finished(self, row) -> None:
        self.finished.append(row["verdict"]["overall"])

    def run_finished(self, stages: int, reused: int) -> None:
        self.reused = stages, reused

    def faultbench_run_started(self, plan) -> None:
        self.observed.append("started")

    def faultbench_cell_finished(self, row) -> None:
        self.observed.append(row["cell"]["learner"])

    def faultbench_run_finished(self, summary) -> None:
        self.observed.append(json.dumps(summary))


class Plant:
    """A place where made-up plugins are installed: runs go to a cache and a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.store = folder, folder / "cache", folder / "results.sqlite"

    def registry(self) -> Registry:
        found = discover(plugins=False)
        for kind, offers in OFFERS.items():
            found.offers[kind] += [Registered(offer, "faultbench-made-up", "1", builtin=False) for offer in offers]
        return Registry(found)

    def plan(self, cache: Path | None = None, **said) -> Plan:
        named = {"datasets": ("plant",), "scenarios": ("new-device:window=64",), "learners": ("toy",)}
        settings = RunSettings(**{**named, "ways": 4, "shots": 2, "queries": 3, "episodes": 4, "seeds": 2, **said})
        return plan(settings, self.registry(), Cache(cache or self.cache))

    def run(self, cache: Path | None = None, **said) -> tuple[list[dict], Notes]:
        notes = Notes()
        planned = self.plan(cache, **said)
        planned.registry.hook = notes
        return execute(planned, notes, command=["made", "up"], store=self.store), notes

    def kept(self) -> list[dict]:
        with open_store(self.store) as store:
            return store.rows(store.runs()[-1].id)


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "made_up_parts.py").write_text(MADE_UP)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    sys.modules.pop("made_up_parts", None)
    from faultbench.matrix import keys

    keys.plugin_digest.cache_clear()
    keys.source_digest.cache_clear()
    return Plant(tmp_path)


TIMED = ("finetune_s", "latency_ms", "network_ms", "decision_ms", "load_s", "first_ms", "peak_rss_bytes", "train_s", "void", "notes")
"""What of a row a clock or the system's memory says; the verdict and the device repeat some of it, `looks` is history."""


def without_times(row: dict) -> dict:
    """What of a row has to be the same on every run."""
    return {name: value for name, value in row.items() if name not in (*TIMED, "verdict", "device", "looks")}


def test_a_cell_becomes_a_row_with_everything_in_it(plant: Plant) -> None:
    (row,), notes = plant.run()
    assert row["cell"]["level"] == "T2"
    assert row["cell"]["ways"] == 4
    assert row["cell"]["seeds"] == 2
    assert row["accuracy"]["mean"] > 0.9
    assert row["kind"] == "measured"
    assert row["finetune_s"]["n"] == 2 * 4
    assert row["params"] == 4 * 16
    assert row["artifact_bytes"] > 0
    assert row["train_s"] > 0
    assert row["looks"] == 1
    assert {"python", "torch", "onnxruntime", "faultbench"} <= set(row["versions"])
    assert notes.finished == [row["verdict"]["overall"]]
    assert notes.reused == (1 + 2 * 5 + 1, 0)
    assert plant.kept() == [row]


def test_a_second_run_computes_nothing_and_gives_the_same_rows(plant: Plant) -> None:
    first, _ = plant.run(learners=("toy", "toy:mood=random"), compressors=("none", "never"))
    again, notes = plant.run(learners=("toy", "toy:mood=random"), compressors=("none", "never"))
    assert again == first
    assert notes.started == []
    assert notes.reused is not None
    assert notes.reused[0] == notes.reused[1] > 0


def test_two_runs_from_empty_caches_agree_to_the_last_digit_whatever_the_jobs(plant: Plant) -> None:
    said = {"learners": ("toy", "toy:mood=random"), "compressors": ("none", "shrink")}
    first, _ = plant.run(plant.folder / "one", **said)
    second, _ = plant.run(plant.folder / "two", jobs=2, **said)
    assert [without_times(row) for row in first] == [without_times(row) for row in second]
    nets = [sorted(path.read_bytes() for path in (plant.folder / which).rglob("net.safetensors")) for which in ("one", "two")]
    assert nets[0] == nets[1]
    assert len(set(nets[0])) > 2  # what is random differs from what is not


def test_learners_are_compared_on_the_same_episodes(plant: Plant) -> None:
    rows, _ = plant.run(learners=("toy", "toy:mood=random"))
    assert rows[0]["differences"]["toy:mood=random"]["mean"] == 0
    assert set(rows[1]["differences"]) == {"toy"}
    assert plant.kept() == rows


def test_a_learner_is_handed_no_signal_of_the_target(plant: Plant) -> None:
    from faultbench.data.splitfile import load_split
    from faultbench.matrix.graph import Work
    from faultbench.matrix.stages.learners import bench

    plant.run(seeds=1)
    planned = plant.plan(seeds=1)
    stage = next(stage for stage in planned.stages if stage.name == "train")
    inputs = {role: planned.cache.get(key) for role, key in stage.inputs.items()}
    work = Work(plant.folder, inputs, stage.params, stage.given, stage.key)
    tasks = bench(work).tasks(work, "train")
    split = load_split(inputs["split"] / "split")
    target = split.target.recordings[0]
    assert {key[1] for key in tasks._signals} == {recording.id for recording in split.source.recordings}
    with pytest.raises(KeyError):
        tasks._signals[target.dataset, target.id, "a"]


def test_what_a_compressor_achieved_stands_in_the_row(plant: Plant) -> None:
    (row,), _ = plant.run(compressors=("shrink+none",), seeds=1)
    assert row["achieved"] == {"removed": 0.5}
    assert row["labels"] == ["structure only"]


def test_chains_share_their_beginning(plant: Plant) -> None:
    planned = plant.plan(compressors=("shrink", "shrink+none"), seeds=1)
    assert [stage.name for stage in planned.stages].count("train") == 1
    assert [stage.name for stage in planned.stages].count("compress") == 2
    assert [stage.name for stage in planned.stages].count("split") == 1


@pytest.mark.parametrize(
    ("said", "reason"), [({"compressors": ("never",)}, "nothing to remove"), ({"learners": ("toy:mood=host-only",)}, "forest")]
)
def test_a_pair_that_makes_no_sense_is_not_applicable_and_costs_nothing_the_second_time(plant: Plant, said: dict, reason: str) -> None:
    (row,), _ = plant.run(seeds=1, **said)
    assert reason in row["not_applicable"]
    assert row["error"] is None
    assert row["verdict"]["overall"] == "not applicable"
    _, notes = plant.run(seeds=1, **said)
    assert notes.started == []


def test_a_learner_that_breaks_costs_its_own_cells(plant: Plant) -> None:
    rows, notes = plant.run(learners=("toy:mood=broken", "toy"), seeds=1)
    broken, good = rows
    assert broken["error"].startswith("train toy:mood=broken, plant new-device:window=64, seed 0 broke (ZeroDivisionError: on purpose)")
    assert broken["verdict"]["overall"] == "error"
    assert good["accuracy"] is not None
    assert good["differences"] == {}
    assert {row["error"] for row in plant.kept()} == {broken["error"], None}
    assert json.loads(notes.observed[-1])["exit_code"] == 4


def test_a_target_that_cannot_be_reached_costs_its_own_cells(plant: Plant) -> None:
    rows, _ = plant.run(targets=("x86", "away"), seeds=1)
    assert [row["error"] for row in rows] == [None, "away: the gateway does not answer: switch it on"]


def test_a_scenario_that_breaks_its_level_is_refused_before_anything_is_trained(plant: Plant) -> None:
    with pytest.raises(IsolationError, match=r"breaks its level T2, seed 0: source and target share .*sample"):
        plant.run(scenarios=("leaky",), seeds=1)
    assert "breaks its level" in plant.kept()[0]["error"]
    trained = [entry for entry in Cache(plant.cache).entries() if entry.about["name"] == "train"]
    assert trained == []


def test_bad_input_that_spoils_everything_is_raised_as_such(plant: Plant) -> None:
    with pytest.raises(DataError, match="plant: a file is foreign"):
        plant.run(datasets=("plant:spoilt=true",), seeds=1)
    with pytest.raises(UsageError, match="the mood is bad"):
        plant.run(learners=("toy:mood=refused",), seeds=1)


def test_bad_input_that_spoils_one_cell_is_that_cells_error(plant: Plant) -> None:
    rows, _ = plant.run(learners=("toy", "toy:mood=refused"), seeds=1)
    assert [row["error"] for row in rows] == [None, "toy: the mood is bad: choose another"]


def test_an_interrupted_run_keeps_its_finished_rows_and_goes_on_from_there(plant: Plant) -> None:
    with pytest.raises(KeyboardInterrupt):
        plant.run(learners=("toy", "toy:mood=interrupted"), seeds=1)
    assert [row["cell"]["learner"] for row in plant.kept()] == ["toy"]
    (row,), notes = plant.run(seeds=1)
    assert row["accuracy"] is not None
    assert notes.started == []


def test_other_criteria_judge_again_and_compute_nothing_else(plant: Plant) -> None:
    plant.run(seeds=1)
    (row,), notes = plant.run(seeds=1, criteria="accuracy>=0.5")
    assert [title.split()[0] for title in notes.started] == ["judge"]
    assert [c["criterion"] for c in row["verdict"]["criteria"]] == ["accuracy.mean>=0.5"]
    assert row["looks"] == 1  # the same measurement, judged again, is no second look


def test_a_changed_plugin_is_trained_again(plant: Plant) -> None:
    before = {stage.title: stage.key for stage in plant.plan(datasets=("simulated",)).stages}
    module = plant.folder / "modules" / "made_up_parts.py"
    module.write_text(module.read_text() + "\n# another version\n")
    from faultbench.matrix import keys

    keys.plugin_digest.cache_clear()
    keys.source_digest.cache_clear()
    after = {stage.title: stage.key for stage in plant.plan(datasets=("simulated",)).stages}
    changed = {title.split()[0] for title in before if before[title] != after[title]}
    assert changed == {"train", "compress", "export", "measure", "judge"}


def test_a_baseline_is_marked_and_not_gated(plant: Plant) -> None:
    rows, _ = plant.run(learners=("toy", "toy:mood=random"), baseline=("toy:mood=random",), seeds=1)
    assert [row["baseline"] for row in rows] == [False, True]
    assert [row["verdict"]["gated"] for row in rows] == [True, False]


def test_a_quick_run_is_another_training_and_is_watermarked(plant: Plant) -> None:
    full, quick = plant.plan(seeds=1), plant.plan(seeds=1, quick=True)
    kinds = {stage.name for stage in full.stages if stage.key in {s.key for s in quick.stages}}
    assert kinds == {"ingest", "split"}
    (row,), _ = plant.run(seeds=1, quick=True)
    assert row["watermark"] == "quick"


def test_observers_are_told(plant: Plant) -> None:
    _, notes = plant.run(seeds=1)
    assert notes.observed[:2] == ["started", "toy"]
    assert json.loads(notes.observed[2])["cells"] == 1


def test_unknown_names_are_refused_before_any_work(plant: Plant) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        plant.plan(learners=("toi",))
    assert not plant.cache.exists()


def test_a_dry_run_prints_cells_stages_and_what_is_there(plant: Plant) -> None:
    from faultbench.report.plan import print_plan

    def printed() -> str:
        console = Console(width=100, record=True, file=io.StringIO())
        print_plan(plant.plan(learners=("toy", "toy:mood=[red]"), seeds=1), console)
        return console.export_text()

    before = printed()
    assert "toy:mood=[red]" in before  # a plugin's text is no markup
    assert "how long they take is not known" in before
    assert not plant.cache.exists()
    plant.run(seeds=1)
    after = printed()
    assert "cached" in after
    assert "13 stages, 6 to do" in after
    plant.run(learners=("toy", "toy:mood=[red]"), seeds=1)
    assert "everything is there" in printed()


def test_planning_imports_nothing_heavy(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from faultbench.matrix.cache import Cache
from faultbench.matrix.plan import plan
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Registry
import faultbench.matrix.execute, faultbench.report.progress, faultbench.report.plan
planned = plan(RunSettings(compressors=("none", "prune40")), Registry.discover(), Cache(Path(sys.argv[1])))
assert len(planned.cells) == 2
heavy = {"torch", "pytorch_lightning", "onnx", "onnxruntime", "pandas", "torchmetrics", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
