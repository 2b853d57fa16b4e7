"""How often the checks of speed and geometry in `faultbench data check` are wrong, and how often they find what is planted.

python benchmarks/comb_check.py [FILE]

Every signal of the Case Western records (both sensors, 12 and 48 kHz) and of `simulated` is checked against what its catalogue states, then
against a speed that is 1.3 % too high or 1.7 % too low, and against a geometry of the other machine end (of 3001 to 3004: that of the
SKF bearing, of 3005 to 3008: that of the NTN bearing). How blind: the thresholds were chosen on the 12 kHz records of the machine ends' own
sensors; that a ball's spin explains a comb was added when two records of `simulated` had shown it; nothing was changed after the other
sensor or the 48 kHz records were seen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faultbench.data.recording import Geometry, Recording
from faultbench.inspection.comb import SPEED_DIFFERS, fault_combs, shaft_speed
from faultbench_datasets.cwru import Cwru
from faultbench_datasets.cwru.records import NTN_6205, SKF_6203, SKF_6205
from faultbench_datasets.simulated import Simulated

PLANTED = (1.013, 0.983)


def cwru(rate: int, own: bool) -> Iterator[tuple[Recording, float, np.ndarray, Geometry]]:
    """Recording, rate, signal and a wrong geometry, of the damaged end's own sensor or of the other one."""
    dataset = Cwru(rate=rate)
    for recording in dataset.catalogue().recordings:
        for channel in recording.channels[:1] if own else recording.channels[1:]:
            other = SKF_6203 if recording.mounting == "drive-end" else SKF_6205
            if len(recording.id) == 4:
                other = SKF_6205 if recording.element == "inner" else NTN_6205
            yield recording, channel.rate_hz, dataset.read(recording, channel.name), other


def simulated() -> Iterator[tuple[Recording, float, np.ndarray, Geometry]]:
    """The same, of the simulated machines: the other's geometry."""
    dataset = Simulated()
    recordings = dataset.catalogue().recordings
    geometries = list(dict.fromkeys(r.geometry for r in recordings if r.geometry))
    for recording in recordings:
        other = next(g for g in geometries if g != recording.geometry)
        yield recording, recording.channels[0].rate_hz, dataset.read(recording, recording.channels[0].name), other


def counted(signals: Iterator[tuple[Recording, float, np.ndarray, Geometry]]) -> dict[str, object]:
    """What the checks say of signals."""
    speeds = {"signals": 0, "seen": 0, "false": 0, "planted": 0, "planted_found": 0, "planted_found_wrong": 0}
    combs = {"damaged": 0, "fit": 0, "false": 0, "planted_found": 0, "planted_found_of_those_that_fit": 0}
    false: list[str] = []
    for recording, rate_hz, signal, other in signals:
        stated = float(recording.speed_rpm or 0)
        seen = shaft_speed(signal, rate_hz, stated)
        speeds["signals"] += 1
        speeds["seen"] += seen is not None
        if _differs(seen, stated):
            speeds["false"] += 1
            false.append(recording.id)
        for factor in PLANTED:
            found = shaft_speed(signal, rate_hz, factor * stated)
            speeds["planted"] += 1
            speeds["planted_found"] += _differs(found, factor * stated)
            speeds["planted_found_wrong"] += _differs(found, factor * stated) and _differs(found, stated)
        if recording.healthy or recording.geometry is None:
            continue
        right, wrong = (fault_combs(signal, rate_hz, seen or stated, geometry) for geometry in (recording.geometry, other))
        if right is None or wrong is None:
            continue
        combs["damaged"] += 1
        combs["fit"] += right.fits
        combs["planted_found"] += wrong.contradicts
        combs["planted_found_of_those_that_fit"] += right.fits and wrong.contradicts
        if right.contradicts:
            combs["false"] += 1
            false.append(recording.id)
    return {"speed": speeds, "geometry": combs, "false": false}


def _differs(found: float | None, stated: float) -> bool:
    return found is not None and abs(found / stated - 1) > SPEED_DIFFERS


def main() -> None:
    """Prints the counts, and writes them to the file that is named, or beside this one."""
    result = {
        "cwru 12 kHz, own sensor": counted(cwru(12, own=True)),
        "cwru 12 kHz, other sensor": counted(cwru(12, own=False)),
        "cwru 48 kHz, own sensor": counted(cwru(48, own=True)),
        "cwru 48 kHz, other sensor": counted(cwru(48, own=False)),
        "simulated": counted(simulated()),
    }
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".json")).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
