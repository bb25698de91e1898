"""Predict with a model's graph: validate columns by its signature, run onnxruntime, count what was unusual.

One session with one thread; ``predict`` may be called from many threads. The graph is looked at before it is loaded
(``model.hostile``). Nothing here imports the library that trained the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from mintage.lower.graph import TEXT_DOMAIN
from mintage.model.hostile import check_graph
from mintage.model.parity import Answer
from mintage.model.signature import Signature
from mintage.model.tensors import graph_tensors
from mintage.model.validate import column_check

__all__ = ["MAX_BATCH", "Prediction", "Predictor", "load_session", "stack"]

MAX_BATCH = 10_000
MAX_VALUES = 1 << 27
"""At most so many values are computed at once, so that memory stays bounded whatever the graph."""
MAX_WORDS = 1 << 22
"""So many words of texts at most, where all rows count as having as many as the longest text may have."""
_NO_FLAGS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answers to N rows: ``outputs`` by name, as its signature lists them.

    A classifier of one target has ``probabilities`` float64 [N, classes] and ``label`` int64 [N], the place of a class;
    of several targets, each has its own; a regression has ``value`` float64 [N, targets]. ``flags`` counts, by input,
    values that were accepted although out of range or never seen in training.
    """

    outputs: Mapping[str, np.ndarray[Any, Any]]
    flags: Mapping[str, int]

    @property
    def scores(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Of a model with two classes: the probability of the second, float64 [N]."""
        found: np.ndarray[Any, np.dtype[np.float64]] = self.outputs["probabilities"][:, 1]
        return found

    @property
    def labels(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Of a classifier of one target: the place of each row's class, int64 [N]."""
        return self.outputs["label"]

    @property
    def probabilities(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Of a classifier of one target: the probability of each class, float64 [N, classes]."""
        return self.outputs["probabilities"]

    @property
    def values(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Of a regression: float64 [N, targets]."""
        return self.outputs["value"]


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


def stack(outputs: Mapping[str, np.ndarray[Any, Any]]) -> Answer:
    """All numbers of outputs side by side, and all labels."""
    rows = len(next(iter(outputs.values())))
    numbers = [array for array in outputs.values() if array.dtype.kind == "f"]
    labels = [array.reshape(-1, 1) for array in outputs.values() if array.dtype.kind == "i"]
    return Answer(
        np.concatenate(numbers, axis=1), np.concatenate([np.empty((rows, 0), dtype=np.int64), *labels], axis=1)
    )


class Predictor:
    """A loaded model: ``model`` is its folder or the bytes of its graph."""

    def __init__(self, model: bytes | Path, signature: Signature) -> None:
        data = model if isinstance(model, bytes) else (model / "model.onnx").read_bytes()
        values = check_graph(data, signature)
        self._cuts_texts = TEXT_DOMAIN.encode() in data
        self._most_rows = max(1, min(MAX_BATCH, MAX_VALUES // max(values, 1)))
        self.signature = signature
        self._session = load_session(data)
        self._outputs = [output.name for output in signature.outputs]
        taken = {item.name for item in self._session.get_inputs()}
        self._checks = [
            (item.name, column_check(item, signature.missing_text), item.name in taken) for item in signature.inputs
        ]

    def predict(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> Prediction:
        """Predict rows: arrays [N] or [N, 1] by input name, float64 or objects of str and None.

        Raises InputMissingError, InputUnknownError, InputTypeError, InputNullError, InputRangeError or
        InputShapeError. More than 10,000 rows, or fewer of a very wide graph, are run in parts.
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
        outputs = self._run_once(feeds) if rows == 1 else self.run(feeds)
        return Prediction(outputs, _NO_FLAGS if flags is None else flags)

    def run(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """The outputs for tensors [N, 1] as they are, without validation: for parity alone."""
        rows, most = len(next(iter(feeds.values()))), self._rows_at_once(feeds)
        if rows <= most:
            return self._run_once(feeds)
        parts = [
            self._run_once({name: tensor[start : start + most] for name, tensor in feeds.items()})
            for start in range(0, rows, most)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _rows_at_once(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> int:
        """Of a graph that cuts texts into words, fewer: each row gets as many words as the longest text has."""
        if not self._cuts_texts:
            return self._most_rows
        texts = [tensor for tensor in feeds.values() if tensor.dtype.kind == "O"]
        longest = max((len(value) for tensor in texts for value in tensor.ravel().tolist()), default=0)
        return max(1, min(self._most_rows, MAX_WORDS // (longest // 2 + 1)))

    def _run_once(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))
        except UnicodeEncodeError as error:
            raise InputTypeError(
                "a text is not valid Unicode", expected="text that UTF-8 can hold", found=ascii(error.object)[:80]
            ) from error

    def tensors(self, columns: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Columns as the graph takes them, without validation: for parity alone."""
        return graph_tensors(columns, self.signature, {name for name, _, taken in self._checks if taken})

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
