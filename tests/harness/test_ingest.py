"""The stage that takes a data set in: every signal once, in order, checked; several at once where the data set says so."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from faultbench.data.recording import Catalogue, Channel, Recording
from faultbench.errors import DataError, PluginError
from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import load_catalogue, signal_path
from faultbench.matrix.stages import ingest as stage

KEY = "ab" + "0" * 62


def recording(number: int) -> Recording:
    return Recording(
        dataset="plant", id=str(number), machine="a", mounting="a", bearing="b", element="healthy", severity="", session=str(number),
        load="", speed_rpm=None, channels=(Channel("x", 100.0), Channel("y", 100.0)),
    )  # fmt: skip


class Plant:
    """Signals that say what they are, and a note of who read them."""

    def __init__(self, count: int = 20, bad: dict[str, Any] | None = None) -> None:
        self._catalogue = Catalogue("plant", "1", tuple(map(recording, range(count))), ("a",))
        self._bad = bad or {}
        self.reads: list[tuple[str, str]] = []
        self.threads: set[int] = set()
        self.at_once = self.most_at_once = 0
        self._turn = threading.Lock()

    def catalogue(self) -> Catalogue:
        return self._catalogue

    def read(self, recording: Recording, channel: str) -> Any:
        with self._turn:
            self.reads.append((recording.id, channel))
            self.threads.add(threading.get_ident())
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
        time.sleep(0.002)
        with self._turn:
            self.at_once -= 1
        if recording.id in self._bad:
            if isinstance(self._bad[recording.id], Exception):
                raise self._bad[recording.id]
            return self._bad[recording.id]
        return np.full(10 + int(recording.id), ord(channel), dtype=np.float32)


class SharedPlant(Plant):
    """May be read by three threads."""

    readers = 3


def taken_in(plant: Plant, root: Path, monkeypatch: pytest.MonkeyPatch, digest: str | None = None) -> Path:
    monkeypatch.setattr(stage, "make", lambda _, data_dir: plant)
    params = {"dataset": SimpleNamespace(), "catalogue": digest or plant.catalogue().digest}
    return Cache(root).get_or_make(KEY, lambda out: stage.ingest(Work(out, {}, params, {"data_dir": None}, KEY)))


@pytest.mark.parametrize("kind", [Plant, SharedPlant])
def test_every_signal_is_read_once_and_lies_where_the_catalogue_says(kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = kind()
    value = taken_in(plant, tmp_path, monkeypatch)
    assert sorted(plant.reads) == sorted((str(n), channel) for n in range(20) for channel in "xy")
    catalogue = load_catalogue(value)
    assert [r.id for r in catalogue.recordings] == [str(n) for n in range(20)]
    for i, r in enumerate(catalogue.recordings):
        for j, channel in enumerate(r.channels):
            signal = np.load(signal_path(value, i, j), allow_pickle=False)
            assert channel.samples == len(signal) == 10 + i
            assert set(signal.tolist()) == {ord(channel.name)}


def test_a_data_set_that_says_nothing_is_read_by_the_thread_that_listed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant()
    taken_in(plant, tmp_path, monkeypatch)
    assert plant.threads == {threading.get_ident()}


def test_one_that_may_be_is_read_by_as_many_threads_as_it_says_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = SharedPlant(60)
    taken_in(plant, tmp_path, monkeypatch)
    assert 1 < plant.most_at_once <= 3


@pytest.mark.parametrize("kind", [Plant, SharedPlant])
@pytest.mark.parametrize(
    ("bad", "error", "said"),
    [
        (DataError("7.mat is damaged: get it again"), DataError, "7.mat is damaged"),
        (np.zeros(10), PluginError, "plant: 7, channel x: read.. returned no float32 array"),
        (np.zeros(0, np.float32), PluginError, "no float32 array"),
        (np.full(10, np.nan, np.float32), PluginError, "values that are not finite"),
        ("text", PluginError, "no float32 array"),
        (RuntimeError("broke"), RuntimeError, "broke"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_nothing_is_kept(
    kind, bad, error, said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(error, match=said):
        taken_in(kind(bad={"7": bad}), tmp_path, monkeypatch)
    assert Cache(tmp_path).get(KEY) is None
    assert not list((tmp_path / "partial").iterdir())


def test_of_two_failures_the_first_in_order_is_told_and_what_waits_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = SharedPlant(200, bad={"4": DataError("4 is damaged"), "5": DataError("5 is damaged")})
    with pytest.raises(DataError, match="4 is damaged"):
        taken_in(plant, tmp_path, monkeypatch)
    assert len(plant.reads) < 60


def test_an_interruption_ends_the_reading_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = SharedPlant(400)
    monkeypatch.setattr(stage, "make", lambda _, data_dir: plant)
    params = {"dataset": None, "catalogue": plant.catalogue().digest}

    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).get_or_make(KEY, lambda out: stage.ingest(Work(out, {}, params, {"data_dir": None}, KEY, interrupt)))
    read = len(plant.reads)
    assert read < 100
    assert not list((tmp_path / "partial").iterdir())
    time.sleep(0.05)
    assert len(plant.reads) == read, "no thread goes on behind the stage's back"


def test_another_length_than_was_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(2)
    listed = tuple(dataclasses.replace(r, channels=(Channel("x", 100.0, samples=99),)) for r in plant.catalogue().recordings)
    plant._catalogue = dataclasses.replace(plant.catalogue(), recordings=listed)
    with pytest.raises(PluginError, match="10 samples, the catalogue says 99"):
        taken_in(plant, tmp_path, monkeypatch)


def test_a_data_set_that_changed_since_the_plan_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="plant changed while the run was planned: run again"):
        taken_in(Plant(), tmp_path, monkeypatch, digest="0" * 64)
