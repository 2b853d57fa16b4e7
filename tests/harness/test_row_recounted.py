"""Every figure of a row, counted again from the runner's own files by other means than the harness's."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from faultbench.matrix.cache import Cache
from faultbench.matrix.execute import execute
from faultbench.matrix.plan import plan
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Registry
from faultbench.report.progress import Lines

DATA = os.environ.get("FAULTBENCH_DATA") or Path(__file__).parents[3] / "shared" / "data"
SEEDS, EPISODES = 2, 4


class Recount:
    """A row, its queries (a dictionary each, read from the files as they lie there), and the runner's times."""

    def __init__(self, row, queries, times):
        self.row, self.queries, self.times = row, queries, times
        self.healthy = [q for q in queries if q["true"] == "healthy"]
        self.faults = [q for q in queries if q["true"] != "healthy"]


def share(queries, hit=lambda q: q["true"] == q["answer"]):
    return sum(map(hit, queries)) / len(queries) if queries else None


@pytest.fixture(scope="module", params=["simulated", pytest.param("cwru", marks=pytest.mark.slow)])
def recounts(request, tmp_path_factory):
    """A run of two learners on both scenarios, so that there are mistakes to count."""
    if request.param == "cwru" and not (Path(DATA) / "cwru" / "105.mat").exists():
        pytest.skip(f"no Case Western records in {DATA}: set FAULTBENCH_DATA")
    folder = tmp_path_factory.mktemp("recount")
    settings = RunSettings(
        datasets=(request.param,),
        scenarios=("new-device", "unseen-bearing"),
        learners=("centroid", "centroid:frontend=welch:segment=32"),
        episodes=EPISODES,
        seeds=SEEDS,
        shots=2,
        shots_rare=1,
        queries=7,
        data_dir=Path(DATA),
        jobs=1,
    )
    planned = plan(settings, Registry.discover(plugins=False), Cache(folder / "cache"))
    with (folder / "log").open("w") as log:
        rows = execute(planned, Lines(log), store=folder / "results.sqlite")
    return [Recount(row, *read(planned.graph[cell.goal].inputs, planned.cache, row)) for cell, row in zip(planned.cells, rows, strict=True)]


def read(inputs, cache, row):
    queries, times = [], {"finetune_s": [], "latency_s": [], "network_s": []}
    for seed in range(SEEDS):
        split = cache.get(inputs[f"episodes.{seed}"]) / "split"
        head = json.loads((split / "split.json").read_text())
        rows, labels = np.load(split / "query.npy"), np.load(split / "query_labels.npy")
        with np.load(cache.get(inputs[f"measure.{seed}"]) / "measurement.npz") as measured:
            predictions = measured["predictions"]
            for name, values in times.items():
                values.extend(measured[name].tolist())
        for episode in range(len(rows)):
            classes = head["classes"][episode]
            for query in range(rows.shape[1]):
                recording = head["target"]["recordings"][rows[episode, query, 0]]
                queries.append(
                    {
                        "seed": seed,
                        "recording": recording,
                        "true": classes[labels[episode, query]],
                        "answer": classes[predictions[episode, query]],
                        "rare": labels[episode, query] == head["rare"][episode],
                    }
                )
    return queries, times


def test_there_are_mistakes_to_count(recounts):
    assert any(share(r.queries) < 0.9 for r in recounts)
    assert {r.row["cell"]["level"] for r in recounts} == {"T2", "T3"}


def test_the_truth_is_the_recordings_own(recounts):
    for r in recounts:
        for q in r.queries:
            own = q["recording"]["element"]
            if r.row["cell"]["level"] == "T2":
                own = f"{own} {q['recording']['severity']}".strip()
            assert q["true"] == own


def test_every_query_that_was_asked_for_is_counted_once(recounts):
    for r in recounts:
        assert len(r.queries) == SEEDS * EPISODES * r.row["cell"]["ways"] * 7
        assert sum(map(sum, r.row["confusion"]["counts"])) == len(r.queries)
        assert r.row["finetune_s"]["n"] == SEEDS * EPISODES


def test_rates_are_the_plain_shares_of_the_queries(recounts):
    for r in recounts:
        rates = r.row
        assert rates["accuracy"]["mean"] == pytest.approx(share(r.queries))  # every class is asked as often
        assert rates["accuracy_faults"]["mean"] == pytest.approx(share(r.faults))
        assert rates["recall"]["rare"]["mean"] == pytest.approx(share([q for q in r.queries if q["rare"]]))
        classes = {label: share([q for q in r.queries if q["true"] == label]) for label in {q["true"] for q in r.queries}}
        assert rates["recall"]["worst"]["mean"] == pytest.approx(min(classes.values()))
        assert {label: said["recall"] for label, said in rates["classes"].items()} == pytest.approx(classes, abs=1e-6)
        assert not any(q["rare"] for q in r.healthy), "the rare class is a fault"


