"""The way of one row through the trees of a graph: which split it passes closest, for whoever looks into a difference.

A runtime that differs mostly differs at one split. ``closest_split`` runs the graph on onnxruntime with the features of
each TreeEnsemble as further outputs, walks its trees, and names the split whose threshold is the fewest doubles away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from mintage.model.doubles import as_order
from mintage.model.program import Trees, read_program
from mintage.model.runtime import load_session

__all__ = ["Split", "closest_split"]

_LESS, _MEMBER = 1, 6
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Split:
    """A split on the way of a row. ``apart`` is how many doubles (or float32) lie between value and threshold."""

    tree: int
    feature: int
    value: float
    sign: str
    threshold: float
    apart: float

    def __str__(self) -> str:
        return f"tree {self.tree}, feature {self.feature}: {self.value!r} {self.sign} {self.threshold!r}"


def closest_split(data: bytes, feeds: Mapping[str, Array]) -> Split | None:
    """The split that the first row of ``feeds`` (tensors [N, 1]) passes closest; None without a split by threshold."""
    program = read_program(data)
    ensembles = [node for node in program.nodes if node.trees is not None]
    if not ensembles:
        return None
    model = onnx.load_model_from_string(data)
    del model.graph.output[:]
    names = sorted({node.inputs[0].name for node in ensembles})
    kinds = {"double": onnx.TensorProto.DOUBLE, "float": onnx.TensorProto.FLOAT}
    for node in ensembles:
        tensor = node.inputs[0]
        if tensor.name in names and tensor.name not in {item.name for item in model.graph.output}:
            model.graph.output.append(
                onnx.helper.make_tensor_value_info(tensor.name, kinds[tensor.type], ["rows", tensor.width])
            )
    session = load_session(model.SerializeToString())
    taken = {item.name for item in session.get_inputs()}
    one = {name: tensor[:1] for name, tensor in feeds.items() if name in taken}
    found = dict(zip(names, session.run(names, one), strict=True))
    splits = []
    for node in ensembles:
        assert node.trees is not None
        splits += _walk(node.trees, found[node.inputs[0].name][0])
    return min(splits, key=lambda split: split.apart, default=None)


def _walk(trees: Trees, row: Array) -> list[Split]:
    """The splits by threshold that a row passes, tree by tree."""
    found = []
    for tree, root in enumerate(trees.roots):
        node = root
        while True:
            value, feature = row[trees.feature[node]], int(trees.feature[node])
            members = trees.members[node]
            if members is not None:
                goes = float(value) in members
            else:
                threshold = trees.split[node]
                less = trees.mode[node] == _LESS
                goes = bool(value < threshold if less else value <= threshold)
                goes = goes or (bool(np.isnan(value)) and bool(trees.missing_true[node]))
                sign = "<" if less else "<="
                found.append(
                    Split(
                        tree,
                        feature,
                        float(value),
                        sign if goes else f"not {sign}",
                        float(threshold),
                        _apart(value, threshold),
                    )
                )
            leaf = trees.true_leaf if goes else trees.false_leaf
            child = trees.true if goes else trees.false
            if leaf[node]:
                break
            node = int(child[node])
    return found


def _apart(value: Any, threshold: Any) -> float:
    """How many floating-point numbers of the type lie between; infinite for NaN."""
    if np.isnan(value):
        return np.inf
    if np.asarray(value).dtype == np.float32:
        bits = np.array([value, threshold], dtype=np.float32).view(np.int32).astype(np.int64)
        order = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
        return float(abs(order[0] - order[1]))
    low, high = as_order(np.array([float(value), float(threshold)])).tolist()
    return float(abs(low - high))
