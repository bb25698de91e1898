"""Models over models of every task give the library's own answers on real flights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mintage.errors import EstimatorRefusedError
from mintage.model.runtime import stack

NUMBERS = ["minute", "distance", "wind_gust"]
TEXTS = ["carrier"]


def some(rows: Any, count: int | None = None) -> Any:
    """The first ``count`` rows of the columns used here."""
    return {name: rows[name][:count] for name in NUMBERS + TEXTS}


def over(last: Any) -> Pipeline:
    """Imputed and scaled numbers, one-hot texts, then ``last``."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    parts = [
        ("numbers", numbers, NUMBERS),
        ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXTS),
    ]
    return make_pipeline(ColumnTransformer(parts), last)


def named(*parts: Any) -> list[tuple[str, Any]]:
    return [(f"part{place}", part) for place, part in enumerate(parts)]


def line(**options: Any) -> LogisticRegression:
    return LogisticRegression(max_iter=100, **options)


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(4, max_depth=4, random_state=0)


def boosting() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=5, random_state=0)


def calibrated(inner: Any, method: str, **options: Any) -> CalibratedClassifierCV:
    return CalibratedClassifierCV(inner, method=method, cv=2, **options)


CLASSES = {
    "a line, sigmoid": calibrated(line(), "sigmoid"),
    "a line, isotonic": calibrated(line(), "isotonic"),
    "a line, temperature": calibrated(line(), "temperature"),
    "a forest, sigmoid, fitted on all rows": calibrated(forest(), "sigmoid", ensemble=False),
    "a forest, isotonic": calibrated(forest(), "isotonic"),
    "a forest, temperature": calibrated(forest(), "temperature"),
    "histogram boosting, isotonic": calibrated(boosting(), "isotonic"),
    "gradient boosting, sigmoid": calibrated(GradientBoostingClassifier(n_estimators=3, max_depth=2), "sigmoid"),
    "a ridge, sigmoid": calibrated(RidgeClassifier(), "sigmoid"),
    "a ridge, temperature": calibrated(RidgeClassifier(), "temperature"),
    "support vectors of a line, isotonic": calibrated(LinearSVC(), "isotonic"),
    "a perceptron, sigmoid": calibrated(Perceptron(), "sigmoid"),
    "a hinge, sigmoid": calibrated(SGDClassifier(random_state=0), "sigmoid"),
    "one against the rest": OneVsRestClassifier(line()),
    "trees against the rest": OneVsRestClassifier(DecisionTreeClassifier(max_depth=3)),
    "one against the rest, isotonic": calibrated(OneVsRestClassifier(line()), "isotonic"),
    "a soft vote": VotingClassifier(named(line(), forest(), boosting()), voting="soft"),
    "a weighted vote with one left out": VotingClassifier(
        [("a", line()), ("gone", "drop"), ("b", forest())], voting="soft", weights=[2.0, 5.0, 0.7]
    ),
    "stacked probabilities": StackingClassifier(named(line(), forest()), line(), cv=2),
    "stacked decision functions": StackingClassifier(named(line(), RidgeClassifier()), line(), cv=2),
    "stacked trees under trees": StackingClassifier(named(forest()), boosting(), cv=2),
    "stacked with the columns behind": StackingClassifier(named(line(), boosting()), forest(), cv=2, passthrough=True),
    "a stack, sigmoid": calibrated(StackingClassifier(named(line(), forest()), line(), cv=2), "sigmoid"),
    "the best of a grid": GridSearchCV(line(), {"C": [0.1, 1.0]}, cv=2),
}
NUMERIC = {
    "a vote": VotingRegressor(named(LinearRegression(), RandomForestRegressor(4, max_depth=4, random_state=0))),
    "a weighted vote": VotingRegressor(named(Ridge(), DecisionTreeRegressor(max_depth=3)), weights=[0.3, 2.0]),
    "a stack": StackingRegressor(named(Ridge(), DecisionTreeRegressor(max_depth=3)), cv=2),
    "a stack under trees": StackingRegressor(
        named(Ridge(), DecisionTreeRegressor(max_depth=3)), RandomForestRegressor(3, max_depth=4, random_state=0), cv=2
    ),
    "a stack with the columns behind": StackingRegressor(
        named(Ridge()), HistGradientBoostingRegressor(max_iter=4), cv=2, passthrough=True
    ),
    "the best of a grid": GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
}
SEVERAL = {
    "a regressor a target": MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=4)),
    "a line a target": MultiOutputRegressor(Ridge()),
    "a chain of lines": RegressorChain(Ridge(), order=[1, 0]),
    "a chain of trees": RegressorChain(DecisionTreeRegressor(max_depth=4, random_state=0)),
}
LABELS = {
    "a line a target": MultiOutputClassifier(line()),
    "trees a target": MultiOutputClassifier(DecisionTreeClassifier(max_depth=4)),
    "one label against the rest": OneVsRestClassifier(line()),
    "a network of labels": MLPClassifier((5,), max_iter=15, random_state=0),
    "a chain of labels": ClassifierChain(line(), order=[1, 0], random_state=0),
    "a chain of probabilities": ClassifierChain(line(), chain_method="predict_proba", random_state=0),
    "a chain of decision functions": ClassifierChain(line(), chain_method="decision_function", random_state=0),
}


