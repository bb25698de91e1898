"""Put rows into the kind of table that an estimator was fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["frame"]


def frame(meta: list[dict[str, str]], columns: dict[str, Any], estimator: Any, missing: Any) -> tuple[Any, str]:
    """The rows in the kind of table that the estimator was fitted on, and that kind's name."""
    objects = {}
    for column in meta:
        values = columns[column["name"]]
        if column["kind"] == "text":
            array = np.empty(len(values), dtype=object)
            array[:] = [missing if value is None else value for value in values]
            objects[column["name"]] = array
        else:
            objects[column["name"]] = values
    if getattr(estimator, "feature_names_in_", None) is not None:
        if missing is None:
            try:
                import polars

                kinds = {
                    column["name"]: polars.String if column["kind"] == "text" else polars.Float64 for column in meta
                }
                return polars.DataFrame({**columns}, schema=kinds), "polars"
            except ImportError:
                pass
        try:
            import pandas  # type: ignore[import-untyped]

            return pandas.DataFrame(objects), "pandas"
        except ImportError:
            pass
    if all(column["kind"] == "number" for column in meta):
        return np.column_stack([objects[column["name"]] for column in meta]), "numpy"
    table = np.empty((len(next(iter(objects.values()))), len(meta)), dtype=object)
    for index, column in enumerate(meta):
        table[:, index] = objects[column["name"]]
    return table, "numpy"
