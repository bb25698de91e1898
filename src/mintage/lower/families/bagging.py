"""BaggingClassifier: the mean of its parts' probabilities, each part on columns of its own.

Decision trees become one ensemble; a tree whose sample lacked a class gives it no share. Other parts are lowered by
their own families, and must have seen every class.
"""

from __future__ import annotations

from functools import partial

from mintage.lower.bagged import bagged_parts, mean_of_parts, on_columns
from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_CLASSIFIERS, class_shares, read_tree
from mintage.lower.tree_mean import mean_of_trees

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    count = len(step.get("classes_"))
    parts, chosen = bagged_parts(step, columns)
    if not all(part.type in TREE_CLASSIFIERS for part in parts):
        found = [context.lower(part, on_columns(columns, take)) for part, take in zip(parts, chosen, strict=True)]
        return mean_of_parts(parts, found, 1 if count == 2 else count, context)
    trees = [
        read_tree(part, partial(class_shares, part, wanted=[range(count)]), take)
        for part, take in zip(parts, chosen, strict=True)
    ]
    return mean_of_trees(step, parts, trees, columns, context)


FAMILY = Family(types=("sklearn.ensemble._bagging.BaggingClassifier",), role="classifier", lower=_lower)
