"""What each operator of a published converter's graph becomes in ours: the operators that every runtime has.

So a network with Gemm, Softmax or LayerNormalization runs wherever our own graphs do. A function takes a call and gives
the value that it makes; it raises ValueError for a form that it does not know. Reductions go over the columns of a row,
never over rows: a prediction must not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["OPERATORS", "Call", "Value"]

Array = np.ndarray[Any, Any]
_DTYPES = {"float": np.float32, "double": np.float64, "int64": np.int64, "int32": np.int32, "bool": np.bool_}
_CODES = {1: "float", 11: "double", 7: "int64", 6: "int32", 9: "bool"}


@dataclass(frozen=True)
class Value:
    """A tensor [rows, ``width``], a vector [rows] (held as [rows, 1]), or a constant ``array`` of any shape.

    ``picked`` are the columns of the input that it consists of, where it is nothing else.
    """

    tensor: str
    kind: str
    width: int
    vector: bool = False
    array: Array | None = None
    picked: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Call:
    """One node: its operator, what goes in (None for what is left out), and its attributes."""

    graph: Graph
    name: str
    inputs: Sequence[Value | None]
    attributes: Mapping[str, Any]

    def value(self, place: int) -> Value:
        """An input that must be there."""
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None:
            raise ValueError(f"the operator {self.name} lacks an input")
        return found

    def rows(self, place: int) -> Value:
        """An input that depends on the rows."""
        found = self.value(place)
        if found.array is not None:
            raise ValueError(f"the operator {self.name} takes a constant where rows are expected")
        return found

    def fixed(self, place: int) -> Array:
        """An input that must be a constant."""
        found = self.value(place).array
        if found is None:
            raise ValueError(f"the operator {self.name} takes a tensor where a constant is expected")
        return found

    def name_of(self, value: Value) -> str:
        """The tensor's name; a constant is written, with two dimensions at least 1 so that it meets rows."""
        if value.array is None:
            return value.tensor
        array = value.array
        if array.ndim > 2 or (array.ndim == 2 and array.shape[0] != 1):
            raise ValueError(f"the operator {self.name} takes a constant of the shape {array.shape}")
        return self.graph.constant(array.reshape(1, -1))

    def emit(self, operator: str, values: Sequence[Value], kind: str | None = None, **attributes: Any) -> Value:
        """One node of ours over matrices of equal width, or of width 1."""
        width = max(value.width for value in values)
        mixed = {value.vector for value in values if value.array is None}
        if any(value.width not in (1, width) for value in values) or len(mixed) != 1:
            raise ValueError(f"the operator {self.name} takes tensors of widths {[value.width for value in values]}")
        if mixed == {True} and width != 1:
            raise ValueError(f"the operator {self.name} takes a vector and a matrix")
        made = self.graph.add(operator, [self.name_of(value) for value in values], **attributes)
        return Value(made, kind or values[-1].kind, width, vector=mixed == {True})

    def number(self, like: Value, value: float) -> Value:
        """A constant of the type of ``like``."""
        return Value("", like.kind, 1, array=np.array([[value]], dtype=_DTYPES[like.kind]))

    def check_axis(self, axis: int) -> None:
        """Raise unless ``axis`` is the last of two."""
        if axis not in (1, -1):
            raise ValueError(f"the operator {self.name} goes over axis {axis}; only columns of a row may be added up")


Function = Callable[[Call], Value]


def _plain(call: Call) -> Value:
    values = [call.value(place) for place in range(len(call.inputs))]
    return call.emit(call.name, values, kind=values[0].kind)


def _compare(call: Call) -> Value:
    return call.emit(call.name, [call.value(place) for place in range(len(call.inputs))], kind="bool")


def _many(call: Call) -> Value:
    """Sum, Max and Min of any number, two at a time."""
    found = call.value(0)
    for place in range(1, len(call.inputs)):
        found = call.emit({"Sum": "Add"}.get(call.name, call.name), [found, call.value(place)])
    return found


def _where(call: Call) -> Value:
    condition, yes, no = (call.value(place) for place in range(3))
    return call.emit("Where", [condition, yes, no])


def _same(call: Call) -> Value:
    return call.value(0)


