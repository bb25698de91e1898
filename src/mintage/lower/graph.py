"""Write an ONNX graph whose bytes depend on nothing but what was added to it.

Names are numbered in the order of writing, constants that are equal are written once, the operator sets are pinned,
and no time, host or version enters. Reading a graph is the work of ``model.hostile`` and ``model.program``.

>>> graph = Graph()
>>> x = graph.input("x", text=False)
>>> y = graph.add("Sub", [x, graph.constant(np.array([[1.0]]))])
>>> data = graph.model(outputs={"y": (y, "double", 1)})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

__all__ = ["ML_DOMAIN", "ML_OPSET", "OPSET", "TEXT_DOMAIN", "TEXT_OPSET", "Graph"]

OPSET = 21
ML_OPSET = 5
IR_VERSION = 10
ML_DOMAIN = "ai.onnx.ml"
TEXT_DOMAIN, TEXT_OPSET = "com.microsoft", 1
"""Where onnxruntime has the one operator that cuts texts into words."""
_TYPES = {"double": TensorProto.DOUBLE, "int64": TensorProto.INT64, "string": TensorProto.STRING}


class Graph:
    """An ONNX graph under construction; each ``add`` returns the name of the tensor that it makes."""

    def __init__(self) -> None:
        self._inputs: dict[str, Any] = {}
        self._nodes: list[Any] = []
        self._makers: dict[str, Any] = {}
        self._constants: dict[tuple[bytes, str, tuple[int, ...]], tuple[str, Any]] = {}
        self._made: dict[tuple[Any, ...], str] = {}

    def input(self, name: str, *, text: bool) -> str:
        """A raw column: a tensor [N, 1] of strings or doubles. Its tensor's name is the column's."""
        kind = TensorProto.STRING if text else TensorProto.DOUBLE
        self._inputs[name] = helper.make_tensor_value_info(name, kind, ["rows", 1])
        return name

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        """A constant tensor."""
        array = np.ascontiguousarray(array)
        key = (array.tobytes(), array.dtype.str, array.shape)
        if key not in self._constants:
            name = f"#c{len(self._constants)}"
            self._constants[key] = (name, numpy_helper.from_array(array, name))
        return self._constants[key][0]

    def add(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """One node of the main domain with one output."""
        return self._add(operator, inputs, "", attributes)

    def add_ml(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """One node of ai.onnx.ml with one output; arrays become tensor attributes."""
        tensors = {
            key: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            for key, value in attributes.items()
        }
        return self._add(operator, inputs, ML_DOMAIN, tensors)

    def add_text(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """One node of com.microsoft with one output; the graph then needs that operator set too."""
        return self._add(operator, inputs, TEXT_DOMAIN, attributes)

    def _add(self, operator: str, inputs: Sequence[str], domain: str, attributes: Mapping[str, Any]) -> str:
        name = f"#t{len(self._nodes)}"
        node = helper.make_node(operator, list(inputs), [name], domain=domain, **attributes)
        self._nodes.append(node)
        self._makers[name] = node
        return name

    def made_by(self, tensor: str) -> tuple[str, tuple[str, ...]]:
        """The operator that makes a tensor, and its inputs; ``("", ())`` of an input or a constant."""
        node = self._makers.get(tensor)
        return ("", ()) if node is None else (str(node.op_type), tuple(node.input))

    def operators(self, tensors: Iterable[str]) -> set[str]:
        """All operators that tensors have come through."""
        pending, seen, found = list(tensors), set(), set()
        while pending:
            tensor = pending.pop()
            if tensor not in seen:
                seen.add(tensor)
                operator, inputs = self.made_by(tensor)
                found.add(operator)
                pending.extend(inputs)
        return found - {""}

    def once(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Like ``add``, but the same node with the same inputs is written once."""
        key = (operator, tuple(inputs), tuple(sorted(attributes.items())))
        if key not in self._made:
            self._made[key] = self.add(operator, inputs, **attributes)
        return self._made[key]

    def concat(self, tensors: Sequence[str]) -> str:
        """Tensors [N, k] side by side; one tensor stays as it is."""
        return tensors[0] if len(tensors) == 1 else self.once("Concat", tensors, axis=1)

    def model(self, *, outputs: Mapping[str, tuple[str, str, int | None]]) -> bytes:
        """The model's bytes, once; ``outputs`` maps a name to (tensor, type, width), width None for a vector."""
        self._nodes.extend(
            helper.make_node("Identity", [tensor], [f"#o{name}"])
            for name, (tensor, _, _) in outputs.items()
            if tensor in self._inputs
        )
        names = {f"#o{name}" if tensor in self._inputs else tensor: name for name, (tensor, _, _) in outputs.items()}
        for node in self._nodes:
            node.input[:] = [names.get(tensor, tensor) for tensor in node.input]
            node.output[:] = [names.get(tensor, tensor) for tensor in node.output]
        self._nodes = self._needed(outputs)
        infos = [
            helper.make_tensor_value_info(name, _TYPES[kind], ["rows"] if width is None else ["rows", width])
            for name, (_, kind, width) in outputs.items()
        ]
        used = {tensor for node in self._nodes for tensor in node.input}
        constants = [tensor for name, tensor in self._constants.values() if name in used]
        graph = helper.make_graph(self._nodes, "model", list(self._inputs.values()), infos, constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
        if any(node.domain == TEXT_DOMAIN for node in self._nodes):
            opsets.append(helper.make_opsetid(TEXT_DOMAIN, TEXT_OPSET))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="mintage")
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _needed(self, outputs: Iterable[str]) -> list[Any]:
        """The nodes that an output depends on; what was written for a probe alone is left out."""
        wanted, kept = set(outputs), []
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                wanted.update(node.input)
                kept.append(node)
        return kept[::-1]
