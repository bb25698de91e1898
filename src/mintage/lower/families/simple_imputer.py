"""SimpleImputer: a missing value becomes the column's fitted fill. Columns that were all missing are left out.

Missing is NaN or None, or a number or a text that stands for it.
With add_indicator, what the imputer's MissingIndicator says of the columns comes after them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mintage.lower.categories import is_missing
from mintage.lower.columns import Column, Text, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import lacks, numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    flags = context.lower(step.step("indicator_"), columns) if step.get("add_indicator") else []
    return [*_fill(step, columns, context), *flags]


def _fill(step: Step, columns: list[Column], context: Context) -> list[Column]:
    fills, missing = step.get("statistics_"), step.get("missing_values")
    kept = [not _empty(fill) or bool(step.get("keep_empty_features")) for fill in fills.tolist()]
    columns = [column for column, keep in zip(columns, kept, strict=True) if keep]
    fills = fills[np.array(kept, dtype=bool)]
    if not columns:
        return []
    texts = [column for column in columns if isinstance(column, Text)]
    if len(texts) == len(columns):
        return [_text(step, column, fill, missing, context) for column, fill in zip(texts, fills, strict=True)]
    if missing is None or any(isinstance(part, str) or part is None for part in (missing, *fills.tolist())):
        step.refuse("mixes text and numbers, or fills numbers with text")
    graph, taken = context.graph, numeric(step, columns)
    tensor = matrix(graph, taken)
    fill = graph.constant(fills.astype(np.float64).reshape(1, -1))
    filled = graph.add("Where", [lacks(graph, tensor, missing), fill, tensor])
    return numbers([column.source for column in taken], filled)


def _empty(fill: Any) -> bool:
    return fill is not None and is_missing(fill)


def _text(step: Step, column: Text, fill: Any, missing: Any, context: Context) -> Text:
    if not isinstance(fill, str):
        step.refuse(f"fills the text column {column.source!r} with a value that is not text")
    if isinstance(missing, str):
        return column.replace(missing, fill)
    applies = (missing is None) == (context.missing == "none")
    return replace(column, fill=fill if applies and column.fill is None else column.fill)


FAMILY = Family(types=("sklearn.impute._base.SimpleImputer",), role="transformer", lower=_lower)
