"""The data set `simulated`: rolling-bearing vibration from a physical model, there without a download.

Two machines, three mountings each; at every mounting two healthy bearings and one of each of twelve fault scenarios (inner ring,
ball, outer ring; spalls of three sizes and distributed wear); four loads. A room each:

- `rig` the plan: machines, mountings, loads, bearings; `catalogue` says it in the harness's words;
- `kinematics` when things happen: shaft angle, slip, load zone; `damage` what is wrong with a specimen;
- `forces` strikes of a spall, noise of a rough surface; `machinery` shaft, gears and noise of the machine;
- `structure` the path to the sensor; `sensor` noise, hum, clipping, quantisation; `measurement` puts them together.

**Frozen at version 1.** The model was accepted on physics alone, before any learner saw it: fault lines where geometry and speed
put them, side bands, and level, kurtosis, crest factor, centroid and line heights spread as in the Case Western Reserve records
(`benchmarks/simulated_physics.py` prints both). No difficulty is tuned for or against a method. A change of any signal raises
`catalogue.VERSION`, and needs a reason in physics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faultbench.api import Catalogue, DataError, Origin, Recording
from faultbench_datasets.simulated.catalogue import CHANNEL, NAME, VERSION, catalogue, measured
from faultbench_datasets.simulated.rig import RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Simulated:
    """The contract's `DataSet`."""

    def catalogue(self) -> Catalogue:
        """All recordings, without making one."""
        return catalogue()

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, made anew: (sample,), in g, the same each time.

        Raises:
            DataError: The recording or the channel is not of this data set.
        """
        from faultbench_datasets.simulated.measurement import measure

        found = measured().get(recording.id)
        if recording.dataset != NAME or found is None:
            raise DataError(f"{recording.dataset}: {recording.id} is no recording of {NAME}: take recordings from its catalogue")
        if channel != CHANNEL:
            raise DataError(f"{NAME}: {recording.id} has no channel {channel}: its only channel is {CHANNEL}")
        return measure(*found)

    def origin(self, recording: Recording, channel: str) -> Origin:
        """What makes the signals: they are in no file."""
        return Origin(made_by=f"faultbench, data set {NAME}, version {VERSION}", recorded_hz=RATE_HZ)
