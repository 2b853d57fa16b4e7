"""Rates with their intervals, from a cell's queries, by a percentile cluster bootstrap crossed over units and seeds.

Queries of one bearing are no independent trials: what is resampled is the bearing (the *unit* of an `Outcome`), in two
strata, healthy and faulty, and crossed with it the seed, which fixes episodes and training alike. The weights of a draw
depend on the units' names and the number of seeds alone, so that every learner, compressor and target is resampled in the
same way, and a difference is one of pairs.

With ten units such an interval of nominally 95 % covers about 90 %, with five about 80 %, and where one bearing in ten is
the trouble 65 % (`benchmarks/interval_coverage.py`): ten bearings often hold none of that kind.

Sources: Owen 2007, The pigeonhole bootstrap, Ann. Appl. Stat. 1(2); Cameron & Miller 2015, J. Hum. Resour. 50(2), on few
clusters; Miller 2024, arXiv:2411.00640, on clustered errors in evaluations.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import CellError
from faultbench.results.counts import Counts, counted
from faultbench.results.metrics import RATES
from faultbench.results.outcome import Outcome

DRAWS = 10_000
LEVEL = 0.95
RECALL_CRITERION = 0.92
"""The recall that a bearing must reach to count as passing, where no criterion names another."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats], Floats]
"""From weights of seeds (draw, seed) and of units (draw, unit) to a value per draw; not a number where a draw has no query."""


def rates(outcome: Outcome) -> dict[str, dict[str, Any] | None]:
    """Every rate of `metrics.RATES`: `{mean, ci_low, ci_high, clusters, ..._units, queries_per_unit, degenerate}`, or None.

    `accuracy` weighs healthy with 1/ways and the faults with the rest; `recall.worst` takes the worst class of each draw
    anew (which class is the worst is itself uncertain), so its interval is that of the minimum, not of one class.
    `false_alarm` and `missed_alarm` are None where healthy is no class. A rate is None where no query tells it; its
    interval is None where one unit alone tells it.
    """
    counts = counted(outcome)
    table = _Table(counts)
    return {name: table.rate(asked.statistic, asked.chosen) if asked else None for name, asked in _asked(table, counts).items()}


def difference(first: Outcome, second: Outcome) -> dict[str, Any]:
    """The accuracy of the first less that of the second, over the same draws: `{mean, ci_low, ci_high}`.

    Raises:
        CellError: They were not asked the same queries.
    """
    asked = ("seed", "episode", "unit", "label")
    if first.ways != second.ways or not all(np.array_equal(getattr(first, name), getattr(second, name)) for name in asked):
        raise CellError("the outcomes to compare were not asked the same queries: compare learners on one split")
    rate = rate_differences(counted(first), counted(second))["accuracy"]
    return {name: rate[name] if rate is not None else None for name in ("mean", "ci_low", "ci_high")}


def rate_differences(first: Counts, second: Counts) -> dict[str, dict[str, Any] | None]:
    """Every rate of the first less that of the second, over the same draws, in the form of `rates`.

    Raises:
        CellError: They were not asked the same queries.
    """
    if not first.same_queries(second):
        raise CellError("the counts to compare are not of the same queries: compare cells of one split")
    table, other = _Table(first), _Table(second)
    found: dict[str, dict[str, Any] | None] = {}
    theirs = _asked(other, second)
    for name, asked in _asked(table, first).items():
        less = theirs[name]
        found[name] = table.rate(_minus(asked.statistic, less.statistic), asked.chosen) if asked and less else None
    return found


def bearings(outcome: Outcome, recall: float = RECALL_CRITERION) -> dict[str, Any] | None:
    """How many of the fault bearings reach a recall, each by its own, and what that proves for another bearing.

    Returns:
        `{passing, total, p_low, criterion, recall}`, `recall` by bearing; None where no fault bearing was asked for.
    """
    names, numbers = np.unique(outcome.bearing[~outcome.healthy], return_inverse=True)
    if not len(names):
        return None
    right = (outcome.label == outcome.predicted)[~outcome.healthy]
    own = np.bincount(numbers, weights=right) / np.bincount(numbers)
    passing = int(np.count_nonzero(own >= recall))
    return {
        "passing": passing,
        "total": len(names),
        "p_low": proven_share(passing, len(names)),
        "criterion": recall,
        "recall": {str(name): float(value) for name, value in zip(names, own, strict=True)},
    }


def proven_share(passing: int, total: int) -> float:
    """The one-sided 95 % lower bound on a share (Clopper & Pearson 1934, Biometrika 26): 11 of 11 prove 0.76."""
    from scipy.special import betaincinv

    return float(betaincinv(passing, total - passing + 1, 1 - LEVEL)) if passing else 0.0


