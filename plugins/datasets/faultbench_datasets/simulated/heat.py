"""The temperature of the housing: ambient, load, and a little friction of the damage, through one thermal time constant.

**Each session has an ambient of its own**, some degrees from the next one's. What a damage adds is less than that as a rule, so the
temperature is a weak feature, and misleads where it is taken for more. That is gentler than real records, where one specimen is often
measured on one day, whose ambient then goes with the specimen and its class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faultbench_datasets.simulated.kinematics import Array
from faultbench_datasets.simulated.rig import DISTRIBUTED, Load, Specimen
from faultbench_datasets.simulated.streams import stream

_AMBIENT_C, _AMBIENT_SPREAD_C = 22.0, 3.5
_STEP_C = 1 / 16
"""A usual digital thermometer's."""
_NOISE_C = 0.03
_FRICTION_C = {
    "small": 0.5,
    "medium": 1.0,
    "large": 2.0,
    DISTRIBUTED: 2.0,
    "chipped": 0.2,
    "half-broken": 0.4,
    "broken": 0.8,
}
"""Median rise that the damage adds at rated load once all is warm. Degrees, not tens of them: those come with failed lubrication."""
_RUBBING = {"gear-wear": 1.5, "gear-misaligned": 1.5, "gear-eccentric": 0.3}
"""By what more or less than the median a fault rubs."""


@dataclass(frozen=True, slots=True)
class Warming:
    """A housing on its way to the temperature that its load gives it: one thermal mass, one path to the surroundings.

    Args:
        ambient_c: Of the session.
        start_c: The housing's temperature when the load was put on.
        equilibrium_c: Where it goes.
        tau_s: The time constant.
        since_s: How long the load has been on when the session begins.
    """

    ambient_c: float
    start_c: float
    equilibrium_c: float
    tau_s: float
    since_s: float

    def at(self, times_s: Array) -> Array:
        """The temperature so long after the session's beginning, degC."""
        return self.equilibrium_c + (self.start_c - self.equilibrium_c) * np.exp(-(self.since_s + times_s) / self.tau_s)

    def measured(self, times_s: Array, rng: np.random.Generator) -> NDArray[np.float32]:
        """What the thermometer says then: (sample,)."""
        said = self.at(times_s) + _NOISE_C * rng.standard_normal(len(times_s))
        return (np.round(said / _STEP_C) * _STEP_C).astype(np.float32)


def warming(specimen: Specimen, load: Load) -> Warming:
    """How the housing warms in that session."""
    place = stream("thermal", specimen.mounting)
    tau_s, rise_c, idle = place.uniform(900, 1800), place.uniform(16, 26), place.uniform(0.35, 0.5)
    day = stream("ambient", specimen.session(load))
    ambient_c = _AMBIENT_C + _AMBIENT_SPREAD_C * day.standard_normal()
    before = day.uniform(0, 1)  # from cold to what the full load gives
    since_s = tau_s * day.uniform(0.3, 3)
    lubricated = np.exp(0.08 * stream("lubrication", specimen.bearing).standard_normal())
    rise = (rise_c * lubricated * (idle + (1 - idle) * load.share)) + friction_c(specimen) * (0.3 + 0.7 * load.share)
    return Warming(ambient_c, ambient_c + before * rise_c, ambient_c + rise, tau_s, since_s)


def friction_c(specimen: Specimen) -> float:
    """What that specimen's damage adds to the temperature at rated load, K."""
    if specimen.healthy:
        return 0.0
    spread = np.exp(0.6 * stream("rubbing", specimen.bearing).standard_normal())
    return float(_FRICTION_C[specimen.severity] * _RUBBING.get(specimen.element, 1.0) * spread)
