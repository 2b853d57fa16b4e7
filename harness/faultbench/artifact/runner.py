"""Runs a few-shot fault classifier on a device: adapts it to labelled windows, predicts, and says how long that took.

    python runner.py ARTIFACT EPISODES.npz --out OUT.npz

This one file needs Python 3.9 or later, numpy and onnxruntime 1.18 or later, and nothing else.

ARTIFACT is a folder with `manifest.json`, `init.npz` and ONNX graphs: `features` (raw windows to features), `adapt` (one
step from state to state), `finalize` (state to deployed state), `predict` (deployed state and features to logits).

EPISODES.npz holds few-shot tasks, each window once:
    windows         float32 (window, channel, sample)
    support         int64   (episode, support window)   indices into windows
    support_labels  int64   (episode, support window)   class numbers, 0 to ways - 1
    query           int64   (episode, query window)     indices into windows
    speed_rpm       float32 (window,)                   only if the artifact asks for it
    orders          float32 (window, 4)                 BPFO, BPFI, BSF, FTF per turn; only if the artifact asks for it

OUT.npz holds what came out, times in seconds:
    predictions     int64   (episode, query window)
    logits          float32 (episode, query window, way)
    finetune_s      float64 (episode,)                  raw support windows to deployed state
    latency_s       float64 (timed query,)              raw window to class
    network_s       float64 (timed query,)              features to class

A summary goes to standard output as one line of JSON. If `void` in it is not empty, the times must not be used; it says why.

Within a program of your own:
    artifact = Artifact("folder")
    state = artifact.adapt(support_windows, labels)   # (k, channel, sample), (k,)
    logits = artifact.predict(state, windows)         # (n, channel, sample) -> (n, way)
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import io
import json
import os
import platform
import stat
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

FORMAT = 1
ROLES = ("features", "adapt", "finalize", "predict")
FILES = ("init.npz", *(role + ".onnx" for role in ROLES))
PHYSICS = ("speed_rpm", "orders")

TIMED_EPISODES = 20
"""Timed queries come from at most so many episodes, evenly spread: their states are held in memory."""
SETTLE = 3
"""Untimed queries after a change of episode: a device answers many queries from one state, so its weights are in the cache."""
AUDIT_BLOCK = 8
"""Calls of a block of the repeat audit."""
REPEAT_GAIN = 0.10
"""A repeated query may be so much faster than different ones; beyond that something is cached."""
LOGIT_TOLERANCE = 1e-4
"""How far logits of timed queries may be from the scored ones, relative to the largest logit of the query."""
MEASUREMENTS = 3
"""A measurement that fails its audit is repeated before its times are void."""


class RunError(Exception):
    """What is wrong with the input, in one line."""


class Artifact:
    """A loaded artifact.

    Args:
        folder: The artifact. The digest of every file is checked.
        threads: Threads of onnxruntime.

    Raises:
        RunError: It is damaged, of another format, or does not load.
    """

    def __init__(self, folder: str | Path, threads: int = 1) -> None:
        self.manifest = read_manifest(folder)
        files = read_files(folder, self.manifest)
        self.ways = int(self.manifest["ways"])
        self.initial = read_state(files["init.npz"], self.manifest["state"])
        self._sessions = {role: _session(role, files[role + ".onnx"], threads) for role in ROLES if role + ".onnx" in files}
        self._takes = {role: tuple(i.name for i in session.get_inputs()) for role, session in self._sessions.items()}
        self._gives = {role: tuple(o.name for o in session.get_outputs()) for role, session in self._sessions.items()}
        self.physics = tuple(name for name in self._takes.get("features", ()) if name in PHYSICS)

    @property
    def has_features(self) -> bool:
        """Whether windows are turned into features by a graph of their own."""
        return "features" in self._sessions

    def features(self, windows: np.ndarray, **physics: np.ndarray) -> np.ndarray:
        """Raw windows (n, channel, sample) as features (n, ...); `physics` are `speed_rpm` (n,) and `orders` (n, 4), if asked for."""
        if not self.has_features:
            return windows
        feed = {"windows": windows}
        for name in self.physics:
            if name not in physics:
                raise RunError(f"the artifact needs {name} of every window: give it")
            feed[name] = physics[name]
        result: np.ndarray = self._run("features", feed)["features"]
        return result

    def adapt(self, windows: np.ndarray, labels: np.ndarray, **physics: np.ndarray) -> dict[str, np.ndarray]:
        """The deployed state after adapting to support windows (k, channel, sample) with class numbers (k,)."""
        if len(labels) != len(windows) or labels.min() < 0 or labels.max() >= self.ways:
            raise RunError(f"labels are not {len(windows)} class numbers from 0 to {self.ways - 1}: give one per window")
        features, onehot = self._padded(self.features(windows, **physics), np.eye(self.ways, dtype=np.float32)[labels])
        state = dict(self.initial)
        for _ in range(self.manifest["steps"]):
            given = self._run("adapt", {**state, "features": features, "labels": onehot})
            state = {name[len("new.") :]: value for name, value in given.items()}
        if "finalize" in self._sessions:
            given = self._run("finalize", {**state, "features": features, "labels": onehot})
            state = {name[len("deployed.") :]: value for name, value in given.items()}
        return {name: value for name, value in state.items() if name in self._takes["predict"]}

    def predict(self, state: Mapping[str, np.ndarray], windows: np.ndarray, **physics: np.ndarray) -> np.ndarray:
        """Logits (n, way) of raw windows (n, channel, sample)."""
        return self.classify(state, self.features(windows, **physics))

    def classify(self, state: Mapping[str, np.ndarray], features: np.ndarray) -> np.ndarray:
        """Logits (n, way) of features (n, ...)."""
        result: np.ndarray = self._run("predict", {**state, "features": features})["logits"]
        return result

    def _padded(self, features: np.ndarray, onehot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features and labels with rows of zeros up to the number that the graph was exported for."""
        rows, given = int(self.manifest["support_rows"]), len(features)
        if not rows or given == rows:
            return features, onehot
        if given > rows:
            raise RunError(f"the artifact takes at most {rows} support windows, got {given}: export it for more")
        padding = rows - given
        return (
            np.concatenate([features, np.zeros((padding, *features.shape[1:]), features.dtype)]),
            np.concatenate([onehot, np.zeros((padding, self.ways), np.float32)]),
        )

    def _run(self, role: str, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = self._gives[role]
        try:
            values = self._sessions[role].run(names, {name: feed[name] for name in self._takes[role]})
        except Exception as error:  # onnxruntime's own exceptions share no class but this one
            raise RunError(f"{role}.onnx did not run: {_first_line(error)}") from error
        return dict(zip(names, values))  # noqa: B905 - `strict` is newer than Python 3.9


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """What `manifest.json` says, with every field that is needed here checked."""
    path = Path(folder) / "manifest.json"
    try:
        said = json.loads(_read_plain(path).decode("utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is not JSON ({_first_line(error)}): copy the artifact again") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        found = said.get("format") if isinstance(said, dict) else None
        raise RunError(f"{path} has format {found!r}, this runner reads {FORMAT}: use the runner that came with the artifact")
    for name, least in (("ways", 1), ("window", 1), ("channels", 1), ("steps", 0), ("support_rows", 0)):
        if type(said.get(name)) is not int or said[name] < least:
            raise RunError(f"{path}: {name} is {said.get(name)!r}, not a whole number from {least}: copy the artifact again")
    shapes, digests = said.get("state"), said.get("sha256")
    if not isinstance(shapes, dict) or not all(_is_shape(shape) for shape in shapes.values()):
        raise RunError(f"{path}: state is not a table of shapes: copy the artifact again")
    if not isinstance(digests, dict) or not {"init.npz", "adapt.onnx", "predict.onnx"} <= set(digests) <= set(FILES):
        raise RunError(f"{path}: sha256 names other files than an artifact has ({', '.join(FILES)}): copy the artifact again")
    return said


def read_files(folder: str | Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of every file of the manifest, after its digest was found right."""
    files = {}
    for name, digest in sorted(manifest["sha256"].items()):
        files[name] = _read_plain(Path(folder) / name)
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise RunError(f"{Path(folder) / name} is not the file that the manifest names (sha256 differs): copy the artifact again")
    return files


def read_state(blob: bytes, shapes: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray]:
    """The initial state from the bytes of `init.npz`."""
    state = _read_npz(io.BytesIO(blob), "init.npz")
    if set(state) != set(shapes):
        raise RunError("init.npz holds other names than the manifest's state: copy the artifact again")
    for name, value in state.items():
        if value.dtype != np.float32 or list(value.shape) != list(shapes[name]) or not np.isfinite(value).all():
            raise RunError(f"init.npz: {name} is not finite float32 of shape {tuple(shapes[name])}: copy the artifact again")
    return state


class Episodes:
    """Few-shot tasks, as they stand in EPISODES.npz, checked against an artifact's manifest."""

    def __init__(self, path: str | Path, manifest: Mapping[str, Any]) -> None:
        arrays = _read_npz(path, str(path))
        missing = [name for name in ("windows", "support", "support_labels", "query") if name not in arrays]
        if missing:
            raise RunError(f"{path} has no {', '.join(missing)}: see --help for what it holds")
        self.windows, self.support, self.labels, self.query = (arrays[n] for n in ("windows", "support", "support_labels", "query"))
        self.physics = {name: arrays[name] for name in PHYSICS if name in arrays}
        shape = (manifest["channels"], manifest["window"])
        if self.windows.dtype != np.float32 or self.windows.shape[1:] != shape or not len(self.windows):
            found = f"{self.windows.dtype} {self.windows.shape}"
            raise RunError(f"{path}: windows are {found}, the artifact takes float32 (window, {shape[0]}, {shape[1]}): see --help")
        for name, value in (("windows", self.windows), *self.physics.items()):
            if value.dtype != np.float32 or len(value) != len(self.windows) or not np.isfinite(value).all():
                raise RunError(f"{path}: {name} is not finite float32, one row per window: mend the recordings")
        for name, value, end in (
            ("support", self.support, len(self.windows)),
            ("support_labels", self.labels, manifest["ways"]),
            ("query", self.query, len(self.windows)),
        ):
            if value.dtype.kind not in "iu" or value.ndim != 2 or not value.size or value.min() < 0 or value.max() >= end:
                raise RunError(f"{path}: {name} is not (episode, window) whole numbers from 0 to {end - 1}: see --help")
        if self.support.shape != self.labels.shape or len(self.support) != len(self.query):
            raise RunError(f"{path}: support, support_labels and query differ in their number of episodes or windows: see --help")

    def __len__(self) -> int:
        return len(self.support)

    def inputs(self, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Those windows, and what is known of their physics."""
        return self.windows[rows], {name: value[rows] for name, value in self.physics.items()}


def measure(
    load: Callable[[], Artifact], episodes: Episodes, *, warmup: int, queries: int, audit_rounds: int
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Everything that OUT.npz holds, and what is said about it.

    Scored predictions come from one run over all queries of an episode; then single queries are timed, and their outputs
    must be the scored ones.
    """
    artifact, load_s, first_s = _restart(load, episodes)
    timed = {round(i) for i in np.linspace(0, len(episodes) - 1, min(TIMED_EPISODES, len(episodes)))}
    logits, finetune_s, states = _score(artifact, episodes, timed)
    failures: list[str] = []
    for _ in range(MEASUREMENTS):
        latency_s, network_s, void = _time_queries(artifact, episodes, states, logits, warmup, queries)
        void = void or _audit_repeats(artifact, episodes, states, audit_rounds)
        if not void:
            break
        failures.append(void)
    done = len(failures) + (not void)
    notes = {"audit": f"failed in {len(failures)} of {done} measurements: {failures[-1]}"} if failures else {}
    arrays = {
        "predictions": logits.argmax(2).astype(np.int64),
        "logits": logits,
        "finetune_s": finetune_s,
        "latency_s": latency_s,
        "network_s": network_s,
    }
    return arrays, {"void": void, "notes": notes, "load_s": load_s, "first_s": first_s}


def _restart(load: Callable[[], Artifact], episodes: Episodes) -> tuple[Artifact, float, float]:
    """A loaded artifact, and the seconds that loading and the first query took, as a restart with a stored state meets them."""
    start = time.perf_counter()
    artifact = load()
    load_s = time.perf_counter() - start
    state = _adapt(artifact, episodes, 0)
    del artifact
    artifact = load()  # sessions that have run nothing
    window, physics = episodes.inputs(episodes.query[0, :1])
    start = time.perf_counter()
    int(artifact.predict(state, window, **physics).argmax())
    return artifact, load_s, time.perf_counter() - start


def _score(artifact: Artifact, episodes: Episodes, keep: Iterable[int]) -> tuple[np.ndarray, np.ndarray, dict[int, dict[str, np.ndarray]]]:
    """Logits (episode, query, way), seconds per adaptation (episode,), and the states of the episodes to keep."""
    _adapt(artifact, episodes, 0)  # the warm-up
    scored, finetune_s, states = [], [], {}
    with _no_garbage_collection():
        for episode in range(len(episodes)):
            support, physics = episodes.inputs(episodes.support[episode])
            start = time.perf_counter()
            state = artifact.adapt(support, episodes.labels[episode], **physics)
            finetune_s.append(time.perf_counter() - start)
            scored.append(np.concatenate([_answer(artifact, state, episodes, row) for row in episodes.query[episode]]))
            if episode in keep:
                states[episode] = state
    logits = np.stack(scored)
    if logits.dtype != np.float32 or logits.shape != (*episodes.query.shape, artifact.ways) or not np.isfinite(logits).all():
        raise RunError(f"predict.onnx gave {logits.dtype} {logits.shape[1:]} or values that are not finite: export the artifact again")
    return logits, np.array(finetune_s), states


def _answer(artifact: Artifact, state: Mapping[str, np.ndarray], episodes: Episodes, row: int) -> np.ndarray:
    """Logits (1, way) of one query, alone: in a batch, a graph could see its place among the others, or their mean."""
    window, physics = episodes.inputs(np.array([row]))
    return artifact.predict(state, window, **physics)


def _adapt(artifact: Artifact, episodes: Episodes, episode: int) -> dict[str, np.ndarray]:
    support, physics = episodes.inputs(episodes.support[episode])
    return artifact.adapt(support, episodes.labels[episode], **physics)


def _time_queries(
    artifact: Artifact, episodes: Episodes, states: Mapping[int, Mapping[str, np.ndarray]], scored: np.ndarray, warmup: int, queries: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Seconds per query from raw window to class, from features to class, and what was wrong with the outputs, if anything."""
    clock = time.perf_counter
    latency_s: list[float] = []
    network_s: list[float] = []
    wrong = ""
    with _no_garbage_collection():
        for episode, numbers in _shares(episodes, states, queries):
            state = states[episode]
            untimed = (warmup if not latency_s else 0) + SETTLE
            for turn, number in enumerate([*np.resize(numbers, untimed), *numbers]):
                window, physics = episodes.inputs(episodes.query[episode, number : number + 1])
                start = clock()
                logits = artifact.predict(state, window, **physics)
                int(logits.argmax())
                latency = clock() - start
                features = artifact.features(window, **physics)
                start = clock()
                again = artifact.classify(state, features)
                int(again.argmax())
                network = clock() - start
                if turn >= untimed:
                    latency_s.append(latency)
                    network_s.append(network if artifact.has_features else latency)
                    for found in (logits, again):
                        if not wrong and not _same(found[0], scored[episode, number]):
                            wrong = f"the timed query {number} of episode {episode} gave other logits than the scored one"
    return np.array(latency_s), np.array(network_s), wrong


def _shares(episodes: Episodes, states: Iterable[int], queries: int) -> list[tuple[int, list[int]]]:
    """The numbers of the queries that are timed in each of the timed episodes, `queries` in all."""
    timed, per_episode = list(states), episodes.query.shape[1]
    ends = [queries * i // len(timed) for i in range(len(timed) + 1)]
    return [(episode, [n % per_episode for n in range(ends[i], ends[i + 1])]) for i, episode in enumerate(timed) if ends[i] < ends[i + 1]]


def _same(timed: np.ndarray, scored: np.ndarray) -> bool:
    """Whether a timed query came to the scored class, except where two classes tie, by the scored logits."""
    tolerance = LOGIT_TOLERANCE * float(np.abs(scored).max())
    tie = scored.max() - scored[timed.argmax()] <= 2 * tolerance
    return bool(np.abs(timed - scored).max() <= tolerance and tie)


def _audit_repeats(artifact: Artifact, episodes: Episodes, states: Mapping[int, Mapping[str, np.ndarray]], rounds: int) -> str:
    """Why it seems that results are cached, or nothing."""
    episode = next(iter(states))
    rows = episodes.query[episode]
    windows, physics = episodes.inputs(rows)
    features = artifact.features(windows, **physics)
    first = {name: value[:1] for name, value in physics.items()}  # one query's physics for all: it costs the same
    state = states[episode]
    calls: list[tuple[str, Callable[[np.ndarray], np.ndarray], np.ndarray]] = [
        ("raw window to class", lambda window: artifact.predict(state, window, **first), windows)
    ]
    if artifact.has_features:
        calls.append(("features to class", lambda rows: artifact.classify(state, rows), features))
    for what, call, samples in calls:
        ratio = repeat_ratio(call, samples, rounds)
        if ratio < 1 - REPEAT_GAIN:
            return f"{what}: a repeated query takes {ratio:.2f} of the time of different ones, so results seem to be cached"
    return ""


def repeat_ratio(call: Callable[[np.ndarray], object], samples: np.ndarray, rounds: int) -> float:
    """The time of one query repeated, relative to different ones: the median over rounds of the ratio of two blocks' medians.

    The blocks of a round lie side by side, now one first and now the other, so that a slow drift of the machine cancels.
    A different query is a sample times a factor never used before, so that no cache can know it; both kinds are copied
    into the same place just before the call, so that neither is nearer to the processor.
    """
    clock = time.perf_counter
    given = samples[:1].copy()
    fresh, ratios = 0, []
    with _no_garbage_collection():
        for turn in range(rounds + 1):
            medians = {}
            for different in (False, True) if turn % 2 else (True, False):
                times = []
                for i in range(AUDIT_BLOCK):
                    fresh += different
                    sample = i % len(samples) if different else 0
                    np.multiply(samples[sample : sample + 1], np.float32(1 + 1e-4 * fresh if different else 1), out=given)
                    start = clock()
                    call(given)
                    times.append(clock() - start)
                medians[different] = float(np.median(times))
            ratios.append(medians[False] / medians[True])
    return float(np.median(ratios[1:]))  # the first round is the warm-up


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keeps the garbage collector from running within a timed call."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def peak_rss_bytes() -> int | None:
    """The peak resident memory of this process, or None where the system does not say.

    Linux: from /proc, since `ru_maxrss` there also holds the peak of the process that started this one.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # no /proc: not Linux
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def pin(cores: Sequence[int]) -> None:
    """Keeps this process on those cores."""
    if not hasattr(os, "sched_setaffinity"):
        raise RunError("this system cannot pin a process to a core: leave --cpu out")
    try:
        os.sched_setaffinity(0, cores)
    except OSError as error:
        raise RunError(f"cannot run on core {', '.join(map(str, cores))} ({error.strerror}): choose others or leave --cpu out") from error


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(f"onnxruntime cannot be imported ({_first_line(error)}): pip install onnxruntime") from error
    return onnxruntime


def _session(role: str, blob: bytes, threads: int) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(blob, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no class but this one
        raise RunError(f"{role}.onnx does not load in onnxruntime {onnxruntime.__version__}: {_first_line(error)}") from error


def _read_plain(path: Path) -> bytes:
    """The bytes of a plain file; a link could lead out of the artifact, and a pipe could wait forever."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise RunError(f"{path} is not a plain file: copy the artifact again")
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {path} ({error.strerror}): copy it again") from error


def _read_npz(source: str | Path | io.BytesIO, name: str) -> dict[str, np.ndarray]:
    try:
        if not isinstance(source, io.BytesIO) and not stat.S_ISREG(os.stat(source).st_mode):  # noqa: PTH116 - also a plain name
            raise RunError(f"{name} is no regular file, a pipe could wait forever: name the file itself")
        arrays = np.load(source, allow_pickle=False)
        if isinstance(arrays, np.ndarray):
            raise RunError(f"{name} holds a single array, not an .npz archive: see --help")
        with arrays:
            return {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise RunError(f"cannot read {name} ({_first_line(error)}): make it again") from error


def _is_shape(shape: object) -> bool:
    return isinstance(shape, list) and all(type(length) is int and length >= 0 for length in shape)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
        return int(text)

    return parse


def _cores(text: str) -> list[int]:
    if not all(part.isdigit() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of core numbers such as 3 or 2,3")
    return [int(part) for part in text.split(",")]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:  # one line, like every other error
        self.exit(2, f"error: {message}: see --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="runner.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact", metavar="ARTIFACT", help="folder with manifest.json")
    parser.add_argument("episodes", metavar="EPISODES.npz", help="the tasks")
    parser.add_argument("--out", metavar="OUT.npz", required=True, help="where the arrays go")
    parser.add_argument("--threads", type=_whole(1), default=1, help="threads of onnxruntime (default 1)")
    parser.add_argument("--cpu", type=_cores, metavar="N[,N]", help="keep to these cores, where the system can")
    parser.add_argument("--warmup", type=_whole(0), default=50, help="queries run before the timed ones (default 50)")
    parser.add_argument("--queries", type=_whole(1), default=1000, help="queries timed one by one (default 1000)")
    parser.add_argument("--audit-rounds", type=_whole(1), default=20, help="rounds of the audit for cached results (default 20)")
    return parser


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Does what the command line says; returns the summary."""
    if arguments.cpu is not None:
        pin(arguments.cpu)
    onnxruntime = _onnxruntime()  # now, so that its import is not part of the load time
    episodes = Episodes(arguments.episodes, read_manifest(arguments.artifact))
    arrays, said = measure(
        lambda: Artifact(arguments.artifact, arguments.threads),
        episodes,
        warmup=arguments.warmup,
        queries=arguments.queries,
        audit_rounds=arguments.audit_rounds,
    )
    try:
        with open(arguments.out, "wb") as out:  # noqa: PTH123 - given a name, numpy would append .npz
            np.savez(out, **arrays)  # type: ignore[arg-type]  # numpy's own signature
    except OSError as error:
        raise RunError(f"cannot write {arguments.out} ({error.strerror}): choose another --out") from error
    milliseconds = {
        name: {q: round(float(np.percentile(arrays[name + "_s"], p)) * 1e3, 4) for q, p in (("p50", 50), ("p99", 99))}
        for name in ("latency", "network", "finetune")
    }
    return {
        "format": FORMAT,
        **said,
        "peak_rss_bytes": peak_rss_bytes(),
        "milliseconds": milliseconds,
        "threads": arguments.threads,
        "cores": arguments.cpu,
        "machine": platform.machine(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "onnxruntime": onnxruntime.__version__},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when it ran, 2 when the input cannot be used."""
    try:
        print(json.dumps(run(_parser().parse_args(arguments))))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
