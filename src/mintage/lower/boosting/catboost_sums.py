"""CatBoost's sums: float32 features against borders, categories and their statistics; leaves added as doubles.

A categorical feature is the place of its text among those that the model knows. The model keeps only hashes of its
categories, so those that no row shows have no text here: the signature is then closed to all that is not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.boosting.catboost_model import CatBoost, Grown, Test, read_catboost
from mintage.lower.boosting.catboost_statistics import Combinations, combinations, statistic_values
from mintage.lower.boosting.links import DOUBLE, SINGLE
from mintage.lower.categories import look_up
from mintage.lower.columns import Coded, Column, Number, Text, column_tensor, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric
from mintage.lower.trees import Tree
from mintage.lower.vector_leaves import add_vectors

__all__ = ["sums"]

Key = tuple[str, int]
Features = dict[Key, "Number | Coded"]


def sums(step: Step, columns: list[Column], context: Context) -> tuple[str, int]:
    """The tensor [N, k] of sums, before the link, and k."""
    model = read_catboost(step)
    if step.get("features") != len(columns):
        step.refuse(f"was fitted on {step.get('features')} columns, and gets {len(columns)}")
    graph, features = context.graph, _features(step, model, columns, context)
    keys = (
        sorted({_key(test) for tree in model.trees for test in tree.tests if test is not None}) or sorted(features)[:1]
    )
    taken = [features[key] for key in keys]
    places = {key: place for place, key in enumerate(keys)}
    trees = [_tree(tree, model, places) for tree in model.trees]
    context.note_trees(trees, taken, single=False)
    total = add_vectors(graph, trees, matrix(graph, taken))
    scaled = total if model.scale == 1.0 else graph.add("Mul", [total, graph.constant(np.array([[model.scale]]))])
    return graph.add("Add", [scaled, graph.constant(model.bias[np.newaxis])]), len(model.bias)


def _key(test: Test) -> Key:
    return test.kind, test.place


def _features(step: Step, model: CatBoost, columns: list[Column], context: Context) -> Features:
    """Each feature that a test may ask for, in float32 or as the place of a category."""
    found: Features = {}
    for place, at in enumerate(model.floats):
        column = numeric(step, [columns[at]])[0]
        single = context.graph.once("Cast", [column_tensor(context.graph, column)], to=SINGLE)
        found["float", place] = Number(column.source, context.graph.once("Cast", [single], to=DOUBLE), 0, 1)
    known = [combinations(step, statistic, model.hashes) for statistic in model.statistics]
    for place, at in enumerate(model.categories):
        found["category", place] = _category(step, columns[at], _Known.of(model, place, known), context)
    for place, (statistic, mine) in enumerate(zip(model.statistics, known, strict=True)):
        parts = [found["category", part] for part in statistic.categories]
        bits = [_bit(model, test, found, context) for test in statistic.bits]
        table, empty = _table(mine, *statistic_values(step, statistic))
        found["statistic", place] = _looked_up(parts, bits, _strides(mine), table=table, empty=empty, context=context)
    return found


@dataclass(frozen=True)
class _Known:
    """The texts of a categorical feature that training had, each with its place; and whether these are all."""

    texts: tuple[str, ...]
    places: tuple[int, ...]
    size: int
    complete: bool

    @classmethod
    def of(cls, model: CatBoost, place: int, known: list[Combinations]) -> _Known:
        """A category that training had is asked for by a test, or known to a statistic."""
        hashes = model.hashes[place].tolist()
        asked = {
            test.value for tree in model.trees for test in tree.tests if test and _key(test) == ("category", place)
        }
        seen = {number for number, value in enumerate(hashes) if value in asked}
        complete = asked <= set(hashes)
        for statistic, mine in zip(model.statistics, known, strict=True):
            if place in statistic.categories:
                seen |= set(mine.codes[:, statistic.categories.index(place)].tolist())
                complete &= mine.complete
        places = tuple(sorted(seen))
        texts = tuple(model.texts[place][number] for number in places)
        return cls(texts=texts, places=places, size=len(hashes), complete=complete)


def _category(step: Step, column: Column, known: _Known, context: Context) -> Number | Coded:
    """The place of each known category; anything else is behind the last."""
    values: list[Any] = list(known.texts) if isinstance(column, Text) else [float(text) for text in known.texts]
    return look_up(
        step,
        column,
        values,
        context,
        code=lambda number: float(known.places[number]),
        missing=None,
        unknown=float(known.size),
        closed=not known.complete,
    )


def _strides(known: Combinations) -> list[int]:
    """What each part of a combination counts in the number that stands for it."""
    return [math.prod(known.sizes[place + 1 :]) for place in range(len(known.sizes))]


def _table(known: Combinations, values: np.ndarray[Any, Any], empty: float) -> tuple[dict[float, float], float]:
    """The statistic of each known combination's number, and that of any other."""
    numbers = known.codes @ np.array(_strides(known), dtype=np.int64)
    return dict(zip(numbers.astype(float).tolist(), values[known.rows].tolist(), strict=True)), empty


