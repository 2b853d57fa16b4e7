"""The splits that the repository publishes: recomputed, so that a change of the protocol is noticed, and read by the docs' reader."""

from __future__ import annotations

import gzip
import json
import os
import re
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from faultbench.data.origin import Origin
from faultbench.data.published import document, parse_document, read_file, write_document
from faultbench.data.recording import HEALTHY, Catalogue, Channel, Recording
from faultbench.data.resampling import common_base, rebased
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.split import EpisodeRequest
from faultbench.data.windows import cut
from faultbench.errors import DataError
from faultbench.matrix.publishing import origins
from faultbench.registry import Registry, make

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FAULTBENCH_DATA") or ROOT.parent / "shared" / "data")
FILES = sorted((ROOT / "splits").glob("*.json.gz"))
MOST_BYTES = 300 * 1024

KNOWN: dict[tuple[str, str, str], Any] = {}


@cache
def said(path: Path) -> dict[str, Any]:
    return parse_document(read_file(path), path)


@cache
def dataset(name: str) -> Any:
    return make(Registry.discover(plugins=False).choose("datasets", name), data_dir=DATA)


@cache
def catalogue(name: str) -> Catalogue:
    found: Catalogue = dataset(name).catalogue()
    return found


def at_hand(published: dict[str, Any]) -> list[Catalogue]:
    """The catalogues of a published split, the target's first; skips where they are not those it was made of."""
    found = []
    for name, said_ in published["data_sets"].items():
        try:
            one = catalogue(name)
        except DataError as error:
            pytest.skip(f"{name} is not at hand: {error}")
        if one.version != said_["version"]:
            pytest.skip(f"this copy of {name} is {one.version}, the split was made of {said_['version']}")
        found.append(one)
    return found


