"""The JSON of the Open Inference Protocol v2: bytes to checked columns, a prediction to bytes.

Pure: it knows nothing of HTTP, models or logs. One named tensor is one column; its shape is ``[n]`` or ``[n, 1]``, its
datatype FP64, FP32, INT64, INT32 or BYTES (text), and a missing value is ``null``. Each way a request can be wrong
raises an error class of its own that names the tensor and, where there is one, the row. Whether a value lies in the
model's declared domain is not decided here: the model's own runtime does that.

>>> request = parse_request(b'{"inputs": [{"name": "x", "shape": [2], "datatype": "FP64", "data": [1.5, null]}]}')
>>> columns, rows = request_columns(request, {"x": "FP64"}, max_rows=10)
>>> columns["x"], rows
(array([1.5, nan]), 2)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from mintage.errors import (
    EmptyBatchError,
    EventTimeError,
    InputMissingError,
    InputShapeError,
    InputTypeError,
    InputUnknownError,
    NotFiniteError,
    NotJsonError,
    OutputUnknownError,
    RequestIdError,
    RequestMalformedError,
    TooManyRowsError,
)

__all__ = [
    "InferRequest",
    "InferResponse",
    "OutputTensor",
    "Tensor",
    "encode_response",
    "event_time_of",
    "parse_request",
    "request_columns",
    "request_id_of",
    "select_outputs",
]

MAX_ID_CHARS = 128
_NUMBERS = ("FP64", "FP32", "INT64", "INT32")
_DATATYPES = (*_NUMBERS, "BYTES")
_NONE = type(None)
_ALLOWED: dict[str, frozenset[type]] = {
    "FP64": frozenset((float, int, _NONE)),
    "FP32": frozenset((float, int, _NONE)),
    "INT64": frozenset((int, _NONE)),
    "INT32": frozenset((int, _NONE)),
    "BYTES": frozenset((str, _NONE)),
}
_EXACT = 2**53  # columns are float64: no whole number beyond it is taken, rather than rounded
_INT_BOUNDS = {"INT32": (-(2**31), 2**31 - 1), "INT64": (-_EXACT, _EXACT)}
_JSON_TYPE = {
    bool: "true or false",
    str: "text",
    float: "a number",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


class Tensor(msgspec.Struct, frozen=True):
    """One input tensor of a request; unknown members are allowed, as the protocol says."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class OutputChoice(msgspec.Struct, frozen=True):
    """One output that the caller asks for."""

    name: str


class InferRequest(msgspec.Struct, frozen=True):
    """An inference request as it came in; ``request_columns`` checks its tensors."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[OutputChoice] | None = None


class OutputTensor(msgspec.Struct, frozen=True):
    """One tensor of a response."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Sequence[Any]


class InferResponse(msgspec.Struct, frozen=True):
    """An inference response."""

    model_name: str
    model_version: str
    id: str
    parameters: dict[str, str]
    outputs: Sequence[OutputTensor]


_decoder = msgspec.json.Decoder(InferRequest)
_encoder = msgspec.json.Encoder()


def parse_request(body: bytes) -> InferRequest:
    """Parse a body; raises NotJsonError or RequestMalformedError."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            raise NotFiniteError(
                "a number is too large for a 64-bit float",
                expected="finite numbers, null where missing",
                found=str(error),
            ) from None
        raise RequestMalformedError(
            "the body is not an inference request",
            expected='{"inputs": [{"name", "shape", "datatype", "data"}, ...]}',
            found=str(error),
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJsonError(
            "the body is not JSON",
            expected="one JSON object in UTF-8",
            found=str(error),
            hint="JSON has no NaN or Infinity; a missing value is null",
        ) from None
    except RecursionError:
        raise NotJsonError("the body is nested too deeply", expected="an inference request") from None


def request_id_of(request: InferRequest) -> str | None:
    """The caller's request id: member ``id``, else parameter ``request_id``, else None; raises RequestIdError."""
    given = request.id
    if given is None and request.parameters:
        given = request.parameters.get("request_id")
    if given is None:
        return None
    if not isinstance(given, str) or not 0 < len(given) <= MAX_ID_CHARS or not given.isprintable():
        raise RequestIdError(
            "a request id is not usable",
            expected=f"1 to {MAX_ID_CHARS} printable characters",
            found=repr(given)[:80],
            where="id",
        )
    return given


def event_time_of(request: InferRequest) -> datetime | None:
    """Parameter ``event_time``: when the thing that is predicted happens, as a naive time (one with an offset is
    turned into UTC first); raises EventTimeError."""
    given = request.parameters.get("event_time") if request.parameters else None
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError):
        raise EventTimeError(
            "an event time is not a time",
            expected="ISO 8601, as 2013-08-01T17:30:00",
            found=repr(given)[:80],
            where="parameters.event_time",
        ) from None


def request_columns(
    request: InferRequest, inputs: Mapping[str, str], *, max_rows: int
) -> tuple[dict[str, np.ndarray], int]:
    """The request's columns in the order of ``inputs`` (name to "FP64" or "BYTES"), and the number of rows.

    Numbers become float64 with NaN for null, text an object array with None for null.
    """
    if not request.inputs:
        raise InputMissingError("a request has no input", expected=", ".join(inputs), where="inputs")
    rows = _rows(request.inputs[0])
    if rows == 0:
        raise EmptyBatchError("a request has no rows", expected="at least one row", where=request.inputs[0].name)
    if rows > max_rows:
        raise TooManyRowsError(
            "a request has too many rows",
            expected=f"at most {max_rows}",
            found=str(rows),
            hint="send several requests, or score a file with `mintage predict`",
        )
    found: dict[str, np.ndarray] = {}
    for tensor in request.inputs:
        wanted = inputs.get(tensor.name)
        if wanted is None:
            raise InputUnknownError(
                f"the model has no input {tensor.name[:80]!r}", expected=", ".join(inputs), where="inputs"
            )
        if tensor.name in found:
            raise InputShapeError(f"input {tensor.name!r} is given twice", expected="one tensor an input")
        if _rows(tensor) != rows:
            raise InputShapeError(
                f"input {tensor.name!r} has another number of rows",
                expected=str(rows),
                found=str(tensor.shape[0]),
                where=tensor.name,
            )
        found[tensor.name] = _column(tensor, wanted, rows)
    if len(found) != len(inputs):
        missing = [name for name in inputs if name not in found]
        raise InputMissingError(
            f"input {missing[0]!r} is missing", expected=", ".join(inputs), found=", ".join(found), where="inputs"
        )
    return {name: found[name] for name in inputs}, rows


