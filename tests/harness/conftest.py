"""Made-up plants: small catalogues whose every number is known, noise for signals, and a whole made-up distribution of plugins."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faultbench.data.recording import Catalogue, Channel, Geometry, Recording
from faultbench.data.split import Signals
from faultbench.matrix.cache import Cache
from faultbench.matrix.execute import execute
from faultbench.matrix.plan import Plan, plan
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Registry
from faultbench.results.store import open_store

CHROMIUM = Path(__file__).parents[2] / "benchmarks" / "chromium.py"
COMMAND = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]
MADE_UP = Path(__file__).parent / "made_up"
GEOMETRY = Geometry("made-up", bpfo=3.0, bpfi=5.0, bsf=2.0, ftf=0.4)


def make_plant(
    *,
    machines: tuple[str, ...] = ("beta", "alpha"),
    mountings: int = 1,
    bearings: int = 2,
    healthy: int = 2,
    loads: tuple[str, ...] = ("0 hp", "1 hp", "2 hp"),
    samples: int = 1920,
    rate_hz: float = 1000.0,
    change: Callable[[Recording], Recording | None] = lambda recording: recording,
) -> Catalogue:
    """Inner, ball and outer faults, small and large, and healthy, each on `bearings` (`healthy`) specimens per mounting.

    Small outer faults were measured at two clock positions. `change` alters or drops a recording.
    """
    recordings = []
    for machine in machines:
        for mounting in [f"{machine}-{n}" for n in range(mountings)]:
            faults = [(e, s) for e in ("inner", "ball", "outer") for s in ("small", "large")]
            specimens = [(e, s, n) for e, s in faults for n in range(bearings)] + [("healthy", "", n) for n in range(healthy)]
            for element, severity, number in specimens:
                bearing = f"{mounting}/{element}/{severity}/{number}"
                for position in ("@3", "@6") if (element, severity) == ("outer", "small") else ("",):
                    for load in loads:
                        name = f"{bearing}{position} at {load}"
                        recordings.append(
                            Recording(
                                dataset="plant",
                                id=name,
                                machine=machine,
                                mounting=mounting,
                                bearing=bearing,
                                element=element,
                                severity=severity,
                                session=name,
                                load=load,
                                speed_rpm=1800.0,
                                channels=(Channel("a", rate_hz, samples),),
                                geometry=GEOMETRY,
                                position=position,
                            )
                        )
    kept = tuple(changed for r in recordings if (changed := change(r)) is not None)
    return Catalogue("plant", "1", kept, targets=machines)


def make_noise(catalogue: Catalogue) -> Signals:
    """Noise for every channel, each its own."""
    rng = np.random.default_rng(7)
    keys = [(r.dataset, r.id, c.name, c.samples) for r in catalogue.recordings for c in r.channels]
    return {(dataset, name, channel): rng.normal(size=samples).astype(np.float32) for dataset, name, channel, samples in keys}


@pytest.fixture(scope="session")
def plant() -> Callable[..., Catalogue]:
    """Makes a made-up catalogue."""
    return make_plant


@pytest.fixture(scope="session")
def noise() -> Callable[[Catalogue], Signals]:
    """Makes the signals of a catalogue."""
    return make_noise


@pytest.fixture
def acme() -> Callable[[Path], Path]:
    """Lays a distribution `acme` 1.0 into a folder, whose plugin is the module of that name; returns that module's file."""

    def laid(modules: Path) -> Path:
        info = modules / "acme-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[faultbench]\nacme = acme\n")
        return modules / "acme.py"

    return laid


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

    def beat(self) -> None:
        pass

    def run_started(self, stages: int, reused: int) -> None:
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


@pytest.fixture
def notes() -> Notes:
    """Progress that remembers."""
    return Notes()


