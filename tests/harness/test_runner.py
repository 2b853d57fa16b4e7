"""The runner computes what numpy does, times what it says, finds caches, and is one file for any gateway."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faultbench.artifact import runner
from faultbench.artifact.format import Graphs
from faultbench.artifact.runner import Artifact, Episodes, RunError, measure, repeat_ratio
from faultbench.artifact.writer import write_artifact
from faultbench.testing.artifacts import centroid_graphs, energies, gradient_graphs, model

WAYS, WINDOW, SHOTS, QUERIES, EPISODES = 3, 64, 4, 5, 6
SOURCE = Path(runner.__file__)


def write(folder: Path, graphs: Graphs, window: int = WINDOW) -> Path:
    write_artifact(folder, graphs, ways=WAYS, window=window, channels=1, rate_hz=12000, learner="x", compressor="none", provenance="p")
    return folder


def arrays(seed: int = 0, window: int = WINDOW, ways: int = WAYS) -> dict[str, np.ndarray]:
    """Episodes of noise whose loudness is the class; every third window of a class is a support window."""
    rng = np.random.default_rng(seed)
    labels = np.arange(90) % ways
    windows = (rng.standard_normal((90, 1, window)) * 3.0 ** labels[:, None, None]).astype(np.float32)
    support, query = np.empty((EPISODES, ways * SHOTS), int), np.empty((EPISODES, ways * QUERIES), int)
    for episode in range(EPISODES):
        drawn = np.array([rng.permutation(np.flatnonzero(labels == way))[: SHOTS + QUERIES] for way in range(ways)])
        support[episode], query[episode] = drawn[:, :SHOTS].ravel(), drawn[:, SHOTS:].ravel()
    return {"windows": windows, "support": support, "support_labels": labels[support], "query": query}


def save(path: Path, **changed: object) -> Path:
    np.savez(path, **{**arrays(), **changed})  # type: ignore[arg-type]
    return path


@pytest.fixture
def centroid(tmp_path: Path) -> Path:
    return write(tmp_path / "centroid", centroid_graphs(WAYS, WINDOW, support_rows=20))


@pytest.fixture
def episodes(tmp_path: Path) -> Path:
    return save(tmp_path / "episodes.npz")


def loaded(artifact: Path, episodes: Path) -> Episodes:
    return Episodes(episodes, runner.read_manifest(artifact))


# what numpy says


def centroid_logits(support: np.ndarray, labels: np.ndarray, query: np.ndarray) -> np.ndarray:
    features = energies(support)
    centroids = np.stack([features[labels == way].mean(0) for way in range(WAYS)])
    return -((energies(query)[:, None] - centroids) ** 2).sum(2)


def gradient_logits(support: np.ndarray, labels: np.ndarray, query: np.ndarray, steps: int = 5, rate: float = 0.1) -> np.ndarray:
    features, onehot = energies(support), np.eye(WAYS)[labels]
    weight, bias = np.zeros((WAYS, features.shape[1])), np.zeros(WAYS)
    for _ in range(steps):
        logits = features @ weight.T + bias
        probability = np.exp(logits - logits.max(1, keepdims=True))
        error = probability / probability.sum(1, keepdims=True) - onehot
        weight, bias = weight - rate / len(labels) * error.T @ features, bias - rate / len(labels) * error.sum(0)
    scale = np.abs(weight).max(1, keepdims=True) / 127
    return energies(query) @ (np.round(weight / scale) * scale).T + bias


@pytest.mark.parametrize("support_rows", [0, WAYS * SHOTS, 30], ids=["any", "exact", "padded"])
@pytest.mark.parametrize(("graphs", "reference"), [(centroid_graphs, centroid_logits), (gradient_graphs, gradient_logits)])
def test_logits_are_those_of_numpy_whatever_the_padding(tmp_path: Path, graphs: Any, reference: Any, support_rows: int) -> None:
    artifact = Artifact(write(tmp_path / "artifact", graphs(WAYS, WINDOW, support_rows=support_rows)))
    given = arrays()
    for support, labels, query in zip(given["support"], given["support_labels"], given["query"], strict=True):
        state = artifact.adapt(given["windows"][support], labels)
        logits = artifact.predict(state, given["windows"][query])
        expected = reference(given["windows"][support], labels, given["windows"][query])
        np.testing.assert_allclose(logits, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())


def test_the_deployed_state_holds_what_predict_takes(tmp_path: Path) -> None:
    artifact = Artifact(write(tmp_path / "artifact", gradient_graphs(WAYS, WINDOW)))
    given = arrays()
    state = artifact.adapt(given["windows"][given["support"][0]], given["support_labels"][0])
    assert {name: value.dtype.name for name, value in state.items()} == {"levels": "int8", "scale": "float32", "bias": "float32"}


def raw_graphs() -> Graphs:
    """Without a features graph: the state is the mean support window of each class, logits are inner products with it."""
    adapt = model(
        [
            ("Flatten", ["features"], "flat"),
            ("Transpose", ["labels"], "turned"),
            ("MatMul", ["turned", "flat"], "new.mean"),
        ],
        {"features": ("k", 1, WINDOW), "labels": ("k", WAYS)},
        {"new.mean": (WAYS, WINDOW)},
    )
    predict = model(
        [("Flatten", ["features"], "flat"), ("Gemm", ["flat", "mean"], "logits", {"transB": 1})],
        {"features": ("n", 1, WINDOW), "mean": (WAYS, WINDOW)},
        {"logits": ("n", WAYS)},
    )
    return Graphs(adapt, predict, {"mean": np.zeros((WAYS, WINDOW), np.float32)}, steps=1)


def test_where_there_is_no_features_graph_raw_windows_go_to_the_others(tmp_path: Path, episodes: Path) -> None:
    artifact = write(tmp_path / "raw", raw_graphs())
    given = arrays()
    found, _ = measure(lambda: Artifact(artifact), loaded(artifact, episodes), warmup=0, queries=7, audit_rounds=3)
    support, labels, query = given["windows"][given["support"][0]], given["support_labels"][0], given["windows"][given["query"][0]]
    expected = query[:, 0] @ (np.eye(WAYS)[labels].T @ support[:, 0]).T
    np.testing.assert_allclose(found["logits"][0], expected, rtol=1e-4, atol=1e-2)
    np.testing.assert_array_equal(found["network_s"], found["latency_s"])


def orders_graphs() -> Graphs:
    """The features are what is known of the machine, so a class is a speed."""
    good = centroid_graphs(WAYS, WINDOW)
    features = model(
        [
            ("Unsqueeze", ["speed_rpm", "axis"], "speed"),
            ("Concat", ["speed", "orders"], "known", {"axis": 1}),
            ("ReduceMean", ["windows", "axes"], "mean", {"keepdims": 0}),
            ("Unsqueeze", ["mean", "axis"], "column"),
            ("Expand", ["column", "eleven"], "filler"),
            ("Concat", ["known", "filler"], "features", {"axis": 1}),
        ],
        {"windows": ("n", 1, WINDOW), "speed_rpm": ("n",), "orders": ("n", 4)},
        {"features": ("n", 16)},
        {"axis": np.array([1]), "axes": np.array([1, 2]), "eleven": np.array([1, 11])},
    )
    return Graphs(good.adapt, good.predict, good.state, steps=1, features=features)


def test_speed_and_orders_reach_the_features_graph(tmp_path: Path) -> None:
    artifact = write(tmp_path / "orders", orders_graphs())
    given = arrays()
    speeds = (1000 * (1 + np.arange(90) % WAYS)).astype(np.float32)
    known = save(tmp_path / "known.npz", windows=given["windows"] * 0, speed_rpm=speeds, orders=np.ones((90, 4), np.float32))
    found, _ = measure(lambda: Artifact(artifact), loaded(artifact, known), warmup=0, queries=5, audit_rounds=2)
    np.testing.assert_array_equal(found["predictions"], given["query"] % WAYS)
    with pytest.raises(RunError, match="the artifact needs speed_rpm of every window"):
        measure(lambda: Artifact(artifact), loaded(artifact, save(tmp_path / "unknown.npz")), warmup=0, queries=5, audit_rounds=2)


# what is measured


def test_scored_predictions_and_as_many_times_as_asked_for(centroid: Path, episodes: Path) -> None:
    found, said = measure(lambda: Artifact(centroid), loaded(centroid, episodes), warmup=3, queries=101, audit_rounds=4)
    assert found["logits"].shape == (EPISODES, WAYS * QUERIES, WAYS)
    np.testing.assert_array_equal(found["predictions"], found["logits"].argmax(2))
    assert {name: len(found[name]) for name in ("finetune_s", "latency_s", "network_s")} == {
        "finetune_s": EPISODES,
        "latency_s": 101,
        "network_s": 101,
    }
    assert all((found[name] > 0).all() for name in ("finetune_s", "latency_s", "network_s"))
    assert said["load_s"] > 0
    assert said["first_s"] > 0


def test_features_are_computed_once_per_support_window_and_adapt_runs_as_often_as_there_are_steps(tmp_path: Path) -> None:
    artifact = Artifact(write(tmp_path / "artifact", gradient_graphs(WAYS, WINDOW, support_rows=20, steps=7)))
    ran: list[tuple[str, int]] = []
    run = artifact._run

    def noted(role: str, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        ran.append((role, len(next(iter(feed.values()))) if role == "features" else 0))
        return run(role, feed)

    artifact._run = noted  # type: ignore[method-assign]
    given = arrays()
    artifact.adapt(given["windows"][given["support"][0]], given["support_labels"][0])
    assert ran == [("features", WAYS * SHOTS), *[("adapt", 0)] * 7, ("finalize", 0)]


def test_every_query_is_answered_alone(centroid: Path, episodes: Path) -> None:
    sizes: list[int] = []

    class Noted(Artifact):
        def predict(self, state: Mapping[str, np.ndarray], windows: np.ndarray, **physics: np.ndarray) -> np.ndarray:
            sizes.append(len(windows))
            return super().predict(state, windows, **physics)

    measure(lambda: Noted(centroid), loaded(centroid, episodes), warmup=0, queries=50, audit_rounds=1)
    assert set(sizes) == {1}


# the audit


class Caching(Artifact):
    """Answers a window that it has seen from memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.known: dict[bytes, np.ndarray] = {}

    def predict(self, state: Mapping[str, np.ndarray], windows: np.ndarray, **physics: np.ndarray) -> np.ndarray:
        key = windows.tobytes() + b"".join(value.tobytes() for value in state.values())
        if key not in self.known:
            self.known[key] = super().predict(state, windows, **physics)
        return self.known[key]


