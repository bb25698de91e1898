"""Real flights as production traffic: the template's data, its champion, its profile, and a prediction log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

import mintage.templates
from mintage.monitor.evidence import CandidatePlan
from mintage.monitor.loss import Reference
from mintage.profile.profile import Profile
from mintage.repo.modelfile import ModelSpec

TEMPLATE = Path(mintage.templates.__file__).parent / "flights"
TEXT = ["carrier", "origin", "dest"]
NUMBERS = ["minute_of_day", "weekday", "distance", "humid", "wind_speed", "wind_gust", "precip", "visib"]
FEATURES = [*TEXT, *NUMBERS]
CHAMPION = "sha256:" + "c" * 64


def fit(rows: pl.DataFrame) -> Pipeline:
    """The template's recipe."""
    columns = ColumnTransformer(
        [
            ("category", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), TEXT),
            ("schedule", "passthrough", NUMBERS[:3]),
            ("weather", StandardScaler(), NUMBERS[3:]),
        ]
    )
    boosting = HistGradientBoostingClassifier(
        max_iter=40,
        max_leaf_nodes=4,
        min_samples_leaf=500,
        categorical_features=[0, 1, 2],
        early_stopping=False,
        random_state=7,
    )
    with threadpool_limits(1):  # threads that wait for each other cost more than they give on a busy machine
        return Pipeline([("columns", columns), ("boosting", boosting)]).fit(
            rows.select(FEATURES), rows["late"].to_numpy()
        )


def score(model: Pipeline, rows: pl.DataFrame) -> np.ndarray:
    with threadpool_limits(1):
        return model.predict_proba(rows.select(FEATURES))[:, 1]


def columns_of(rows: pl.DataFrame) -> dict[str, np.ndarray]:
    return {
        name: rows[name].to_numpy().astype(object) if name in TEXT else rows[name].fill_null(np.nan).to_numpy()
        for name in FEATURES
    }


@dataclass(frozen=True)
class FittedCandidate:
    """A candidate as a face would pass it in: a fitted pipeline behind ``score``."""

    identity: str
    model: Pipeline

    def score(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        table = pl.DataFrame({name: pl.Series(values.tolist()) for name, values in columns.items()})
        return score(self.model, table)


def prediction_log(rows: pl.DataFrame, scores: np.ndarray, root: str = CHAMPION) -> pa.Table:
    """The log that the gateway would have written for these rows."""
    times = rows["scheduled_departure"].cast(pl.Datetime("us")).to_arrow()
    size = rows.height
    table = {
        "request_id": rows["flight_id"].to_arrow().cast(pa.string()),
        "row": pa.array(np.zeros(size), pa.int32()),
        "ts": times.cast(pa.timestamp("us", tz="UTC")),
        "event_time": times,
        "model_root": pa.array([root] * size),
        "variant": pa.array(["champion"] * size),
        "source": pa.array(["batch"] * size),
        "score": pa.array(scores),
        "label": pa.array((scores >= 0.35).astype(np.int64)),
        "latency_us": pa.array(np.zeros(size), pa.int64()),
    }
    for name, values in columns_of(rows).items():
        kind = pa.string() if name in TEXT else pa.float64()
        table[f"f.{name}"] = pa.array(values, type=kind, from_pandas=True)
    return pa.table(table)


@dataclass(frozen=True)
class Flights:
    """All that the tests of this room need of the real data."""

    rows: pl.DataFrame
    validation: pl.DataFrame
    champion: Pipeline
    spec: ModelSpec
    profile: Profile
    reference: Reference

    def between(self, first: str, last: str) -> pl.DataFrame:
        return self.rows.filter(pl.col("day").is_between(pl.lit(first), pl.lit(last)))

    def log(self, rows: pl.DataFrame) -> pa.Table:
        return prediction_log(rows, score(self.champion, rows))

    def trained_until(self, plan: CandidatePlan) -> FittedCandidate:
        """The candidate of a plan: the template's recipe from 1 January on."""
        return FittedCandidate(f"to {plan.train_until}", fit(self.between("2013-01-01", plan.train_until)))


def all_rows() -> pl.DataFrame:
    flights = pl.read_parquet(TEMPLATE / "data" / "flights.parquet")
    weather = pl.read_parquet(TEMPLATE / "data" / "weather.parquet")
    weather = weather.unique(["origin", "hour"], keep="first", maintain_order=True)
    departure = pl.col("scheduled_departure")
    return (
        flights.filter(pl.col("arr_delay").is_not_null() & (departure < datetime(2013, 8, 1)))
        .with_columns(hour=departure.dt.truncate("1h"))
        .join(weather, on=["origin", "hour"], how="left", validate="m:1", maintain_order="left")
        .select(
            flight_id=pl.format("{}-{}{}-{}", departure.dt.strftime("%Y%m%dT%H%M"), "carrier", "flight", "origin"),
            day=departure.dt.date().cast(pl.String),
            scheduled_departure="scheduled_departure",
            carrier="carrier",
            origin="origin",
            dest="dest",
            minute_of_day=departure.dt.hour() * 60.0 + departure.dt.minute(),
            weekday=departure.dt.weekday().cast(pl.Float64),
            distance=pl.col("distance").cast(pl.Float64),
            humid="humid",
            wind_speed="wind_speed",
            wind_gust="wind_gust",
            precip="precip",
            visib="visib",
            late=(pl.col("arr_delay") > 15).cast(pl.Int64),
        )
    )
