"""The sums of scikit-learn's histogram boosting: double-precision splits, native categories, missing values.

With ``categorical_features`` the library puts the categorical columns first, in its own copy of the table; the split
indices are of that copy. Here the columns stay where they are and the indices are put back. A category is its place
among those that the library's own encoder has seen; missing and unseen ones are the place after the last, which is
a member of a split's set when missing values go left there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.categories import fitted_categories, is_missing, look_up
from mintage.lower.columns import Column, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric
from mintage.lower.trees import Tree
from mintage.lower.vector_leaves import add_vectors

__all__ = ["raw_predictions"]


def raw_predictions(step: Step, columns: list[Column], context: Context) -> tuple[str, int]:
    """The tensor [N, k] of sums, in the library's order, and k.

    There is one sum of a regressor or for two classes, else one a class.
    """
    baseline = step.numbers("_baseline_prediction").ravel()
    flags = step.get("is_categorical_")
    categorical = np.zeros(len(columns), dtype=bool) if flags is None else np.asarray(flags, dtype=bool)
    if len(categorical) != len(columns):
        step.refuse(f"was fitted on {len(categorical)} columns, and gets {len(columns)}")
    columns, sizes = _encode(step, columns, categorical, context)
    order = np.concatenate([np.flatnonzero(categorical), np.flatnonzero(~categorical)])
    width, trees = len(baseline), []
    for stage in step.get("_predictors"):
        if len(stage) != width:
            step.refuse("has predictors of an unknown form")
        trees += [_tree(step, part, order, sizes, place=place, width=width) for place, part in enumerate(stage)]
    taken = numeric(step, columns)
    context.note_trees(trees, taken, single=False)
    return add_vectors(context.graph, trees, matrix(context.graph, taken), start=baseline), width


def _encode(
    step: Step, columns: list[Column], categorical: np.ndarray[Any, Any], context: Context
) -> tuple[list[Column], dict[int, int]]:
    """Categorical columns as places among the seen categories; returns how many each has."""
    if not categorical.any():
        return columns, {}
    inner = step.step("_preprocessor")
    encoder = next((part for name, part, _ in inner.get("transformers_") if name == "encoder"), None)
    if not isinstance(encoder, Step):
        step.refuse("has no encoder for its categorical columns: this version of its library is not known")
    encoder = Step(encoder.type, encoder.state, f"{step.path}/categories")
    places = np.flatnonzero(categorical).tolist()
    result, sizes = list(columns), {}
    for place, values in zip(places, fitted_categories(encoder, len(places)), strict=True):
        sizes[place] = sum(value is None or not is_missing(value) for value in values)
        size = float(sizes[place])
        result[place] = look_up(encoder, columns[place], values, context, code=float, missing=size, unknown=size)
    return result, sizes


def _tree(
    step: Step, predictor: Any, order: np.ndarray[Any, Any], sizes: dict[int, int], *, place: int, width: int
) -> Tree:
    """A tree that adds to the sum at ``place``."""
    if not isinstance(predictor, Step):
        step.refuse("has predictors of an unknown form")
    nodes, bits = predictor.get("nodes"), predictor.get("raw_left_cat_bitsets")
    try:
        leaf = nodes["is_leaf"].astype(bool)
        feature = order[nodes["feature_idx"]]
        members = tuple(
            _members(bits[node["bitset_idx"]], sizes[int(feature[number])], bool(node["missing_go_to_left"]))
            if node["is_categorical"] and not node["is_leaf"]
            else None
            for number, node in enumerate(nodes)
        )
        value = np.zeros((len(nodes), width))
        value[:, place] = nodes["value"]
        return Tree(
            feature=feature.astype(np.int64),
            threshold=nodes["num_threshold"].astype(np.float64),
            members=members,
            missing_left=nodes["missing_go_to_left"].astype(bool),
            left=nodes["left"].astype(np.int64),
            right=nodes["right"].astype(np.int64),
            is_leaf=leaf,
            value=value,
        )
    except (ValueError, IndexError, KeyError, TypeError) as error:
        step.refuse(f"has nodes of an unknown form ({error!r})")


def _members(bits: np.ndarray[Any, Any], size: int, missing_left: bool) -> tuple[int, ...]:
    """The categories that go left: a set bit each, 32 to a word; and the missing one, where it does."""
    left = [place for place in range(size) if int(bits[place // 32]) >> (place % 32) & 1]
    return (*left, size) if missing_left else tuple(left)
