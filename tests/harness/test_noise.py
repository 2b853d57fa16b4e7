"""Noise on the target's windows: its level by two rules, and the same for whoever hears it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faultbench.data.noise import Noise, NoisyTarget, floor_powers, parse_noise
from faultbench.data.recording import Catalogue
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.split import EpisodeRequest, Signals, Split
from faultbench.data.windows import cut
from faultbench.errors import UsageError
from faultbench.matrix.cells import cells
from faultbench.matrix.settings import RunSettings, read_matrix
from faultbench.registry import Registry

WINDOW = 640
REQUEST = EpisodeRequest(ways=3, shots=1, shots_rare=1, queries=2, episodes=2)
LOUD = 20.0


@pytest.fixture(scope="module")
def split(plant: Callable[..., Catalogue]) -> Split:
    return NewDevice(window=WINDOW).split([plant()], REQUEST, 5)


@pytest.fixture(scope="module")
def signals(plant: Callable[..., Catalogue], noise: Callable[[Catalogue], Signals]) -> Signals:
    """Unit noise where healthy, twenty times that where faulty, with a mean that is no power."""
    catalogue = plant()
    made = noise(catalogue)
    healthy = {r.id: r.healthy for r in catalogue.recordings}
    return {key: (signal * (1 if healthy[key[1]] else LOUD) + 3).astype(np.float32) for key, signal in made.items()}


def rows_of(split: Split) -> np.ndarray:
    rows = [[row, start] for row in range(len(split.target.recordings)) for start in (0, WINDOW, 2 * WINDOW)]
    return np.array(rows, dtype=np.int64)


def added(noise: Noise, split: Split, signals: Signals, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The clean windows, and what was added to them."""
    clean = cut(signals, split.target, rows, WINDOW)
    return clean, NoisyTarget(noise, split, signals)(clean, rows).astype(np.float64) - clean


def faulty(split: Split, rows: np.ndarray) -> np.ndarray:
    return np.array([not split.target.recordings[row].healthy for row in rows[:, 0]])


@pytest.mark.parametrize("snr_db", [10, 0, -5])
def test_per_window_every_window_has_the_same_ratio(split: Split, signals: Signals, snr_db: float) -> None:
    clean, noise = added(Noise("snr", snr_db), split, signals, rows_of(split))
    ratios = 10 * np.log10(clean.astype(np.float64).var(-1) / noise.var(-1))
    assert ratios.mean() == pytest.approx(snr_db, abs=0.1)
    assert ratios.std() < 0.5, "a draw of 640 samples varies by a quarter of a decibel"


def test_on_a_floor_the_noise_of_a_machine_is_that_of_its_healthy_recordings(split: Split, signals: Signals) -> None:
    rows = rows_of(split)
    _, noise = added(Noise("floor", 10), split, signals, rows)
    power = noise.var(-1)[:, 0]
    assert power[faulty(split, rows)].mean() == pytest.approx(0.1, rel=0.05)
    assert power[~faulty(split, rows)].mean() == pytest.approx(0.1, rel=0.05)
    _, other = added(Noise("snr", 10), split, signals, rows)
    assert other.var(-1)[faulty(split, rows)].mean() > 10, "per window the loud ones get loud noise"


def test_without_a_healthy_recording_the_floor_is_that_of_all(split: Split, signals: Signals) -> None:
    target = split.target
    keep = [i for i, r in enumerate(target.recordings) if not r.healthy]
    without = dataclasses.replace(split, target=target.only(keep))
    assert list(floor_powers(without, signals).values()) == [pytest.approx([LOUD**2], rel=0.05)]


