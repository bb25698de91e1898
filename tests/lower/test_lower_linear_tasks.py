"""Linear models of every task, and networks, give the library's own answers on real flights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import linear_model as lm
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVR

from mintage.errors import EstimatorRefusedError

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


def fitted(estimator: Any, table: Any, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", FutureWarning)
        return estimator.fit(table, target)


CLASSES = {
    "softmax": lm.LogisticRegression(max_iter=200),
    "softmax, its strength chosen": lm.LogisticRegressionCV(
        Cs=2, cv=2, max_iter=50, l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"
    ),
    "linear discriminants": LinearDiscriminantAnalysis(),
    "stochastic gradient descent of log loss": lm.SGDClassifier(loss="log_loss", random_state=0),
    "stochastic gradient descent of modified huber loss": lm.SGDClassifier(loss="modified_huber", random_state=0),
    "a network with a softmax": MLPClassifier((6, 4), max_iter=15, random_state=0),
    "a network of hyperbolic tangents": MLPClassifier((5,), activation="tanh", max_iter=15, random_state=0),
    "a prior": DummyClassifier(),
    "the most frequent class": DummyClassifier(strategy="most_frequent"),
    "normal densities": GaussianNB(var_smoothing=1e-3),
}
TWO = {
    "stochastic gradient descent of modified huber loss": lm.SGDClassifier(loss="modified_huber", random_state=0),
    "a network of logistic functions": MLPClassifier((5,), activation="logistic", max_iter=15, random_state=0),
    "normal densities": GaussianNB(var_smoothing=1e-3),
    "a constant class": DummyClassifier(strategy="constant", constant=1),
}
NUMERIC = {
    "least squares": lm.LinearRegression(),
    "ridge": lm.Ridge(),
    "ridge, its strength chosen": lm.RidgeCV(),
    "lasso": lm.Lasso(0.1),
    "lasso, its strength chosen": lm.LassoCV(cv=2, alphas=5),
    "elastic net": lm.ElasticNet(0.1),
    "elastic net, its strength chosen": lm.ElasticNetCV(cv=2, alphas=5),
    "least angles": lm.Lars(n_nonzero_coefs=6),
    "lasso by least angles": lm.LassoLars(0.01),
    "lasso by a criterion": lm.LassoLarsIC(),
    "matching pursuit": lm.OrthogonalMatchingPursuit(),
    "bayesian ridge": lm.BayesianRidge(),
    "relevance determination": lm.ARDRegression(max_iter=20),
    "huber": lm.HuberRegressor(max_iter=300),
    "medians of slopes": lm.TheilSenRegressor(max_subpopulation=50, random_state=0),
    "sample consensus": lm.RANSACRegressor(random_state=0),
    "stochastic gradient descent": lm.SGDRegressor(random_state=0),
    "support vectors of a line": LinearSVR(max_iter=200, random_state=0),
    "a quantile": lm.QuantileRegressor(alpha=0.01),
    "partial least squares": PLSRegression(2),
    "tweedie with the identity": lm.TweedieRegressor(power=0),
    "a network of rectifiers": MLPRegressor(hidden_layer_sizes=(6, 4), max_iter=15, random_state=0),
    "a network of hyperbolic tangents": MLPRegressor(
        hidden_layer_sizes=(6,), activation="tanh", max_iter=15, random_state=0
    ),
    "the mean": DummyRegressor(),
    "a quantile of all": DummyRegressor(strategy="quantile", quantile=0.8),
}
POSITIVE = {
    "poisson": lm.PoissonRegressor(max_iter=50),
    "gamma": lm.GammaRegressor(max_iter=50),
    "tweedie": lm.TweedieRegressor(power=1.5, max_iter=50),
    "a network of poisson loss": MLPRegressor("poisson", (6,), max_iter=15, random_state=0),
}
SEVERAL = {
    "least squares": lm.LinearRegression(),
    "ridge": lm.Ridge(),
    "lasso of several tasks": lm.MultiTaskLasso(0.1),
    "elastic net of several tasks, its strength chosen": lm.MultiTaskElasticNetCV(cv=2, alphas=3),
    "partial least squares": PLSRegression(2),
    "a network": MLPRegressor(hidden_layer_sizes=(6,), max_iter=15, random_state=0),
    "means": DummyRegressor(),
}


def check(proven: Any, *, rows: int) -> None:
    assert [item.passed for item in proven.parity] == [True, True]
    assert proven.parity[0].compared == rows
    assert max(item.max_error for item in proven.parity) <= 1e-12
    assert sum(item.label_flips for item in proven.parity) == 0


@pytest.mark.parametrize("name", CLASSES)
def test_three_classes_have_the_probabilities_of_the_original(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    estimator = fitted(over(CLASSES[name]), case.table(some(rows)), delays.classes)
    proven = case.prove(estimator, some(unseen, 400), task="multiclass")
    assert proven.predictor.signature.widths == (3,)
    check(proven, rows=400)


@pytest.mark.parametrize("name", TWO)
def test_two_classes_have_the_probabilities_of_the_original(name: str, case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    check(case.prove(fitted(over(TWO[name]), case.table(some(rows)), late), some(unseen, 400)), rows=400)


@pytest.mark.parametrize("name", NUMERIC)
def test_regressors_give_the_numbers_of_the_original(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    estimator = fitted(over(NUMERIC[name]), case.table(some(rows)), delays.minutes)
    check(case.prove(estimator, some(unseen, 400), task="regression"), rows=400)


@pytest.mark.parametrize("name", POSITIVE)
def test_regressors_of_positive_numbers_are_limited_to_where_they_are_finite(
    name: str, case: Any, flights: Any, delays: Any
) -> None:
    (rows, _), unseen = flights
    positive = delays.minutes - delays.minutes.min() + 1.0
    estimator = fitted(over(POSITIVE[name]), case.table(some(rows)), positive)
    proven = case.prove(estimator, some(unseen, 400), task="regression")
    check(proven, rows=400)
    limits = {item.name: item.limits for item in proven.predictor.signature.inputs}
    assert all(limits[column] is not None for column in NUMBERS)
    assert limits["carrier"] is None


@pytest.mark.parametrize("name", SEVERAL)
def test_several_targets_each_have_a_column(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    both = np.column_stack([delays.minutes, delays.departure])
    estimator = fitted(over(SEVERAL[name]), case.table(some(rows)), both)
    proven = case.prove(estimator, some(unseen, 400), task="regression", target=("arrival", "departure"))
    assert proven.validation.native.values.shape == (400, 2)
    check(proven, rows=400)


@pytest.mark.parametrize(
    ("estimator", "found"),
    [
        (lm.SGDClassifier(loss="hinge"), "gives labels without probabilities"),
        (DummyClassifier(strategy="stratified"), "answers by chance"),
        (lm.RidgeClassifier(), "gives labels without probabilities"),
    ],
)
def test_classifiers_without_probabilities_of_their_own_are_refused(
    estimator: Any, found: str, case: Any, flights: Any, delays: Any
) -> None:
    (rows, _), unseen = flights
    model = fitted(over(estimator), case.table(some(rows)), delays.classes)
    with pytest.raises(EstimatorRefusedError, match=found):
        case.prove(model, some(unseen, 50), task="multiclass")
