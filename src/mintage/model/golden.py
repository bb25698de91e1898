"""Golden vectors: rows with the outputs that the original library gave, to prove any runtime equal before it serves.

``golden/inputs.json`` holds columns, ``golden/expected.json`` values and labels with the tolerance. Rows that
validation refuses are not in it; null is a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from mintage.errors import GoldenFailedError, PackageInvalidError
from mintage.model.parity import Answer
from mintage.model.runtime import Predictor, stack
from mintage.model.signature import Signature
from mintage.record.canonical import canonical_bytes

__all__ = ["Golden", "declared_labels", "decode_golden", "differ", "encode_golden", "portable_rows", "replay"]


class _Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["golden-inputs"] = "golden-inputs"
    version: Literal[1] = 1
    columns: dict[str, tuple[float | str | None, ...]]


class _Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["golden-expected"] = "golden-expected"
    version: Literal[1] = 1
    tolerance: float
    values: tuple[tuple[float, ...], ...]
    labels: tuple[tuple[int, ...], ...]


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Columns by name, and the ``values`` [N, W] and ``labels`` [N, targets] that they must give.

    Values are all FP64 outputs of the signature side by side; each must be within ``tolerance``, as a share of it if it
    is beyond one. Labels must be equal.
    """

    columns: Mapping[str, np.ndarray[Any, Any]]
    values: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    tolerance: float


def encode_golden(golden: Golden) -> tuple[bytes, bytes]:
    """The bytes of inputs.json and expected.json."""
    columns = {
        name: tuple(None if isinstance(value, float) and value != value else value for value in column.tolist())  # noqa: PLR0124 NaN
        for name, column in golden.columns.items()
    }
    expected = _Expected(
        tolerance=golden.tolerance,
        values=tuple(map(tuple, golden.values.tolist())),
        labels=tuple(map(tuple, golden.labels.tolist())),
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
    lengths = {len(column) for column in columns.values()} | {len(answers.values), len(answers.labels)}
    if len(lengths) != 1 or not answers.values or len(rows.columns) != len(columns):
        raise PackageInvalidError("the golden vectors have columns of different lengths, or none")
    width = sum(output.shape[-1] for output in signature.outputs if output.datatype == "FP64")
    if {len(row) for row in answers.values} != {width} or {len(row) for row in answers.labels} != {
        len(signature.widths)
    }:
        raise PackageInvalidError(
            "the golden outputs are not as wide as the signature says", expected=f"{width} values"
        )
    return Golden(
        columns=columns,
        values=np.array(answers.values, dtype=np.float64),
        labels=np.array(answers.labels, dtype=np.int64).reshape(len(answers.labels), -1),
        tolerance=answers.tolerance,
    )


def replay(golden: Golden, predictor: Predictor) -> float:
    """Predict the golden rows, all at once and the first ones alone; returns the largest error.

    Raises GoldenFailedError if a value differs by more than the tolerance or a label at all.
    """
    found = stack(predictor.predict(golden.columns).outputs)
    error, bad = differ(golden, found)
    for row in range(min(8, len(bad))):
        alone = predictor.predict({name: column[row : row + 1] for name, column in golden.columns.items()})
        bad[row] |= bool(differ(golden, stack(alone.outputs), rows=slice(row, row + 1))[1][0])
    if bad.any():
        row = int(np.argmax(bad))
        raise GoldenFailedError(
            "this runtime does not give the golden outputs",
            expected=f"{golden.values[row].tolist()}, labels {golden.labels[row].tolist()}",
            found=f"{found.values[row].tolist()}, labels {found.labels[row].tolist()}; {int(bad.sum())} rows differ",
            where=f"golden row {row}",
            hint="use a version of onnxruntime that the model was proven on (parity.json), or build the model again",
        )
    return float(error.max())


def differ(golden: Golden, found: Answer, *, rows: slice = slice(None)) -> tuple[np.ndarray[Any, Any], Any]:
    """Of each row the largest error, and whether it is beyond the tolerance or a label differs; NaN differs."""
    values = golden.values[rows]
    with np.errstate(invalid="ignore", over="ignore"):
        error = (np.abs(found.values - values) / np.maximum(1.0, np.abs(values))).max(axis=1, initial=0.0)
    return error, ~(error <= golden.tolerance) | (found.labels != golden.labels[rows]).any(axis=1)


def portable_rows(columns: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows every platform can hold: none of their texts has the character NUL.

    PostgreSQL refuses such a text, and onnxruntime in JavaScript ends it there. The gate of the build compares them.
    """
    found = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for column in columns.values():
        if column.dtype.kind == "O":
            found &= np.array([value is None or "\0" not in value for value in column.tolist()], dtype=bool)
    return found


def declared_labels(
    values: np.ndarray[Any, Any], labels: np.ndarray[Any, Any] | None, signature: Signature
) -> np.ndarray[Any, Any]:
    """The labels that a model gives for the ``values`` of an original: of two classes that of the declared threshold.

    Of more classes they are the original's own ``labels``, or the likeliest if it gave none.
    """
    found, first = np.empty((len(values), len(signature.widths)), dtype=np.int64), 0
    for target, width in enumerate(signature.widths):
        if width == 2:
            found[:, target] = values[:, first + 1] >= signature.threshold
        elif labels is None:
            found[:, target] = np.argmax(values[:, first : first + width], axis=1)
        else:
            found[:, target] = labels[:, target]
        first += width
    return found


def _column(datatype: str, values: tuple[float | str | None, ...]) -> np.ndarray[Any, Any]:
    if datatype == "BYTES":
        if not all(value is None or isinstance(value, str) for value in values):
            raise TypeError("a text column holds a number")
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
