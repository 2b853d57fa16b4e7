"""What the audit and the probes say of the real recordings, where they are at hand: the shortcuts that are known of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faultbench.inspection.audits import execute, exit_code, plan
from faultbench.matrix.cache import Cache
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Registry

DATA = Path(os.environ.get("FAULTBENCH_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


class Silent:
    """Progress that nobody watches."""

    def __getattr__(self, name):
        return lambda *_, **__: None


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Audits with few episodes, on signals that are ingested once."""
    cache = Cache(tmp_path_factory.mktemp("cache"))

    def audits(**said):
        settings = RunSettings(data_dir=DATA, seeds=1, episodes=40, jobs=1, **said)
        return execute(plan(settings, Registry.discover(plugins=False), cache), Silent())

    return audits


def scores(report):
    return {probe["name"]: probe["accuracy"] and probe["accuracy"]["mean"] for probe in report["probes"]}


@pytest.mark.skipif(not (DATA / "cwru" / "105.mat").exists(), reason="no real records: set FAULTBENCH_DATA to the folder of cwru/105.mat")
def test_case_western_is_clean_and_full_of_shortcuts_at_t2_and_not_at_t3(audited):
    known, unseen = audited(datasets=("cwru",), scenarios=("new-device", "unseen-bearing"))
    assert exit_code([known, unseen]) == 0
    at_t2, at_t3 = scores(known), scores(unseen)
    assert at_t2["bearing"] == 1.0
    assert at_t2["rms"] > 0.8
    assert at_t2["step"] > 0.6
    assert at_t2["session"] == pytest.approx(0.2, abs=0.05)
    steps = known["facts"][0]["quantisation"]["target"]
    assert steps["healthy"] is None, "healthy records were decimated"
    assert {round(1e5 * step) for label in steps if (extent := steps[label]) for step in extent} >= {4, 16, 41}
    assert max(score for name, score in at_t3.items() if name != "other-sensor") < 0.45
    reasons = known["facts"][0]["left_out_reasons"]
    assert reasons["shares its bearing with a recording of the target's mounting drive-end"] == ["cwru/97:fan-end", "cwru/100:fan-end"]


@pytest.mark.skipif(not (DATA / "uestc" / "N_800_1.mat").exists(), reason="no real records: set FAULTBENCH_DATA to the folder of uestc/")
def test_loudness_nearly_tells_the_classes_of_uestc(audited):
    (report,) = audited(datasets=("uestc",), scenarios=("new-dataset",), source=("simulated",))
    level = report["facts"][0]["rms"]["target"]
    assert level["healthy"][1] < level["ball"][0]
    assert level["ball"][1] < min(level["outer"][0], level["inner"][0])
    assert level["outer"][0] < level["inner"][0] < level["outer"][1], "over the speeds these two overlap"
    loudness = next(probe for probe in report["probes"] if probe["name"] == "rms")
    assert loudness["accuracy"]["mean"] > 0.6
    assert loudness["recall"]["healthy"] > 0.85
