"""Decision trees and their ensembles for more than two classes, for numbers and for several targets: real flights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

import mintage.templates
from mintage.errors import EstimatorRefusedError
from mintage.model.runtime import stack

DATA = Path(mintage.templates.__file__).parent / "flights" / "data"
TEXTS = ["carrier", "origin"]
NUMBERS = ["minute", "distance", "wind_gust", "visib"]
FULL = tuple(NUMBERS[:2])
Columns = dict[str, Any]


@dataclass(frozen=True)
class Some:
    """Flights to fit on, with delays on departure and on arrival in minutes; and others to compare on."""

    rows: Columns
    unseen: Columns
    departure: Any
    arrival: Any

    @property
    def lateness(self) -> Any:
        """Early, on time, late, or very late."""
        return np.array(["early", "on time", "late", "very late"], dtype=object)[
            np.digitize(self.arrival, [-10.0, 15.0, 60.0])
        ]


@pytest.fixture(scope="module")
def some() -> Some:
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
    fit = np.arange(found.height) % 5 >= 3
    delays = [found[name].cast(pl.Float64).fill_null(0.0).to_numpy() for name in ("dep_delay", "arr_delay")]
    return Some(
        {name: column[fit] for name, column in columns.items()},
        {name: column[~fit] for name, column in columns.items()},
        *(delay[fit] for delay in delays),
    )


def only(columns: Columns, names: Any) -> Columns:
    return {name: columns[name] for name in names}


def proven(model: Any, labels: Any, some: Some, case: Any, **options: Any) -> Any:
    """Fit on the numbers with missing values, or on ``names``, and prove."""
    names = options.pop("names", NUMBERS)
    estimator = clone(model).fit(case.table(only(some.rows, names)), labels)
    found = case.prove(estimator, only(some.unseen, names), **options)
    real, edges = found.parity
    assert (real.passed, edges.passed) == (True, True)
    assert real.compared == len(some.unseen["minute"]) >= 1000
    assert edges.compared >= 1000
    return found


def equal(found: Any) -> bool:
    """Whether every number of every row is the original's to the bit."""
    return all(parity.equal == parity.compared for parity in found.parity)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_leaf_nodes=12, criterion="log_loss", class_weight="balanced", random_state=0),
        ExtraTreeClassifier(max_depth=5, random_state=0),
        RandomForestClassifier(5, max_depth=5, criterion="entropy", random_state=0),
        RandomForestClassifier(3, random_state=0),
        ExtraTreesClassifier(4, max_depth=5, bootstrap=True, class_weight="balanced_subsample", random_state=0),
        BaggingClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=4, max_features=0.7, random_state=0),
        BaggingClassifier(n_estimators=5, max_samples=6, random_state=3),
    ],
    ids=["tree", "extra tree", "forest", "grown forest", "extra forest", "bagging", "bagging of some classes"],
)
def test_several_classes_equal_the_original_to_the_bit(model: Any, some: Some, case: Any) -> None:
    assert equal(proven(model, some.lateness, some, case, task="multiclass"))


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingClassifier(n_estimators=4, max_depth=2, random_state=0),
        GradientBoostingClassifier(n_estimators=4, max_depth=2, init="zero", subsample=0.6, random_state=0),
        GradientBoostingClassifier(
            n_estimators=3, max_depth=2, init=RandomForestClassifier(3, max_depth=2, random_state=0), random_state=0
        ),
        AdaBoostClassifier(n_estimators=6, random_state=0),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=4, random_state=0),
    ],
    ids=["boosting", "boosting from zero", "boosting from a forest", "votes of stumps", "votes of trees"],
)
def test_boosted_classes_equal_the_original(model: Any, some: Some, case: Any) -> None:
    found = proven(model, some.lateness, some, case, task="multiclass", names=FULL, not_null=FULL)
    assert max(parity.max_error for parity in found.parity) <= 1e-15


@pytest.mark.parametrize("seed", [0, 1])
def test_histogram_boosting_of_several_classes_equals_the_original(seed: int, some: Some, case: Any) -> None:
    model = HistGradientBoostingClassifier(
        max_iter=6, max_leaf_nodes=9, categorical_features=TEXTS, class_weight="balanced", random_state=seed
    )
    names = ["minute", "carrier", "wind_gust", "origin"]
    found = proven(model, some.lateness, some, case, task="multiclass", names=names)
    assert max(parity.max_error for parity in found.parity) <= 1e-15


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("table", ["pandas", "polars"])
def test_columns_of_categories_equal_the_original(table: str, task: Any, some: Some, case: Any) -> None:
    names = ["minute", "carrier", "wind_gust", "origin"]
    frame = case.table(only(some.rows, names)).with_columns(pl.col(TEXTS).cast(pl.Categorical))
    labels = {"binary": some.arrival > 15, "multiclass": some.lateness, "regression": some.arrival}[task]
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    model = kind(max_iter=6, max_leaf_nodes=9, random_state=0)
    if table == "pandas":
        frame = pd.DataFrame({name: frame[name].to_numpy() for name in names}).astype(dict.fromkeys(TEXTS, "category"))
    found = case.prove(model.fit(frame, labels), only(some.unseen, names), task=task)
    assert max(parity.max_error for parity in found.parity) <= 1e-15
    assert any(members is not None for tree in found.lowered.trees for members in tree.members)
    assert len(found.lowered.categories["carrier"]) > 10


