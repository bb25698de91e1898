"""TargetEncoder: each category becomes its shrunk mean of the target; others the overall mean.

With more than two classes a column becomes one a class.
"""

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
    if step.state.get("_infrequent_enabled"):
        step.refuse("with rare categories put together has no exact lowering")
    encodings, means = step.get("encodings_"), np.atleast_1d(np.asarray(step.get("target_mean_"), dtype=np.float64))
    width = len(means)
    if not isinstance(encodings, list) or len(encodings) != len(columns) * width:
        step.refuse("has encodings that do not fit its columns")
    return [
        look_up(
            step,
            column,
            values,
            context,
            code=_code(encodings[place * width + target]),
            missing=None,
            unknown=float(means[target]),
        )
        for place, (column, values) in enumerate(zip(columns, fitted_categories(step, len(columns)), strict=True))
        for target in range(width)
    ]


def _code(encoding: Any) -> Callable[[int], float]:
    values = np.asarray(encoding, dtype=np.float64).ravel().tolist()
    return lambda place: float(values[place])


FAMILY = Family(types=("sklearn.preprocessing._target_encoder.TargetEncoder",), role="transformer", lower=_lower)
