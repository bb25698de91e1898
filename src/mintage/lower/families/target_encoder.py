"""TargetEncoder with a binary target: each category becomes its shrunk mean of the target; others the overall mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mintage.lower.categories import fitted_categories, look_up
from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("target_type_") == "multiclass" or step.state.get("_infrequent_enabled"):
        step.refuse("with more than two classes, or rare categories put together, has no exact lowering")
    encodings, mean = step.get("encodings_"), float(step.get("target_mean_"))
    if not isinstance(encodings, list) or len(encodings) != len(columns):
        step.refuse("has encodings that do not fit its columns")
    return [
        look_up(step, column, values, context, code=_code(encoding), missing=None, unknown=mean)
        for column, values, encoding in zip(columns, fitted_categories(step, len(columns)), encodings, strict=True)
    ]


def _code(encoding: Any) -> Callable[[int], float]:
    values = np.asarray(encoding, dtype=np.float64).ravel().tolist()
    return lambda place: float(values[place])


FAMILY = Family(types=("sklearn.preprocessing._target_encoder.TargetEncoder",), role="transformer", lower=_lower)
