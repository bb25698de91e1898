"""RandomForestClassifier and ExtraTreesClassifier: the mean of their trees' shares, of each output.

The shares are added in the order of the trees and divided once, as the library does with one thread; with more threads
its own order is that in which they happen to finish.
"""

from __future__ import annotations

from functools import partial

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_CLASSIFIERS, class_shares, classes_of, read_tree, tree_steps
from mintage.lower.tree_mean import mean_of_trees

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    places = [range(len(classes)) for classes in classes_of(step)]
    parts = tree_steps(step, "estimators_", TREE_CLASSIFIERS)
    trees = [read_tree(part, partial(class_shares, part, wanted=places)) for part in parts]
    return mean_of_trees(step, parts, trees, columns, context)


FAMILY = Family(
    types=("sklearn.ensemble._forest.RandomForestClassifier", "sklearn.ensemble._forest.ExtraTreesClassifier"),
    role="classifier",
    lower=_lower,
)
