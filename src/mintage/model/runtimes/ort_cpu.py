"""ONNX Runtime on this machine's processor, with one thread: the runtime that serves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from mintage.model.runtime import load_session, stack
from mintage.model.runtimes.base import Answers, Columns, Found, Missing, Session
from mintage.model.runtimes.timing import time_calls
from mintage.model.signature import Signature
from mintage.model.tensors import graph_tensors

__all__ = ["RUNTIME"]


class _Loaded:
    def __init__(self, onnx: bytes, signature: Signature) -> None:
        self._session = load_session(onnx)
        self._signature = signature
        self._taken = {item.name for item in self._session.get_inputs()}

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        """See ``runtimes.base.Session``."""
        feeds = graph_tensors(columns, self._signature, self._taken)
        answers = stack(self._run(feeds))
        rows = [
            {name: tensor[row : row + 1] for name, tensor in feeds.items()}
            for row in range(min(timed, len(answers.values)))
        ]
        return Answers(answers.values, answers.labels, time_calls(self._run, rows, timed))

    def _run(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        names = [output.name for output in self._signature.outputs]
        return dict(zip(names, self._session.run(names, feeds), strict=True))


class _OrtCpu:
    name = "ort-cpu"

    def find(self) -> Found | Missing:
        """Always here: it is a dependency."""
        return Found(f"onnxruntime {onnxruntime.__version__}")

    @contextlib.contextmanager
    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> Iterator[Session]:
        """Load the graph; raises GraphRefusedError."""
        yield _Loaded(onnx, signature)


RUNTIME = _OrtCpu()
