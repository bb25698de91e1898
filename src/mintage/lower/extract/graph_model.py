"""A model that is a graph already: a PyTorch program (``model.pt2``) or an ONNX file (``model.onnx``).

It takes one tensor of floats ``[rows, k]``, the declared inputs in their order. If it ends in a Softmax, or in a
Sigmoid of one column, its answers are probabilities, of the classes 0, 1, … or of those that the file names; else
numbers. A row to which it gives no finite number is one that it refuses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .refused import Refused

__all__ = ["GRAPH", "SUFFIXES", "GraphModel", "open_graph"]

GRAPH = "mintage.Graph"
SUFFIXES = (".onnx", ".pt2")
CLASSES = "classes"
OPSET = 21


class GraphModel:
    """A network: ``predict`` alone. ``n_features_in_`` is the number of columns that it takes, if it says so."""

    n_features_in_: int | None = None

    def __init__(self, onnx: bytes, converter: str, run: Any, classes: Any) -> None:
        self.onnx, self.converter, self.run = onnx, converter, run
        if classes is not None:
            self.classes_ = np.array(classes)

    def fields(self) -> dict[str, Any]:
        """What is written of it."""
        return {
            "#onnx": np.frombuffer(self.onnx, dtype=np.uint8),
            "#converter": self.converter,
            "#classes": len(getattr(self, "classes_", ())),
        }

    def answer(self, rows: Any) -> Any:
        """Its numbers [rows, W] as float64."""
        if rows.dtype == object:
            raise Refused("the network takes numbers only, and the model declares texts")
        with np.errstate(over="ignore"):
            given = np.ascontiguousarray(rows, dtype=np.float32)
        found = np.asarray(self.run(given), dtype=np.float64).reshape(len(rows), -1)
        if not np.isfinite(found).all():
            raise ValueError("the network gives no finite number")
        return found

    def predict(self, rows: Any) -> Any:
        """Numbers."""
        return self.answer(rows)


class GraphClassifier(GraphModel):
    """A network that ends in probabilities."""

    def predict_proba(self, rows: Any) -> Any:
        """Probabilities of all classes; of one column, it is that of the second class."""
        found = self.answer(rows)
        return np.concatenate([1.0 - found, found], axis=1) if found.shape[1] == 1 else found

    def predict(self, rows: Any) -> Any:
        """The likeliest class."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


def open_graph(path: Path) -> GraphModel:
    """Open the file with what the environment has for it."""
    return _open_torch(path) if path.suffix == ".pt2" else _open_onnx(path)


def _open_torch(path: Path) -> GraphModel:
    try:
        import onnxscript  # type: ignore[import-not-found]
        import torch  # type: ignore[import-not-found]
    except ImportError as error:
        raise Refused(
            f"a PyTorch program needs torch and onnxscript in its environment: {error}; `pip install onnxscript` there"
        ) from error
    torch.set_num_threads(1)
    extra = {CLASSES: ""}
    try:
        program = torch.export.load(str(path), extra_files=extra)
        exported = torch.onnx.export(program, dynamo=True, opset_version=OPSET, verbose=False)
    except Exception as error:
        raise Refused(f"the PyTorch program cannot be opened or exported: {type(error).__name__}: {error}") from error
    module = program.module()

    def run(rows: Any) -> Any:
        with torch.inference_mode():
            found = module(torch.from_numpy(rows))
        return (found[0] if isinstance(found, tuple | list) else found).numpy()

    name = f"torch.onnx {torch.__version__} with onnxscript {onnxscript.__version__}"
    proto = exported.model_proto
    return _model(proto, proto.SerializeToString(), name, run, extra[CLASSES])


def _open_onnx(path: Path) -> GraphModel:
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise Refused(f"an ONNX file needs onnx and onnxruntime in its environment: {error}") from error
    data = path.read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        proto = onnx.load_model_from_string(data)
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Refused(f"the ONNX file cannot be opened: {type(error).__name__}: {error}") from error
    taken = session.get_inputs()
    if len(taken) != 1 or taken[0].type not in ("tensor(float)", "tensor(double)"):
        raise Refused("the ONNX file has not one input of floats or doubles [rows, k]")
    kind = np.float32 if taken[0].type == "tensor(float)" else np.float64
    numbers = [item.name for item in session.get_outputs() if item.type in ("tensor(float)", "tensor(double)")]
    if not numbers:
        raise Refused("the ONNX file has no output of floats or doubles")

    def run(rows: Any) -> Any:
        return session.run(numbers[:1], {taken[0].name: rows.astype(kind)})[0]

    named = {item.key: item.value for item in proto.metadata_props}.get(CLASSES, "")
    made_by = f"{proto.producer_name or 'its author'} {proto.producer_version}".strip()
    name = f"{made_by}, as ONNX, with onnxruntime {onnxruntime.__version__}"
    return _model(proto, data, name, run, named)


def _model(proto: Any, data: bytes, name: str, run: Any, named: Any) -> GraphModel:
    classes = _classes(proto, named)
    kind = GraphModel if classes is None else GraphClassifier
    model = kind(data, name, run, classes)
    shape = [part.dim_value for part in proto.graph.input[0].type.tensor_type.shape.dim] if proto.graph.input else []
    if len(shape) == 2 and shape[1] > 0:
        model.n_features_in_ = int(shape[1])
    return model


def _classes(proto: Any, named: Any) -> list[Any] | None:
    """The classes that the file names, or as many as the columns of its Softmax or Sigmoid; None of plain numbers."""
    if named:
        try:
            found = json.loads(named)
        except ValueError as error:
            raise Refused(f"the file's {CLASSES} are not JSON: {error}") from error
        if not isinstance(found, list) or len(found) < 2:
            raise Refused(f"the file's {CLASSES} are not a list of two or more")
        return found
    output = next((item for item in proto.graph.output if item.type.tensor_type.elem_type in (1, 11)), None)
    last = next((node for node in proto.graph.node if output is not None and output.name in node.output), None)
    if output is None or last is None or last.op_type not in ("Sigmoid", "Softmax"):
        return None
    shape = [part.dim_value for part in output.type.tensor_type.shape.dim]
    width = shape[-1] if len(shape) == 2 else 1
    if last.op_type == "Sigmoid" and width != 1:
        return None
    if last.op_type == "Softmax" and width < 2:
        raise Refused("the network ends in a Softmax of one column, which is always 1")
    return list(range(2 if width == 1 else width))
