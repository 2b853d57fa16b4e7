"""When damage begins in a run to failure, and which minutes show a healthy and which a damaged bearing for certain.

The rule is that of N. Li, Y. Lei, J. Lin & S. X. Ding 2015 (An improved exponential model for predicting remaining useful
life of rolling element bearings, IEEE Trans. Ind. Electron. 62(12)): an indicator's mean and standard deviation in the first,
healthy part of the run give an interval of three sigma, and several exceedances in a row, not one, are an alarm. They take the
kurtosis; here it is the RMS of both axes together, because a bearing that is much damaged can be as little impulsive as a
healthy one, and the question here is when it stays damaged. Two things are added. An alarm is withdrawn by as many minutes in
a row within the interval, and only an alarm that stands at the end is the onset: runs of days hold disturbances that pass. And
neither side of the onset is believed up to it: damage grows before it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIGMAS = 3.0
IN_A_ROW = 5
"""Minutes in a row beyond the limit that raise an alarm, and within it that withdraw one."""
BASELINE_SHARE, BASELINE_LEAST, BASELINE_MOST = 0.1, 10, 100
"""The minutes that count as healthy without being asked: the first tenth of the run, within limits."""
HEALTHY_SHARE = 0.5
"""Of the minutes before the first alarm, the share (the first) that is taken as healthy."""
DAMAGED_SHARE = 0.5
"""Of the minutes from the standing alarm to the end, the share (the last) that is taken as damaged."""


@dataclass(frozen=True, slots=True)
class Onset:
    """What the rule finds in a run, in minutes counted from 0.

    Args:
        limit: What the indicator has to exceed, in its own unit.
        first_alarm: Where the first alarm begins, passing or not.
        standing: Where the alarm begins that is never withdrawn, or None.
        minutes: The length of the run.
    """

    limit: float
    first_alarm: int | None
    standing: int | None
    minutes: int

    @property
    def healthy(self) -> range:
        """The minutes that show a healthy bearing."""
        before = self.minutes if self.first_alarm is None else self.first_alarm
        return range(int(before * HEALTHY_SHARE))

    @property
    def damaged(self) -> range:
        """The minutes that show a damaged one."""
        if self.standing is None:
            return range(0)
        return range(self.minutes - int((self.minutes - self.standing) * DAMAGED_SHARE), self.minutes)


def find_onset(indicator: NDArray[np.float64]) -> Onset:
    """The onset of damage in a run.

    Args:
        indicator: (minute,), larger for a worse bearing.
    """
    minutes = len(indicator)
    baseline = indicator[: min(max(round(BASELINE_SHARE * minutes), BASELINE_LEAST), BASELINE_MOST)]
    limit = float(baseline.mean() + SIGMAS * baseline.std(ddof=1)) if len(baseline) > 1 else float("inf")
    beyond = indicator > limit
    first: int | None = None
    standing: int | None = None
    row = 0
    for minute in range(len(baseline), minutes):
        # how many minutes in a row contradict what is believed so far
        row = row + 1 if bool(beyond[minute]) == (standing is None) else 0
        if row == IN_A_ROW:
            standing = minute - IN_A_ROW + 1 if standing is None else None
            first = standing if first is None else first
            row = 0
    return Onset(limit, first, standing, minutes)
