"""Look at an ONNX graph before any runtime loads it, and refuse what a model of ours never holds.

A runtime trusts a graph: indices that point outside a tree, files named as external data, operators that nobody
tested. ``check_graph`` parses with the protobuf schema only, bounds every number, and allows the operators that the
lowering writes. What it accepts has exactly the signature's inputs and outputs, and a known number of values a row, so
that the memory of a run is bounded by its rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

from mintage.errors import (
    GraphExternalDataError,
    GraphIndexError,
    GraphMalformedError,
    GraphOperatorError,
    GraphRefusedError,
    GraphTooLargeError,
)
from mintage.lower.graph import ML_DOMAIN, ML_OPSET, OPSET, TEXT_DOMAIN, TEXT_OPSET
from mintage.model.program import WIDTHS
from mintage.model.published import PUBLISHED, published_width
from mintage.model.rowwise import Dims, check_rowwise
from mintage.model.signature import Signature

__all__ = ["check_graph"]

MAX_BYTES = 512 << 20
MAX_NODES = 20_000
MAX_TREE_NODES = 50_000_000
MAX_ELEMENTS = 1 << 27
MAX_WIDTH = 10_000_000
MAX_TARGETS = 10_000
OPERATORS = {
    **{domain: frozenset(operators) for domain, operators in WIDTHS.items()},
    "": frozenset((*WIDTHS[""], *PUBLISHED)),
    TEXT_DOMAIN: frozenset(("Tokenizer",)),
}
_ATTRIBUTES = frozenset(
    (
        AttributeProto.FLOAT,
        AttributeProto.INT,
        AttributeProto.STRING,
        AttributeProto.TENSOR,
        AttributeProto.FLOATS,
        AttributeProto.INTS,
        AttributeProto.STRINGS,
    )
)
_TENSORS = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.INT64: 8,
    TensorProto.INT32: 4,
    TensorProto.UINT8: 1,
    TensorProto.BOOL: 1,
}
_TEXT = (TEXT_DOMAIN, TEXT_OPSET)
_LESS_OR_EQUAL, _LESS, _MEMBER = 0, 1, 6


def check_graph(data: bytes, signature: Signature) -> int:
    """Raise GraphRefusedError unless ``data`` is a graph that may be loaded for ``signature``.

    Returns how many values it computes for each row, all tensors together.
    """
    if len(data) > MAX_BYTES:
        raise _refused(
            "the graph is too large", GraphTooLargeError, expected=f"at most {MAX_BYTES} bytes", found=str(len(data))
        )
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:
        raise _refused("not an ONNX model", GraphMalformedError, found=str(error)) from error
    opsets = sorted((item.domain, item.version) for item in model.opset_import)
    if opsets not in ([("", OPSET), (ML_DOMAIN, ML_OPSET)], [("", OPSET), (ML_DOMAIN, ML_OPSET), _TEXT]):
        raise _refused("other operator sets", expected=f"{OPSET} and {ML_DOMAIN} {ML_OPSET}", found=str(opsets))
    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer or graph.quantization_annotation:
        raise _refused("functions, training information, sparse or quantised tensors are not allowed")
    if len(graph.node) > MAX_NODES:
        raise _refused(
            "too many nodes", GraphTooLargeError, expected=f"at most {MAX_NODES}", found=str(len(graph.node))
        )
    _check_faces(graph, signature)
    for tensor in graph.initializer:
        _check_tensor(tensor)
    _check_order(graph)
    widths = {item.name: 1 for item in graph.input}
    widths.update({tensor.name: tensor.dims[-1] if tensor.dims else 1 for tensor in graph.initializer})
    made: dict[str, Dims | str] = {item.name: "" for item in graph.input}
    made.update({tensor.name: tuple(tensor.dims) for tensor in graph.initializer})
    total = 0
    for node in graph.node:
        total += _check_node(node, widths, made)
    if total > MAX_WIDTH:
        raise _refused(
            "the graph computes too much a row",
            GraphTooLargeError,
            expected=f"at most {MAX_WIDTH} values",
            found=str(total),
        )
    return total


def _check_faces(graph: Any, signature: Signature) -> None:
    inputs = {item.name: _shape(item) for item in graph.input}
    kinds = {"FP64": TensorProto.DOUBLE, "BYTES": TensorProto.STRING}
    expected = {item.name: (kinds[item.datatype], [-1, 1]) for item in signature.inputs}
    unused = {name: face for name, face in expected.items() if name not in inputs}
    if len(graph.input) != len(inputs) or {**inputs, **unused} != expected:
        raise _refused("the graph's inputs are not the signature's", expected=str(expected), found=str(inputs))
    outputs = {item.name: _shape(item) for item in graph.output}
    types = {"FP64": TensorProto.DOUBLE, "INT64": TensorProto.INT64}
    promised = {item.name: (types[item.datatype], list(item.shape)) for item in signature.outputs}
    if outputs != promised:
        raise _refused("the graph's outputs are not the signature's", expected=str(promised), found=str(outputs))


def _shape(item: Any) -> tuple[int, list[int]]:
    kind = item.type.tensor_type
    return kind.elem_type, [part.dim_value if part.HasField("dim_value") else -1 for part in kind.shape.dim]


def _check_tensor(tensor: Any) -> None:
    if tensor.external_data or tensor.data_location != TensorProto.DEFAULT:
        raise _refused("a tensor lies outside the file", GraphExternalDataError, where=tensor.name)
    size = 1
    for extent in tensor.dims:
        size *= extent
        if extent < 0 or size > MAX_ELEMENTS:
            raise _refused(
                "a tensor is too large",
                GraphTooLargeError,
                expected=f"at most {MAX_ELEMENTS} elements",
                where=tensor.name,
            )
    if tensor.data_type not in _TENSORS:
        raise _refused("a tensor of a type that is not allowed", found=str(tensor.data_type), where=tensor.name)
    if len(tensor.raw_data) != size * _TENSORS[tensor.data_type]:
        raise _refused("a tensor whose bytes do not fit its shape", GraphMalformedError, where=tensor.name)


def _check_order(graph: Any) -> None:
    """Each tensor is made once, before it is used."""
    known = {""} | {item.name for item in graph.input} | {item.name for item in graph.initializer}
    if len(known) != 1 + len(graph.input) + len(graph.initializer):
        raise _refused("two tensors have one name")
    for node in graph.node:
        for name in node.input:
            if name not in known:
                raise _refused("a tensor is used before it is made", where=name)
        for name in node.output:
            if name in known:
                raise _refused("a tensor is made twice", where=name)
            known.add(name)


def _check_node(node: Any, widths: dict[str, int], made: dict[str, Dims | str]) -> int:
    """One node; ``widths`` and ``made`` hold the columns and the maker of each tensor so far, and get this one's.

    Returns its columns.
    """
    if node.op_type not in OPERATORS.get(node.domain, frozenset()):
        raise _refused(
            "an operator that is not allowed", GraphOperatorError, found=f"{node.domain or 'ai.onnx'}.{node.op_type}"
        )
    for attribute in node.attribute:
        if attribute.type not in _ATTRIBUTES or attribute.ref_attr_name:
            raise _refused("an attribute that is not allowed", where=f"{node.op_type}.{attribute.name}")
        if attribute.type == AttributeProto.TENSOR:
            _check_tensor(attribute.t)
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type == "LabelEncoder":
        _check_label_encoder(attributes)
    if node.op_type == "TreeEnsemble":
        _check_trees(attributes, widths[node.input[0]])
    parts = [widths[name] for name in node.input]
    if not parts or len(node.output) != 1:
        raise _refused("a node without input, or with more than one output", found=node.op_type)
    makers = [made[name] for name in node.input]
    made[node.output[0]] = check_rowwise(node.op_type, node.domain, attributes, makers)
    if node.op_type in PUBLISHED or node.domain == TEXT_DOMAIN:
        width = published_width(node.op_type, attributes, parts)
    elif node.op_type == "Concat":
        width = sum(parts)
    elif node.op_type in ("Gather", "MatMul"):
        width = parts[-1]
    elif node.op_type == "TreeEnsemble":
        width = int(attributes["n_targets"])
    else:
        width = 1 if WIDTHS[node.domain][node.op_type] == "one" or node.op_type == "ArgMax" else max(parts)
    widths[node.output[0]] = width
    return width


def _check_label_encoder(attributes: dict[str, Any]) -> None:
    text = set(attributes) == {"keys_strings", "values_tensor", "default_tensor"}
    number = set(attributes) == {"keys_tensor", "values_tensor", "default_tensor"}
    if not (text or number):
        raise _refused("a LabelEncoder of another form", found=", ".join(sorted(attributes)))
    values, default = (_array(attributes[name]) for name in ("values_tensor", "default_tensor"))
    keys = len(attributes["keys_strings"]) if text else len(_array(attributes["keys_tensor"]))
    if values.shape != (keys,) or default.shape != (1,):
        raise _refused("a LabelEncoder whose keys and values do not match")


def _check_trees(attributes: dict[str, Any], width: int) -> None:
    ints = {name: _ints(attributes, f"nodes_{name}") for name in _NODE_INTS}
    count = len(ints["featureids"])
    modes, splits = _array(attributes.get("nodes_modes")), _array(attributes.get("nodes_splits"))
    leaves, targets = _array(attributes.get("leaf_weights")), _ints(attributes, "leaf_targetids")
    same = all(len(part) == count for part in (*ints.values(), modes, splits)) and len(leaves) == len(targets)
    if not same or not 0 < count <= MAX_TREE_NODES or not len(leaves):
        raise _refused("the arrays of a TreeEnsemble have different lengths, or too many nodes", GraphIndexError)
    if set(attributes) - _TREE_ATTRIBUTES or not 1 <= attributes.get("n_targets", 0) <= MAX_TARGETS:
        raise _refused("a TreeEnsemble of another form")
    if (targets < 0).any() or (targets >= attributes["n_targets"]).any():
        raise _refused(
            "a TreeEnsemble with a target that is not there",
            GraphIndexError,
            expected=f"0 to {attributes['n_targets'] - 1}",
        )
    if modes.dtype != np.uint8 or not np.isin(modes, (_LESS_OR_EQUAL, _LESS, _MEMBER)).all():
        raise _refused("a TreeEnsemble with other comparisons", expected="BRANCH_LEQ, BRANCH_LT, BRANCH_MEMBER")
    if splits.dtype not in (np.float64, np.float32) or leaves.dtype != splits.dtype:
        raise _refused("a TreeEnsemble of another type", expected="double or float", found=str(splits.dtype))
    if np.isnan(splits).any() or not np.isfinite(leaves).all():
        raise _refused("a TreeEnsemble with a split or a leaf that is no number")
    if ints["featureids"].min() < 0 or ints["featureids"].max() >= width:
        raise _refused("a TreeEnsemble with a feature that is not there", GraphIndexError, expected=f"0 to {width - 1}")
    sets = _array(attributes["membership_values"]) if "membership_values" in attributes else np.empty(0)
    ends = np.flatnonzero(np.isnan(sets))
    lengths = np.diff(np.concatenate([[-1], ends])) - 1
    closed = not len(sets) or bool(np.isnan(sets[-1]))
    if len(ends) != int((modes == _MEMBER).sum()) or (lengths < 1).any() or not closed:
        raise _refused("the sets of a TreeEnsemble do not match its splits", GraphIndexError)
    _check_links(ints, count, len(leaves), _ints(attributes, "tree_roots"))


_NODE_INTS = ("featureids", "truenodeids", "trueleafs", "falsenodeids", "falseleafs", "missing_value_tracks_true")
_TREE_ATTRIBUTES = frozenset(
    (
        *(f"nodes_{name}" for name in (*_NODE_INTS, "modes", "splits")),
        *("leaf_weights", "leaf_targetids", "membership_values", "tree_roots", "n_targets"),
    )
)


def _check_links(ints: dict[str, Any], count: int, leaves: int, roots: Any) -> None:
    """Every link is in bounds, and every node has one way to it: no cycle, nothing shared."""
    seen = np.zeros(count, dtype=np.int64)
    for side in ("true", "false"):
        ids, is_leaf = ints[f"{side}nodeids"], ints[f"{side}leafs"]
        if not np.isin(is_leaf, (0, 1)).all() or (ids < 0).any():
            raise _refused("a link of a TreeEnsemble is out of bounds", GraphIndexError)
        if (ids >= np.where(is_leaf == 1, leaves, count)).any():
            raise _refused("a link of a TreeEnsemble is out of bounds", GraphIndexError)
        np.add.at(seen, ids[is_leaf == 0], 1)
        if (ids[is_leaf == 0] <= np.flatnonzero(is_leaf == 0)).any():
            raise _refused("a link of a TreeEnsemble goes back", GraphIndexError)
    if not len(roots) or (roots < 0).any() or (roots >= count).any():
        raise _refused("a root of a TreeEnsemble is out of bounds", GraphIndexError)
    np.add.at(seen, roots, 1)
    if (seen != 1).any():
        raise _refused("a node of a TreeEnsemble has two parents, or none", GraphIndexError)


def _ints(attributes: dict[str, Any], name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    value = attributes.get(name)
    if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
        raise _refused("a TreeEnsemble lacks an attribute", where=name)
    return np.array(value, dtype=np.int64)


def _array(value: Any) -> np.ndarray[Any, Any]:
    if not isinstance(value, TensorProto) or len(value.dims) != 1:
        raise _refused("an attribute is not a tensor of one dimension")
    return np.asarray(numpy_helper.to_array(value))


def _refused(message: str, kind: type[GraphRefusedError] = GraphRefusedError, **parts: str) -> GraphRefusedError:
    return kind(message, hint="the model was not built by this tool; do not use it", **parts)