def _looked_up(
    parts: Sequence[Number | Coded],
    bits: Sequence[str],
    strides: Sequence[int],
    *,
    table: Mapping[float, float],
    empty: float,
    context: Context,
) -> Number | Coded:
    """A statistic, by the number that stands for its combination."""
    first = parts[0]
    if len(strides) == 1 and isinstance(first, Coded):
        return first.map(lambda code: table.get(code, empty))
    graph = context.graph
    tensors = [*(column_tensor(graph, part) for part in parts), *bits]
    scaled = [
        graph.once("Mul", [tensor, graph.constant(np.array([[float(stride)]]))])
        for tensor, stride in zip(tensors, strides, strict=True)
    ]
    key = scaled[0]
    for tensor in scaled[1:]:
        key = graph.once("Add", [key, tensor])
    found = graph.add_ml(
        "LabelEncoder",
        [key],
        keys_tensor=np.array([*table], dtype=np.float64),
        values_tensor=np.array([*table.values()], dtype=np.float64),
        default_tensor=np.array([empty], dtype=np.float64),
    )
    return Number(first.source, found, 0, 1)


def _bit(model: CatBoost, test: Test, features: Features, context: Context) -> str:
    """A test as a number, 0 or 1."""
    graph, tensor = context.graph, column_tensor(context.graph, features[_key(test)])
    if test.kind == "category":
        asked = graph.constant(np.array([[_code(model, test)]]))
        return graph.once("Cast", [graph.once("Equal", [tensor, asked])], to=DOUBLE)
    above = graph.once("Greater", [tensor, graph.constant(np.array([[float(test.value)]]))])
    if model.missing_high[test.place]:
        above = graph.once("Or", [above, graph.once("IsNaN", [tensor])])
    return graph.once("Cast", [above], to=DOUBLE)


def _code(model: CatBoost, test: Test) -> float:
    """The place of the category that a test asks for; -1 if no known text is it."""
    found = np.flatnonzero(model.hashes[test.place] == test.value)
    return float(found[0]) if len(found) else -1.0


def _tree(tree: Grown, model: CatBoost, places: Mapping[Key, int]) -> Tree:
    """A test's yes is the right child for a border, and the left one for a category."""
    by_set = [test is not None and test.kind == "category" for test in tree.tests]
    no, yes = (np.array([pair[side] for pair in tree.children], dtype=np.int64) for side in (0, 1))
    return Tree(
        feature=np.array([0 if test is None else places[_key(test)] for test in tree.tests], dtype=np.int64),
        threshold=np.array([0.0 if test is None or test.kind == "category" else test.value for test in tree.tests]),
        members=tuple(
            tuple(int(code) for code in [_code(model, test)] if code >= 0) if test is not None and is_set else None
            for test, is_set in zip(tree.tests, by_set, strict=True)
        ),
        missing_left=np.array([test is None or not _missing_high(model, test) for test in tree.tests]),
        left=np.where(by_set, yes, no),
        right=np.where(by_set, no, yes),
        is_leaf=np.array([test is None for test in tree.tests]),
        value=tree.values,
    )


def _missing_high(model: CatBoost, test: Test) -> bool:
    return test.kind == "float" and model.missing_high[test.place]
