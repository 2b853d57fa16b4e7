"""The artifact's format: a directory with `manifest.json`, `init.npz` and ONNX graphs of fixed roles.

| graph | takes | gives | when |
|---|---|---|---|
| `features.onnx` | `windows` (n, channel, sample) [, `speed_rpm` (n,), `orders` (n, 4)] | `features` (n, ...) | once per window |
| `adapt.onnx` | state, `features` (k, ...), `labels` (k, way) | `new.<name>` for each state name | `steps` times |
| `finalize.onnx` | any of state, `features`, `labels` | `deployed.<name>` | once, after the last step |
| `predict.onnx` | `<name>` for any of the deployed state, `features` (n, ...) | `logits` (n, way) | every query |

Everything is float32, except that `finalize.onnx` may deploy other types (int8 weights). `labels` are one-hot rows; a row
of zeros is padding and must not change the outcome, so that a graph exported for `support_rows` rows takes any smaller
support (`support_rows` 0: any number of rows as it is). Where `features.onnx` is absent the other graphs take raw windows as
their `features`; where `finalize.onnx` is absent the state is deployed as it is. A graph declares as inputs only the names
that it uses. n is symbolic.

The pinned pair, opset 18 and IR version 10, is what onnxruntime 1.18 (May 2024, the first to read IR version 10) runs and
what torch's exporter writes; operators come from ONNX itself or from onnxruntime's own `com.microsoft`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
OPSET = 18
IR_VERSION = 10
OLDEST_ONNXRUNTIME = "1.18"
ROLES = ("features", "adapt", "finalize", "predict")
DOMAINS = ("", "ai.onnx", "com.microsoft")
"""Where operators may come from: whatever else needs a library that a device does not have."""
PHYSICS = ("speed_rpm", "orders")
"""What `features.onnx` may take beside `windows`."""
MANIFEST = "manifest.json"
INIT = "init.npz"


@dataclass(frozen=True, slots=True)
class Graphs:
    """What a learner exports: serialised ONNX models, and the state that adaptation begins from.

    Args:
        adapt: State, support features and labels to state.
        predict: Deployed state and features to logits.
        state: The initial state by name, float32.
        steps: How many times `adapt` is applied.
        support_rows: The rows that `adapt` takes, or 0 for any.
        features: Raw windows to features, or None.
        finalize: State to deployed state, or None.
        info: What is known of the nets and cheap to say: `params`, `macs` (per query window), `features_macs`.
    """

    adapt: bytes
    predict: bytes
    state: Mapping[str, NDArray[np.float32]]
    steps: int
    support_rows: int = 0
    features: bytes | None = None
    finalize: bytes | None = None
    info: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says.

    Args:
        format: The format's version, `FORMAT`.
        ways: Classes.
        window: Samples per window.
        channels: Channels per window.
        rate_hz: Samples per second.
        steps: How often `adapt` is applied.
        support_rows: Rows that `adapt` takes, or 0 for any.
        state: Shapes of the state by name.
        dtype: `float32`.
        opset: The ONNX opset of all graphs.
        ir_version: The ONNX IR version of all graphs.
        oldest_onnxruntime: The oldest onnxruntime that runs them.
        learner: The learner's canonical name.
        compressor: The compressor's canonical name.
        info: As in `Graphs`.
        provenance: Digest of what the artifact was made from.
        sha256: Of every other file, by name.
    """

    format: int
    ways: int
    window: int
    channels: int
    rate_hz: float
    steps: int
    support_rows: int
    state: Mapping[str, tuple[int, ...]]
    dtype: str
    opset: int
    ir_version: int
    oldest_onnxruntime: str
    learner: str
    compressor: str
    info: Mapping[str, int]
    provenance: str
    sha256: Mapping[str, str]