class Site:
    """A place where made-up plugins are installed: runs go to a cache and a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.store = folder, folder / "cache", folder / "results.sqlite"

    def plan(self, cache: Path | None = None, **said) -> Plan:
        named = {"datasets": ("plant",), "scenarios": ("new-device:window=64",), "learners": ("toy",)}
        settings = RunSettings(**{**named, "ways": 4, "shots": 2, "queries": 3, "episodes": 4, "seeds": 2, "jobs": 1, **said})
        return plan(settings, Registry.discover(), Cache(cache or self.cache))

    def run(self, cache: Path | None = None, **said) -> tuple[list[dict], Notes]:
        notes = Notes()
        planned = self.plan(cache, **said)
        planned.registry.hook = notes
        return execute(planned, notes, command=["made", "up"], store=self.store), notes

    def kept(self) -> list[dict]:
        with open_store(self.store) as store:
            return store.rows(store.runs()[-1].id)

    def command(self, *words: str, before: str = "", timeout_s: float = 250, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command, in this folder; `before` is Python that runs first."""
        return subprocess.run(
            [*COMMAND[:2], f"{before}\n{COMMAND[2]}", *words],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What lets a command find the plugins, and use this cache and this store."""
        places = {"FAULTBENCH_CACHE": str(self.cache), "FAULTBENCH_RESULTS": str(self.folder)}
        modules = os.pathsep.join(filter(None, (str(self.folder / "modules"), os.environ.get("PYTHONPATH"))))
        return {**places, "PYTHONPATH": modules, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    shutil.copytree(MADE_UP, tmp_path / "modules")
    monkeypatch.syspath_prepend(tmp_path / "modules")
    from faultbench.matrix import keys

    for name in [name for name in sys.modules if name.startswith("made_up_")]:
        monkeypatch.delitem(sys.modules, name)
    keys.plugin_digest.cache_clear()
    keys.source_digest.cache_clear()
    return Site(tmp_path)


JUDGED_CELL = {
    "dataset": "cwru",
    "scenario": "new-device",
    "learner": "maml",
    "compressor": "none",
    "target": "x86",
    "snr": "clean",
    "level": "T2",
    "note": "",
    "ways": 2,
    "shots": 5,
    "shots_rare": 5,
    "queries": 15,
    "seeds": 2,
    "episodes": 50,
    "window": 2048,
    "rate_hz": 12000.0,
    "quick": False,
    "missing_recordings": 0,
}


def answers(wrong_every: int = 60, units: int = 8):
    """Six fault bearings and two healthy sessions, two seeds, one query in so many wrong."""
    from faultbench.results.outcome import Outcome

    number = np.arange(200 * units)
    unit, healthy = number % units, number % units < 2
    label = np.where(healthy, "healthy", "inner")
    predicted = np.where(number % wrong_every == 7, np.where(healthy, "inner", "healthy"), label)
    names = np.array([f"u{n}" for n in range(units)])
    return Outcome(
        seed=number // (100 * units),
        episode=number // 32,
        unit=names[unit],
        bearing=names[unit],
        label=label,
        predicted=predicted,
        healthy=healthy,
        predicted_healthy=predicted == "healthy",
        rare=~healthy,
        ways=2,
    )


def times_around(latency_ms: float = 2.0, finetune_s: float = 0.3) -> dict:
    """Times whose median is as given."""
    return {
        "finetune_s": {"min": 0.9 * finetune_s, "p50": finetune_s, "p90": 1.1 * finetune_s, "p99": 1.2 * finetune_s, "n": 100},
        "latency_ms": {"min": 0.9 * latency_ms, "p50": latency_ms, "p90": 1.1 * latency_ms, "p99": 1.2 * latency_ms, "n": 1000},
        "network_ms": {"min": 0.5 * latency_ms, "p50": 0.6 * latency_ms, "p90": 0.7 * latency_ms, "p99": 0.8 * latency_ms, "n": 1000},
    }


def judged_row(cell: dict | None = None, *, criteria: str = "accuracy.ci_low>=0.95", **given) -> dict:
    """A row with figures; its accuracy is about 0.98."""
    from faultbench.measuring.target import Device
    from faultbench.results.criteria import parse
    from faultbench.results.row import row

    device = Device("gateway", "x86_64", "a processor", 2, 8 << 30, "Linux", {"numpy": "2.0"}, "f" * 64)
    parts = {"outcome": answers(), "times": times_around(), "figures": {"params": 61234, "macs": 1_310_000, "artifact_bytes": 245_000}}
    parts |= {"digest": "d" * 64, "split_digest": "5" * 64, "kind": "measured", "device": device, "versions": {"numpy": "2.0"}} | given
    outcome, times, figures = (parts.pop(name) for name in ("outcome", "times", "figures"))
    return row(JUDGED_CELL | (cell or {}), outcome, times, figures, parse(criteria), **parts)


def unscored_row(cell: dict | None = None, **given) -> dict:
    """A row without figures: say `error` or `not_applicable`."""
    from faultbench.results.criteria import parse
    from faultbench.results.row import row

    return row(JUDGED_CELL | (cell or {}), None, None, {}, parse(), **{"digest": "e" * 64} | given)


class Rows:
    """Makes rows of every kind."""

    answers = staticmethod(answers)
    times = staticmethod(times_around)
    judged = staticmethod(judged_row)
    unscored = staticmethod(unscored_row)

    def every_kind(self) -> list[dict]:
        """A row that passes, one that fails, one unproven, one watermarked, a baseline, one that makes no sense, and one that broke."""
        return [
            self.judged(),
            self.judged({"learner": "cnn"}, criteria="accuracy.ci_low>=0.999, latency_ms.p99<=100", digest="1" * 64),
            self.judged({"learner": "few"}, outcome=answers(units=4), digest="2" * 64),
            self.judged({"learner": "quick", "quick": True}, digest="3" * 64),
            self.judged({"learner": "centroid"}, baseline=True, criteria="accuracy.ci_low>=0.999", digest="4" * 64),
            self.unscored({"learner": "forest"}, not_applicable="nothing to prune"),
            self.unscored({"learner": "broken"}, error="it broke: mend it", digest="6" * 64),
        ]

    def at_two_levels(self) -> list[dict]:
        """Three learners at T0 and at T3, one of them pruned too, and one cell that broke: a page with every section and figure."""
        made = [
            self.judged(
                {"learner": learner, "compressor": compressor, "scenario": scenario, "level": level},
                outcome=answers(wrong),
                times=times_around(latency_ms=latency),
                figures={"params": 1000, "macs": 1e6, "artifact_bytes": 10_000 * latency},
            )
            for scenario, level, worse in (("window", "T0", 1), ("unseen-bearing", "T3", 4))
            for learner, compressor, wrong, latency in (
                ("maml", "none", 80 // worse, 3.0),
                ("cnn", "none", 60 // worse, 9.0),
                ("centroid", "none", 40 // worse, 1.0),
                ("maml", "prune40", 100 // worse, 2.0),
            )
        ]
        return [*made, self.unscored({"learner": "broken", "scenario": "window", "level": "T0"}, error="it broke: mend it")]


@pytest.fixture
def rows() -> Rows:
    """Makes rows of every kind."""
    return Rows()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, driven by the module of the benchmarks."""
    spec = importlib.util.spec_from_file_location("chromium", CHROMIUM)
    driver = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = driver
    spec.loader.exec_module(driver)
    if driver.PROGRAM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with driver.browser() as made:
        yield made


@pytest.fixture
def shown(browser, tmp_path):
    """Opens rows as a page, with a fault planted in it by `change`; what the browser complains of in the meantime fails the test."""
    from faultbench.report.page import as_html

    def opened(rows, change=lambda page: page, **how):
        browser.complaints.clear()
        page = as_html(rows, ["faultbench", "run", "-l", "maml"], published=True)
        (tmp_path / "page.html").write_text(change(page), encoding="utf-8")
        browser.open(tmp_path / "page.html", **how)
        return browser

    yield opened
    assert browser.complaints == []
    assert "broken" not in browser.evaluate("document.title")
