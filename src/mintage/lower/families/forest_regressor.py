"""RandomForestRegressor and ExtraTreesRegressor: the mean of their trees' numbers, of each output.

The order of the sum is that of the trees, as in ``forest``.
"""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_REGRESSORS, leaf_numbers, read_tree, tree_steps
from mintage.lower.tree_mean import mean_of_trees

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts = tree_steps(step, "estimators_", TREE_REGRESSORS)
    return mean_of_trees(step, parts, [read_tree(part, leaf_numbers) for part in parts], columns, context)


FAMILY = Family(
    types=("sklearn.ensemble._forest.RandomForestRegressor", "sklearn.ensemble._forest.ExtraTreesRegressor"),
    role="regressor",
    lower=_lower,
)
