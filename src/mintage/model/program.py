"""A model's graph as the compilers to C and SQL read it: nodes in order, each tensor with its type and width.

Every tensor that depends on the rows is ``[rows, width]``, or ``[rows]`` with width None; a constant has its array. The
types and widths follow from the operators alone, which are those that ``model.hostile`` allows. It is read after that
check, so it refuses nothing but what it does not know.

>>> sorted(kind for kind in WIDTHS)[:3]
['', 'ai.onnx.ml']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from mintage.errors import GraphRefusedError

__all__ = ["WIDTHS", "Node", "Program", "Tensor", "Trees", "read_program"]

Type = Literal["double", "float", "int64", "int32", "uint8", "bool", "string"]
Array = np.ndarray[Any, Any]
_TYPES: Mapping[int, Type] = {
    TensorProto.DOUBLE: "double",
    TensorProto.FLOAT: "float",
    TensorProto.INT64: "int64",
    TensorProto.INT32: "int32",
    TensorProto.UINT8: "uint8",
    TensorProto.BOOL: "bool",
    TensorProto.STRING: "string",
}
WIDTHS: Mapping[str, Mapping[str, str]] = {
    "": {
        **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or"), "compare"),
        **dict.fromkeys(("Not", "IsNaN", "IsInf"), "compare"),
        **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Where"), "broadcast"),
        **dict.fromkeys(("Abs", "Neg", "Exp", "Log", "Sqrt", "Sigmoid", "Tanh", "Floor", "Ceil", "Identity"), "same"),
        **dict.fromkeys(("ReduceMax", "ReduceMin", "ReduceSum"), "one"),
        **dict.fromkeys(("ArgMax", "Cast", "Concat", "Expand", "Gather", "MatMul", "Shape", "Squeeze"), "own"),
    },
    "ai.onnx.ml": {"LabelEncoder": "own", "TreeEnsemble": "own"},
}
"""How an operator's width follows from its inputs."""


@dataclass(frozen=True)
class Tensor:
    """A tensor: ``width`` columns a row (None: a vector), or a constant ``array`` of any shape."""

    name: str
    type: Type
    width: int | None
    array: Array | None = None


@dataclass(frozen=True)
class Trees:
    """A TreeEnsemble. Nodes and leaves are numbered apart, as in the operator; ``members`` is None but at a set.

    ``modes``: 0 takes the true branch for ``x <= split``, 1 for ``x < split``, 6 for x in the set. NaN takes it where
    ``missing_true``. A row's output of target t is the sum of its leaves' weights of that target, tree by tree, in the
    type of the tensor.
    """

    targets: int
    roots: tuple[int, ...]
    feature: Array
    mode: Array
    split: Array
    members: tuple[tuple[float, ...] | None, ...]
    missing_true: Array
    true: Array
    true_leaf: Array
    false: Array
    false_leaf: Array
    leaf_weight: Array
    leaf_target: Array


@dataclass(frozen=True)
class Node:
    """One operator. ``attributes`` are plain values and arrays; ``trees`` is set for a TreeEnsemble."""

    operator: str
    domain: str
    inputs: tuple[Tensor, ...]
    output: Tensor
    attributes: Mapping[str, Any]
    trees: Trees | None = None


@dataclass(frozen=True)
class Program:
    """A graph: ``inputs`` are the raw columns [rows, 1] (double or string), ``outputs`` what the signature names."""

    inputs: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Tensor, ...]


def read_program(data: bytes) -> Program:
    """The program of a checked graph; raises GraphRefusedError for an operator that it does not know."""
    graph = onnx.load_model_from_string(data).graph
    tensors: dict[str, Tensor] = {}
    for item in graph.input:
        tensors[item.name] = Tensor(item.name, _TYPES[item.type.tensor_type.elem_type], 1)
    inputs = tuple(tensors.values())
    for constant in graph.initializer:
        array = np.asarray(numpy_helper.to_array(constant))
        tensors[constant.name] = Tensor(constant.name, _TYPES[constant.data_type], _last(array), array)
    nodes = []
    for item in graph.node:
        node = _node(item, tuple(tensors[name] for name in item.input))
        tensors[node.output.name] = node.output
        nodes.append(node)
    return Program(inputs, tuple(nodes), tuple(tensors[item.name] for item in graph.output))


