"""Rows as plain JSON: ``{"age": 41, "plan": "gold"}`` in, ``{"score": 0.21, "label": 0, "class": "no"}`` out.

A body is one row or a list of rows. Each has every input of the model; null is a missing value. A single row may also
have the model's id column, which becomes the request id, and its time column. See docs/spec/gateway.md.

>>> from mintage.model.signature import Input, Signature
>>> signature = Signature(model="wait", task="regression", target="minutes", inputs=(Input(name="x", datatype="FP64"),),
...     outputs=(), threshold=0.5)
>>> parse_rows(b'[{"x": 1}, {"x": null}]', signature, max_rows=10).columns["x"].tolist()
[1.0, nan]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from mintage.errors import (
    EmptyBatchError,
    InputMissingError,
    InputTypeError,
    InputUnknownError,
    NotJsonError,
    RequestMalformedError,
    TooManyRowsError,
)
from mintage.model.signature import Input, Signature
from mintage.serve.oip import OutputTensor
from mintage.serve.outputs import Declared, class_name
from mintage.serve.unusual import unusual_rows, usual

__all__ = ["Columns", "PlainRows", "checked_rows", "columns_of_rows", "parse_rows", "plain_answers", "unusual_of_rows"]

Columns = dict[str, np.ndarray[Any, Any]]
_EXACT = 2**53
_JSON_TYPE = {bool: "a boolean", str: "text", list: "a list", dict: "an object", int: "a number", float: "a number"}


@dataclass(frozen=True, kw_only=True)
class PlainRows:
    """A parsed body; ``id`` and ``time`` are those of a single row, None if it has none."""

    columns: Columns
    rows: int
    is_list: bool
    id: Any = None
    time: Any = None


def parse_rows(body: bytes, signature: Signature, *, max_rows: int) -> PlainRows:
    """Parse a body; raises NotJsonError, RequestMalformedError and the errors of inputs."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotJsonError("the body is not JSON", found=str(error)[:200]) from None
    if isinstance(value, list):
        return checked_rows(value, signature, max_rows=max_rows)
    if not isinstance(value, dict):
        raise RequestMalformedError(
            "the body is no row",
            expected='an object, as {"age": 41}, or a list of them',
            found=_JSON_TYPE.get(type(value), "null"),
        )
    inputs = {item.name for item in signature.inputs}
    kept = {name: value.pop(name, None) for name in (signature.id, signature.time) if name and name not in inputs}
    columns = columns_of_rows([value], signature)
    given = kept.get(signature.id or "")
    request_id = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    return PlainRows(columns=columns, rows=1, is_list=False, id=request_id, time=kept.get(signature.time or ""))


def checked_rows(value: Sequence[Any], signature: Signature, *, max_rows: int) -> PlainRows:
    """A list of rows; raises EmptyBatchError, TooManyRowsError, RequestMalformedError and the errors of inputs."""
    if not value:
        raise EmptyBatchError("a request has no rows", expected="at least one row")
    if len(value) > max_rows:
        raise TooManyRowsError(
            "a request has too many rows",
            expected=f"at most {max_rows}",
            found=str(len(value)),
            hint="send several requests, or score a file with `mintage predict`",
        )
    for place, row in enumerate(value):
        if not isinstance(row, dict):
            raise RequestMalformedError("a row is no object", expected='as {"age": 41}', where=f"row {place}")
    return PlainRows(columns=columns_of_rows(value, signature), rows=len(value), is_list=True)


def columns_of_rows(rows: Sequence[Mapping[str, Any]], signature: Signature) -> Columns:
    """Rows as the columns that the model takes, float64 or objects; raises the errors of inputs, each with its row."""
    names = {item.name for item in signature.inputs}
    for place, row in enumerate(rows):
        if row.keys() != names:
            _refuse_names(row, signature, place)
    return {item.name: _column(item, [row[item.name] for row in rows]) for item in signature.inputs}


def _refuse_names(row: Mapping[str, Any], signature: Signature, place: int) -> None:
    names = [item.name for item in signature.inputs]
    absent = [name for name in names if name not in row]
    if absent:
        more = f", and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise InputMissingError(
            f"input {absent[0]!r} is missing{more}",
            expected=", ".join(names)[:500],
            where=f"row {place}",
            hint="give each input; null is a missing value",
        )
    extra = next(name for name in row if name not in names)
    raise InputUnknownError(
        f"the model has no input {extra[:80]!r}", expected=", ".join(names)[:500], where=f"row {place}"
    )


def _column(item: Input, values: list[Any]) -> np.ndarray[Any, Any]:
    text = item.datatype == "BYTES"
    allowed: tuple[type, ...] = (str, type(None)) if text else (int, float, type(None))
    for place, value in enumerate(values):
        fits = type(value) in allowed and not (type(value) is int and abs(value) > _EXACT)
        if not fits:
            raise InputTypeError(
                f"input {item.name!r} is not {'a text' if text else 'a number'}",
                expected="a text" if text else "a number" if type(value) is not int else "a number up to 2^53",
                found=f"{_JSON_TYPE.get(type(value), 'null')} {str(value)[:60]!r}",
                where=f"row {place}",
            )
    if not text:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def plain_answers(
    tensors: Sequence[OutputTensor], declared: Sequence[Declared], signature: Signature, rows: int
) -> list[dict[str, Any]]:
    """Each row's outputs by name: probabilities by class, several values by target, all else as one value."""
    answers: list[dict[str, Any]] = [{} for _ in range(rows)]
    targets = (signature.target,) if isinstance(signature.target, str) else signature.target
    for tensor, part in zip(tensors, declared, strict=True):
        data = list(tensor.data)
        if len(part.shape) == 1:
            for answer, value in zip(answers, data, strict=True):
                answer[part.name] = value
            continue
        tails, width = part.classes or targets, part.shape[-1]
        for row, answer in enumerate(answers):
            answer[part.name] = dict(zip(tails, data[row * width : (row + 1) * width], strict=True))
    if signature.is_scored:
        names = [class_name(value) for value in signature.two_classes]
        for answer in answers:
            answer["class"] = names[answer["label"]]
    return answers


def unusual_of_rows(
    flags: Mapping[str, int], columns: Mapping[str, np.ndarray[Any, Any]], signature: Signature, rows: int
) -> list[dict[str, str]]:
    """Of each row the inputs with a value that is out of range or not known, and what is usual there."""
    found: list[dict[str, str]] = [{} for _ in range(rows)]
    for item in signature.inputs:
        if item.name in flags:
            for place in np.flatnonzero(unusual_rows(item, columns[item.name])).tolist():
                found[place][item.name] = usual(item)
    return found