def test_false_and_missed_alarms_are_known_where_healthy_is_a_class(recounts):
    for r in recounts:
        if not r.healthy:
            assert (r.row["false_alarm"], r.row["missed_alarm"]) == (None, None)
            continue
        assert r.row["false_alarm"]["mean"] == pytest.approx(share(r.healthy, lambda q: q["answer"] != "healthy"))
        assert r.row["missed_alarm"]["mean"] == pytest.approx(share(r.faults, lambda q: q["answer"] == "healthy"))


def test_the_confusion_is_the_count_of_truth_and_answer(recounts):
    for r in recounts:
        counted = Counter((q["true"], q["answer"]) for q in r.queries)
        labels, counts = r.row["confusion"]["labels"], r.row["confusion"]["counts"]
        assert {(t, a): counts[i][j] for i, t in enumerate(labels) for j, a in enumerate(labels) if counts[i][j]} == counted


def test_the_bearings_are_those_asked_for_each_with_its_own_recall(recounts):
    for r in recounts:
        by_bearing = {}
        for q in r.faults:
            by_bearing.setdefault(f"{q['recording']['dataset']}/{q['recording']['bearing']}", []).append(q)
        own = {bearing: share(queries) for bearing, queries in by_bearing.items()}
        said = r.row["bearings"]
        assert said["recall"] == pytest.approx(own)
        assert (said["passing"], said["total"]) == (sum(recall >= 0.92 for recall in own.values()), len(own))


def test_the_units_are_bearings_and_the_sessions_of_an_only_healthy_one(recounts):
    for r in recounts:
        faulty = {q["recording"]["bearing"] for q in r.faults}
        healthy = {q["recording"]["bearing"] for q in r.healthy}
        if len(healthy) == 1:
            healthy = {q["recording"]["session"] for q in r.healthy}
        said = r.row["accuracy"]
        assert (said["fault_units"], said["healthy_units"]) == (len(faulty), len(healthy))
        assert said["clusters"] == " + ".join([f"{len(faulty)} fault", *([f"{len(healthy)} healthy"] if healthy else [])])


def test_the_interval_is_that_of_resampling_bearings_and_seeds(recounts):
    rng = np.random.default_rng(0)
    for r in recounts:
        drawn = [resampled(r, rng) for _ in range(2000)]
        low, high = np.nanquantile(drawn, [0.025, 0.975])  # a draw may have no query
        assert (r.row["accuracy"]["ci_low"], r.row["accuracy"]["ci_high"]) == pytest.approx((low, high), abs=0.02)


def resampled(r, rng):
    """The accuracy of one draw: bearings within healthy and faulty, crossed with seeds."""
    seeds = Counter(rng.integers(SEEDS, size=SEEDS).tolist())
    shares = []
    for queries in (r.healthy, r.faults):
        if not queries:
            continue
        alone = len({q["recording"]["bearing"] for q in queries}) == 1
        unit = [q["recording"]["session" if alone else "bearing"] for q in queries]
        names = sorted(set(unit))
        weights = Counter(names[i] for i in rng.integers(len(names), size=len(names)))
        weight = np.array([weights[u] * seeds[q["seed"]] for u, q in zip(unit, queries, strict=True)])
        right = np.array([q["true"] == q["answer"] for q in queries])
        shares.append((weight * right).sum() / weight.sum() if weight.sum() else np.nan)
    ways = r.row["cell"]["ways"]
    return shares[0] if len(shares) == 1 else shares[0] / ways + shares[1] * (ways - 1) / ways


def test_times_are_the_runners(recounts):
    for r in recounts:
        for name, factor in (("finetune_s", 1), ("latency_ms", 1e3), ("network_ms", 1e3)):
            if r.row["void"]:
                assert r.row[name] is None
                continue
            values = sorted(factor * t for t in r.times[name.replace("_ms", "_s")])
            said = r.row[name]
            assert (said["min"], said["n"]) == (pytest.approx(values[0]), len(values))
            for quantile in (50, 90, 99):
                below = sum(value <= said[f"p{quantile}"] * (1 + 1e-9) for value in values)
                assert below >= quantile / 100 * len(values)
        window_ms = 1000 * r.row["cell"]["window"] / r.row["cell"]["rate_hz"]
        if not r.row["void"]:
            assert r.row["decision_ms"]["p50"] == pytest.approx(r.row["latency_ms"]["p50"] + window_ms)


def test_the_difference_of_two_learners_is_that_of_their_accuracies(recounts):
    for first in recounts:
        for second in recounts:
            name, same = second.row["cell"]["learner"], first.row["cell"]["scenario"] == second.row["cell"]["scenario"]
            if same and first is not second:
                found = first.row["differences"][name]
                assert found["mean"] == pytest.approx(share(first.queries) - share(second.queries))
                assert found["ci_low"] <= found["mean"] <= found["ci_high"]
