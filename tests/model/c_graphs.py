"""Small graphs for the tests of the C code: made, compiled, run, and run by onnxruntime too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from runtime_suite import onnxruntime_answers

from mintage.lower.graph import Graph
from mintage.model.runtimes.base import Answers
from mintage.model.runtimes.c import RUNTIME, CompiledC
from mintage.model.signature import Input, Output, Signature

DOUBLE, FLOAT, INT64, INT32, UINT8, BOOL = 11, 1, 7, 6, 2, 9
NUMBERS = (0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -2.5, 0.1, 1e-9, 7.25, 1e9, -1e18, 5e-324, np.nan, np.inf, -np.inf)


class Probe(Graph):
    """A graph of which any tensor can be made an output, as doubles or as an integer."""

    def __init__(self, **columns: str) -> None:
        """``columns``: ``number`` or ``text`` by name."""
        super().__init__()
        self.columns = columns
        self.outputs: dict[str, tuple[str, str, int | None]] = {}
        self.item = {name: self.input(name, text=kind == "text") for name, kind in columns.items()}

    def number(self, value: Any, kind: type = np.float64) -> str:
        """A constant [1, k]."""
        return self.constant(np.atleast_2d(np.array(value, dtype=kind)))

    def as_type(self, tensor: str, kind: int) -> str:
        return self.add("Cast", [tensor], to=kind)

    def give(self, tensor: str, *, width: int = 1, cast: bool = True) -> None:
        """Make a tensor an output; ``cast`` if it is not of doubles."""
        made = self.as_type(tensor, DOUBLE) if cast else self.add("Identity", [tensor])
        self.outputs[f"o{len(self.outputs)}"] = (made, "double", width)

    def give_integer(self, tensor: str) -> None:
        """Make a tensor [N, 1] of integers an output of integers."""
        label = self.add("Squeeze", [self.as_type(tensor, INT64), self.constant(np.array([1]))])
        self.outputs[f"o{len(self.outputs)}"] = (label, "int64", None)

    def signature(self) -> Signature:
        inputs = [
            Input(name=name, datatype="BYTES" if kind == "text" else "FP64") for name, kind in self.columns.items()
        ]
        outputs = [
            Output(name=name, datatype="INT64", shape=(-1,))
            if kind == "int64"
            else Output(name=name, datatype="FP64", shape=(-1, width or 1))
            for name, (_, kind, width) in self.outputs.items()
        ]
        return Signature(
            model="probe",
            task="regression",
            target="y",
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            threshold=0.5,
        )


def both(
    probe: Probe, columns: dict[str, Any], folder: Path, *, runtime: CompiledC = RUNTIME
) -> tuple[Answers, Answers]:
    """What C and what onnxruntime answer."""
    signature, data = probe.signature(), probe.model(outputs=probe.outputs)
    with runtime.open(data, signature, folder) as session:
        return session.answer(columns), onnxruntime_answers(data, signature, columns)


def assert_same(found: Answers, expected: Answers) -> None:
    """Equal to the bit, but for the sign of zero and the kind of NaN."""
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.labels, expected.labels)


def assert_near(found: Answers, expected: Answers, tolerance: float) -> None:
    """Equal but for a share ``tolerance`` of the value; NaN and infinities at the same places."""
    np.testing.assert_allclose(found.values, expected.values, rtol=tolerance, atol=tolerance)


def pairs() -> dict[str, Any]:
    """Every pair of ``NUMBERS``, as two columns."""
    left, right = np.meshgrid(np.array(NUMBERS), np.array(NUMBERS))
    return {"x": left.reshape(-1), "y": right.reshape(-1)}


def texts(values: list[str | None]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
