"""What another runtime is to the parity command: whether it is here, and its answers to rows.

A runtime gets the bytes of the graph and the signature, never the estimator. It answers rows that validation has
accepted. ``tests/model/runtime_suite.py`` is what every runtime must pass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mintage.model.signature import Signature

__all__ = ["Answers", "Columns", "Found", "Missing", "Runtime"]

Columns = Mapping[str, "np.ndarray[Any, Any]"]


@dataclass(frozen=True)
class Answers:
    """Answers to N rows.

    ``values`` float64 [N, W]: the columns of all FP64 outputs of the signature, side by side in its order. ``labels``
    int64 [N, H]: its INT64 outputs, one column each (H may be 0). ``single_us`` are times of predictions of one row,
    in microseconds, after a warm-up, the call into the runtime alone; empty if it cannot be timed so.
    """

    values: np.ndarray[Any, np.dtype[np.float64]]
    labels: np.ndarray[Any, np.dtype[np.int64]]
    single_us: Sequence[float]


@dataclass(frozen=True)
class Found:
    """The runtime is here: what it is and its version, as ``onnxruntime-node 1.30.0 (Node v20.20.2)``."""

    version: str


@dataclass(frozen=True)
class Missing:
    """The runtime is not here: what is missing, and how to get it."""

    what: str
    hint: str


class Runtime(Protocol):
    """One runtime; ``name`` is what ``mintage parity --runtimes`` takes."""

    name: str

    def find(self) -> Found | Missing:
        """Whether it can answer on this machine; quick, and never an error."""

    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> contextlib.AbstractContextManager[Session]:
        """Load a model; ``workdir`` is an empty folder that the caller deletes. Raises RuntimeFailedError."""


class Session(Protocol):
    """A model that a runtime has loaded."""

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        """Answer all rows, then the first rows again one by one until ``timed`` predictions are timed.

        ``columns`` are float64 [N] with NaN for missing, and object [N] of str or None for missing.
        """
