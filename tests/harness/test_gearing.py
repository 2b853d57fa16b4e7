"""Gears in a recording: their orders, and what becomes of them on disk and in digests."""

import json
from dataclasses import asdict, replace

import pytest

from faultbench.api import Catalogue, Gearing, Geometry
from faultbench.data.recording import plain
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.split import EpisodeRequest
from faultbench.data.splitfile import digest, load_split, save_split
from faultbench.errors import DataError
from faultbench.matrix.signals import load_catalogue, save_catalogue

PAIR = Gearing("29:67", teeth=29, mating_teeth=67)
REQUEST = EpisodeRequest(ways=3, shots=3, shots_rare=2, queries=4, episodes=6)


def geared(recording):
    return replace(recording, gearing=PAIR)


def test_a_pair_meshes_as_often_as_either_gear_has_teeth_and_turns():
    assert PAIR.orders == (29.0, 1.0, 29 / 67)
    assert PAIR.wheel * PAIR.mating_teeth == pytest.approx(PAIR.mesh)


def test_gears_survive_a_catalogue_and_a_split_on_disk(plant, tmp_path):
    catalogue = plant(change=geared)
    save_catalogue(catalogue, tmp_path)
    assert load_catalogue(tmp_path) == catalogue
    split = NewDevice(window=64).split([catalogue], REQUEST, 0)
    save_split(split, tmp_path / "split")
    loaded = load_split(tmp_path / "split")
    assert loaded.target == split.target
    assert loaded.target.recordings[0].gearing == PAIR
    assert digest(loaded) == digest(split)


def test_a_catalogue_of_gears_has_another_digest_and_one_without_is_what_it_was(plant):
    without = plant()
    assert plant(change=geared).digest != without.digest
    other = plant(change=lambda r: replace(r, gearing=replace(PAIR, teeth=30)))
    assert len({without.digest, other.digest, plant(change=geared).digest}) == 3
    # computed before there were gears
    one = Catalogue("plant", "1", without.recordings[:1], ("beta",))
    assert one.digest == "05ff207b3e1a9b50f471ba6ead905b73c21923c8f7a5d64033f0b593f489c86e"


def test_a_recording_says_all_that_it_holds(plant):
    geometry = Geometry("6205", bpfo=3.585, bpfi=5.415, bsf=2.357, ftf=0.398)
    for recording in plant(change=lambda r: replace(geared(r), geometry=geometry, notes=("odd",))).recordings:
        assert plain(recording) == asdict(recording)
    (ungeared, *_) = plant().recordings
    said = asdict(ungeared)
    assert said.pop("gearing") is None
    assert plain(ungeared) == said


def test_what_was_written_before_there_were_gears_is_still_read(plant, tmp_path):
    save_catalogue(plant(), tmp_path)
    path = tmp_path / "catalogue.json"
    said = json.loads(path.read_text())
    for recording in said["recordings"]:
        del recording["gearing"]
    path.write_text(json.dumps(said))
    assert load_catalogue(tmp_path) == plant()


@pytest.mark.parametrize("gearing", [{"name": "29:67"}, {"name": "29:67", "teeth": 29, "mating_teeth": 67, "odd": 1}, "29:67", [1]])
def test_damaged_gears_are_a_damaged_catalogue(plant, tmp_path, gearing):
    save_catalogue(plant(change=geared), tmp_path)
    path = tmp_path / "catalogue.json"
    said = json.loads(path.read_text())
    said["recordings"][0]["gearing"] = gearing
    path.write_text(json.dumps(said))
    with pytest.raises(DataError, match="no readable catalogue"):
        load_catalogue(tmp_path)