def _cast(call: Call) -> Value:
    value, kind = call.value(0), _CODES.get(int(call.attributes["to"]))
    if kind is None:
        raise ValueError(f"a Cast to type {call.attributes['to']}")
    if value.array is not None:
        return Value("", kind, value.width, array=value.array.astype(_DTYPES[kind]))
    return value if value.kind == kind else call.emit("Cast", [value], kind=kind, to=int(call.attributes["to"]))


def _matmul(call: Call) -> Value:
    return product(call, call.rows(0), call.fixed(1))


def product(call: Call, value: Value, right: Array) -> Value:
    """``value`` times a constant matrix."""
    if value.vector or right.ndim != 2 or right.shape[0] != value.width or right.dtype != _DTYPES[value.kind]:
        raise ValueError(f"{call.name} of [rows, {value.width}] with a constant of the shape {right.shape}")
    made = call.graph.add("MatMul", [value.tensor, call.graph.constant(np.ascontiguousarray(right))])
    return Value(made, value.kind, int(right.shape[1]))


def _gemm(call: Call) -> Value:
    attributes = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0, **call.attributes}
    if attributes["transA"]:
        raise ValueError("a Gemm that transposes the rows")
    right = call.fixed(1)
    found = product(call, call.rows(0), right.T if attributes["transB"] else right)
    if attributes["alpha"] != 1.0:
        found = call.emit("Mul", [found, call.number(found, attributes["alpha"])])
    if len(call.inputs) < 3 or call.inputs[2] is None:
        return found
    shift = call.value(2)
    if attributes["beta"] != 1.0:
        if shift.array is None:
            shift = call.emit("Mul", [shift, call.number(shift, attributes["beta"])])
        else:
            shift = Value("", shift.kind, shift.width, array=shift.array * shift.array.dtype.type(attributes["beta"]))
    return call.emit("Add", [found, shift])


def _is_inf(call: Call) -> Value:
    value = call.rows(0)
    low, high = (int(call.attributes.get(name, 1)) for name in ("detect_negative", "detect_positive"))
    if low and high:
        return call.emit("IsInf", [value], kind="bool")
    return call.emit("Equal", [value, call.number(value, np.inf if high else -np.inf)], kind="bool")


def _relu(call: Call) -> Value:
    value = call.rows(0)
    return call.emit("Max", [value, call.number(value, 0.0)])


def _leaky_relu(call: Call) -> Value:
    value = call.rows(0)
    low = call.emit("Mul", [value, call.number(value, float(call.attributes.get("alpha", 0.01)))])
    return call.emit("Where", [call.emit("Less", [value, call.number(value, 0.0)], kind="bool"), low, value])


def _elu(call: Call) -> Value:
    value = call.rows(0)
    low = call.emit("Sub", [call.emit("Exp", [value]), call.number(value, 1.0)])
    low = call.emit("Mul", [low, call.number(value, float(call.attributes.get("alpha", 1.0)))])
    return call.emit("Where", [call.emit("Less", [value, call.number(value, 0.0)], kind="bool"), low, value])


def _softplus(call: Call) -> Value:
    """log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)), which cannot overflow."""
    value = call.rows(0)
    small = call.emit("Exp", [call.emit("Neg", [call.emit("Abs", [value])])])
    small = call.emit("Log", [call.emit("Add", [small, call.number(value, 1.0)])])
    return call.emit("Add", [call.emit("Max", [value, call.number(value, 0.0)]), small])


def _reciprocal(call: Call) -> Value:
    value = call.rows(0)
    return call.emit("Div", [call.number(value, 1.0), value])


def _softmax(call: Call) -> Value:
    value = call.rows(0)
    call.check_axis(int(call.attributes.get("axis", -1)))
    raised = call.emit("Exp", [call.emit("Sub", [value, reduce(call, "ReduceMax", value)])])
    return call.emit("Div", [raised, reduce(call, "ReduceSum", raised)])


def reduce(call: Call, operator: str, value: Value) -> Value:
    """Over the columns of each row, which stays a matrix [rows, 1]."""
    if value.vector:
        raise ValueError(f"{call.name} over the rows of a vector")
    made = call.graph.add(operator, [value.tensor, call.graph.constant(np.array([1]))], keepdims=1)
    return Value(made, value.kind, 1)


