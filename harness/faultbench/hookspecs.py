"""The hooks that a plugin implements: the plugin author's reference.

A plugin is a module named by an entry point of the group `faultbench`. It implements any of the functions below under
`@faultbench.api.hookimpl`. Every offering hook returns an iterable of `Offer`; the factory of an offer is imported when
it is used, so that listing what there is imports nothing heavy. Observers return nothing, and cannot change a result:
they get copies, and one that fails is a warning.

A module says which plugin API it is written for (`FAULTBENCH_API = 1`; `faultbench.api.API_VERSION` is the present one). One that needs
a newer API, or one older than `API_OLDEST`, is not loaded; `faultbench list` and `doctor` say so in a line.
"""

# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pluggy

from faultbench.offers import Offer

PROJECT = "faultbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def faultbench_datasets() -> Iterable[Offer]:
    """Data sets; a factory makes a `DataSet`. The parameter `data_dir` is given by the harness to a factory that names it.

    An offer may name a `publication`, a function that returns a `Publication`: what the source publishes, where, under which
    licence, and how its files are known. `faultbench data list | info | get | verify | where` work from it. A data set that
    has a method `check_file` (see `ChecksFiles`) lets its files be checked one by one.
    """


@hookspec
def faultbench_scenarios() -> Iterable[Offer]:
    """Scenarios, the policies of splitting; a factory makes a `Scenario`."""


@hookspec
def faultbench_frontends() -> Iterable[Offer]:
    """Front ends, from raw windows to features inside the graph; a factory makes a `FrontEnd`."""


@hookspec
def faultbench_backbones() -> Iterable[Offer]:
    """Backbones, from features to an embedding; a factory makes a `Backbone`."""


@hookspec
def faultbench_learners() -> Iterable[Offer]:
    """Learners; a factory makes a `Learner`."""


@hookspec
def faultbench_compressors() -> Iterable[Offer]:
    """Compressors, of a trained model or of an artifact; a factory makes a `Compressor`."""


@hookspec
def faultbench_targets() -> Iterable[Offer]:
    """Targets, the devices an artifact runs on; a factory makes a `Target`."""


@hookspec
def faultbench_run_started(plan: Mapping[str, Any]) -> None:
    """Observer: a run begins. `plan` holds the command, the cells' names and the protocol version."""


@hookspec
def faultbench_cell_finished(row: Mapping[str, Any]) -> None:
    """Observer: a cell is judged, or has failed (`row["error"]`). `row` is the row as it stands in the JSON."""


@hookspec
def faultbench_run_finished(summary: Mapping[str, Any]) -> None:
    """Observer: the run has ended. `summary` holds the exit code and how many cells passed, failed, stayed unproven or broke."""
