"""How often the 95 % interval of the accuracy holds the true one: simulated targets, as many as asked for.

`python benchmarks/interval_coverage.py [--simulations 1000] [--json FILE]`

A target has some fault bearings, each with a recall of its own drawn from a population (what differs between bearings),
and four healthy units; every seed shifts the logits of all recalls a little (what differs between trainings).
The truth is the mean over all bearings and seeds that could have been drawn, computed from a million draws.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faultbench.results.outcome import Outcome
from faultbench.results.statistics import rates

HEALTHY_UNITS, SEEDS, QUERIES, WAYS = 4, 3, 100, 5
SEED_SPREAD = 0.2
"""Standard deviation of a seed's shift, in logits."""

Population = Callable[[np.random.Generator, int], np.ndarray]
"""Draws the recalls of so many bearings."""

POPULATIONS: dict[str, Population] = {
    "easy": lambda rng, n: rng.beta(19.0, 1.0, n),
    "hard": lambda rng, n: rng.beta(8.0, 2.0, n),
    "one in ten fails": lambda rng, n: np.where(rng.random(n) < 0.1, 0.3, 0.98),
}
"""Of the fault bearings: mean recalls 0.95, 0.80 and 0.91, the last one as it is where a single bearing is the trouble."""


def healthy_recall(rng: np.random.Generator, n: int) -> np.ndarray:
    """The healthy units' share of queries not called faulty."""
    return rng.beta(99.0, 1.0, n)


def main() -> None:
    """Prints the coverage by population and number of bearings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = []
    print("population        bearings  coverage  standard error  mean width")
    for name, recall in POPULATIONS.items():
        for bearings in (5, 10, 20, 40):
            share, width = coverage(recall, bearings, options.simulations, np.random.default_rng([2, bearings, len(name)]))
            error = (share * (1 - share) / options.simulations) ** 0.5
            found.append({"population": name, "bearings": bearings, "coverage": share, "standard_error": error, "mean_width": width})
            print(f"{name:16}  {bearings:8}  {share:8.3f}  {error:14.3f}  {width:10.3f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def coverage(recall: Population, bearings: int, simulations: int, rng: np.random.Generator) -> tuple[float, float]:
    """The share of intervals that hold the truth, and their mean width."""
    truth = (true_recall(healthy_recall, rng) + (WAYS - 1) * true_recall(recall, rng)) / WAYS
    held, width = 0, 0.0
    for _ in range(simulations):
        rate = rates(simulated(recall, bearings, rng))["accuracy"]
        assert rate is not None
        held += rate["ci_low"] <= truth <= rate["ci_high"]
        width += rate["ci_high"] - rate["ci_low"]
    return held / simulations, width / simulations


def true_recall(recall: Population, rng: np.random.Generator) -> float:
    """The mean recall over bearings and seeds."""
    shift = rng.normal(0, SEED_SPREAD, 1_000_000)
    return float(shifted(recall(rng, shift.size), shift).mean())


def simulated(recall: Population, bearings: int, rng: np.random.Generator) -> Outcome:
    """One benchmark on bearings and seeds drawn anew."""
    units = HEALTHY_UNITS + bearings
    own = np.concatenate([healthy_recall(rng, HEALTHY_UNITS), recall(rng, bearings)])
    chance = shifted(own[None, :], rng.normal(0, SEED_SPREAD, (SEEDS, 1)))
    right = rng.random((SEEDS, units, QUERIES)) < chance[:, :, None]
    seed, unit, _ = (index.ravel() for index in np.indices(right.shape))
    names = np.array([f"{n:03d}" for n in range(units)])
    healthy = unit < HEALTHY_UNITS
    label = np.where(healthy, "healthy", "fault")
    return Outcome(
        seed=seed,
        episode=np.zeros_like(seed),
        unit=names[unit],
        bearing=names[unit],
        label=label,
        predicted=np.where(right.ravel(), label, "other"),
        healthy=healthy,
        predicted_healthy=healthy & right.ravel(),
        rare=np.zeros_like(healthy),
        ways=WAYS,
    )


def shifted(chance: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Probabilities with so much added to their logits."""
    chance = np.clip(chance, 1e-9, 1 - 1e-9)
    return 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) + logits)))


if __name__ == "__main__":
    main()
