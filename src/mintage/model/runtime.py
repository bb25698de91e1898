"""Predict with a model's graph: validate columns by its signature, run onnxruntime, count what was unusual.

One session with one thread; ``predict`` may be called from many threads. The graph is looked at before it is loaded
(``model.hostile``). Nothing here imports the library that trained the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime

from mintage.errors import (
    DataError,
    GraphRefusedError,
    InputMissingError,
    InputShapeError,
    InputTypeError,
    InputUnknownError,
)
from mintage.model.hostile import check_graph
from mintage.model.signature import Signature
from mintage.model.validate import column_check

__all__ = ["MAX_BATCH", "Prediction", "Predictor", "load_session"]

MAX_BATCH = 10_000
_OUTPUTS = ["probabilities", "label"]
_NO_FLAGS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Prediction:
    """``scores`` float64 [N], the probability of the positive class; ``labels`` int64 [N], 1 from the threshold up.

    ``flags`` counts, by input, values that were accepted although out of range or never seen in training.
    """

    scores: np.ndarray[Any, np.dtype[np.float64]]
    labels: np.ndarray[Any, np.dtype[np.int64]]
    flags: Mapping[str, int]


def load_session(onnx: bytes) -> onnxruntime.InferenceSession:
    """A session of one thread on the CPU; raises GraphRefusedError if the runtime does not load the graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise GraphRefusedError("onnxruntime does not load the graph", found=str(error)[:500]) from error


class Predictor:
    """A loaded model: ``model`` is its folder or the bytes of its graph."""

    def __init__(self, model: bytes | Path, signature: Signature) -> None:
        data = model if isinstance(model, bytes) else (model / "model.onnx").read_bytes()
        check_graph(data, signature)
        self.signature = signature
        self._session = load_session(data)
        taken = {item.name for item in self._session.get_inputs()}
        self._checks = [
            (item.name, column_check(item, signature.missing_text), item.name in taken) for item in signature.inputs
        ]

    def predict(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> Prediction:
        """Predict rows: arrays [N] or [N, 1] by input name, float64 or objects of str and None.

        Raises InputMissingError, InputUnknownError, InputTypeError, InputNullError, InputRangeError or
        InputShapeError. More than 10,000 rows are run in parts.
        """
        feeds = {}
        flags: dict[str, int] | None = None
        rows = -1
        for name, check, taken in self._checks:
            try:
                tensor, flagged = check(columns[name])
            except KeyError:
                raise self._missing(columns) from None
            if rows < 0:
                rows = len(tensor)
            elif len(tensor) != rows:
                raise InputShapeError(f"input {name} has another length", expected=str(rows), found=str(len(tensor)))
            if flagged:
                flags = {} if flags is None else flags
                flags[name] = flagged
            if taken:
                feeds[name] = tensor
        if len(columns) != len(self._checks):
            raise self._unknown(columns)
        probabilities, labels = self.run(feeds) if rows <= MAX_BATCH else self._run_in_parts(feeds, rows)
        return Prediction(probabilities[:, 1], labels, _NO_FLAGS if flags is None else flags)

    def run(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Probabilities [N, 2] and labels [N] of tensors [N, 1] as they are, without validation: for parity alone."""
        try:
            return cast("tuple[Any, Any]", self._session.run(_OUTPUTS, feeds))
        except UnicodeEncodeError as error:
            raise InputTypeError(
                "a text is not valid Unicode", expected="text that UTF-8 can hold", found=ascii(error.object)[:80]
            ) from error

    def _run_in_parts(self, feeds: Mapping[str, np.ndarray[Any, Any]], rows: int) -> tuple[Any, Any]:
        parts = [
            self.run({name: tensor[start : start + MAX_BATCH] for name, tensor in feeds.items()})
            for start in range(0, rows, MAX_BATCH)
        ]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def tensors(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Columns as the graph takes them, without validation: for parity alone."""
        found = {}
        for item in self.signature.inputs:
            column = columns[item.name]
            if item.datatype == "BYTES":
                values = [self.signature.missing_text if value is None else value for value in column.tolist()]
                column = np.array(values, dtype=object)
            found[item.name] = column.reshape(-1, 1)
        taken = {name for name, _, taken in self._checks if taken}
        return {name: tensor for name, tensor in found.items() if name in taken}

    def accepts(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows pass validation, one by one."""
        rows = len(next(iter(columns.values())))
        accepted = np.ones(rows, dtype=bool)
        for name, check, _ in self._checks:
            column = columns[name]
            _mark(check, column, 0, rows, accepted)
        return accepted

    def _missing(self, columns: Mapping[str, Any]) -> InputMissingError:
        absent = [name for name, _, _ in self._checks if name not in columns]
        return InputMissingError(
            "an input is missing",
            expected=", ".join(name for name, _, _ in self._checks),
            found=f"no {', '.join(absent)}",
        )

    def _unknown(self, columns: Mapping[str, Any]) -> InputUnknownError:
        known = [name for name, _, _ in self._checks]
        extra = sorted(str(name) for name in columns if name not in known)
        return InputUnknownError("an input is not known", expected=", ".join(known), found=", ".join(extra)[:200])


def _mark(check: Any, column: Any, first: int, last: int, accepted: Any) -> None:
    """Halve until each refused row is alone."""
    if first == last:
        return
    try:
        check(column[first:last])
    except DataError:
        if last - first == 1:
            accepted[first] = False
            return
        middle = (first + last) // 2
        _mark(check, column, first, middle, accepted)
        _mark(check, column, middle, last, accepted)
