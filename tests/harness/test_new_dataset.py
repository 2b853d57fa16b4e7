"""The scenario `new-dataset`: what source and target share at T4, and what support and query do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faultbench.data.audit import audit
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.scenarios.new_dataset import NewDataset
from faultbench.data.split import EpisodeRequest, Signals
from faultbench.errors import IsolationError, UsageError
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import PoolSignals, load_catalogues, save_catalogue, signal_path
from faultbench.matrix.stages.gather import gather

Plant = Callable[..., Catalogue]
REQUEST = EpisodeRequest(ways=0, shots=2, shots_rare=2, queries=4, episodes=6)
WINDOW = 64


def named(catalogue: Catalogue, name: str) -> Catalogue:
    """The catalogue as another data set, of other machines with other bearings."""

    def changed(r: Recording) -> Recording:
        return dataclasses.replace(r, dataset=name)

    return dataclasses.replace(catalogue, dataset=name, recordings=tuple(map(changed, catalogue.recordings)))


def louder(signals: Signals, gain: float) -> Signals:
    """Made-up noise is drawn alike for every data set; in another order, for each gain its own, it is no copy."""
    order = np.random.default_rng(round(10 * gain))
    return {key: (gain * order.permutation(signal)).astype(np.float32) for key, signal in signals.items()}


@pytest.mark.parametrize("inside", ["T2", "T3"])
def test_a_split_keeps_what_it_promises(inside: str, plant: Plant, noise: Callable[[Catalogue], Signals]) -> None:
    home, away, far = plant(), named(plant(machines=("gamma",)), "away"), named(plant(machines=("delta",)), "far")
    made = NewDataset(window=WINDOW, inside=inside).split([home, away, far], REQUEST, 3)
    assert (made.level, made.note) == (f"T4/{inside}", "from away, far")
    assert {r.dataset for r in made.target.recordings} == {"plant"}
    assert {r.dataset for r in made.source.recordings} == {"away", "far"}
    found = audit(made, {**noise(home), **louder(noise(away), 2.7), **louder(noise(far), 0.3)})
    assert found.findings == ()
    assert found.shared["source/target"]["dataset"] == 0
    assert found.shared["support/query"]["bearing"] == (0 if inside == "T3" else len(made.episodes))


def test_the_audit_finds_a_recording_of_the_targets_data_set_in_the_source(plant: Plant, noise: Callable[[Catalogue], Signals]) -> None:
    """Planted: another machine of the same data set, which T2 allows and T4 does not."""
    home, away = plant(), named(plant(machines=("gamma",)), "away")
    made = NewDataset(window=WINDOW).split([home, away], REQUEST, 3)
    leaked = next(r for r in home.recordings if r.machine == "alpha" and not r.healthy)
    source = made.source
    columns = {
        "recordings": (*source.recordings, leaked),
        "channels": (*source.channels, ("a",)),
        **{name: (*getattr(source, name), getattr(source, name)[0]) for name in ("labels", "parts")},
        "conditions": (*source.conditions, "leaked"),
    }
    leaky = dataclasses.replace(made, source=dataclasses.replace(source, **columns))
    found = audit(leaky, {**noise(home), **noise(away)})
    assert any("share 1 dataset" in finding for finding in found.findings)


def test_the_audit_finds_a_renamed_copy_of_the_target_in_a_source(plant: Plant, noise: Callable[[Catalogue], Signals]) -> None:
    """Planted: the source's ids are all its own, its samples are the target's."""
    home, away = plant(), named(plant(machines=("gamma",)), "away")
    made = NewDataset(window=WINDOW).split([home, away], REQUEST, 3)
    found = audit(made, {**noise(home), **noise(away)})
    assert any("source and target share" in finding and "sample" in finding for finding in found.findings)
    assert found.shared["source/target"]["dataset"] == 0


def test_gathered_signals_are_on_one_base_and_what_is_trained_reaches_the_sources_alone(
    plant: Plant, noise: Callable[[Catalogue], Signals], tmp_path: Path
) -> None:
    inputs = {}
    for number, catalogue in enumerate([plant(rate_hz=2000.0, samples=8000), named(plant(machines=("gamma",)), "away")]):
        folder = inputs[f"ingest.{number}"] = tmp_path / str(number)
        folder.mkdir()
        save_catalogue(catalogue, folder)
        for i, signal in enumerate(noise(catalogue).values()):
            np.save(signal_path(folder, i, 0), signal)
    out = tmp_path / "out"
    out.mkdir()
    gather(Work(out, inputs, {"base": "hz"}, {}, "key"))
    catalogues = load_catalogues(out)
    assert [c.dataset for c in catalogues] == ["plant", "away"]
    made = NewDataset(window=WINDOW).split(catalogues, REQUEST, 0)
    assert made.rate_hz == 1000
    both = PoolSignals(out, made.source, made.target)
    lengths = {(r.dataset, r.id, "a"): r.channels[0].samples for c in catalogues for r in c.recordings}
    assert {key: len(both[key]) for key in both} == {key: lengths[key] for key in both}
    trained = PoolSignals(out, made.source)
    assert {dataset for dataset, _, _ in trained} == {"away"}
    with pytest.raises(KeyError):
        trained["plant", made.target.recordings[0].id, "a"]
    np.testing.assert_array_equal(trained[next(iter(trained))], both[next(iter(trained))])


def test_the_target_is_the_data_sets_first_and_its_other_machines_are_left_out(plant: Plant) -> None:
    home, away = plant(), named(plant(machines=("gamma",)), "away")
    made = NewDataset(window=WINDOW).split([home, away], REQUEST, 0)
    assert {r.machine for r in made.target.recordings} == {"beta"}
    assert all(name.startswith("plant/alpha") for name in made.left_out)
    assert len(made.left_out) == len(made.target.recordings)
    other = NewDataset(target="alpha", window=WINDOW).split([home, away], REQUEST, 0)
    assert {r.machine for r in other.target.recordings} == {"alpha"}


def test_source_tasks_have_the_sources_own_classes(plant: Plant) -> None:
    def cages(recording: Recording) -> Recording:
        return recording if recording.healthy else dataclasses.replace(recording, element="cage", severity=f"{recording.element}-like")

    made = NewDataset(window=WINDOW).split([plant(), named(plant(machines=("gamma",), change=cages), "away")], REQUEST, 0)
    assert set(made.source.labels) == {"healthy", "cage inner-like", "cage ball-like", "cage outer-like"}
    assert "inner small" in made.target.labels


def test_the_number_of_ways_is_five_or_what_the_target_has(plant: Plant) -> None:
    def without_sizes(recording: Recording) -> Recording:
        return dataclasses.replace(recording, severity="")

    away = named(plant(machines=("gamma",)), "away")
    assert NewDataset(window=WINDOW).split([plant(), away], REQUEST, 0).request.ways == 5
    assert NewDataset(window=WINDOW).split([plant(change=without_sizes), away], REQUEST, 0).request.ways == 4
    assert NewDataset(window=WINDOW, inside="T3").split([plant(), away], REQUEST, 0).request.ways == 4


@pytest.mark.parametrize(("inside", "healthy", "loads"), [("T3", 1, ("0 hp", "1 hp")), ("T2", 2, ("0 hp", "1 hp"))])
def test_a_source_class_that_cannot_part_support_from_query_is_left_out(
    inside: str, healthy: int, loads: tuple[str, ...], plant: Plant
) -> None:
    """At T3 one healthy bearing, at T2 a healthy machine seen at one load only: no way of a source task can be made of it."""

    def one_load(recording: Recording) -> Recording | None:
        return None if inside == "T2" and recording.healthy and recording.load != "0 hp" else recording

    away = named(plant(machines=("gamma",), healthy=healthy, loads=loads, change=one_load), "away")
    made = NewDataset(window=WINDOW, inside=inside).split([plant(), away], REQUEST, 0)
    assert "healthy" not in made.source.labels
    assert "healthy" in made.target.labels
    assert any(name.startswith("away/") and "healthy" in name for name in made.left_out)


def test_what_cannot_be_done_is_said(plant: Plant) -> None:
    home, away = plant(), named(plant(machines=("gamma",)), "away")
    with pytest.raises(UsageError, match="name them with --source"):
        NewDataset(window=WINDOW).split([home], REQUEST, 0)
    with pytest.raises(UsageError, match="plant is target and source at once"):
        NewDataset(window=WINDOW).split([home, away, home], REQUEST, 0)
    with pytest.raises(UsageError, match="no machine or mounting 'gamma' in plant"):
        NewDataset(target="gamma", window=WINDOW).split([home, away], REQUEST, 0)
    with pytest.raises(IsolationError, match="0 classes of beta part support from query, two are needed: take inside=T2"):
        NewDataset(window=WINDOW, inside="T3").split([plant(bearings=1, healthy=1, change=_one_size), away], REQUEST, 0)
    with pytest.raises(UsageError, match="cannot keep 'T1' inside"):
        NewDataset(inside="T1")


def _one_size(recording: Recording) -> Recording | None:
    return recording if recording.severity in ("", "small") else None
