"""A graph that a model of ours never is, is refused before a runtime loads it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mintage.errors import (
    GraphExternalDataError,
    GraphIndexError,
    GraphMalformedError,
    GraphOperatorError,
    GraphRefusedError,
    GraphTooLargeError,
)
from mintage.model.hostile import check_graph
from mintage.model.package import open_package
from mintage.model.runtime import Predictor
from mintage.model.signature import build_signature
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec


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


def _constant(model: Any, array: Any) -> str:
    name = f"bomb{len(model.graph.initializer)}"
    model.graph.initializer.append(numpy_helper.from_array(array, name))
    return name


def _node(model: Any, operator: str, inputs: list[str], **attributes: Any) -> str:
    """A node whose output nothing uses: a runtime may still compute it."""
    name = f"made{len(model.graph.node)}"
    model.graph.node.append(helper.make_node(operator, inputs, [name], **attributes))
    return name


def doubled(model: Any) -> None:
    tensor = "ratio"
    for _ in range(40):
        tensor = _node(model, "Concat", [tensor, tensor], axis=1)


def many_rows(model: Any) -> None:
    _node(model, "Add", ["ratio", _constant(model, np.zeros((100_000, 1)))])


def deep(model: Any) -> None:
    _node(model, "Mul", ["ratio", _constant(model, np.zeros((10, 1000, 10)))])


def constants_alone(model: Any) -> None:
    _node(model, "Mul", [_constant(model, np.zeros((50_000, 1))), _constant(model, np.zeros((1, 50_000)))])


def under_each_other(model: Any) -> None:
    _node(model, "Concat", ["ratio", "ratio"], axis=0)


def own_shape(model: Any) -> None:
    _node(model, "Expand", ["ratio", _constant(model, np.array([10**9, 10**9]))])


def shape_arithmetic(model: Any) -> None:
    shape = _node(model, "Shape", ["ratio"])
    _node(model, "Expand", [_constant(model, np.zeros((1, 1))), _node(model, "Mul", [shape, shape])])


def outer_product(model: Any) -> None:
    _node(model, "MatMul", [_constant(model, np.zeros((100_000, 1))), "ratio"])


def rows_times_rows(model: Any) -> None:
    _node(model, "MatMul", ["ratio", "ratio"])


def table_of_tables(model: Any) -> None:
    place = _node(model, "Cast", ["ratio"], to=TensorProto.INT64)
    _node(model, "Gather", [_constant(model, np.zeros((10, 1_000_000))), place], axis=0)


def over_rows(model: Any) -> None:
    _node(model, "ArgMax", ["ratio"], axis=0)


def custom(model: Any) -> None:
    model.opset_import.append(helper.make_opsetid("my.own", 1))
    model.graph.node.append(helper.make_node("Mine", ["ratio"], ["mine"], domain="my.own"))


def loop(model: Any) -> None:
    model.graph.node.append(helper.make_node("Loop", ["ratio"], ["y"], body=helper.make_graph([], "g", [], [])))


HOSTILE = {
    "a width that doubles at each node": doubled,
    "a constant of many rows": many_rows,
    "a constant of many dimensions": deep,
    "constants that are multiplied": constants_alone,
    "rows put under each other": under_each_other,
    "a shape of its own": own_shape,
    "a shape that is computed": shape_arithmetic,
    "an outer product": outer_product,
    "rows multiplied by rows": rows_times_rows,
    "a table whose entries are tables": table_of_tables,
    "a step over all rows": over_rows,
    "a custom operator": custom,
    "a loop": loop,
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


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (("a feature beyond the columns", "a cycle", "a root beyond the nodes"), GraphIndexError),
        (("a tensor in another file",), GraphExternalDataError),
        (("a custom operator", "a loop"), GraphOperatorError),
        (("a width that doubles at each node", "a tensor of a huge shape"), GraphTooLargeError),
        (("constants that are multiplied", "rows put under each other"), GraphTooLargeError),
        (("a tensor without its bytes",), GraphMalformedError),
    ],
)
def test_each_sort_of_hostile_graph_has_an_error_of_its_own(names: Any, error: Any, made: Any) -> None:
    package = open_package(made.built.folder)
    for name in names:
        model = onnx.load_model_from_string(package.files["model.onnx"])
        HOSTILE[name](model)
        if error is GraphOperatorError:
            del model.opset_import[2:]  # the operator itself is looked at, not only the set that it comes from
        with pytest.raises(GraphRefusedError) as caught:
            check_graph(model.SerializeToString(), package.signature)
        assert type(caught.value) is error, name


def test_bytes_that_are_no_graph_are_refused(made: Any) -> None:
    package = open_package(made.built.folder)
    whole = package.files["model.onnx"]
    for data in (b"\x80\x04junk", b"\xff" * 100, *(whole[:size] for size in range(20, len(whole), len(whole) // 7))):
        with pytest.raises(GraphRefusedError):
            check_graph(data, package.signature)
    for data in (whole[:-40], b"\xff" * 100):
        with pytest.raises(GraphMalformedError):
            check_graph(data, package.signature)


def test_a_refused_graph_costs_neither_memory_nor_the_process(made: Any, tmp_path: Path) -> None:
    """Bombs one after the other, with less memory than one of them would take; the process goes on and predicts."""
    package = open_package(made.built.folder)
    names = [name for name in HOSTILE if name not in ("a tensor in another file",)]
    for place, name in enumerate(names):
        model = onnx.load_model_from_string(package.files["model.onnx"])
        HOSTILE[name](model)
        (tmp_path / f"{place}.onnx").write_bytes(model.SerializeToString())
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import mintage\n"
        "from mintage.errors import GraphRefusedError\n"
        "from mintage.model.runtime import Predictor\n"
        f"model = mintage.load({str(made.built.folder)!r})\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)\n"
        "refused = 0\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.onnx')):\n"
        "    try:\n"
        "        Predictor(path.read_bytes(), model.signature)\n"
        "    except GraphRefusedError:\n"
        "        refused += 1\n"
        "row = {'city': 'city 01', 'grade': 'a', 'amount': 3.0, 'ratio': 0.5, 'visits': 2}\n"
        "print(refused, len(model.predict(row).scores))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [str(len(names)), "1"]


def test_the_graph_that_was_built_is_accepted(made: Any) -> None:
    package = open_package(made.built.folder)
    check_graph(package.files["model.onnx"], package.signature)


WORDS = {
    "mode": "TF",
    "min_gram_length": 1,
    "max_gram_length": 2,
    "max_skip_count": 0,
    "ngram_counts": [0, 2],
    "ngram_indexes": [0, 1, 2],
    "pool_strings": ["late", "fog", "late", "fog"],
}
CUT = {"mark": 0, "mincharnum": 1, "pad_value": "#", "tokenexp": "[a-z]+"}
LOWER = {"case_change_action": "LOWER", "is_case_sensitive": 1, "locale": "C.UTF-8"}


def words_graph(
    *, words: dict[str, Any] | None = None, cut: dict[str, Any] | None = None, lower: dict[str, Any] | None = None
) -> bytes:
    """A model of one text, with some attributes of its operators replaced."""
    nodes = [
        helper.make_node("Squeeze", ["note", "one"], ["flat"]),
        helper.make_node("StringNormalizer", ["flat"], ["low"], **{**LOWER, **(lower or {})}),
        helper.make_node("Tokenizer", ["low"], ["words"], domain="com.microsoft", **{**CUT, **(cut or {})}),
        helper.make_node("TfIdfVectorizer", ["words"], ["counts"], **{**WORDS, **(words or {})}),
        helper.make_node("Erf", ["counts"], ["bent"]),
        helper.make_node("Cast", ["bent"], ["value"], to=TensorProto.DOUBLE),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("note", TensorProto.STRING, ["rows", 1])],
        [helper.make_tensor_value_info("value", TensorProto.DOUBLE, ["rows", 3])],
        [numpy_helper.from_array(np.array([1]), "one")],
    )
    sets = [helper.make_opsetid(*item) for item in (("", 21), ("ai.onnx.ml", 5), ("com.microsoft", 1))]
    return bytes(helper.make_model(graph, opset_imports=sets, ir_version=10).SerializeToString())


def words_signature() -> Any:
    data = DataFiles(train="a", validation="b", holdout="c")
    spec = ModelSpec(
        model="m",
        task="regression",
        target=("u", "v", "w"),
        purpose="p",
        owner="o",
        inputs={"note": InputSpec(type="string", nullable=False)},
        data=data,
    )
    return build_signature(spec, classes=(), width=3, categories={}, closed=frozenset(), limits={})


def test_a_graph_that_counts_words_is_accepted_and_answers() -> None:
    predictor = Predictor(words_graph(), words_signature())
    found = predictor.predict({"note": np.array(["LATE fog late", ""], dtype=object)}).values
    assert found.shape == (2, 3)
    assert found[1].tolist() == [0.0, 0.0, 0.0]
    assert (found[0] > 0).all()


@pytest.mark.parametrize(
    "changed",
    [
        {"words": {"ngram_indexes": [0, 1, 7]}},
        {"words": {"ngram_indexes": [0, 1, 1]}},
        {"words": {"ngram_indexes": [0, 1, -1]}},
        {"words": {"ngram_indexes": [0, 1, 2, 3]}},
        {"words": {"ngram_counts": [0, 9]}},
        {"words": {"ngram_counts": [0, -2]}},
        {"words": {"ngram_counts": [0, 1]}},
        {"words": {"ngram_counts": [1, 2]}},
        {"words": {"ngram_counts": [0]}},
        {"words": {"max_gram_length": 10**6, "ngram_counts": [0] * 9}},
        {"words": {"min_gram_length": 0}},
        {"words": {"max_skip_count": 10**9}},
        {"words": {"mode": "IDF"}},
        {"words": {"weights": [1.0]}},
        {"cut": {"tokenexp": "a" * 101}},
        {"cut": {"mark": 1}},
        {"cut": {"stopwords": ["a"]}},
        {"lower": {"stopwords": ["a"]}},
    ],
    ids=str,
)
def test_a_graph_that_counts_words_in_another_way_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(GraphRefusedError):
        check_graph(words_graph(**changed), words_signature())


@pytest.mark.parametrize(
    ("operator", "domain"),
    [
        ("Loop", ""),
        ("Scan", ""),
        ("SVMClassifier", "ai.onnx.ml"),
        ("TopK", ""),
        ("CDist", "com.microsoft"),
        ("Tokenizer", ""),
        ("TfIdfVectorizer", "com.microsoft"),
    ],
)
def test_an_operator_of_published_converters_that_we_never_write_is_refused(operator: str, domain: str) -> None:
    model = onnx.load_model_from_string(words_graph())
    node = model.graph.node[4]
    node.op_type, node.domain = operator, domain
    with pytest.raises(GraphRefusedError, match="an operator that is not allowed"):
        check_graph(model.SerializeToString(), words_signature())


def test_the_set_of_text_operators_alone_or_of_another_version_is_refused() -> None:
    for sets in ([("", 21), ("ai.onnx.ml", 5), ("com.microsoft", 2)], [("", 21), ("com.microsoft", 1)]):
        model = onnx.load_model_from_string(words_graph())
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid(*item) for item in sets)
        with pytest.raises(GraphRefusedError, match="other operator sets"):
            check_graph(model.SerializeToString(), words_signature())


def test_one_long_text_does_not_make_every_row_of_its_batch_as_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor(words_graph(), words_signature())
    texts = np.array(["fog"] * 50 + ["late fog " * 1000], dtype=object)
    whole = predictor.predict({"note": texts}).values
    asked: list[int] = []
    real = predictor._run_once

    def watched(feeds: Any) -> Any:
        asked.append(len(feeds["note"]))
        return real(feeds)

    monkeypatch.setattr(predictor, "_run_once", watched)
    monkeypatch.setattr("mintage.model.runtime.MAX_WORDS", 20_000)
    assert np.array_equal(predictor.predict({"note": texts}).values, whole)
    assert max(asked) == 20_000 // (9_000 // 2 + 1)
    assert sum(asked) == 51
