from __future__ import annotations

import os
from pathlib import Path

import pytest

from faultbench.errors import UsageError
from faultbench.matrix.settings import RunSettings, check_criteria, settings
from faultbench.registry import Registry


def matrix(folder: Path, text: str) -> Path:
    file = folder / "matrix.toml"
    file.write_text(text)
    return file


def of(file: Path | None = None, **options: object) -> RunSettings:
    return settings(file, options, environment={})


def test_the_defaults_are_the_designs():
    run = of()
    assert (run.datasets, run.scenarios, run.learners, run.compressors, run.targets) == (
        ("simulated",),
        ("new-device",),
        ("maml",),
        ("none",),
        ("x86",),
    )
    request = run.request()
    assert (request.ways, request.shots, request.shots_rare, request.queries, request.episodes) == (0, 5, 5, 15, 100)
    assert (run.seeds, run.quick) == (3, False)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not say which cores a process may use")
@pytest.mark.parametrize(("cores", "jobs"), [({3}, 1), ({0, 5, 6}, 3), (set(range(64)), 8)])
def test_a_run_takes_the_cores_it_may_use_but_not_a_whole_server(monkeypatch, cores, jobs):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    assert of().jobs == jobs
    assert of(jobs=12).jobs == 12


def test_a_system_that_does_not_say_which_cores_is_served(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert of().jobs == 1


@pytest.mark.parametrize(("shots", "rare"), [(3, 3), (5, 5), (15, 5)])
def test_the_rare_class_has_at_most_five_shots_unless_it_is_said(shots, rare):
    assert of(shots=shots).request().shots_rare == rare


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ways": 1}, "nothing to tell apart"),
        ({"ways": -2}, "nothing to tell apart"),
        ({"shots": 0}, "shots 0 is too few"),
        ({"queries": 0}, "queries 0 is too few"),
        ({"episodes": 0}, "episodes 0 is too few"),
        ({"seeds": 0}, "seeds 0 is too few"),
        ({"jobs": 0}, "jobs 0 is too few"),
        ({"shots": 3, "shots_rare": 4}, "shots-rare 4 contradicts shots 3"),
        ({"shots_rare": 0}, "give 1 to 5"),
    ],
)
def test_settings_that_contradict_are_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        of(**wrong)


def test_an_axis_of_nothing_is_refused():
    with pytest.raises(UsageError, match="learner names nothing"):
        RunSettings(learners=())


def test_a_file_says_the_same_as_the_options(tmp_path):
    file = matrix(
        tmp_path,
        """
        dataset = "cwru"
        learner = ["maml:inner_steps=3,inner_lr=0.2", "cnn,centroid"]
        compressor = ["none", "prune40"]
        shots-rare = 2
        data-dir = "data"
        quick = false
        criteria = "accuracy>=0.9"
        """,
    )
    run = of(file)
    assert run.datasets == ("cwru",)
    assert run.learners == ("maml:inner_steps=3,inner_lr=0.2", "cnn", "centroid")
    assert run.compressors == ("none", "prune40")
    assert run.shots_rare == 2
    assert run.data_dir == tmp_path / "data"
    assert run.criteria == "accuracy>=0.9"