def test_early_stopping_and_constraints_of_histogram_boosting_equal_the_original(some: Some, case: Any) -> None:
    model = HistGradientBoostingRegressor(
        max_iter=20,
        early_stopping=True,
        n_iter_no_change=2,
        monotonic_cst={"minute": 1},
        interaction_cst="no_interactions",
        categorical_features=["carrier"],
        random_state=0,
    )
    names = ["minute", "carrier", "wind_gust"]
    assert equal(proven(model, some.arrival, some, case, task="regression", names=names))


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=6, random_state=0),
        DecisionTreeRegressor(max_leaf_nodes=9, criterion="poisson", random_state=0),
        DecisionTreeRegressor(max_depth=3, monotonic_cst=[1, 0, -1, 0], random_state=0),
        ExtraTreeRegressor(max_depth=5, criterion="absolute_error", random_state=0),
        RandomForestRegressor(5, max_depth=6, random_state=0),
        ExtraTreesRegressor(5, max_depth=6, random_state=0),
        BaggingRegressor(n_estimators=4, max_features=0.7, max_samples=0.2, bootstrap_features=True, random_state=0),
        HistGradientBoostingRegressor(max_iter=8, max_leaf_nodes=9, random_state=0),
        HistGradientBoostingRegressor(loss="absolute_error", max_iter=8, max_leaf_nodes=9, random_state=0),
        HistGradientBoostingRegressor(loss="quantile", quantile=0.9, max_iter=8, max_leaf_nodes=9, random_state=0),
    ],
    ids=lambda model: f"{type(model).__name__} {model.get_params().get('criterion', model.get_params().get('loss'))}",
)
def test_numbers_equal_the_original_to_the_bit(model: Any, some: Some, case: Any) -> None:
    assert equal(proven(model, some.arrival + 100.0, some, case, task="regression"))


@pytest.mark.parametrize("loss", ["gamma", "poisson"])
def test_a_logarithmic_link_equals_the_original(loss: str, some: Some, case: Any) -> None:
    model = HistGradientBoostingRegressor(loss=loss, max_iter=8, max_leaf_nodes=9, random_state=0)
    found = proven(model, some.arrival + 100.0, some, case, task="regression")
    assert max(parity.max_error for parity in found.parity) <= 1e-15


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
@pytest.mark.parametrize("start", [None, "zero", DecisionTreeRegressor(max_depth=2, random_state=0)])
def test_boosted_numbers_equal_the_original(loss: str, start: Any, some: Some, case: Any) -> None:
    model = GradientBoostingRegressor(loss=loss, init=start, n_estimators=6, max_depth=3, random_state=0)
    found = proven(model, some.arrival, some, case, task="regression", names=FULL, not_null=FULL)
    assert equal(found) or isinstance(start, DecisionTreeRegressor)
    assert max(parity.max_error for parity in found.parity) <= 1e-14


@pytest.mark.parametrize(
    "model",
    [
        AdaBoostRegressor(n_estimators=12, random_state=0),
        AdaBoostRegressor(DecisionTreeRegressor(max_depth=9), n_estimators=7, loss="square", random_state=0),
        AdaBoostRegressor(n_estimators=1, loss="exponential", random_state=0),
    ],
    ids=["stumps", "deep trees", "one tree"],
)
def test_weighted_medians_equal_the_original_to_the_bit(model: Any, some: Some, case: Any) -> None:
    assert equal(proven(model, some.arrival, some, case, task="regression", names=FULL, not_null=FULL))


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=6, random_state=0),
        ExtraTreeRegressor(max_depth=5, random_state=0),
        RandomForestRegressor(4, max_depth=6, random_state=0),
        ExtraTreesRegressor(4, max_depth=6, random_state=0),
        BaggingRegressor(n_estimators=3, max_samples=0.3, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_several_numbers_equal_the_original_to_the_bit(model: Any, some: Some, case: Any) -> None:
    both = np.column_stack([some.departure, some.arrival, np.where(some.arrival > 0, some.arrival, 0.0)])
    found = proven(model, both, some, case, task="regression", target=("departure", "arrival", "delay"))
    assert found.validation.native.values.shape[1] == 3
    assert equal(found)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=6, random_state=0),
        ExtraTreeClassifier(max_depth=5, random_state=0),
        RandomForestClassifier(4, max_depth=5, random_state=0),
        ExtraTreesClassifier(4, max_depth=5, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_several_targets_equal_the_original(model: Any, some: Some, case: Any) -> None:
    both = np.column_stack([np.digitize(some.arrival, [0.0, 30.0]), some.departure > 10, some.departure % 4])
    found = proven(model, both, some, case, task="multiclass", target=("arrival", "departure", "rest"))
    answer = stack(found.predictor.run(found.predictor.tensors(found.validation.columns)))
    assert answer.values.shape[1] == 3 + 2 + 4
    positive = [0, 1, 2, 4, 5, 6, 7, 8]  # the first of two classes is written as 1 less the second
    assert (answer.values[:, positive] == found.validation.native.values[:, positive]).all()


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (BaggingClassifier(make_pipeline(SimpleImputer(), LogisticRegression()), n_estimators=3), "binary"),
        (BaggingClassifier(make_pipeline(SimpleImputer(), LogisticRegression()), n_estimators=3), "multiclass"),
        (BaggingClassifier(HistGradientBoostingClassifier(max_iter=3), n_estimators=3, max_features=2), "multiclass"),
        (BaggingRegressor(make_pipeline(SimpleImputer(), LinearRegression()), n_estimators=3), "regression"),
        (BaggingRegressor(HistGradientBoostingRegressor(max_iter=3), n_estimators=3, max_features=2), "regression"),
    ],
    ids=["logistic", "logistic of four", "histogram boosting", "linear", "histogram boosting of numbers"],
)
def test_bagging_of_other_families_equals_the_original(model: Any, task: Any, some: Some, case: Any) -> None:
    scaled = {name: column / 1000.0 for name, column in only(some.rows, NUMBERS).items()}
    labels = {"binary": some.arrival > 15, "multiclass": some.lateness, "regression": some.arrival}[task]
    model = clone(model).set_params(random_state=0)
    found = proven(model, labels, Some(scaled, some.unseen, some.departure, some.arrival), case, task=task)
    assert max(parity.max_error for parity in found.parity) <= 1e-13


