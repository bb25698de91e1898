"""Columns of pandas' categories, wherever in a pipeline they are split on, are texts of the graph."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

NUMBERS = ["minute", "distance", "wind_gust", "precip"]
TEXTS = ["carrier", "dest"]
XGBOOST = XGBClassifier(n_estimators=6, max_depth=4, n_jobs=1, enable_categorical=True)
LIGHTGBM = LGBMClassifier(n_estimators=6, num_leaves=12, min_data_per_group=5, verbose=-1, n_jobs=1)
HISTOGRAM = HistGradientBoostingClassifier(max_iter=6, categorical_features="from_dtype")


def categories(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns).astype(dict.fromkeys(TEXTS, "category"))


def check(proven: Any) -> None:
    real, edges = proven.parity
    assert (real.passed, edges.passed) == (True, True)
    assert min(real.compared, edges.compared) >= 800
    assert len(proven.lowered.categories["dest"]) > 64
    assert not proven.lowered.closed


def test_histogram_boosting_takes_them_by_their_type(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    check(case.prove(HISTOGRAM.fit(categories(rows), labels), unseen))
    numbers = HistGradientBoostingRegressor(max_iter=6).fit(categories(rows), rows["distance"] / 50)
    check(case.prove(numbers, unseen, task="regression"))


@pytest.mark.parametrize("model", [XGBOOST, LIGHTGBM, HISTOGRAM], ids=["xgboost", "lightgbm", "scikit-learn"])
@pytest.mark.parametrize("prefixed", [True, False])
def test_they_pass_through_a_pipeline_of_tables(prefixed: bool, model: Any, flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    parts = [("texts", "passthrough", TEXTS), ("numbers", StandardScaler(), NUMBERS)]
    columns = ColumnTransformer(parts, verbose_feature_names_out=prefixed).set_output(transform="pandas")
    check(case.prove(make_pipeline(columns, model).fit(categories(rows), labels), unseen))


def test_libraries_that_share_them_vote(flights: Any, case: Any) -> None:
    (rows, labels), unseen = flights
    vote = VotingClassifier([("a", XGBOOST), ("b", LIGHTGBM), ("c", HISTOGRAM)], voting="soft")
    check(case.prove(vote.fit(categories(rows), labels), unseen))
