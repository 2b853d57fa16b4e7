"""From settings to rows: real stages on a made-up plant, a made-up learner and a real runner."""

import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from faultbench.errors import DataError, IsolationError, PluginError, UsageError
from faultbench.matrix.cache import Cache

TIMED = ("finetune_s", "latency_ms", "network_ms", "decision_ms", "load_s", "first_ms", "peak_rss_bytes", "train_s", "void", "notes")
"""What of a row a clock or the system's memory says; the verdict and the device repeat some of it, `looks` is history."""


def without_times(row: dict) -> dict:
    """What of a row has to be the same on every run."""
    return {name: value for name, value in row.items() if name not in (*TIMED, "verdict", "device", "looks")}


def test_a_cell_becomes_a_row_with_everything_in_it(site) -> None:
    (row,), notes = site.run()
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
    assert notes.reused == (1 + 2 * 6 + 1, 0)
    assert site.kept() == [row]


def test_a_second_run_computes_nothing_and_gives_the_same_rows(site) -> None:
    first, _ = site.run(learners=("toy", "toy:mood=random"), compressors=("none", "never"))
    again, notes = site.run(learners=("toy", "toy:mood=random"), compressors=("none", "never"))
    assert again == first
    assert notes.started == []
    assert notes.reused is not None
    assert notes.reused[0] == notes.reused[1] > 0


def test_two_runs_from_empty_caches_agree_to_the_last_digit_whatever_the_jobs(site) -> None:
    said = {"learners": ("toy", "toy:mood=random"), "compressors": ("none", "shrink")}
    first, _ = site.run(site.folder / "one", **said)
    second, _ = site.run(site.folder / "two", jobs=2, **said)
    assert [without_times(row) for row in first] == [without_times(row) for row in second]
    nets = [sorted(path.read_bytes() for path in (site.folder / which).rglob("net.safetensors")) for which in ("one", "two")]
    assert nets[0] == nets[1]
    assert len(set(nets[0])) > 2  # what is random differs from what is not


def test_learners_are_compared_on_the_same_episodes(site) -> None:
    rows, _ = site.run(learners=("toy", "toy:mood=random"))
    assert rows[0]["differences"]["toy:mood=random"]["mean"] == 0
    assert set(rows[1]["differences"]) == {"toy"}
    assert site.kept() == rows


def test_a_learner_is_handed_no_signal_of_the_target(site) -> None:
    from faultbench.data.splitfile import load_split
    from faultbench.matrix.graph import Work
    from faultbench.matrix.stages.learners import bench

    site.run(seeds=1)
    planned = site.plan(seeds=1)
    stage = next(stage for stage in planned.stages if stage.name == "train")
    inputs = {role: planned.cache.get(key) for role, key in stage.inputs.items()}
    work = Work(site.folder, inputs, stage.params, stage.given, stage.key)
    tasks = bench(work).tasks(work, "train")
    split = load_split(inputs["split"] / "split")
    target = split.target.recordings[0]
    assert {key[1] for key in tasks._signals} == {recording.id for recording in split.source.recordings}
    with pytest.raises(KeyError):
        tasks._signals[target.dataset, target.id, "a"]


def test_what_a_compressor_achieved_stands_in_the_row(site) -> None:
    (row,), _ = site.run(compressors=("shrink+none",), seeds=1)
    assert row["achieved"] == {"removed": 0.5}
    assert row["labels"] == ["structure only"]


def test_chains_share_their_beginning(site) -> None:
    planned = site.plan(compressors=("shrink", "shrink+none"), seeds=1)
    assert [stage.name for stage in planned.stages].count("train") == 1
    assert [stage.name for stage in planned.stages].count("compress") == 2
    assert [stage.name for stage in planned.stages].count("split") == 1


@pytest.mark.parametrize(
    ("said", "reason"), [({"compressors": ("never",)}, "nothing to remove"), ({"learners": ("toy:mood=host-only",)}, "forest")]
)
def test_a_pair_that_makes_no_sense_is_not_applicable_and_costs_nothing_the_second_time(site, said: dict, reason: str) -> None:
    (row,), _ = site.run(seeds=1, **said)
    assert reason in row["not_applicable"]
    assert row["error"] is None
    assert row["verdict"]["overall"] == "not applicable"
    _, notes = site.run(seeds=1, **said)
    assert notes.started == []


def test_rows_are_kept_in_the_order_of_the_matrix_though_a_run_that_goes_on_finishes_others_first(site) -> None:
    site.run(compressors=("none",), learners=("toy", "toy:mood=broken"))
    rows, _ = site.run(compressors=("shrink", "none"), learners=("toy:mood=broken", "toy"))
    with sqlite3.connect(site.store) as connection:
        as_finished = [digest for (digest,) in connection.execute("SELECT digest FROM rows WHERE run = 2 ORDER BY id")]
    connection.close()
    assert as_finished != [row["digest"] for row in rows]
    assert site.kept() == rows


def test_a_learner_that_breaks_costs_its_own_cells(site) -> None:
    rows, notes = site.run(learners=("toy:mood=broken", "toy"), seeds=1)
    broken, good = rows
    assert broken["error"].startswith("train toy:mood=broken, plant new-device:window=64, seed 0 broke (ZeroDivisionError: on purpose)")
    assert broken["verdict"]["overall"] == "error"
    assert good["accuracy"] is not None
    assert good["differences"] == {}
    assert {row["error"] for row in site.kept()} == {broken["error"], None}
    assert json.loads(notes.observed[-1])["exit_code"] == 4


