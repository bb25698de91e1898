"""A graph that a model of ours never is, is refused before a runtime loads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mintage.errors import GraphRefusedError
from mintage.model.hostile import check_graph
from mintage.model.package import open_package


def trees(model: Any) -> Any:
    return next(node for node in model.graph.node if node.op_type == "TreeEnsemble")


def attribute(model: Any, name: str) -> Any:
    return next(item for item in trees(model).attribute if item.name == name)


def change(name: str, place: int, value: int) -> Callable[[Any], None]:
    def apply(model: Any) -> None:
        attribute(model, name).ints[place] = value

    return apply


def external(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def huge(model: Any) -> None:
    model.graph.initializer[0].dims[:] = [1 << 40]


def short(model: Any) -> None:
    model.graph.initializer[0].raw_data = b""


def branch(model: Any) -> None:
    node = helper.make_node("If", ["x"], ["y"], then_branch=helper.make_graph([], "g", [], []))
    model.graph.node.append(node)


def foreign(model: Any) -> None:
    model.graph.node[0].domain = "com.microsoft"


def no_sets(model: Any) -> None:
    attribute(model, "membership_values").t.CopyFrom(numpy_helper.from_array(np.array([1.0, np.nan])))


def nan_split(model: Any) -> None:
    item = attribute(model, "nodes_splits").t
    values = numpy_helper.to_array(item).copy()
    values[0] = np.nan
    item.CopyFrom(numpy_helper.from_array(values))


def other_opset(model: Any) -> None:
    model.opset_import[0].version = 7


def function(model: Any) -> None:
    model.functions.add().name = "f"


def other_output(model: Any) -> None:
    model.graph.output[0].name = "leak"


def twice(model: Any) -> None:
    model.graph.node.append(model.graph.node[0])


HOSTILE = {
    "a feature beyond the columns": change("nodes_featureids", 0, 10**6),
    "a feature below zero": change("nodes_featureids", 0, -1),
    "a child beyond the nodes": change("nodes_truenodeids", 0, 10**6),
    "a child below zero": change("nodes_falsenodeids", 0, -5),
    "a cycle": change("nodes_truenodeids", 0, 0),
    "a root beyond the nodes": change("tree_roots", 0, 10**6),
    "a leaf flag that is no flag": change("nodes_trueleafs", 0, 2),
    "a leaf of another target": change("leaf_targetids", 0, 3),
    "a tensor in another file": external,
    "a tensor of a huge shape": huge,
    "a tensor without its bytes": short,
    "a branch": branch,
    "an operator of another domain": foreign,
    "sets that do not match": no_sets,
    "a split that is no number": nan_split,
    "another operator set": other_opset,
    "a function": function,
    "another output": other_output,
    "a tensor made twice": twice,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused(name: str, made: Any) -> None:
    package = open_package(made.built.folder)
    model = onnx.load_model_from_string(package.files["model.onnx"])
    HOSTILE[name](model)
    with pytest.raises(GraphRefusedError):
        check_graph(model.SerializeToString(), package.signature)


def test_bytes_that_are_no_graph_are_refused(made: Any) -> None:
    package = open_package(made.built.folder)
    for data in (b"", b"\x80\x04junk", package.files["model.onnx"][:-40], b"\xff" * 100):
        with pytest.raises(GraphRefusedError):
            check_graph(data, package.signature)


def test_the_graph_that_was_built_is_accepted(made: Any) -> None:
    package = open_package(made.built.folder)
    check_graph(package.files["model.onnx"], package.signature)
