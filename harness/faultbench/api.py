"""The public names: all that a plugin imports. Names resolve on first use, so importing this module costs nothing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

API_VERSION = 1

_HOMES = {
    "faultbench.artifact.format": ("IR_VERSION", "OPSET", "Graphs", "Manifest"),
    "faultbench.data.matfile": ("MatFile", "MatVariable", "open_mat"),
    "faultbench.data.recording": ("ELEMENTS", "HEALTHY", "Catalogue", "Channel", "DataSet", "Geometry", "Recording"),
    "faultbench.data.episodes": ("EpisodeDrawer", "draw_episodes", "generator"),
    "faultbench.data.scenarios.parting": ("Parting", "Rules", "hold_out", "make_pool", "make_split", "scenario_name", "with_ways"),
    "faultbench.data.split": ("Episode", "EpisodeRequest", "Pool", "Scenario", "Signals", "Split"),
    "faultbench.errors": ("CellError", "DataError", "FaultbenchError", "IsolationError", "NotApplicable", "PluginError", "UsageError"),
    "faultbench.hookspecs": ("hookimpl",),
    "faultbench.learning.augment": ("Augmentation",),
    "faultbench.learning.contracts": (
        "Backbone",
        "Budget",
        "CompressContext",
        "ExtraLoss",
        "FrontEnd",
        "HostOnly",
        "Learner",
        "ModelCompressor",
        "NetShape",
        "Parts",
        "State",
        "TaskBatch",
    ),
    "faultbench.learning.loss": ("cross_entropy",),
    "faultbench.learning.meta": ("meta_train",),
    "faultbench.learning.net": ("Net", "features_of"),
    "faultbench.learning.stepwise": ("StepwiseLearner",),
    "faultbench.learning.tasks": ("Tasks", "standardise"),
    "faultbench.measuring.device": ("probe_host",),
    "faultbench.measuring.host": ("run_on_host",),
    "faultbench.measuring.target": ("Device", "EpisodeWindows", "Kind", "Measurement", "Target", "Timing"),
    "faultbench.offers": ("Offer", "Param", "Value"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from faultbench.artifact.format import Graphs as Graphs
    from faultbench.artifact.format import Manifest as Manifest

__all__ = ["API_VERSION", *sorted(_HOME_OF)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
