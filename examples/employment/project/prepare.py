"""Keep people of an age that the survey asks about work, and split by year."""

from pathlib import Path

import polars as pl

import mintage
from columns import CODES, INPUTS

split = mintage.params()["split"]
people = (
    pl.read_parquet("data/employment-ma.parquet")
    .filter(pl.col("AGEP") >= split["least_age"])
    .with_columns(
        pl.col(CODES).cast(pl.String),
        AGEP=pl.col("AGEP").cast(pl.Int64),
        SCHL=pl.col("SCHL").cast(pl.String).cast(pl.Int64),
    )
    .select("id", "year", *INPUTS, "employed")
)
Path("work").mkdir(exist_ok=True)
for name in ("train", "validation", "holdout"):
    rows = people.filter(pl.col("year").is_in(split[name]))
    rows.write_parquet(f"work/{name}.parquet")
    mintage.log_metrics({f"rows.{name}": rows.height})
