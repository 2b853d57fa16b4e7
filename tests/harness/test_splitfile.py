"""Splits on disk: the same bytes for the same split, and no damage unnoticed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest
from faultbench.data.splitfile import FORMAT, digest, load_split, save_split
from faultbench.errors import DataError

REQUEST = EpisodeRequest(ways=3, shots=3, shots_rare=2, queries=4, episodes=6)
FILES = ("split.json", "support.npy", "support_labels.npy", "query.npy", "query_labels.npy")


@pytest.fixture
def split(plant):
    return NewDevice(window=64).split([plant()], REQUEST, 0)


@pytest.fixture
def folder(split, tmp_path):
    save_split(split, tmp_path / "split")
    return tmp_path / "split"


def test_what_is_loaded_is_what_was_saved(split, folder):
    loaded = load_split(folder)
    assert replace(loaded, episodes=()) == replace(split, episodes=())
    for ours, theirs in zip(split.episodes, loaded.episodes, strict=True):
        assert (ours.classes, ours.rare) == (theirs.classes, theirs.rare)
        for name in ("support", "support_labels", "query", "query_labels"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), strict=True)
    assert digest(loaded) == digest(split)


def test_halves_of_recordings_are_saved_too(plant, tmp_path):
    split = Window(window=64).split([plant()], REQUEST, 0)
    save_split(split, tmp_path / "t0")
    loaded = load_split(tmp_path / "t0")
    assert (loaded.source, loaded.target) == (split.source, split.target)
    assert digest(loaded) == digest(split)


def test_the_same_split_gives_the_same_bytes(folder, plant, tmp_path):
    save_split(NewDevice(window=64).split([plant()], REQUEST, 0), tmp_path / "again")
    assert {p.name for p in folder.iterdir()} == set(FILES)
    for name in FILES:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_whatever_a_split_says_enters_its_digest(split):
    episode = split.episodes[0]
    moved = replace(episode, query=episode.query + np.array([0, 64]))
    pool = split.target
    changes = [
        {"level": "T3"},
        {"note": "one rig"},
        {"seed": 1},
        {"window": 128},
        {"rate_hz": 2000.0},
        {"request": replace(split.request, shots=4)},
        {"left_out": ("plant/x",)},
        {"episodes": (moved, *split.episodes[1:])},
        {"episodes": (replace(episode, rare=1 + episode.rare % 2), *split.episodes[1:])},
        {"episodes": split.episodes[::-1]},
        {"target": replace(pool, labels=("x", *pool.labels[1:]))},
        {"target": replace(pool, together=False)},
        {"target": replace(pool, apart=False)},
        {"target": replace(pool, spans=((0, 1920),) * len(pool.recordings))},
        {"target": replace(pool, recordings=(replace(pool.recordings[0], session="x"), *pool.recordings[1:]))},
        {"source": split.target},
    ]
    digests = {digest(split), *(digest(replace(split, **change)) for change in changes)}
    assert len(digests) == 1 + len(changes)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "garbage"])
def test_a_damaged_split_is_refused(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "flipped": flipped, "garbage": b"\x93\xff\x00{"}[damage])
    with pytest.raises(DataError) as caught:
        load_split(folder)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_never_loaded(folder):
    np.save(folder / "query.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError):
        load_split(folder)


def test_a_header_that_claims_more_than_there_is_allocates_nothing(folder):
    path = folder / "query.npy"
    head = {"descr": "<i8", "fortran_order": False, "shape": (2**40, 4, 2)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
    with pytest.raises(DataError):
        load_split(folder)


@pytest.mark.parametrize(
    "change", [{"format": FORMAT + 1}, {"target": None}, {"rare": [0]}, {"request": {"ways": 1, "odd": 2}}, {"seed": 5}]
)
def test_a_split_of_another_format_or_making_is_refused(folder, change):
    path = folder / "split.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError):
        load_split(folder)


def test_json_that_is_no_object_is_refused(folder):
    (folder / "split.json").write_text("[1, 2]")
    with pytest.raises(DataError):
        load_split(folder)
