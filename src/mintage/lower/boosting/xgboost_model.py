"""An XGBoost model as its own JSON says it: ``read_xgboost(step)``, of a step that holds a booster.

All numbers are float32, as the library has them. What does not fit is refused with the step's place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mintage.lower.description import Step

__all__ = ["Grown", "Linear", "XGBoost", "read_xgboost"]

Array = np.ndarray[Any, Any]
_NUMBERS = ("reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror", "reg:squarederror", "reg:squaredlogerror")
_LOGISTIC = ("binary:logistic", "reg:logistic")
_EXPONENTIAL = ("count:poisson", "reg:gamma", "reg:tweedie")
_SOFTMAX = ("multi:softmax", "multi:softprob")
_LINKS = {
    **dict.fromkeys(_NUMBERS, "identity"),
    **dict.fromkeys(_LOGISTIC, "sigmoid"),
    **dict.fromkeys(_EXPONENTIAL, "exp"),
    **dict.fromkeys(_SOFTMAX, "softmax"),
}


@dataclass(frozen=True)
class Grown:
    """One tree: the library's own arrays, the sum that it adds to, and its weight. ``leaf`` is [nodes, k]."""

    left: Array
    right: Array
    feature: Array
    threshold: Array
    default_left: Array
    sets: Mapping[int, tuple[int, ...]]
    leaf: Array
    target: int | None
    weight: float | None


@dataclass(frozen=True)
class Linear:
    """A linear booster: ``weights`` [features + 1, sums], the last row is the bias."""

    weights: Array


@dataclass(frozen=True)
class XGBoost:
    """A model: ``start`` of each sum, then its trees in order, or one linear booster; ``link`` comes last.

    ``dictionaries`` has of each feature the categories that it was fitted with, if the library knows them;
    ``categorical`` says which features are categories at all.
    """

    link: str
    start: Array
    features: int
    categorical: tuple[bool, ...]
    dictionaries: tuple[list[Any] | None, ...]
    booster: tuple[Grown, ...] | Linear


def read_xgboost(step: Step) -> XGBoost:
    """The model of a fitted XGBClassifier or XGBRegressor."""
    try:
        learner = json.loads(step.step("_Booster").get("#json").tobytes())
        return _model(step, learner)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        step.refuse(f"has a model of an unknown form ({error!r}): this version of its library is not known")


def _model(step: Step, learner: Mapping[str, Any]) -> XGBoost:
    objective = learner["objective"]["name"]
    if objective not in _LINKS or not isinstance(step.get("objective"), str):
        step.refuse(f"with objective {objective!r} has no exact lowering; " + ", ".join(sorted(_LINKS)) + " have")
    parameters = learner["learner_model_param"]
    link, width = _LINKS[objective], max(int(parameters["num_class"]), int(parameters["num_target"]), 1)
    found = json.loads(parameters["base_score"])
    base = np.array(found if isinstance(found, list) else [found], dtype=np.float32)
    inner, count = learner["gradient_booster"], int(parameters["num_feature"])
    kinds = learner["feature_types"] or ["float"] * count
    booster: tuple[Grown, ...] | Linear
    if inner["name"] == "gblinear":
        weights = np.array(inner["model"]["weights"], dtype=np.float32)
        booster, encodings = Linear(weights.reshape(count + 1, -1)), []
    else:
        model = inner.get("gbtree", inner)["model"]
        booster = _trees(model, inner.get("weight_drop"), learner["attributes"])
        encodings = model.get("cats", {}).get("enc", [])
    width = max(width, len(base), 1 if isinstance(booster, Linear) else max(model["tree_info"], default=0) + 1)
    return XGBoost(
        link=link,
        start=np.broadcast_to(_margin(base, link), width).astype(np.float32),
        features=count,
        categorical=tuple(kind == "c" for kind in kinds),
        dictionaries=tuple(_dictionary(part) for part in encodings) or (None,) * count,
        booster=booster,
    )


def _margin(base: Array, link: str) -> Array:
    """The base score before the link, in the library's float32 steps."""
    if link == "sigmoid":
        return np.array([-np.log(float(np.float32(1) / value - np.float32(1))) for value in base], dtype=np.float32)
    if link == "exp":
        return np.log(base.astype(np.float64)).astype(np.float32)
    return base


def _trees(model: Mapping[str, Any], weights: Any, attributes: Mapping[str, str]) -> tuple[Grown, ...]:
    """The trees that answer: with early stopping, those up to the best round."""
    rounds = model.get("iteration_indptr")
    last = len(model["trees"])
    if "best_iteration" in attributes:
        best = int(attributes["best_iteration"]) + 1
        last = rounds[best] if rounds else best * int(model["gbtree_model_param"]["num_parallel_tree"])
    return tuple(
        _tree(tree, model["tree_info"][place], None if weights is None else weights[place])
        for place, tree in enumerate(model["trees"][:last])
    )


def _tree(tree: Mapping[str, Any], target: int, weight: float | None) -> Grown:
    left, right = (np.array(tree[f"{side}_children"], dtype=np.int64) for side in ("left", "right"))
    splits = np.array(tree["split_conditions"], dtype=np.float64).astype(np.float32)
    size = int(tree["tree_param"]["size_leaf_vector"])
    leaf = splits[:, np.newaxis]
    if size > 1:
        vectors = np.array(tree["leaf_weights"], dtype=np.float64).astype(np.float32).reshape(-1, size)
        leaf = np.where((left == -1)[:, np.newaxis], vectors[np.where(left == -1, right, 0)], np.float32(0))
    parts = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    return Grown(
        left=left,
        right=right,
        feature=np.array(tree["split_indices"], dtype=np.int64),
        threshold=splits,
        default_left=np.array(tree["default_left"], dtype=bool),
        sets={node: tuple(tree["categories"][first : first + count]) for node, first, count in parts},
        leaf=leaf,
        target=None if size > 1 else target,
        weight=weight,
    )


def _dictionary(encoding: Mapping[str, Any]) -> list[Any] | None:
    """The categories of a feature; texts are laid end to end as bytes, with where each begins."""
    values = encoding["values"]
    if not values:
        return None
    if "offsets" not in encoding:
        return list(values)
    data, ends = bytes(value % 256 for value in values), encoding["offsets"]
    return [data[start:end].decode() for start, end in pairwise(ends)]
