"""A histogram boosting model of 200 trees, texts as places."""

import joblib
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

rows = pl.read_parquet("work/train.parquet")
inputs = [name for name in rows.columns if name not in ("row", "label")]
texts = [name for name in inputs if name.startswith("c")]
places = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
columns = ColumnTransformer([("texts", places, texts)], remainder="passthrough")
model = Pipeline([("columns", columns), ("trees", HistGradientBoostingClassifier(max_iter=200, random_state=0))])
model.fit(rows.select(inputs), rows["label"].to_numpy())
joblib.dump(model, "work/model.joblib")
