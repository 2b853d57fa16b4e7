"""The cells of a matrix: the cross product of its axes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from faultbench.data.noise import CLEAN, parse_noise
from faultbench.matrix.settings import RunSettings
from faultbench.registry import Choice, Registry


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Args:
        dataset: What is measured.
        scenario: How it is split.
        learner: What learns.
        chain: The compressors, in their order.
        target: What it runs on.
        baseline: Whether the learner is there to be compared with.
        snr: The noise on the target's windows, as `faultbench.data.noise` writes it.
    """

    dataset: Choice
    scenario: Choice
    learner: Choice
    chain: tuple[Choice, ...]
    target: Choice
    baseline: bool
    snr: str = CLEAN

    @property
    def compressor(self) -> str:
        """The chain's canonical name."""
        return "+".join(link.spelling for link in self.chain)

    @property
    def axes(self) -> dict[str, str]:
        """The canonical name by axis, as rows have it."""
        return {
            "dataset": self.dataset.spelling,
            "scenario": self.scenario.spelling,
            "learner": self.learner.spelling,
            "compressor": self.compressor,
            "target": self.target.spelling,
        }

    @property
    def title(self) -> str:
        """The cell for people."""
        return " ".join([*self.axes.values(), *([] if self.snr == CLEAN else [f"snr {self.snr}"])])

    def contrast(self, other: Cell) -> tuple[str, str] | None:
        """What tells this cell from another that is otherwise the same and asked the same: two learners, or two choices of channels.

        None where the two differ in more, or in nothing.
        """
        mine, theirs = self.axes, other.axes
        differing = [axis for axis in mine if mine[axis] != theirs[axis]]
        if self.snr != other.snr or len(differing) != 1:
            return None
        alike = differing == ["learner"] or (differing == ["scenario"] and _but_channels(self.scenario) == _but_channels(other.scenario))
        return (mine[differing[0]], theirs[differing[0]]) if alike else None


def cells(settings: RunSettings, registry: Registry) -> tuple[Cell, ...]:
    """Every combination of the axes' names, once; where noise is asked for, each without it and at every level.

    Raises:
        UsageError: A name or a parameter does not exist.
        PluginError: A name is that of a plugin that could not be loaded.
    """
    baseline = {registry.choose("learners", name).spelling for name in settings.baseline}
    chains = [registry.chain("compressors", name) for name in settings.compressors]
    axes = itertools.product(
        _choices(registry, "datasets", settings.datasets),
        _choices(registry, "scenarios", settings.scenarios),
        _choices(registry, "targets", settings.targets),
        dict.fromkeys([CLEAN, *(noise.spelling for text in settings.snr if (noise := parse_noise(text)) is not None)]),
        {tuple(link.spelling for link in chain): chain for chain in chains}.values(),
        _choices(registry, "learners", settings.learners),
    )
    return tuple(
        Cell(dataset, scenario, learner, chain, target, learner.spelling in baseline, snr)
        for dataset, scenario, target, snr, chain, learner in axes
    )


def _but_channels(scenario: Choice) -> tuple[str, dict[str, object]]:
    """All that decides which windows a scenario draws."""
    return scenario.qualified, {name: value for name, value in scenario.params.items() if name != "channels"}


def _choices(registry: Registry, kind: str, names: tuple[str, ...]) -> tuple[Choice, ...]:
    chosen: Mapping[str, Choice] = {choice.spelling: choice for choice in (registry.choose(kind, name) for name in names)}
    return tuple(chosen.values())