def test_an_option_overrides_the_file(tmp_path):
    run = of(matrix(tmp_path, 'learner = "cnn"\nseeds = 9\n'), learners=("maml",), seeds=2)
    assert run.learners == ("maml",)
    assert run.seeds == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learners = 'maml'", "there is no key 'learners': did you mean learner[?]"),
        ("sedes = 3", "did you mean seeds[?] A file may say dataset, scenario"),
        ("gate = true", "--gate belongs to the command line"),
        ("junit = 'x.xml'", "--junit belongs to the command line"),
        ("seeds = '3'", "seeds must be a whole number"),
        ("seeds = true", "seeds must be a whole number"),
        ("seeds = 3.0", "seeds must be a whole number"),
        ("quick = 1", "quick must be true or false"),
        ("learner = 3", "learner must be a name or a list of names"),
        ("learner = ['maml', 3]", "learner must be a name or a list of names"),
        ("learner = []", "learner names nothing"),
        ("criteria = 3", "criteria must be a text"),
        ("data-dir = 3", "data-dir must be a text"),
        ("shots-rare = 1\nshots_rare = 2", "stands there twice"),
        ("criteria-for = 3", "a table per axis"),
        ("[criteria-for.targt]\nx86 = 'accuracy>=0.9'", "did you mean target[?]"),
        ("[criteria-for]\ntarget = 'accuracy>=0.9'", "must be a table"),
        ("[criteria-for.target]\nx86 = 3", "x86 must be a text"),
        ("learner = ", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_a_file_that_does_not_fit_says_what_would(tmp_path, text, said):
    with pytest.raises(UsageError, match=said) as caught:
        of(matrix(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_bad_usage(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        of(tmp_path / "missing.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        of(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not TOML"):
        of(tmp_path / "bytes.toml")


def test_quick_takes_one_seed_and_twenty_episodes():
    run = of(quick=True)
    assert (run.seeds, run.episodes, run.quick) == (1, 20, True)


def test_what_is_said_beside_quick_holds():
    run = of(quick=True, seeds=2)
    assert (run.seeds, run.episodes) == (2, 20)


def test_quick_on_the_command_line_cuts_down_a_file(tmp_path):
    file = matrix(tmp_path, "seeds = 9\nepisodes = 500\n")
    assert (of(file, quick=True).seeds, of(file, quick=True).episodes) == (1, 20)
    assert of(file, quick=True, seeds=4).seeds == 4


def test_what_a_quick_file_says_of_its_seeds_holds(tmp_path):
    assert of(matrix(tmp_path, "quick = true\nseeds = 2\n")).seeds == 2


def test_baselines_are_added_to_the_learners_once():
    run = of(learners=("maml", "cnn"), baseline=("cnn", "centroid"))
    assert run.learners == ("maml", "cnn", "centroid")
    assert run.baseline == ("cnn", "centroid")
    assert of(baseline=("cnn",)).learners == ("maml", "cnn")


def test_the_data_folder_is_the_options_the_files_or_the_environments(tmp_path):
    environment = {"FAULTBENCH_DATA": "/environment"}
    file = matrix(tmp_path, "data-dir = '/file'\n")
    assert settings(None, {}, environment).data_dir == Path("/environment")
    assert settings(file, {}, environment).data_dir == Path("/file")
    assert settings(file, {"data_dir": Path("/option")}, environment).data_dir == Path("/option")
    assert settings(None, {}, {"FAULTBENCH_DATA": ""}).data_dir is None


def spelled(run: RunSettings, **cell: str) -> list[str]:
    return [criterion.spelling for criterion in run.cell_criteria(cell)]


def test_criteria_of_a_name_replace_the_same_figure_and_add_others(tmp_path):
    run = of(
        matrix(
            tmp_path,
            """
            criteria = "accuracy>=0.9, latency_ms.p99<=100"
            [criteria-for.target]
            x86 = "latency_ms.p99<=20, finetune_s.p50<=1"
            "x86:threads=2" = "latency_ms.p99<=10"
            """,
        )
    )
    assert spelled(run, targets="arm64") == ["accuracy.mean>=0.9", "latency_ms.p99<=100"]
    assert spelled(run, targets="x86") == ["accuracy.mean>=0.9", "latency_ms.p99<=20", "finetune_s.p50<=1"]
    assert spelled(run, targets="x86:threads=2") == ["accuracy.mean>=0.9", "finetune_s.p50<=1", "latency_ms.p99<=10"]
    assert spelled(run, targets="x86:threads=4") == ["accuracy.mean>=0.9", "latency_ms.p99<=20", "finetune_s.p50<=1"]


def test_criteria_of_one_figure_in_both_directions_stay_side_by_side():
    run = RunSettings(criteria="accuracy>=0.5, accuracy<=0.9", criteria_for={"learners": {"maml": "accuracy>=0.7"}})
    assert spelled(run, learners="maml") == ["accuracy.mean<=0.9", "accuracy.mean>=0.7"]


@pytest.mark.parametrize(
    "run",
    [
        RunSettings(criteria="accuracy>>1"),
        RunSettings(criteria_for={"targets": {"x86": "latency_ms.p98<=20"}}),
        RunSettings(criteria_for={"targets": {"x87": "latency_ms.p99<=20"}}),
        RunSettings(criteria_for={"compressors": {"prune:percent=40": "accuracy>=0.9"}}),
    ],
)
def test_criteria_are_checked_before_any_work(run):
    with pytest.raises(UsageError):
        check_criteria(run, Registry.discover(plugins=False))
