"""The bodies of MLflow's scoring protocol: a table as records, as a split frame, or as columns, turned into rows.

>>> rows_of(b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, null]]}}')
[{'a': 1, 'b': 'x'}, {'a': 2, 'b': None}]
>>> rows_of(b'{"dataframe_records": [{"a": 1}]}') == rows_of(b'{"inputs": {"a": [1]}}')
True
"""

from __future__ import annotations

from typing import Any

import msgspec

from mintage.errors import NotJsonError, RequestMalformedError

__all__ = ["rows_of"]

_WAYS = "dataframe_split, dataframe_records, inputs or instances"


class _Split(msgspec.Struct, frozen=True):
    """A pandas frame as ``to_dict("split")`` gives it; its index says nothing to a model."""

    columns: list[str]
    data: list[list[Any]]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dataframe_split: _Split | None = None
    dataframe_records: list[dict[str, Any]] | None = None
    inputs: dict[str, list[Any]] | list[dict[str, Any]] | None = None
    instances: list[dict[str, Any]] | None = None
    params: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Body)


def rows_of(body: bytes) -> list[dict[str, Any]]:
    """The rows of a body; raises NotJsonError or RequestMalformedError. Whether a model takes them is not looked at."""
    try:
        found = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise RequestMalformedError(
            "the body is not of MLflow's scoring protocol", expected=f"one of {_WAYS}", found=str(error)[:200]
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotJsonError("the body is not JSON", found=str(error)[:200]) from None
    if found.params:
        raise RequestMalformedError("the models of this gateway take no params", found=", ".join(found.params)[:200])
    given = [part for part in (found.dataframe_split, found.dataframe_records, found.inputs, found.instances) if part]
    if len(given) != 1:
        raise RequestMalformedError(
            "the body has no rows, or has them in several ways", expected=f"one of {_WAYS}", found=str(len(given))
        )
    (part,) = given
    if isinstance(part, _Split):
        return [_row(part.columns, cells, place) for place, cells in enumerate(part.data)]
    return _turned(part) if isinstance(part, dict) else part


def _row(columns: list[str], cells: list[Any], place: int) -> dict[str, Any]:
    if len(cells) != len(columns) or len(set(columns)) != len(columns):
        raise RequestMalformedError(
            "a row does not fit the columns",
            expected=f"{len(columns)} values, of columns with names of their own",
            found=f"{len(cells)} values",
            where=f"row {place}",
        )
    return dict(zip(columns, cells, strict=True))


def _turned(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    lengths = sorted({len(column) for column in columns.values()})
    if len(lengths) != 1:
        raise RequestMalformedError("columns differ in length", expected="one length", found=str(lengths)[:80])
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
