"""Fit a histogram gradient boosting pipeline; more schooling never lowers its answer."""

import joblib
import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

import mintage
from columns import CODES, INPUTS, NUMBERS

params = mintage.params()["train"]
train = pl.read_parquet("work/train.parquet")
columns = ColumnTransformer(
    [
        ("numbers", "passthrough", NUMBERS),
        ("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), CODES),
    ]
)
boosting = HistGradientBoostingClassifier(
    max_iter=params["iterations"],
    max_leaf_nodes=params["leaves"],
    min_samples_leaf=params["rows_per_leaf"],
    learning_rate=params["learning_rate"],
    categorical_features=list(range(len(NUMBERS), len(INPUTS))),
    monotonic_cst=[0, 1, *[0] * len(CODES)],
    early_stopping=False,
    random_state=mintage.seed(),
)
model = Pipeline([("columns", columns), ("boosting", boosting)])
model.fit(train.select(INPUTS), train["employed"].to_numpy())
joblib.dump(model, "work/model.joblib")
