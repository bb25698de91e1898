"""DecisionTreeClassifier and ExtraTreeClassifier: the shares of the classes in a row's leaf, of each output."""

from __future__ import annotations

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import (
    TREE_CLASSIFIERS,
    class_shares,
    classes_of,
    float32_features,
    note_missing,
    read_tree,
)
from mintage.lower.vector_leaves import add_vectors

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    classes = classes_of(step)
    tree = read_tree(step, lambda values: class_shares(step, values, classes))
    note_missing(context, [step])
    features = float32_features(step, columns, context, [tree])
    return unnamed(add_vectors(context.graph, [tree], features), tree.value.shape[1])


FAMILY = Family(types=TREE_CLASSIFIERS, role="classifier", lower=_lower)
