"""`faultbench data audit` as a user calls it."""

from __future__ import annotations

import json

import pytest

SMALL = ("data", "audit", "--ways", "3", "--shots", "2", "--queries", "3", "--episodes", "4", "--seeds", "2", "--jobs", "1")
PLANT = (*SMALL, "-d", "plant", "-s", "new-device:window=64")


def test_a_clean_split_is_reported_and_ends_with_0(site):
    done = site.command(*PLANT, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for claim in (
        "plant, new-device:window=64 [T2], 3-way 2-shot, windows of 64 samples at 1000 Hz, 2 seeds of 4 episodes",
        "T2: a machine never seen",
        "The split keeps what its level promises.",
        "bearing in 8 of 8 episodes, allowed 0, promised",
        "recordings 14 14",
        "healthy 2 (1) 2 (1) ",
        "copies: none, by the samples (also shifted, cropped, rescaled",
        "Chance is 0.333.",
        "each recording has one sensor",
    ):
        assert claim in said
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("dataset", "scenario", "said"),
    [
        ("plant:mood=shifted", "new-device:window=64", "source and target share 1 sample (plant/far inner 0 0 hp"),
        ("plant:mood=two-sensors", "blind", "source and target share 14 sessions (plant/far"),
        ("plant:mood=clock-positions", "blind:to=bearing,like=unseen-bearing", "support and query share a bearing in"),
    ],
)
def test_a_planted_leak_is_printed_with_the_whole_report_and_ends_with_2(dataset, scenario, said, site):
    done = site.command(*SMALL, "-d", dataset, "-s", scenario)
    assert done.returncode == 2
    flat = " ".join(done.stdout.split())
    assert "The split breaks its level" in flat
    assert said in flat
    assert "BREAKS THE PROMISE" in flat
    assert "error" not in done.stderr
    assert "Shortcut probes" in flat


def test_all_findings_are_printed_and_equal_ones_of_several_seeds_once(site):
    done = site.command(*SMALL, "-d", "plant", "-s", "leaky")
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "The split breaks its level, 5 findings:" in said
    flat = " ".join(said)
    for thing in ("sample", "recording", "session", "bearing", "mounting"):
        assert flat.count(f"source and target share 1 {thing} (") == 1


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("odd", "level 'T9' is none of T0"),
        ("ragged", "episode 0: its classes have [2, 3, 3] query windows, asked for 3 each"),
        ("astray", "its window at 1000000 lies outside"),
    ],
)
def test_a_split_that_does_not_add_up_is_reported_as_far_as_it_goes(scenario, said, site):
    done = site.command(*SMALL, "-d", "plant", "-s", scenario)
    assert done.returncode == 2, done.stderr
    flat = " ".join(done.stdout.split())
    assert said in flat
    assert "error" not in done.stderr
    assert ("Shortcut probes: not asked: the episodes do not add up, see the findings" in flat) is (scenario != "odd")


def test_json_stands_alone_on_stdout_and_tells_the_same(site):
    done = site.command(*PLANT, "-s", "leaky", "--json", "-")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert (document["schema"], document["command"][:3]) == (1, ["faultbench", "data", "audit"])
    clean, leaky = document["audits"]
    assert [seed["findings"] for seed in clean["seeds"]] == [[], []]
    assert len(leaky["seeds"][0]["findings"]) == 5
    assert leaky["promises"]["source/target"] == ["sample", "recording", "session", "bearing", "mounting"]
    assert {probe["name"] for probe in clean["probes"]} >= {"rms", "step", "other-sensor", "bearing", "session", "load", "position"}


def test_a_run_refuses_in_one_line_what_the_audit_reports_in_full(site):
    done = site.command("run", *SMALL[2:], "-d", "plant", "-s", "leaky", "-l", "toy")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "error: new-device:window=64 breaks its level T2, seed 0: source and target share 1 sample"
    )
    assert done.stdout == ""


def test_a_scenario_that_refuses_is_one_line_alone_and_a_report_beside_others(site):
    alone = site.command(*SMALL, "-d", "plant:mood=two-sensors", "-s", "new-device:window=64")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "nothing is left to train on" in alone.stderr.splitlines()[-1]
    both = site.command(*SMALL, "-d", "plant:mood=two-sensors,plant", "-s", "new-device:window=64")
    assert both.returncode == 2
    assert "no split: new-device:window=64: every other recording shares a bearing, session or mounting" in " ".join(both.stdout.split())
    assert "The split keeps what its level promises." in both.stdout


@pytest.mark.parametrize(
    ("dataset", "said"), [("plant:mood=two-sensors", "nothing is left to train on"), ("plant:mood=spoilt", "a file is foreign")]
)
@pytest.mark.parametrize("place", ["-", "refused.json"])
def test_a_refusal_alone_is_written_as_json_too(dataset, said, place, site):
    """Found while planning, or while the signals are read."""
    done = site.command(*SMALL, "-d", dataset, "-s", "new-device:window=64", "--json", place)
    assert done.returncode == 2, done.stderr
    text = done.stdout if place == "-" else (site.folder / place).read_text(encoding="utf-8")
    (audit,) = json.loads(text)["audits"]
    assert said in audit["error"]
    assert (audit["dataset"], audit["error_code"], audit["level"], audit["seeds"]) == (dataset, 2, None, [])
    assert said in done.stderr.splitlines()[-1]
    assert place == "-" or done.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-d", "plnt"), "no data set is called 'plnt': did you mean plant"),
        (("-s", "new-divice"), "no scenario is called 'new-divice': did you mean new-device"),
        (("--source", "twin"), "source names data sets that no scenario takes"),
        (("--ways", "1"), "ways 1 leaves nothing to tell apart"),
        (("--json", "no/such/x.json"), "--json no/such/x.json cannot be written (No such file or directory)"),
        (("-l", "maml"), "no such option: -l"),
    ],
)
def test_bad_usage_is_one_line_before_any_work(words, said, site):
    done = site.command(*PLANT, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not site.cache.exists()


def test_an_interrupted_audit_keeps_what_is_finished(site):
    before = (
        "import faultbench.inspection.probes as p\ndef stopped(*_):\n    raise KeyboardInterrupt\np.probes = stopped\n"
        "import faultbench.inspection.audits"
    )
    assert site.command(*PLANT, before=before).returncode == 130
    done = site.command(*PLANT)
    assert done.returncode == 0
    assert "reused 3 of 3 stages" in done.stderr
