"""A CatBoost model as its own JSON says it: ``read_catboost(step)``.

A tree tests features, each test one bit: a float32 above a border, a category, or a statistic of categories above a
border. What does not fit is refused with the step's place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.description import Step

__all__ = ["CatBoost", "Grown", "Statistic", "Test", "read_catboost"]

Array = np.ndarray[Any, Any]
EMPTY = (1 << 64) - 1
"""The hash of a place of a table that holds nothing."""


@dataclass(frozen=True)
class Test:
    """One bit. ``kind`` is ``float``, ``category`` or ``statistic``; ``place`` among the features of that kind.

    ``value`` is the border, or the hash of the category.
    """

    kind: str
    place: int
    value: float | int


@dataclass(frozen=True)
class Statistic:
    """A statistic of training rows by a combination of categories and of bits.

    ``table`` maps the combination's hash to numbers; ``prior`` is (numerator, denominator), ``scale`` (shift, scale).
    """

    kind: str
    categories: tuple[int, ...]
    bits: tuple[Test, ...]
    hashes: Array
    counts: Array
    denominator: int
    target: int
    prior: tuple[float, float]
    scale: tuple[float, float]


@dataclass(frozen=True)
class Grown:
    """A tree: node i tests ``tests[i]``, goes to ``children[i]`` (no, yes), or is a leaf with ``values[i]`` [k]."""

    tests: tuple[Test | None, ...]
    children: tuple[tuple[int, int], ...]
    values: Array


@dataclass(frozen=True)
class CatBoost:
    """A model: the trees' sum times ``scale`` plus ``bias`` [k]. ``floats`` and ``categories`` are columns.

    Missing values of a float feature pass every border where ``missing_high``. Of each categorical feature, ``texts``
    are known texts and ``hashes`` theirs.
    """

    floats: tuple[int, ...]
    missing_high: tuple[bool, ...]
    categories: tuple[int, ...]
    texts: tuple[tuple[str, ...], ...]
    hashes: tuple[Array, ...]
    statistics: tuple[Statistic, ...]
    trees: tuple[Grown, ...]
    scale: float
    bias: Array


def read_catboost(step: Step) -> CatBoost:
    """The model of a fitted CatBoostClassifier or CatBoostRegressor."""
    try:
        return _model(step, json.loads(step.get("#json").tobytes()))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        step.refuse(f"has a model of an unknown form ({error!r}): this version of its library is not known")


def _model(step: Step, model: Mapping[str, Any]) -> CatBoost:
    info = model["features_info"]
    floats, known = info.get("float_features") or (), info.get("categorical_features") or ()
    tables = model.get("ctr_data") or {}
    scale, bias = model["scale_and_bias"]
    bias = np.atleast_1d(np.array(bias, dtype=np.float64))
    borders = sum(len(item.get("borders") or ()) for item in floats) + sum(
        len(item.get("values") or ()) for item in known
    )
    places = [place for place, item in enumerate(info.get("ctrs") or ()) for _ in item["borders"] or ()]

    def read(split: Mapping[str, Any]) -> Test:
        return _test(split, places, borders)

    trees = (
        [_symmetric(tree, read, len(bias)) for tree in model["oblivious_trees"]]
        if "oblivious_trees" in model
        else [_nested(tree, read, len(bias)) for tree in model["trees"]]
    )
    return CatBoost(
        floats=tuple(int(item["flat_feature_index"]) for item in floats),
        missing_high=tuple(item["nan_value_treatment"] == "AsTrue" for item in floats),
        categories=tuple(int(item["flat_feature_index"]) for item in known),
        texts=tuple(tuple(found) for found in step.get("texts")),
        hashes=tuple(step.get("hashes")),
        statistics=tuple(_statistic(item, tables[item["identifier"]]) for item in info.get("ctrs") or ()),
        trees=tuple(trees),
        scale=float(scale),
        bias=bias,
    )


def _test(split: Mapping[str, Any], places: list[int], first: int) -> Test:
    """Statistics are found by the number of the test: those of floats and of categories come first."""
    kind = split.get("split_type") or split["combination_element"]
    if kind in ("FloatFeature", "float_feature"):
        return Test("float", int(split["float_feature_index"]), float(np.float32(split["border"])))
    if kind in ("OneHotFeature", "cat_feature_exact_value"):
        return Test("category", int(split["cat_feature_index"]), int(split["value"]) % (1 << 32))
    if kind != "OnlineCtr":
        raise ValueError(f"a test of kind {kind!r}")
    return Test("statistic", places[int(split["split_index"]) - first], float(np.float32(split["border"])))


def _statistic(item: Mapping[str, Any], table: Mapping[str, Any]) -> Statistic:
    rows = np.array(table["hash_map"], dtype=object).reshape(-1, int(table["hash_stride"]))
    hashes = np.array([int(value) for value in rows[:, 0]], dtype=np.uint64)
    kept = hashes != np.uint64(EMPTY)
    elements = item["elements"]
    return Statistic(
        kind=item["ctr_type"],
        categories=tuple(
            int(part["cat_feature_index"]) for part in elements if part["combination_element"] == "cat_feature_value"
        ),
        bits=tuple(_test(part, [], 0) for part in elements if part["combination_element"] != "cat_feature_value"),
        hashes=hashes[kept],
        counts=rows[kept, 1:].astype(np.float64),
        denominator=int(table["counter_denominator"]),
        target=int(item["target_border_idx"]),
        prior=(float(item["prior_numerator"]), float(item["prior_denomerator"])),
        scale=(float(item["shift"]), float(item["scale"])),
    )


def _symmetric(tree: Mapping[str, Any], read: Any, width: int) -> Grown:
    """All nodes of a level have one test; its answer is a bit of the leaf's number, that of the first the lowest."""
    tests = [read(split) for split in tree["splits"] or ()]
    leaves = np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, width)
    inner = (1 << len(tests)) - 1
    numbers = [0]
    for level in range(len(tests)):
        numbers = [number | bit << level for number in numbers for bit in (0, 1)]
    levels = [test for level, test in enumerate(tests) for _ in range(1 << level)]
    return Grown(
        tests=(*levels, *(None,) * len(numbers)),
        children=(*((2 * node + 1, 2 * node + 2) for node in range(inner)), *((0, 0),) * len(numbers)),
        values=np.concatenate([np.zeros((inner, width)), leaves[numbers]]),
    )


def _nested(tree: Mapping[str, Any], read: Any, width: int) -> Grown:
    tests: list[Test | None] = []
    children: list[tuple[int, int]] = []
    values: list[Any] = []

    def grow(node: Mapping[str, Any]) -> int:
        place = len(tests)
        tests.append(read(node["split"]) if "split" in node else None)
        children.append((0, 0))
        values.append(
            np.zeros(width) if "split" in node else np.broadcast_to(np.array(node["value"], dtype=float), width)
        )
        if "split" in node:
            children[place] = (grow(node["left"]), grow(node["right"]))
        return place

    grow(tree)
    return Grown(tests=tuple(tests), children=tuple(children), values=np.array(values))
