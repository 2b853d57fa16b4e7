"""The built-in scenarios on the real Case Western records, through the entry point, audited on their samples."""

import importlib
import os
from collections import Counter
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from faultbench.data.audit import audit, require
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.split import EpisodeRequest
from faultbench.matrix.outcome import outcome

DATA = Path(os.environ.get("FAULTBENCH_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")

pytestmark = pytest.mark.skipif(
    not (DATA / "cwru" / "97.mat").is_file(),
    reason=f"no Case Western records in {DATA / 'cwru'}: put the official <n>.mat files there, or set FAULTBENCH_DATA",
)


@pytest.fixture(scope="module")
def cwru():
    """The catalogue, and the signal of each recording's first channel."""
    (entry,) = entry_points(group="faultbench", name="datasets")
    offer = next(o for o in entry.load().faultbench_datasets() if o.name == "cwru")
    module, _, name = offer.factory.partition(":")
    dataset = getattr(importlib.import_module(module), name)(data_dir=DATA)
    catalogue = dataset.catalogue()
    signals, recordings = {}, []
    for recording in catalogue.recordings:
        channel = recording.channels[0]
        signal = dataset.read(recording, channel.name)
        signals[recording.dataset, recording.id, channel.name] = signal
        recordings.append(replace(recording, channels=(replace(channel, samples=len(signal)),)))
    return replace(catalogue, recordings=tuple(recordings)), signals


@pytest.mark.parametrize("scenario", [NewDevice, UnseenBearing])
@pytest.mark.parametrize("target", ["drive-end", "fan-end"])
def test_the_real_records_keep_each_level(scenario, target, cwru):
    catalogue, signals = cwru
    split = scenario(target=target).split([catalogue], EpisodeRequest(episodes=40), 0)
    found = audit(split, signals)
    require(found)
    assert found.facts["copies"] == []
    assert {r.mounting for r in split.target.recordings} == {target}
    assert {f"cwru/{r.id}" for r in catalogue.recordings if r.healthy and r.mounting != target} <= set(split.left_out)


def test_the_drive_end_is_the_default_target_with_every_bearing_asked_alike(cwru):
    split = NewDevice().split([cwru[0]], EpisodeRequest(), 0)
    result = outcome(split, np.stack([e.query_labels for e in split.episodes]))
    assert split.target.recordings[0].mounting == "drive-end"
    assert len(set(result.unit[~result.healthy])) == 11
    assert len(set(result.unit[result.healthy])) == 4
    asked = Counter(result.unit[~result.healthy].tolist())
    assert max(asked.values()) - min(asked.values()) <= 15


def test_three_elements_are_the_ways_at_t3(cwru):
    split = UnseenBearing().split([cwru[0]], EpisodeRequest(episodes=10), 0)
    assert split.request.ways == 3
    assert set(split.target.labels) == {"inner", "ball", "outer"}


def test_a_real_record_under_another_name_is_found_in_the_source(cwru):
    catalogue, signals = cwru
    split = NewDevice().split([catalogue], EpisodeRequest(episodes=4), 0)
    stolen = split.target.recordings[5]
    victim = next(r for r in split.source.recordings if r.element == stolen.element)
    copy = np.roll(signals["cwru", stolen.id, split.target.leads[5]], 12_345)[: victim.channels[0].samples]
    channel = replace(victim.channels[0], samples=len(copy))
    renamed = tuple(replace(r, channels=(channel,)) if r is victim else r for r in split.source.recordings)
    leaking = replace(split, source=replace(split.source, recordings=renamed))
    found = audit(leaking, {**signals, ("cwru", victim.id, channel.name): copy})
    assert any("source and target share 1 sample" in finding for finding in found.findings)
