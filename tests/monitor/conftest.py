"""Fixtures of this room: real flights, and their labels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pytest
from monitor_flights import TEMPLATE, Flights, all_rows, columns_of, fit, score

from mintage.monitor.labels import label_schema
from mintage.monitor.loss import Reference
from mintage.profile.profile import build_profile
from mintage.repo.modelfile import parse_model_file


@pytest.fixture(scope="session")
def flights() -> Flights:
    rows = all_rows()
    day = pl.col("day")
    even = day.str.slice(8).cast(pl.Int32) % 2 == 0
    validation = rows.filter(day.is_between(pl.lit("2013-02-15"), pl.lit("2013-02-28")) & even)
    champion = fit(rows.filter(day <= "2013-02-14"))
    scores = score(champion, validation)
    spec = parse_model_file((TEMPLATE / "models" / "late.yaml").read_bytes(), where="models/late.yaml")
    groups = validation["day"].to_numpy()
    return Flights(
        rows=rows,
        validation=validation,
        champion=champion,
        spec=spec,
        profile=build_profile(columns_of(validation), scores, groups, spec),
        reference=Reference(scores=scores, labels=validation["late"].to_numpy(), groups=groups),
    )


@pytest.fixture(scope="session")
def labels_of() -> Callable[..., pa.Table]:
    """Labels of rows as ``read_labels`` would give them."""

    def build(rows: pl.DataFrame, observed: str) -> pa.Table:
        size = rows.height
        moment = datetime.fromisoformat(observed).replace(tzinfo=UTC)
        return pa.table(
            {
                "request_id": rows["flight_id"].to_list(),
                "row": [0] * size,
                "label": rows["late"].to_list(),
                "observed_at": pa.array([moment] * size, pa.timestamp("us", tz="UTC")),
                "source": ["airline"] * size,
                "revision": [1] * size,
            },
            schema=label_schema,
        )

    return build
