"""Small graphs whose outcome can be worked out by hand: something for a target or a runner to run.

Both take windows (n, channel, sample) of which the number of samples is a multiple of `SEGMENTS`, and turn them into the log
of the energy of each segment: features (n, channel x SEGMENTS).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from faultbench.artifact.format import IR_VERSION, OPSET, Graphs

SEGMENTS = 16
FLOOR = 1e-6
"""Added to an energy, so that silence has a logarithm."""

Shape = Sequence[int | str]


def centroid_graphs(ways: int, window: int, channels: int = 1, support_rows: int = 0) -> Graphs:
    """Class means of the features; logits are negative squared distances to them."""
    width, rows = channels * SEGMENTS, support_rows or "k"
    adapt = model(
        [
            ("Transpose", ["labels"], "of_class"),
            ("MatMul", ["of_class", "features"], "sums"),
            ("ReduceSum", ["of_class", "rows_axis"], "counts"),
            ("Max", ["counts", "one"], "at_least_one"),
            ("Div", ["sums", "at_least_one"], "new.centroids"),
        ],
        {"features": (rows, width), "labels": (rows, ways)},
        {"new.centroids": (ways, width)},
        {"rows_axis": np.array([1], np.int64), "one": np.array(1, np.float32)},
    )
    predict = model(
        [
            ("Unsqueeze", ["features", "class_axis"], "apart"),
            ("Sub", ["apart", "centroids"], "difference"),
            ("ReduceSumSquare", ["difference", "feature_axis"], "distance", {"keepdims": 0}),
            ("Neg", ["distance"], "logits"),
        ],
        {"features": ("n", width), "centroids": (ways, width)},
        {"logits": ("n", ways)},
        {"class_axis": np.array([1], np.int64), "feature_axis": np.array([2], np.int64)},
    )
    state = {"centroids": np.zeros((ways, width), np.float32)}
    return Graphs(
        adapt, predict, state, steps=1, support_rows=support_rows, features=_energies(window, channels), info={"params": ways * width}
    )


def gradient_graphs(ways: int, window: int, channels: int = 1, support_rows: int = 0, steps: int = 5, rate: float = 0.1) -> Graphs:
    """Softmax regression by plain gradient descent; `finalize` deploys int8 weights with a scale per class."""
    width, rows = channels * SEGMENTS, support_rows or "k"
    shapes: dict[str, Shape] = {"weight": (ways, width), "bias": (ways,)}
    adapt = model(
        [
            ("Gemm", ["features", "weight", "bias"], "logits", {"transB": 1}),
            ("Softmax", ["logits"], "probability", {"axis": 1}),
            ("ReduceSum", ["labels", "class_axis"], "is_real"),
            ("Mul", ["probability", "is_real"], "expected"),
            ("Sub", ["expected", "labels"], "error"),
            ("ReduceSum", ["labels"], "count", {"keepdims": 0}),
            ("Div", ["rate", "count"], "step"),
            ("Transpose", ["error"], "error_of_class"),
            ("MatMul", ["error_of_class", "features"], "weight_gradient"),
            ("ReduceSum", ["error", "rows_axis"], "bias_gradient", {"keepdims": 0}),
            ("Mul", ["weight_gradient", "step"], "weight_change"),
            ("Mul", ["bias_gradient", "step"], "bias_change"),
            ("Sub", ["weight", "weight_change"], "new.weight"),
            ("Sub", ["bias", "bias_change"], "new.bias"),
        ],
        {"features": (rows, width), "labels": (rows, ways), **shapes},
        {f"new.{name}": shape for name, shape in shapes.items()},
        {"class_axis": np.array([1], np.int64), "rows_axis": np.array([0], np.int64), "rate": np.array(rate, np.float32)},
    )
    finalize = model(
        [
            ("Abs", ["weight"], "size"),
            ("ReduceMax", ["size", "class_axis"], "largest"),
            ("Max", ["largest", "tiny"], "not_zero"),
            ("Div", ["not_zero", "levels"], "deployed.scale"),
            ("Div", ["weight", "deployed.scale"], "scaled"),
            ("Round", ["scaled"], "rounded"),
            ("Cast", ["rounded"], "deployed.levels", {"to": TensorProto.INT8}),
            ("Identity", ["bias"], "deployed.bias"),
        ],
        shapes,
        {"deployed.levels": (ways, width), "deployed.scale": (ways, 1), "deployed.bias": (ways,)},
        {"class_axis": np.array([1], np.int64), "tiny": np.array(1e-12, np.float32), "levels": np.array(127, np.float32)},
        types={"deployed.levels": TensorProto.INT8},
    )
    predict = model(
        [
            ("Cast", ["levels"], "float_levels", {"to": TensorProto.FLOAT}),
            ("Mul", ["float_levels", "scale"], "weight"),
            ("Gemm", ["features", "weight", "bias"], "logits", {"transB": 1}),
        ],
        {"features": ("n", width), "levels": (ways, width), "scale": (ways, 1), "bias": (ways,)},
        {"logits": ("n", ways)},
        types={"levels": TensorProto.INT8},
    )
    state = {"weight": np.zeros((ways, width), np.float32), "bias": np.zeros(ways, np.float32)}
    return Graphs(adapt, predict, state, steps, support_rows, features=_energies(window, channels), finalize=finalize)


def energies(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the graphs' features are: (n, channel, sample) to (n, channel x SEGMENTS)."""
    count, channels, _ = windows.shape
    segments = windows.astype(np.float64).reshape(count, channels * SEGMENTS, -1)
    result: NDArray[np.float64] = np.log((segments**2).mean(2) + FLOOR)
    return result


def _energies(window: int, channels: int) -> bytes:
    if window % SEGMENTS:
        raise ValueError(f"a window of {window} samples has no {SEGMENTS} equal segments: take a multiple")
    return model(
        [
            ("Reshape", ["windows", "segmented"], "segments"),
            ("Mul", ["segments", "segments"], "squares"),
            ("ReduceMean", ["squares", "sample_axis"], "energy", {"keepdims": 0}),
            ("Add", ["energy", "floor"], "positive"),
            ("Log", ["positive"], "features"),
        ],
        {"windows": ("n", channels, window)},
        {"features": ("n", channels * SEGMENTS)},
        {
            "segmented": np.array([-1, channels * SEGMENTS, window // SEGMENTS], np.int64),
            "sample_axis": np.array([2], np.int64),
            "floor": np.array(FLOOR, np.float32),
        },
    )


Node = tuple[str, list[str], str] | tuple[str, list[str], str, dict[str, Any]]


def model(
    nodes: Sequence[Node],
    takes: Mapping[str, Shape],
    gives: Mapping[str, Shape],
    constants: Mapping[str, NDArray[np.generic]] | None = None,
    *,
    types: Mapping[str, int] | None = None,
    opset: int = OPSET,
    ir_version: int = IR_VERSION,
) -> bytes:
    """A serialised model from nodes (operator, inputs, output, attributes), float32 unless `types` says otherwise."""

    def declared(shapes: Mapping[str, Shape]) -> list[onnx.ValueInfoProto]:
        kinds = types or {}
        return [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), list(shape)) for name, shape in shapes.items()]

    made = [helper.make_node(node[0], node[1], [node[2]], **(node[3] if len(node) == 4 else {})) for node in nodes]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(made, "small", declared(takes), declared(gives), weights)
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="faultbench")
    built.ir_version = ir_version
    return bytes(built.SerializeToString())