def check(proven: Any, *, rows: int) -> None:
    assert [item.passed for item in proven.parity] == [True, True]
    assert proven.parity[0].compared == rows
    assert max(item.max_error for item in proven.parity) <= 1e-12
    assert sum(item.label_flips for item in proven.parity) == 0


def fitted(estimator: Any, table: Any, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a network that has not converged, among others
        return estimator.fit(table, target)


@pytest.mark.parametrize("name", CLASSES)
def test_classifiers_of_three_classes_over_others_equal_the_original(
    name: str, case: Any, flights: Any, delays: Any
) -> None:
    (rows, _), unseen = flights
    estimator = fitted(over(CLASSES[name]), case.table(some(rows)), delays.classes)
    check(case.prove(estimator, some(unseen, 300), task="multiclass"), rows=300)


@pytest.mark.parametrize(
    "last",
    [
        SGDClassifier(loss="modified_huber", random_state=0),
        SGDClassifier(loss="log_loss", random_state=0),
        OneVsRestClassifier(line()),
        OneVsRestClassifier(DecisionTreeClassifier(random_state=0)),
        OneVsRestClassifier(SGDClassifier(loss="modified_huber", random_state=0)),
    ],
    ids=["cut off sums", "logistic functions", "lines", "trees", "cut off sums against the rest"],
)
def test_of_equal_probabilities_the_label_is_the_originals(last: Any, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    proven = case.prove(over(last).fit(case.table(some(rows)), delays.classes), some(unseen, 300), task="multiclass")
    ties = 0
    for asked in (proven.validation, proven.edges):
        answered = ~asked.native.failed
        found = stack(proven.predictor.run(proven.predictor.tensors(asked.columns)))
        assert (found.labels == asked.native.labels)[answered].all()
        ordered = np.sort(asked.native.values[answered], axis=1)
        ties += int((ordered[:, -1] == ordered[:, -2]).sum())
    assert ties > 0


@pytest.mark.parametrize("name", NUMERIC)
def test_regressors_over_others_equal_the_original(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    estimator = fitted(over(NUMERIC[name]), case.table(some(rows)), delays.minutes)
    check(case.prove(estimator, some(unseen, 300), task="regression"), rows=300)


@pytest.mark.parametrize("name", SEVERAL)
def test_regressors_of_several_targets_equal_the_original(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    both = np.column_stack([delays.minutes, delays.departure])
    estimator = fitted(over(SEVERAL[name]), case.table(some(rows)), both)
    check(case.prove(estimator, some(unseen, 300), task="regression", target=("arrival", "departure")), rows=300)


@pytest.mark.parametrize("name", LABELS)
def test_classifiers_of_several_targets_equal_the_original(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, late), unseen = flights
    both = np.column_stack([late, (delays.departure > 5).astype(np.int64)])
    estimator = fitted(over(LABELS[name]), case.table(some(rows)), both)
    proven = case.prove(estimator, some(unseen, 300), task="binary", target=("arrival", "departure"))
    assert proven.validation.native.labels.shape == (300, 2)
    check(proven, rows=300)


def test_one_target_may_have_more_classes_than_the_other(case: Any, flights: Any, delays: Any) -> None:
    (rows, late), unseen = flights
    both = np.column_stack([np.searchsorted(["early", "late", "on time"], delays.classes.tolist()), late])
    estimator = fitted(over(MultiOutputClassifier(line())), case.table(some(rows)), both)
    proven = case.prove(estimator, some(unseen, 300), task="multiclass", target=("arrival", "departure"))
    assert proven.predictor.signature.widths == (3, 2)
    check(proven, rows=300)


@pytest.mark.parametrize(
    ("estimator", "found"),
    [
        (OneVsRestClassifier(RidgeClassifier()), "without probabilities"),
        (calibrated(OneVsRestClassifier(RidgeClassifier()), "sigmoid"), "not a classifier with probabilities"),
        (StackingClassifier(named(line()), RidgeClassifier(), cv=2), "without probabilities"),
    ],
)
def test_classifiers_without_probabilities_are_refused_in_their_place(
    estimator: Any, found: str, case: Any, flights: Any, delays: Any
) -> None:
    (rows, _), unseen = flights
    model = fitted(over(estimator), case.table(some(rows)), delays.classes)
    with pytest.raises(EstimatorRefusedError, match=found):
        case.prove(model, some(unseen, 50), task="multiclass")
