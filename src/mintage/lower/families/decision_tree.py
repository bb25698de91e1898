"""DecisionTreeClassifier and ExtraTreeClassifier with two classes: the share of the positive one in a row's leaf."""

from __future__ import annotations

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_CLASSIFIERS, float32_features, positive_shares, read_tree
from mintage.lower.trees import add_up

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    positive = step.get("classes_")[-1]
    tree = read_tree(step, lambda values: positive_shares(step, values, positive))
    features = float32_features(step, columns, context, [tree])
    return [Number("", add_up(context.graph, [tree], features), 0, 1)]


FAMILY = Family(types=TREE_CLASSIFIERS, role="classifier", lower=_lower)
