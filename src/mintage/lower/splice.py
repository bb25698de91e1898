"""Read an ONNX graph that a published converter made, and write what it computes into ours, with our operators.

The bytes come from the user's environment and are trusted as little as anything else: a graph of one input
``[rows, width]``, main operator set only as far as ``splice_operators`` knows it, nothing outside of the file, no
branches, loops or functions. Each tensor that depends on the rows is a matrix of them or a vector; its width is worked
out here, never read. Raises ValueError with what cannot be taken over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from mintage.lower.graph import Graph
from mintage.lower.splice_operators import OPERATORS, Call, Value

__all__ = ["Source", "Spliced", "read_source", "splice"]

MAX_NODES = 5_000
MAIN_OPSETS = range(9, 22)
_KINDS: Mapping[int, str] = {TensorProto.FLOAT: "float", TensorProto.DOUBLE: "double"}


@dataclass(frozen=True)
class Source:
    """A graph to take over: its one input, and the output that is wanted."""

    model: Any
    input: str
    kind: str
    output: str


@dataclass(frozen=True)
class Spliced:
    """The tensor [rows, ``width``] of doubles, and whether any of it was computed in float32.

    ``picked`` are the columns of the input that it consists of, where it is nothing else.
    """

    tensor: str
    width: int
    single: bool
    picked: tuple[int, ...] | None = None


def read_source(data: bytes) -> Source:
    """The graph of ``data``, of whose outputs the first one of numbers is wanted."""
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:
        raise ValueError(f"it is no ONNX model: {error}") from error
    graph = model.graph
    opsets = {item.domain: item.version for item in model.opset_import if item.domain in ("", "ai.onnx")}
    if not opsets or any(version not in MAIN_OPSETS for version in opsets.values()):
        raise ValueError(f"it needs operator sets {opsets}; those from {MAIN_OPSETS[0]} to {MAIN_OPSETS[-1]} are known")
    if model.functions or graph.sparse_initializer or len(graph.node) > MAX_NODES:
        raise ValueError("it has functions, sparse tensors, or too many nodes")
    known = {item.name for item in graph.initializer}
    inputs = [item for item in graph.input if item.name not in known]
    kinds = [_KINDS.get(item.type.tensor_type.elem_type) for item in inputs]
    outputs = [item.name for item in graph.output if item.type.tensor_type.elem_type in _KINDS]
    if len(inputs) != 1 or kinds[0] is None or not outputs:
        raise ValueError("it has not one input of floats or doubles and an output of numbers")
    return Source(model=model, input=inputs[0].name, kind=kinds[0], output=outputs[0])


def splice(graph: Graph, source: Source, tensor: str, width: int) -> Spliced:
    """Write what ``source`` makes of ``tensor``, doubles [rows, ``width``]."""
    inner = source.model.graph
    entry = tensor if source.kind == "double" else graph.add("Cast", [tensor], to=TensorProto.FLOAT)
    picked = tuple(range(width)) if source.kind == "double" else None
    values: dict[str, Value] = {source.input: Value(entry, source.kind, width, picked=picked)}
    for item in inner.initializer:
        values[item.name] = constant_value(item)
    for node in _needed(inner, source.output):
        values[node.output[0]] = _apply(graph, node, values)
    found = values.get(source.output)
    if found is None or found.array is not None or found.kind not in ("float", "double"):
        raise ValueError("its output does not depend on its input")
    single = any(value.kind == "float" for value in values.values() if value.array is None)
    result = found.tensor if found.kind == "double" else graph.add("Cast", [found.tensor], to=TensorProto.DOUBLE)
    return Spliced(tensor=result, width=found.width, single=single, picked=found.picked)


def constant_value(item: Any) -> Value:
    """A constant; it must lie in the file and be of a known type."""
    if item.external_data or item.data_location != TensorProto.DEFAULT:
        raise ValueError(f"the constant {item.name} lies outside of the file")
    array = np.asarray(numpy_helper.to_array(item))
    kinds = {"float32": "float", "float64": "double", "int64": "int64", "int32": "int32", "bool": "bool"}
    if array.dtype.name not in kinds:
        raise ValueError(f"the constant {item.name} is of type {array.dtype}")
    return Value("", kinds[array.dtype.name], array.shape[-1] if array.ndim else 1, array=array)


def _needed(inner: Any, output: str) -> list[Any]:
    """The nodes that the output depends on, in their order."""
    wanted, found = {output}, []
    for node in reversed(inner.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            found.append(node)
    return found[::-1]


def _apply(graph: Graph, node: Any, values: Mapping[str, Value]) -> Value:
    name = f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else str(node.op_type)
    if name == "Constant" and [item.name for item in node.attribute] == ["value"]:
        return constant_value(node.attribute[0].t)
    function = OPERATORS.get(name)
    if function is None:
        raise ValueError(f"the operator {name} has no translation")
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    if any(isinstance(value, onnx.GraphProto) for value in attributes.values()):
        raise ValueError(f"the operator {name} has a branch or a loop")
    absent = [item for item in node.input if item and item not in values]
    if absent:
        raise ValueError(f"the tensor {absent[0]} is used before it is made")
    inputs = [values[item] if item else None for item in node.input]
    return function(Call(graph=graph, name=name, inputs=inputs, attributes=attributes))
