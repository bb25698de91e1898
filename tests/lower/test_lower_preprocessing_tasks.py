"""More transformers, and targets that are transformed back, give the library's own answers on real flights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_selection import (
    RFE,
    SelectFdr,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    f_regression,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from mintage.errors import EstimatorRefusedError

NUMBERS = ["minute", "distance", "wind_gust"]
TEXTS = ["carrier", "dest"]
RARE = {"min_frequency": 20, "sparse_output": False}


def some(rows: Any, count: int | None = None) -> Any:
    """The first ``count`` rows of the columns used here."""
    return {name: rows[name][:count] for name in NUMBERS + TEXTS}


def over(*steps: Any, last: Any = None, texts: Any = None, **options: Any) -> Pipeline:
    """Imputed numbers through ``steps``, texts encoded, then ``last``."""
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    numbers = make_pipeline(SimpleImputer(strategy="median"), *steps)
    parts = ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts or hot, TEXTS)], **options)
    return make_pipeline(parts, Ridge() if last is None else last)


def trees() -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(max_iter=5, max_leaf_nodes=6, random_state=0)


def forest() -> RandomForestRegressor:
    return RandomForestRegressor(3, max_depth=4, random_state=0)


EXACT = {
    "logarithms": over(FunctionTransformer(np.log1p)),
    "logarithms by their inverse": over(FunctionTransformer(np.log1p, np.expm1)),
    "roots for trees": over(FunctionTransformer(np.sqrt), last=trees()),
    "absolute numbers": over(StandardScaler(), FunctionTransformer(np.abs)),
    "exponentials": over(StandardScaler(), FunctionTransformer(np.exp)),
    "less than exponentials": over(StandardScaler(), FunctionTransformer(np.expm1)),
    "squares for a forest": over(FunctionTransformer(np.square), last=forest()),
    "signs": over(StandardScaler(), FunctionTransformer(np.sign)),
    "decimal logarithms of what is positive": over(
        FunctionTransformer(np.square), MinMaxScaler((1, 9), clip=True), FunctionTransformer(np.log10)
    ),
    "hyperbolic tangents": over(StandardScaler(), FunctionTransformer(np.tanh)),
    "polynomials": over(StandardScaler(), PolynomialFeatures(3)),
    "products alone, for trees": over(PolynomialFeatures(2, interaction_only=True, include_bias=False), last=trees()),
    "polynomials for a forest": over(PolynomialFeatures(2), last=forest()),
    "above or below": over(Binarizer(threshold=600.0)),
    "principal components": over(StandardScaler(), PCA(2)),
    "whitened principal components": over(StandardScaler(), PCA(2, whiten=True)),
    "principal components of all, for trees": over(StandardScaler(), PCA(), last=trees()),
    "principal components for a forest": over(StandardScaler(), PCA(2), last=forest()),
    "principal components batch by batch": over(StandardScaler(), IncrementalPCA(2)),
    "singular vectors": over(StandardScaler(), TruncatedSVD(2, random_state=0)),
    "what varies": over(VarianceThreshold(0.5)),
    "the best by a score": over(SelectKBest(f_regression, k=2)),
    "the best share by a score": over(SelectPercentile(f_regression, percentile=50)),
    "what is no false discovery": over(SelectFdr(f_regression, alpha=0.5)),
    "what a lasso keeps": over(StandardScaler(), SelectFromModel(Lasso(0.5))),
    "what a forest finds important": over(SelectFromModel(forest())),
    "what is left after elimination": over(StandardScaler(), RFE(Ridge(), n_features_to_select=2)),
    "a union": over(FeatureUnion([("scaled", StandardScaler()), ("above", Binarizer(threshold=600.0))])),
    "a weighted union with a part left out": over(
        FeatureUnion(
            [("scaled", MinMaxScaler()), ("gone", "drop"), ("same", "passthrough")], transformer_weights={"scaled": 0.3}
        ),
        last=trees(),
    ),
    "weighted columns": over(StandardScaler(), transformer_weights={"numbers": 2.5, "texts": 0.1}),
    "weighted places for trees": over(
        texts=OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        last=trees(),
        transformer_weights={"texts": 0.1},
    ),
    "rare categories together": over(texts=OneHotEncoder(handle_unknown="infrequent_if_exist", **RARE)),
    "few categories": over(texts=OneHotEncoder(handle_unknown="ignore", max_categories=4, sparse_output=False)),
    "rare categories together, unknown ones left out": over(texts=OneHotEncoder(handle_unknown="ignore", **RARE)),
    "rare categories together and the first dropped": over(
        texts=OneHotEncoder(handle_unknown="infrequent_if_exist", drop="first", **RARE)
    ),
    "rare places together for trees": over(
        texts=OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=25), last=trees()
    ),
    "few places": over(
        texts=OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=5), last=trees()
    ),
    "means of a number": over(texts=TargetEncoder(cv=3)),
    "means of a number for trees": over(texts=TargetEncoder(cv=3, smooth=2.0), last=trees()),
}
BACK = {
    "standardised": TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
    "between two ends": TransformedTargetRegressor(Ridge(), transformer=MinMaxScaler()),
    "divided by the largest": TransformedTargetRegressor(Ridge(), transformer=MaxAbsScaler()),
    "scaled by quantiles": TransformedTargetRegressor(trees(), transformer=RobustScaler()),
    "a power of any sign": TransformedTargetRegressor(
        DecisionTreeRegressor(max_depth=4), transformer=PowerTransformer()
    ),
    "a power of any sign, of a line": TransformedTargetRegressor(LinearRegression(), transformer=PowerTransformer()),
    "quantiles": TransformedTargetRegressor(Ridge(), transformer=QuantileTransformer(n_quantiles=50)),
    "nothing": TransformedTargetRegressor(Ridge()),
}
POSITIVE = {
    "a logarithm": TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
    "a logarithm of trees": TransformedTargetRegressor(trees(), func=np.log, inverse_func=np.exp),
    "a root": TransformedTargetRegressor(Ridge(), func=np.sqrt, inverse_func=np.square),
    "a power": TransformedTargetRegressor(Ridge(), transformer=PowerTransformer("box-cox")),
}


def fitted(estimator: Any, table: Any, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return estimator.fit(table, target)


def check(proven: Any, *, rows: int) -> None:
    assert [item.passed for item in proven.parity] == [True, True]
    assert proven.parity[0].compared == rows
    assert max(item.max_error for item in proven.parity) <= 1e-12
    assert sum(item.label_flips for item in proven.parity) == 0


@pytest.mark.filterwarnings("ignore:invalid value encountered", "ignore:divide by zero", "ignore:overflow")
@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("name", EXACT)
def test_lowered_transformers_equal_the_original(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    estimator = fitted(EXACT[name], case.table(some(rows)), delays.minutes)
    check(case.prove(estimator, some(unseen, 300), task="regression"), rows=300)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:Some values in column")
@pytest.mark.parametrize("name", [*BACK, *POSITIVE])
def test_a_transformed_target_is_transformed_back(name: str, case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    target = delays.minutes - (delays.minutes.min() - 1.0 if name in POSITIVE else 0.0)
    estimator = fitted(over(StandardScaler(), last={**BACK, **POSITIVE}[name]), case.table(some(rows)), target)
    check(case.prove(estimator, some(unseen, 300), task="regression"), rows=300)


def test_categories_become_a_mean_a_class(case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    encoder = TargetEncoder(cv=StratifiedKFold(3))
    estimator = fitted(
        over(StandardScaler(), texts=encoder, last=LogisticRegression()), case.table(some(rows)), delays.classes
    )
    check(case.prove(estimator, some(unseen, 300), task="multiclass"), rows=300)


@pytest.mark.parametrize("last", [LogisticRegression(), trees()], ids=["a line", "trees"])
def test_a_number_or_a_text_may_stand_for_a_missing_value(last: Any, case: Any, flights: Any, delays: Any) -> None:
    (rows, late), unseen = flights

    def marked(part: Any) -> Any:
        texts = np.array(["n/a" if value in ("ORD", "LAX") else value for value in part["dest"]], dtype=object)
        return {"wind": np.nan_to_num(part["wind_gust"], nan=-99.0), "dest": texts, "carrier": part["carrier"]}

    texts = SimpleImputer(missing_values="n/a", strategy="constant", fill_value="elsewhere", add_indicator=False)
    parts = ColumnTransformer(
        [
            ("wind", SimpleImputer(missing_values=-99.0, strategy="median", add_indicator=True), ["wind"]),
            ("texts", make_pipeline(texts, OneHotEncoder(handle_unknown="ignore", sparse_output=False)), ["dest"]),
            ("flag", MissingIndicator(missing_values="UA", features="all"), ["carrier"]),
        ]
    )
    task = "regression" if isinstance(last, HistGradientBoostingRegressor) else "binary"
    estimator = fitted(
        make_pipeline(parts, last), case.table(marked(rows)), delays.minutes if task == "regression" else late
    )
    proven = case.prove(estimator, marked({name: unseen[name][:300] for name in unseen}), not_null=("wind",), task=task)
    check(proven, rows=300)
    assert "n/a" in proven.validation.columns["dest"].tolist()
    assert "UA" in proven.validation.columns["carrier"].tolist()


def test_a_function_that_is_not_numpys_is_refused(case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    estimator = fitted(over(FunctionTransformer(np.nan_to_num)), case.table(some(rows)), delays.minutes)
    with pytest.raises(EstimatorRefusedError, match="custom code"):
        case.prove(estimator, some(unseen, 50), task="regression")


def test_a_target_that_cannot_be_transformed_back_is_refused(case: Any, flights: Any, delays: Any) -> None:
    (rows, _), unseen = flights
    quantiles = QuantileTransformer(n_quantiles=50, output_distribution="normal")
    estimator = over(last=TransformedTargetRegressor(Ridge(), transformer=quantiles))
    with pytest.raises(EstimatorRefusedError, match="backwards"):
        case.prove(fitted(estimator, case.table(some(rows)), delays.minutes), some(unseen, 50), task="regression")


def test_big_integers_and_dates_are_not_rounded(case: Any, delays: Any, flight_table: Any) -> None:
    departure = flight_table["scheduled_departure"]
    columns = {
        "seconds": departure.dt.epoch("s").cast(float).to_numpy().copy(),
        "days": departure.dt.epoch("d").cast(float).to_numpy().copy(),
        "number": 2.0**24 + np.arange(flight_table.height, dtype=np.float64),
    }
    odd = np.arange(flight_table.height) % 2 == 1
    training, unseen = ({name: column[places] for name, column in columns.items()} for places in (odd, ~odd))
    estimator = make_pipeline(StandardScaler(), trees()).fit(case.table(training), delays.minutes)
    proven = case.prove(estimator, unseen, task="regression", not_null=tuple(columns))
    check(proven, rows=int((~odd).sum()))
