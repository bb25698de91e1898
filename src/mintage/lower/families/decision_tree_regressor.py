"""DecisionTreeRegressor and ExtraTreeRegressor: the number that a row's leaf has for each output."""

from __future__ import annotations

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_REGRESSORS, float32_features, leaf_numbers, note_missing, read_tree
from mintage.lower.vector_leaves import add_vectors

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    tree = read_tree(step, leaf_numbers)
    note_missing(context, [step])
    features = float32_features(step, columns, context, [tree])
    return unnamed(add_vectors(context.graph, [tree], features), tree.value.shape[1])


FAMILY = Family(types=TREE_REGRESSORS, role="regressor", lower=_lower)
