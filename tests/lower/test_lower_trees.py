"""Any trees, written as one TreeEnsemble, give the sums that walking them by hand gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from mintage.lower.graph import Graph
from mintage.lower.trees import Tree, emit, passing
from mintage.lower.vector_leaves import add_vectors, one_target_trees

FEATURES = 4
LEVELS = 70  # features 2 and 3 are categories, with 70 standing for missing


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    parts: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "members", "missing", "left", "right")}
    leaf, value = [], []

    def grow(depth: int) -> int:
        place = len(leaf)
        is_leaf = depth == 4 or draw(st.booleans())
        feature = draw(st.integers(0, FEATURES - 1))
        by_set = feature >= 2 and not is_leaf
        leaf.append(is_leaf)
        value.append(draw(st.floats(-2, 2)) if is_leaf else 0.0)
        parts["feature"].append(feature)
        parts["threshold"].append(draw(st.sampled_from([-1.0, 0.0, 0.5, 5e-324, np.inf])))
        parts["members"].append(tuple(sorted(draw(st.sets(st.integers(0, LEVELS), max_size=40)))) if by_set else None)
        parts["missing"].append(draw(st.booleans()))
        for side in ("left", "right"):
            parts[side].append(0)
        if not is_leaf:
            parts["left"][place] = grow(depth + 1)
            parts["right"][place] = grow(depth + 1)
        return place

    grow(0)
    return Tree(
        feature=np.array(parts["feature"]),
        threshold=np.array(parts["threshold"]),
        members=tuple(parts["members"]),
        missing_left=np.array(parts["missing"]),
        left=np.array(parts["left"]),
        right=np.array(parts["right"]),
        is_leaf=np.array(leaf),
        value=np.array(value),
    )


def walk(tree: Tree, row: Any) -> float:
    node = 0
    while not tree.is_leaf[node]:
        value, members = row[tree.feature[node]], tree.members[node]
        if members is not None:
            left = value in members
        else:
            left = bool(tree.missing_left[node]) if np.isnan(value) else bool(value <= tree.threshold[node])
        node = int(tree.left[node] if left else tree.right[node])
    return float(tree.value[node])


@given(st.lists(trees(), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_tree_ensemble_is_its_trees(found: list[Tree], seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = rng.choice([-2.0, -1.0, -0.0, 0.0, 5e-324, 0.5, np.nan, np.inf, -np.inf], size=(40, 2))
    rows = np.column_stack([numbers, rng.integers(0, LEVELS + 1, size=(40, 2)).astype(float)])
    graph = Graph()
    inputs = [graph.input(f"x{place}", text=False) for place in range(FEATURES)]
    total, constant = emit(graph, found, graph.concat(inputs))
    expected = [sum(walk(tree, row) for tree in found) for row in rows]
    if total is None:
        assert np.allclose(expected, constant, rtol=0, atol=1e-12)
        return
    session = onnxruntime.InferenceSession(graph.model(outputs={"sum": (total, "double", 1)}))
    feeds = {f"x{place}": rows[:, place : place + 1] for place in range(FEATURES)}
    several = session.run(None, feeds)[0].ravel() + constant
    alone = [session.run(None, {name: part[:1] for name, part in feeds.items()})[0].item() + constant]
    assert np.allclose(several, expected, rtol=0, atol=1e-12)
    assert np.allclose(alone, expected[:1], rtol=0, atol=1e-12)
    for tree in found:
        reached = passing(tree, rows)
        leaves = [taken for node, taken in reached.items() if tree.is_leaf[node]]
        assert sorted(np.concatenate(leaves).tolist()) == list(range(len(rows)))
        for node, taken in reached.items():
            if tree.is_leaf[node]:
                assert all(walk(tree, rows[row]) == tree.value[node] for row in taken.tolist())


@given(st.lists(trees(), min_size=1, max_size=4), st.integers(2, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_trees_of_several_numbers_a_leaf_add_up_in_their_order_to_the_bit(
    found: list[Tree], width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.choice([-2.0, 0.0, 0.5, np.nan], (30, 2)), rng.integers(0, LEVELS + 1, (30, 2))])
    numbers = [0.0, 0.0, 0.1, 0.3, -0.7, 1e-3]
    wide = [replace(tree, value=rng.choice(numbers, (len(tree.value), width))) for tree in found]
    start = rng.choice(numbers, width)
    graph = Graph()
    inputs = [graph.input(f"x{place}", text=False) for place in range(FEATURES)]
    total = add_vectors(graph, wide, graph.concat(inputs), start=start)
    session = onnxruntime.InferenceSession(graph.model(outputs={"sum": (total, "double", width)}))
    given = session.run(None, {f"x{place}": rows[:, place : place + 1] for place in range(FEATURES)})[0]
    for row, answer in zip(rows, given, strict=True):
        expected = start.copy()
        for tree in wide:
            expected += [walk(replace(tree, value=tree.value[:, column]), row) for column in range(width)]
        assert answer.tolist() == expected.tolist()


def test_a_tree_with_pure_leaves_is_written_once() -> None:
    rng = np.random.default_rng(0)
    columns, classes = rng.normal(size=(300, 4)), rng.integers(0, 5, 300)
    step = DecisionTreeClassifier(random_state=0).fit(columns, classes).tree_
    leaf = step.children_left == -1
    tree = Tree(
        feature=np.where(leaf, 0, step.feature),
        threshold=step.threshold,
        members=(None,) * len(leaf),
        missing_left=np.zeros(len(leaf), dtype=bool),
        left=np.where(leaf, 0, step.children_left),
        right=np.where(leaf, 0, step.children_right),
        is_leaf=leaf,
        value=step.value[:, 0, :],
    )
    (only,) = one_target_trees(tree)
    assert len(only.value) == len(leaf) > 200
    graph = Graph()
    total = add_vectors(graph, [tree], graph.concat([graph.input(f"x{place}", text=False) for place in range(4)]))
    node = onnx.load_model_from_string(graph.model(outputs={"sum": (total, "double", 5)})).graph.node[-1]
    targets = next(attribute for attribute in node.attribute if attribute.name == "leaf_targetids")
    assert sorted(targets.ints) == [0, 1, 2, 3, 4]


def test_the_same_graph_is_the_same_bytes() -> None:
    def write() -> bytes:
        graph = Graph()
        x = graph.input("x", text=False)
        one = graph.constant(np.array([[1.0]]))
        assert graph.constant(np.array([[1.0]])) == one
        return graph.model(outputs={"y": (graph.add("Sub", [x, one]), "double", 1), "same": (x, "double", 1)})

    assert write() == write()
