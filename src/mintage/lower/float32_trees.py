"""The decision trees of scikit-learn, single or in an ensemble, which see their features as float32.

The library casts the whole table to float32 and compares with double thresholds. Here the features are cast and become
doubles again, and each threshold is rounded down to a float32: for a float32 x, ``x <= t`` and ``x <= rounded`` say the
same. A missing value goes where the fitted split sends it. What does not fit in a float32 the library refuses, which
is noted for the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric
from mintage.lower.trees import Tree

__all__ = [
    "TREE_CLASSIFIERS",
    "TREE_REGRESSORS",
    "class_shares",
    "classes_of",
    "float32_features",
    "leaf_numbers",
    "note_missing",
    "read_tree",
    "round_down",
    "tree_steps",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]
TREE_CLASSIFIERS = ("sklearn.tree._classes.DecisionTreeClassifier", "sklearn.tree._classes.ExtraTreeClassifier")
TREE_REGRESSORS = ("sklearn.tree._classes.DecisionTreeRegressor", "sklearn.tree._classes.ExtraTreeRegressor")
_EXTRA = frozenset((TREE_CLASSIFIERS[1], TREE_REGRESSORS[1]))
_LEAF = -1


def float32_features(step: Step, columns: list[Column], context: Context, trees: Sequence[Tree]) -> str:
    """The tensor of what the trees see, which are noted with it; ``step`` must have been fitted on as many columns."""
    fitted = step.get("n_features_in_")
    if fitted != len(columns):
        step.refuse(f"was fitted on {fitted} columns, and gets {len(columns)}")
    graph, taken = context.graph, numeric(step, columns)
    tensor = graph.add("Cast", [graph.add("Cast", [matrix(graph, taken)], to=1)], to=11)
    context.note_trees(trees, numbers([column.source for column in taken], tensor), single=True)
    return tensor


def tree_steps(step: Step, name: str, types: tuple[str, ...]) -> list[Step]:
    """The fitted trees of an ensemble, each named as a part of it; any other kind of estimator is refused."""
    found = step.get(name)
    parts = found.ravel().tolist() if isinstance(found, np.ndarray) else found
    if not isinstance(parts, list) or not parts:
        step.refuse(f"has no {name!r} of a known form: this version of its library is not known")
    steps = []
    for place, part in enumerate(parts):
        if not isinstance(part, Step) or part.type not in types:
            step.refuse(
                f"is built of {getattr(part, 'type', part)}; it has an exact lowering with decision trees alone"
            )
        steps.append(Step(part.type, part.state, f"{step.path}/{name}[{place}]"))
    return steps


def classes_of(step: Step) -> list[list[Any]]:
    """The classes of each output of a tree or a forest."""
    found = step.get("classes_")
    several = found if isinstance(found, list) else [found]
    if len(several) != step.get("n_outputs_"):
        step.refuse("has classes that do not fit its outputs: this version of its library is not known")
    return [np.asarray(classes).tolist() for classes in several]


def class_shares(step: Step, values: Floats, wanted: Sequence[Sequence[Any]]) -> Floats:
    """Of each node, for each output: the share of the second of two classes, or of every class if there are more.

    ``wanted`` are the classes of the ensemble, by the names that ``step``, a tree of it, has for them; a class that
    its sample did not have gets no share.
    """
    fitted = classes_of(step)
    if values.shape[1] != len(fitted) or len(wanted) != len(fitted):
        step.refuse("has leaves that do not fit its outputs: this version of its library is not known")
    columns = []
    for output, (mine, classes) in enumerate(zip(fitted, wanted, strict=True)):
        shares = values[:, output, : len(mine)]
        if not (np.abs(shares.sum(axis=1) - 1.0) <= 1e-9).all():
            step.refuse("has leaves that count rows instead of shares: this version of its library is not known")
        placed = np.zeros((len(values), len(classes)))
        for place, value in enumerate(classes):
            if value in mine:
                placed[:, place] = shares[:, mine.index(value)]
        columns.append(placed[:, 1:] if len(classes) == 2 else placed)
    return np.concatenate(columns, axis=1)


def leaf_numbers(values: Floats) -> Floats:
    """Of each node of a regressor, the number of each output."""
    return values[:, :, 0]


def note_missing(context: Context, parts: Sequence[Step]) -> None:
    """Extra trees that look for the best split refuse missing values; the library asks the first tree."""
    if parts[0].type in _EXTRA and parts[0].get("splitter") != "random":
        context.refuses_missing = True


def read_tree(step: Step, leaf_values: Callable[[Floats], Floats], chosen: Sequence[int] | None = None) -> Tree:
    """The fitted tree of ``step``; ``leaf_values`` turns ``values`` [nodes, outputs, classes] into [nodes, k].

    ``chosen`` says which of the ensemble's columns the tree was fitted on, if not on all.
    """
    inner = step.step("tree_")
    nodes, values = inner.get("nodes"), inner.get("values")
    width = int(step.get("n_features_in_"))
    try:
        is_leaf = nodes["left_child"] == _LEAF
        feature = np.where(is_leaf, 0, nodes["feature"]).astype(np.int64)
        left, right = (np.where(is_leaf, 0, nodes[f"{side}_child"]).astype(np.int64) for side in ("left", "right"))
        after = np.arange(len(nodes))[~is_leaf]
        for child in (left[~is_leaf], right[~is_leaf]):
            if ((child <= after) | (child >= len(nodes))).any():
                raise ValueError("a child that is not behind its parent")
        if ((feature < 0) | (feature >= width)).any() or values.ndim != 3 or len(values) != len(nodes):
            raise ValueError("a feature or a value that is not there")
        return Tree(
            feature=feature if chosen is None else np.asarray(chosen, dtype=np.int64)[feature],
            threshold=np.where(is_leaf, 0.0, round_down(nodes["threshold"])),
            members=(None,) * len(nodes),
            missing_left=nodes["missing_go_to_left"].astype(bool),
            left=left,
            right=right,
            is_leaf=is_leaf,
            value=leaf_values(values.astype(np.float64)),
        )
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        step.refuse(f"has nodes of an unknown form ({error!r}): this version of its library is not known")


def round_down(thresholds: Floats) -> Floats:
    """Each as the largest float32 that is not above it, as a double.

    >>> round_down(np.array([0.1, 0.5, -1e-50, np.inf])).tolist()
    [0.09999999403953552, 0.5, -1.401298464324817e-45, inf]
    """
    with np.errstate(over="ignore", under="ignore"):
        near = thresholds.astype(np.float32)
        down = np.where(near.astype(np.float64) > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
    found: Floats = down.astype(np.float64)
    return found
