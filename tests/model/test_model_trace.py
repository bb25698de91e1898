"""The split that a row passes closest is found on the graph itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.graph import Graph
from mintage.lower.trees import Tree, emit
from mintage.model.trace import closest_split


def stump(threshold: float, *, members: tuple[int, ...] | None = None) -> Tree:
    return Tree(
        feature=np.array([0, 0, 0]),
        threshold=np.array([threshold, 0.0, 0.0]),
        members=(members, None, None),
        missing_left=np.array([True, False, False]),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        is_leaf=np.array([False, True, True]),
        value=np.array([0.0, 1.0, 2.0]),
    )


def graph_of(trees: list[Tree]) -> bytes:
    graph = Graph()
    x = graph.input("x", text=False)
    total, _ = emit(graph, trees, graph.add("Add", [x, x]))
    assert total is not None
    return graph.model(outputs={"value": (total, "double", 1)})


def feed(value: float) -> dict[str, Any]:
    return {"x": np.array([[value]])}


def test_the_closest_threshold_is_named_with_both_values() -> None:
    split = closest_split(graph_of([stump(9.0), stump(3.0), stump(-4.0)]), feed(1.5))
    assert split is not None
    assert (split.tree, split.value, split.threshold, split.apart) == (1, 3.0, 3.0, 0.0)
    assert str(split) == "tree 1, feature 0: 3.0 <= 3.0"
    above = closest_split(graph_of([stump(9.0), stump(3.0)]), feed(np.nextafter(1.5, 2)))
    assert above is not None
    assert (above.sign, above.apart) == ("not <=", 1.0)


def test_a_missing_value_and_a_set_have_no_closest_threshold() -> None:
    missing = closest_split(graph_of([stump(3.0)]), feed(np.nan))
    assert missing is not None
    assert (missing.sign, missing.apart) == ("<=", np.inf)
    assert closest_split(graph_of([stump(0.0, members=(2, 4))]), feed(1.0)) is None
