"""Writes an artifact, after checking that its graphs are what the format says."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from faultbench.artifact.format import (
    DOMAINS,
    FORMAT,
    INIT,
    IR_VERSION,
    MANIFEST,
    OLDEST_ONNXRUNTIME,
    OPSET,
    PHYSICS,
    ROLES,
    Graphs,
    Manifest,
)
from faultbench.errors import CellError, PluginError

if TYPE_CHECKING:
    import onnx

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_RESERVED = {"windows", "features", "labels", "logits", *PHYSICS}
_NPZ_DATE = (1980, 1, 1, 0, 0, 0)
"""The oldest date that zip can hold: equal states make equal bytes."""

Shape = tuple[int | None, ...]
"""A declared shape; None where it is symbolic."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Tensor:
    """What a graph declares of an input or output; `type` is ONNX's element type."""

    type: int
    shape: Shape | None


_Signature = tuple[dict[str, _Tensor], dict[str, _Tensor]]


def write_artifact(
    folder: Path,
    graphs: Graphs,
    *,
    ways: int,
    window: int,
    channels: int,
    rate_hz: float,
    learner: str,
    compressor: str,
    provenance: str,
) -> Manifest:
    """Writes an artifact and returns its manifest. Equal input gives equal bytes.

    Everything goes to a temporary folder beside `folder`, which is then renamed: a killed writer leaves no half artifact.

    Args:
        folder: Where to; not there yet, or empty.
        graphs: What the learner exported.
        ways: Classes.
        window: Samples per window.
        channels: Channels per window.
        rate_hz: Samples per second.
        learner: The learner's canonical name.
        compressor: The compressor's canonical name.
        provenance: Digest of what the artifact was made from.

    Raises:
        PluginError: A graph breaks the format; the message says how.
        CellError: The folder cannot be written.
    """
    blobs = {role: blob for role in ROLES if (blob := getattr(graphs, role)) is not None}
    state = {name: np.ascontiguousarray(value).reshape(np.shape(value)) for name, value in sorted(graphs.state.items())}
    check_graphs(blobs, state, ways=ways, window=window, channels=channels, support_rows=graphs.support_rows, steps=graphs.steps)
    files = {INIT: npz_bytes(state), **{f"{role}.onnx": blob for role, blob in blobs.items()}}
    manifest = Manifest(
        format=FORMAT,
        ways=ways,
        window=window,
        channels=channels,
        rate_hz=float(rate_hz),
        steps=graphs.steps,
        support_rows=graphs.support_rows,
        state={name: value.shape for name, value in state.items()},
        dtype="float32",
        opset=OPSET,
        ir_version=IR_VERSION,
        oldest_onnxruntime=OLDEST_ONNXRUNTIME,
        learner=learner,
        compressor=compressor,
        info=dict(sorted(graphs.info.items())),
        provenance=provenance,
        sha256={name: hashlib.sha256(blob).hexdigest() for name, blob in sorted(files.items())},
    )
    files[MANIFEST] = (json.dumps(dataclasses.asdict(manifest), indent=1, sort_keys=True) + "\n").encode()
    try:
        _write_folder(folder, files)
    except OSError as error:
        raise CellError(f"cannot write the artifact {folder} ({error.strerror}): choose an empty folder that can be written") from error
    return manifest


def npz_bytes(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Arrays as an .npz archive without dates, in the order given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, value in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, value, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _NPZ_DATE), member.getvalue())
    return out.getvalue()


def check_graphs(
    blobs: Mapping[str, bytes],
    state: Mapping[str, NDArray[np.float32]],
    *,
    ways: int,
    window: int,
    channels: int,
    support_rows: int,
    steps: int,
) -> None:
    """Checks that graphs keep the format: version, operators, names, types and shapes.

    Raises:
        PluginError: One of them does not.
    """
    if steps < 0 or support_rows < 0:
        raise PluginError(f"an artifact has {steps} steps of {support_rows} rows: neither may be negative")
    for name, value in state.items():
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise PluginError(
                f"the state has a tensor named {name!r}: use letters, digits, '_', '.' and '-', and none of the format's own names"
            )
        if value.dtype != np.float32 or not np.isfinite(value).all():
            raise PluginError(f"the state's {name} is {value.dtype} or not finite: give finite float32")
    signatures = {role: _signature(role, blob) for role, blob in blobs.items()}

    feature = _check_features(signatures.get("features"), (channels, window))
    held: dict[str, _Tensor] = {name: _Tensor(_FLOAT, value.shape) for name, value in state.items()}
    support = {
        **held,
        "features": _Tensor(_FLOAT, (support_rows or None, *feature)),
        "labels": _Tensor(_FLOAT, (support_rows or None, ways)),
    }
    takes, gives = signatures["adapt"]
    _check("adapt takes", takes, support, needs={"features"})
    _check("adapt gives", gives, {f"new.{name}": tensor for name, tensor in held.items()}, needs={f"new.{name}" for name in held})
    if "finalize" in signatures:
        takes, gives = signatures["finalize"]
        _check("finalize takes", takes, support, needs=set())
        foreign = sorted(name for name in gives if not _NAME.fullmatch(name.removeprefix("deployed.")) or not name.startswith("deployed."))
        if foreign:
            raise PluginError(f"finalize gives {', '.join(foreign)}: name its outputs deployed.<name>")
        held = {name.removeprefix("deployed."): _Tensor(t.type, None if None in (t.shape or ()) else t.shape) for name, t in gives.items()}
    takes, gives = signatures["predict"]
    _check("predict takes", takes, {**held, "features": _Tensor(_FLOAT, (None, *feature))}, needs={"features"})
    _check("predict gives", gives, {"logits": _Tensor(_FLOAT, (None, ways))}, needs={"logits"})


