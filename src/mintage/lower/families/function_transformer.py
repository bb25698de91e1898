"""FunctionTransformer: only the one without a function, which scikit-learn puts where ``passthrough`` was asked for."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("func") is not None:
        step.refuse("runs a function of yours: custom code has no exact lowering")
    return columns


FAMILY = Family(
    types=("sklearn.preprocessing._function_transformer.FunctionTransformer",), role="transformer", lower=_lower
)
