"""Measure the fitted pipeline on training and validation days; the hold-out stays closed."""

import json
from pathlib import Path

import joblib
import polars as pl
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from features import FEATURES

model = joblib.load("work/model.joblib")
metrics = {}
for name in ("train", "validation"):
    rows = pl.read_parquet(f"work/{name}.parquet")
    late, score = rows["late"].to_numpy(), model.predict_proba(rows.select(FEATURES))[:, 1]
    metrics[name] = {
        "rows": rows.height,
        "late": float(late.mean()),
        "auc": float(roc_auc_score(late, score)),
        "log_loss": float(log_loss(late, score)),
        "brier": float(brier_score_loss(late, score)),
    }
Path("work/metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
