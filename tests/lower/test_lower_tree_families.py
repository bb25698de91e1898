"""Decision trees and their ensembles, which see float32: the library's own scores and labels on real flights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import mintage.templates
from mintage.errors import EstimatorRefusedError, InputRangeError, ParityFailedError
from mintage.lower.description import Step
from mintage.lower.float32_trees import read_tree, round_down
from mintage.lower.graph import Graph
from mintage.lower.trees import Tree, add_up
from mintage.model.prove import compare_rows
from mintage.model.runtime import Predictor

DATA = Path(mintage.templates.__file__).parent / "flights" / "data"
TEXTS = ["carrier", "origin", "dest"]
NUMBERS = ["minute", "distance", "wind_gust", "visib"]
Columns = dict[str, Any]

MISSING = {
    "tree": DecisionTreeClassifier(max_depth=6, class_weight="balanced", random_state=0),
    "extra tree": ExtraTreeClassifier(max_depth=6, random_state=0),
    "forest": RandomForestClassifier(6, max_depth=5, random_state=0),
    "extra forest": ExtraTreesClassifier(6, max_depth=5, random_state=0),
    "bagging": BaggingClassifier(
        DecisionTreeClassifier(max_depth=4), n_estimators=5, max_features=0.7, bootstrap_features=True, random_state=0
    ),
}
COMPLETE = {
    "boosting from the share": GradientBoostingClassifier(n_estimators=8, random_state=0),
    "boosting from zero": GradientBoostingClassifier(n_estimators=8, init="zero", subsample=0.7, random_state=0),
    "exponential boosting from the share": GradientBoostingClassifier(
        n_estimators=8, loss="exponential", max_leaf_nodes=6, random_state=0
    ),
    "votes of stumps": AdaBoostClassifier(n_estimators=8, random_state=0),
    "votes of trees": AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=5, random_state=0),
}


@pytest.fixture(scope="module")
def some() -> tuple[tuple[Columns, Any], Columns]:
    """Flights with the weather of their hour: rows to fit on, with labels; and rows to compare on."""
    weather = pl.read_parquet(DATA / "weather.parquet").unique(["origin", "hour"], keep="first", maintain_order=True)
    found = (
        pl.read_parquet(DATA / "flights.parquet")
        .filter(pl.col("arr_delay").is_not_null())
        .gather_every(150)
        .with_columns(hour=pl.col("scheduled_departure").dt.truncate("1h"))
        .join(weather, on=["origin", "hour"], how="left", maintain_order="left")
        .with_columns(minute=pl.col("scheduled_departure").dt.hour() * 60.0 + pl.col("scheduled_departure").dt.minute())
    )
    columns: Columns = {name: found[name].cast(pl.Float64).fill_null(np.nan).to_numpy().copy() for name in NUMBERS}
    columns.update({name: np.array(found[name].to_list(), dtype=object) for name in TEXTS})
    columns["carrier"][::17] = None
    late, fit = (found["arr_delay"] > 15).cast(pl.Int64).to_numpy(), np.arange(found.height) % 4 > 0
    unseen = {name: column[~fit] for name, column in columns.items()}
    return ({name: column[fit] for name, column in columns.items()}, late[fit]), unseen


def around(model: Any, *, scaled: bool, imputed: bool, one_hot: bool) -> Pipeline:
    """A model behind the usual transformers."""
    steps: list[Any] = [SimpleImputer(strategy="median")] if imputed else []
    steps += [StandardScaler()] if scaled else []
    numbers: Any = Pipeline([(f"step{place}", step) for place, step in enumerate(steps)]) if steps else "passthrough"
    codes = {"unknown_value": -1, "encoded_missing_value": -2} if imputed else {"unknown_value": np.nan}
    texts = (
        OneHotEncoder(handle_unknown="ignore", sparse_output=not scaled)
        if one_hot
        else OrdinalEncoder(handle_unknown="use_encoded_value", **codes)
    )
    return Pipeline(
        [
            (
                "columns",
                ColumnTransformer([("texts", texts, TEXTS), ("numbers", numbers, NUMBERS)], sparse_threshold=0),
            ),
            ("model", clone(model)),
        ]
    )


def only(columns: Columns, names: list[str]) -> Columns:
    return {name: columns[name] for name in names}


@pytest.mark.parametrize(
    "form",
    [{"scaled": scaled, "one_hot": one_hot} for scaled in (True, False) for one_hot in (True, False)],
    ids=["scaled, one-hot", "scaled, ordinal", "raw, one-hot", "raw, ordinal"],
)
@pytest.mark.parametrize(
    ("name", "imputed"), [*((name, False) for name in MISSING), *((name, True) for name in COMPLETE)]
)
def test_trees_equal_the_original(name: str, imputed: bool, form: Any, some: Any, case: Any) -> None:
    (rows, labels), unseen = some
    model = {**MISSING, **COMPLETE}[name]
    estimator = around(model, imputed=imputed, **form).fit(case.table(rows), labels)
    proven = case.prove(estimator, unseen)
    real, edges = proven.parity
    assert (real.passed, edges.passed) == (True, True)
    assert real.compared == len(unseen["carrier"]) >= 400
    assert edges.compared >= real.compared
    assert edges.refused > 0  # infinities, and what no float32 holds
    assert proven.score_error <= (0.0 if name in MISSING else 1e-15)


@pytest.mark.parametrize("name", ["boosting from the share", "votes of stumps"])
def test_what_refuses_missing_values_needs_a_signature_that_does(name: str, some: Any, case: Any) -> None:
    (rows, labels), unseen = some
    full = [column for column in NUMBERS if not np.isnan(rows[column]).any()]
    estimator = clone(COMPLETE[name]).fit(case.table(only(rows, full)), labels)
    with pytest.raises(ParityFailedError, match="refuses rows") as caught:
        case.prove(estimator, only(unseen, full))
    assert "nullable: false" in (caught.value.hint or "")
    edges = case.prove(estimator, only(unseen, full), not_null=tuple(full)).parity[1]
    assert edges.passed
    assert edges.refused > 10


def test_numbers_that_no_float32_holds_are_refused_as_the_original_does(some: Any, case: Any) -> None:
    (rows, labels), unseen = some
    raw_names, scaled_names = ["minute"], ["distance"]
    numbers = ColumnTransformer([("raw", "passthrough", raw_names), ("scaled", StandardScaler(), scaled_names)])
    estimator = Pipeline([("numbers", numbers), ("model", clone(MISSING["tree"]))])
    estimator.fit(case.table(only(rows, raw_names + scaled_names)), labels)
    proven = case.prove(estimator, only(unseen, raw_names + scaled_names))
    raw_input, scaled_input = proven.predictor.signature.inputs
    half_above = (2.0**128 + float(np.finfo(np.float32).max)) / 2
    assert raw_input.limits == (-np.nextafter(half_above, 0), np.nextafter(half_above, 0))
    assert scaled_input.limits is not None
    for item, name in ((raw_input, "minute"), (scaled_input, "distance")):
        for end, direction in zip(item.limits, (-np.inf, np.inf), strict=True):
            row = {"minute": np.array([60.0]), "distance": np.array([500.0]), name: np.array([end])}
            assert np.isfinite(proven.predictor.predict(row).scores).all()
            assert estimator.predict_proba(case.table(row)).shape == (1, 2)
            beyond = {**row, name: np.nextafter(row[name], direction)}
            with pytest.raises(InputRangeError, match=name):
                proven.predictor.predict(beyond)
            with pytest.raises((ValueError, RuntimeWarning)):
                estimator.predict_proba(case.table(beyond))


def test_boosting_in_double_precision_has_no_limits(case: Any) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, labels = case.training
    estimator = HistGradientBoostingClassifier(max_iter=2).fit(case.table(only(rows, ["ratio"])), labels)
    proven = case.prove(estimator, only(case.unseen, ["ratio"]))
    assert proven.predictor.signature.inputs[0].limits is None


def mutants(data: bytes) -> Any:
    """The graph with one small fault each, and what it is."""
    model = onnx.load_model_from_string(data)
    node = next(node for node in model.graph.node if node.op_type == "TreeEnsemble")
    found = {attribute.name: attribute for attribute in node.attribute}
    splits = numpy_helper.to_array(found["nodes_splits"].t)
    sides = ("nodes_truenodeids", "nodes_trueleafs"), ("nodes_falsenodeids", "nodes_falseleafs")
    for place, split in enumerate(splits.tolist()):
        above = float(np.nextafter(np.float32(split), np.float32(np.inf)))
        for moved in (above, np.nextafter(split, -np.inf)):
            changed = splits.copy()
            changed[place] = moved
            found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(changed))
            yield f"threshold {place}", model.SerializeToString()
        found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(splits))
        for one, other in zip(*sides, strict=True):
            left, right = found[one].ints, found[other].ints
            left[place], right[place] = right[place], left[place]
        yield f"children {place}", model.SerializeToString()
        for one, other in zip(*sides, strict=True):
            left, right = found[one].ints, found[other].ints
            left[place], right[place] = right[place], left[place]
        flags = found["nodes_missing_value_tracks_true"].ints
        flags[place] = 1 - flags[place]
        yield f"missing {place}", model.SerializeToString()
        flags[place] = 1 - flags[place]


def leaf_mutants(data: bytes) -> Any:
    """The graph with one leaf each that is a little more, or that adds to the next sum."""
    model = onnx.load_model_from_string(data)
    node = next(node for node in model.graph.node if node.op_type == "TreeEnsemble")
    found = {attribute.name: attribute for attribute in node.attribute}
    weights, targets = numpy_helper.to_array(found["leaf_weights"].t), found["leaf_targetids"].ints
    for place, target in enumerate(list(targets)):
        changed = weights.copy()
        changed[place] += 1e-9 * max(1.0, abs(weights[place]))
        found["leaf_weights"].t.CopyFrom(numpy_helper.from_array(changed))
        yield f"weight {place}", model.SerializeToString()
        found["leaf_weights"].t.CopyFrom(numpy_helper.from_array(weights))
        if found["n_targets"].i > 1 and weights[place]:
            targets[place] = (target + 1) % found["n_targets"].i
            yield f"target {place}", model.SerializeToString()
            targets[place] = target


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_small_fault_of_a_forest_turns_the_gate_red(task: Any, some: Any, case: Any) -> None:
    (rows, labels), unseen = some
    noon = rows["minute"] > 720
    model: Any = RandomForestClassifier(3, max_depth=3, random_state=0)
    if task == "regression":
        model = RandomForestRegressor(3, max_depth=3, random_state=0)
    answers = {
        "binary": labels,
        "multiclass": labels + noon,
        "regression": np.column_stack([labels * 30.0 + rows["distance"], rows["minute"]]),
    }[task]
    mutable = case.prove(
        model.fit(case.table(only(rows, NUMBERS)), answers),
        only(unseen, NUMBERS),
        task=task,
        target=("a", "b") if task == "regression" else "y",
    )
    seen: dict[str, list[bool]] = {"target": []}
    for name, data in (*mutants(mutable.lowered.onnx), *leaf_mutants(mutable.lowered.onnx)):
        predictor = Predictor(data, mutable.predictor.signature)
        sets = (mutable.validation, mutable.edges)
        red = not all(compare_rows(rows.name, rows.columns, rows.native, predictor).passed for rows in sets)
        seen.setdefault(name.split()[0], []).append(red)
    assert all(seen["threshold"])
    assert all(seen["children"])
    assert all(seen["weight"])
    assert all(seen["target"])
    assert bool(seen["target"]) == (task != "binary")
    assert len(seen["missing"]) >= 15
    assert np.mean(seen["missing"]) > 0.6  # the others: where a split above has sent missing values away


@given(st.floats(width=32, allow_nan=False), st.floats(allow_nan=False, allow_infinity=False), st.integers(-2, 2))
def test_a_threshold_rounded_down_splits_float32_as_before(x: float, far: float, ulps: int) -> None:
    near = x
    for _ in range(abs(ulps)):
        near = float(np.nextafter(near, np.inf if ulps > 0 else -np.inf))
    for threshold in (far, near):
        rounded = round_down(np.array([threshold])).item()
        assert rounded <= threshold
        assert (x <= rounded) == (x <= threshold)


@given(st.lists(st.tuples(st.booleans(), st.floats(-3, 3)), min_size=1, max_size=9), st.floats(-3, 3))
def test_trees_are_added_in_their_order_to_the_last_bit(found: list[tuple[bool, float]], start: float) -> None:
    graph = Graph()
    trees = [stump(value, split=split) for split, value in found]
    session = onnxruntime.InferenceSession(
        graph.model(outputs={"sum": (add_up(graph, trees, graph.input("x", text=False), start=start), "double", 1)})
    )
    rows = np.array([[-1.0], [1.0], [np.nan]])
    expected = [start] * 3
    for split, value in found:
        for row, sign in enumerate((1.0, -1.0, -1.0)):
            expected[row] += value * sign if split else value
    assert session.run(None, {"x": rows})[0].ravel().tolist() == expected


def stump(value: float, *, split: bool) -> Tree:
    count = 3 if split else 1
    return Tree(
        feature=np.zeros(count, dtype=np.int64),
        threshold=np.zeros(count),
        members=(None,) * count,
        missing_left=np.zeros(count, dtype=bool),
        left=np.array([1, 0, 0])[:count],
        right=np.array([2, 0, 0])[:count],
        is_leaf=np.array([False, True, True] if split else [True]),
        value=np.array([0.0, value, -value] if split else [value]),
    )


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(3, min_samples_leaf=2000, random_state=0),
        BaggingClassifier(n_estimators=12, max_samples=4, random_state=1),
        GradientBoostingClassifier(n_estimators=3, min_samples_leaf=2000),
        DecisionTreeClassifier(max_depth=1, min_samples_leaf=2000),
    ],
    ids=["forest", "bagging of some trees with one class", "boosting", "tree"],
)
def test_trees_of_a_single_leaf_equal_the_original(model: Any, case: Any) -> None:
    rows, labels = case.training
    names = ["ratio", "visits"]
    estimator = clone(model).fit(case.table(only(rows, names)), labels)
    proven = case.prove(estimator, only(case.unseen, names), not_null=tuple(names))
    assert proven.score_error <= 1e-15


def test_text_classes_and_arrays_without_names_are_read_as_the_original_does(case: Any) -> None:
    rows, labels = case.training
    table, words = np.column_stack([rows["ratio"], rows["visits"]]), np.where(labels == 1, "yes", "no")
    zero = GradientBoostingClassifier(n_estimators=8, loss="exponential", init="zero", random_state=0)
    for model in (MISSING["tree"], MISSING["forest"], MISSING["bagging"], zero, *COMPLETE.values()):
        proven = case.prove(
            clone(model).fit(table, words), only(case.unseen, ["ratio", "visits"]), not_null=("ratio", "visits")
        )
        assert proven.parity[1].passed


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (AdaBoostClassifier(LogisticRegression(), n_estimators=3), "LogisticRegression; it has an exact lowering with"),
        (GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()), "starts from sklearn.linear_model"),
    ],
)
def test_other_parts_of_an_ensemble_are_refused_with_the_reason(model: Any, reason: str, case: Any) -> None:
    rows, labels = case.training
    names = ["ratio", "visits"]
    with pytest.raises(EstimatorRefusedError, match=reason) as caught:
        case.prove(model.fit(case.table(only(rows, names)), labels), only(case.unseen, names))
    assert "entry point" in (caught.value.hint or "")


def test_votes_by_probabilities_of_older_versions_are_refused(case: Any) -> None:
    rows, labels = case.training
    estimator = clone(COMPLETE["votes of stumps"]).fit(case.table(only(rows, ["ratio"])), labels)
    estimator.algorithm = "SAMME.R"
    with pytest.raises(EstimatorRefusedError, match=r"SAMME\.R"):
        case.prove(estimator, only(case.unseen, ["ratio"]))


def test_several_targets_need_their_names_in_the_model_file(case: Any) -> None:
    rows, labels = case.training
    estimator = clone(MISSING["forest"]).fit(case.table(only(rows, ["ratio"])), np.column_stack([labels, 1 - labels]))
    with pytest.raises(EstimatorRefusedError, match="2 targets; the model file names 1"):
        case.prove(estimator, only(case.unseen, ["ratio"]))


def test_leaves_that_count_rows_are_of_a_version_that_is_not_known(case: Any) -> None:
    rows, labels = case.training
    estimator = DecisionTreeClassifier(max_depth=2).fit(case.table(only(rows, ["ratio"])), labels)
    estimator.tree_.value[:] *= 7.0
    with pytest.raises(EstimatorRefusedError, match="count rows"):
        case.prove(estimator, only(case.unseen, ["ratio"]))


@pytest.mark.parametrize(
    ("field", "value"), [("left_child", 0), ("right_child", 3), ("left_child", -2), ("feature", 1), ("feature", -2)]
)
def test_nodes_that_do_not_make_a_tree_are_refused(field: str, value: int) -> None:
    model = DecisionTreeClassifier(max_depth=1).fit([[0.0], [1.0]], [0, 1])
    state = model.tree_.__getstate__()
    nodes, values = state["nodes"].copy(), state["values"]
    tree = Step("sklearn.tree._tree.Tree", {"nodes": nodes, "values": values})
    step = Step("sklearn.tree._classes.DecisionTreeClassifier", {"tree_": tree, "n_features_in_": 1})
    assert read_tree(step, lambda values: values[:, 0, 1]).value.tolist()[1:] == [0.0, 1.0]
    nodes[field][0] = value
    with pytest.raises(EstimatorRefusedError, match="unknown form"):
        read_tree(step, lambda values: values[:, 0, 1])
