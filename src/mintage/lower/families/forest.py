"""RandomForestClassifier and ExtraTreesClassifier with two classes: the mean of their trees' shares.

The shares are added in the order of the trees and divided once, as the library does with one thread; with more threads
its own order is that in which they happen to finish.
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
    if step.get("n_outputs_") != 1:
        step.refuse("with several outputs has no exact lowering")
    parts = tree_steps(step, "estimators_", TREE_CLASSIFIERS)
    trees = [read_tree(part, partial(positive_shares, part)) for part in parts]
    features = float32_features(step, columns, context, trees)
    total = add_up(context.graph, trees, features)
    count = context.graph.constant(np.array([[float(len(trees))]]))
    return [Number("", context.graph.add("Div", [total, count]), 0, 1)]


FAMILY = Family(
    types=("sklearn.ensemble._forest.RandomForestClassifier", "sklearn.ensemble._forest.ExtraTreesClassifier"),
    role="classifier",
    lower=_lower,
)
