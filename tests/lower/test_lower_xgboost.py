"""XGBoost: sums in float32 as the library adds them, to the bit; its answers within float32's last place."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from mintage.errors import EstimatorRefusedError
from mintage.model.prove import compare_rows
from mintage.model.runtime import Predictor

NUMBERS = ["minute", "distance", "wind_gust", "precip"]
TEXTS = ["carrier", "dest"]
SMALL: dict[str, Any] = {"n_estimators": 10, "max_depth": 4, "n_jobs": 1, "random_state": 0}
UNIT_IN_LAST_PLACE = 2.0**-24
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


def check(proven: Any, *, rows: int = 800) -> None:
    real, edges = proven.parity
    assert (real.passed, edges.passed) == (True, True)
    assert min(real.compared, edges.compared) >= rows - 100
    assert real.compared + edges.compared >= 2 * rows - 100
    assert proven.lowered.rounds == "XGBoost"
    assert max(real.max_error, edges.max_error) <= 8 * UNIT_IN_LAST_PLACE


@pytest.mark.parametrize(
    "model",
    [
        XGBClassifier(**SMALL),
        XGBClassifier(**SMALL, scale_pos_weight=3, monotone_constraints={"minute": 1}, base_score=0.3),
        XGBClassifier(**SMALL, booster="dart", rate_drop=0.3, one_drop=1),
        XGBClassifier(**SMALL, missing=0.0),
        XGBClassifier(n_estimators=2, min_child_weight=1e6, n_jobs=1),
        XGBRFClassifier(**SMALL),
        XGBClassifier(n_estimators=10, booster="gblinear", n_jobs=1),
    ],
    ids=["trees", "weighted and monotone", "dart", "missing is zero", "leaves alone", "forest", "linear"],
)
def test_probabilities_are_within_the_last_place_of_the_original(model: Any, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    proven = case.prove(model.fit(table(rows), labels), only(unseen))
    check(proven)
    if model.booster != "gblinear":
        assert all(part.equal >= 0.99 * part.compared for part in proven.parity)


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_sums_are_the_same_to_the_bit(booster: str, flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    options = {"rate_drop": 0.3, "one_drop": 1} if booster == "dart" else {}
    model = XGBRegressor(**{**SMALL, "n_estimators": 60}, booster=booster, **options).fit(table(rows), minutes(rows))
    real, edges = case.prove(model, only(unseen), task="regression").parity
    assert (real.equal, edges.equal) == (real.compared, edges.compared)


def test_integers_beyond_the_24_bits_of_a_float32_are_rounded_as_the_original_does(flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    large, asked = (
        {name: column * 2.0**22 + 1 for name, column in only(columns).items()} for columns in (rows, unseen)
    )
    model = XGBRegressor(**SMALL).fit(table(large), minutes(rows))
    real, edges = case.prove(model, asked, task="regression").parity
    assert (real.equal, edges.equal) == (real.compared, edges.compared)


@pytest.mark.parametrize(
    "objective",
    [
        *("reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror"),
        *("count:poisson", "reg:gamma", "reg:tweedie", "reg:logistic"),
    ],
)
def test_each_objective_of_numbers_has_its_link(objective: str, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    goal = labels * 0.8 + 0.1 if objective == "reg:logistic" else minutes(rows) + 1
    model = XGBRegressor(**SMALL, objective=objective).fit(table(rows), goal)
    real, edges = case.prove(model, only(unseen), task="regression").parity
    assert real.equal >= 0.99 * real.compared
    assert edges.max_error <= 2 * UNIT_IN_LAST_PLACE


def test_forests_of_numbers_equal_the_original(flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    check(case.prove(XGBRFRegressor(**SMALL).fit(table(rows), minutes(rows)), only(unseen), task="regression"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"multi_strategy": "multi_output_tree"},
        {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
    ],
    ids=["a tree a target", "trees with several leaves", "quantiles"],
)
def test_several_numbers_equal_the_original(options: dict[str, Any], flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    goal = minutes(rows) if options.get("objective") else np.column_stack([minutes(rows), labels + 1.0])
    model = XGBRegressor(**SMALL, **options).fit(table(rows), goal)
    real, edges = case.prove(model, only(unseen), task="regression", target=("a", "b")).parity
    assert (real.equal, edges.equal) == (real.compared, edges.compared)


@pytest.mark.parametrize(
    "options", [{}, {"objective": "multi:softmax"}, {"booster": "gblinear", "max_depth": None}], ids=str
)
def test_several_classes_equal_the_original(options: dict[str, Any], flights: Any, case: Any) -> None:
    (rows, _), unseen = flights
    model = XGBClassifier(**{**SMALL, **options}).fit(table(rows), thirds(rows))
    check(case.prove(model, only(unseen), task="multiclass"))


@pytest.mark.parametrize("one_hot", [1, 200], ids=["sets", "one category a split"])
def test_native_categories_are_texts_of_the_graph(one_hot: int, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = XGBClassifier(**SMALL, enable_categorical=True, max_cat_to_onehot=one_hot).fit(categories(rows), labels)
    proven = case.prove(model, unseen)
    check(proven)
    assert len(proven.lowered.categories["dest"]) > 64
    assert set(unseen["dest"]) - set(proven.lowered.categories["dest"])
    new, absent = (
        {name: column[:1].copy() for name, column in unseen.items()} | {"dest": np.array([value], dtype=object)}
        for value in ("nowhere", None)
    )
    assert proven.predictor.predict(new).flags == {"dest": 1}
    assert proven.predictor.predict(new).scores == proven.predictor.predict(absent).scores


def test_whole_numbers_may_be_categories(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    hours = pd.DataFrame({"hour": pd.Categorical((rows["minute"] // 60).astype(int)), "distance": rows["distance"]})
    asked = {"hour": unseen["minute"] // 60, "distance": unseen["distance"]}
    check(case.prove(XGBClassifier(**SMALL, enable_categorical=True).fit(hours, labels), asked))


def test_codes_without_a_dictionary_are_cut_to_whole_numbers_as_the_original_does(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = XGBClassifier(**SMALL, enable_categorical=True, feature_types=["c", "q"])
    model.fit(np.column_stack([rows["minute"] // 60, rows["distance"]]), labels)
    asked = {"hour": unseen["minute"] / 60 - 1, "distance": unseen["distance"]}
    asked["hour"][::9] = np.nan
    check(case.prove(model, asked))


def test_early_stopping_answers_with_the_best_round(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    options = {**SMALL, "n_estimators": 40, "early_stopping_rounds": 4, "learning_rate": 0.8}
    held = (table(rows), np.random.default_rng(0).permutation(labels))
    model = XGBClassifier(**options).fit(table(rows), labels, eval_set=[held], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    check(case.prove(model, only(unseen)))


@pytest.mark.parametrize("one_hot", [True, False], ids=["one-hot", "ordinal"])
def test_boosting_behind_scaling_and_encoding_equals_the_original(one_hot: bool, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False) if one_hot else ordinal
    columns = ColumnTransformer([("texts", texts, TEXTS), ("numbers", StandardScaler(), NUMBERS)])
    kinds = {} if one_hot else {"enable_categorical": True, "feature_types": ["c", "c", "q", "q", "q", "q"]}
    estimator = Pipeline([("columns", columns), ("model", XGBClassifier(**SMALL, **kinds))])
    check(case.prove(estimator.fit(case.table(rows), labels), unseen))


def test_boosting_votes_with_others(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    full = ["minute", "distance"]
    linear = make_pipeline(StandardScaler(), LogisticRegression())
    vote = VotingClassifier([("boosting", XGBClassifier(**SMALL)), ("linear", linear)], voting="soft")
    proven = case.prove(vote.fit(pd.DataFrame(only(rows, full)), labels), only(unseen, full), not_null=tuple(full))
    check(proven, rows=700)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_boosting_is_calibrated(method: str, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = CalibratedClassifierCV(FrozenEstimator(XGBClassifier(**SMALL).fit(table(rows), labels)), method=method)
    check(case.prove(model.fit(table(rows), labels), only(unseen)))


def test_several_labels_a_row_are_targets(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    both = np.column_stack([labels, rows["distance"] > 1000]).astype(int)
    check(case.prove(XGBClassifier(**SMALL).fit(table(rows), both), only(unseen), target=("late", "far")))


def mutants(data: bytes) -> Any:
    """The graph with one small fault each, and what it is."""
    model = onnx.load_model_from_string(data)
    node = next(node for node in model.graph.node if node.op_type == "TreeEnsemble")
    found = {attribute.name: attribute for attribute in node.attribute}
    splits, modes = (numpy_helper.to_array(found[f"nodes_{name}"].t) for name in ("splits", "modes"))
    for place in np.flatnonzero(modes == 0).tolist()[1:]:  # the first is the start, the same on both sides
        for direction in (np.inf, -np.inf):
            changed = splits.copy()
            changed[place] = np.nextafter(splits[place], np.float32(direction))
            found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(changed))
            yield "threshold", model.SerializeToString()
    found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(splits))
    flags = found["nodes_missing_value_tracks_true"].ints
    for place in np.flatnonzero(modes == 0).tolist()[1:]:
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
    model = XGBClassifier(n_estimators=3, max_depth=4, n_jobs=1, enable_categorical=True).fit(categories(rows), labels)
    proven = case.prove(model, unseen)
    seen: dict[str, list[bool]] = {}
    for name, data in mutants(proven.lowered.onnx):
        predictor = Predictor(data, proven.predictor.signature)
        sets = (proven.validation, proven.edges)
        red = not all(
            compare_rows(part.name, part.columns, part.native, predictor, tolerance=1e-5).passed for part in sets
        )
        seen.setdefault(name, []).append(red)
    assert np.mean(seen["threshold"]) > 0.95
    assert np.mean(seen["missing"]) > 0.5  # the others: where a split above has sent missing values away
    assert np.mean(seen["category"]) > 0.8  # the others: not a category of the rows that come so far


@pytest.mark.parametrize(
    ("objective", "reason"), [("binary:logitraw", "binary:logitraw"), ("binary:hinge", "binary:hinge")]
)
def test_objectives_without_probabilities_are_refused(objective: str, reason: str, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    model = XGBClassifier(**SMALL, objective=objective).fit(table(rows), labels)
    with pytest.raises(EstimatorRefusedError, match=reason):
        case.prove(model, only(unseen))
