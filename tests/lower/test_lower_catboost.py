"""CatBoost: float32 borders, double sums, and its statistics of categories without their hashes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from onnx import numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mintage.errors import EstimatorRefusedError, InputRangeError, ParityFailedError
from mintage.lower.boosting import catboost_statistics
from mintage.model.prove import compare_rows
from mintage.model.runtime import Predictor

NUMBERS = ["minute", "distance", "wind_gust", "precip"]
TEXTS = ["carrier", "dest"]
SMALL: dict[str, Any] = {
    "iterations": 10,
    "depth": 4,
    "verbose": 0,
    "allow_writing_files": False,
    "thread_count": 1,
    "random_seed": 0,
}
DEEP = {**SMALL, "iterations": 30, "depth": 5, "cat_features": ["a", "b", "c"], "max_ctr_complexity": 4}
Columns = dict[str, Any]


def only(columns: Columns, names: list[str] = NUMBERS) -> Columns:
    return {name: columns[name] for name in names}


def table(columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(only(columns))


def minutes(columns: Columns) -> Any:
    return columns["distance"] / 50 + np.nan_to_num(columns["wind_gust"])


def thirds(columns: Columns) -> Any:
    return np.digitize(minutes(columns), [15.0, 35.0])


def crossed(count: int, seed: int) -> tuple[Columns, Any]:
    """Three texts and a number, and a label that depends on them together."""
    rng = np.random.default_rng(seed)
    places = {"a": rng.integers(0, 30, count), "b": rng.integers(0, 9, count), "c": rng.integers(0, 2, count)}
    columns: Columns = {
        name: np.array([f"{name}{place}" for place in mine.tolist()], dtype=object) for name, mine in places.items()
    }
    columns["x"] = np.where(rng.random(count) < 0.1, np.nan, rng.normal(size=count))
    mixed = places["a"] + 2 * places["b"] + 3 * places["c"] + 2 * (np.nan_to_num(columns["x"]) > 0)
    return columns, (mixed % 7 > 3).astype(int)


def check(proven: Any, *, rows: int = 800) -> None:
    real, edges = proven.parity
    assert (real.passed, edges.passed) == (True, True)
    assert min(real.compared, edges.compared) >= rows
    assert max(real.max_error, edges.max_error) <= 1e-15
    assert proven.lowered.rounds is None


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"nan_mode": "Max"}, {"loss_function": "CrossEntropy"}, {"auto_class_weights": "Balanced"}),
        *({"grow_policy": "Depthwise"}, {"grow_policy": "Lossguide"}, {"boosting_type": "Ordered"}),
    ],
    ids=str,
)
def test_probabilities_equal_the_original(options: dict[str, Any], flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    check(case.prove(CatBoostClassifier(**SMALL, **options).fit(table(rows), labels), only(unseen)))


def test_missing_values_that_were_not_in_training_are_low(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    check(case.prove(CatBoostClassifier(**SMALL).fit(table(rows).fillna(30), labels), only(unseen)))


@pytest.mark.parametrize("loss", ["MultiClass", "MultiClassOneVsAll"])
@pytest.mark.parametrize("grow", ["SymmetricTree", "Lossguide"])
def test_several_classes_equal_the_original(loss: str, grow: str, flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    words = np.array(["early", "late", "lost"])[thirds(rows)]
    model = CatBoostClassifier(**SMALL, loss_function=loss, grow_policy=grow).fit(table(rows), words)
    check(case.prove(model, only(unseen), task="multiclass"))


@pytest.mark.parametrize(
    "loss", ["RMSE", "MAE", "Quantile:alpha=0.3", "Huber:delta=2", "LogCosh", "Poisson", "Tweedie:variance_power=1.5"]
)
def test_each_loss_of_numbers_has_its_link(loss: str, flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    model = CatBoostRegressor(**SMALL, loss_function=loss).fit(table(rows), minutes(rows) + 1)
    check(case.prove(model, only(unseen), task="regression"))


@pytest.mark.parametrize("loss", ["MultiRMSE", "MultiQuantile:alpha=0.2,0.8"])
def test_several_numbers_equal_the_original(loss: str, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    goal = np.column_stack([minutes(rows), labels]) if loss == "MultiRMSE" else minutes(rows)
    model = CatBoostRegressor(**SMALL, loss_function=loss).fit(table(rows), goal)
    check(case.prove(model, only(unseen), task="regression", target=("a", "b")))


def test_integers_beyond_the_24_bits_of_a_float32_are_rounded_as_the_original_does(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    large, asked = (
        {name: column * 2.0**22 + 1 for name, column in only(columns).items()} for columns in (rows, unseen)
    )
    check(case.prove(CatBoostClassifier(**SMALL).fit(table(large), labels), asked))


@pytest.mark.parametrize(
    "options",
    [
        {"one_hot_max_size": 200},
        {"max_ctr_complexity": 1},
        {"max_ctr_complexity": 1, "simple_ctr": ["Buckets", "BinarizedTargetMeanValue", "Counter"]},
    ],
    ids=["a test a category", "statistics", "other statistics"],
)
def test_categories_are_texts_of_the_graph(options: dict[str, Any], flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    every = {name: np.concatenate([column, rows[name]]) for name, column in unseen.items()}
    model = CatBoostClassifier(**SMALL, cat_features=TEXTS, **options).fit(pd.DataFrame(rows), labels)
    proven = case.prove(model, every, not_null=tuple(TEXTS))
    check(proven)
    assert proven.lowered.closed == frozenset()
    new = {name: column[:1].copy() for name, column in unseen.items()} | {"dest": np.array(["nowhere"], dtype=object)}
    assert model.predict_proba(pd.DataFrame(new))[0, 1] == pytest.approx(proven.predictor.predict(new).scores[0])


@pytest.mark.parametrize("goal", ["classes", "numbers"])
def test_statistics_of_more_than_two_classes_and_of_numbers_equal_the_original(
    goal: str, flights: Any, case: Any
) -> None:
    (rows, _), unseen = flights
    options = {**SMALL, "cat_features": TEXTS}
    if goal == "numbers":
        model: Any = CatBoostRegressor(**options).fit(pd.DataFrame(rows), minutes(rows))
    else:
        model = CatBoostClassifier(**options).fit(pd.DataFrame(rows), thirds(rows))
    task = "regression" if goal == "numbers" else "multiclass"
    check(case.prove(model, unseen, not_null=tuple(TEXTS), task=task))


def test_statistics_of_combinations_equal_the_original(case: Any) -> None:
    (rows, labels), (asked, _) = crossed(2000, seed=1), crossed(1000, seed=2)
    model = CatBoostClassifier(**DEEP).fit(pd.DataFrame(rows), labels)
    proven = case.prove(model, asked, not_null=("a", "b", "c"))
    check(proven, rows=1000)
    operators = {node.op_type for node in onnx.load_model_from_string(proven.lowered.onnx).graph.node}
    assert {"Equal", "Greater", "Mul"} <= operators  # with a category, with a number, and several categories


def test_categories_that_no_row_shows_close_the_input(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CatBoostClassifier(**SMALL, cat_features=TEXTS).fit(pd.DataFrame(rows), labels)
    proven = case.prove(model, unseen, not_null=tuple(TEXTS))
    check(proven)
    assert "dest" in proven.lowered.closed
    hidden = sorted(set(rows["dest"]) - set(unseen["dest"]))[0]
    row = {name: column[:1].copy() for name, column in unseen.items()} | {"dest": np.array([hidden], dtype=object)}
    with pytest.raises(InputRangeError, match="dest"):
        proven.predictor.predict(row)


def test_missing_categories_need_a_signature_that_refuses_them(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CatBoostClassifier(**SMALL, cat_features=TEXTS).fit(pd.DataFrame(rows), labels)
    with pytest.raises(ParityFailedError, match="refuses rows") as caught:
        case.prove(model, unseen)
    assert "nullable: false" in (caught.value.hint or "")


def test_whole_numbers_may_be_categories(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    hours = pd.DataFrame({"hour": (rows["minute"] // 60).astype(int), "distance": rows["distance"]})
    asked = {"hour": unseen["minute"] // 60, "distance": unseen["distance"]}
    model = CatBoostClassifier(**SMALL, cat_features=["hour"]).fit(hours, labels)
    check(case.prove(model, asked, not_null=("hour",), integers=("hour",)), rows=700)


def test_early_stopping_answers_with_the_best_round(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CatBoostClassifier(**{**SMALL, "iterations": 40}, learning_rate=0.8, early_stopping_rounds=4)
    model.fit(table(rows), labels, eval_set=(table(rows), np.random.default_rng(0).permutation(labels)))
    assert model.tree_count_ < 40
    check(case.prove(model, only(unseen)))


def test_boosting_behind_scaling_and_encoding_equals_the_original(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("texts", texts, TEXTS), ("numbers", StandardScaler(), NUMBERS)])
    estimator = Pipeline([("columns", columns), ("model", CatBoostClassifier(**SMALL))])
    check(case.prove(estimator.fit(case.table(rows), labels), unseen))


def test_categories_may_be_imputed_before(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    rows, unseen = ({**columns, "carrier": columns["carrier"].copy()} for columns in (rows, unseen))
    rows["carrier"][::9] = unseen["carrier"][::7] = None
    fill = SimpleImputer(strategy="constant", fill_value="none")
    columns = ColumnTransformer([("texts", fill, TEXTS), ("numbers", "passthrough", NUMBERS)])
    model = CatBoostClassifier(**SMALL, cat_features=[0, 1])
    estimator = Pipeline([("columns", columns), ("model", model)]).fit(pd.DataFrame(rows), labels)
    check(case.prove(estimator, unseen))


def test_boosting_is_stacked(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    parts = [("a", CatBoostClassifier(**SMALL)), ("b", CatBoostClassifier(**SMALL, grow_policy="Lossguide"))]
    model = StackingClassifier(parts, cv=2).fit(pd.DataFrame(only(rows, ["minute", "distance"])), labels)
    proven = case.prove(model, only(unseen, ["minute", "distance"]), not_null=("minute", "distance"))
    check(proven, rows=700)


def mutants(data: bytes) -> Any:
    """The graph with one small fault each, and what it is."""
    model = onnx.load_model_from_string(data)
    node = next(node for node in model.graph.node if node.op_type == "TreeEnsemble")
    found = {attribute.name: attribute for attribute in node.attribute}
    splits = numpy_helper.to_array(found["nodes_splits"].t)
    flags = found["nodes_missing_value_tracks_true"].ints
    features = np.array(found["nodes_featureids"].ints)
    for place in np.flatnonzero(features < len(NUMBERS)).tolist()[::4]:
        for direction in (np.inf, -np.inf):
            changed = splits.copy()
            near = np.nextafter(np.float32(splits[place]), np.float32(np.inf))
            changed[place] = float(near) if direction > 0 else np.nextafter(splits[place], direction)
            found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(changed))
            yield "threshold", model.SerializeToString()
        found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(splits))
        flags[place] = 1 - flags[place]
        yield "missing", model.SerializeToString()
        flags[place] = 1 - flags[place]


def test_small_faults_turn_the_gate_red(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CatBoostClassifier(**{**SMALL, "iterations": 4}, grow_policy="Lossguide").fit(table(rows), labels)
    proven = case.prove(model, only(unseen))
    seen: dict[str, list[bool]] = {}
    for name, data in mutants(proven.lowered.onnx):
        predictor = Predictor(data, proven.predictor.signature)
        sets = (proven.validation, proven.edges)
        red = not all(compare_rows(part.name, part.columns, part.native, predictor).passed for part in sets)
        seen.setdefault(name, []).append(red)
    assert np.mean(seen["threshold"]) > 0.8  # the others: where no row comes
    assert any(seen["missing"])


def test_a_statistic_moved_to_its_neighbour_turns_the_gate_red(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CatBoostClassifier(**SMALL, cat_features=TEXTS, max_ctr_complexity=1).fit(pd.DataFrame(rows), labels)
    proven = case.prove(model, unseen, not_null=tuple(TEXTS))
    graph = onnx.load_model_from_string(proven.lowered.onnx)
    node = next(node for node in graph.graph.node if node.op_type == "LabelEncoder")
    values = next(attribute for attribute in node.attribute if attribute.name == "values_tensor")
    changed = np.roll(numpy_helper.to_array(values.t), 1)
    values.t.CopyFrom(numpy_helper.from_array(changed))
    predictor = Predictor(graph.SerializeToString(), proven.predictor.signature)
    parts = (proven.validation, proven.edges)
    assert not all(compare_rows(part.name, part.columns, part.native, predictor).passed for part in parts)


def test_combinations_of_too_many_categories_are_refused_with_the_way_out(
    case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rows, labels), (asked, _) = crossed(2000, seed=1), crossed(300, seed=2)
    model = CatBoostClassifier(**DEEP)
    monkeypatch.setattr(catboost_statistics, "MOST", 40)
    with pytest.raises(EstimatorRefusedError, match="max_ctr_complexity=1"):
        case.prove(model.fit(pd.DataFrame(rows), labels), asked, not_null=("a", "b", "c"))


def test_other_losses_are_refused(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CatBoostClassifier(**SMALL, loss_function="Focal:focal_alpha=0.5;focal_gamma=1").fit(table(rows), labels)
    with pytest.raises(EstimatorRefusedError, match="Focal"):
        case.prove(model, only(unseen))