def test_a_target_that_cannot_be_reached_costs_its_own_cells(site) -> None:
    rows, _ = site.run(targets=("x86", "away"), seeds=1)
    assert [row["error"] for row in rows] == [None, "away: the gateway does not answer: switch it on"]


def test_a_scenario_that_breaks_its_level_is_refused_before_anything_is_trained(site) -> None:
    with pytest.raises(IsolationError, match=r"breaks its level T2, seed 0: source and target share .*sample"):
        site.run(scenarios=("leaky",), seeds=1)
    assert "breaks its level" in site.kept()[0]["error"]
    trained = [entry for entry in Cache(site.cache).entries() if entry.about["name"] == "train"]
    assert trained == []


def test_bad_input_that_spoils_everything_is_raised_as_such(site) -> None:
    with pytest.raises(DataError, match="plant: a file is foreign"):
        site.run(datasets=("plant:mood=spoilt",), seeds=1)
    with pytest.raises(UsageError, match="the mood is bad"):
        site.run(learners=("toy:mood=refused",), seeds=1)


def test_bad_input_that_spoils_one_cell_is_that_cells_error(site) -> None:
    rows, _ = site.run(learners=("toy", "toy:mood=refused"), seeds=1)
    assert [row["error"] for row in rows] == [None, "toy: the mood is bad: choose another"]


def test_an_interrupted_run_keeps_its_finished_rows_and_goes_on_from_there(site) -> None:
    with pytest.raises(KeyboardInterrupt):
        site.run(learners=("toy", "toy:mood=interrupted"), seeds=1)
    assert [row["cell"]["learner"] for row in site.kept()] == ["toy"]
    (row,), notes = site.run(seeds=1)
    assert row["accuracy"] is not None
    assert notes.started == []


def test_other_criteria_judge_again_and_compute_nothing_else(site) -> None:
    site.run(seeds=1)
    (row,), notes = site.run(seeds=1, criteria="accuracy>=0.5")
    assert [title.split()[0] for title in notes.started] == ["judge"]
    assert [c["criterion"] for c in row["verdict"]["criteria"]] == ["accuracy.mean>=0.5"]
    assert row["looks"] == 1  # the same measurement, judged again, is no second look


def test_a_changed_plugin_is_trained_again(site) -> None:
    before = {stage.title: stage.key for stage in site.plan(datasets=("simulated",)).stages}
    module = site.folder / "modules" / "made_up_parts.py"
    module.write_text(module.read_text() + "\n# another version\n")
    from faultbench.matrix import keys

    keys.plugin_digest.cache_clear()
    keys.source_digest.cache_clear()
    after = {stage.title: stage.key for stage in site.plan(datasets=("simulated",)).stages}
    changed = {title.split()[0] for title in before if before[title] != after[title]}
    assert changed == {"train", "compress", "export", "measure", "judge"}


def test_a_baseline_is_marked_and_not_gated(site) -> None:
    rows, _ = site.run(learners=("toy", "toy:mood=random"), baseline=("toy:mood=random",), seeds=1)
    assert [row["baseline"] for row in rows] == [False, True]
    assert [row["verdict"]["gated"] for row in rows] == [True, False]


def test_a_quick_run_is_another_training_and_is_watermarked(site) -> None:
    full, quick = site.plan(seeds=1), site.plan(seeds=1, quick=True)
    kinds = {stage.name for stage in full.stages if stage.key in {s.key for s in quick.stages}}
    assert kinds == {"ingest", "split", "episodes"}
    (row,), _ = site.run(seeds=1, quick=True)
    assert row["watermark"] == "quick"


def test_observers_are_told(site) -> None:
    _, notes = site.run(seeds=1)
    assert notes.observed[:2] == ["started", "toy"]
    assert json.loads(notes.observed[2])["cells"] == 1


def test_a_part_whose_module_is_not_there_stops_only_who_names_it(site) -> None:
    assert site.plan(seeds=1).cells[0].error is None  # though a backbone is broken
    with pytest.raises(
        PluginError, match=r"^learner gone of faultbench-made-up 1 cannot be imported .*: repair or update faultbench-made-up"
    ):
        site.plan(learners=("gone",), seeds=1)
    with pytest.raises(PluginError, match="backbone gone of faultbench-made-up 1 cannot be imported"):
        site.plan(learners=("cnn:frontend=welch:segment=32,backbone=gone",), seeds=1)


def test_unknown_names_are_refused_before_any_work(site) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        site.plan(learners=("toi",))
    assert not site.cache.exists()


def test_a_dry_run_prints_cells_stages_and_what_is_there(site) -> None:
    from faultbench.report.plan import print_plan

    def printed() -> str:
        console = Console(width=100, record=True, file=io.StringIO())
        print_plan(site.plan(learners=("toy", "toy:mood=[red]"), seeds=1), console)
        return console.export_text()

    before = printed()
    assert "toy:mood=[red]" in before  # a plugin's text is no markup
    assert "how long they take is not known" in before
    assert not site.cache.exists()
    site.run(seeds=1)
    after = printed()
    assert "cached" in after
    assert "14 stages, 6 to do" in after
    site.run(learners=("toy", "toy:mood=[red]"), seeds=1)
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