def _reduce(call: Call) -> Value:
    value = call.rows(0)
    given = call.fixed(1).tolist() if len(call.inputs) > 1 else list(call.attributes.get("axes", ()))
    if len(given) != 1:
        raise ValueError(f"{call.name} over axes {given}")
    call.check_axis(int(given[0]))
    if call.name == "ReduceSumSquare":
        value = call.emit("Mul", [value, value])
    found = reduce(call, call.name if call.name in ("ReduceMax", "ReduceMin") else "ReduceSum", value)
    if call.name == "ReduceMean":
        found = call.emit("Div", [found, call.number(found, float(value.width))])
    return found if call.attributes.get("keepdims", 1) else Value(found.tensor, found.kind, 1, vector=True)


def _layer_normalization(call: Call) -> Value:
    value = call.rows(0)
    call.check_axis(int(call.attributes.get("axis", -1)))
    count = call.number(value, float(value.width))
    centred = call.emit("Sub", [value, call.emit("Div", [reduce(call, "ReduceSum", value), count])])
    spread = call.emit("Div", [reduce(call, "ReduceSum", call.emit("Mul", [centred, centred])), count])
    spread = call.emit("Add", [spread, call.number(value, float(call.attributes.get("epsilon", 1e-5)))])
    found = call.emit("Mul", [call.emit("Div", [centred, call.emit("Sqrt", [spread])]), call.value(1)])
    return call.emit("Add", [found, call.value(2)]) if len(call.inputs) > 2 and call.inputs[2] else found


def _batch_normalization(call: Call) -> Value:
    value, (scale, shift, mean, variance) = call.rows(0), (call.fixed(place) for place in range(1, 5))
    if call.attributes.get("training_mode", 0):
        raise ValueError("a BatchNormalization that is still being trained; call eval() before the export")
    kind = _DTYPES[value.kind]
    factor = (scale / np.sqrt(variance + kind(call.attributes.get("epsilon", 1e-5)))).astype(kind)
    found = call.emit("Sub", [value, Value("", value.kind, len(mean), array=mean.reshape(1, -1))])
    found = call.emit("Mul", [found, Value("", value.kind, len(factor), array=factor.reshape(1, -1))])
    return call.emit("Add", [found, Value("", value.kind, len(shift), array=shift.reshape(1, -1))])


def _gelu(call: Call) -> Value:
    value = call.rows(0)
    half = call.emit("Mul", [value, call.number(value, 0.5)])
    if call.attributes.get("approximate", b"none") == b"tanh":
        cube = call.emit("Mul", [call.emit("Mul", [value, value]), value])
        inner = call.emit("Add", [value, call.emit("Mul", [cube, call.number(value, 0.044715)])])
        curve = call.emit("Tanh", [call.emit("Mul", [inner, call.number(value, float(np.sqrt(2.0 / np.pi)))])])
    else:
        curve = call.emit("Erf", [call.emit("Mul", [value, call.number(value, float(np.sqrt(0.5)))])])
    return call.emit("Mul", [half, call.emit("Add", [curve, call.number(value, 1.0)])])


def _clip(call: Call) -> Value:
    """A NaN stays one: a comparison with it is false."""
    found = call.rows(0)
    for place, test in ((1, "Less"), (2, "Greater")):
        if place < len(call.inputs) and call.inputs[place] is not None:
            end = Value("", found.kind, 1, array=call.fixed(place).reshape(1, 1))
            found = call.emit("Where", [call.emit(test, [found, end], kind="bool"), end, found])
    return found


def _concat(call: Call) -> Value:
    values = [call.rows(place) for place in range(len(call.inputs))]
    call.check_axis(int(call.attributes["axis"]))
    if any(value.vector for value in values) or len({value.kind for value in values}) != 1:
        raise ValueError("a Concat of vectors, or of several types")
    tensor = call.graph.add("Concat", [value.tensor for value in values], axis=1)
    return Value(tensor, values[0].kind, sum(value.width for value in values))


