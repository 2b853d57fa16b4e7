"""The data set `simulated`: bearing and gear vibration from a physical model, there without a download.

Two machines, three mountings each, four loads. At every mounting two healthy specimens and one of each of twelve fault scenarios:

| `equipment` | a specimen | faults |
|---|---|---|
| `bearings` | a rolling bearing | inner ring, ball, outer ring; spalls of three sizes and distributed wear |
| `gears` | a pinion and its wheel | a tooth chipped, half or wholly broken; worn, eccentric, misaligned gears, of three sizes each |

The machines are the same: loads, mountings, structure, background, recorder. Where gears are measured, the machine's bearings are sound;
where bearings are, its gears are a part of the background. The two are never in one catalogue, because that difference alone would tell
a gear fault from a bearing fault. With `sensors=all` a session has four channels: the accelerometer, sample by sample what it is alone;
one at right angles to it; the current in a phase of the motor's supply; the housing's temperature, once a second. A room each:

- `rig` the plan: machines, mountings, loads, specimens; `catalogue` says it in the harness's words;
- `kinematics` when things happen: shaft angle, slip, load zone;
- `damage` what is wrong with a bearing, `forces` strikes of a spall, noise of a rough surface;
- `gearset` what a set of gears is like, `meshing` mesh tones, their modulation, blows of a broken tooth;
- `machinery` shaft, gears and noise of the machine; `motor` the current; `heat` the temperature;
- `structure` the paths to the sensors; `sensor` noise, hum, clipping, quantisation; `measurement` puts them together.

**Frozen**: bearings at version 1, gears at `gears-1`, the other sensors at `sensors-1`. The model was accepted on physics alone, before any
learner saw it (`benchmarks/simulated_physics.py` prints the figures). Of bearings: fault lines where geometry and speed put them, side
bands, and level, kurtosis, crest factor, centroid and line heights spread as in the Case Western Reserve records. Of gears no real records
were at hand: mesh lines, side bands and the time-synchronous average are checked against kinematics, levels are kept to what the literature
calls usual. No difficulty is tuned for or against a method. A change of any signal raises its version in `catalogue`, and needs a reason in
physics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faultbench.api import Catalogue, DataError, Origin, Recording, UsageError
from faultbench_datasets.simulated.catalogue import NAME, ONE, SENSORS, catalogue, measured
from faultbench_datasets.simulated.rig import BEARINGS, EQUIPMENT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from faultbench_datasets.simulated.measurement import Scene


class Simulated:
    """The contract's `DataSet`.

    Args:
        equipment: `bearings` or `gears`.
        sensors: `one` accelerometer, or `all`: two of them, current, temperature.

    Raises:
        UsageError: There is no such equipment, or no such choice of sensors.
    """

    def __init__(self, equipment: str = BEARINGS, sensors: str = ONE) -> None:
        if equipment not in EQUIPMENT:
            raise UsageError(f"{NAME}: there is no equipment {equipment!r}: choose {' or '.join(EQUIPMENT)}")
        if sensors not in SENSORS:
            raise UsageError(f"{NAME}: there is no choice {sensors!r} of sensors: choose {' or '.join(SENSORS)}")
        self._equipment, self._sensors = equipment, sensors
        self._last: Scene | None = None

    def catalogue(self) -> Catalogue:
        """All recordings, without making one."""
        return catalogue(self._equipment, self._sensors)

    def read(self, recording: Recording, channel: str) -> NDArray[np.float32]:
        """One signal, made anew: (sample,), in its channel's unit, the same each time. The forces of the last session are kept.

        Raises:
            DataError: The recording or the channel is not of this data set.
        """
        from faultbench_datasets.simulated.measurement import measure, scene

        found = measured(self._equipment).get(recording.id)
        if recording.dataset != NAME or found is None:
            raise DataError(f"{recording.dataset}: {recording.id} is no recording of {NAME}: take recordings from its catalogue")
        known = [c.name for c in self.catalogue().recordings[0].channels]
        if channel not in known:
            named = f"its only channel is {known[0]}" if len(known) == 1 else f"its channels are {', '.join(known)}"
            raise DataError(f"{NAME}: {recording.id} has no channel {channel}: {named}")
        if self._last is None or self._last.session != recording.id:
            self._last = None
            self._last = scene(*found)
        return measure(self._last, channel)

    def origin(self, recording: Recording, channel: str) -> Origin:
        """What makes the signals: they are in no file."""
        made = self.catalogue()
        return Origin(made_by=f"faultbench, data set {NAME}, version {made.version}", recorded_hz=recording.channel(channel).rate_hz)