class CachingTheLast(Artifact):
    """Remembers no more than the last features."""

    last: tuple[bytes, np.ndarray] = (b"", np.empty(0))

    def classify(self, state: Mapping[str, np.ndarray], features: np.ndarray) -> np.ndarray:
        key = features.tobytes() + b"".join(value.tobytes() for value in state.values())
        if self.last[0] != key:
            self.last = key, super().classify(state, features)
        return self.last[1]


class Stale(Artifact):
    """Answers single queries with what it answered first."""

    answer: np.ndarray | None = None

    def predict(self, state: Mapping[str, np.ndarray], windows: np.ndarray, **physics: np.ndarray) -> np.ndarray:
        if len(windows) > 1:
            return super().predict(state, windows, **physics)
        if self.answer is None:
            self.answer = super().predict(state, windows, **physics)
        return self.answer


class Coarse(Artifact):
    """Computes single queries less precisely than those that are scored."""

    def predict(self, state: Mapping[str, np.ndarray], windows: np.ndarray, **physics: np.ndarray) -> np.ndarray:
        logits = super().predict(state, windows, **physics)
        return logits if len(windows) > 1 else logits * np.float32(1.001)


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        (Caching, "raw window to class: a repeated query takes .* cached"),
        (CachingTheLast, "to class: a repeated query takes .* cached"),
        (Stale, "gave other logits than the scored one"),
        (Coarse, "gave other logits than the scored one"),
    ],
)
def test_a_planted_cheat_makes_the_times_void(tmp_path: Path, planted: Any, reason: str) -> None:
    artifact = write(tmp_path / "artifact", centroid_graphs(WAYS, 2048), window=2048)
    given = tmp_path / "episodes.npz"
    np.savez(given, **arrays(window=2048))  # type: ignore[arg-type]
    found, said = measure(lambda: planted(artifact), loaded(artifact, given), warmup=5, queries=60, audit_rounds=10)
    assert re.search(reason, said["void"])
    assert said["notes"]["audit"].startswith("failed in 3 of 3 measurements")
    assert found["latency_s"].shape == (60,)


