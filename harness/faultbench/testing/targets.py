"""The contract of a target: it runs an artifact on episodes, and says truly what came out and how long it took."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faultbench.artifact.format import Graphs
from faultbench.artifact.runner import Artifact
from faultbench.artifact.writer import write_artifact
from faultbench.discovery import cause
from faultbench.errors import CellError
from faultbench.measuring.target import Device, EpisodeWindows, Kind, Measurement, Target, Timing
from faultbench.registry import make
from faultbench.testing import bench
from faultbench.testing.artifacts import centroid_graphs, gradient_graphs
from faultbench.testing.bench import once
from faultbench.testing.checks import BrokenPromise, Checks, NotAsked, refusal, require, require_advice, returned

CHECKS = Checks()

WAYS, WINDOW, ROWS = 3, 64, 12
EPISODES, SUPPORT, QUERIES = 3, 9, 6
TIMING = Timing(warmup=2, queries=7, audit_rounds=2, threads=1)
CLOSE = 1e-3
"""How far logits may be from those of the reference runner, relative to the largest: another processor, another order."""
TIMES = ("finetune_s", "latency_s", "network_s")


class Bench(bench.Bench):
    """A target, and what it makes of two small artifacts."""

    part: Target

    @once
    def device(self) -> Device:
        """The device that it probes."""
        try:
            return returned(self.part.probe(), Device, "probe", "return a Device")
        except CellError as error:
            raise NotAsked(f"its device cannot be reached: {error}") from error

    @once
    def artifacts(self) -> dict[str, Path]:
        """Two small artifacts: class means, and softmax regression by gradient steps that deploys int8 weights."""
        made = {
            "class means": centroid_graphs(WAYS, WINDOW, support_rows=ROWS),
            "gradient steps": gradient_graphs(WAYS, WINDOW, support_rows=ROWS),
        }
        return {name: _written(graphs, self.folder(name.replace(" ", "-"))) for name, graphs in made.items()}

    @once
    def measured(self) -> dict[str, Measurement]:
        """Its measurements of both artifacts."""
        if not self.device.fingerprint:
            raise NotAsked("its device has no fingerprint")
        found = {name: self.part.run(folder, episodes(), TIMING) for name, folder in self.artifacts.items()}
        return {name: returned(m, Measurement, "run", "return a Measurement") for name, m in found.items()}


def episodes() -> EpisodeWindows:
    """Episodes of noise at three levels, which class means of log energies tell apart; each its own support, smaller than it may be."""
    windows = EPISODES * SUPPORT + QUERIES * EPISODES
    labels = np.arange(windows) % WAYS
    rng = np.random.default_rng(3)
    noise = (rng.standard_normal((windows, 1, WINDOW)) * 4.0 ** labels[:, None, None]).astype(np.float32)
    support, query = np.split(np.arange(windows), [EPISODES * SUPPORT])
    support, query = support.reshape(EPISODES, SUPPORT), query.reshape(EPISODES, QUERIES)
    speeds, orders = np.full(windows, 1800, np.float32), np.ones((windows, 4), np.float32)
    return EpisodeWindows(noise, support, labels[support], query, speeds, orders)


def reference(folder: Path, given: EpisodeWindows) -> NDArray[np.float32]:
    """The logits of the reference runner, (episode, query, way)."""
    artifact = Artifact(folder)
    found = []
    for support, labels, query in zip(given.support, given.support_labels, given.query, strict=True):
        state = artifact.adapt(given.windows[support], labels)
        found.append(np.concatenate([artifact.predict(state, given.windows[row : row + 1]) for row in query]))
    return np.stack(found)


def _written(graphs: Graphs, folder: Path) -> Path:
    shape = {"ways": WAYS, "window": WINDOW, "channels": 1, "rate_hz": 12_000.0}
    write_artifact(folder, graphs, **shape, learner="contract", compressor="none", provenance="0" * 64)  # type: ignore[arg-type]
    return folder


@CHECKS.promise("a device that cannot be reached is said in one line", telling=False)
def _unreachable(bench: Bench) -> None:
    try:
        bench.part.probe()
    except CellError as error:
        require_advice(error, "probe()")
    except (Exception, SystemExit) as error:
        raise BrokenPromise(
            f"probe() ends in {cause(error)}: raise CellError where the device cannot be reached, with what to do"
        ) from error


@CHECKS.promise("probing twice gives the same device")
def _same_device(bench: Bench) -> None:
    device = bench.device
    for field in ("name", "arch", "cpu", "os", "fingerprint"):
        text = getattr(device, field)
        require(
            isinstance(text, str) and text.strip() and text.isprintable(), f"the device's {field} is {text!r}", "say it in printable text"
        )
    require(
        device.cores > 0 and device.memory_bytes > 0,
        f"the device has {device.cores} cores and {device.memory_bytes} bytes",
        "ask the device",
    )
    again = returned(bench.another().probe(), Device, "probe", "return a Device")
    require(
        again.fingerprint == device.fingerprint,
        "probed twice, the device has two fingerprints",
        "make it of what changes a time, and of nothing that changes by itself (free memory, load, temperature)",
    )


@CHECKS.promise("it returns predictions and logits for every query")
def _shapes(bench: Bench) -> None:
    for name, m in bench.measured.items():
        require(m.kind in typing.get_args(Kind), f"the kind of evidence is {m.kind!r}", f"say {', '.join(typing.get_args(Kind))}")
        for field, kind, shape in (("predictions", np.int64, (EPISODES, QUERIES)), ("logits", np.float32, (EPISODES, QUERIES, WAYS))):
            value = getattr(m, field)
            found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            fits = isinstance(value, np.ndarray) and value.dtype == kind and value.shape == shape and bool(np.isfinite(value).all())
            require(fits, f"{field} on {name} are {found}", f"return finite {np.dtype(kind)} {shape}")
        require(
            np.array_equal(m.predictions, m.logits.argmax(2)),
            f"predictions on {name} are not the largest of their logits",
            "take the argmax of what the device returned",
        )


@CHECKS.promise("it answers as the reference runner does")
def _reference(bench: Bench) -> None:
    for name, m in bench.measured.items():
        expected = reference(bench.artifacts[name], episodes())
        error = float(np.abs(m.logits - expected).max() / np.abs(expected).max())
        require(
            error <= CLOSE,
            f"logits on {name} are off by {error:.1g} of the largest",
            "run the artifact as faultbench.artifact.runner does: pad the support, apply adapt `steps` times, finalize, predict",
        )


@CHECKS.promise("an episode knows nothing of another")
def _alone(bench: Bench) -> None:
    last = dataclasses.replace(episodes(), **{name: getattr(episodes(), name)[-1:] for name in ("support", "support_labels", "query")})
    name = "gradient steps"
    alone = bench.part.run(bench.artifacts[name], last, TIMING)
    require(
        np.allclose(alone.logits[0], bench.measured[name].logits[-1], rtol=CLOSE, atol=CLOSE),
        "an episode alone has other answers than among others",
        "begin every episode from the artifact's initial state",
    )


@CHECKS.promise("times are positive, one per episode and timed query, or void with the reason")
def _times(bench: Bench) -> None:
    for name, m in bench.measured.items():
        require(
            isinstance(m.void, str) and m.void.isprintable(),
            f"void is {m.void!r}",
            "say in one line why times cannot be trusted, or nothing",
        )
        for field, count in zip(TIMES, (EPISODES, TIMING.queries, TIMING.queries), strict=True):
            value = getattr(m, field)
            found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            fits = isinstance(value, np.ndarray) and value.dtype == np.float64 and (value.shape == (count,) or (m.void and not value.size))
            require(fits, f"{field} on {name} are {found}", f"return float64 ({count},), in seconds")
            require(
                m.void or bool((np.isfinite(value) & (value > 0)).all()),
                f"{field} on {name} are not all positive",
                "time with a clock that is fine enough, or say void",
            )
        for field in ("load_s", "first_s"):
            value = getattr(m, field)
            require(m.void or (np.isfinite(value) and value > 0), f"{field} on {name} is {value!r}", "measure it, in seconds")
        known = m.peak_rss_bytes is None or m.peak_rss_bytes > 0
        require(known, f"peak_rss_bytes on {name} is {m.peak_rss_bytes}", "return None where it is not known, never 0")
        said = all(isinstance(key, str) and isinstance(text, str) for key, text in m.notes.items())
        require(said, f"the notes on {name} are no texts", "map names to texts")


@CHECKS.promise("what ran it is what was probed")
def _ran(bench: Bench) -> None:
    for name, m in bench.measured.items():
        require(
            m.device.fingerprint == bench.device.fingerprint,
            f"{name} ran on a device of another fingerprint than the probed one",
            "return the device that probe() returns",
        )


@CHECKS.promise("more threads than there are cores are refused")
def _threads(bench: Bench) -> None:
    if "threads" not in bench.offer.params:
        raise NotAsked("it has no parameter `threads`")
    folder = bench.artifacts["class means"]
    device = bench.device
    many = make(dataclasses.replace(bench.choice, params={**bench.choice.params, "threads": 1000 * device.cores}))
    with refusal(CellError, of="a thousand threads per core", todo="for times of threads that wait for one another mean nothing"):
        many.run(folder, episodes(), TIMING)


@CHECKS.promise("a damaged artifact is an error, not a measurement")
def _damaged(bench: Bench) -> None:
    folder = bench.folder("damaged")
    for path in bench.artifacts["class means"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    graph = folder / "predict.onnx"
    graph.write_bytes(graph.read_bytes()[:-40])
    device = bench.device
    with refusal(CellError, of=f"an artifact with a damaged graph on {device.name}", todo="with what the runner said last"):
        bench.part.run(folder, episodes(), TIMING)
