"""What callers get of a model's prediction: tensors over HTTP, columns in a file, entries in the log.

A model of one target with two classes gives ``score``, the probability of the second, and ``label``. Every other gives
its outputs as the signature names them, and beside each label the class's own name. See docs/spec/gateway.md.

>>> from mintage.model.signature import Input, Output, Signature
>>> signature = Signature(model="wait", task="regression", target="minutes", inputs=(Input(name="x", datatype="FP64"),),
...     outputs=(Output(name="value", datatype="FP64", shape=(-1, 1)),), threshold=0.5)
>>> [(output.name, output.datatype, output.shape) for output in outputs_of(signature).declared]
[('value', 'FP64', (-1,))]
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mintage.lower.description import Class
from mintage.model.runtime import Prediction
from mintage.model.signature import Output, Signature
from mintage.serve.oip import OutputTensor

__all__ = ["Declared", "Given", "Outputs", "class_name", "outputs_of"]

Array = np.ndarray[Any, Any]
Given = tuple[Sequence[OutputTensor], Sequence[Any], Sequence[Any]]
"""Tensors, and a row's numbers and labels as the prediction log keeps them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """One output as callers see it; ``classes`` names the columns of probabilities, or what places of a label mean."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    classes: tuple[str, ...] | None = None


class Outputs(Protocol):
    """One model's outputs. ``labels`` is how many labels a row has; ``fields`` the columns of a file, with their type.

    Types are those of NumPy: float64, int64, and object for text.
    """

    is_scored: bool
    declared: tuple[Declared, ...]
    width: int
    labels: int
    fields: tuple[tuple[str, type], ...]

    def give(self, prediction: Prediction, rows: int) -> Given:
        """A prediction of so many rows as callers get it."""

    def columns(self, values: Array, labels: Array) -> Mapping[str, Array]:
        """The columns of a file for all numbers [N, width] and labels [N, labels] of N rows."""


def outputs_of(signature: Signature) -> Outputs:
    """What callers get of a model with this signature."""
    return _Scored() if signature.is_scored else _Named(signature)


def class_name(value: Class) -> str:
    """A class as text: itself, or as JSON has it.

    >>> class_name("UA"), class_name(3), class_name(True)
    ('UA', '3', 'true')
    """
    return value if isinstance(value, str) else json.dumps(value)


class _Scored:
    """One target, two classes: the hot path of most models."""

    is_scored = True
    declared: tuple[Declared, ...] = (
        Declared(name="score", datatype="FP64", shape=(-1,)),
        Declared(name="label", datatype="INT64", shape=(-1,)),
    )
    width, labels = 2, 1
    fields: tuple[tuple[str, type], ...] = (("score", np.float64), ("label", np.int64))

    def give(self, prediction: Prediction, rows: int) -> Given:
        scores, labels = prediction.scores.tolist(), prediction.labels.tolist()
        shape = (rows,)
        return (
            (OutputTensor("score", "FP64", shape, scores), OutputTensor("label", "INT64", shape, labels)),
            scores,
            labels,
        )

    def columns(self, values: Array, labels: Array) -> Mapping[str, Array]:
        return {"score": values[:, 1], "label": labels[:, 0]}


class _Named:
    """Every other model, by the names of its signature."""

    is_scored = False

    def __init__(self, signature: Signature) -> None:
        self._outputs = signature.outputs
        self._classes: dict[str, tuple[str, ...]] = {
            output.name: tuple(map(class_name, output.classes)) for output in signature.outputs if output.classes
        }
        targets = (signature.target,) if isinstance(signature.target, str) else signature.target
        self.declared = tuple(part for output in signature.outputs for part in self._declare(output, targets))
        self.width = sum(output.shape[-1] for output in signature.outputs if output.datatype == "FP64")
        self.labels = len(self._classes)
        self.fields = tuple(field for part in self.declared for field in _fields(part, targets))
        if len({name for name, _ in self.fields}) != len(self.fields):  # target a.b, class c and target a, class b.c
            self.fields = tuple((f"{at}.{name}", kind) for at, (name, kind) in enumerate(self.fields))

    def _declare(self, output: Output, targets: tuple[str, ...]) -> tuple[Declared, ...]:
        if output.datatype == "INT64":
            names = self._classes[output.name]
            label = Declared(name=output.name, datatype="INT64", shape=(-1,), classes=names)
            return label, Declared(name=_class_of(output.name), datatype="BYTES", shape=(-1,))
        label_name = f"label{output.name.removeprefix('probabilities')}"
        shape = (-1,) if output.shape[-1] == 1 else output.shape
        return (Declared(name=output.name, datatype="FP64", shape=shape, classes=self._classes.get(label_name)),)

    def give(self, prediction: Prediction, rows: int) -> Given:
        tensors: list[OutputTensor] = []
        numbers, places = [], []
        for output in self._outputs:
            found = prediction.outputs[output.name]
            if output.datatype == "FP64":
                numbers.append(found)
                shape = (rows,) if output.shape[-1] == 1 else (rows, output.shape[-1])
                tensors.append(OutputTensor(output.name, "FP64", shape, finite(found.ravel().tolist())))
                continue
            labels, names = found.tolist(), self._classes[output.name]
            places.append(labels)
            tensors.append(OutputTensor(output.name, "INT64", (rows,), labels))
            tensors.append(OutputTensor(_class_of(output.name), "BYTES", (rows,), [names[place] for place in labels]))
        values = np.concatenate(numbers, axis=1).tolist()
        return tensors, [finite(row) for row in values], [list(row) for row in zip(*places, strict=True)] or [[]] * rows

    def columns(self, values: Array, labels: Array) -> Mapping[str, Array]:
        arrays: list[Array] = []
        first = label = 0
        for output in self._outputs:
            if output.datatype == "FP64":
                arrays += [values[:, at] for at in range(first, first + output.shape[-1])]
                first += output.shape[-1]
                continue
            names = np.array(self._classes[output.name], dtype=object)
            arrays += [labels[:, label], names[labels[:, label]]]
            label += 1
        return {name: array for (name, _), array in zip(self.fields, arrays, strict=True)}


def finite(values: list[float]) -> list[float | None]:
    """JSON has no other numbers: None for what is not finite."""
    return [value if math.isfinite(value) else None for value in values]


def _class_of(label: str) -> str:
    return f"class{label.removeprefix('label')}"


def _fields(part: Declared, targets: tuple[str, ...]) -> list[tuple[str, type]]:
    """The columns of one output in a file, which has no tensors: one for each class, or each target of a regression."""
    if part.datatype != "FP64":
        return [(part.name, np.int64 if part.datatype == "INT64" else object)]
    if len(part.shape) == 1:
        return [(part.name, np.float64)]
    return [(f"{part.name}.{tail}", np.float64) for tail in part.classes or targets]