class _Table:
    """Counts by seed and unit, with the weights of the draws over them."""

    def __init__(self, counts: Counts) -> None:
        seeds, self.seed = np.unique(counts.seed, return_inverse=True)
        names, unit = np.unique(counts.unit, return_inverse=True)
        # A bearing that is healthy in one query and faulty in another would be two units: the strata never share one.
        keys, self.unit = np.unique(unit * 2 + counts.healthy, return_inverse=True)
        self.healthy = keys % 2 == 1
        self.names = names[keys // 2]
        self.asked = counts.asked
        self.shape = len(seeds), len(keys)
        self.weights = _weights(tuple(map(str, self.names[~self.healthy])), tuple(map(str, self.names[self.healthy])), len(seeds))
        self.order = np.argsort(np.concatenate([np.flatnonzero(~self.healthy), np.flatnonzero(self.healthy)]))

    def counts(self, chosen: NDArray[np.bool_], numbers: NDArray[np.int64]) -> Floats:
        """The sum of numbers over the chosen groups, (seed, unit)."""
        cells = (self.seed * self.shape[1] + self.unit)[chosen]
        weighted = np.bincount(cells, weights=numbers[chosen], minlength=self.shape[0] * self.shape[1])
        return weighted.reshape(self.shape).astype(np.float64)

    def mean(self, chosen: NDArray[np.bool_], hits_of: NDArray[np.int64]) -> Statistic:
        """The weighted mean of hits among the queries of the chosen groups."""
        asked, hits = self.counts(chosen, self.asked), self.counts(chosen, hits_of)

        def statistic(seeds: Floats, units: Floats) -> Floats:
            total = ((seeds @ asked) * units).sum(axis=1)
            found = ((seeds @ hits) * units).sum(axis=1)
            share: Floats = np.divide(found, total, out=np.full_like(total, np.nan), where=total > 0)
            return share

        return statistic

    def rate(self, statistic: Statistic, chosen: NDArray[np.bool_]) -> dict[str, Any] | None:
        """A statistic with its interval; `chosen` are the groups that tell it."""
        mean = float(statistic(np.ones((1, self.shape[0])), np.ones((1, self.shape[1])))[0])
        if not np.isfinite(mean):
            return None
        told = self.counts(chosen, self.asked).sum(axis=0) > 0
        faulty, healthy = int(np.count_nonzero(told & ~self.healthy)), int(np.count_nonzero(told & self.healthy))
        low = high = degenerate = None
        if (faulty or healthy) > 1:
            seed_weights, unit_weights = self.weights
            values = statistic(seed_weights, unit_weights[:, self.order])
            low, high = (float(x) for x in np.quantile(values[np.isfinite(values)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
            degenerate = bool(np.nanmax(values) - np.nanmin(values) < 1e-12)
        return {
            "mean": mean,
            "ci_low": low,
            "ci_high": high,
            "clusters": " + ".join(f"{n} {kind}" for n, kind in ((faulty, "fault"), (healthy, "healthy")) if n),
            "fault_units": faulty,
            "healthy_units": healthy,
            "queries_per_unit": float(self.counts(chosen, self.asked).sum() / max(faulty + healthy, 1)),
            "degenerate": degenerate,
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rate's statistic, and the groups that tell it."""

    statistic: Statistic
    chosen: NDArray[np.bool_]


def _asked(table: _Table, counts: Counts) -> dict[str, _Asked | None]:
    """Every rate of `metrics.RATES`, or None where it has no meaning."""
    healthy, rare, right = counts.healthy, counts.rare, counts.right
    everything = np.ones_like(healthy)
    classes = [table.mean(counts.label == label, right) for label in np.unique(counts.label)]
    known = bool(healthy.any()) and not healthy.all()
    found = {
        "accuracy": _Asked(_accuracy(table, counts), everything),
        "accuracy_faults": _Asked(table.mean(~healthy, right), ~healthy),
        "recall.rare": _Asked(table.mean(rare, right), rare),
        "recall.worst": _Asked(_least(classes), everything),
        "false_alarm": _Asked(table.mean(healthy, counts.asked - counts.called_healthy), healthy) if known else None,
        "missed_alarm": _Asked(table.mean(~healthy, counts.called_healthy), ~healthy) if known else None,
    }
    return {name: found[name] for name in RATES}


def _minus(first: Statistic, second: Statistic) -> Statistic:
    """The difference of two statistics in each draw."""
    return lambda seeds, units: first(seeds, units) - second(seeds, units)


def _accuracy(table: _Table, counts: Counts) -> Statistic:
    """The strata's means: healthy weighs 1/ways, the faults the rest; alone where the other stratum is empty."""
    healthy, right = counts.healthy, counts.right
    of_faults, of_healthy = table.mean(~healthy, right), table.mean(healthy, right)
    if not healthy.any():
        return of_faults
    if healthy.all():
        return of_healthy
    share = 1 / counts.ways
    return lambda seeds, units: share * of_healthy(seeds, units) + (1 - share) * of_faults(seeds, units)


def _least(statistics: list[Statistic]) -> Statistic:
    """The least of several, in each draw, among those that the draw has queries of."""

    def statistic(seeds: Floats, units: Floats) -> Floats:
        values = np.stack([one(seeds, units) for one in statistics])
        least: Floats = np.fmin.reduce(values)
        return least

    return statistic


@functools.lru_cache(maxsize=8)
def _weights(faulty: tuple[str, ...], healthy: tuple[str, ...], seeds: int) -> tuple[Floats, Floats]:
    """How often each seed (draw, seed) and each unit (draw, unit; faulty first) is in a draw: whole numbers."""
    named = json.dumps(["intervals", sorted(faulty), sorted(healthy), seeds]).encode()
    entropy = int.from_bytes(hashlib.sha256(named).digest(), "big")
    streams = [np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(entropy).spawn(3)]
    drawn = [_multinomial(rng, n) for rng, n in zip(streams, (seeds, len(faulty), len(healthy)), strict=True)]
    return drawn[0], np.concatenate(drawn[1:], axis=1)


def _multinomial(rng: np.random.Generator, n: int) -> Floats:
    """`DRAWS` resamplings with replacement of `n` things, as counts, (draw, thing)."""
    if n == 0:
        return np.zeros((DRAWS, 0))
    return rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(np.float64)
