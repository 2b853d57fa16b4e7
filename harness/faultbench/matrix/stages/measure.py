"""From an artifact to what a device made of it."""

from __future__ import annotations

from faultbench.data.noise import CLEAN, NoisyTarget, parse_noise
from faultbench.data.splitfile import load_split
from faultbench.errors import CellError
from faultbench.matrix.episodes import episode_windows
from faultbench.matrix.graph import Work
from faultbench.matrix.measurement import save_measurement
from faultbench.matrix.signals import PoolSignals
from faultbench.matrix.stages import ARTIFACT_FOLDER, SPLIT_FOLDER
from faultbench.measuring.lock import machine_lock
from faultbench.measuring.target import Target, Timing
from faultbench.registry import make


def measure(work: Work) -> None:
    """Lets the target adapt to every episode and predict its queries; no other measurement runs on this machine meanwhile.

    Raises:
        CellError: The target did not run it, or is another device than the one that was planned with.
    """
    split = load_split(work.inputs["episodes"] / SPLIT_FOLDER)
    signals = PoolSignals(work.inputs["ingest"], split.target)
    noise = parse_noise(work.params.get("snr", CLEAN))
    episodes = episode_windows(split, signals, None if noise is None else NoisyTarget(noise, split, signals))
    target: Target = make(work.params["target"])
    with machine_lock():
        measurement = target.run(work.inputs["export"] / ARTIFACT_FOLDER, episodes, Timing(**work.params["timing"]))
    if measurement.device.fingerprint != work.params["fingerprint"]:
        raise CellError(f"{work.params['target'].spelling} is another device than when the run was planned: run again")
    save_measurement(measurement, work.out)