def select_outputs(request: InferRequest, available: Sequence[OutputTensor]) -> Sequence[OutputTensor]:
    """The outputs that the caller asked for, all when it named none; raises OutputUnknownError."""
    if not request.outputs:
        return available
    by_name = {tensor.name: tensor for tensor in available}
    for choice in request.outputs:
        if choice.name not in by_name:
            raise OutputUnknownError(
                f"the model has no output {choice.name[:80]!r}", expected=", ".join(by_name), where="outputs"
            )
    return [by_name[choice.name] for choice in request.outputs]


def encode_response(response: InferResponse) -> bytes:
    """A response as JSON; floats are written so that reading them gives the same 64 bits."""
    return _encoder.encode(response)


def _rows(tensor: Tensor) -> int:
    """The row count that the shape claims; raises InputShapeError unless the shape is [n] or [n, 1]."""
    shape = tensor.shape
    if len(shape) not in (1, 2) or shape[0] < 0 or (len(shape) == 2 and shape[1] != 1):
        raise InputShapeError(
            f"input {tensor.name[:80]!r} has a wrong shape",
            expected="[rows] or [rows, 1]",
            found=str(shape)[:80],
            where=tensor.name[:80],
        )
    return shape[0]


def _column(tensor: Tensor, wanted: str, rows: int) -> np.ndarray:
    """One tensor's data as a column of the wanted datatype."""
    datatype = tensor.datatype
    if datatype not in _DATATYPES or (datatype == "BYTES") != (wanted == "BYTES"):
        raise InputTypeError(
            f"input {tensor.name!r} has a wrong datatype",
            expected="BYTES" if wanted == "BYTES" else ", ".join(_NUMBERS),
            found=datatype[:40],
            where=tensor.name,
        )
    data = _flat(tensor, rows)
    if not _ALLOWED[datatype].issuperset(map(type, data)):
        _refuse_value(tensor, data)
    if datatype == "BYTES":
        column = np.empty(rows, dtype=object)
        column[:] = data
        return column
    bounds = _INT_BOUNDS.get(datatype)
    if bounds is not None:
        for row, value in enumerate(data):
            if value is not None and not bounds[0] <= value <= bounds[1]:
                raise InputTypeError(
                    f"a value of input {tensor.name!r} does not fit {datatype}",
                    expected=f"{bounds[0]} to {bounds[1]}",
                    where=f"{tensor.name}, row {row}",
                )
    return _numbers(tensor, data)


def _flat(tensor: Tensor, rows: int) -> list[Any]:
    """The values as one list; data of shape [n, 1] may come as lists of one."""
    data = tensor.data
    if len(tensor.shape) == 2 and data and type(data[0]) is list:
        if not all(type(item) is list and len(item) == 1 for item in data):
            raise InputShapeError(
                f"the data of input {tensor.name!r} does not fit its shape", expected="lists of one", where=tensor.name
            )
        data = [item[0] for item in data]
    if len(data) != rows:
        raise InputShapeError(
            f"the data of input {tensor.name!r} does not fit its shape",
            expected=f"{rows} values",
            found=f"{len(data)} values",
            where=tensor.name,
        )
    return data


def _numbers(tensor: Tensor, data: list[Any]) -> np.ndarray:
    """float64 with NaN for null; FP32 values are rounded to the nearest float32, which is what the datatype means."""
    try:
        column = np.array([math.nan if value is None else value for value in data], dtype=np.float64)
    except OverflowError:
        raise _not_finite(tensor, next(row for row, value in enumerate(data) if _beyond_floats(value))) from None
    if tensor.datatype == "FP32":
        with np.errstate(over="ignore"):
            column = column.astype(np.float32).astype(np.float64)
        if np.isinf(column).any():
            raise _not_finite(tensor, int(np.argmax(np.isinf(column))))
    return column


def _beyond_floats(value: Any) -> bool:
    try:
        return type(value) is int and math.isinf(float(value))
    except OverflowError:
        return True


def _not_finite(tensor: Tensor, row: int) -> NotFiniteError:
    return NotFiniteError(
        f"a value of input {tensor.name!r} does not fit {tensor.datatype}",
        expected="finite numbers, null where missing",
        where=f"{tensor.name}, row {row}",
    )


def _refuse_value(tensor: Tensor, data: list[Any]) -> None:
    """Raise InputTypeError for the first value that is not of the tensor's datatype."""
    allowed = _ALLOWED[tensor.datatype]
    row = next(row for row, value in enumerate(data) if type(value) not in allowed)
    expected = "text" if tensor.datatype == "BYTES" else "numbers" if tensor.datatype[0] == "F" else "whole numbers"
    raise InputTypeError(
        f"a value of input {tensor.name!r} has a wrong type",
        expected=f"{expected}, null where missing",
        found=_JSON_TYPE.get(type(data[row]), "something else"),
        where=f"{tensor.name}, row {row}",
    )
