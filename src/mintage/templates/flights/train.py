"""Fit a histogram gradient boosting pipeline on the training days."""

import joblib
import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

import mintage
from features import CATEGORIES, FEATURES, SCHEDULE, WEATHER

params = mintage.params()["train"]
train = pl.read_parquet("work/train.parquet")

columns = ColumnTransformer(
    [
        ("category", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), CATEGORIES),
        ("schedule", "passthrough", SCHEDULE),
        ("weather", StandardScaler(), WEATHER),  # keeps missing values: the trees route them
    ]
)
boosting = HistGradientBoostingClassifier(
    max_iter=params["iterations"],
    max_leaf_nodes=params["leaves"],
    min_samples_leaf=params["rows_per_leaf"],
    categorical_features=list(range(len(CATEGORIES))),
    early_stopping=False,
    random_state=mintage.seed(),
)
model = Pipeline([("columns", columns), ("boosting", boosting)])
model.fit(train.select(FEATURES), train["late"].to_numpy())
joblib.dump(model, "work/model.joblib")
