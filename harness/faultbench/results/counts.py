"""A cell's queries counted by seed, unit, class and rarity: all that its rates and their intervals are computed from.

A draw of the bootstrap resamples units and seeds, never single queries, so these counts stand for the queries without loss. They
are small enough to travel in the row: two rows that were asked the same queries can be compared, with an interval, long after
both runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.errors import DataError
from faultbench.results.outcome import Outcome

NUMBERS = ("asked", "right", "called_healthy")
"""What is counted of each group."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Columns of equal length (group,), sorted by unit, class, rarity and seed.

    Args:
        seed: The seed's number.
        unit: What is resampled, as in `Outcome`.
        label: The true class.
        healthy: Whether the true class is healthy.
        rare: Whether the true class is the one whose turn it was to be rare.
        asked: Queries.
        right: Those of them that were answered with the true class.
        called_healthy: Those of them that were answered with healthy.
        ways: Classes per episode.
    """

    seed: NDArray[np.int64]
    unit: NDArray[np.str_]
    label: NDArray[np.str_]
    healthy: NDArray[np.bool_]
    rare: NDArray[np.bool_]
    asked: NDArray[np.int64]
    right: NDArray[np.int64]
    called_healthy: NDArray[np.int64]
    ways: int

    def same_queries(self, other: Counts) -> bool:
        """Whether both were asked as many queries of each kind."""
        columns = ("seed", "unit", "label", "healthy", "rare", "asked")
        return self.ways == other.ways and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in columns)


def counted(outcome: Outcome) -> Counts:
    """The counts of an outcome."""
    units, unit = np.unique(outcome.unit, return_inverse=True)
    labels, label = np.unique(outcome.label, return_inverse=True)
    kinds = np.stack([unit, label, outcome.rare, outcome.healthy, outcome.seed], axis=1).astype(np.int64)
    groups, group = np.unique(kinds, axis=0, return_inverse=True)
    group = group.reshape(-1)

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(group[chosen], minlength=len(groups)).astype(np.int64)

    return Counts(
        seed=groups[:, 4],
        unit=units[groups[:, 0]],
        label=labels[groups[:, 1]],
        healthy=groups[:, 3].astype(bool),
        rare=groups[:, 2].astype(bool),
        asked=count(np.ones(len(group), dtype=bool)),
        right=count(outcome.label == outcome.predicted),
        called_healthy=count(outcome.predicted_healthy),
        ways=outcome.ways,
    )


def by_unit(counts: Counts) -> list[dict[str, Any]]:
    """The counts as a row keeps them.

    Returns:
        For each unit, class and rarity `{unit, label, healthy, rare, asked, right, called_healthy}`, the last three with a number
        per seed, in the seeds' order.
    """
    seeds = np.unique(counts.seed)
    found: dict[tuple[str, str, bool, bool], dict[str, NDArray[np.int64]]] = {}
    for i, seed in enumerate(counts.seed):
        key = str(counts.unit[i]), str(counts.label[i]), bool(counts.healthy[i]), bool(counts.rare[i])
        numbers = found.setdefault(key, {name: np.zeros(len(seeds), dtype=np.int64) for name in NUMBERS})
        for name in NUMBERS:
            numbers[name][np.searchsorted(seeds, seed)] = getattr(counts, name)[i]
    return [
        {**dict(zip(("unit", "label", "healthy", "rare"), key, strict=True)), **{name: column.tolist() for name, column in numbers.items()}}
        for key, numbers in found.items()
    ]


def from_row(row: Mapping[str, Any]) -> Counts | None:
    """The counts that a row keeps; None where it keeps none. The seeds are numbered from 0.

    Raises:
        DataError: They contradict themselves: more answers than queries, or another number of seeds.
    """
    kept, ways = row.get("by_unit"), row["cell"]["ways"]
    if not kept or not ways:
        return None
    seeds = len(kept[0]["asked"])
    lines = sorted(
        (one["unit"], one["label"], one["rare"], one["healthy"], seed, *(one[name][seed] for name in NUMBERS))
        for one in kept
        if _sound(one, seeds)
        for seed in range(seeds)
        if one["asked"][seed]
    )
    if not lines or len({line[:5] for line in lines}) < len(lines):
        raise _contradictory("a group stands there twice, or none was asked")
    unit, label, rare, healthy, seed_, asked, right, called = zip(*lines, strict=True)
    return Counts(
        seed=np.array(seed_, dtype=np.int64),
        unit=np.array(unit, dtype=np.str_),
        label=np.array(label, dtype=np.str_),
        healthy=np.array(healthy, dtype=bool),
        rare=np.array(rare, dtype=bool),
        asked=np.array(asked, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        called_healthy=np.array(called, dtype=np.int64),
        ways=int(ways),
    )


def _sound(one: Mapping[str, Any], seeds: int) -> bool:
    """True.

    Raises:
        DataError: A group's numbers contradict one another.
    """
    columns: list[Sequence[int]] = [one[name] for name in NUMBERS]
    if any(len(column) != seeds for column in columns):
        raise _contradictory(f"{one['unit']} has another number of seeds")
    if any(not 0 <= more <= asked for column in columns[1:] for more, asked in zip(column, columns[0], strict=True)):
        raise _contradictory(f"{one['unit']} has more answers than queries")
    return True


def _contradictory(what: str) -> DataError:
    return DataError(f"the counts by unit contradict themselves ({what}): take the file as the run wrote it")
