from __future__ import annotations

import joblib
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TARGET = "clicked"
NUMERIC = ["age", "visits", "minutes_on_site"]
CHANNELS = [["email", "search", "social"]]


def frame(name: str) -> tuple[pl.DataFrame, pl.Series]:
    table = pl.scan_parquet(f"data/{name}.parquet").filter(pl.col("minutes_on_site") >= 0).collect()
    return table.select(*NUMERIC, "channel"), table[TARGET]


x, y = frame("train")
best, best_loss = None, float("inf")
x_valid, y_valid = frame("valid")
for depth in (2, 3):
    encode = make_column_transformer(
        (OrdinalEncoder(categories=CHANNELS), ["channel"]), remainder="passthrough", verbose_feature_names_out=False
    )
    candidate = make_pipeline(encode, GradientBoostingClassifier(n_estimators=60, max_depth=depth, random_state=1))
    candidate.fit(x, y)
    loss = log_loss(y_valid, candidate.predict_proba(x_valid))
    print(f"depth {depth}: {loss:.4f}")
    if loss < best_loss:
        best, best_loss = candidate, loss

joblib.dump(best, "click_model.joblib")