def _last(array: Array) -> int | None:
    return int(array.shape[-1]) if array.ndim else 1


def _node(item: Any, inputs: tuple[Tensor, ...]) -> Node:
    attributes = {part.name: _plain(onnx.helper.get_attribute_value(part)) for part in item.attribute}
    kind = WIDTHS.get(item.domain, {}).get(item.op_type)
    if kind is None:
        raise GraphRefusedError(
            "an operator that has no translation",
            found=f"{item.domain or 'ai.onnx'}.{item.op_type}",
            hint="such a model runs on onnxruntime: export it to onnx, wasm or docker",
        )
    widths = [1 if tensor.width is None else tensor.width for tensor in inputs]
    type_: Type = inputs[1].type if item.op_type == "Where" else inputs[0].type
    width: int | None = 1 if kind == "one" else max(widths)
    trees = None
    match item.op_type:
        case "Cast":
            type_ = _TYPES[attributes["to"]]
        case "Concat":
            width = sum(widths)
        case "Gather":
            # axis 1 picks columns of a tensor; axis 0 looks rows up in a constant table [k] by places [rows, 1]
            width = widths[1]
        case "MatMul":
            width = widths[1]
        case "ArgMax":
            type_, width = "int64", 1 if attributes.get("keepdims", 1) else None
        case "Squeeze":
            width = None
        case "Shape":
            type_, width = "int64", 2
        case "Expand":
            width = widths[0]
        case "LabelEncoder":
            type_ = _of_array(attributes["values_tensor"])
        case "TreeEnsemble":
            trees = _trees(attributes)
            width = trees.targets
    if kind == "compare":
        type_ = "bool"
    output = Tensor(item.output[0], type_, width)
    return Node(item.op_type, item.domain, inputs, output, {} if trees else attributes, trees)


def _of_array(array: Array) -> Type:
    return {"float64": "double", "float32": "float", "int64": "int64"}[array.dtype.name]  # type: ignore[return-value]


def _plain(value: Any) -> Any:
    if isinstance(value, TensorProto):
        return np.asarray(numpy_helper.to_array(value))
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value


def _trees(attributes: Mapping[str, Any]) -> Trees:
    modes = np.asarray(attributes["nodes_modes"])
    members: list[tuple[float, ...] | None] = [None] * len(modes)
    sets = np.asarray(attributes.get("membership_values", ()), dtype=np.float64)
    start = 0
    for place in np.flatnonzero(modes == 6).tolist():
        end = start + int(np.argmax(np.isnan(sets[start:])))
        members[place] = tuple(sets[start:end].tolist())
        start = end + 1
    ints = {
        name: np.asarray(attributes[f"nodes_{name}"], dtype=np.int64)
        for name in ("featureids", "truenodeids", "trueleafs", "falsenodeids", "falseleafs")
    }
    missing = attributes.get("nodes_missing_value_tracks_true") or [0] * len(modes)
    return Trees(
        targets=int(attributes["n_targets"]),
        roots=tuple(attributes["tree_roots"]),
        feature=ints["featureids"],
        mode=modes,
        split=np.asarray(attributes["nodes_splits"]),
        members=tuple(members),
        missing_true=np.asarray(missing, dtype=bool),
        true=ints["truenodeids"],
        true_leaf=ints["trueleafs"].astype(bool),
        false=ints["falsenodeids"],
        false_leaf=ints["falseleafs"].astype(bool),
        leaf_weight=np.asarray(attributes["leaf_weights"]),
        leaf_target=np.asarray(attributes["leaf_targetids"], dtype=np.int64),
    )
