"""Put rows into the kind of table that an estimator was fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .natives import Natives

__all__ = ["frame"]


def frame(
    meta: list[dict[str, str]], columns: dict[str, Any], names: Any, missing: Any, natives: Natives
) -> tuple[Any, str]:
    """The rows in the kind of table that the estimator was fitted on, and that kind's name.

    ``names`` are the columns that it was fitted with; None if it was fitted on arrays.
    """
    objects = {column["name"]: _objects(column, columns[column["name"]], missing, natives) for column in meta}
    if names is not None:
        if missing is None and not natives.categories and not natives.boosted:
            try:
                return _polars(meta, columns), "polars"
            except ImportError:
                pass
        try:
            return _pandas(objects, natives), "pandas"
        except ImportError:
            pass
        if missing is None and not natives.categories:
            try:
                return _polars(meta, columns), "polars"
            except ImportError:
                pass
    if all(values.dtype.kind == "f" for values in objects.values()):
        return np.column_stack([objects[column["name"]] for column in meta]), "numpy"
    whole = np.empty((len(next(iter(objects.values()))), len(meta)), dtype=object)
    for index, column in enumerate(meta):
        whole[:, index] = objects[column["name"]]
    return whole, "numpy"


def _objects(column: dict[str, str], values: Any, missing: Any, natives: Natives) -> Any:
    """The column as an array: float64, or objects that are texts or whole numbers."""
    if column["kind"] != "text" and column["name"] not in natives.integers:
        return values
    array = np.empty(len(values), dtype=object)
    if column["kind"] == "text":
        array[:] = [missing if value is None else value for value in values]
    else:
        array[:] = [_whole(value) for value in values.tolist()]
    return array


def _whole(value: float) -> float | int | str:
    """A whole number as an integer; CatBoost takes larger ones than it can hold as text, which is the same to it."""
    if not np.isfinite(value) or value != int(value):
        return value
    return int(value) if abs(value) < 2.0**63 else str(int(value))


def _pandas(objects: dict[str, Any], natives: Natives) -> Any:
    """Columns of categories have the fitted ones, and no other: whatever is new is missing.

    XGBoost would refuse some new categories and take others for the next in order.
    """
    import pandas  # type: ignore[import-untyped]

    table = dict(objects)
    for name, fitted in natives.categories.items():
        places = {value: place for place, value in enumerate(fitted)}
        codes = np.array([places.get(value, -1) for value in objects[name].tolist()], dtype=np.int64)
        table[name] = pandas.Categorical.from_codes(codes, categories=pandas.Index(fitted))
    return pandas.DataFrame(table)


def _polars(meta: list[dict[str, str]], columns: dict[str, Any]) -> Any:
    import polars

    kinds = {column["name"]: polars.String if column["kind"] == "text" else polars.Float64 for column in meta}
    return polars.DataFrame({**columns}, schema=kinds)