def _pick(call: Call) -> Value:
    """Gather of columns, and ArrayFeatureExtractor."""
    value, places = call.rows(0), call.fixed(1).ravel().astype(np.int64)
    if call.name == "Gather":
        call.check_axis(int(call.attributes.get("axis", 0)))
        if call.fixed(1).ndim != 1:
            raise ValueError("a Gather of another form")
    if value.vector or not len(places) or (places < -value.width).any() or (places >= value.width).any():
        raise ValueError(f"{call.name} takes columns that are not there")
    places = np.where(places < 0, places + value.width, places)
    first = value.picked
    made = call.graph.add("Gather", [value.tensor, call.graph.constant(places)], axis=1)
    picked = None if first is None else tuple(first[place] for place in places.tolist())
    return Value(made, value.kind, len(places), picked=picked)


def _slice(call: Call) -> Value:
    value = call.rows(0)
    starts, ends = (call.fixed(place).ravel().tolist() for place in (1, 2))
    axes = call.fixed(3).ravel().tolist() if len(call.inputs) > 3 else []
    steps = call.fixed(4).ravel().tolist() if len(call.inputs) > 4 else [1]
    if value.vector or len(axes) != 1 or steps != [1]:
        raise ValueError("a Slice of another form")
    call.check_axis(int(axes[0]))
    places = np.arange(value.width, dtype=np.int64)[int(starts[0]) : min(int(ends[0]), value.width)]
    if not len(places):
        raise ValueError("a Slice that takes no column")
    made = call.graph.add("Gather", [value.tensor, call.graph.constant(places)], axis=1)
    return Value(made, value.kind, len(places))


def _reshape(call: Call) -> Value:
    """Only what changes nothing: a matrix stays one, and one column may be a vector."""
    value = call.value(0)
    if call.name == "Flatten":
        call.check_axis(int(call.attributes.get("axis", 1)))
        shape = [-1, value.width]
    else:
        shape = call.fixed(1).ravel().astype(np.int64).tolist()
    if value.array is not None:
        return constant(value.array.reshape(shape), value)
    width = value.width
    if shape in ([-1, width], [0, width], [0, -1]) or (shape == [-1, 1] and width == 1):
        return Value(value.tensor, value.kind, width, picked=value.picked)
    if shape == [-1] and width == 1:
        return Value(value.tensor, value.kind, 1, vector=True)
    raise ValueError(f"a {call.name} of [rows, {width}] to {shape}")


def constant(array: Array, like: Value) -> Value:
    """A constant of the same type."""
    return Value("", like.kind, array.shape[-1] if array.ndim else 1, array=array)


def _transpose(call: Call) -> Value:
    return constant(call.fixed(0).transpose(call.attributes.get("perm")), call.value(0))


def _squeeze(call: Call) -> Value:
    """From a matrix of one column to a vector, or back; of a constant too."""
    value = call.value(0)
    given = call.fixed(1).ravel().tolist() if len(call.inputs) > 1 else list(call.attributes.get("axes", ()))
    if value.array is not None:
        axes = tuple(int(axis) for axis in given)
        found = value.array.squeeze(axes) if call.name == "Squeeze" else np.expand_dims(value.array, axes)
        return constant(found, value)
    if len(given) != 1 or value.width != 1 or value.vector != (call.name == "Unsqueeze"):
        raise ValueError(f"a {call.name} of [rows, {value.width}] at {given}")
    call.check_axis(int(given[0]))
    return Value(value.tensor, value.kind, 1, vector=call.name == "Squeeze")


OPERATORS: Mapping[str, Function] = {
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow"), _plain),
    **dict.fromkeys(("Abs", "Neg", "Exp", "Log", "Sqrt", "Sigmoid", "Tanh", "Floor", "Ceil", "Erf"), _plain),
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Not"), _compare),
    **dict.fromkeys(("IsNaN",), _compare),
    **dict.fromkeys(("Max", "Min", "Sum"), _many),
    **dict.fromkeys(("Identity", "Dropout"), _same),
    **dict.fromkeys(("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare"), _reduce),
    **dict.fromkeys(("Reshape", "Flatten"), _reshape),
    **dict.fromkeys(("Squeeze", "Unsqueeze"), _squeeze),
    **dict.fromkeys(("Gather", "ai.onnx.ml.ArrayFeatureExtractor"), _pick),
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Elu": _elu,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "IsInf": _is_inf,
    "LayerNormalization": _layer_normalization,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "Reciprocal": _reciprocal,
    "Relu": _relu,
    "Slice": _slice,
    "Softmax": _softmax,
    "Softplus": _softplus,
    "Transpose": _transpose,
    "Where": _where,
}
