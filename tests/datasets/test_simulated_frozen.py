"""The signals of `simulated` stay what they are; whoever changes one raises the version, and then these figures.

Print them anew with `python tests/datasets/test_simulated_frozen.py`.
"""

import numpy as np
import pytest

from faultbench_datasets.simulated import Simulated, streams

VERSION = "1"
# RMS, peak, RMS of the first difference, samples 0, 20,000 and 53,247; g, rounded to 1e-4
FROZEN = {
    "alpha-healthy-1@none": (0.0428, 0.1807, 0.0467, -0.0723, -0.0049, 0.0222),
    "alpha-inner-small-2@light": (0.114, 0.9043, 0.1544, -0.0522, 0.0725, 0.0361),
    "alpha-ball-large-3@full": (0.1947, 1.9253, 0.2833, -0.0403, -0.1895, -0.0464),
    "alpha-outer-distributed-1@medium": (0.0546, 0.2388, 0.0662, 0.041, -0.0166, -0.103),
    "beta-healthy-5@full": (0.0355, 0.1727, 0.0524, -0.0112, 0.0546, 0.0099),
    "beta-inner-medium-3@none": (0.1998, 1.7635, 0.3368, -0.0989, -0.0216, 0.1203),
    "beta-ball-small-1@light": (0.0687, 0.5392, 0.1071, 0.0066, 0.1771, 0.08),
    "beta-outer-large-2@full": (0.2179, 1.5824, 0.3667, 0.1816, -0.2212, 0.1364),
}
TOLERANCE_G = 4e-4  # more than a step of the recorder: another libm may round a sample to the neighbouring one


def statistics(recording):
    x = Simulated().read(recording, "accelerometer").astype(float)
    figures = (np.std(x), np.abs(x).max(), np.std(np.diff(x)), x[0], x[20_000], x[-1])
    return tuple(round(float(figure), 4) for figure in figures)


def differing():
    recordings = {r.id: r for r in Simulated().catalogue().recordings}
    return [name for name, kept in FROZEN.items() if statistics(recordings[name]) != pytest.approx(kept, abs=TOLERANCE_G)]


def test_the_signals_are_those_of_this_version():
    assert Simulated().catalogue().version == VERSION
    assert differing() == []


def test_another_stream_is_noticed(monkeypatch):
    monkeypatch.setattr(streams, "_ENTROPY", 1985)
    assert differing() == list(FROZEN)


def test_a_slightly_stiffer_frame_is_noticed(monkeypatch):
    from faultbench_datasets.simulated import structure

    monkeypatch.setattr(structure, "_STIFFENING", 0.009)
    loaded = [name for name in FROZEN if "healthy" not in name and not name.endswith("@none")]
    assert set(loaded) <= set(differing())


if __name__ == "__main__":
    for recording in Simulated().catalogue().recordings:
        if recording.id in FROZEN:
            print(f'    "{recording.id}": {statistics(recording)},')
