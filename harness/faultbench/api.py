"""The public names: all that a plugin imports. Names resolve on first use, so importing this module costs nothing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

API_VERSION = 1
"""The plugin API that this is. Raised when a plugin written for the one before would break (docs/howto/plugin.md says what counts)."""

API_OLDEST = 1
"""The oldest plugin API that plugins may still be written for."""

_HOMES = {
    "faultbench.acquisition.archive": ("Limits", "Member", "members_of", "unpack"),
    "faultbench.acquisition.publication": ("ChecksFiles", "Publication", "PublishedFile"),
    "faultbench.artifact.format": ("IR_VERSION", "OPSET", "Graphs", "Manifest"),
    "faultbench.data.csvfile": ("read_csv",),
    "faultbench.data.delimited": ("CsvFile", "open_csv"),
    "faultbench.data.filenotes": ("noted",),
    "faultbench.data.inspectable": ("Inspectable", "Remark"),
    "faultbench.data.latest": ("Latest",),
    "faultbench.data.matfile": ("MatFile", "MatHeader", "MatVariable", "mat_headers", "open_mat"),
    "faultbench.data.npyfile": ("NpyFile", "open_npy"),
    "faultbench.data.origin": ("Filtering", "Origin"),
    "faultbench.data.recording": ("ELEMENTS", "HEALTHY", "Catalogue", "Channel", "DataSet", "Gearing", "Geometry", "Recording"),
    "faultbench.regularfile": ("file_digest", "open_regular"),
    "faultbench.data.wavfile": ("WavFile", "open_wav"),
    "faultbench.data.episodes": ("EpisodeDrawer", "draw_episodes", "generator"),
    "faultbench.data.scenarios.parting": ("Parting", "hold_out", "make_pool", "make_split", "scenario_name", "with_ways"),
    "faultbench.data.scenarios.rules": ("Rules",),
    "faultbench.data.spellings": ("spelled_alike",),
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
        "Physics",
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
    from faultbench.acquisition.archive import Limits as Limits
    from faultbench.acquisition.archive import Member as Member
    from faultbench.acquisition.archive import members_of as members_of
    from faultbench.acquisition.archive import unpack as unpack
    from faultbench.acquisition.publication import ChecksFiles as ChecksFiles
    from faultbench.acquisition.publication import Publication as Publication
    from faultbench.acquisition.publication import PublishedFile as PublishedFile
    from faultbench.artifact.format import IR_VERSION as IR_VERSION
    from faultbench.artifact.format import OPSET as OPSET
    from faultbench.artifact.format import Graphs as Graphs
    from faultbench.artifact.format import Manifest as Manifest
    from faultbench.data.csvfile import read_csv as read_csv
    from faultbench.data.delimited import CsvFile as CsvFile
    from faultbench.data.delimited import open_csv as open_csv
    from faultbench.data.episodes import EpisodeDrawer as EpisodeDrawer
    from faultbench.data.episodes import draw_episodes as draw_episodes
    from faultbench.data.episodes import generator as generator
    from faultbench.data.filenotes import noted as noted
    from faultbench.data.inspectable import Inspectable as Inspectable
    from faultbench.data.inspectable import Remark as Remark
    from faultbench.data.latest import Latest as Latest
    from faultbench.data.matfile import MatFile as MatFile
    from faultbench.data.matfile import MatHeader as MatHeader
    from faultbench.data.matfile import MatVariable as MatVariable
    from faultbench.data.matfile import mat_headers as mat_headers
    from faultbench.data.matfile import open_mat as open_mat
    from faultbench.data.npyfile import NpyFile as NpyFile
    from faultbench.data.npyfile import open_npy as open_npy
    from faultbench.data.origin import Filtering as Filtering
    from faultbench.data.origin import Origin as Origin
    from faultbench.data.recording import ELEMENTS as ELEMENTS
    from faultbench.data.recording import HEALTHY as HEALTHY
    from faultbench.data.recording import Catalogue as Catalogue
    from faultbench.data.recording import Channel as Channel
    from faultbench.data.recording import DataSet as DataSet
    from faultbench.data.recording import Gearing as Gearing
    from faultbench.data.recording import Geometry as Geometry
    from faultbench.data.recording import Recording as Recording
    from faultbench.data.scenarios.parting import Parting as Parting
    from faultbench.data.scenarios.parting import hold_out as hold_out
    from faultbench.data.scenarios.parting import make_pool as make_pool
    from faultbench.data.scenarios.parting import make_split as make_split
    from faultbench.data.scenarios.parting import scenario_name as scenario_name
    from faultbench.data.scenarios.parting import with_ways as with_ways
    from faultbench.data.scenarios.rules import Rules as Rules
    from faultbench.data.spellings import spelled_alike as spelled_alike
    from faultbench.data.split import Episode as Episode
    from faultbench.data.split import EpisodeRequest as EpisodeRequest
    from faultbench.data.split import Pool as Pool
    from faultbench.data.split import Scenario as Scenario
    from faultbench.data.split import Signals as Signals
    from faultbench.data.split import Split as Split
    from faultbench.data.wavfile import WavFile as WavFile
    from faultbench.data.wavfile import open_wav as open_wav
    from faultbench.errors import CellError as CellError
    from faultbench.errors import DataError as DataError
    from faultbench.errors import FaultbenchError as FaultbenchError
    from faultbench.errors import IsolationError as IsolationError
    from faultbench.errors import NotApplicable as NotApplicable
    from faultbench.errors import PluginError as PluginError
    from faultbench.errors import UsageError as UsageError
    from faultbench.hookspecs import hookimpl as hookimpl
    from faultbench.learning.augment import Augmentation as Augmentation
    from faultbench.learning.contracts import Backbone as Backbone
    from faultbench.learning.contracts import Budget as Budget
    from faultbench.learning.contracts import CompressContext as CompressContext
    from faultbench.learning.contracts import ExtraLoss as ExtraLoss
    from faultbench.learning.contracts import FrontEnd as FrontEnd
    from faultbench.learning.contracts import HostOnly as HostOnly
    from faultbench.learning.contracts import Learner as Learner
    from faultbench.learning.contracts import ModelCompressor as ModelCompressor
    from faultbench.learning.contracts import NetShape as NetShape
    from faultbench.learning.contracts import Parts as Parts
    from faultbench.learning.contracts import Physics as Physics
    from faultbench.learning.contracts import State as State
    from faultbench.learning.contracts import TaskBatch as TaskBatch
    from faultbench.learning.loss import cross_entropy as cross_entropy
    from faultbench.learning.meta import meta_train as meta_train
    from faultbench.learning.net import Net as Net
    from faultbench.learning.net import features_of as features_of
    from faultbench.learning.stepwise import StepwiseLearner as StepwiseLearner
    from faultbench.learning.tasks import Tasks as Tasks
    from faultbench.learning.tasks import standardise as standardise
    from faultbench.measuring.device import probe_host as probe_host
    from faultbench.measuring.host import run_on_host as run_on_host
    from faultbench.measuring.target import Device as Device
    from faultbench.measuring.target import EpisodeWindows as EpisodeWindows
    from faultbench.measuring.target import Kind as Kind
    from faultbench.measuring.target import Measurement as Measurement
    from faultbench.measuring.target import Target as Target
    from faultbench.measuring.target import Timing as Timing
    from faultbench.offers import Offer as Offer
    from faultbench.offers import Param as Param
    from faultbench.offers import Value as Value
    from faultbench.regularfile import file_digest as file_digest
    from faultbench.regularfile import open_regular as open_regular

__all__ = ["API_OLDEST", "API_VERSION", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
