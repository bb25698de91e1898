"""BaggingClassifier of decision trees with two classes: the mean of their shares, each tree on columns of its own.

A tree whose sample had one class only gives that class all of its share.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_CLASSIFIERS, float32_features, positive_shares, read_tree, tree_steps
from mintage.lower.trees import add_up

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts, chosen = tree_steps(step, "estimators_", TREE_CLASSIFIERS), step.get("estimators_features_")
    width = int(step.get("n_features_in_"))
    if len(chosen) != len(parts) or any(not 0 <= place < width for take in chosen for place in take):
        step.refuse("does not say which columns its trees take: this version of its library is not known")
    trees = [read_tree(part, partial(positive_shares, part), take) for part, take in zip(parts, chosen, strict=True)]
    features = float32_features(step, columns, context, trees)
    total = add_up(context.graph, trees, features)
    count = context.graph.constant(np.array([[float(len(trees))]]))
    return [Number("", context.graph.add("Div", [total, count]), 0, 1)]


FAMILY = Family(types=("sklearn.ensemble._bagging.BaggingClassifier",), role="classifier", lower=_lower)
