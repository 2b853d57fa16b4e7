"""From an artifact to what a device made of it."""

from __future__ import annotations

import dataclasses

from faultbench.data.machine_noise import heard_from, noise_pool
from faultbench.data.noise import CLEAN, MACHINE, NoisyTarget, parse_noise
from faultbench.data.splitfile import load_split
from faultbench.errors import CellError
from faultbench.matrix.episodes import episode_windows
from faultbench.matrix.graph import Work
from faultbench.matrix.measurement import save_measurement
from faultbench.matrix.signals import PoolSignals, load_catalogues
from faultbench.matrix.stages import ARTIFACT_FOLDER, SPLIT_FOLDER
from faultbench.measuring.lock import machine_lock
from faultbench.measuring.target import Target, Timing
from faultbench.registry import make


def measure(work: Work) -> None:
    """Lets the target adapt to every episode and predict its queries; no other measurement runs on this machine meanwhile.

    Raises:
        CellError: The target did not run it, or is another device than the one that was planned with.
        UsageError: Noise of the machine itself is asked for, and there is none.
    """
    split = load_split(work.inputs["episodes"] / SPLIT_FOLDER)
    noise = parse_noise(work.params.get("snr", CLEAN))
    catalogues = load_catalogues(work.inputs["ingest"])
    recorded = noise_pool(split, catalogues) if noise is not None and noise.rule == MACHINE else None
    signals = PoolSignals(work.inputs["ingest"], split.target, *([] if recorded is None else [recorded]))
    episodes = episode_windows(split, signals, None if noise is None else NoisyTarget(noise, split, signals, recorded))
    target: Target = make(work.params["target"])
    with machine_lock():
        measurement = target.run(work.inputs["export"] / ARTIFACT_FOLDER, episodes, Timing(**work.params["timing"]))
    if measurement.device.fingerprint != work.params["fingerprint"]:
        raise CellError(f"{work.params['target'].spelling} is another device than when the run was planned: run again")
    if recorded is not None:
        heard = heard_from(split, recorded)
        said = f"recorded, stretches of {len(heard)} healthy recordings of the machine, each from another session"
        measurement = dataclasses.replace(measurement, notes={**measurement.notes, "noise": said})
    save_measurement(measurement, work.out)
