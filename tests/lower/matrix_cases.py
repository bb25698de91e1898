"""Pipelines of every family that must lower, on real flights: what the published parity table is made of.

Each case is fitted on about 4,000 flights and compared on 3,000 others that have destinations and a carrier that the
first have not. Columns: numbers with missing values (weather), whole numbers beyond 2^24 (the departure as seconds
since 1970: a date), and texts. ``NUMBERS`` and ``TEXTS`` say which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

import mintage

__all__ = ["CASES", "NUMBERS", "TEXTS", "Case", "Flights", "read_flights"]

NUMBERS = ("epoch", "minute", "distance", "temp", "wind_gust", "precip", "visib", "pressure")
TEXTS = ("carrier", "dest", "origin")
UNSEEN = ("MKE", "SAT", "OMA", "ALB")
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Flights:
    """Rows to fit on and rows to compare on, as polars frames, and the targets of the first by name."""

    training: pl.DataFrame
    unseen: pl.DataFrame
    targets: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One pipeline: ``make`` gives it unfitted, ``inputs`` are its columns, ``table`` what it is fitted on."""

    name: str
    family: str
    task: Task
    make: Callable[[], Any]
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    table: Literal["polars", "pandas", "pandas categories", "numpy"] = "polars"
    not_null: tuple[str, ...] = ()


def read_flights(compared: int = 3_000) -> Flights:
    """The rows of all cases."""
    data = Path(mintage.__file__).parent / "templates" / "flights" / "data"
    weather = pl.read_parquet(data / "weather.parquet").unique(["origin", "hour"], keep="first", maintain_order=True)
    departure = pl.col("scheduled_departure")
    rows = (
        pl.read_parquet(data / "flights.parquet")
        .filter(pl.col("arr_delay").is_not_null())
        .with_columns(hour=departure.dt.truncate("1h"))
        .join(weather, on=["origin", "hour"], how="left", maintain_order="left")
        .with_columns(
            epoch=departure.dt.epoch("s").cast(pl.Float64), minute=departure.dt.hour() * 60.0 + departure.dt.minute()
        )
        .with_columns(pl.col(NUMBERS).cast(pl.Float64))
    )
    known = rows.filter(~pl.col("dest").is_in(UNSEEN) & (pl.col("carrier") != "HA"))
    training = known.gather_every(known.height // 4_000)
    others = rows.filter(pl.col("dest").is_in(UNSEEN)).gather_every(8)
    rest = known.gather_every(known.height // compared, 3)[: compared - min(others.height, compared // 6)]
    unseen = pl.concat([rest, others[: compared - rest.height]])
    delay = training["arr_delay"].cast(pl.Float64).to_numpy().copy()
    targets = {
        "late": (delay > 15).astype(int),
        "band": np.array(["early", "on time", "late"], dtype=object)[np.digitize(delay, [0.0, 15.0])],
        "band_code": np.digitize(delay, [0.0, 15.0]),
        "far": (training["distance"].to_numpy() > 1000).astype(int),
        "delay": delay,
        "positive": np.maximum(delay, 0.0) + 1.0,
        "departure": training["dep_delay"].cast(pl.Float64).to_numpy().copy(),
    }
    return Flights(training, unseen, targets)


def _numeric(*, scaled: str | None = "standard", imputed: bool = True) -> Any:
    """What is done to the numbers."""
    from sklearn import preprocessing as pre
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    scalers = {
        "standard": pre.StandardScaler,
        "minmax": pre.MinMaxScaler,
        "robust": pre.RobustScaler,
        "maxabs": pre.MaxAbsScaler,
        "power": pre.PowerTransformer,
        "quantile": lambda: pre.QuantileTransformer(n_quantiles=100),
        "normal": lambda: pre.QuantileTransformer(n_quantiles=100, output_distribution="normal"),
        "bins": lambda: pre.KBinsDiscretizer(n_bins=6, quantile_method="averaged_inverted_cdf"),
    }
    steps = [SimpleImputer(strategy="median", add_indicator=scaled == "minmax")] if imputed else []
    steps += [scalers[scaled]()] if scaled else []
    return make_pipeline(*steps) if steps else "passthrough"


def _table(model: Any, *, scaled: str | None = "standard", imputed: bool = True, texts: str = "onehot") -> Any:
    """A pipeline over all columns."""
    from sklearn import preprocessing as pre
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline

    encoders = {
        "onehot": lambda: pre.OneHotEncoder(handle_unknown="ignore"),
        "rare": lambda: pre.OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=60),
        "ordinal": lambda: pre.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        "missing": lambda: pre.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
        "target": lambda: pre.TargetEncoder(random_state=0),
    }
    columns = ColumnTransformer(
        [
            ("numbers", _numeric(scaled=scaled, imputed=imputed), list(NUMBERS)),
            ("texts", encoders[texts](), list(TEXTS)),
        ],
        sparse_threshold=0.0,
    )
    return make_pipeline(columns, model)


def _cases() -> list[Case]:
    from matrix_models import models

    found = []
    for item in models(_table, _numeric):
        found.append(Case(**{"inputs": (*NUMBERS, *TEXTS), **item}))
    return found


CASES = _cases()