def test_an_audit_that_fails_once_is_repeated_and_said(centroid: Path, episodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = iter(["a hiccup", ""])
    monkeypatch.setattr(runner, "_audit_repeats", lambda *_: next(verdicts))
    found, said = measure(lambda: Artifact(centroid), loaded(centroid, episodes), warmup=0, queries=10, audit_rounds=1)
    assert said["void"] == ""
    assert said["notes"]["audit"] == "failed in 1 of 2 measurements: a hiccup"
    assert len(found["latency_s"]) == 10


def test_the_repeat_ratio_sees_what_is_saved_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    now, seen = [0.0], set()
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])

    def call(sample: np.ndarray, known: float) -> None:
        now[0] += known if sample.tobytes() in seen else 1.0
        now[0] += 0.5 * (len(seen) == 100)  # one hiccup
        seen.add(sample.tobytes())

    samples = np.ones((3, 4), np.float32) * np.arange(1, 4, dtype=np.float32)[:, None]
    assert repeat_ratio(lambda sample: call(sample, 1.0), samples, 20) == 1.0
    seen.clear()
    assert repeat_ratio(lambda sample: call(sample, 0.8), samples, 20) == pytest.approx(0.8)


def test_two_classes_that_tie_may_change_places() -> None:
    scored = np.array([1.0, 1.0 + 1e-6, -5.0], np.float32)
    assert runner._same(np.array([1.0 + 2e-6, 1.0, -5.0], np.float32), scored)
    assert not runner._same(np.array([1.01, 1.0, -5.0], np.float32), scored)


