"""Put rows into the kind of table that an estimator was fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .natives import Natives
from .writer import is_nan

__all__ = ["frame"]


class CategoryFrame:
    """Rows of a pandas table some columns of which are categories: the fitted ones, and what is new in a slice.

    A library that refuses a new category refuses all rows that come with it, so a slice has only its own.
    """

    def __init__(self, table: Any, categories: dict[str, list[Any]]) -> None:
        self._table = table
        self._categories = categories

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, places: slice) -> Any:
        import pandas  # type: ignore[import-untyped]

        part = self._table.iloc[places].copy()
        for name, fitted in self._categories.items():
            values, known = part[name], set(fitted)
            new = sorted({value for value in values.tolist() if value is not None and not is_nan(value)} - known)
            part[name] = pandas.Categorical(_typed(values, fitted, new), categories=pandas.Index([*fitted, *new]))
        return part


def _typed(values: Any, fitted: list[Any], new: list[Any]) -> Any:
    """Numbers as the integers that they were, if they can be."""
    if not all(isinstance(value, int) for value in (*fitted, *new)):
        return values.tolist()
    return [value if is_nan(value) else int(value) for value in values.tolist()]


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
            import pandas

            table = pandas.DataFrame(objects)
            return (CategoryFrame(table, natives.categories) if natives.categories else table), "pandas"
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
        array[:] = [int(value) if np.isfinite(value) and value == int(value) else value for value in values.tolist()]
    return array


def _polars(meta: list[dict[str, str]], columns: dict[str, Any]) -> Any:
    import polars

    kinds = {column["name"]: polars.String if column["kind"] == "text" else polars.Float64 for column in meta}
    return polars.DataFrame({**columns}, schema=kinds)