def test_the_noise_is_white(split: Split, signals: Signals) -> None:
    _, noise = added(Noise("floor", 0), split, signals, rows_of(split))
    power = (np.abs(np.fft.rfft(noise[:, 0])) ** 2).mean(0)[1:-1]
    bands = power[: len(power) // 10 * 10].reshape(10, -1).mean(1)
    assert bands.max() / bands.min() < 1.15


def test_a_window_has_the_same_noise_whoever_asks_and_beside_whatever_else(split: Split, signals: Signals) -> None:
    rows = rows_of(split)
    _, all_at_once = added(Noise("snr", 0), split, signals, rows)
    _, backwards = added(Noise("snr", 0), split, signals, rows[::-1])
    np.testing.assert_array_equal(all_at_once, backwards[::-1])
    _, one = added(Noise("snr", 0), split, signals, rows[7:8])
    np.testing.assert_array_equal(one[0], all_at_once[7])


def test_two_windows_two_recordings_and_two_seeds_have_different_noise(split: Split, signals: Signals) -> None:
    rows = rows_of(split)[:6]
    _, noise = added(Noise("floor", 0), split, signals, rows)
    _, other_seed = added(Noise("floor", 0), dataclasses.replace(split, seed=6), signals, rows)
    flat = np.concatenate([noise, other_seed])[:, 0]
    alike = np.corrcoef(flat) - np.eye(len(flat))
    assert np.abs(alike).max() < 0.2


def test_two_levels_differ_by_a_factor(split: Split, signals: Signals) -> None:
    rows = rows_of(split)[:5]
    _, loud = added(Noise("floor", 0), split, signals, rows)
    _, quiet = added(Noise("floor", 20), split, signals, rows)
    np.testing.assert_allclose(loud, 10 * quiet, atol=2e-4)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("10", "10"),
        (" -5 ", "-5"),
        ("2.50", "2.5"),
        ("+3", "3"),
        ("-0", "0"),
        ("floor:10", "floor:10"),
        ("machine:-2.50", "machine:-2.5"),
        ("clean", None),
    ],
)
def test_levels_have_one_spelling(text: str, spelling: str | None) -> None:
    noise = parse_noise(text)
    assert (noise and noise.spelling) == spelling
    assert parse_noise(spelling or "clean") == noise


@pytest.mark.parametrize(
    "text",
    ["", "loud", "10dB", "nan", "inf", "1e3", "1_0", "101", "-100.5", "floor", "floor:", "machine:", "machine", "snr:3", ":3", "a:b:1"],
)
def test_what_is_no_level_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_noise(text)
    assert "\n" not in str(refused.value)


# --- as an axis


def test_every_level_is_a_cell_beside_the_clean_one_and_compared_with_its_like_alone() -> None:
    settings = RunSettings(learners=("cnn", "centroid"), snr=("10", "clean", "10.0", "floor:-5"))
    found = cells(settings, Registry.discover(plugins=False))
    assert [(cell.snr, cell.learner.spelling) for cell in found] == [
        (level, learner) for level in ("clean", "10", "floor:-5") for learner in ("cnn", "centroid")
    ]
    assert [found[0].contrast(cell) is not None for cell in found] == [False, True, False, False, False, False]
    assert [cell.title.partition("x86")[2] for cell in found[::2]] == ["", " snr 10", " snr floor:-5"]


def test_without_levels_there_is_the_clean_cell_alone() -> None:
    assert [cell.snr for cell in cells(RunSettings(), Registry.discover(plugins=False))] == ["clean"]


def test_levels_are_checked_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="write a number of dB"):
        RunSettings(snr=("10", "loud"))
    matrix = tmp_path / "matrix.toml"
    for text in ("snr = true", "snr = [[1]]", 'snr = {rule = "floor"}'):
        matrix.write_text(text)
        with pytest.raises(UsageError, match="snr must be levels of noise in dB"):
            read_matrix(matrix)
    matrix.write_text('snr = [10, -2.5, "floor:3"]\nsource = ["cwru", "uestc"]')
    assert read_matrix(matrix) == {"snr": ("10", "-2.5", "floor:3"), "source": ("cwru", "uestc")}