# what it refuses


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"windows": np.zeros((90, 1, 32), np.float32)}, r"takes float32 \(window, 1, 64\)"),
        ({"windows": np.zeros((90, 1, WINDOW))}, "windows are float64"),
        ({"windows": np.full((90, 1, WINDOW), np.inf, np.float32)}, "windows is not finite"),
        ({"support": np.full((EPISODES, 12), 90)}, "support is not .* from 0 to 89"),
        ({"query": np.full((EPISODES, 12), -1)}, "query is not"),
        ({"query": np.empty((EPISODES, 0), int)}, "query is not"),
        ({"support_labels": np.full((EPISODES, 12), WAYS)}, "support_labels is not .* from 0 to 2"),
        ({"support_labels": np.zeros((EPISODES, 11), int)}, "differ in their number"),
        ({"query": np.zeros((EPISODES + 1, 3), int)}, "differ in their number"),
        ({"support": np.zeros((EPISODES, 12))}, "support is not"),
        ({"speed_rpm": np.zeros(3, np.float32)}, "speed_rpm is not finite float32, one row per window"),
        ({"query": np.array([[{}]], dtype=object)}, "cannot read .*Object arrays"),
    ],
)
def test_episodes_that_do_not_fit_are_refused(tmp_path: Path, centroid: Path, changed: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(RunError, match=message) as error:
        loaded(centroid, save(tmp_path / "bad.npz", **changed))
    assert "\n" not in str(error.value)


def test_episodes_that_are_no_archive_are_refused(tmp_path: Path, centroid: Path) -> None:
    (tmp_path / "text.npz").write_text("windows")
    np.save(tmp_path / "single.npy", np.zeros(3))
    np.savez(tmp_path / "empty.npz")
    good = save(tmp_path / "good.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(good[: len(good) // 2])
    for name, message in (
        ("text.npz", "cannot read"),
        ("single.npy", "single array"),
        ("empty.npz", "has no windows, support"),
        ("half.npz", "cannot read"),
        ("none.npz", "cannot read"),
    ):
        with pytest.raises(RunError, match=message):
            loaded(centroid, tmp_path / name)


def test_more_support_than_the_graph_takes_is_refused(tmp_path: Path, episodes: Path) -> None:
    artifact = write(tmp_path / "small", centroid_graphs(WAYS, WINDOW, support_rows=6))
    with pytest.raises(RunError, match="at most 6 support windows, got 12"):
        measure(lambda: Artifact(artifact), loaded(artifact, episodes), warmup=0, queries=1, audit_rounds=1)


def test_labels_beyond_the_classes_are_refused(centroid: Path) -> None:
    windows = arrays()["windows"][:2]
    for labels in ([0, WAYS], [0, -1], [0]):
        with pytest.raises(RunError, match="labels are not 2 class numbers from 0 to 2"):
            Artifact(centroid).adapt(windows, np.array(labels))


def test_logits_that_are_not_finite_are_refused(tmp_path: Path, episodes: Path) -> None:
    good = centroid_graphs(WAYS, WINDOW)
    predict = model(
        [("Sub", ["features", "features"], "zero"), ("Log", ["zero"], "low"), ("Slice", ["low", "from", "to", "axis"], "logits")],
        {"features": ("n", 16)},
        {"logits": ("n", WAYS)},
        {"from": np.array([0]), "to": np.array([WAYS]), "axis": np.array([1])},
    )
    artifact = write(tmp_path / "infinite", Graphs(good.adapt, predict, good.state, steps=1, features=good.features))
    with pytest.raises(RunError, match="not finite"):
        measure(lambda: Artifact(artifact), loaded(artifact, episodes), warmup=0, queries=1, audit_rounds=1)


# the command


def command(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SOURCE), *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


def test_the_command_writes_arrays_and_prints_one_line_of_json(tmp_path: Path, centroid: Path, episodes: Path) -> None:
    done = command(centroid, episodes, "--out", tmp_path / "out.npz", "--queries", 20, "--warmup", 0, "--audit-rounds", 5)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert {"void", "notes", "load_s", "first_s", "peak_rss_bytes", "milliseconds", "versions"} <= set(said)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as out:
        assert set(out.files) == {"predictions", "logits", "finetune_s", "latency_s", "network_s"}
        assert (out["predictions"].dtype, out["logits"].dtype, out["latency_s"].dtype) == (np.int64, np.float32, np.float64)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process")
def test_a_core_that_is_not_there_is_refused(tmp_path: Path, centroid: Path, episodes: Path) -> None:
    done = command(centroid, episodes, "--out", tmp_path / "out.npz", "--cpu", "100000")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot run on core 100000")


def test_errors_are_one_line_and_exit_code_2(tmp_path: Path, centroid: Path, episodes: Path) -> None:
    (centroid / "adapt.onnx").write_bytes(b"damaged")
    for arguments, message in (
        ([centroid, episodes, "--out", tmp_path / "o.npz"], "adapt.onnx is not the file that the manifest names"),
        ([tmp_path, episodes, "--out", tmp_path / "o.npz"], "cannot read"),
        ([centroid, episodes], "--out"),
        ([centroid, episodes, "--out", tmp_path / "o.npz", "--threads", "0"], "'0' is not a whole number from 1"),
        ([centroid, episodes, "--out", tmp_path / "o.npz", "--cpu", "a"], "list of core numbers"),
    ):
        done = command(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert message in done.stderr
    assert not (tmp_path / "o.npz").exists()


def test_an_output_that_cannot_be_written_is_said(tmp_path: Path, centroid: Path, episodes: Path) -> None:
    done = command(centroid, episodes, "--out", tmp_path / "nowhere" / "o.npz", "--queries", 1, "--warmup", 0, "--audit-rounds", 1)
    assert done.returncode == 2
    assert "choose another --out" in done.stderr


def test_help_tells_a_stranger_what_goes_in_and_what_comes_out() -> None:
    done = command("--help")
    assert done.returncode == 0
    for said in ("EPISODES.npz", "manifest.json", "support_labels", "finetune_s", "--audit-rounds", "onnxruntime"):
        assert said in done.stdout


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_peak_memory_is_not_that_of_the_process_that_started_the_runner(tmp_path: Path, centroid: Path, episodes: Path) -> None:
    ballast = np.ones(300_000_000, np.int8)
    done = command(centroid, episodes, "--out", tmp_path / "out.npz", "--queries", 1, "--warmup", 0, "--audit-rounds", 1)
    assert 10e6 < json.loads(done.stdout)["peak_rss_bytes"] < ballast.nbytes


# one file for any gateway


def test_it_imports_nothing_but_the_standard_library_numpy_and_onnxruntime() -> None:
    found = set()
    for node in ast.walk(ast.parse(SOURCE.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(str(node.module).partition(".")[0])
    assert found - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


def test_it_is_written_in_the_language_of_python_3_9() -> None:
    ast.parse(SOURCE.read_text(), feature_version=(3, 9))
    with pytest.raises(SyntaxError):
        ast.parse("match 1:\n    case 1: pass\n", feature_version=(3, 9))


def test_it_runs_where_faultbench_is_not_installed(tmp_path: Path, centroid: Path, episodes: Path) -> None:
    """Copied alone to another folder, with an import of faultbench made impossible."""
    (tmp_path / "gateway" / "faultbench").mkdir(parents=True)
    (tmp_path / "gateway" / "faultbench" / "__init__.py").write_text("raise ImportError('not on a gateway')")
    copied = tmp_path / "gateway" / "runner.py"
    copied.write_bytes(SOURCE.read_bytes())
    arguments = [centroid, episodes, "--out", tmp_path / "out.npz", "--queries", "1", "--warmup", "0", "--audit-rounds", "1"]
    done = subprocess.run([sys.executable, str(copied), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
