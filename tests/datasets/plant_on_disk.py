"""A small plant as an engineer has it on disk: wav, csv, npy and mat files of two machines, and one table that says what they are.

python tests/datasets/plant_on_disk.py FOLDER

The signals are those of the data set `simulated`: of each machine one mounting, two healthy bearings, and one bearing of each of four
damages, at three loads. What each file is written as depends on the machine and the load, as it does where recorders change over the years.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io
from scipy.io import wavfile

from faultbench.data.recording import Recording
from faultbench_datasets.simulated import Simulated

FULL_SCALE_G = 64.0
G = 9.80665
TOML = """\
# What all recordings share. The recordings themselves are listed in recordings.csv.
name = "mill-3"
cite = "measured by ourselves, 2024"

[defaults]
session = "{file}"

[geometries."6205-like"]
balls = 9
ball_mm = 7.94
pitch_mm = 39.04

[geometries."6204-like"]
bpfo = 3.0519
bpfi = 4.9481
bsf = 1.9911
ftf = 0.38149
"""
HEADER = "file,channel,label,machine,bearing,load,speed,rate,unit,scale,geometry"


def chosen(loads: int = 3) -> Iterator[tuple[Recording, str, np.ndarray]]:
    """The recordings, the names of their files without an ending, and their signals in g."""
    source = Simulated()
    catalogue = source.catalogue()
    mountings = {machine: next(r.mounting for r in catalogue.recordings if r.machine == machine) for machine in catalogue.targets}
    for machine, mounting in mountings.items():
        here = [r for r in catalogue.recordings if r.mounting == mounting]
        damages = [next(r for r in here if r.element == element).severity for element in ("inner", "ball", "outer")]
        wanted = [*zip(("inner", "ball", "outer"), damages, strict=True)]
        wanted.append(("inner", next(r.severity for r in here if r.element == "inner" and r.severity != damages[0])))
        for recording in here:
            kept = list(dict.fromkeys(r.load for r in here))[:loads]
            if recording.load in kept and (recording.healthy or (recording.element, recording.severity) in wanted):
                bearing = recording.bearing.rpartition("/")[2].replace(" ", "-")
                number = kept.index(recording.load)
                name = f"{machine}/{recording.element}-{recording.severity or bearing}-{number}".replace(" ", "")
                yield recording, name, source.read(recording, recording.channels[0].name)


def write_plant(folder: Path, loads: int = 3) -> Path:
    """The plant below `folder`, which is made."""
    folder.mkdir(parents=True)
    lines = [HEADER]
    for number, (recording, name, signal) in enumerate(chosen(loads)):
        (folder / name).parent.mkdir(exist_ok=True)
        file, channel, rate, unit, scale = _write(folder, name, number % 4, signal, recording.channels[0].rate_hz)
        label = f"{recording.element} {recording.severity}".strip()
        geometry = recording.geometry.name if recording.geometry else ""
        said = (file, channel, label, recording.machine, recording.bearing, recording.load, f"{recording.speed_rpm:g}")
        lines.append(",".join((*said, rate, unit, scale, geometry)))
    (folder / "recordings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "recordings.toml").write_text(TOML, encoding="utf-8")
    return folder


def _write(folder: Path, name: str, kind: int, signal: np.ndarray, rate_hz: float) -> tuple[str, str, str, str, str]:
    """One file, and what the table has to say of it: file, channel, rate, unit, scale."""
    rate = f"{rate_hz:g}"
    if kind == 0:  # a recorder that writes 16 bits of its range
        wavfile.write(folder / f"{name}.wav", int(rate_hz), np.round(signal / FULL_SCALE_G * 32768).astype(np.int16))
        return f"{name}.wav", "", "", "", f"{FULL_SCALE_G:g}"
    if kind == 1:  # a logger of another country, with the time in the first column, in m/s^2
        rows = (f"{i / rate_hz:.6f};{v * G:.6f}".replace(".", ",") for i, v in enumerate(signal.tolist()))
        (folder / f"{name}.csv").write_text("Zeit;a\n[s];[m/s2]\n" + "\n".join(rows) + "\n", encoding="utf-8")
        return f"{name}.csv", "a", rate, "m/s^2", ""
    if kind == 2:  # two sensors in one array
        np.save(folder / f"{name}.npy", np.stack([signal, 0.5 * signal[::-1]], axis=1).astype(np.float32))
        return f"{name}.npy", "1", rate, "", ""
    scipy.io.savemat(folder / f"{name}.mat", {"fs": rate_hz, "acc": signal.reshape(-1, 1).astype(np.float64)})
    return f"{name}.mat", "", rate, "", ""


if __name__ == "__main__":
    write_plant(Path(sys.argv[1]))
