"""A small made-up copy of the data, to test the reader with. `python tests/made_up.py DIR` writes it to DIR/new-plugin."""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np

from new_plugin.dataset import COLUMNS, NAME, TABLE

RATE_HZ, SAMPLES = 12_000, 40_960
RESONANCE = {"healthy": 0.05, "inner": 0.15, "ball": 0.25, "outer": 0.35}
"""Of each class, as a share of the sampling rate."""

_kept: list[tempfile.TemporaryDirectory[str]] = []


def made_up_data() -> Path:
    """A data folder with a made-up copy in it, gone when Python ends."""
    _kept.append(tempfile.TemporaryDirectory())
    return write(Path(_kept[-1].name))


def write(root: Path) -> Path:
    """Writes the copy to a folder of `root`: two rigs, two bearings of each class, two loads; noise through a resonance."""
    folder = root / NAME
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for rig in ("rig 1", "rig 2"):
        for element, share in RESONANCE.items():
            for number in (1, 2):
                for load in ("0 kN", "1 kN"):
                    rng = np.random.default_rng(len(lines))
                    ring = np.exp(-np.arange(64) / 8) * np.cos(2 * np.pi * share * (1 + 0.1 * number) * np.arange(64))
                    signal = np.convolve(rng.standard_normal(SAMPLES), ring, "same") + 0.5 * rng.standard_normal(SAMPLES)
                    file = f"{len(lines):04}.npy"
                    np.save(folder / file, signal.astype(np.float32))
                    severity = "" if element == "healthy" else f"size {number}"
                    bearing = f"{rig} {element} {number}"
                    lines.append((file, rig, f"{rig} end", bearing, element, severity, f"{bearing} {load}", load, 1800, RATE_HZ))
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows([COLUMNS, *lines])
    return root


if __name__ == "__main__":
    write(Path(sys.argv[1]))