DECIDED = {
    "boosting": GradientBoostingClassifier(n_estimators=3, max_depth=2, random_state=0),
    "exponential": GradientBoostingClassifier(loss="exponential", n_estimators=3, max_depth=2, random_state=0),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=5, random_state=0),
    "votes": AdaBoostClassifier(n_estimators=4, random_state=0),
    "bagging of logistic": BaggingClassifier(LogisticRegression(), n_estimators=2, random_state=0),
    "bagging of trees": BaggingClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=3, random_state=0),
}


@pytest.mark.parametrize(
    ("name", "task"),
    [*((name, "binary") for name in DECIDED), *((name, "multiclass") for name in DECIDED if name != "exponential")],
)
def test_a_calibration_gets_the_decision_function_that_the_original_does(
    name: str, task: Any, some: Some, case: Any
) -> None:
    labels = some.arrival > 15 if task == "binary" else some.lateness
    calibrated = CalibratedClassifierCV(DECIDED[name], method="sigmoid", cv=2, ensemble=False)
    scaled = {name: column / 1000.0 for name, column in only(some.rows, FULL).items()}
    near = Some(scaled, {name: some.unseen[name] / 1000.0 for name in some.unseen if name in FULL}, *([None] * 2))
    found = proven(calibrated, labels, near, case, task=task, names=FULL, not_null=FULL)
    assert max(parity.max_error for parity in found.parity) <= 1e-13


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (RandomForestClassifier(3, min_samples_leaf=5000, random_state=0), "multiclass"),
        (GradientBoostingClassifier(n_estimators=2, min_samples_leaf=5000), "multiclass"),
        (HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5000), "multiclass"),
        (DecisionTreeRegressor(min_samples_leaf=5000), "regression"),
        (AdaBoostRegressor(DecisionTreeRegressor(min_samples_leaf=5000), n_estimators=3, random_state=0), "regression"),
        (HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=5000), "regression"),
    ],
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_trees_of_a_single_leaf_equal_the_original(model: Any, task: Any, some: Some, case: Any) -> None:
    labels = some.lateness if task == "multiclass" else some.arrival
    found = proven(model, labels, some, case, task=task, names=FULL, not_null=FULL)
    assert max(parity.max_error for parity in found.parity) <= 1e-15


def test_monotone_trees_of_weighted_rows_equal_the_original(some: Some, case: Any) -> None:
    model = RandomForestClassifier(4, max_depth=6, monotonic_cst=[1, -1, 0, 0], random_state=0)
    weights = np.random.default_rng(0).random(len(some.arrival))
    model.fit(case.table(only(some.rows, NUMBERS)), some.arrival > 15, sample_weight=weights)
    assert case.prove(model, only(some.unseen, NUMBERS)).score_error == 0.0


def test_a_sample_without_one_of_the_classes_is_refused_where_no_tree_can_place_it(some: Some, case: Any) -> None:
    labels = np.where(np.arange(len(some.arrival)) == 5, "lost", some.lateness)
    model = BaggingClassifier(make_pipeline(HistGradientBoostingClassifier(max_iter=2)), max_samples=90, random_state=0)
    with pytest.raises(EstimatorRefusedError, match="gives 4 columns where its ensemble needs 5"):
        proven(model, labels, some, case, task="multiclass", names=FULL)


def test_extra_trees_that_look_for_the_best_split_refuse_missing_values(some: Some, case: Any) -> None:
    model = ExtraTreeRegressor(max_depth=4, splitter="best", random_state=0)
    found = proven(model, some.arrival, some, case, task="regression", names=FULL, not_null=FULL)
    assert found.lowered.refuses_missing
    assert found.parity[1].refused > 0
