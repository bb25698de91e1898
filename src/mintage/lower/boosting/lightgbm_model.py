"""A LightGBM model as its own text says it: ``read_lightgbm(step)``, of a step that holds a booster.

The text is a header of ``name=value`` lines, then a block of such lines for each tree. What does not fit is refused
with the step's place.

>>> _fields("num_leaves=2\\nthreshold=0.5 1.5\\naverage_output")
{'num_leaves': '2', 'threshold': '0.5 1.5', 'average_output': ''}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.description import Step

__all__ = ["NAN", "NEVER", "ZERO", "Grown", "LightGBM", "read_lightgbm"]

Array = np.ndarray[Any, Any]
NEVER, ZERO, NAN = 0, 1, 2
"""What a split takes for missing: nothing (NaN is zero), zero and NaN, or NaN alone."""
_CATEGORICAL, _DEFAULT_LEFT = 1, 2


@dataclass(frozen=True)
class Grown:
    """One tree: its splits, and ``leaf`` values. A child below zero is the leaf ``~child``."""

    feature: Array
    threshold: Array
    missing: Array
    default_left: Array
    sets: tuple[tuple[int, ...] | None, ...]
    left: Array
    right: Array
    leaf: Array


@dataclass(frozen=True)
class LightGBM:
    """A model: trees in order, of which each ``width`` in a row add to one sum each.

    ``dictionary`` has the categories of the columns that pandas had as such, in their order; ``categorical`` says
    which features are categories, as far as the model tells. ``averaged`` sums are divided by the number of rounds.
    """

    objective: str
    options: Mapping[str, str]
    width: int
    averaged: bool
    categorical: tuple[bool, ...]
    dictionary: tuple[list[Any], ...]
    trees: tuple[Grown, ...]


def read_lightgbm(step: Step) -> LightGBM:
    """The model of a fitted LGBMClassifier or LGBMRegressor."""
    try:
        booster = step.step("_Booster")
        text = booster.get("#text").tobytes().decode()
        return _model(step, text, booster.get("pandas_categorical") or [])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        step.refuse(f"has a model of an unknown form ({error!r}): this version of its library is not known")


def _model(step: Step, text: str, dictionary: list[list[Any]]) -> LightGBM:
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    fields = _fields(head)
    objective, *options = fields.get("objective", "none").split(" ")
    trees = [_fields(block) for block in blocks]
    if any(tree.get("is_linear", "0") != "0" for tree in trees):
        step.refuse("with linear_tree=True has no exact lowering; without it it has")
    infos = fields["feature_infos"].split(" ")
    return LightGBM(
        objective=objective,
        options=dict(option.partition(":")[::2] for option in options),
        width=int(fields["num_tree_per_iteration"]),
        averaged="average_output" in fields,
        categorical=tuple("[" not in info and info != "none" for info in infos),
        dictionary=tuple(dictionary),
        trees=tuple(_tree(tree) for tree in trees),
    )


def _fields(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines()) if name}


def _tree(fields: Mapping[str, str]) -> Grown:
    kind = _integers(fields.get("decision_type", ""))
    thresholds = _numbers(fields.get("threshold", ""))
    bits, ends = _integers(fields.get("cat_threshold", "")), _integers(fields.get("cat_boundaries", ""))
    sets = tuple(
        _members(bits[ends[int(place)] : ends[int(place) + 1]]) if is_set else None
        for place, is_set in zip(thresholds, kind & _CATEGORICAL, strict=True)
    )
    return Grown(
        feature=_integers(fields.get("split_feature", "")),
        threshold=thresholds,
        missing=kind >> 2 & 3,
        default_left=(kind & _DEFAULT_LEFT) > 0,
        sets=sets,
        left=_integers(fields.get("left_child", "")),
        right=_integers(fields.get("right_child", "")),
        leaf=_numbers(fields["leaf_value"]),
    )


def _members(words: Array) -> tuple[int, ...]:
    """A set bit for each category, 32 to a word."""
    return tuple(32 * place + bit for place, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1)


def _integers(text: str) -> Array:
    return np.array([int(part) for part in text.split()], dtype=np.int64)


def _numbers(text: str) -> Array:
    return np.array([float(part) for part in text.split()], dtype=np.float64)
