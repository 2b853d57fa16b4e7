"""A leak planted at every level, in a third party's data set or scenario, and the report that shows it."""

from __future__ import annotations

import json

import pytest

from faultbench.errors import IsolationError, UsageError
from faultbench.inspection.audits import document, execute, exit_code, plan
from faultbench.matrix.cache import Cache
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Registry

SHAPE = {"ways": 3, "shots": 2, "queries": 3, "episodes": 4, "seeds": 2, "jobs": 1}


@pytest.fixture
def reports(site, notes):
    """Audits made-up data sets and scenarios."""

    def make(**said):
        settings = RunSettings(**{"datasets": ("plant",), "scenarios": ("new-device:window=64",), **SHAPE, **said})
        return execute(plan(settings, Registry.discover(), Cache(site.cache)), notes)

    return make


def test_a_clean_split_is_reported_clean(reports):
    (report,) = reports()
    assert (report["level"], report["error"], exit_code([report])) == ("T2", None, 0)
    assert [seed["findings"] for seed in report["seeds"]] == [[], []]
    assert report["seeds"][0]["shared"]["source/target"]["bearing"] == 0
    json.dumps(document([report], ["faultbench"]), allow_nan=False)


LEAKS = {
    "a renamed copy": ("plant:mood=renamed", "new-device:window=64", "source/target", "sample"),
    "a shifted copy": ("plant:mood=shifted", "new-device:window=64", "source/target", "sample"),
    "a cropped copy": ("plant:mood=cropped", "new-device:window=64", "source/target", "sample"),
    "a copy in another unit, turned round and rounded": ("plant:mood=rescaled", "new-device:window=64", "source/target", "sample"),
    "a recording": ("plant", "leaky", "source/target", "recording"),
    "a session seen by two sensors": ("plant:mood=two-sensors", "blind", "source/target", "session"),
    "a bearing lent to another machine": ("plant:mood=lent", "blind:to=bearing", "source/target", "bearing"),
    "a mounting": ("plant:mood=moved", "blind:to=mounting,target=near", "source/target", "mounting"),
    "clock positions of one ring": ("plant:mood=clock-positions", "blind:to=bearing,like=unseen-bearing", "support/query", "bearing"),
}


@pytest.mark.parametrize(("dataset", "scenario", "relation", "thing"), LEAKS.values(), ids=LEAKS)
def test_a_planted_leak_is_found(dataset, scenario, relation, thing, reports):
    (report,) = reports(datasets=(dataset,), scenarios=(scenario,))
    assert exit_code([report]) == 2
    for seed in report["seeds"]:
        assert seed["shared"][relation][thing] > 0
        assert any(f"{relation.replace('/', ' and ')} share" in finding and thing in finding for finding in seed["findings"])
    assert report["facts"][0]["recordings"]["target"] > 0, "a split that breaks its level is reported in full"
    assert any(probe["accuracy"] for probe in report["probes"])


@pytest.mark.parametrize(("dataset", "scenario", "relation", "thing"), LEAKS.values(), ids=LEAKS)
def test_the_same_is_clean_where_nothing_is_planted(dataset, scenario, relation, thing, reports):
    """Neither the mood nor the blindness alone is what is found."""
    honest = "unseen-bearing:window=64" if "unseen" in scenario else "new-device:window=64"
    if dataset.endswith(("renamed", "shifted", "cropped", "rescaled")):
        (report,) = reports()
    elif dataset == "plant:mood=two-sensors":
        with pytest.raises(IsolationError, match="nothing is left to train on"):
            reports(datasets=(dataset,), scenarios=(honest,))
        return
    elif dataset == "plant:mood=clock-positions":
        (report,) = reports(datasets=(dataset,), scenarios=(honest,), ways=2)
    else:
        (report,) = reports(datasets=(dataset,), scenarios=(honest,))
    assert exit_code([report]) == 0


def test_a_recording_of_the_targets_data_set_in_the_source_is_found_at_t4(reports):
    honest, generous = reports(scenarios=("new-dataset:window=64", "generous"), source=("twin",))
    assert (honest["level"], exit_code([honest])) == ("T4/T2", 0)
    assert (generous["level"], exit_code([generous])) == ("T4/T2", 2)
    assert generous["seeds"][0]["shared"]["source/target"]["dataset"] == 1
    assert any("source and target share 1 dataset (plant/far" in finding for finding in generous["seeds"][0]["findings"])


def test_all_findings_are_there_not_the_first_alone(reports):
    (report,) = reports(scenarios=("leaky",))
    said = " ".join(report["seeds"][0]["findings"])
    assert all(f"share 1 {thing} " in said for thing in ("sample", "recording", "session", "bearing", "mounting"))


def test_a_split_that_moves_with_the_number_of_episodes_is_found(reports):
    (report,) = reports(scenarios=("counting",))
    assert "another source or target for 4 episodes than for 1" in report["seeds"][0]["findings"][0]


def test_left_out_recordings_come_with_the_reason(reports):
    (report,) = reports(datasets=("plant:mood=lent",))
    (facts,) = report["facts"]
    assert facts["seeds"] == [0, 1]
    assert facts["left_out_reasons"] == {"shares its bearing with a recording of the target's mounting near": ["plant/far inner 0 0 hp"]}
    (report,) = reports(scenarios=("unseen-bearing:window=64",))
    assert report["facts"][0]["left_out_reasons"]["of no class that the episodes have (healthy: near has 1 bearing of it)"] == [
        "plant/near healthy 0 0 hp",
        "plant/near healthy 0 1 hp",
    ]
    (report,) = reports(scenarios=("new-dataset:window=64",), source=("twin",))
    (reason,) = report["facts"][0]["left_out_reasons"]
    assert reason == "of the target's data set, at far: the source is of other data sets alone"


def test_a_split_that_cannot_be_made_is_a_report_beside_others_and_an_error_alone(reports):
    good, bad = reports(scenarios=("new-device:window=64", "broken"))
    assert (good["error"], exit_code([good])) == (None, 0)
    assert "ZeroDivisionError: on purpose" in bad["error"]
    assert (bad["error_code"], exit_code([good, bad]), bad["seeds"]) == (4, 4, [])
    with pytest.raises(UsageError, match="9 ways"):
        reports(ways=9)


def test_what_was_audited_is_not_audited_again(reports, notes):
    reports()
    assert notes.reused == (0, 3) or notes.reused == (3, 0)
    began = len(notes.started)
    reports()
    assert (notes.reused, len(notes.started)) == ((3, 3), began)