def test_every_built_in_scenario_is_published_for_seeds_0_to_2() -> None:
    names = {path.name.removesuffix(".json.gz") for path in FILES}
    stems = {name.rpartition(".")[0] for name in names}
    assert names == {f"{stem}.{seed}" for stem in stems for seed in range(3)}
    own = {"cwru": {"window", "session", "new-device", "unseen-bearing"}, "uestc": {"window", "session"}}
    own["simulated"] = own["cwru"]
    assert {f"{name}.{scenario}" for name, scenarios in own.items() for scenario in scenarios} <= stems
    assert {stem.partition(".")[0] for stem in stems if "new-dataset" in stem} == {"cwru", "uestc", "simulated"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_published_split_is_small_and_of_the_default_request(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    found = said(path)
    assert EpisodeRequest(**found["request"]) == EpisodeRequest(ways=found["request"]["ways"])
    assert len(found["episodes"]) == 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_published_split_is_what_is_computed_today(path: Path) -> None:
    """A failure means that the protocol changed: CONTRIBUTING says what goes with that. `sh benchmarks/splits.sh` writes them anew."""
    found = said(path)
    before = at_hand(found)
    base = common_base(before, found["base"]["kind"]) if found["base"] else None
    catalogues = before if base is None else [rebased(one, base) for one in before]
    scenario = make(Registry.discover(plugins=False).choose("scenarios", found["scenario"]))
    split = scenario.split(catalogues, EpisodeRequest(), found["seed"])
    made = document(split, before, origins(before, {one.dataset: dataset(one.dataset) for one in before}, base, KNOWN), base)
    assert made["digest"] == found["digest"]


def reader() -> Any:
    """The reader in docs/howto/splits.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "howto" / "splits.md").read_text(encoding="utf-8"), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - it is what the docs show
    return scope["episodes"]


@pytest.mark.parametrize(
    "name",
    ["cwru.new-device.0", "cwru.new-device-target=fan-end.1", "cwru.window.2", "uestc.session.0", "uestc.new-dataset.from-cwru-simulated.0",
     "uestc.new-dataset-base=orders.from-cwru-simulated.1"],
)  # fmt: skip
def test_the_reader_of_the_docs_gets_the_windows_that_faultbench_uses(name: str) -> None:
    path = ROOT / "splits" / f"{name}.json.gz"
    found = said(path)
    before = at_hand(found)
    base = common_base(before, found["base"]["kind"]) if found["base"] else None
    recordings = {(r.dataset, r.id): r for one in before for r in one.recordings}
    signals: dict[int, Any] = {}
    for number, (classes, support, query) in enumerate(reader()(path, DATA)):
        episode = found["episodes"][number]
        assert classes == episode["classes"]
        for windows, places in ((support, episode["support"]), (query, episode["query"])):
            for window, (row, start) in zip(chain(*windows), chain(*places), strict=True):
                if row not in signals:
                    entry = found["target"]["recordings"][row]
                    recording = recordings[entry["data_set"], entry["id"]]
                    signal = dataset(entry["data_set"]).read(recording, entry["channels"][0])
                    signals[row] = signal if base is None else base.apply(signal, recording)
                    assert len(signals[row]) == entry["samples"]
                used = signals[row][None, start : start + found["window"]]
                np.testing.assert_allclose(window, used, rtol=1e-5, atol=1e-6 * float(np.abs(used).max()))
        if number == 30:
            break


def test_the_reader_of_the_docs_gets_all_channels_of_a_window_and_holds_the_slow_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    fast, slow = rng.standard_normal(4000).astype(np.float32), rng.standard_normal(2).astype(np.float32)
    (tmp_path / "mill").mkdir()
    scipy.io.savemat(tmp_path / "mill" / "a.mat", {"vibration": fast, "temperature": slow})
    channels = Channel("vibration", 1000.0, 4000), Channel("temperature", 0.5, 2, "degC")
    recordings = tuple(
        Recording("mill", f"{end}-{element}-{load}", end, end, f"{end}-{element}", element, "", end + element + load, load, None, channels)
        for end in ("one", "two")
        for element in (HEALTHY, "inner", "outer")
        for load in "ab"
    )
    mill = Catalogue("mill", "1", recordings, ("two",))
    split = NewDevice(window=64, channels="1+2").split([mill], EpisodeRequest(ways=3, shots=2, shots_rare=2, queries=2, episodes=3), 0)
    made = document(split, [mill], lambda _, channel: Origin("a.mat", channel))
    write_document(made, tmp_path / "split.json.gz")
    signals = {(r.dataset, r.id, name): s for r in recordings for name, s in (("vibration", fast), ("temperature", slow))}
    episodes = list(reader()(tmp_path / "split.json.gz", tmp_path))
    assert len(episodes) == 3
    for (_, support, query), episode in zip(episodes, split.episodes, strict=True):
        for windows, rows in ((support, episode.support), (query, episode.query)):
            np.testing.assert_array_equal(np.array(list(chain(*windows))), cut(signals, split.target, rows, 64), strict=True)
    assert {value for _, support, _ in episodes for window in chain(*support) for value in window[1].tolist()} == set(slow.tolist())


def test_the_reader_of_the_docs_gets_both_sensors_of_a_window(tmp_path: Path) -> None:
    try:
        whole = catalogue("cwru")
    except DataError as error:
        pytest.skip(f"cwru is not at hand: {error}")
    scenario = make(Registry.discover(plugins=False).choose("scenarios", "new-device:channels=1+2"))
    split = scenario.split([whole], EpisodeRequest(episodes=3), 0)
    made = document(split, [whole], origins([whole], {"cwru": dataset("cwru")}, None, KNOWN))
    write_document(made, tmp_path / "split.json.gz")
    signals = {
        (recording.dataset, recording.id, name): dataset("cwru").read(recording, name)
        for recording, names in zip(split.target.recordings, split.target.channels, strict=True)
        for name in names
    }
    assert len(signals) == 2 * len(split.target.recordings)
    for (_, support, query), episode in zip(reader()(tmp_path / "split.json.gz", DATA), split.episodes, strict=True):
        for windows, rows in ((support, episode.support), (query, episode.query)):
            used = cut(signals, split.target, rows, split.window)
            np.testing.assert_allclose(np.array(list(chain(*windows))), used, rtol=1e-5, atol=1e-6 * float(np.abs(used).max()))


def test_the_reader_of_the_docs_notices_a_changed_file(tmp_path: Path) -> None:
    changed = {**said(FILES[0]), "level": "T3"}
    (tmp_path / "changed.json.gz").write_bytes(gzip.compress(json.dumps(changed).encode()))
    with pytest.raises(AssertionError, match="the file was changed"):
        next(reader()(tmp_path / "changed.json.gz", DATA))