_FLOAT = 1  # onnx.TensorProto.FLOAT; the module is imported when a graph is read


def _check_features(signature: _Signature | None, window: tuple[int, int]) -> Shape:
    """The shape of one row of features."""
    if signature is None:
        return window
    takes, gives = signature
    physics = {"speed_rpm": _Tensor(_FLOAT, (None,)), "orders": _Tensor(_FLOAT, (None, 4))}
    _check("features takes", takes, {"windows": _Tensor(_FLOAT, (None, *window)), **physics}, needs={"windows"})
    shape = gives["features"].shape if "features" in gives else None
    if shape is None or len(shape) < 2:
        raise PluginError("features gives no `features` of declared shape (n, ...): name its output so and declare its shape")
    _check("features gives", gives, {"features": _Tensor(_FLOAT, (None, *shape[1:]))}, needs={"features"})
    return shape[1:]


def _check(what: str, found: Mapping[str, _Tensor], allowed: Mapping[str, _Tensor], needs: Iterable[str]) -> None:
    """Names within what is allowed and needed; types equal; shapes equal where both are declared, and symbolic where they must be."""
    if missing := sorted(set(needs) - set(found)):
        raise PluginError(f"{what} no {', '.join(missing)}: declare it")
    for name, tensor in found.items():
        if name not in allowed:
            raise PluginError(f"{what} {name}, which the format does not know: it may be {', '.join(allowed)}")
        expected = allowed[name]
        if tensor.type != expected.type:
            raise PluginError(
                f"{what} {name} of ONNX type {tensor.type}, not {expected.type}: everything but a deployed state is float32 (1)"
            )
        if tensor.shape is None or expected.shape is None:
            continue
        fits = len(tensor.shape) == len(expected.shape) and all(
            got == want or (axis > 0 and None in (got, want)) or (want is not None and got is None)
            for axis, (got, want) in enumerate(zip(tensor.shape, expected.shape, strict=False))
        )
        if not fits:
            raise PluginError(f"{what} {name} of shape {_spelled(tensor.shape)}, not {_spelled(expected.shape)}: export it with that shape")


def _spelled(shape: Shape) -> str:
    return "(" + ", ".join("n" if length is None else str(length) for length in shape) + ")"


def _signature(role: str, blob: bytes) -> _Signature:
    """The declared inputs and outputs of a graph that passes ONNX's own checker and keeps to the pinned versions."""
    import onnx

    try:
        model = onnx.load_model_from_string(blob)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # protobuf's, the checker's and shape inference's exceptions share no other class
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PluginError(f"{role} is no valid ONNX model ({said}): export it again") from error
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if (opset, model.ir_version) != (OPSET, IR_VERSION):
        raise PluginError(
            f"{role} has opset {opset} and IR version {model.ir_version}: export it with opset {OPSET}, IR version {IR_VERSION}"
        )
    if model.functions:
        raise PluginError(f"{role} holds local functions: inline them (onnx.inliner.inline_local_functions)")
    nodes, tensors = _contents(model.graph)
    if foreign := sorted({node.domain for node in nodes} - set(DOMAINS)):
        raise PluginError(
            f"{role} uses operators of {', '.join(foreign)}: use those of ONNX and com.microsoft, which every onnxruntime has"
        )
    if any(onnx.external_data_helper.uses_external_data(tensor) for tensor in tensors):
        raise PluginError(f"{role} keeps weights outside of the model: export it with external_data=False")
    weights = {tensor.name for tensor in model.graph.initializer}
    takes = {value.name: _declared(value) for value in model.graph.input if value.name not in weights}
    return takes, {value.name: _declared(value) for value in model.graph.output}


def _contents(graph: onnx.GraphProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """All nodes and constant tensors of a graph and of the graphs within it."""
    nodes, tensors = list(graph.node), list(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            tensors += [attribute.t, *attribute.tensors] if attribute.HasField("t") else attribute.tensors
            for inner in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                more_nodes, more_tensors = _contents(inner)
                nodes += more_nodes
                tensors += more_tensors
    return nodes, tensors


def _declared(value: onnx.ValueInfoProto) -> _Tensor:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return _Tensor(tensor.elem_type, None)
    return _Tensor(tensor.elem_type, tuple(axis.dim_value if axis.HasField("dim_value") else None for axis in tensor.shape.dim))


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        for name, blob in files.items():
            (temporary / name).write_bytes(blob)
        if folder.is_dir():
            folder.rmdir()  # refuses if it holds anything
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
