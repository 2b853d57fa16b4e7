"""From a learner's functions in torch to the ONNX graphs of an artifact.

An adaptation step holds a gradient. `make_fx` traces through `torch.func.grad` down to plain operators, so that forward,
backward and update become one graph that any stock onnxruntime runs; nothing is derived by hand.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.artifact.format import IR_VERSION, OPSET
from faultbench.errors import CellError

Flat = Callable[..., tuple[Tensor, ...]]


def trace(function: Flat, examples: Sequence[Tensor]) -> nn.Module:
    """A function of tensors, gradients and all, as a module of core operators with the example's shapes."""
    from torch._decomp import core_aten_decompositions
    from torch.fx.experimental.proxy_tensor import make_fx

    table = {**core_aten_decompositions(), torch.ops.aten.convolution_backward.default: convolution_backward}
    traced: nn.Module = make_fx(function, decomposition_table=table)(*examples)
    return traced


def to_onnx(
    module: nn.Module, examples: Sequence[Tensor | list[Tensor]], inputs: Sequence[str], outputs: Sequence[str], *, batched: int
) -> bytes:
    """A module as a serialised ONNX model of the pinned opset and IR version.

    Args:
        module: Called with `examples` as positional arguments; returns a tensor or a tuple of tensors.
        examples: Tensors; the last may be a list of tensors.
        inputs: The names of all tensors.
        outputs: The outputs' names.
        batched: How many tensors, from the first on, have the same symbolic first axis.
    """
    shapes = None
    if batched:
        rest = tuple([None] * len(e) if isinstance(e, list) else None for e in examples[batched:])
        shapes = (*[{0: torch.export.Dim("n", min=1, max=1 << 20)}] * batched, *rest)
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                tuple(examples),
                dynamo=True,
                external_data=False,
                verbose=False,
                # The exporter's optimiser takes a small constant added against division by 0 for nothing, and drops it.
                optimize=False,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=shapes,
            )
    finally:
        exporter.setLevel(level)
    if program is None:
        raise CellError("torch's exporter returned no model: check the versions of torch, onnx and onnxscript")
    serialised: bytes = _bare(program.model_proto).SerializeToString()
    return serialised


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without inputs that nothing reads, and without its maker's stack traces, several times the size of the graph."""
    model.ir_version = IR_VERSION
    graph = model.graph
    read = {output.name for output in graph.output} | _read(graph)
    alive = [tensor for tensor in graph.input if tensor.name in read]
    del graph.input[:]
    graph.input.extend(alive)
    for said in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del said.metadata_props[:]
        said.doc_string = ""
    return model


def _read(graph: onnx.GraphProto) -> set[str]:
    """The names that a graph's nodes read, those of graphs within them too."""
    names: set[str] = set()
    for node in graph.node:
        names.update(node.input)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                names |= _read(inner)
    return names


def convolution_backward(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    _bias_sizes: object,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    _output_padding: object,
    groups: int,
    mask: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients of a convolution in one dimension, of stride 1; ONNX has no operator for them.

    The input's is a convolution with the filters turned round, the filters' one matrix product over the unfolded input.

    Raises:
        CellError: It is another kind of convolution.
    """
    if x.dim() != 3 or transposed or groups != 1 or list(stride) != [1] or list(dilation) != [1]:
        raise CellError("only plain convolutions of stride 1 in one dimension can be adapted on a device: change the backbone")
    outputs, inputs, kernel = weight.shape
    batch, _, length = gradient.shape
    to_x = to_weight = to_bias = None
    if mask[0]:
        to_x = F.conv1d(gradient, weight.transpose(0, 1).flip(-1), padding=kernel - 1 - padding[0])
    if mask[1]:
        padded = F.pad(x, (padding[0], padding[0]))
        unfolded = torch.stack([padded[:, :, j : j + length] for j in range(kernel)], 2)
        columns = unfolded.permute(0, 3, 1, 2).reshape(batch * length, inputs * kernel)
        to_weight = (gradient.transpose(0, 1).reshape(outputs, batch * length) @ columns).reshape(outputs, inputs, kernel)
    if mask[2]:
        to_bias = gradient.sum((0, 2))
    return to_x, to_weight, to_bias
