"""LightGBM: sums in double precision, as the library adds them; missing values and categories as it sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from onnx import numpy_helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from mintage.errors import EstimatorRefusedError
from mintage.lower.description import Step
from mintage.model.prove import compare_rows
from mintage.model.runtime import Predictor

NUMBERS = ["minute", "distance", "wind_gust", "precip"]
TEXTS = ["carrier", "dest"]
SMALL: dict[str, Any] = {
    "n_estimators": 10,
    "num_leaves": 12,
    "min_child_samples": 5,
    "min_data_per_group": 5,
    "verbose": -1,
    "n_jobs": 1,
    "random_state": 0,
}
Columns = dict[str, Any]


def only(columns: Columns, names: list[str] = NUMBERS) -> Columns:
    return {name: columns[name] for name in names}


def table(columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(only(columns))


def categories(columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(columns).astype(dict.fromkeys(TEXTS, "category"))


def minutes(columns: Columns) -> Any:
    return columns["distance"] / 50 + np.nan_to_num(columns["wind_gust"])


def thirds(columns: Columns) -> Any:
    return np.digitize(minutes(columns), [15.0, 35.0])


def check(proven: Any) -> None:
    real, edges = proven.parity
    assert (real.passed, edges.passed) == (True, True)
    assert min(real.compared, edges.compared) >= 800
    assert max(real.max_error, edges.max_error) <= 1e-15
    assert proven.lowered.rounds is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"objective": "cross_entropy"},
        {"sigmoid": 2.5, "is_unbalance": True, "boost_from_average": False},
        {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"boosting_type": "dart"},
        {"data_sample_strategy": "goss", "extra_trees": True, "monotone_constraints": [1, 0, 0, 0]},
        {"min_child_samples": 5000},
    ],
    ids=str,
)
def test_probabilities_equal_the_original(options: dict[str, Any], flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    check(case.prove(LGBMClassifier(**{**SMALL, **options}).fit(table(rows), labels), only(unseen)))


def test_missing_values_that_were_not_in_training_are_zeros(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    check(case.prove(LGBMClassifier(**SMALL).fit(table(rows).fillna(30), labels), only(unseen)))


@pytest.mark.parametrize("objective", ["multiclass", "multiclassova"])
def test_several_classes_equal_the_original(objective: str, flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    model = LGBMClassifier(**SMALL, objective=objective).fit(categories(rows), thirds(rows))
    check(case.prove(model, unseen, task="multiclass"))


@pytest.mark.parametrize(
    "objective",
    [
        *("regression", "regression_l1", "huber", "fair", "quantile", "mape"),
        *("poisson", "gamma", "tweedie", "cross_entropy"),
    ],
)
def test_each_objective_of_numbers_has_its_link(objective: str, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    goal = labels * 0.8 + 0.1 if objective == "cross_entropy" else minutes(rows) + 1
    model = LGBMRegressor(**SMALL, objective=objective).fit(table(rows), goal)
    check(case.prove(model, only(unseen), task="regression"))


def test_square_roots_are_undone_with_their_sign(flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    model = LGBMRegressor(**SMALL, reg_sqrt=True).fit(table(rows), minutes(rows) - 25)
    proven = case.prove(model, only(unseen), task="regression")
    check(proven)
    assert proven.validation.native.values.min() < 0 < proven.validation.native.values.max()


@pytest.mark.parametrize("one_hot", [1, 200], ids=["sets", "one category a split"])
def test_native_categories_are_texts_of_the_graph(one_hot: int, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    proven = case.prove(LGBMClassifier(**SMALL, max_cat_to_onehot=one_hot).fit(categories(rows), labels), unseen)
    check(proven)
    assert len(proven.lowered.categories["dest"]) > 64
    assert set(unseen["dest"]) - set(proven.lowered.categories["dest"])
    new = {name: column[:1].copy() for name, column in unseen.items()} | {"dest": np.array(["nowhere"], dtype=object)}
    assert proven.predictor.predict(new).flags == {"dest": 1}


def test_whole_numbers_may_be_categories(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    hours = pd.DataFrame({"hour": pd.Categorical((rows["minute"] // 60).astype(int)), "distance": rows["distance"]})
    asked = {"hour": unseen["minute"] // 60, "distance": unseen["distance"]}
    check(case.prove(LGBMClassifier(**SMALL).fit(hours, labels), asked))


def test_codes_are_cut_to_whole_numbers_as_the_original_does(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = LGBMClassifier(**SMALL, max_cat_to_onehot=1)
    model.fit(np.column_stack([rows["minute"] // 60, rows["distance"]]), labels, categorical_feature=[0])
    asked = {"hour": unseen["minute"] / 60 - 1, "distance": unseen["distance"]}
    asked["hour"][::9] = np.nan
    check(case.prove(model, asked))


def test_integers_beyond_the_24_bits_of_a_float32_are_told_apart(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    large, asked = (
        {name: column * 2.0**40 + 1 for name, column in only(columns).items()} for columns in (rows, unseen)
    )
    check(case.prove(LGBMClassifier(**SMALL).fit(table(large), labels), asked))


def test_early_stopping_answers_with_the_best_round(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = LGBMClassifier(**{**SMALL, "n_estimators": 40}, learning_rate=0.8, early_stopping_rounds=4)
    shuffled = np.random.default_rng(0).permutation(labels)
    model.fit(table(rows), labels, eval_X=(table(rows),), eval_y=(shuffled,))
    assert 0 < model.best_iteration_ < 40
    check(case.prove(model, only(unseen)))


@pytest.mark.parametrize("one_hot", [True, False], ids=["one-hot", "ordinal"])
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_boosting_behind_scaling_and_encoding_equals_the_original(one_hot: bool, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False) if one_hot else ordinal
    columns = ColumnTransformer([("texts", texts, TEXTS), ("numbers", StandardScaler(), NUMBERS)])
    estimator = Pipeline([("columns", columns), ("model", LGBMClassifier(**SMALL))])
    coded = {} if one_hot else {"model__categorical_feature": [0, 1]}
    check(case.prove(estimator.fit(case.table(rows), labels, **coded), unseen))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_boosting_is_calibrated(method: str, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    fitted = FrozenEstimator(LGBMClassifier(**SMALL).fit(table(rows), labels))
    model = CalibratedClassifierCV(fitted, method=method).fit(table(rows), labels)
    real, edges = case.prove(model, only(unseen)).parity
    assert (real.passed, edges.passed) == (True, True)


def mutants(data: bytes) -> Any:
    """The graph with one small fault each, and what it is."""
    model = onnx.load_model_from_string(data)
    node = next(node for node in model.graph.node if node.op_type == "TreeEnsemble")
    found = {attribute.name: attribute for attribute in node.attribute}
    splits, modes = (numpy_helper.to_array(found[f"nodes_{name}"].t) for name in ("splits", "modes"))
    flags = found["nodes_missing_value_tracks_true"].ints
    for place in np.flatnonzero(modes == 0).tolist():
        for direction in (np.inf, -np.inf):
            changed = splits.copy()
            changed[place] = np.nextafter(splits[place], direction)
            found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(changed))
            yield "threshold", model.SerializeToString()
        found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(splits))
        flags[place] = 1 - flags[place]
        yield "missing", model.SerializeToString()
        flags[place] = 1 - flags[place]
    sets = numpy_helper.to_array(found["membership_values"].t)
    for place in np.flatnonzero(~np.isnan(sets)).tolist()[::5]:
        changed = sets.copy()
        changed[place] = 1e6
        found["membership_values"].t.CopyFrom(numpy_helper.from_array(changed))
        yield "category", model.SerializeToString()


def test_small_faults_turn_the_gate_red(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    proven = case.prove(LGBMClassifier(**{**SMALL, "n_estimators": 4}).fit(categories(rows), labels), unseen)
    seen: dict[str, list[bool]] = {}
    for name, data in mutants(proven.lowered.onnx):
        predictor = Predictor(data, proven.predictor.signature)
        sets = (proven.validation, proven.edges)
        red = not all(compare_rows(part.name, part.columns, part.native, predictor).passed for part in sets)
        seen.setdefault(name, []).append(red)
    assert np.mean(seen["threshold"]) > 0.95
    assert any(seen["missing"])  # the others: where no missing value comes, as a split above has sent it away
    assert np.mean(seen["category"]) > 0.8  # the others: not a category of the rows that come so far


def test_trees_with_linear_leaves_are_refused(flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    model = LGBMRegressor(**SMALL, linear_tree=True).fit(table(rows), minutes(rows))
    with pytest.raises(EstimatorRefusedError, match="linear_tree=True"):
        case.prove(model, only(unseen), task="regression")


def test_another_text_is_refused_and_not_guessed() -> None:
    from mintage.lower.boosting.lightgbm_model import read_lightgbm

    booster = Step("lightgbm.basic.Booster", {"#text": np.frombuffer(b"tree\nversion=v9\n", dtype=np.uint8)})
    with pytest.raises(EstimatorRefusedError, match="version of its library"):
        read_lightgbm(Step("lightgbm.sklearn.LGBMClassifier", {"_Booster": booster}))
