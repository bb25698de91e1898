"""Join flights with the weather of their hour, and split by day: train, validation, hold-out."""

from datetime import date
from pathlib import Path

import polars as pl

import mintage

window = mintage.params()["window"]
first, last_trained, last = (
    date.fromisoformat(str(window[key])) for key in ("train_from", "train_until", "labels_until")
)

flights = pl.read_parquet("data/flights.parquet")
weather = pl.read_parquet("data/weather.parquet").unique(["origin", "hour"], keep="first", maintain_order=True)

table = (
    flights.filter(pl.col("arr_delay").is_not_null())  # cancelled flights have no label
    .with_columns(hour=pl.col("scheduled_departure").dt.truncate("1h"))
    .join(weather, on=["origin", "hour"], how="left", validate="m:1", maintain_order="left")
    .select(
        flight_id=pl.format(
            "{}-{}{}-{}",
            pl.col("scheduled_departure").dt.strftime("%Y%m%dT%H%M"),
            "carrier",
            "flight",
            "origin",
        ),
        day=pl.col("scheduled_departure").dt.date().cast(pl.String),
        scheduled_departure="scheduled_departure",
        carrier="carrier",
        origin="origin",
        dest="dest",
        minute_of_day=pl.col("scheduled_departure").dt.hour() * 60.0 + pl.col("scheduled_departure").dt.minute(),
        weekday=pl.col("scheduled_departure").dt.weekday().cast(pl.Float64),
        distance=pl.col("distance").cast(pl.Float64),
        humid="humid",
        wind_speed="wind_speed",
        wind_gust="wind_gust",
        precip="precip",
        visib="visib",
        late=(pl.col("arr_delay") > 15).cast(pl.Int64),
    )
    .filter(pl.col("scheduled_departure").dt.date().is_between(first, last))
)
trained_on = pl.col("scheduled_departure").dt.date() <= last_trained
even = pl.col("scheduled_departure").dt.day() % 2 == 0

Path("work").mkdir(exist_ok=True)
for name, rows in {
    "train": table.filter(trained_on),
    "validation": table.filter(~trained_on & even),
    "holdout": table.filter(~trained_on & ~even),
}.items():
    rows.write_parquet(f"work/{name}.parquet")
    mintage.log_metrics({f"rows.{name}": rows.height})
