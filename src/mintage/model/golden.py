"""Golden vectors: rows with the outputs that the original library gave, to prove any runtime equal before it serves.

``golden/inputs.json`` holds columns, ``golden/expected.json`` scores and labels with the tolerance. Rows that
validation refuses are not in it; null is a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from mintage.errors import GoldenFailedError, PackageInvalidError
from mintage.model.runtime import Predictor
from mintage.model.signature import Signature
from mintage.record.canonical import canonical_bytes

__all__ = ["Golden", "decode_golden", "encode_golden", "replay"]


class _Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["golden-inputs"] = "golden-inputs"
    version: Literal[0] = 0
    columns: dict[str, tuple[float | str | None, ...]]


class _Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["golden-expected"] = "golden-expected"
    version: Literal[0] = 0
    tolerance: float
    scores: tuple[float, ...]
    labels: tuple[int, ...]


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Columns by name, and the scores and labels that they must give to within ``tolerance``."""

    columns: Mapping[str, np.ndarray[Any, Any]]
    scores: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    tolerance: float


def encode_golden(golden: Golden) -> tuple[bytes, bytes]:
    """The bytes of inputs.json and expected.json."""
    columns = {
        name: tuple(None if isinstance(value, float) and value != value else value for value in column.tolist())  # noqa: PLR0124 NaN
        for name, column in golden.columns.items()
    }
    expected = _Expected(
        tolerance=golden.tolerance, scores=tuple(golden.scores.tolist()), labels=tuple(golden.labels.tolist())
    )
    inputs = _Inputs(columns=columns)
    return canonical_bytes(msgspec.to_builtins(inputs)), canonical_bytes(msgspec.to_builtins(expected))


def decode_golden(inputs: bytes, expected: bytes, signature: Signature) -> Golden:
    """Parse both files strictly; raises PackageInvalidError."""
    try:
        rows, answers = msgspec.json.decode(inputs, type=_Inputs), msgspec.json.decode(expected, type=_Expected)
        columns = {item.name: _column(item.datatype, rows.columns[item.name]) for item in signature.inputs}
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise PackageInvalidError("the golden vectors do not fit the signature", found=str(error)) from error
    lengths = {len(column) for column in columns.values()} | {len(answers.scores), len(answers.labels)}
    if len(lengths) != 1 or not answers.scores or len(rows.columns) != len(columns):
        raise PackageInvalidError("the golden vectors have columns of different lengths, or none")
    return Golden(
        columns=columns,
        scores=np.array(answers.scores, dtype=np.float64),
        labels=np.array(answers.labels, dtype=np.int64),
        tolerance=answers.tolerance,
    )


def replay(golden: Golden, predictor: Predictor) -> float:
    """Predict the golden rows, all at once and the first ones alone; returns the largest error.

    Raises GoldenFailedError if a score differs by more than the tolerance or a label at all.
    """
    found = predictor.predict(golden.columns)
    error = np.abs(found.scores - golden.scores)
    bad = ~(error <= golden.tolerance) | (found.labels != golden.labels)
    for row in range(min(8, len(bad))):
        alone = predictor.predict({name: column[row : row + 1] for name, column in golden.columns.items()})
        bad[row] |= not abs(alone.scores[0] - golden.scores[row]) <= golden.tolerance
    if bad.any():
        row = int(np.argmax(bad))
        raise GoldenFailedError(
            "this runtime does not give the golden outputs",
            expected=f"score {golden.scores[row]!r}, label {golden.labels[row]}",
            found=f"score {found.scores[row]!r}, label {found.labels[row]}; {int(bad.sum())} rows differ",
            where=f"golden row {row}",
            hint="use a version of onnxruntime that the model was proven on (parity.json), or build the model again",
        )
    return float(error.max())


def _column(datatype: str, values: tuple[float | str | None, ...]) -> np.ndarray[Any, Any]:
    if datatype == "BYTES":
        if not all(value is None or isinstance(value, str) for value in values):
            raise TypeError("a text column holds a number")
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
