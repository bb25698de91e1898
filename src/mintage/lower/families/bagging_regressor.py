"""BaggingRegressor: the mean of its parts' numbers, each part on columns of its own."""

from __future__ import annotations

from mintage.lower.bagged import bagged_parts, mean_of_parts, on_columns
from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_REGRESSORS, leaf_numbers, read_tree
from mintage.lower.tree_mean import mean_of_trees

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts, chosen = bagged_parts(step, columns)
    if not all(part.type in TREE_REGRESSORS for part in parts):
        found = [context.lower(part, on_columns(columns, take)) for part, take in zip(parts, chosen, strict=True)]
        return mean_of_parts(parts, found, len(found[0]), context)
    trees = [read_tree(part, leaf_numbers, take) for part, take in zip(parts, chosen, strict=True)]
    return mean_of_trees(step, parts, trees, columns, context)


FAMILY = Family(types=("sklearn.ensemble._bagging.BaggingRegressor",), role="regressor", lower=_lower)
