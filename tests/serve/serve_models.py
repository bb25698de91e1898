"""Small real models for the tests of this folder: an ONNX graph, its signature and golden vectors, signed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mintage.attest.oms import sign_model
from mintage.lower.graph import ML_DOMAIN, ML_OPSET, OPSET
from mintage.model.golden import Golden, encode_golden
from mintage.model.signature import Input, Output, Signature, encode_signature

OUTPUTS = (
    Output(name="probabilities", datatype="FP64", shape=(-1, 2)),
    Output(name="label", datatype="INT64", shape=(-1,), classes=(0, 1)),
)
INPUTS = (
    Input(name="x", datatype="FP64", nullable=False, range=(-1000.0, 1000.0)),
    Input(name="y", datatype="FP64"),
    Input(name="name", datatype="BYTES", categories=("a", "b")),
)


def small_signature(**changes):
    parts = {"model": "late", "task": "binary", "target": "late", "inputs": INPUTS, "outputs": OUTPUTS}
    return Signature(**parts | {"threshold": 0.5, "time": "at", "id": "id"} | changes)


def small_graph(bias, inputs=INPUTS):
    """sigmoid(x + (y, or 0 when missing) + (0 for a, 1 for b, 2 otherwise) + bias)"""
    array = numpy_helper.from_array
    text = {
        "domain": ML_DOMAIN,
        "keys_strings": ["a", "b"],
        "values_tensor": array(np.array([0, 1])),
        "default_tensor": array(np.array([2])),
    }
    nodes = [
        helper.make_node("IsNaN", ["y"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "y"], ["filled"]),
        helper.make_node("LabelEncoder", ["name"], ["place"], **text),
        helper.make_node("Cast", ["place"], ["level"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["x", "filled"], ["two"]),
        helper.make_node("Add", ["two", "level"], ["three"]),
        helper.make_node("Add", ["three", "bias"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["positive"]),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["negative", "positive"], ["probabilities"], axis=1),
        helper.make_node("GreaterOrEqual", ["positive", "half"], ["late"]),
        helper.make_node("Cast", ["late"], ["labels"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["labels", "axis"], ["label"]),
    ]
    kinds = {item.name: TensorProto.STRING if item.datatype == "BYTES" else TensorProto.DOUBLE for item in inputs}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, kind, ["N", 1]) for name, kind in kinds.items()],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["N", 2]),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        ],
        [
            array(np.array(value), name)
            for name, value in (("zero", 0.0), ("one", 1.0), ("half", 0.5), ("bias", float(bias)), ("axis", [1]))
        ],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def small_score(x, y, name, bias=0.0):
    """What the small model must answer."""
    raw = x + (0.0 if y is None or math.isnan(y) else y) + {"a": 0.0, "b": 1.0}.get(name, 2.0) + bias
    return 1 / (1 + math.exp(-raw))


ROWS = {"x": [0.1, -0.7, 0.0, 3.0, -3.0, 0.5, 2.0, -1.0, 1e-9], "y": [None, 0.2, 0.0, 1.0, None, -0.5, 9.0, 1.0, None]}
NAMES = ["a", "b", "c", None, "a", "", "b", "a", "c"]


def build_small_model(folder, bias, signer, *, golden_bias=None, **signature):
    """Write and sign a small model; with ``golden_bias`` its golden vectors are those of another one."""
    (folder / "golden").mkdir(parents=True)
    face = small_signature(**signature)
    rows = list(zip(*ROWS.values(), NAMES, strict=True))
    scores = np.array([small_score(*row, bias if golden_bias is None else golden_bias) for row in rows])
    golden = Golden(
        columns={
            item.name: np.array(NAMES, dtype=object)
            if item.datatype == "BYTES"
            else np.array(ROWS.get(item.name, ROWS["x"]), dtype=np.float64)
            for item in face.inputs
        },
        values=np.stack([1 - scores, scores], axis=1),
        labels=(scores >= 0.5).astype(np.int64).reshape(-1, 1),
        tolerance=1e-12,
    )
    inputs, expected = encode_golden(golden)
    files = {
        "golden/inputs.json": inputs,
        "golden/expected.json": expected,
        "model.onnx": small_graph(bias, face.inputs),
        "signature.json": encode_signature(face),
        "parity.json": b"{}",
        "profile.json": b"{}",
        "card.json": b"{}",
        "CARD.md": b"# small\n",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return SmallModel(folder, sign_model(folder, signer))


class SmallModel(NamedTuple):
    folder: Path
    root: str
